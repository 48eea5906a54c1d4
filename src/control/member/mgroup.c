/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The group state machine of one downstream port: RFC 9776 6.4 (RFC 9777 7.4), with
 * older hosts (7.3 / 8.3) and the last member process (6.6.3 / 7.6.3, in mgroup_ask.c).
 *
 * State is INCLUDE(A) or EXCLUDE(X,Y). One sorted array holds A, or X and Y together: Y
 * are the sources whose timer does not run. In this notation the table is
 *
 *   INCLUDE(A)   IS_IN(B), ALLOW(B)  A+B            (B)=GMI
 *                IS_EX(B)            EX(A*B, B-A)   drop A-B, GT=GMI
 *                BLOCK(B)            A              Q(G, A*B)
 *                TO_EX(B)            EX(A*B, B-A)   drop A-B, Q(G, A*B), GT=GMI
 *                TO_IN(B)            A+B            (B)=GMI, Q(G, A-B)
 *   EXCLUDE(X,Y) IS_IN(A), ALLOW(A)  EX(X+A, Y-A)   (A)=GMI
 *                IS_EX(A)            EX(A-Y, Y*A)   (A-X-Y)=GMI, drop X-A Y-A, GT=GMI
 *                BLOCK(A)            EX(X+(A-Y), Y) (A-X-Y)=GT, Q(G, A-Y)
 *                TO_EX(A)            EX(A-Y, Y*A)   (A-X-Y)=GT, drop X-A Y-A,
 *                                                   Q(G, A-Y), GT=GMI
 *                TO_IN(A)            EX(X+A, Y-A)   (A)=GMI, Q(G, X-A), Q(G)
 *
 * Other ports and the upstream see (mode, A) or (mode, Y). Code that changes this sets
 * g->changed, and the call reports it. So the cost of a record depends on the sources
 * that it names, not on those of the group: nothing is compared, sources of the record
 * are looked up, and the group's deadline may be too early, which only costs a check at
 * that time.
 */

#include "control/member/mgroup.h"

#include "base/array.h"
#include "base/cleanup.h"
#include "base/search.h"
#include "control/member/mgroup_priv.h"

#include <errno.h>
#include <stdlib.h>

/* For one record. Work is bounded; a host with more to report repeats its report. */
#define MAY_REPLACE 4
#define SINCE_NS    (NS_PER_SEC / 8)

int mgroup_db_init(struct mgroup_db *db, unsigned port,
	const struct mgroup_params *params, uint64_t seed)
{
	*db = (struct mgroup_db){.port = port,
		.mtu = 1500,
		.params = *params,
		.max_addr = MGROUP_MAX_ADDRESSES};
	for (unsigned f = 0; f < _FAMILY_N; f++)
		db->role[f] = (struct querier_view){
			.version = GM_V3,
			.rv = params->gm.robustness,
			.qi_ms = params->gm.query_interval_ms,
			.own = addr_any((enum family)f),
		};
	table_init(&db->groups, seed);
	table_init(&db->owners, seed);
	rng_seed(&db->rng, seed);
	return 0;
}

void mgroup_db_deinit(struct mgroup_db *db)
{
	table_for_each (&db->groups, node)
		mgroup_drop(db, container_of(node, struct mgroup, node));
	table_deinit(&db->groups);
	table_deinit(&db->owners);
	heap_deinit(&db->by_groups);
	heap_deinit(&db->by_addr);
	heap_deinit(&db->timers);
	heap_deinit(&db->turns.waiting);
	addrset_deinit(&db->list);
	addrset_deinit(&db->ask);
	addrset_deinit(&db->fresh);
}

struct mgroup *mgroup_find(const struct mgroup_db *db, const struct addr *group)
{
	return table_search(&db->groups, table_hash(&db->groups, group, sizeof(*group)),
		struct mgroup, g, addr_eq(&g->group, group));
}

struct mgroup *mgroup_create(struct mgroup_db *db, mono_t now, const struct addr *group)
{
	struct mgroup *g;

	if (heap_reserve(&db->timers, db->groups.n + 1) < 0 ||
		heap_reserve(&db->turns.waiting, db->groups.n + 1) < 0)
		return NULL;
	g = calloc(1, sizeof(*g));
	if (!g)
		return NULL;
	g->group = *group;
	g->mode = GM_INCLUDE;
	g->repeat_at = g->source_at = g->host_at = g->check_at = MONO_NEVER;
	g->since = now;
	g->fast_at = mgroup_ended_until(db, group);
	if (table_insert(&db->groups, &g->node,
		    table_hash(&db->groups, group, sizeof(*group))) < 0) {
		free(g);
		return NULL;
	}
	heap_set(&db->timers, &g->timer, MONO_NEVER);
	return g;
}

