/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Last member process: group-specific and group-and-source-specific queries with their
 * retransmissions (RFC 9776 6.6.3, RFC 9777 7.6.3), and the short way if all members
 * are tracked (fast leave, R092).
 *
 * A query waits for the turn of its group (mgroup_turn.c), which usually comes at once.
 * Only a query that is sent lowers a timer, so a waiting one cuts nobody off. A query
 * is pending for a Last Member Query Interval. It is not sent again during that time,
 * and once more afterwards if a host has answered meanwhile.
 */

#include "base/cleanup.h"
#include "base/minmax.h"
#include "control/member/mgroup_priv.h"

/* sources that fit into one query (R089); at least one, because sending reports the
 * real error */
static size_t query_room(enum family family, uint32_t mtu)
{
	return max(gm_query_max_sources(family, mtu), 1);
}

static void send(struct mgroup_db *db, const struct mgroup *g, uint32_t max_resp_ms,
	bool suppress, const struct addr *src, size_t n_src, struct effects *fx)
{
	const struct querier_view *role = &db->role[addr_family(&g->group)];
	struct gm_query q = {
		.group = g->group,
		.max_resp_ms = max_resp_ms,
		.qrv = role->rv,
		.qqi_ms = role->qi_ms,
		.suppress = suppress,
		.src = src,
		.n_src = n_src,
	};

	effects_query(fx, db->port, role->version, &role->own, &q);
}

/* A query that is due soon is sent with the present ones (R088). One that was sent a
 * moment ago is not repeated: hosts would answer both with one report, and if that is
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

	/* R084: a host has answered since, so other routers must not lower their
	 * timers */
	send(db, g, db->params.gm.last_member_interval_ms,
		g->mode == GM_EXCLUDE && mono_before(lmqt, g->until), NULL, 0, fx);
	g->ask_at = next_ask(db, now);
}

/* Sends the group-and-source queries that are due: first of sources whose timer was
 * restored meanwhile (S set), then of the others (R086). Returns the number of
 * messages. */
static unsigned send_sources(
	struct mgroup_db *db, struct mgroup *g, mono_t now, struct effects *fx)
{
	mono_t lmqt = mono_add_ms(now, gm_last_member_ms(&db->params.gm));
	struct addr batch[512];
	size_t room = query_room(addr_family(&g->group), db->mtu), n = 0;
	unsigned n_sent = 0;

	room = min(room, array_len(batch));
	for (int suppress = 1; suppress >= 0; suppress--)
		for (size_t i = 0; i < g->n_src; i++) {
			const struct mgroup_source *s = &g->src[i];

			if (s->repeats && is_due(db, s->ask_at, now) &&
				mono_before(lmqt, s->until) == (bool)suppress)
				batch[n++] = s->addr;
			if (n == 0 || (n < room && i + 1 < g->n_src))
				continue;
			send(db, g, db->params.gm.last_member_interval_ms, suppress,
				batch, n, fx);
			n_sent++;
			n = 0;
		}
	for (size_t i = 0; i < g->n_src; i++) {
		struct mgroup_source *s = &g->src[i];

		if (s->repeats == 0 || !is_due(db, s->ask_at, now))
			continue;
		s->repeats--;
		s->ask_at = next_ask(db, now);
	}
	return n_sent;
}

void mgroup_schedule(struct mgroup *g)
{
	g->repeat_at = g->repeats ? g->ask_at : MONO_NEVER;
	if (mono_is_set(g->turn_at))
		g->repeat_at = mono_min(g->repeat_at, g->turn_at);
	for (size_t i = 0; i < g->n_src; i++)
		if (g->src[i].repeats)
			g->repeat_at = mono_min(g->repeat_at, g->src[i].ask_at);
}

/* The hosts of a group are checked one by one. If that is too much work, the group is
 * left to queries, as if it were not tracked. */
#define FAST_LOOKUPS 128
#define FAST_NAMED   1024 /* sources in the lists of all hosts */
#define FAST_RESTORE 32	  /* as FAST_NAMED, if each may have to be added again */

static bool decides_sources(
	struct mgroup_db *db, struct mgroup *g, mono_t now, size_t n)
{
	return n * g->n_host <= FAST_LOOKUPS && g->n_named <= FAST_NAMED &&
		mgroup_all_tracked(db, g, now);
}

