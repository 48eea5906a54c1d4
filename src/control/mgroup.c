/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The group state machine of one downstream port: RFC 9776 6.4 (RFC 9777 7.4), with
 * older hosts (7.3 / 8.3) and the last member process (6.6.3 / 7.6.3, in mgroup_ask.c).
 * The proxy calls it with each record that policy let through and at each deadline.
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
 *                TO_EX(A)            EX(A-Y, Y*A)   (A-X-Y)=GT, drop X-A Y-A, Q(G,
 * A-Y), GT=GMI TO_IN(A)            EX(X+A, Y-A)   (A)=GMI, Q(G, X-A), Q(G)
 *
 * What other ports and the upstream can see of it is (mode, A) or (mode, Y); a call
 * reports a change only when that changed.
 */

#include "control/mgroup.h"

#include "base/cleanup.h"
#include "control/mgroup_priv.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

int mgroup_db_init(struct mgroup_db *db, unsigned port,
	const struct mgroup_params *params, uint64_t seed)
{
	*db = (struct mgroup_db){.port = port,
		.mtu = 1500,
		.params = *params,
		.max_addr = MGROUP_MAX_ADDRESSES};
	for (unsigned f = 0; f < _FAMILY_N; f++)
		db->role[f] = (struct mgroup_role){
			.version = GM_V3,
			.rv = params->gm.robustness,
			.qi_ms = params->gm.query_interval_ms,
			.own = addr_any((enum family)f),
		};
	table_init(&db->groups, seed);
	table_init(&db->owners, seed);
	return 0;
}

void mgroup_db_deinit(struct mgroup_db *db)
{
	struct table_node *node, *next;
	size_t pos;

	table_for_each (&db->groups, pos, node, next)
		mgroup_drop(db, container_of(node, struct mgroup, node));
	table_deinit(&db->groups);
	table_deinit(&db->owners);
	heap_deinit(&db->timers);
	addrset_deinit(&db->list);
	addrset_deinit(&db->ask);
	addrset_deinit(&db->before.src);
	addrset_deinit(&db->after.src);
}

struct mgroup *mgroup_find(const struct mgroup_db *db, const struct addr *group)
{
	struct table_node *n =
		table_find(&db->groups, table_hash(&db->groups, group, sizeof(*group)));

	for (; n; n = table_next(n)) {
		struct mgroup *g = container_of(n, struct mgroup, node);

		if (addr_eq(&g->group, group))
			return g;
	}
	return NULL;
}

struct mgroup *mgroup_create(struct mgroup_db *db, mono_t now, const struct addr *group)
{
	struct mgroup *g;

	if (heap_reserve(&db->timers, db->groups.n + 1) < 0)
		return NULL;
	g = calloc(1, sizeof(*g));
	if (!g)
		return NULL;
	g->group = *group;
	g->mode = GM_INCLUDE;
	g->repeat_at = MONO_NEVER;
	g->since = now;
	if (table_insert(&db->groups, &g->node,
		    table_hash(&db->groups, group, sizeof(*group))) < 0) {
		free(g);
		return NULL;
	}
	heap_set(&db->timers, &g->timer, MONO_NEVER);
	return g;
}

void mgroup_drop(struct mgroup_db *db, struct mgroup *g)
{
	heap_remove(&db->timers, &g->timer);
	table_remove(&db->groups, &g->node);
	mgroup_owner_release(db, g->owner);
	db->n_addr -= g->n_counted;
	for (size_t i = 0; i < g->n_host; i++)
		addrset_deinit(&g->host[i].filter.src);
	if (g->host != &g->one)
		free(g->host);
	free(g->src);
	free(g);
}

/* ---- sources ---- */

