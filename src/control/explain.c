/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Judgement of a stream, see explain.h: the group, the way in (explain_input.c), the
 * way out (explain_output.c), and the sum of it. An input or output is as good as the
 * worst of its checks; a stream arrives when some input and some output let it pass.
 */

#include "control/explain_priv.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *explain_verdict_name(enum explain_verdict v)
{
	switch (v) {
	case EXPLAIN_PASS:
		return "pass";
	case EXPLAIN_REFUSE:
		return "refuse";
	case EXPLAIN_UNKNOWN:
		break;
	}
	return "unknown";
}

/* ---- the list ---- */

static struct explain_check *new_check(struct explain *e)
{
	static struct explain_check scratch;
	struct explain_check *v;
	size_t cap = e->cap ? 2 * e->cap : 32;

	if (e->n < e->cap)
		return &e->check[e->n++];
	v = realloc(e->check, cap * sizeof(*v));
	if (!v) {
		e->lost = true;
		return &scratch;
	}
	e->check = v;
	e->cap = cap;
	return &e->check[e->n++];
}

struct explain_check *explain_add(struct explain *e, const char *check,
	const char *interface, enum explain_verdict verdict, const char *format, ...)
{
	struct explain_check *c = new_check(e);
	va_list ap;

	*c = (struct explain_check){.check = check, .verdict = verdict};
	if (interface)
		memcpy(c->interface, interface,
			strnlen(interface, sizeof(c->interface) - 1));
	va_start(ap, format);
	vsnprintf(c->text, sizeof(c->text), format, ap);
	va_end(ap);
	return c;
}

void explain_advise(struct explain_check *c, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(c->advice, sizeof(c->advice), format, ap);
	va_end(ap);
}

void explain_deinit(struct explain *e)
{
	free(e->check);
	*e = (struct explain){0};
}

/* ---- both directions ---- */

bool explain_iface_usable(
	const struct explain_facts *f, const struct explain_iface *i, struct explain *e)
{
	struct explain_check *c;

	if (!i->has_role) {
		c = explain_add(e, "interface", i->name, EXPLAIN_REFUSE,
			"%s has no role in the proxy", i->name);
		explain_advise(c,
			"give it one in the configuration: phyint %s upstream, or "
			"downstream",
			i->name);
	} else if (!i->present) {
		c = explain_add(e, "interface", i->name, EXPLAIN_REFUSE,
			"the system has no interface %s at the moment", i->name);
		explain_advise(c,
			"create it, or correct its name in the phyint line; it is used "
			"as soon as it exists");
	} else if (!i->up) {
		c = explain_add(
			e, "interface", i->name, EXPLAIN_REFUSE, "%s is down", i->name);
		explain_advise(c, "check the link: ip link show %s", i->name);
	} else if (i->error) {
		c = explain_add(e, "interface", i->name, EXPLAIN_REFUSE,
			"no sockets could be opened on %s: %s", i->name, i->error);
		explain_advise(c, "the log says which call failed; it is tried again");
	} else if (!i->family) {
		c = explain_add(e, "interface", i->name, EXPLAIN_REFUSE,
			"%s is switched off on %s",
			addr_is_v4(&f->group) ? "IPv4" : "IPv6", i->name);
		explain_advise(c, "%s on, in the phyint block of %s",
			addr_is_v4(&f->group) ? "ipv4" : "ipv6", i->name);
	} else {
		explain_add(e, "interface", i->name, EXPLAIN_PASS, "%s is up", i->name);
		return true;
	}
	return false;
}

/* ---- the group ---- */

static bool check_group(const struct explain_facts *f, struct explain *e)
{
	char group[ADDR_STRLEN];
	struct explain_check *c;

	addr_format(&f->group, group);
	if (!addr_is_multicast(&f->group)) {
		c = explain_add(e, "group", NULL, EXPLAIN_REFUSE,
			"%s is no multicast address", group);
		explain_advise(c, "the group comes first, then the source");
		return false;
	}
	if (addr_is_local_group(&f->group)) {
		c = explain_add(e, "group", NULL, EXPLAIN_REFUSE,
			"%s never leaves its link: routers must not forward it", group);
		explain_advise(c,
			"use another group; for use inside a site there are "
			"239.0.0.0/8 and ff05::/16");
		return false;
	}
	explain_add(e, "group", NULL, EXPLAIN_PASS, "%s may be forwarded%s", group,
		f->ssm ? "; it is in the SSM range, where members must name sources"
		       : "");
	return true;
}

