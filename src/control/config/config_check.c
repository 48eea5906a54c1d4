/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Checks that need a complete phyint block or file, and values that follow from others
 * (RFC 9776 8, R044).
 */

#include "control/config/config_parse.h"
#include "control/config/config_text.h"
#include "control/config/endpoint.h"

#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

static void no_effect(struct config_parser *p, const struct config_iface *ci,
	const char *keyword, const char *why)
{
	struct config_pos pos = *config_given(p, keyword);

	if (pos.line)
		config_say(p, CONFIG_WARNING, pos, "'%s' has no effect on %s '%s': %s",
			keyword,
			ci->role == CONFIG_ROLE_UPSTREAM ? "upstream"
				: ci->role == CONFIG_ROLE_DOWNSTREAM
				? "downstream"
				: "disabled interface",
			config_show(ci->name).s, why);
}

static bool role_given(struct config_parser *p)
{
	return config_given(p, "upstream")->line ||
		config_given(p, "downstream")->line ||
		config_given(p, "disabled")->line;
}

void config_check_block(struct config_parser *p, const struct config_iface *ci)
{
	struct config_pos pos = {ci->line, ci->column};
	const struct config_shown quoted = config_show(ci->name);
	const char *name = quoted.s;

	/* after an error, the role may be the word that was not understood */
	if (!role_given(p) && !p->n_errors) {
		bool down = ci->role == CONFIG_ROLE_DOWNSTREAM;

		config_say(p, CONFIG_WARNING, pos,
			"'phyint %s' has no role; it is %s, because 'defaultdown' is %s before "
			"it; write 'phyint %s downstream' if hosts are there, else 'phyint %s "
			"disabled'",
			name, down ? "downstream" : "disabled",
			down ? "given" : "not given", name, name);
	}
	if (ci->ratelimit)
		no_effect(p, ci, "ratelimit", "nothing limits the rate; remove it");
	if (ci->role == CONFIG_ROLE_UPSTREAM) {
		if (ci->threshold != 1)
			no_effect(p, ci, "threshold",
				"it is for packets that leave here; give it to a downstream");
		if (ci->fast_leave)
			no_effect(p, ci, "fast-leave", "give it to a downstream");
		if (ci->always_querier)
			no_effect(p, ci, "always-querier",
				"an upstream only answers queries; give it to a downstream");
		if (ci->forwarding != CONFIG_FORWARDING_EVIDENCE)
			no_effect(p, ci, "forwarding",
				"it is for a LAN with another querier; give it to a "
				"downstream");
	} else {
		no_effect(
			p, ci, "report-interface", "it is for an upstream; remove it");
		no_effect(p, ci, "version-fallback",
			"only an upstream follows the versions of others; remove it");
	}
	if (!ci->ipv4 && !ci->ipv6 && ci->role != CONFIG_ROLE_DISABLED)
		config_say(p, CONFIG_WARNING, pos,
			"'phyint %s' has both 'ipv4 off' and 'ipv6 off', so it does nothing; "
			"write 'phyint %s disabled'",
			name, name);
}

static void derive(struct config_parser *p)
{
	struct gm_params *gm = &p->c->gm;

	if (!config_given(p, "last-member-query-count")->line)
		gm->last_member_count = gm->robustness;
	if (!config_given(p, "startup-query-count")->line)
		gm->startup_count = gm->robustness;
	if (!config_given(p, "startup-query-interval")->line)
		gm->startup_interval_ms = gm->query_interval_ms / 4;
}

static void check_timers(struct config_parser *p)
{
	char qi[CONFIG_SECONDS_STRLEN], qri[CONFIG_SECONDS_STRLEN];
	const struct gm_params *gm = &p->c->gm;
	struct config_pos pos = *config_given(p, "query-response-interval");

	if (!pos.line)
		pos = *config_given(p, "query-interval");
	if (gm->response_interval_ms >= gm->query_interval_ms)
		config_say(p, CONFIG_ERROR, pos,
			"the query-response-interval (%s s) must be less than the "
			"query-interval (%s s); change one of them",
			config_format_seconds(gm->response_interval_ms, qri),
			config_format_seconds(gm->query_interval_ms, qi));
	pos = *config_given(p, "robustness");
	if (gm->robustness == 1)
		config_say(p, CONFIG_WARNING, pos,
			"with 'robustness 1' one lost packet is enough to stop a stream; write "
			"2 or more");
	if (gm->robustness > 7)
		config_say(p, CONFIG_WARNING, pos,
			"queries can carry a robustness of at most 7; %u is sent as 0, and other "
			"devices then use their own",
			gm->robustness);
}