/* ---- what must be asked, and when ---- */

static mono_t lmqt_after(const struct mgroup_db *db, mono_t now)
{
	return mono_add_ms(now, gm_last_member_ms(&db->params.gm));
}

/* If the timer expires before an answer could arrive, no query is sent (RFC 9776
 * 6.6.3.2). This is also true of a source that was asked for and not yet confirmed. */
static void want_source(
	struct mgroup_db *db, struct mgroup *g, mono_t now, struct mgroup_source *s)
{
	if (!s || s->waits || !mono_before(lmqt_after(db, now), s->until))
		return;
	s->waits = true;
	s->repeats = 0;
	s->ask_at = mono_max(s->ask_at, now);
	mgroup_wait(db, g, s->ask_at);
}

static void want_group(struct mgroup_db *db, struct mgroup *g, mono_t now)
{
	bool pending = mono_before(now, g->ask_at);

	if (g->waits || (pending && !mono_before(lmqt_after(db, now), g->until)))
		return;
	g->waits = true;
	g->repeats = 0;
	g->ask_at = mono_max(g->ask_at, now);
	mgroup_wait(db, g, g->ask_at);
}

void mgroup_ask_older(struct mgroup_db *db, struct mgroup *g, mono_t now, mono_t before)
{
	const struct querier_view *role = &db->role[addr_family(&g->group)];

	if (!role->querier || role->version < GM_V3)
		return;
	g->ask_before = mono_max(g->ask_before, before);
	mgroup_wait(db, g, now);
}

static void want_older(struct mgroup_db *db, struct mgroup *g, mono_t now)
{
	for (size_t i = 0; i < g->n_src; i++)
		if (mono_is_set(g->src[i].until) &&
			mono_before(g->src[i].until, g->ask_before))
			want_source(db, g, now, &g->src[i]);
	g->ask_before = MONO_UNSET;
}

/* The waiting sources, as many as a query holds; the others keep waiting. */
static bool begin_sources(
	struct mgroup_db *db, struct mgroup *g, mono_t now, struct effects *fx)
{
	size_t room = query_room(addr_family(&g->group), db->mtu), n = 0;

	for (size_t i = 0; i < g->n_src; i++) {
		struct mgroup_source *s = &g->src[i];

		if (!s->waits)
			continue;
		if (n == room || !mono_due(s->ask_at, now)) {
			mgroup_wait(db, g, mono_max(s->ask_at, now));
			continue;
		}
		s->waits = false;
		if (!mono_is_set(s->until))
			continue;
		mgroup_source_run(g, s, mono_min(s->until, lmqt_after(db, now)));
		s->repeats = db->params.gm.last_member_count;
		s->ask_at = now;
		n++;
	}
	if (n)
		send_sources(db, g, now, fx);
	return n > 0;
}

static bool mgroup_ask_begin_group(
	struct mgroup_db *db, struct mgroup *g, mono_t now, struct effects *fx)
{
	if (!g->waits)
		return false;
	if (!mono_due(g->ask_at, now)) {
		mgroup_wait(db, g, g->ask_at);
		return false;
	}
	g->waits = false;
	if (g->mode == GM_INCLUDE)
		return false;
	g->until = mono_min(g->until, lmqt_after(db, now));
	g->repeats = (uint8_t)(db->params.gm.last_member_count - 1);
	send_group(db, g, now, fx);
	return true;
}

/* Returns the number of messages. */
static unsigned mgroup_ask_begin(
	struct mgroup_db *db, struct mgroup *g, mono_t now, struct effects *fx)
{
	unsigned n;

	if (mono_is_set(g->ask_before))
		want_older(db, g, now);
	n = begin_sources(db, g, now, fx);
	return n + mgroup_ask_begin_group(db, g, now, fx);
}

void mgroup_ask_waiting(
	struct mgroup_db *db, struct mgroup *g, mono_t now, struct effects *fx)
{
	unsigned n;

	if (!db->role[addr_family(&g->group)].querier) { /* lost while it waited */
		mgroup_ask_nothing(g);
		return;
	}
	n = mgroup_ask_begin(db, g, now, fx);
	if (n)
		mgroup_asked(db, now, n);
	mgroup_schedule(g);
}

