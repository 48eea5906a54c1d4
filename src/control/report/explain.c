/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Judgement of a stream, see explain.h: the group, the way in (explain_input.c), the
 * way out (explain_output.c), and the conclusion. An input or output is as good as the
 * worst of its checks; a stream arrives when some input and some output let it pass.
 * Otherwise the cause with the most evidence (enum explain_weight) is named. Of two
 * equal causes the one of the outputs is named, because without members the provider is
 * not asked.
 */

#include "control/report/explain_priv.h"

#include "base/array.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *explain_verdict_name(enum explain_verdict v)
{
	static const char name[][8] = {
		[EXPLAIN_PASS] = "pass",
		[EXPLAIN_REFUSE] = "refuse",
		[EXPLAIN_UNKNOWN] = "unknown",
		[EXPLAIN_NOTE] = "note",
	};

	return name[v];
}

/* ---- the list ---- */

void explain_add(struct explain *e, const char *check, const char *interface,
	enum explain_verdict verdict, const char *format, ...)
{
	struct explain_check *c;
	va_list ap;

	e->lost |= array_reserve(e->check, e->cap, e->n + 1, 32) < 0;
	if (e->lost)
		return;
	c = &e->check[e->n++];
	*c = (struct explain_check){
		.check = check, .verdict = verdict, .weight = EXPLAIN_FAULT};
	if (interface)
		memcpy(c->interface, interface,
			strnlen(interface, sizeof(c->interface) - 1));
	va_start(ap, format);
	vsnprintf(c->text, sizeof(c->text), format, ap);
	va_end(ap);
}

void explain_weigh(struct explain *e, enum explain_weight weight)
{
	if (!e->lost)
		e->check[e->n - 1].weight = weight;
}

void explain_advise(struct explain *e, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	if (!e->lost)
		vsnprintf(e->check[e->n - 1].advice, EXPLAIN_TEXT_LEN, format, ap);
	va_end(ap);
}

void explain_deinit(struct explain *e)
{
	free(e->check);
	*e = (struct explain){0};
}

bool explain_refuses(const struct explain *e, size_t from)
{
	for (size_t i = from; i < e->n; i++)
		if (e->check[i].verdict == EXPLAIN_REFUSE)
			return true;
	return false;
}

/* ---- both directions ---- */

bool explain_flows(const struct explain_facts *f)
{
	return f->seen && f->age_ms >= 0 && f->age_ms <= EXPLAIN_NOW_MS;
}

