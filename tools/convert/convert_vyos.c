/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * protocols igmp-proxy of VyOS and EdgeOS -> our configuration. The result is what VyOS
 * writes into its igmpproxy.conf: quickleave unless it is disabled, and the role
 * downstream unless another one is set.
 */

#include "tools/convert/convert_vyos.h"

#include <string.h>

#define MAX_INTERFACES 1000

struct interface {
	const char *name, *role; /* `role` is NULL until it is set */
	const struct vyos_statement *threshold;
	unsigned line; /* of the first statement */
};

struct proxy {
	struct converter *c;
	const struct vyos *x;
	const struct vyos_statement *disable, *disable_quickleave;
	struct interface *interface;
	size_t n_interface;
};

static struct interface *open_interface(struct proxy *p, const struct vyos_statement *s)
{
	for (size_t i = 0; i < p->n_interface; i++)
		if (strcmp(p->interface[i].name, s->word[1]) == 0)
			return &p->interface[i];
	if (!convert_check_name(p->c, s->line, "interface", s->word[1]))
		return NULL;
	if (p->n_interface == MAX_INTERFACES) {
		convert_error(p->c, s->line, "more than %d interfaces", MAX_INTERFACES);
		return NULL;
	}
	if (!convert_grow(p->c, &p->interface, p->n_interface, sizeof(*p->interface)))
		return NULL;
	p->interface[p->n_interface] =
		(struct interface){.name = s->word[1], .line = s->line};
	return &p->interface[p->n_interface++];
}

/* Words 2 and 3 of "interface NAME ..."; lists are read when they are written. */
static void take_setting(
	struct proxy *p, struct interface *i, const struct vyos_statement *s)
{
	const char *word = s->word[2];

	if (strcmp(word, "role") && strcmp(word, "threshold") &&
		strcmp(word, "alt-subnet") && strcmp(word, "whitelist")) {
		convert_note(p->c, s->line, "",
			"The unknown setting '%s' of an interface is left out; known are role, "
			"threshold, alt-subnet and whitelist.",
			config_show(word).s);
		return;
	}
	if (s->n != 4) {
		convert_error(p->c, s->line, "'%s' takes one value", word);
		return;
	}
	if (strcmp(word, "threshold") == 0)
		i->threshold = s;
	if (strcmp(word, "role"))
		return;
	i->role = convert_role(s->word[3]);
	if (!i->role)
		convert_error(p->c, s->line,
			"role takes upstream, downstream or disabled, not '%s'",
			config_show(s->word[3]).s);
}

static void take_statement(struct proxy *p, const struct vyos_statement *s)
{
	struct interface *i;

	if (strcmp(s->word[0], "disable") == 0 && s->n == 1) {
		p->disable = s;
	} else if (strcmp(s->word[0], "disable-quickleave") == 0 && s->n == 1) {
		p->disable_quickleave = s;
	} else if (strcmp(s->word[0], "interface") != 0) {
		convert_note(p->c, s->line, "",
			"The unknown setting '%s' is left out; known are interface, disable and "
			"disable-quickleave.",
			config_show(s->word[0]).s);
	} else if (s->n < 2) {
		convert_error(
			p->c, s->line, "'interface' takes the name of an interface");
	} else {
		i = open_interface(p, s);
		if (i && s->n > 2)
			take_setting(p, i, s);
	}
}

static void write_interface(struct proxy *p, const struct interface *i)
{
	struct converter *c = p->c;
	unsigned threshold;

	convert_put(
		c, NULL, "\nphyint %s %s", i->name, i->role ? i->role : "downstream");
	if (i->threshold &&
		convert_number(c, i->threshold->line, "threshold",
			i->threshold->word[3], 1, 255, &threshold))
		convert_put(c, NULL, "\tthreshold %u", threshold);
	for (size_t k = 0; k < p->x->n; k++) {
		const struct vyos_statement *s = &p->x->v[k];

		if (s->n != 4 || strcmp(s->word[1], i->name))
			continue;
		if (strcmp(s->word[2], "alt-subnet") == 0)
			convert_altnet(c, s->line, "alt-subnet", s->word[3]);
		else if (strcmp(s->word[2], "whitelist") == 0)
			convert_filter(
				c, s->line, "whitelist", "whitelist", s->word[3]);
	}
}

/* VyOS refuses to commit the first two mistakes; it allows the third. */
static void check_roles(struct proxy *p)
{
	unsigned up = 0, down = 0;

	for (size_t i = 0; i < p->n_interface; i++) {
		const char *role = p->interface[i].role;

		up += role && strcmp(role, "upstream") == 0;
		down += !role || strcmp(role, "downstream") == 0;
		if (up > 1 && role && strcmp(role, "upstream") == 0)
			convert_warn(p->c, p->interface[i].line,
				"'%s' is one more upstream, VyOS allows one only; see "
				"'instance' in ringcast.conf(5) for several providers",
				p->interface[i].name);
	}
	if (!up)
		convert_error(p->c, 0,
			"no interface has 'role upstream'; set it for the one towards the "
			"provider");
	else if (!down)
		convert_warn(p->c, 0,
			"there is no downstream: nothing is forwarded until there is one");
}

static void write_all(struct proxy *p)
{
	struct converter *c = p->c;

	if (p->disable)
		convert_note(c, p->disable->line, "",
			"'disable' is set: the proxy of VyOS does not run. ringcastd has no "
			"such setting, it runs when it is started.");
	if (!p->disable_quickleave)
		convert_put(c, NULL, "quickleave");
	convert_put(c, "the proxy of VyOS has IPv4 only", "ipv6 off");
	for (size_t i = 0; i < p->n_interface; i++)
		write_interface(p, &p->interface[i]);
}

void convert_vyos(struct converter *c, const struct convert_source *source)
{
	struct vyos x = {.c = c};
	struct proxy p = {.c = c, .x = &x};

	convert_comment(c, "", "Converted from the VyOS configuration %s.",
		config_show(source->name).s);
	vyos_read(&x, source);
	for (size_t i = 0; i < x.n && !c->stop; i++)
		take_statement(&p, &x.v[i]);
	if (!x.seen && !c->result->n_errors)
		convert_error(c, 0,
			"nothing about 'protocols igmp-proxy' in this file; take the output of "
			"'show configuration commands', /config/config.boot or, on UniFi, "
			"config.gateway.json");
	else if (x.seen && !c->stop)
		check_roles(&p);
	/* values are checked where they are written */
	write_all(&p);
	free(p.interface);
	vyos_deinit(&x);
}