/* The report that has just arrived pays for the turn of the group, now or when a
 * pending query is over. */
static void take_turn(
	struct mgroup_db *db, struct mgroup *g, mono_t now, struct effects *fx)
{
	mono_t at = g->turn.at;

	heap_remove(&db->turns.waiting, &g->turn);
	if (mono_due(at, now)) {
		mgroup_ask_waiting(db, g, now, fx);
		return;
	}
	g->turn_at = at;
	g->repeat_at = mono_min(g->repeat_at, at);
	mgroup_asked(db, now, 1);
}

/* ---- fast leave ---- */

/* Half of the usual time to answer: a member that was cut off should be back within a
 * second. Not less than IGMPv2 can express. */
static uint32_t fast_response_ms(const struct mgroup_db *db)
{
	uint32_t ms = db->params.gm.last_member_interval_ms;

	return ms >= 200 ? ms / 2 : ms;
}

/* All members are known, and none of them wants the sources x, or the group, so these
 * end at once. A member may still be unknown, because it shares another one's address
 * or its report was lost. Therefore the LAN is also queried. */
static bool end_at_once(struct mgroup_db *db, struct mgroup *g, mono_t now,
	const struct addrset *x, bool group, struct effects *fx)
{
	const struct querier_view *role = &db->role[addr_family(&g->group)];
	size_t room = query_room(addr_family(&g->group), db->mtu);
	bool whole = group || role->version < GM_V3 || x->n > room;

	/* a host that answers has come back with the same address: no second fast leave
	 * until the first one is over */
	if (mono_before(now, g->fast_at) || !mgroup_has_turn(db, now) ||
		!mgroup_may_end(db, now))
		return false;
	/* an EXCLUDE record makes the group forget sources that its list does not name,
	 * even if other hosts asked for them */
	if (group && mgroup_hosts_restore(db, g, fx) < 0)
		return false;
	mgroup_sources_stop(g, x);
	if (group)
		mgroup_to_include(g);
	send(db, g, fast_response_ms(db), false, whole ? NULL : x->v, whole ? 0 : x->n,
		fx);
	g->fast_at = next_ask(db, now);
	mgroup_asked(db, now, 1);
	return true;
}

void mgroup_ask(struct mgroup_db *db, struct mgroup *g, mono_t now, struct addrset *x,
	bool group, struct effects *fx)
{
	const struct querier_view *role = &db->role[addr_family(&g->group)];

	if (decides_sources(db, g, now, x->n) &&
		(!group || g->n_named <= FAST_RESTORE)) {
		size_t n = 0;

		for (size_t i = 0; i < x->n; i++)
			if (!mgroup_host_wants(g, &x->v[i]))
				x->v[n++] = x->v[i];
		x->n = n;
		group = group && !mgroup_host_wants(g, NULL);
		if (!n && !group)
			return;
		if (end_at_once(db, g, now, x, group, fx))
			return;
	}
	if (!role->querier) /* only the querier sends queries (R054) */
		return;
	/* version 2 cannot ask for sources */
	for (size_t i = 0; role->version >= GM_V3 && i < x->n; i++)
		want_source(db, g, now, mgroup_source(g, &x->v[i]));
	if (group)
		want_group(db, g, now);
	if (g->turn.slot && !mono_is_set(g->turn_at) && !mono_is_set(g->ask_before) &&
		mgroup_has_turn(db, now))
		take_turn(db, g, now, fx);
}

void mgroup_ask_nothing(struct mgroup *g)
{
	g->waits = false;
	g->repeats = 0;
	g->turn_at = g->ask_before = MONO_UNSET;
	for (size_t i = 0; i < g->n_src; i++) {
		g->src[i].waits = false;
		g->src[i].repeats = 0;
	}
}

/* Hosts answer a query about the group with everything that they want of it, so its
 * sources need no query of their own. */
bool mgroup_doubt(
	struct mgroup_db *db, struct mgroup *g, mono_t now, struct effects *fx)
{
	const struct querier_view *role = &db->role[addr_family(&g->group)];
	mono_t lmqt = lmqt_after(db, now);

