/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The groups of a downstream for the next process (live upgrade): everything that a
 * struct mgroup holds, so that timers, last-member queries and the tracking of hosts
 * continue unchanged. Pure.
 */

#include "base/cleanup.h"
#include "control/member/gm_state.h"
#include "control/member/mgroup_priv.h"

#include <errno.h>
#include <stdlib.h>

#define TAG_GROUP 1

#define SOURCE_BYTES (16 + 8 + 1 + 1 + 8)
#define HOST_BYTES   (16 + 8 + 1 + 8 + 1 + 4)

/* ---- writing ---- */

/* A query about all sources of the group is written as one about each source. */
static void put_question(
	struct state_out *o, const struct mgroup *g, const struct mgroup_source *s)
{
	bool older = !s->waits && mono_is_set(s->until) &&
		mono_before(s->until, g->ask_before);

	state_put_u8(o, s->waits || older);
	state_put_u8(o, older ? 0 : s->repeats);
	state_put_time(o, older ? mono_max(s->ask_at, g->turn.at) : s->ask_at);
}

static void put_mgroup(struct state_out *o, const struct mgroup *g)
{
	state_put_addr(o, &g->group);
	state_put_u8(o, (uint8_t)g->mode);
	state_put_time(o, g->until);
	state_put_time(o, g->older_until[GM_V1]);
	state_put_time(o, g->older_until[GM_V2]);
	state_put_u8(o, g->waits);
	state_put_u8(o, g->repeats);
	state_put_time(o, g->ask_at);
	state_put_time(o, g->fast_at);
	state_put_time(o, g->turn_at);
	state_put_time(o, g->turn.slot ? g->turn.at : MONO_UNSET);
	state_put_time(o, g->repeat_at);
	state_put_time(o, g->untracked_until);
	state_put_time(o, g->since);
	state_put_addr(o, &g->last_reporter);
	for (unsigned k = 0; k < MGROUP_OWNERS; k++) {
		state_put_u8(o, g->owned[k].owner != NULL);
		if (g->owned[k].owner)
			state_put_addr(o, &g->owned[k].owner->key);
	}
	state_put_u32(o, (uint32_t)g->n_charged);
	state_put_u32(o, (uint32_t)g->n_src);
	for (size_t i = 0; i < g->n_src; i++) {
		state_put_addr(o, &g->src[i].addr);
		state_put_time(o, g->src[i].until);
		put_question(o, g, &g->src[i]);
	}
	state_put_u32(o, (uint32_t)g->n_host);
	for (size_t i = 0; i < g->n_host; i++) {
		state_put_addr(o, &g->host[i].addr);
		gm_put_mac(o, &g->host[i].mac);
		state_put_u8(o, (uint8_t)g->host[i].version);
		state_put_time(o, g->host[i].until);
		gm_put_filter(o, &g->host[i].filter);
	}
}

static void put_turns(struct state_out *o, const struct mgroup_turns *t)
{
	state_put_u32(o, t->debt);
	state_put_time(o, t->since);
	state_put_time(o, t->busy);
	state_put_u32(o, t->n_ended);
	for (unsigned i = 0; i < t->n_ended; i++) {
		const struct mgroup_ended *e =
			&t->ended[(t->first_ended + i) % MGROUP_MAX_ENDED];

		state_put_addr(o, &e->group);
		state_put_time(o, e->fast_at);
	}
}

void mgroup_export(const struct mgroup_db *db, struct state_out *o)
{
	state_put_u64(o, db->n_refused);
	state_put_u64(o, db->n_evicted);
	put_turns(o, &db->turns);
	table_for_each (&db->groups, node) {
		const struct mgroup *g = container_of(node, struct mgroup, node);
		size_t at;

		if (g->leaving)
			continue;
		at = state_begin(o, TAG_GROUP);
		put_mgroup(o, g);
		state_end(o, at);
	}
}

/* ---- reading ---- */

/* far more than necessary, but still a bounded wait */
#define MAX_DEBT 8192

static void get_turns(struct state_in *in, struct mgroup_turns *t)
{
	t->debt = state_get_up_to(in, MAX_DEBT);
	t->since = state_get_time(in);
	t->busy = state_get_time(in);
	t->n_ended = state_get_up_to(in, MGROUP_MAX_ENDED);
	for (unsigned i = 0; i < t->n_ended; i++) {
		t->ended[i].group = state_get_addr(in);
		t->ended[i].fast_at = state_get_time(in);
	}
}

static int get_sources(struct state_in *in, struct mgroup *g)
{
	size_t n = state_get_count(in, SOURCE_BYTES);

	g->src = calloc(n ? n : 1, sizeof(*g->src));
	if (!g->src)
		return -ENOMEM;
	g->cap_src = n;
	for (; g->n_src < n; g->n_src++) {
		struct mgroup_source *s = &g->src[g->n_src];

		s->addr = state_get_addr(in);
		s->until = gm_get_timer(in);
		s->waits = state_get_bool(in);
		s->repeats = state_get_u8(in);
		s->ask_at = gm_get_timer(in);
		if (addr_family(&s->addr) != addr_family(&g->group) ||
			(g->n_src && addr_cmp(&s[-1].addr, &s->addr) >= 0) ||
			(g->mode == GM_INCLUDE && !mono_is_set(s->until)) ||
			((s->repeats || s->waits) && !mono_is_set(s->ask_at)))
			state_set_bad(in);
		g->n_blocked += !mono_is_set(s->until);
	}
	mgroup_source_first(g);
	return 0;
}

