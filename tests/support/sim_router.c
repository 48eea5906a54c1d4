/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The router, see sim_router.h. It uses nothing of the control core. */

#include "sim_router.h"

#include "test.h"

#include <stdlib.h>

static struct sim_router *instances_of(const struct sim_node *n)
{
	return container_of((struct sim_node *)(uintptr_t)n, struct sim_router, node);
}

static mono_t after(const struct sim_router *r, uint32_t ms)
{
	return mono_add_ms(r->node.sim->now, ms);
}

static uint32_t last_member_time(const struct sim_router *r)
{
	return r->last_member_ms * r->robustness;
}

/* ---- table ---- */

static void group_free(struct sim_router *r, struct sim_router_group *g)
{
	table_remove(&r->groups, &g->node);
	free(g->src);
	free(g);
}

static void source_del(struct sim_router_group *g, size_t i)
{
	g->src[i] = g->src[--g->n_src];
}

static struct sim_router_source *source(
	const struct sim_router_group *g, const struct addr *a)
{
	for (size_t i = 0; i < g->n_src; i++)
		if (addr_eq(&g->src[i].addr, a))
			return &g->src[i];
	return NULL;
}

static bool runs(const struct sim_router_group *g, const struct addr *a)
{
	const struct sim_router_source *s = source(g, a);

	return s && mono_is_set(s->until);
}

static void source_run(struct sim_router_group *g, const struct addr *a, mono_t until)
{
	struct sim_router_source *s = source(g, a);

	if (!s) {
		g->src = realloc(g->src, (g->n_src + 1) * sizeof(*g->src));
		assert_non_null(g->src);
		s = &g->src[g->n_src++];
		*s = (struct sim_router_source){.addr = *a};
	}
	s->until = until;
}

/* Removes what has expired. Returns NULL if nothing is left. */
static struct sim_router_group *age(struct sim_router *r, struct sim_router_group *g)
{
	mono_t now = r->node.sim->now;

	for (size_t i = g->n_src; i-- > 0;) {
		struct sim_router_source *s = &g->src[i];

		if (!mono_is_set(s->until) || mono_before(now, s->until))
			continue;
		s->until = MONO_UNSET;
		s->asks = 0;
		if (g->mode == GM_INCLUDE)
			source_del(g, i);
	}
	if (g->mode == GM_EXCLUDE && mono_due(g->until, now)) {
		g->mode = GM_INCLUDE;
		g->asks = 0;
		for (size_t i = g->n_src; i-- > 0;)
			if (!mono_is_set(g->src[i].until))
				source_del(g, i);
	}
	if (g->mode == GM_EXCLUDE || g->n_src)
		return g;
	group_free(r, g);
	return NULL;
}

static struct sim_router_group *find(struct sim_router *r, const struct addr *group)
{
	struct table_node *n =
		table_find(&r->groups, table_hash(&r->groups, group, sizeof(*group)));

	for (; n; n = table_next(n)) {
		struct sim_router_group *g =
			container_of(n, struct sim_router_group, node);

		if (addr_eq(&g->group, group))
			return age(r, g);
	}
	return NULL;
}

static struct sim_router_group *get(struct sim_router *r, const struct addr *group)
{
	struct sim_router_group *g = find(r, group);

	if (g)
		return g;
	g = calloc(1, sizeof(*g));
	assert_non_null(g);
	g->group = *group;
	g->mode = GM_INCLUDE;
	g->ask_at = MONO_NEVER;
	assert_int_equal(table_insert(&r->groups, &g->node,
				 table_hash(&r->groups, group, sizeof(*group))),
		0);
	return g;
}

/* ---- queries ---- */

static void send_group_query(struct sim_router *r, const struct sim_router_group *g,
	const struct addr *src, size_t n_src)
{
	struct gm_query q = {
		.group = g->group,
		.max_resp_ms = r->last_member_ms,
		.qrv = r->robustness,
		.qqi_ms = r->interval_ms,
		.src = src,
		.n_src = n_src,
	};

	sim_send_query_as(&r->node.port[0], &r->from, r->version, &q);
}

