/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * `clear group GROUP [INTERFACE]`: for an operator who doubts that a group still has
 * members, or all of them. Its LANs are queried at once; see mgroup_doubt().
 */

#include "control/daemon/app_priv.h"

#include <string.h>

struct clear {
	struct app *app;
	struct addr group;
	char interface[IFNAMSIZ];  /* empty for all of them */
	json_t *asked, *not_asked; /* rows of the reply */
	bool known;		   /* the interface is a downstream */
};

static json_t *read_words(struct clear *c, const char *args)
{
	char group[ADDR_STRLEN + 1] = "", more[2] = "";
	int n = sscanf(args, "%46s %15s %1s", group, c->interface, more);

	if (n < 1 || n > 2)
		return ctl_error("clear group takes GROUP [INTERFACE]");
	if (addr_parse(group, &c->group) < 0 || !addr_is_multicast(&c->group))
		return ctl_error("'%s' is not a group address", group);
	return NULL;
}

/* Says why no host is asked there. */
static json_t *refused(const struct proxy_port *pp, enum family family)
{
	const struct querier *q = &pp->querier[family];
	char address[ADDR_STRLEN] = "";

	if (q->state == QUERIER_STANDBY)
		gm_format_host(&q->other, address);
	return json_pack("{ss ss? ss}", "interface", pp->name, "querier",
		*address ? address : NULL, "reason",
		*address ? "another router asks the hosts there"
			 : "a host of IGMPv1 cannot be asked about a group");
}

static void clear_port(struct clear *c, struct proxy_port *pp)
{
	mono_t now = loop_now(c->app->loop);
	struct mgroup *g;

	if (pp->role != CONFIG_ROLE_DOWNSTREAM ||
		(*c->interface && strcmp(c->interface, pp->name) != 0))
		return;
	c->known = true;
	g = mgroup_find(&pp->groups, &c->group);
	if (!g)
		return;
	if (mgroup_doubt(&pp->groups, g, now, &c->app->fx))
		json_array_append_new(c->asked,
			json_pack("{ss sI}", "interface", pp->name, "answer_ms",
				(json_int_t)gm_last_member_ms(&pp->groups.params.gm)));
	else
		json_array_append_new(
			c->not_asked, refused(pp, addr_family(&c->group)));
}

json_t *app_clear_group(void *ctx, const char *args)
{
	struct clear c = {.app = ctx};
	json_t *error = read_words(&c, args);
	char group[ADDR_STRLEN];

	if (error)
		return error;
	c.asked = json_array();
	c.not_asked = json_array();
	proxy_ports_for_each (c.app->instances->port, pp)
		clear_port(&c, pp);
	addr_format(&c.group, group);
	if (json_array_size(c.asked) + json_array_size(c.not_asked) > 0)
		return json_pack("{ss so so}", "group", group, "asked", c.asked,
			"not_asked", c.not_asked);
	json_decref(c.asked);
	json_decref(c.not_asked);
	if (*c.interface && !c.known)
		return ctl_error(
			"'%s' is not a downstream; 'show interfaces' lists them",
			c.interface);
	return ctl_error("no host%s%s has joined %s", *c.interface ? " on " : "",
		c.interface, group);
}