void mgroup_empty(struct mgroup_db *db, struct mgroup *g)
{
	mgroup_release(db, g);
	heap_remove(&db->turns.waiting, &g->turn);
	g->n_src = g->n_blocked = 0;
	mgroup_source_first(g);
	mgroup_to_include(g);
	mgroup_ask_nothing(g);
	mgroup_schedule(g);
	mgroup_hosts_forget(g);
}

void mgroup_drop(struct mgroup_db *db, struct mgroup *g)
{
	mgroup_empty(db, g);
	db->n_leaving -= g->leaving;
	heap_remove(&db->timers, &g->timer);
	table_remove(&db->groups, &g->node);
	if (g->host != &g->one)
		free(g->host);
	free(g->src);
	free(g);
}

/* ---- sources ---- */

/* index of the first source in [lo, hi) that is not less than a */
static size_t source_slot(
	const struct mgroup *g, size_t lo, size_t hi, const struct addr *a)
{
	return first_not_before(lo, hi, i, addr_cmp(&g->src[i].addr, a) < 0);
}

static bool source_is(const struct mgroup *g, size_t i, const struct addr *a)
{
	return i < g->n_src && addr_eq(&g->src[i].addr, a);
}

struct mgroup_source *mgroup_source(const struct mgroup *g, const struct addr *a)
{
	size_t i = source_slot(g, 0, g->n_src, a);

	return source_is(g, i, a) ? &g->src[i] : NULL;
}

void mgroup_source_run(struct mgroup *g, struct mgroup_source *s, mono_t until)
{
	if (!mono_is_set(s->until)) {
		g->n_blocked--;
		g->changed = true;
	}
	s->until = until;
	g->source_at = mono_min(g->source_at, until);
}

/* EXCLUDE mode: moves the source from X to Y */
static void source_block(struct mgroup *g, struct mgroup_source *s)
{
	if (!mono_is_set(s->until))
		return;
	s->until = MONO_UNSET;
	s->repeats = 0;
	s->waits = false;
	g->n_blocked++;
	g->changed = true;
}

static void source_delete(struct mgroup *g, size_t i)
{
	bool blocked = !mono_is_set(g->src[i].until);

	g->n_blocked -= blocked;
	if (g->mode == GM_INCLUDE || blocked)
		g->changed = true;
	memmove(&g->src[i], &g->src[i + 1], (g->n_src - i - 1) * sizeof(*g->src));
	g->n_src--;
}

/* Ends a source in favour of one of a sender that has few. *i follows its place in
 * the list. */
static bool replace_source(
	struct mgroup_db *db, struct mgroup *g, size_t *i, struct effects *fx)
{
	size_t k;

	if (!db->may_replace)
		return false;
	db->may_replace--;
	k = mgroup_source_gives_way(db, g);
	if (k == SIZE_MAX)
		return false;
	effects_note(fx, db->port, NOTE_SOURCE_EVICTED, &g->group, &g->last_reporter,
		db->params.max_sources);
	source_delete(g, k);
	*i -= k < *i;
	return true;
}

/* A source above a limit is refused: in INCLUDE mode it is not forwarded, in EXCLUDE
 * mode it is forwarded like any other. *i is a place in the list of sources. */
static bool has_room(struct mgroup_db *db, struct mgroup *g, size_t n_fresh, size_t *i,
	struct effects *fx)
{
	uint32_t max = db->params.max_sources;

	if (max && g->n_src + n_fresh >= max && !replace_source(db, g, i, fx))
		mgroup_struck(db, db->now, NOTE_SOURCE_LIMIT, &g->group,
			&g->last_reporter, max, fx);
	else if (mgroup_is_full(db))
		mgroup_struck(db, db->now, NOTE_ADDRESS_LIMIT, &g->group,
			&g->last_reporter, (uint32_t)db->max_addr, fx);
	else if (!db->within_share)
		mgroup_struck(db, db->now, NOTE_ADDRESS_SHARE, &g->group,
			&g->last_reporter, (uint32_t)mgroup_address_share(db), fx);
	else
		return true;
	return false;
}

/* Inserts the sources that the group lacks, beginning with the last one, so that each
 * existing source is moved only once. */