/* Sends one round of queries, without sources and groups that were answered. */
static void ask_round(struct sim_router *r, struct sim_router_group *g)
{
	mono_t limit = after(r, last_member_time(r));
	struct addr list[64];
	bool more = false;
	size_t n = 0;

	if (g->asks && mono_before(limit, g->until))
		g->asks = 0;
	if (g->asks) {
		send_group_query(r, g, NULL, 0);
		more |= --g->asks > 0;
	}
	for (size_t i = 0; i < g->n_src; i++) {
		struct sim_router_source *s = &g->src[i];

		if (s->asks && mono_before(limit, s->until))
			s->asks = 0;
		if (!s->asks || n == array_len(list))
			continue;
		list[n++] = s->addr;
		more |= --s->asks > 0;
	}
	if (n)
		send_group_query(r, g, list, n);
	g->ask_at = more ? after(r, r->last_member_ms) : MONO_NEVER;
	g->ask_now = false;
	r->n_asking += more; /* counted again in each tick */
}

/* "Send Q(G)"; without queries the membership still ends. */
static void ask_group(struct sim_router *r, struct sim_router_group *g)
{
	g->until = mono_min(g->until, after(r, last_member_time(r)));
	if (!r->queries)
		return;
	g->asks = r->robustness;
	g->ask_now = true;
}

static void ask_source(
	struct sim_router *r, struct sim_router_group *g, const struct addr *a)
{
	struct sim_router_source *s = source(g, a);

	s->until = mono_min(s->until, after(r, last_member_time(r)));
	if (!r->queries || r->version < GM_V3)
		return;
	s->asks = r->robustness;
	g->ask_now = true;
}

/* ---- RFC 9776 6.4 ---- */

static bool listed(const struct gm_record *rec, const struct addr *a)
{
	for (size_t i = 0; i < rec->n_src; i++)
		if (addr_eq(&rec->src[i], a))
			return true;
	return false;
}

static void exclude(struct sim_router *r, struct sim_router_group *g,
	const struct gm_record *rec, mono_t fresh, bool ask)
{
	bool was_include = g->mode == GM_INCLUDE;

	for (size_t i = g->n_src; i-- > 0;)
		if (!listed(rec, &g->src[i].addr))
			source_del(g, i);
	for (size_t i = 0; i < rec->n_src; i++) {
		if (!source(g, &rec->src[i]))
			source_run(g, &rec->src[i], was_include ? MONO_UNSET : fresh);
		if (ask && runs(g, &rec->src[i]))
			ask_source(r, g, &rec->src[i]);
	}
	g->mode = GM_EXCLUDE;
	g->until = after(r, r->membership_ms);
}

static void to_include(
	struct sim_router *r, struct sim_router_group *g, const struct gm_record *rec)
{
	for (size_t i = 0; i < g->n_src; i++)
		if (mono_is_set(g->src[i].until) && !listed(rec, &g->src[i].addr))
			ask_source(r, g, &g->src[i].addr);
	for (size_t i = 0; i < rec->n_src; i++)
		source_run(g, &rec->src[i], after(r, r->membership_ms));
	if (g->mode == GM_EXCLUDE)
		ask_group(r, g);
}

static void block(
	struct sim_router *r, struct sim_router_group *g, const struct gm_record *rec)
{
	for (size_t i = 0; i < rec->n_src; i++) {
		if (g->mode == GM_EXCLUDE && !source(g, &rec->src[i]))
			source_run(g, &rec->src[i], g->until);
		if (runs(g, &rec->src[i]))
			ask_source(r, g, &rec->src[i]);
	}
}

static void hear_record(struct sim_router *r, const struct gm_record *rec)
{
	struct sim_router_group *g = get(r, &rec->group);
	mono_t gmi = after(r, r->membership_ms);

	r->n_reports++;
	switch (rec->type) {
	case GM_IS_IN:
	case GM_ALLOW:
		for (size_t i = 0; i < rec->n_src; i++)
			source_run(g, &rec->src[i], gmi);
		break;
	case GM_IS_EX:
		exclude(r, g, rec, gmi, false);
		break;
	case GM_TO_EX:
		exclude(r, g, rec, g->until, true);
		break;
	case GM_TO_IN:
		to_include(r, g, rec);
		break;
	case GM_BLOCK:
		block(r, g, rec);
		break;
	}
	if (g->ask_now)
		ask_round(r, g);
	(void)age(r, g);
}