bool explain_iface_usable(
	const struct explain_facts *f, const struct explain_iface *i, struct explain *e)
{
	if (!i->has_role && !i->present) {
		explain_add(e, "interface", i->name, EXPLAIN_REFUSE,
			"there is no interface %s, neither in the system nor in the configuration",
			i->name);
		explain_advise(
			e, "ringcastctl show interfaces lists those of the proxy");
	} else if (!i->has_role) {
		explain_add(e, "interface", i->name, EXPLAIN_REFUSE,
			"%s has no role in the proxy", i->name);
		explain_advise(e,
			"give it one in the configuration: phyint %s upstream, or "
			"downstream",
			i->name);
	} else if (!i->present) {
		explain_add(e, "interface", i->name, EXPLAIN_REFUSE,
			"the system has no interface %s at the moment", i->name);
		explain_advise(e,
			"create it, or correct its name in the phyint line; it is used "
			"as soon as it exists");
	} else if (*i->master) {
		explain_add(e, "interface", i->name, EXPLAIN_REFUSE,
			"%s is a port of %s, which takes all of its frames", i->name,
			i->master);
		explain_advise(
			e, "phyint %s in place of phyint %s", i->master, i->name);
	} else if (!i->up) {
		explain_add(
			e, "interface", i->name, EXPLAIN_REFUSE, "%s is down", i->name);
		explain_advise(
			e, "check the cable, and the link: ip link show %s", i->name);
	} else if (i->error) {
		explain_add(e, "interface", i->name, EXPLAIN_REFUSE,
			"no sockets could be opened on %s: %s", i->name, i->error);
		explain_advise(e, "the log says which call failed; it is tried again");
	} else if (!i->family) {
		explain_add(e, "interface", i->name, EXPLAIN_REFUSE,
			"%s is switched off on %s",
			addr_is_v4(&f->group) ? "IPv4" : "IPv6", i->name);
		explain_advise(e, "%s on, in the phyint block of %s",
			family_name(addr_family(&f->group)), i->name);
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

	addr_format(&f->group, group);
	if (!addr_is_multicast(&f->group)) {
		explain_add(e, "group", NULL, EXPLAIN_REFUSE,
			"%s is not a multicast address", group);
		explain_advise(e, "the group comes first, then the source");
		return false;
	}
	if (addr_is_local_group(&f->group)) {
		explain_add(e, "group", NULL, EXPLAIN_REFUSE,
			"%s never leaves its link: routers must not forward it", group);
		explain_advise(e,
			"use another group; for use inside a site there are "
			"239.0.0.0/8 and ff05::/16");
		return false;
	}
	explain_add(e, "group", NULL, EXPLAIN_PASS, "%s may be forwarded%s", group,
		f->ssm ? "; it is in the SSM range, where members must name sources"
		       : "");
	return true;
}

static bool check_source_address(const struct explain_facts *f, struct explain *e)
{
	char source[ADDR_STRLEN];

	if (!f->has_source)
		return true;
	addr_format(&f->source, source);
	if (!addr_is_usable_source(&f->source) || addr_is_link_local(&f->source)) {
		explain_add(e, "source", NULL, EXPLAIN_REFUSE,
			"packets from %s are not forwarded: it is not an address that can "
			"be reached from elsewhere",
			source);
		explain_advise(e, "give the sender an ordinary address");
		return false;
	}
	if (f->source_own) {
		explain_add(e, "source", NULL, EXPLAIN_REFUSE,
			"%s is an address of this router: such packets are forged or in "
			"a loop",
			source);
		explain_advise(e, "send from another host, or look for the loop");
		return false;
	}
	return true;
}

/* ---- the conclusion ---- */

/* One side: the verdict of the best interface. */
struct side {
	enum explain_verdict verdict; /* 0 means no interface */
	size_t from, to;	      /* its checks */
};

/* The check with that verdict and the largest weight, the first of several, or NULL. */
static const struct explain_check *heaviest(
	const struct explain *e, const struct side *s, enum explain_verdict v)
{
	const struct explain_check *best = NULL;

	for (size_t i = s->from; i < s->to && i < e->n; i++)
		if (e->check[i].verdict == v &&
			(!best || e->check[i].weight > best->weight))
			best = &e->check[i];
	return best;
}

/* A check that may stop a stream later does not stop one that comes in now. */
static bool is_obstacle(const struct explain_facts *f, const struct explain_check *c)
{
	return c->verdict == EXPLAIN_UNKNOWN &&
		!(c->weight == EXPLAIN_LATER && explain_flows(f));
}

/* Counts the interface with the checks from `from` on. Pass is better than unknown,
 * which is better than refuse. */
static void judge_side(const struct explain_facts *f, const struct explain *e,
	size_t from, struct side *side)
{
	enum explain_verdict v = EXPLAIN_PASS;

	side->to = e->n;
	if (explain_refuses(e, from))
		v = EXPLAIN_REFUSE;
	for (size_t i = from; i < e->n && v == EXPLAIN_PASS; i++)
		if (is_obstacle(f, &e->check[i]))
			v = EXPLAIN_UNKNOWN;
	if (side->verdict == 0 || v == EXPLAIN_PASS ||
		(v == EXPLAIN_UNKNOWN && side->verdict == EXPLAIN_REFUSE))
		side->verdict = v;
}

/* Datagrams that are stopped at one input do not come in at another one that could
 * accept them. */
static void stop_by_evidence(const struct explain *e, struct side *in)
{
	const struct explain_check *c = heaviest(e, in, EXPLAIN_REFUSE);

	if (c && c->weight == EXPLAIN_STOPPED && in->verdict == EXPLAIN_UNKNOWN)
		in->verdict = EXPLAIN_REFUSE;
}

static void nowhere(struct explain *e, const char *check, const char *what)
{
	explain_add(e, check, NULL, EXPLAIN_REFUSE, "the configuration has no %s here",
		what);
	explain_advise(e, "phyint NAME %s",
		strrchr(what, ' ') ? strrchr(what, ' ') + 1 : what);
}

/* LANs with the same finding share one line. */
enum alike {
	ALIKE_NOT,
	ALIKE_QUIET,  /* no host has joined */
	ALIKE_BARRED, /* a line of the file refuses the group, and no host has asked */
	ALIKE_DOWN,
	ALIKE_WELL, /* hosts want it and get it */
	_ALIKE_N,
};

static bool has_refusals(const struct explain_refusals *r)
{
	for (size_t i = 0; i < r->n; i++)
		if (r->v[i].port == r->port)
			return true;
	return false;
}

static bool goes_well(const struct explain_facts *f, const struct explain_output *o)
{
	return o->i.has_role && o->i.present && o->i.up && !o->i.error && o->i.family &&
		o->i.group_ok && !*o->i.echo_of && !has_refusals(&o->i.refused) &&
		o->allowed && o->has_group && o->n_hosts > 0 &&
		(!f->has_source || o->wants) && o->querier && !o->standby &&
		!o->doubled && o->in_table && o->not_sent == 0;
}

static enum alike alike_of(
	const struct explain_facts *f, const struct explain_output *o)
{
	if (o->is_input || f->one_output)
		return ALIKE_NOT;
	if (explain_output_is_quiet(f, o))
		return ALIKE_QUIET;
	if (goes_well(f, o))
		return ALIKE_WELL;
	if (!o->i.has_role || !o->i.present || explain_refused_join(o))
		return ALIKE_NOT;
	if (!o->i.up)
		return *o->i.master ? ALIKE_NOT : ALIKE_DOWN;
	return !o->i.error && o->i.family && o->allowed && !o->i.group_ok &&
			!*o->i.echo_of
		? ALIKE_BARRED
		: ALIKE_NOT;
}

/* The LANs of a kind. If a line of the file refuses them, it is the same line. */
struct alike_lans {
	enum alike kind;
	const struct explain_output *first;
	size_t n;
	char names[200]; /* as many as fit */
};

static bool is_among(const struct explain_facts *f, const struct alike_lans *a,
	const struct explain_output *o)
{
	return alike_of(f, o) == a->kind &&
		(a->kind != ALIKE_BARRED ||
			strcmp(o->i.decided, a->first->i.decided) == 0);
}

static struct alike_lans find_alike(const struct explain_facts *f, enum alike kind)
{
	struct alike_lans a = {.kind = kind};
	size_t len = 0, left = 0;

	for (size_t i = 0; i < f->n_output; i++) {
		const struct explain_output *o = &f->output[i];

		if (alike_of(f, o) != kind)
			continue;
		if (a.n == 0)
			a.first = o;
		if (!is_among(f, &a, o))
			continue;
		a.n++;
		if (len + sizeof(o->i.name) + 24 > sizeof(a.names))
			left++;
		else
			len += (size_t)snprintf(a.names + len, sizeof(a.names) - len,
				"%s%s", len ? ", " : "", o->i.name);
	}
	if (left)
		snprintf(a.names + len, sizeof(a.names) - len, " and %zu more", left);
	return a;
}

/* That no host has joined, or that a line of the file refuses the group, is normal if
 * hosts of other LANs have joined. */
static enum explain_verdict add_alike(
	const struct alike_lans *a, bool others, struct explain *e)
{
	enum explain_verdict v = others ? EXPLAIN_NOTE : EXPLAIN_REFUSE;
	char yet[EXPLAIN_YET_LEN];

	if (a->kind == ALIKE_WELL) {
		explain_add(e, "members", NULL, EXPLAIN_PASS,
			"hosts on %s want it, and the forwarding entries name these "
			"interfaces",
			a->names);
		return EXPLAIN_PASS;
	}
	if (a->kind == ALIKE_DOWN) {
		explain_add(
			e, "interface", NULL, EXPLAIN_REFUSE, "%s are down", a->names);
		explain_advise(e, "check the cables, and the links: ip -br link");
		return EXPLAIN_REFUSE;
	}
	if (a->kind == ALIKE_BARRED) {
		explain_add(e, "boundary", NULL, v, "%s do not let the group pass: %s",
			a->names, a->first->i.decided);
		explain_advise(e,
			"see these keywords in their phyint blocks; of whitelist and "
			"blacklist the last match decides");
		return v;
	}
	explain_add(e, "members", NULL, v, "no host on %s has joined the group%s",
		a->names, explain_yet(a->first, yet));
	explain_weigh(e, EXPLAIN_ABSENT);
	explain_advise(e, "if one should have, --on %s says what to look for",
		a->n == 1 ? a->names : "INTERFACE");
	return v;
}

static void comes_in(struct explain *e, const char *name)
{
	explain_add(e, "direction", name, EXPLAIN_REFUSE,
		"streams come in on %s and are not sent there", name);
	explain_advise(e, "ask --on a downstream; show interfaces lists them");
}

static bool has_other_members(const struct explain_facts *f)
{
	for (size_t i = 0; i < f->n_output; i++)
		if (!f->output[i].is_input && f->output[i].has_group)
			return true;
	return false;
}

/* With fewer LANs of a kind, each has its own checks. */
static size_t least(enum alike kind, bool others)
{
	if (kind == ALIKE_QUIET)
		return others ? 1 : 2;
	return kind == ALIKE_WELL ? 3 : 2;
}

static void judge_alike(const struct explain_facts *f, struct explain *e,
	const struct alike_lans *a, bool others, struct side *out)
{
	size_t from = e->n;

	/* a note does not decide: the LANs with members do */
	if (a->n && add_alike(a, others, e) != EXPLAIN_NOTE)
		judge_side(f, e, from, out);
}

/* Of equal faults the first one is named, so LANs with a fault of their own come before
 * those that share one. */
static void output_side(
	const struct explain_facts *f, struct explain *e, struct side *out)
{
	bool others = has_other_members(f);
	struct alike_lans alike[_ALIKE_N];

	out->from = e->n;
	for (enum alike k = ALIKE_QUIET; k < _ALIKE_N; k++) {
		alike[k] = find_alike(f, k);
		if (alike[k].n < least(k, others))
			alike[k].n = 0;
	}
	judge_alike(f, e, &alike[ALIKE_QUIET], others, out);
	judge_alike(f, e, &alike[ALIKE_WELL], others, out);
	for (size_t i = 0; i < f->n_output; i++) {
		const struct explain_output *o = &f->output[i];
		enum alike k = alike_of(f, o);
		size_t from = e->n;

		if (o->is_input ||
			(k != ALIKE_NOT && alike[k].n && is_among(f, &alike[k], o)))
			continue;
		explain_output_checks(f, o, e);
		judge_side(f, e, from, out);
	}
	judge_alike(f, e, &alike[ALIKE_BARRED], others, out);
	judge_alike(f, e, &alike[ALIKE_DOWN], others, out);
	out->to = e->n;
}

static void input_side(
	const struct explain_facts *f, struct explain *e, struct side *in)
{
	in->from = e->n;
	for (size_t i = 0; i < f->n_input; i++) {
		size_t from = e->n;

		explain_input_checks(f, &f->input[i], e);
		judge_side(f, e, from, in);
	}
	if (f->n_input == 0) {
		nowhere(e, "input", "upstream");
		judge_side(f, e, e->n - 1, in);
	}
	stop_by_evidence(e, in);
}

static void conclude_with(struct explain *e, enum explain_verdict v,
	const struct side *in, const struct side *out)
{
	const struct explain_check *c = out->verdict == v ? heaviest(e, out, v) : NULL;
	const struct explain_check *other =
		in->verdict == v ? heaviest(e, in, v) : NULL;

	if (!c || (other && other->weight > c->weight))
		c = other;
	e->verdict = v;
	e->weight = c ? c->weight : EXPLAIN_FAULT;
	snprintf(e->summary, sizeof(e->summary), "%s%s",
		v == EXPLAIN_REFUSE ? "it stops here: " : "nothing refuses it, but: ",
		c ? c->text : "the reason is not known");
}

/* Concludes that the stream arrives, and adds what else is known about it. */
static void conclude_well(
	struct explain *e, const struct side *in, const struct side *out)
{
	const struct explain_check *fault = heaviest(e, out, EXPLAIN_REFUSE);
	const struct explain_check *later = heaviest(e, in, EXPLAIN_UNKNOWN);
	const struct explain_check *c = fault ? fault
		: later			      ? later
					      : heaviest(e, out, EXPLAIN_UNKNOWN);

	e->verdict = EXPLAIN_PASS;
	e->weight = 0;
	snprintf(e->summary, sizeof(e->summary),
		"it arrives and is sent to every interface that asks for it%s%s",
		c ? "; but: " : "", c ? c->text : "");
}

/* If all is well and the stream is still missing, the cause is after the last point
 * that we can see. */
static void add_sent(const struct explain_facts *f, struct explain *e)
{
	const char *name = NULL;

	for (size_t i = 0; i < f->n_output && !name; i++)
		if (f->output[i].in_table && !f->output[i].is_input)
			name = f->output[i].i.name;
	if (!name)
		return;
	explain_add(e, "sent", NULL, EXPLAIN_NOTE,
		"a copy counts as sent when the kernel has taken it; what the interface or "
		"its queue drops after that is not seen here");
	explain_advise(e, "ip -s link show %s, tc -s qdisc show dev %s", name, name);
}

void explain(const struct explain_facts *f, struct explain *e)
{
	struct side in = {0}, out = {0};

	explain_deinit(e);
	if (!check_group(f, e) || !check_source_address(f, e)) {
		in = (struct side){EXPLAIN_REFUSE, 0, e->n};
		conclude_with(e, EXPLAIN_REFUSE, &in, &out);
		return;
	}
	input_side(f, e, &in);
	output_side(f, e, &out);
	if (out.verdict == 0 && f->one_output && f->n_output == 1) {
		comes_in(e, f->output[0].i.name);
		judge_side(f, e, e->n - 1, &out);
	} else if (out.verdict == 0 && in.verdict != EXPLAIN_REFUSE) {
		nowhere(e, "output", f->n_output ? "other downstream" : "downstream");
		judge_side(f, e, e->n - 1, &out);
	}
	if (in.verdict == EXPLAIN_REFUSE || out.verdict == EXPLAIN_REFUSE)
		conclude_with(e, EXPLAIN_REFUSE, &in, &out);
	else if (in.verdict == EXPLAIN_UNKNOWN || out.verdict == EXPLAIN_UNKNOWN)
		conclude_with(e, EXPLAIN_UNKNOWN, &in, &out);
	else
		conclude_well(e, &in, &out);
	if (e->verdict == EXPLAIN_PASS) {
		explain_quality(f, e);
		explain_joined(f, e);
		add_sent(f, e);
	}
}