	if (!role->querier || role->version == GM_V1 || mgroup_version(g, now) == GM_V1)
		return false;
	mgroup_hosts_forget(g);
	g->untracked_until = mono_max(g->untracked_until, lmqt);
	g->older_until[GM_V2] = MONO_UNSET;
	mgroup_ask_nothing(g);
	heap_remove(&db->turns.waiting, &g->turn);
	if (g->mode == GM_EXCLUDE)
		g->until = mono_min(g->until, lmqt);
	for (size_t i = 0; i < g->n_src; i++)
		if (mono_is_set(g->src[i].until))
			mgroup_source_run(
				g, &g->src[i], mono_min(g->src[i].until, lmqt));
	g->repeats = (uint8_t)(db->params.gm.last_member_count - 1);
	send_group(db, g, now, fx);
	mgroup_asked(db, now, 1);
	mgroup_schedule(g);
	mgroup_arm(db, g);
	mgroup_count(db, g, false);
	return true;
}

void mgroup_ask_again(
	struct mgroup_db *db, struct mgroup *g, mono_t now, struct effects *fx)
{
	unsigned n = 0;

	if (!db->role[addr_family(&g->group)].querier)
		mgroup_ask_nothing(g); /* the role was lost meanwhile */
	if (mono_is_set(g->turn_at) && mono_due(g->turn_at, now)) {
		g->turn_at = MONO_UNSET;
		n += mgroup_ask_begin(db, g, now, fx);
	}
	if (g->repeats && is_due(db, g->ask_at, now)) {
		g->repeats--;
		send_group(db, g, now, fx);
		n++;
	}
	n += send_sources(db, g, now, fx);
	mgroup_owe(db, now, n ? n - 1 : 0);
	mgroup_schedule(g);
}

/* ---- while another router is querier ---- */

/*
 * A host can become querier and send queries about groups that this router hears and
 * hosts do not, for example with an IP option that hosts refuse (F3). While another
 * router is querier, no timer therefore ends before this router has asked once itself.
 * It asks only after members have had the time to answer the querier, so the additional
 * query is sent only for a group that is about to end.
 */

/* Hosts answer within an interval; half an interval more is for the transfer. */
static mono_t answered_at(const struct mgroup_db *db, mono_t now)
{
	return mono_add_ms(now, db->params.gm.last_member_interval_ms * 3 / 2);
}

void mgroup_doubt_query(
	const struct mgroup_db *db, struct mgroup *g, mono_t now, mono_t limit)
{
	int64_t ms = db->params.gm.last_member_interval_ms;

	g->checked = MONO_UNSET;
	g->check_at = mono_min(g->check_at, mono_max(now, mono_add_ms(limit, -ms)));
}

static bool ends_unchecked(const struct mgroup *g, mono_t until, mono_t before)
{
	return mono_is_set(until) && mono_before(until, before) &&
		(!mono_is_set(g->checked) || mono_before(g->checked, until));
}

/* Postpones to `until` the timers that would end before `before` without having been
 * asked about. Returns their number. */
static size_t postpone(struct mgroup *g, mono_t before, mono_t until)
{
	size_t n = 0;

	if (g->mode == GM_EXCLUDE && ends_unchecked(g, g->until, before)) {
		g->until = mono_max(g->until, until);
		n++;
	}
	for (size_t i = 0; i < g->n_src; i++)
		if (ends_unchecked(g, g->src[i].until, before)) {
			mgroup_source_run(
				g, &g->src[i], mono_max(g->src[i].until, until));
			n++;
		}
	mgroup_source_first(g);
	return n;
}

void mgroup_check(
	struct mgroup_db *db, struct mgroup *g, mono_t now, struct effects *fx)
{
	const struct querier_view *role = &db->role[addr_family(&g->group)];
	bool lowered = mono_due(g->check_at, now);
	mono_t until = answered_at(db, now), soon = mono_add_ms(now, 1);

	g->check_at = lowered ? MONO_NEVER : g->check_at;
	if ((role->querier && !lowered) || role->version == GM_V1)
		return;
	/* those that members have renewed meanwhile need no question */
	if (!postpone(g, lowered ? mono_add_ms(until, 1) : soon, until))
		return;
	if (!mgroup_take_room(db, now)) {
		g->check_at = next_ask(db, now);
		return;
	}
	send(db, g, db->params.gm.last_member_interval_ms, false, NULL, 0, fx);
	g->checked = until;
}