static bool check_source(const struct explain_facts *f, struct explain *e)
{
	char source[ADDR_STRLEN];
	struct explain_check *c;

	if (!f->has_source)
		return true;
	addr_format(&f->source, source);
	if (!addr_is_usable_source(&f->source) || addr_is_link_local(&f->source)) {
		c = explain_add(e, "source", NULL, EXPLAIN_REFUSE,
			"packets from %s are not forwarded: it is no address that can "
			"be reached from elsewhere",
			source);
		explain_advise(c, "give the sender an ordinary address");
		return false;
	}
	if (f->source_own) {
		c = explain_add(e, "source", NULL, EXPLAIN_REFUSE,
			"%s is an address of this router: such packets are forged or in "
			"a loop",
			source);
		explain_advise(c, "send from another host, or look for the loop");
		return false;
	}
	return true;
}

/* ---- the sum ---- */

/* The first check with a verdict among those from `from` on, NULL: none. */
static const struct explain_check *first_with(
	const struct explain *e, size_t from, size_t to, enum explain_verdict v)
{
	for (size_t i = from; i < to && i < e->n; i++)
		if (e->check[i].verdict == v)
			return &e->check[i];
	return NULL;
}

static void conclude_with(
	struct explain *e, enum explain_verdict v, const struct explain_check *c)
{
	e->verdict = v;
	if (v == EXPLAIN_REFUSE)
		snprintf(e->summary, sizeof(e->summary), "it stops here: %s",
			c ? c->text : "nothing lets it pass");
	else
		snprintf(e->summary, sizeof(e->summary), "nothing refuses it, but: %s",
			c ? c->text : "");
}

/* One side is checked: its best verdict, and the check that gave it. */
struct side {
	enum explain_verdict verdict;
	size_t check; /* index of the decisive check */
};

static void judge(struct explain *e, size_t from, struct side *side)
{
	enum explain_verdict v = EXPLAIN_PASS;
	const struct explain_check *c = first_with(e, from, e->n, EXPLAIN_REFUSE);

	if (c) {
		v = EXPLAIN_REFUSE;
	} else {
		c = first_with(e, from, e->n, EXPLAIN_UNKNOWN);
		if (c)
			v = EXPLAIN_UNKNOWN;
	}
	/* pass is better than unknown, that is better than refuse */
	if (side->verdict == 0 || v == EXPLAIN_PASS ||
		(v == EXPLAIN_UNKNOWN && side->verdict == EXPLAIN_REFUSE)) {
		side->verdict = v;
		side->check = c ? (size_t)(c - e->check) : SIZE_MAX;
	}
}

static const struct explain_check *decisive(
	const struct explain *e, const struct side *s)
{
	return s->check < e->n ? &e->check[s->check] : NULL;
}

static void nowhere(struct explain *e, const char *check, const char *what)
{
	struct explain_check *c = explain_add(e, check, NULL, EXPLAIN_REFUSE,
		"the configuration has no %s here", what);

	explain_advise(c, "phyint NAME %s",
		strrchr(what, ' ') ? strrchr(what, ' ') + 1 : what);
}

void explain(const struct explain_facts *f, struct explain *e)
{
	struct side in = {0}, out = {0};

	explain_deinit(e);
	if (!check_group(f, e) || !check_source(f, e)) {
		conclude_with(
			e, EXPLAIN_REFUSE, first_with(e, 0, e->n, EXPLAIN_REFUSE));
		return;
	}
	for (size_t i = 0; i < f->n_input; i++) {
		size_t from = e->n;

		explain_input_checks(f, &f->input[i], e);
		judge(e, from, &in);
	}
	if (f->n_input == 0) {
		nowhere(e, "input", "upstream");
		judge(e, e->n - 1, &in);
	}
	for (size_t i = 0; i < f->n_output; i++) {
		size_t from = e->n;

		if (f->output[i].is_input)
			continue;
		explain_output_checks(f, &f->output[i], e);
		judge(e, from, &out);
	}
	if (out.verdict == 0 && in.verdict != EXPLAIN_REFUSE) {
		nowhere(e, "output", f->n_output ? "other downstream" : "downstream");
		judge(e, e->n - 1, &out);
	}
	/* who has no members is not asked for anything either: name the cause */
	if (out.verdict == EXPLAIN_REFUSE)
		conclude_with(e, EXPLAIN_REFUSE, decisive(e, &out));
	else if (in.verdict == EXPLAIN_REFUSE)
		conclude_with(e, EXPLAIN_REFUSE, decisive(e, &in));
	else if (in.verdict == EXPLAIN_UNKNOWN)
		conclude_with(e, EXPLAIN_UNKNOWN, decisive(e, &in));
	else if (out.verdict == EXPLAIN_UNKNOWN)
		conclude_with(e, EXPLAIN_UNKNOWN, decisive(e, &out));
	else {
		e->verdict = EXPLAIN_PASS;
		snprintf(e->summary, sizeof(e->summary),
			"it arrives and is sent to every interface that asks for it");
	}
}
