/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Last member process: group-specific and group-and-source-specific queries with their
 * retransmissions (RFC 9776 6.6.3, RFC 9777 7.6.3), and the short way where all members
 * are tracked (fast leave, R092). Called by mgroup.c where the table says "Send Q".
 */

#include "control/igmp.h"
#include "control/mgroup_priv.h"
#include "control/mld.h"

#include <assert.h>

/* sources that fit into one query (R089); at least one, the sender knows better */
static size_t query_room(enum family family, uint32_t mtu)
{
	size_t n = family == FAMILY_IPV4 ? igmp_query_max_sources(mtu)
					 : mld_query_max_sources(mtu);

	return n ? n : 1;
}

static void send(struct mgroup_db *db, const struct mgroup *g, bool suppress,
	const struct addr *src, size_t n_src, struct effects *fx)
{
	const struct mgroup_role *role = &db->role[addr_family(&g->group)];
	struct gm_query q = {
		.group = g->group,
		.max_resp_ms = db->params.gm.last_member_interval_ms,
		.qrv = role->rv,
		.qqi_ms = role->qi_ms,
		.suppress = suppress,
		.src = src,
		.n_src = n_src,
	};

	effects_query(fx, db->port, role->version, &role->own, &q);
}

/* A query that is due in a little while joins the round of now (R088). One that was
 * sent a moment ago does not: hosts would answer both with one report, and if that is
 * lost the member is cut off. */
static bool is_due(const struct mgroup_db *db, mono_t ask_at, mono_t now)
{
	return mono_due(
		ask_at, mono_add_ms(now, db->params.gm.last_member_interval_ms / 4));
}

static mono_t next_ask(const struct mgroup_db *db, mono_t now)
{
	return mono_add_ms(now, db->params.gm.last_member_interval_ms);
}

static void send_group(
	struct mgroup_db *db, struct mgroup *g, mono_t now, struct effects *fx)
{
	mono_t lmqt = mono_add_ms(now, gm_last_member_ms(&db->params.gm));

	/* R084: somebody has answered since, so other routers need not lower theirs */
	send(db, g, g->mode == GM_EXCLUDE && mono_before(lmqt, g->until), NULL, 0, fx);
	g->ask_at = next_ask(db, now);
}

/* One round of group-and-source queries: first those whose timer was restored meanwhile
 * (S set), then the others (R086). */
static void send_sources(
	struct mgroup_db *db, struct mgroup *g, mono_t now, struct effects *fx)
{
	size_t room = query_room(addr_family(&g->group), db->mtu);
	mono_t lmqt = mono_add_ms(now, gm_last_member_ms(&db->params.gm));
	struct addr batch[512];
	size_t n;

	if (room > sizeof(batch) / sizeof(batch[0]))
		room = sizeof(batch) / sizeof(batch[0]);
	for (int suppress = 1; suppress >= 0; suppress--) {
		n = 0;
		for (size_t i = 0; i < g->n_src; i++) {
			struct mgroup_source *s = &g->src[i];

			if (s->repeats == 0 || !is_due(db, s->ask_at, now) ||
				mono_before(lmqt, s->until) != (bool)suppress)
				continue;
			batch[n++] = s->addr;
			if (n == room) {
				send(db, g, suppress, batch, n, fx);
				n = 0;
			}
		}
		if (n)
			send(db, g, suppress, batch, n, fx);
	}
	for (size_t i = 0; i < g->n_src; i++) {
		struct mgroup_source *s = &g->src[i];

		if (s->repeats == 0 || !is_due(db, s->ask_at, now))
			continue;
		s->repeats--;
		s->ask_at = next_ask(db, now);
	}
}

/* The same for sources that have just been asked for and nothing else, so that the
 * others of a long list are not looked through. */
static void send_some(struct mgroup_db *db, struct mgroup *g, mono_t now,
	const struct addrset *x, struct effects *fx)
{
	size_t room = query_room(addr_family(&g->group), db->mtu);

	for (size_t i = 0; i < x->n; i += room)
		send(db, g, false, &x->v[i], x->n - i < room ? x->n - i : room, fx);
	for (size_t i = 0; i < x->n; i++) {
		struct mgroup_source *s = mgroup_source(g, &x->v[i]);

		s->repeats--;
		s->ask_at = next_ask(db, now);
	}
	g->repeat_at = mono_min(g->repeat_at, next_ask(db, now));
}