static int sources_insert(struct mgroup_db *db, struct mgroup *g, mono_t until)
{
	const struct addrset *fresh = &db->fresh;
	uint32_t since = (uint32_t)(db->now.ns / SINCE_NS);
	size_t end = g->n_src, left = fresh->n;
	int r = array_reserve(g->src, g->cap_src, g->n_src + left, 4);

	if (r < 0 || left == 0)
		return r;
	g->n_src += left;
	while (left > 0) {
		const struct addr *a = &fresh->v[--left];
		size_t i = source_slot(g, 0, end, a);

		memmove(&g->src[i + left + 1], &g->src[i], (end - i) * sizeof(*g->src));
		g->src[i + left] = (struct mgroup_source){
			.addr = *a, .until = until, .by = db->by, .since = since};
		end = i;
	}
	if (mono_is_set(until))
		g->source_at = mono_min(g->source_at, until);
	else
		g->n_blocked += fresh->n;
	if (g->mode == GM_INCLUDE || !mono_is_set(until))
		g->changed = true;
	return 0;
}

/* Adds the sources of the list that the group lacks, with this timer. With `all`,
 * existing ones also get it. */
static int sources_add(struct mgroup_db *db, struct mgroup *g,
	const struct addrset *list, mono_t until, bool all, struct effects *fx)
{
	size_t i = 0;

	addrset_clear(&db->fresh);
	for (size_t k = 0; k < list->n; k++) {
		const struct addr *a = &list->v[k];
		int r;

		i = source_slot(g, i, g->n_src, a);
		if (source_is(g, i, a)) {
			if (all)
				mgroup_source_run(g, &g->src[i], until);
			if (db->by && g->src[i].by != db->by)
				g->src[i].by = 0;
			continue;
		}
		r = has_room(db, g, db->fresh.n, &i, fx) ? addrset_append(&db->fresh, a)
							 : 0;
		if (r < 0)
			return r;
	}
	return sources_insert(db, g, until);
}

int mgroup_source_extend(struct mgroup_db *db, struct mgroup *g, const struct addr *a,
	mono_t until, struct effects *fx)
{
	const struct mgroup_source *s = mgroup_source(g, a);
	struct addr one = *a;
	const struct addrset list = {.v = &one, .n = 1};

	return sources_add(
		db, g, &list, s ? mono_max(s->until, until) : until, true, fx);
}

static void sources_keep(struct mgroup *g, const struct addrset *list)
{
	size_t out = 0, blocked = 0, i = 0;

	for (size_t k = 0; k < list->n && i < g->n_src; k++) {
		i = source_slot(g, i, g->n_src, &list->v[k]);
		if (!source_is(g, i, &list->v[k]))
			continue;
		blocked += !mono_is_set(g->src[i].until);
		g->src[out++] = g->src[i++];
	}
	if (g->mode == GM_INCLUDE ? out != g->n_src : blocked != g->n_blocked)
		g->changed = true;
	g->n_src = out;
	g->n_blocked = blocked;
}

static void sources_delete(struct mgroup *g, const struct addrset *list)
{
	size_t out = 0, from = 0, n_src = g->n_src; /* sources before `from` are done */

	for (size_t k = 0; k < list->n; k++) {
		size_t i = source_slot(g, from, n_src, &list->v[k]);

		if (out != from)
			memmove(&g->src[out], &g->src[from],
				(i - from) * sizeof(*g->src));
		out += i - from;
		from = i + source_is(g, i, &list->v[k]);
	}
	if (out == from)
		return;
	memmove(&g->src[out], &g->src[from], (n_src - from) * sizeof(*g->src));
	g->n_src = out + (n_src - from);
	g->changed = true;
}

void mgroup_sources_stop(struct mgroup *g, const struct addrset *list)
{
	if (g->mode == GM_INCLUDE) {
		sources_delete(g, list);
		return;
	}
	for (size_t k = 0; k < list->n; k++) {
		struct mgroup_source *s = mgroup_source(g, &list->v[k]);

		if (s)
			source_block(g, s);
	}
}

/* ---- the table, one function per column ---- */

mono_t mgroup_membership(const struct mgroup_db *db, const struct mgroup *g, mono_t now)
{
	const struct querier_view *role = &db->role[addr_family(&g->group)];

	return mono_add_ms(
		now, gm_membership_ms(&db->params.gm, role->rv, role->qi_ms));
}

/* IS_EX, and the same part of TO_EX. Sources that are new to the group are blocked in
 * INCLUDE mode; in EXCLUDE mode their timer runs until `fresh`. */
