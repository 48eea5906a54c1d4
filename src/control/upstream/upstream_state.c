/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The host side for the next process (live upgrade): memberships, repeats that are
 * owed, answers that are pending, the version spoken. The provider notices nothing of
 * the change, and misses no report. Pure.
 */

#include "control/member/gm_state.h"
#include "control/upstream/upstream_internal.h"

#include <errno.h>
#include <stdlib.h>

#define TAG_GROUP    1
#define CHANGE_BYTES (16 + 1 + 1)

/* ---- writing ---- */

static void put_group(struct state_out *o, const struct upstream_group *g)
{
	size_t at = state_begin(o, TAG_GROUP);

	state_put_addr(o, &g->group);
	gm_put_filter(o, &g->now);
	state_put_u8(o, g->mode_repeats);
	state_put_u8(o, g->told);
	state_put_time(o, g->change_at);
	state_put_time(o, g->answer_at);
	state_put_time(o, g->answered);
	state_put_u8(o, g->answer_sources);
	state_put_addrs(o, g->asked.v, g->asked.n);
	state_put_u32(o, (uint32_t)g->n_change);
	for (size_t i = 0; i < g->n_change; i++) {
		state_put_addr(o, &g->change[i].addr);
		state_put_u8(o, g->change[i].repeats);
		state_put_u8(o, g->change[i].allow);
	}
	state_end(o, at);
}

/* 1 for the first group of the list, 0 if there is none */
static uint32_t answer_position(const struct upstream_family *f)
{
	uint32_t n = 1;

	for (const struct upstream_group *g = f->first; g; g = g->next, n++)
		if (g == f->answer_next)
			return n;
	return 0;
}

static void put_family(struct state_out *o, const struct upstream_family *f)
{
	state_put_addr(o, &f->own);
	state_put_u8(o, f->rv);
	state_put_u32(o, f->qi_ms);
	state_put_time(o, f->taught_until);
	state_put_time(o, f->inside_until);
	state_put_u8(o, f->taught_inside);
	state_put_addr(o, &f->inside);
	state_put_time(o, f->changes_sent.full);
	state_put_time(o, f->answers_sent.full);
	state_put_time(o, f->older_until[GM_V1]);
	state_put_time(o, f->older_until[GM_V2]);
	state_put_u8(o, (uint8_t)f->version);
	state_put_time(o, f->answer_at);
	state_put_time(o, f->answer_until);
	state_put_u8(o, f->answering);
	state_put_u32(o, answer_position(f));
	state_put_u32(o, (uint32_t)f->answer_left);
	state_put_time(o, f->again_until);
	state_put_time(o, f->answered);
	state_put_time(o, f->refresh_at);
	state_put_time(o, f->last_query);
	state_put_addr(o, &f->querier);
	state_put_u64(o, f->n_queries);
	state_put_u64(o, f->n_reports_sent);
}

void upstream_export(const struct upstream *u, struct state_out *o)
{
	gm_put_params(o, &u->params.gm);
	state_put_u32(o, u->params.refresh_interval_ms);
	state_put_u8(o, u->up);
	state_put_u32(o, u->link.mtu);
	state_put_time(o, u->repeat_at);
	for (enum family family = 0; family < _FAMILY_N; family++)
		put_family(o, &u->family[family]);
	/* general queries are answered in the order of the lists */
	for (enum family family = 0; family < _FAMILY_N; family++)
		for (struct upstream_group *g = u->family[family].first; g; g = g->next)
			put_group(o, g);
	table_for_each (&u->groups, node)
		if (gm_filter_is_none(&upstream_group_of(node)->now))
			put_group(o, upstream_group_of(node));
}

/* ---- reading ---- */

static uint32_t get_family(
	struct state_in *in, enum family family, struct upstream_family *f)
{
	uint32_t position;

	f->own = state_get_addr(in);
	f->rv = state_get_u8(in);
	f->qi_ms = state_get_u32(in);
	f->taught_until = gm_get_deadline(in);
	f->inside_until = gm_get_timer(in);
	f->taught_inside = state_get_bool(in);
	f->inside = state_get_addr(in);
	f->follow_until = f->inside_until;
	f->changes_sent.full = gm_get_timer(in);
	f->answers_sent.full = gm_get_timer(in);
	gm_get_older(in, family, f->older_until);
	f->version = gm_get_version(in, family);
	f->answer_at = gm_get_deadline(in);
	f->answer_until = state_get_time(in);
	f->answering = state_get_bool(in);
	position = state_get_u32(in);
	f->answer_left = state_get_u32(in);
	f->again_until = gm_get_deadline(in);
	f->answered = state_get_time(in);
	f->refresh_at = gm_get_deadline(in);
	f->last_query = state_get_time(in);
	f->querier = state_get_addr(in);
	f->n_queries = state_get_u64(in);
	f->n_reports_sent = state_get_u64(in);
	if (f->rv == 0 || f->answer_until.ns == MONO_NEVER.ns ||
		addr_family(&f->own) != family || addr_family(&f->inside) != family)
		state_set_bad(in);
	return position;
}