static void remove_iface(struct config *c, size_t n)
{
	config_iface_deinit(&c->iface[n]);
	c->n_iface--;
	memmove(&c->iface[n], &c->iface[n + 1], (c->n_iface - n) * sizeof(*c->iface));
}

/* A block that is named after the label of an address applies to the interface with
 * that address, unless this has its own block. Returns false if the block applies to
 * nothing. */
static bool check_label(struct config_parser *p, struct config_iface *ci)
{
	struct config_pos pos = {ci->line, ci->column};
	struct config_shown label = config_show(ci->name);
	const struct config_iface *own;
	char name[IFNAMSIZ];

	if (ci->role == CONFIG_ROLE_DISABLED) {
		config_say(p, CONFIG_WARNING, pos,
			"'phyint %s disabled' has no effect, because it is the label of an "
			"address, not an interface; remove it",
			label.s);
		return false;
	}
	snprintf(name, sizeof(name), "%.*s", (int)strcspn(ci->name, ":"), ci->name);
	own = config_iface_named(p->c, name);
	if (own != &p->c->defaults) {
		config_say(p, CONFIG_WARNING, pos,
			"'phyint %s' is ignored, because it is the label of an address, and "
			"'%s' has a phyint at line %u; remove this one",
			label.s, config_show(name).s, own->line);
		return false;
	}
	config_say(p, CONFIG_WARNING, pos,
		"'phyint %s' is read as 'phyint %s', because it is the label of an address, "
		"not an interface; write that name",
		label.s, config_show(name).s);
	strcpy(ci->name, name);
	ci->label = false;
	return true;
}

/* No packet of a network passes the loopback, and igmpproxy also leaves it out. */
static bool check_loopback(struct config_parser *p, const struct config_iface *ci)
{
	if (strcmp(ci->name, "lo") != 0 || ci->role == CONFIG_ROLE_DISABLED)
		return true;
	config_say(p, CONFIG_WARNING, (struct config_pos){ci->line, ci->column},
		"'phyint lo' is ignored, because the loopback is connected to no network; "
		"remove it");
	return false;
}

static void check_names(struct config_parser *p)
{
	struct config *c = p->c;

	for (size_t i = 0; i < c->n_iface;) {
		struct config_iface *ci = &c->iface[i];

		if ((ci->label && !check_label(p, ci)) || !check_loopback(p, ci))
			remove_iface(c, i);
		else
			i++;
	}
}

/* igmpproxy accepts several upstreams. A file with `instance` is meant as in RFC 4605,
 * with one upstream for each. */
static void check_second_upstream(struct config_parser *p,
	const struct config_iface *ci, const struct config_iface *first)
{
	struct config_pos pos = {ci->line, ci->column};

	if (ci->instance)
		config_say(p, CONFIG_ERROR, pos,
			"'%s' is a second upstream of instance '%s', which already has '%s'; give "
			"each an instance of its own",
			config_show(ci->name).s, p->c->instance[ci->instance].name,
			config_show(first->name).s);
	else
		config_say(p, CONFIG_WARNING, pos,
			"'%s' is a second upstream after '%s': every group is reported on both, "
			"and streams are accepted from both. If they are two providers, give "
			"each an 'instance'",
			config_show(ci->name).s, config_show(first->name).s);
}

static void check_no_upstream(struct config_parser *p, unsigned instance)
{
	const struct config_instance *in = &p->c->instance[instance];

	if (instance)
		config_say(p, CONFIG_ERROR, (struct config_pos){in->line, in->column},
			"instance '%s' has no upstream, so no streams come in; add 'phyint NAME "
			"upstream' to it",
			in->name);
	else if (p->c->n_instance > 1)
		config_say(p, CONFIG_ERROR, (struct config_pos){0},
			"the interfaces before the first 'instance'%s have no upstream; add "
			"'phyint NAME upstream' there, or move them to an instance",
			p->c->defaultdown ? " and those that 'defaultdown' adds" : "");
	else
		config_say(p, CONFIG_ERROR, (struct config_pos){0},
			"no interface is an upstream, so no streams come in; add 'phyint NAME "
			"upstream'");
}

static void check_no_downstream(struct config_parser *p, unsigned instance)
{
	const struct config_instance *in = &p->c->instance[instance];

	if (instance)
		config_say(p, CONFIG_WARNING, (struct config_pos){in->line, in->column},
			"instance '%s' has no downstream, so it forwards nothing; add 'phyint "
			"NAME downstream' to it",
			in->name);
	else if (!p->c->defaultdown)
		config_say(p, CONFIG_WARNING, (struct config_pos){0},
			"no interface is a downstream, so nothing is forwarded; add 'phyint NAME "
			"downstream'");
}