static int get_hosts(struct state_in *in, struct mgroup *g)
{
	enum family family = addr_family(&g->group);
	size_t n = state_get_count(in, HOST_BYTES);
	int r;

	if (n > MGROUP_MAX_HOSTS) {
		state_set_bad(in);
		return 0;
	}
	r = mgroup_hosts_reserve(g, n);
	if (r < 0)
		return r;
	while (g->n_host < n) {
		struct mgroup_host *h = &g->host[g->n_host++];

		*h = (struct mgroup_host){0};
		h->addr = state_get_addr(in);
		h->mac = gm_get_mac(in);
		h->version = gm_get_version(in, family);
		h->until = gm_get_deadline(in);
		g->host_at = mono_min(g->host_at, h->until);
		r = gm_get_filter(in, family, &h->filter);
		g->n_named += h->filter.src.n;
		if (r < 0)
			return r;
		if (addr_family(&h->addr) != family ||
			(g->n_host > 1 &&
				mgroup_host_cmp(&h[-1], &h->addr, &h->mac) >= 0))
			state_set_bad(in);
	}
	return 0;
}

/* A limit that is now lower applies to new groups. */
static int get_owners(struct mgroup_db *db, struct state_in *in, struct mgroup *g)
{
	int r = 0;

	for (unsigned k = 0; k < MGROUP_OWNERS && r == 0; k++) {
		struct addr key;

		if (!state_get_bool(in))
			continue;
		key = state_get_addr(in);
		if (gm_is_station(&key) != (k == MGROUP_STATION))
			state_set_bad(in);
		r = mgroup_charge(db, g, k, &key);
	}
	return r;
}

/* A query without a time would never be sent. */
static bool waits_for_nothing(const struct mgroup *g)
{
	bool waits = g->waits;

	for (size_t i = 0; i < g->n_src; i++)
		waits = waits || g->src[i].waits;
	return waits && !mono_is_set(g->turn_at) && !g->turn.slot;
}

static int get_mgroup(struct mgroup_db *db, struct state_in *in, struct mgroup *g)
{
	mono_t waits_from;
	size_t charged;
	int r;

	g->mode = gm_get_mode(in);
	g->until = gm_get_timer(in);
	gm_get_older(in, addr_family(&g->group), g->older_until);
	g->waits = state_get_bool(in);
	g->repeats = state_get_u8(in);
	g->ask_at = gm_get_timer(in);
	g->fast_at = state_get_time(in);
	g->turn_at = gm_get_timer(in);
	waits_from = gm_get_timer(in);
	if (mono_is_set(waits_from))
		mgroup_wait(db, g, waits_from);
	(void)gm_get_deadline(in); /* the earliest of these and the sources' */
	g->untracked_until = gm_get_timer(in);
	g->since = state_get_time(in);
	g->last_reporter = state_get_addr(in);
	r = get_owners(db, in, g);
	charged = state_get_u32(in);
	if (r == 0)
		r = get_sources(in, g);
	if (r == 0)
		r = get_hosts(in, g);
	mgroup_schedule(g);
	mgroup_count(db, g, true);
	mgroup_uncharge(db, g, charged);
	/* an empty group is invalid, and only EXCLUDE mode has a group timer */
	if (g->mode == GM_INCLUDE ? g->n_src == 0 : !mono_is_set(g->until))
		state_set_bad(in);
	if ((g->repeats || g->waits) && !mono_is_set(g->ask_at))
		state_set_bad(in);
	if (waits_for_nothing(g))
		state_set_bad(in);
	if (g->mode == GM_INCLUDE)
		g->until = MONO_UNSET;
	return r;
}

static int import_mgroup(
	struct mgroup_db *db, mono_t now, const bool on[_FAMILY_N], struct state_in *in)
{
	struct addr group = gm_get_group(in);
	struct mgroup *g;
	int r;

	if (!on[addr_family(&group)] ||
		(mgroup_max_groups(db) && db->groups.n >= mgroup_max_groups(db)))
		return 0;
	if (mgroup_find(db, &group))
		state_set_bad(in);
	if (state_is_bad(in))
		return -EINVAL;
	g = mgroup_create(db, now, &group);
	if (!g)
		return -ENOMEM;
	r = get_mgroup(db, in, g);
	if (r == 0 && state_is_bad(in))
		r = -EINVAL;
	if (r < 0) {
		mgroup_drop(db, g);
		return r;
	}
	g->known = true;
	mgroup_arm(db, g);
	return 0;
}

int mgroup_import(
	struct mgroup_db *db, mono_t now, const bool on[_FAMILY_N], struct state_in *in)
{
	struct state_in section;
	uint32_t tag;
	int r = 0;

	db->n_refused = state_get_u64(in);
	db->n_evicted = state_get_u64(in);
	get_turns(in, &db->turns);
	while (r == 0 && state_get_section(in, &tag, &section))
		if (tag == TAG_GROUP)
			r = import_mgroup(db, now, on, &section);
	return r == 0 && state_is_bad(in) ? -EINVAL : r;
}