void mgroup_schedule(struct mgroup *g)
{
	g->repeat_at = g->repeats ? g->ask_at : MONO_NEVER;
	for (size_t i = 0; i < g->n_src; i++)
		if (g->src[i].repeats)
			g->repeat_at = mono_min(g->repeat_at, g->src[i].ask_at);
}

/* Hosts are asked one by one what they want. Where that is much work the group is left
 * to queries, as if it were not tracked. */
#define FAST_LOOKUPS 128
#define FAST_NAMED   1024 /* sources in the lists of all hosts */
#define FAST_RESTORE 32	  /* the same, when each may have to come back */

static bool decides_sources(
	struct mgroup_db *db, struct mgroup *g, mono_t now, size_t n)
{
	return n * g->n_host <= FAST_LOOKUPS && g->n_named <= FAST_NAMED &&
		mgroup_all_tracked(db, g, now);
}

bool mgroup_may_ask(struct mgroup_db *db, struct mgroup *g, mono_t now)
{
	mono_t lmqt = mono_add_ms(now, gm_last_member_ms(&db->params.gm));

	return mono_before(lmqt, g->source_last) ||
		decides_sources(db, g, now, g->n_src - g->n_blocked);
}

void mgroup_ask_sources(struct mgroup_db *db, struct mgroup *g, mono_t now,
	struct addrset *x, struct effects *fx)
{
	const struct mgroup_role *role = &db->role[addr_family(&g->group)];
	mono_t lmqt = mono_add_ms(now, gm_last_member_ms(&db->params.gm));
	size_t out = 0;

	if (x->n == 0)
		return;
	if (decides_sources(db, g, now, x->n)) {
		for (size_t i = 0; i < x->n; i++)
			if (!mgroup_host_wants(g, &x->v[i]))
				x->v[out++] = x->v[i];
		x->n = out;
		mgroup_sources_stop(g, x);
		return;
	}
	/* only the querier asks (R054); v2 cannot ask for sources */
	if (!role->querier || role->version < GM_V3)
		return;
	for (size_t i = 0; i < x->n; i++) {
		struct mgroup_source *s = mgroup_source(g, &x->v[i]);

		if (!s || !mono_before(lmqt, s->until))
			continue;
		mgroup_source_run(g, s, lmqt);
		s->repeats = db->params.gm.last_member_count;
		s->ask_at = now;
		x->v[out++] = x->v[i];
	}
	x->n = out;
	if (out == 0)
		return;
	if (g->n_src > MGROUP_FEW) {
		send_some(db, g, now, x, fx);
		if (2 * out > g->n_src)
			mgroup_source_span(g);
		return;
	}
	send_sources(db, g, now, fx);
	mgroup_schedule(g);
}

void mgroup_ask_group(
	struct mgroup_db *db, struct mgroup *g, mono_t now, struct effects *fx)
{
	const struct mgroup_role *role = &db->role[addr_family(&g->group)];
	mono_t lmqt = mono_add_ms(now, gm_last_member_ms(&db->params.gm));

	if (g->n_named <= FAST_RESTORE && mgroup_all_tracked(db, g, now)) {
		if (mgroup_host_wants(g, NULL))
			return;
		/* an EXCLUDE record makes the group forget sources that its list does
		 * not name, though others asked for them */
		if (mgroup_hosts_restore(db, g, fx) == 0) {
			mgroup_to_include(g);
			return;
		}
	}
	if (!role->querier)
		return;
	g->until = mono_min(g->until, lmqt);
	g->repeats = (uint8_t)(db->params.gm.last_member_count - 1);
	send_group(db, g, now, fx);
	if (g->n_src <= MGROUP_FEW)
		mgroup_schedule(g);
	else
		g->repeat_at = mono_min(g->repeat_at, g->ask_at);
}

void mgroup_ask_again(
	struct mgroup_db *db, struct mgroup *g, mono_t now, struct effects *fx)
{
	const struct mgroup_role *role = &db->role[addr_family(&g->group)];

	if (!role->querier) { /* the role was lost meanwhile */
		g->repeats = 0;
		for (size_t i = 0; i < g->n_src; i++)
			g->src[i].repeats = 0;
	}
	if (g->repeats && is_due(db, g->ask_at, now)) {
		g->repeats--;
		send_group(db, g, now, fx);
	}
	send_sources(db, g, now, fx);
	mgroup_schedule(g);
}