static int to_exclude(struct mgroup_db *db, struct mgroup *g, mono_t now, mono_t fresh,
	const struct addrset *list, struct effects *fx)
{
	int r;

	sources_keep(g, list);
	r = sources_add(
		db, g, list, g->mode == GM_INCLUDE ? MONO_UNSET : fresh, false, fx);
	if (r < 0)
		return r;
	if (g->mode == GM_INCLUDE)
		g->changed = true;
	g->mode = GM_EXCLUDE;
	g->until = mgroup_membership(db, g, now);
	return 0;
}

static int on_block(struct mgroup_db *db, struct mgroup *g, mono_t now,
	const struct addrset *list, struct effects *fx)
{
	int r = 0;

	/* EXCLUDE: A-X-Y joins X. In both modes the running sources of the list are
	 * then asked for. */
	if (g->mode == GM_EXCLUDE)
		r = sources_add(db, g, list, g->until, false, fx);
	addrset_clear(&db->ask);
	for (size_t i = 0, k = 0; k < list->n && r == 0; k++) {
		i = source_slot(g, i, g->n_src, &list->v[k]);
		if (source_is(g, i, &list->v[k]) && mono_is_set(g->src[i].until))
			r = addrset_append(&db->ask, &list->v[k]);
	}
	if (r == 0)
		mgroup_ask(db, g, now, &db->ask, false, fx);
	return r;
}

static int on_to_ex(struct mgroup_db *db, struct mgroup *g, mono_t now,
	const struct addrset *list, struct effects *fx)
{
	/* INCLUDE: Q(G, A*B); EXCLUDE: Q(G, A-Y). In both modes these are the sources
	 * that run afterwards. */
	int r = to_exclude(db, g, now, g->until, list, fx);

	addrset_clear(&db->ask);
	for (size_t i = 0; i < g->n_src && r == 0; i++)
		if (mono_is_set(g->src[i].until))
			r = addrset_append(&db->ask, &g->src[i].addr);
	if (r == 0)
		mgroup_ask(db, g, now, &db->ask, false, fx);
	return r;
}

/* INCLUDE: A-B, EXCLUDE: X-A; Y is not asked. If that is much more than the list, it is
 * left to the next tick: see mgroup_ask_older(). */
static int collect_unlisted(
	struct mgroup_db *db, struct mgroup *g, mono_t now, const struct addrset *list)
{
	int r = 0;

	addrset_clear(&db->ask);
	if (g->n_src - g->n_blocked > MGROUP_FEW + 2 * list->n) {
		mgroup_ask_older(db, g, now, mgroup_membership(db, g, now));
		return 0;
	}
	for (size_t i = 0; i < g->n_src && r == 0; i++) {
		const struct mgroup_source *s = &g->src[i];

		if (mono_is_set(s->until) && !addrset_contains(list, &s->addr))
			r = addrset_append(&db->ask, &s->addr);
	}
	return r;
}

static int on_to_in(struct mgroup_db *db, struct mgroup *g, mono_t now,
	const struct addrset *list, struct effects *fx)
{
	int r = sources_add(db, g, list, mgroup_membership(db, g, now), true, fx);

	if (r == 0)
		r = collect_unlisted(db, g, now, list);
	if (r == 0)
		mgroup_ask(db, g, now, &db->ask, g->mode == GM_EXCLUDE, fx);
	return r;
}

/* ---- input ---- */

enum gm_version mgroup_version(const struct mgroup *g, mono_t now)
{
	if (mono_before(now, g->older_until[GM_V1]))
		return GM_V1;
	if (mono_before(now, g->older_until[GM_V2]))
		return GM_V2;
	return GM_V3;
}

/* A record that cannot create state for an unknown group (R078). */
static bool creates_state(const struct gm_record *rec)
{
	switch (rec->type) {
	case GM_IS_EX:
	case GM_TO_EX:
		return true;
	case GM_IS_IN:
	case GM_TO_IN:
	case GM_ALLOW:
		return rec->n_src > 0;
	case GM_BLOCK:
		return false;
	}
	return false;
}