/* index of the first source that is not less than a */
static size_t source_slot(const struct mgroup *g, const struct addr *a)
{
	size_t lo = 0, hi = g->n_src;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (addr_cmp(&g->src[mid].addr, a) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

struct mgroup_source *mgroup_source(const struct mgroup *g, const struct addr *a)
{
	size_t i = source_slot(g, a);

	return i < g->n_src && addr_eq(&g->src[i].addr, a) ? &g->src[i] : NULL;
}

static void source_del(struct mgroup *g, size_t i)
{
	memmove(&g->src[i], &g->src[i + 1], (g->n_src - i - 1) * sizeof(*g->src));
	g->n_src--;
}

/* Existing or new source, with this timer. Over the limit a source is refused: in
 * INCLUDE mode it is not forwarded, in EXCLUDE mode it is forwarded like any other. */
static int source_set(struct mgroup_db *db, struct mgroup *g, const struct addr *a,
	mono_t until, struct effects *fx)
{
	size_t i = source_slot(g, a);

	if (i < g->n_src && addr_eq(&g->src[i].addr, a)) {
		g->src[i].until = until;
		return 0;
	}
	if ((db->params.max_sources && g->n_src >= db->params.max_sources) ||
		mgroup_is_full(db)) {
		db->n_refused++;
		effects_note(fx, db->port, NOTE_SOURCE_LIMIT, &g->group, a,
			db->params.max_sources);
		return 0;
	}
	if (g->n_src == g->cap_src) {
		size_t cap = g->cap_src ? 2 * g->cap_src : 4;
		struct mgroup_source *v = realloc(g->src, cap * sizeof(*v));

		if (!v)
			return -ENOMEM;
		g->src = v;
		g->cap_src = cap;
	}
	memmove(&g->src[i + 1], &g->src[i], (g->n_src - i) * sizeof(*g->src));
	g->src[i] = (struct mgroup_source){.addr = *a, .until = until};
	g->n_src++;
	return 0;
}

int mgroup_source_extend(struct mgroup_db *db, struct mgroup *g, const struct addr *a,
	mono_t until, struct effects *fx)
{
	const struct mgroup_source *s = mgroup_source(g, a);

	return source_set(db, g, a, s ? mono_max(s->until, until) : until, fx);
}

static int sources_run(struct mgroup_db *db, struct mgroup *g,
	const struct addrset *list, mono_t until, struct effects *fx)
{
	for (size_t i = 0; i < list->n; i++) {
		int r = source_set(db, g, &list->v[i], until, fx);

		if (r < 0)
			return r;
	}
	return 0;
}

/* delete the sources that are not in list */
static void sources_keep(struct mgroup *g, const struct addrset *list)
{
	size_t out = 0;

	for (size_t i = 0; i < g->n_src; i++)
		if (addrset_contains(list, &g->src[i].addr))
			g->src[out++] = g->src[i];
	g->n_src = out;
}

/* ---- the table, one function per column ---- */

static mono_t membership(const struct mgroup_db *db, const struct mgroup *g, mono_t now)
{
	const struct mgroup_role *role = &db->role[addr_family(&g->group)];

	return mono_add_ms(
		now, gm_membership_ms(&db->params.gm, role->rv, role->qi_ms));
}

/* IS_IN and ALLOW are the same in both modes */
static int on_is_in(struct mgroup_db *db, struct mgroup *g, mono_t now,
	const struct addrset *list, struct effects *fx)
{
	return sources_run(db, g, list, membership(db, g, now), fx);
}

/* IS_EX, and the part of TO_EX that is the same. Sources that are new to the group are
 * blocked in INCLUDE mode and run until `fresh` in EXCLUDE mode. */
static int to_exclude(struct mgroup_db *db, struct mgroup *g, mono_t now, mono_t fresh,
	const struct addrset *list, struct effects *fx)
{
	int r;

	sources_keep(g, list);
	for (size_t i = 0; i < list->n; i++) {
		if (mgroup_source(g, &list->v[i]))
			continue;
		r = source_set(db, g, &list->v[i],
			g->mode == GM_INCLUDE ? MONO_UNSET : fresh, fx);
		if (r < 0)
			return r;
	}
	g->mode = GM_EXCLUDE;
	g->until = membership(db, g, now);
	return 0;
}

static int on_is_ex(struct mgroup_db *db, struct mgroup *g, mono_t now,
	const struct addrset *list, struct effects *fx)
{
	return to_exclude(db, g, now, membership(db, g, now), list, fx);
}

static int on_block(struct mgroup_db *db, struct mgroup *g, mono_t now,
	const struct addrset *list, struct effects *fx)
{
	addrset_clear(&db->ask);
	for (size_t i = 0; i < list->n; i++) {
		const struct mgroup_source *s = mgroup_source(g, &list->v[i]);
		int r = 0;

		if (g->mode == GM_EXCLUDE && !s)
			r = source_set(db, g, &list->v[i], g->until, fx);
		else if (!s || !mono_is_set(s->until))
			continue; /* not a member of A, or in Y */
		if (r == 0)
			r = addrset_add(&db->ask, &list->v[i]);
		if (r < 0)
			return r;
	}
	mgroup_ask_sources(db, g, now, &db->ask, fx);
	return 0;
}

static int on_to_ex(struct mgroup_db *db, struct mgroup *g, mono_t now,
	const struct addrset *list, struct effects *fx)
{
	/* INCLUDE: Q(G, A*B); EXCLUDE: Q(G, A-Y). Either way what runs afterwards. */
	int r = to_exclude(db, g, now, g->until, list, fx);

	addrset_clear(&db->ask);
	for (size_t i = 0; i < g->n_src && r == 0; i++)
		if (mono_is_set(g->src[i].until))
			r = addrset_add(&db->ask, &g->src[i].addr);
	if (r == 0)
		mgroup_ask_sources(db, g, now, &db->ask, fx);
	return r;
}

static int on_to_in(struct mgroup_db *db, struct mgroup *g, mono_t now,
	const struct addrset *list, struct effects *fx)
{
	int r;

	/* INCLUDE: Q(G, A-B); EXCLUDE: Q(G, X-A). Y is not asked. */
	addrset_clear(&db->ask);
	for (size_t i = 0; i < g->n_src; i++) {
		const struct mgroup_source *s = &g->src[i];

		if (!mono_is_set(s->until) || addrset_contains(list, &s->addr))
			continue;
		r = addrset_add(&db->ask, &s->addr);
		if (r < 0)
			return r;
	}
	r = sources_run(db, g, list, membership(db, g, now), fx);
	if (r < 0)
		return r;
	mgroup_ask_sources(db, g, now, &db->ask, fx);
	if (g->mode == GM_EXCLUDE)
		mgroup_ask_group(db, g, now, fx);
	return 0;
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

/* A record that cannot create state for a group that is not known (R078). */
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

static int apply(struct mgroup_db *db, struct mgroup *g, mono_t now,
	const struct gm_record *rec, const struct addrset *list, struct effects *fx)
{
	static const struct addrset none;
	enum gm_version version = mgroup_version(g, now);

	/* a router that speaks v1 knows no leaves (R056) */
	if (db->role[addr_family(&g->group)].version == GM_V1)
		version = GM_V1;

	switch (rec->type) {
	case GM_IS_IN:
	case GM_ALLOW:
		return on_is_in(db, g, now, list, fx);
	case GM_IS_EX:
		return on_is_ex(db, g, now, list, fx);
	case GM_TO_EX: /* R095: older hosts cannot block, so a list means nothing */
		return on_to_ex(db, g, now, version < GM_V3 ? &none : list, fx);
	case GM_BLOCK:
		return version < GM_V3 ? 0 : on_block(db, g, now, list, fx);
	case GM_TO_IN: /* R096: v1 hosts cannot answer a group-specific query */
		return version == GM_V1 ? 0 : on_to_in(db, g, now, list, fx);
	}
	return 0;
}

void mgroup_arm(struct mgroup_db *db, struct mgroup *g)
{
	mono_t at = g->repeat_at;

	if (g->mode == GM_EXCLUDE)
		at = mono_min(at, g->until);
	for (size_t i = 0; i < g->n_src; i++)
		if (mono_is_set(g->src[i].until))
			at = mono_min(at, g->src[i].until);
	heap_set(&db->timers, &g->timer, at);
}

/* Finish a step: drop the group when nothing is left, else arm it. True when what can
 * be seen from outside differs from db->before. */
static bool settle(
	struct mgroup_db *db, struct mgroup *g, mono_t now, struct effects *fx)
{
	if (g->mode == GM_INCLUDE && g->n_src == 0) {
		bool existed = !gm_filter_is_none(&db->before);

		if (existed)
			effects_note(fx, db->port, NOTE_GROUP_GONE, &g->group, NULL, 0);
		mgroup_drop(db, g);
		return existed;
	}
	if (gm_filter_is_none(&db->before))
		effects_note(
			fx, db->port, NOTE_GROUP_NEW, &g->group, &g->last_reporter, 0);
	mgroup_arm(db, g);
	mgroup_count(db, g);
	/* out of memory: say "changed", the caller then looks for itself */
	return mgroup_filter(g, now, &db->after) < 0 ||
		!gm_filter_eq(&db->before, &db->after);
}

/* The group's first record. 0, 1: refused for a limit, -ENOMEM. */
static int create_for(struct mgroup_db *db, mono_t now, const struct addr *group,
	const struct addr *from, struct effects *fx, struct mgroup **ret_group)
{
	const struct mgroup_params *p = &db->params;
	struct mgroup_owner *owner;
	bool full = p->max_groups && db->groups.n >= p->max_groups;
	int r = full ? 1 : mgroup_owner_charge(db, from, &owner);

	if (r < 0)
		return r;
	if (r > 0) {
		db->n_refused++;
		effects_note(fx, db->port, full ? NOTE_GROUP_LIMIT : NOTE_HOST_QUOTA,
			group, from, full ? p->max_groups : p->max_groups_per_host);
		return 1;
	}
	*ret_group = mgroup_create(db, now, group);
	if (!*ret_group) {
		mgroup_owner_release(db, owner);
		return -ENOMEM;
	}
	(*ret_group)->owner = owner;
	return 0;
}

int mgroup_input(struct mgroup_db *db, mono_t now, const struct gm_msg *msg,
	const struct gm_record *rec, struct effects *fx)
{
	const struct mgroup_role *role = &db->role[addr_family(&rec->group)];
	struct mgroup *g = mgroup_find(db, &rec->group);
	int r;

	if (!g && !creates_state(rec))
		return 0;
	r = addrset_from_array(&db->list, rec->src, rec->n_src);
	if (r < 0)
		return r;
	if (!g) {
		r = create_for(db, now, &rec->group, &msg->from, fx, &g);
		if (r)
			return r < 0 ? r : 0;
		db->before.mode = GM_INCLUDE;
		addrset_clear(&db->before.src);
	} else {
		r = mgroup_filter(g, now, &db->before);
		if (r < 0)
			return r;
	}
	/* A leave is no sign of an older member. */
	if (msg->version < GM_V3 && rec->type == GM_IS_EX)
		g->older_until[msg->version] = mono_add_ms(
			now, gm_older_host_ms(&db->params.gm, role->rv, role->qi_ms));
	g->last_reporter = msg->from;
	mgroup_track(db, g, now, msg->version, &msg->from, rec->type, &db->list, fx);
	r = apply(db, g, now, rec, &db->list, fx);
	if (settle(db, g, now, fx) && r == 0)
		r = 1;
	return r;
}

/* ---- time ---- */

static void expire(struct mgroup *g, mono_t now)
{
	/* sources first: a source that ends together with the group timer is not
	 * carried over into INCLUDE mode (R073) */
	for (size_t i = 0; i < g->n_src;) {
		struct mgroup_source *s = &g->src[i];

		if (mono_is_set(s->until) && mono_due(s->until, now)) {
			if (g->mode == GM_INCLUDE) {
				source_del(g, i);
				continue;
			}
			s->until = MONO_UNSET;
			s->repeats = 0;
		}
		i++;
	}
	if (g->mode == GM_EXCLUDE && mono_due(g->until, now))
		mgroup_to_include(g);
}

void mgroup_to_include(struct mgroup *g)
{
	g->mode = GM_INCLUDE;
	g->until = MONO_UNSET;
	g->repeats = 0;
	for (size_t i = g->n_src; i-- > 0;)
		if (!mono_is_set(g->src[i].until))
			source_del(g, i);
}

void mgroup_source_stop(struct mgroup *g, const struct addr *a)
{
	struct mgroup_source *s = mgroup_source(g, a);

	if (!s)
		return;
	if (g->mode == GM_INCLUDE) {
		source_del(g, (size_t)(s - g->src));
		return;
	}
	s->until = MONO_UNSET;
	s->repeats = 0;
}

bool mgroup_tick(
	struct mgroup_db *db, mono_t now, struct effects *fx, struct addr *ret_group)
{
	struct heap_node *first;

	while ((first = heap_first(&db->timers)) && mono_due(first->at, now)) {
		struct mgroup *g = container_of(first, struct mgroup, timer);
		struct addr group = g->group;
		bool unknown = mgroup_filter(g, now, &db->before) < 0;

		expire(g, now);
		if (mono_due(g->repeat_at, now))
			mgroup_ask_again(db, g, now, fx);
		if (settle(db, g, now, fx) || unknown) {
			*ret_group = group;
			return true;
		}
	}
	return false;
}

mono_t mgroup_deadline(const struct mgroup_db *db)
{
	const struct heap_node *first = heap_first(&db->timers);

	return first ? first->at : MONO_NEVER;
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
	if (q->n_src == 0 && g->mode == GM_EXCLUDE)
		g->until = mono_min(g->until, limit);
	for (size_t i = 0; i < q->n_src; i++) {
		struct mgroup_source *s = mgroup_source(g, &q->src[i]);

		if (s && mono_is_set(s->until))
			s->until = mono_min(s->until, limit);
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

int mgroup_filter(const struct mgroup *g, mono_t now, struct gm_filter *ret)
{
	ret->mode = g->mode;
	addrset_clear(&ret->src);
	for (size_t i = 0; i < g->n_src; i++) {
		int r;

		if (g->mode == GM_EXCLUDE && mono_is_set(g->src[i].until))
			continue;
		r = addrset_add(&ret->src, &g->src[i].addr);
		if (r < 0)
			return r;
	}
	return 0;
}