static int get_changes(struct state_in *in, struct upstream_group *g)
{
	size_t n = state_get_count(in, CHANGE_BYTES);

	if (n == 0)
		return 0;
	g->change = calloc(n, sizeof(*g->change));
	if (!g->change)
		return -ENOMEM;
	for (; g->n_change < n; g->n_change++) {
		struct upstream_source *s = &g->change[g->n_change];

		s->addr = state_get_addr(in);
		s->repeats = state_get_u8(in);
		s->allow = state_get_bool(in);
		if (s->repeats == 0 ||
			addr_family(&s->addr) != addr_family(&g->group) ||
			(g->n_change && addr_cmp(&s[-1].addr, &s->addr) >= 0))
			state_set_bad(in);
	}
	return 0;
}

/* The same limits as for a query, see UPSTREAM_ASKED. */
static int get_asked(struct state_in *in, enum family family, struct upstream *u,
	struct upstream_group *g)
{
	struct upstream_family *f = &u->family[family];
	int r = gm_get_addrs(in, family, &g->asked);

	f->n_asked += g->asked.n;
	if (!g->answer_sources || g->asked.n > UPSTREAM_GROUP_ASKED ||
		f->n_asked > UPSTREAM_ASKED) {
		g->answer_sources = false;
		upstream_forget_asked(u, g);
	}
	return r;
}

static int get_group(struct upstream *u, struct state_in *in, struct upstream_group *g)
{
	enum family family = addr_family(&g->group);
	struct gm_filter filter = {.mode = GM_INCLUDE};
	int r = gm_get_filter(in, family, &filter);

	if (r == 0)
		upstream_set_filter(u, g, filter.mode, &filter.src);
	addrset_deinit(&filter.src);
	if (r < 0)
		return r;
	g->mode_repeats = state_get_u8(in);
	g->told = state_get_bool(in);
	g->change_at = gm_get_deadline(in);
	g->answer_at = gm_get_deadline(in);
	g->answered = state_get_time(in);
	g->answer_sources = state_get_bool(in);
	r = get_asked(in, family, u, g);
	return r < 0 ? r : get_changes(in, g);
}

static int import_group(struct upstream *u, struct state_in *in)
{
	struct addr group = gm_get_group(in);
	struct upstream_group *g;
	int r;

	if (upstream_lookup(u, &group))
		state_set_bad(in);
	if (state_is_bad(in))
		return -EINVAL;
	r = upstream_group_new(u, &group, &g);
	if (r < 0)
		return r;
	r = get_group(u, in, g);
	if (r == 0 && state_is_bad(in))
		r = -EINVAL;
	if (r == 0)
		upstream_settle(u, g);
	return r;
}

static void go_on_answering(struct upstream_family *f, uint32_t position)
{
	struct upstream_group *g = f->first;

	for (uint32_t i = 1; g && i < position; i++)
		g = g->next;
	f->answer_next = position ? g : NULL;
}

int upstream_import(struct upstream *u, struct state_in *in)
{
	uint32_t position[_FAMILY_N], tag;
	struct state_in section;
	int r = 0;

	gm_get_params(in, &u->params.gm);
	u->params.refresh_interval_ms = state_get_u32(in);
	u->up = state_get_bool(in);
	u->link.mtu = state_get_u32(in);
	u->repeat_at = state_get_time(in);
	for (enum family family = 0; family < _FAMILY_N; family++) {
		position[family] = get_family(in, family, &u->family[family]);
		u->link.own[family] = u->family[family].own;
		u->report[family].n_sent = u->family[family].n_reports_sent;
		/* made for the link of now by upstream_link_up() */
	}
	while (r == 0 && state_get_section(in, &tag, &section))
		if (tag == TAG_GROUP)
			r = import_group(u, &section);
	if (r == 0 && state_is_bad(in))
		r = -EINVAL;
	for (enum family family = 0; family < _FAMILY_N && r == 0; family++)
		go_on_answering(&u->family[family], position[family]);
	return r;
}