static int apply_record(struct mgroup_db *db, struct mgroup *g, mono_t now,
	const struct gm_record *rec, const struct addrset *list, struct effects *fx)
{
	static const struct addrset none;
	enum gm_version version = mgroup_version(g, now);
	mono_t until = mgroup_membership(db, g, now);

	/* a router that speaks v1 knows no leaves (R056) */
	if (db->role[addr_family(&g->group)].version == GM_V1)
		version = GM_V1;

	switch (rec->type) {
	case GM_IS_IN:
	case GM_ALLOW:
		return sources_add(db, g, list, until, true, fx);
	case GM_IS_EX:
		return to_exclude(db, g, now, until, list, fx);
	case GM_TO_EX: /* R095: older hosts cannot block, so a list means nothing */
		return on_to_ex(db, g, now, version < GM_V3 ? &none : list, fx);
	case GM_BLOCK:
		return version < GM_V3 ? 0 : on_block(db, g, now, list, fx);
	case GM_TO_IN: /* R096: v1 hosts cannot answer a group-specific query */
		return version == GM_V1 ? 0 : on_to_in(db, g, now, list, fx);
	}
	return 0;
}

void mgroup_source_first(struct mgroup *g)
{
	g->source_at = MONO_NEVER;
	for (size_t i = 0; i < g->n_src; i++)
		if (mono_is_set(g->src[i].until))
			g->source_at = mono_min(g->source_at, g->src[i].until);
}

void mgroup_arm(struct mgroup_db *db, struct mgroup *g)
{
	mono_t at;

	if (g->n_src <= MGROUP_FEW)
		mgroup_source_first(g);
	at = mono_min(mono_min(g->repeat_at, g->check_at), g->source_at);
	if (g->mode == GM_EXCLUDE)
		at = mono_min(at, g->until);
	heap_set(&db->timers, &g->timer, at);
}

/* Finishes a step: drops the group if nothing is left, else arms it. Returns true if
 * its visible state has changed. */
static bool mgroup_settle(
	struct mgroup_db *db, struct mgroup *g, mono_t now, struct effects *fx)
{
	bool known = g->known, changed = g->changed;

	if (g->mode == GM_INCLUDE && g->n_src == 0) {
		if (known)
			effects_note(fx, db->port, NOTE_GROUP_GONE, &g->group, NULL, 0);
		mgroup_note_ended(db, now, g);
		mgroup_drop(db, g);
		return known;
	}
	if (!known)
		effects_note(
			fx, db->port, NOTE_GROUP_NEW, &g->group, &g->last_reporter, 0);
	g->known = true;
	g->changed = false;
	mgroup_arm(db, g);
	mgroup_count(db, g, false);
	return changed || !known;
}

/* The group's first record, or the first one after another group has ended for it.
 * Returns 0, 1 if a limit refused it, or -ENOMEM. */
static int admit_group(struct mgroup_db *db, mono_t now, const struct addr *group,
	const struct gm_msg *msg, struct effects *fx, struct mgroup **g)
{
	int r;

	if (!mgroup_within_quota(db, now, group, msg, fx))
		return 1;
	if (!mgroup_room_for_group(db, now, msg, fx)) {
		mgroup_struck(db, now, mgroup_limit_note(db), group, &msg->from,
			mgroup_max_groups(db), fx);
		return 1;
	}
	if (!*g)
		*g = mgroup_create(db, now, group);
	if (!*g)
		return -ENOMEM;
	db->n_leaving -= (*g)->leaving;
	(*g)->leaving = false;
	r = mgroup_charge_sender(db, *g, msg);
	if (r < 0 && !(*g)->known)
		mgroup_drop(db, *g);
	return r;
}

int mgroup_input(struct mgroup_db *db, mono_t now, const struct gm_msg *msg,
	const struct gm_record *rec, struct effects *fx)
{
	const struct querier_view *role = &db->role[addr_family(&rec->group)];
	struct mgroup *g = mgroup_find(db, &rec->group);
	int r;

	if ((!g || g->leaving) && !creates_state(rec))
		return 0;
	r = addrset_from_array(&db->list, rec->src, rec->n_src);
	if (r < 0)
		return r;
	if (!g || g->leaving) {
		r = admit_group(db, now, &rec->group, msg, fx, &g);
		if (r)
			return r < 0 ? r : 0;
	}
	/* counts each source twice, for itself and for the host's list, and the host */
	mgroup_room_for_addresses(db, now, g, msg, 2 * db->list.n + 1, fx);
	db->now = now;
	db->brought = mgroup_brought(g, msg);
	db->within_share = !db->brought || !rec->n_src || mgroup_within_share(db, msg);
	db->by = rec->n_src ? mgroup_sender_tag(db, msg) : 0;
	db->may_replace = MAY_REPLACE;
	/* A leave does not show that there is an older member. */
	if (msg->version < GM_V3 && rec->type == GM_IS_EX)
		g->older_until[msg->version] = mono_add_ms(
			now, gm_older_host_ms(&db->params.gm, role->rv, role->qi_ms));
	g->last_reporter = msg->from;
	mgroup_track(db, g, now, msg, rec->type, &db->list, fx);
	r = apply_record(db, g, now, rec, &db->list, fx);
	mgroup_count(db, g, db->brought);
	db->by = 0;
	db->may_replace = 0;
	if (mgroup_settle(db, g, now, fx) && r == 0)
		r = 1;
	return r;
}