static void check_roles(struct config_parser *p, unsigned instance)
{
	const struct config *c = p->c;
	const struct config_iface *upstream = NULL;
	unsigned n_downstream = 0;

	for (size_t i = 0; i < c->n_iface; i++) {
		const struct config_iface *ci = &c->iface[i];

		if (ci->instance != instance)
			continue;
		if (ci->role == CONFIG_ROLE_DOWNSTREAM)
			n_downstream++;
		if (ci->role != CONFIG_ROLE_UPSTREAM)
			continue;
		if (upstream)
			check_second_upstream(p, ci, upstream);
		else
			upstream = ci;
	}
	if (!upstream)
		check_no_upstream(p, instance);
	else if (!n_downstream)
		check_no_downstream(p, instance);
}

/* The hosts of a downstream would mistake our reports for those of a host. */
static void check_report_interface(
	struct config_parser *p, const struct config_iface *ci)
{
	const struct config_iface *to = config_iface_named(p->c, ci->report_interface);

	if (ci->role != CONFIG_ROLE_UPSTREAM || !*ci->report_interface)
		return;
	if (to != &p->c->defaults && to->role == CONFIG_ROLE_DOWNSTREAM)
		config_say(p, CONFIG_ERROR, (struct config_pos){ci->line, ci->column},
			"'report-interface %s' of '%s' is a downstream, but reports must go to "
			"the provider; name the interface to the provider",
			config_show(ci->report_interface).s, config_show(ci->name).s);
}

/* Does `all` match everything that `one` matches? True is certain, false is not: each
 * '*' of `all` takes a part of `one`, including its wildcards. */
static bool covers(const struct config_iface *all, const struct config_iface *one)
{
	return all->pattern && one->pattern && !strpbrk(all->name, "?[") &&
		fnmatch(all->name, one->name, FNM_NOESCAPE) == 0;
}

static void check_covered(struct config_parser *p, size_t n)
{
	const struct config_iface *ci = &p->c->iface[n];

	for (size_t i = 0; i < n; i++) {
		const struct config_iface *first = &p->c->iface[i];

		if (!covers(first, ci))
			continue;
		config_say(p, CONFIG_WARNING, (struct config_pos){ci->line, ci->column},
			"'phyint %s' has no effect: 'phyint %s' at line %u matches the same "
			"interfaces and is first; put this one before it",
			config_show(ci->name).s, config_show(first->name).s,
			first->line);
		return;
	}
}

/* Two listeners on one port, and a page that no other system could read. */
static void check_web(struct config_parser *p)
{
	const struct config *c = p->c;
	struct config_pos pos = *config_given(p, "web-listen");
	struct endpoint web, metrics = {.port = 0};

	if (!c->web_listen || endpoint_parse(c->web_listen, &web) < 0)
		return;
	if (c->metrics_listen)
		(void)endpoint_parse(c->metrics_listen, &metrics);
	if (web.port == metrics.port &&
		(addr_eq(&web.addr, &metrics.addr) || addr_is_any(&web.addr) ||
			addr_is_any(&metrics.addr)))
		config_say(p, CONFIG_ERROR, pos,
			"'web-listen' and 'metrics-listen' have the same port; choose "
			"another one for one of them");
	else if (!addr_is_loopback(&web.addr) && !c->n_web_allow)
		config_say(p, CONFIG_WARNING, pos,
			"only this system can read the page of 'web-listen %s'; name the networks "
			"that may also read it with 'web-allow', such as 192.168.1.0/24",
			config_show(c->web_listen).s);
}

void config_check_file(struct config_parser *p)
{
	struct config *c = p->c;
	bool sound = p->n_errors == 0;
	struct config_pos group = *config_given(p, "control-group");

	/* only the system knows whether there is such a group */
	c->control_group_line = group.line;
	c->control_group_column = group.column;
	c->defaults.role =
		c->defaultdown ? CONFIG_ROLE_DOWNSTREAM : CONFIG_ROLE_DISABLED;
	derive(p);
	check_names(p);
	/* after an error these may be mere consequences */
	if (!sound)
		return;
	check_timers(p);
	check_web(p);
	for (unsigned i = 0; i < c->n_instance; i++)
		if (i || c->n_instance == 1 || config_instance_used(c, i))
			check_roles(p, i);
	for (size_t i = 0; i < c->n_iface; i++) {
		check_report_interface(p, &c->iface[i]);
		check_covered(p, i);
	}
}