static void node_input(struct sim_node *n, unsigned port, const struct gm_msg *msg)
{
	struct sim_router *r = instances_of(n);

	/* an older router does not know messages of later versions */
	if (msg->kind != GM_REPORT || msg->version > r->version)
		return;
	for (size_t i = 0; i < msg->n_rec; i++)
		if (r->version > GM_V1 || msg->rec[i].type == GM_IS_EX)
			hear_record(r, &msg->rec[i]);
}

/* ---- time ---- */

void sim_router_ask(struct sim_router *r)
{
	struct gm_query q = {
		.group = addr_any(r->node.sim->family),
		.max_resp_ms = r->response_ms,
		.qrv = r->robustness,
		.qqi_ms = r->interval_ms,
	};

	r->queries = true;
	r->query_at = after(r, r->interval_ms);
	sim_send_query_as(&r->node.port[0], &r->from, r->version, &q);
	sim_node_arm(&r->node);
}

void sim_router_quiet(struct sim_router *r)
{
	r->queries = false;
	r->query_at = MONO_NEVER;
	sim_node_arm(&r->node);
}

void sim_router_set_version(struct sim_router *r, enum gm_version version)
{
	r->version = version;
}

static mono_t next_ask(const struct sim_router *r)
{
	mono_t at = MONO_NEVER;

	table_for_each (&r->groups, node)
		at = mono_min(
			at, container_of(node, struct sim_router_group, node)->ask_at);
	return at;
}

static mono_t node_deadline(const struct sim_node *n)
{
	const struct sim_router *r = instances_of(n);

	return r->n_asking ? mono_min(r->query_at, next_ask(r)) : r->query_at;
}

static void node_tick(struct sim_node *n)
{
	struct sim_router *r = instances_of(n);

	if (mono_due(r->query_at, n->sim->now))
		sim_router_ask(r);
	r->n_asking = 0;
	table_for_each (&r->groups, node) {
		struct sim_router_group *g =
			container_of(node, struct sim_router_group, node);

		if (mono_due(g->ask_at, n->sim->now))
			ask_round(r, g);
		r->n_asking += g->ask_at.ns != MONO_NEVER.ns;
		(void)age(r, g);
	}
}

static bool node_wanted(
	struct sim_node *n, const struct addr *src, const struct addr *group)
{
	return sim_router_wants(instances_of(n), src, group);
}

static void node_data(struct sim_node *n, unsigned port, const struct sim_data *d)
{
}

static void node_free(struct sim_node *n)
{
	struct sim_router *r = instances_of(n);

	table_for_each (&r->groups, node)
		group_free(r, container_of(node, struct sim_router_group, node));
	table_deinit(&r->groups);
	free(r);
}

static const struct sim_node_ops ops = {
	.input = node_input,
	.data = node_data,
	.deadline = node_deadline,
	.tick = node_tick,
	.free = node_free,
	.wanted = node_wanted,
};

struct sim_router *sim_router_new(
	struct sim_link *link, unsigned n, enum gm_version version, bool queries)
{
	struct sim_router *r = calloc(1, sizeof(*r));

	assert_non_null(r);
	r->version = version;
	r->from = sim_station(link->sim, link, n);
	r->robustness = 2;
	r->interval_ms = 125000;
	r->response_ms = 10000;
	r->last_member_ms = 1000;
	r->membership_ms = 260000;
	r->queries = queries;
	r->query_at = queries ? mono_add_ms(link->sim->now, 1) : MONO_NEVER;
	table_init(&r->groups, 1);
	sim_node_init(link->sim, &r->node, &ops, "router");
	sim_attach(&r->node, link, &r->from);
	sim_node_arm(&r->node);
	return r;
}

/* ---- for tests ---- */

bool sim_router_wants(
	struct sim_router *r, const struct addr *src, const struct addr *group)
{
	const struct sim_router_group *g = find(r, group);

	if (!g)
		return false;
	if (g->mode == GM_INCLUDE)
		return source(g, src) != NULL;
	return !source(g, src) || runs(g, src);
}

bool sim_router_has(struct sim_router *r, const struct addr *group)
{
	return find(r, group) != NULL;
}

size_t sim_router_n_groups(struct sim_router *r)
{
	table_for_each (&r->groups, node)
		(void)age(r, container_of(node, struct sim_router_group, node));
	return r->groups.n;
}