/* ---- time ---- */

static void sources_expire(struct mgroup *g, mono_t now)
{
	size_t out = 0;

	if (!mono_due(g->source_at, now))
		return;
	for (size_t i = 0; i < g->n_src; i++) {
		struct mgroup_source *s = &g->src[i];

		if (mono_is_set(s->until) && mono_due(s->until, now)) {
			if (g->mode == GM_INCLUDE) {
				g->changed = true;
				continue;
			}
			source_block(g, s);
		}
		if (out != i)
			g->src[out] = *s;
		out++;
	}
	g->n_src = out;
	mgroup_source_first(g);
}

static void expire(struct mgroup *g, mono_t now)
{
	/* sources first: a source that ends together with the group timer is not
	 * carried over into INCLUDE mode (R073) */
	sources_expire(g, now);
	if (g->mode == GM_EXCLUDE && mono_due(g->until, now))
		mgroup_to_include(g);
}

void mgroup_to_include(struct mgroup *g)
{
	size_t out = 0;

	g->mode = GM_INCLUDE;
	g->until = MONO_UNSET;
	g->repeats = 0;
	g->waits = false;
	g->changed = true;
	for (size_t i = 0; i < g->n_src; i++)
		if (mono_is_set(g->src[i].until))
			g->src[out++] = g->src[i];
	g->n_src = out;
	g->n_blocked = 0;
}

bool mgroup_tick(struct mgroup_db *db, mono_t now, struct effects *fx,
	struct addr *ret_group, size_t *work)
{
	struct heap_node *first = heap_first(&db->timers);
	struct mgroup *g;
	struct addr group;

	g = mgroup_turn(db, now);
	if (g) {
		*work += 1 + g->n_src;
		*ret_group = addr_any(addr_family(&g->group));
		mgroup_ask_waiting(db, g, now, fx);
		mgroup_arm(db, g);
		return true;
	}
	if (!first || !mono_due(first->at, now))
		return false;
	g = container_of(first, struct mgroup, timer);
	group = g->group;
	*work += 1 + g->n_src;
	mgroup_check(db, g, now, fx);
	expire(g, now);
	if (mono_due(g->repeat_at, now))
		mgroup_ask_again(db, g, now, fx);
	*ret_group =
		mgroup_settle(db, g, now, fx) ? group : addr_any(addr_family(&group));
	return true;
}

mono_t mgroup_deadline(const struct mgroup_db *db)
{
	const struct heap_node *first = heap_first(&db->timers);

	return mono_min(first ? first->at : MONO_NEVER, mgroup_turn_deadline(db));
}

void mgroup_heard_query(struct mgroup_db *db, mono_t now, const struct gm_msg *msg)
{
	const struct gm_query *q = &msg->query;
	struct mgroup *g = mgroup_find(db, &q->group);
	uint32_t own = gm_last_member_ms(&db->params.gm);
	uint32_t ms = q->max_resp_ms * db->params.gm.last_member_count;
	mono_t limit;

	if (!g || q->suppress || msg->version == GM_V1)
		return;
	/* members may take that long to answer */
	if (msg->version == GM_V3 && ms < own)
		ms = own;
	limit = mono_add_ms(now, ms);
	if (q->n_src == 0 && g->mode == GM_EXCLUDE && mono_before(limit, g->until)) {
		g->until = limit;
		mgroup_doubt_query(db, g, now, limit);
	}
	for (size_t i = 0; i < q->n_src; i++) {
		struct mgroup_source *s = mgroup_source(g, &q->src[i]);

		if (s && mono_is_set(s->until) && mono_before(limit, s->until)) {
			mgroup_source_run(g, s, limit);
			mgroup_doubt_query(db, g, now, limit);
		}
	}
	mgroup_arm(db, g);
}

/* ---- what others see ---- */

bool mgroup_wants(const struct mgroup *g, const struct addr *source)
{
	const struct mgroup_source *s = mgroup_source(g, source);

	if (g->mode == GM_INCLUDE)
		return s != NULL;
	return !s || mono_is_set(s->until);
}
