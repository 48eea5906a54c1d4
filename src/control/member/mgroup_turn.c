/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * When a downstream may send a query. Strangers decide how many leaves there are, and
 * each query is a multicast frame, which costs air time at the lowest rate on Wi-Fi. So
 * every report may begin one query, at once or when the pending query about the same
 * group is over. With its repetition, a report causes two frames; further queries wait.
 * If a report begins no query, the group that has waited longest gets the turn. Without
 * reports there is one turn in each Last Member Query Time. At its turn, all waiting
 * queries of a group are sent. The port also has a bound.
 *
 * Also remembers which groups have just ended by fast leave, although they are no
 * longer in the table. Pure.
 */

#include "base/cleanup.h"
#include "control/member/mgroup_priv.h"

/* Queries that a port may begin per second, and at once. With the repetitions these are
 * 200 messages a second. At 1 Mbit/s, the slowest rate of Wi-Fi, they take a seventh of
 * the time. */
#define PORT_RATE     100
#define PORT_BURST_MS 500

static mono_t room_at(const struct mgroup_db *db)
{
	return mono_add_ms(db->turns.busy, 1000 / PORT_RATE - PORT_BURST_MS);
}

bool mgroup_take_room(struct mgroup_db *db, mono_t now)
{
	struct mgroup_turns *t = &db->turns;

	if (!mono_due(room_at(db), now))
		return false;
	t->busy = mono_add_ms(mono_max(t->busy, now), 1000 / PORT_RATE);
	return true;
}

static mono_t turn_at(const struct mgroup_db *db)
{
	const struct mgroup_turns *t = &db->turns;
	mono_t room = room_at(db);

	if (!t->debt)
		return room;
	return mono_max(room,
		mono_add_ms(t->since,
			(int64_t)t->debt * gm_last_member_ms(&db->params.gm)));
}

void mgroup_begin(struct mgroup_db *db, mono_t now)
{
	struct mgroup_turns *t = &db->turns;

	if (t->debt)
		t->debt--;
	t->since = now;
}

bool mgroup_has_turn(const struct mgroup_db *db, mono_t now)
{
	return mono_due(turn_at(db), now);
}

void mgroup_asked(struct mgroup_db *db, mono_t now, unsigned n)
{
	struct mgroup_turns *t = &db->turns;

	t->debt = n; /* the turn has settled the earlier debt */
	t->since = now;
	t->busy = mono_add_ms(mono_max(t->busy, now), n * (1000 / PORT_RATE));
}

void mgroup_owe(struct mgroup_db *db, mono_t now, unsigned n)
{
	struct mgroup_turns *t = &db->turns;

	if (!t->debt)
		t->since = now;
	t->debt += n;
}

void mgroup_wait(struct mgroup_db *db, struct mgroup *g, mono_t at)
{
	if (!g->turn.slot || mono_before(at, g->turn.at))
		heap_set(&db->turns.waiting, &g->turn, at);
}

mono_t mgroup_turn_deadline(const struct mgroup_db *db)
{
	const struct heap_node *first = heap_first(&db->turns.waiting);

	return first ? mono_max(first->at, turn_at(db)) : MONO_NEVER;
}

struct mgroup *mgroup_turn(struct mgroup_db *db, mono_t now)
{
	struct heap_node *first = heap_first(&db->turns.waiting);

	if (!first || !mono_due(mgroup_turn_deadline(db), now))
		return NULL;
	heap_remove(&db->turns.waiting, first);
	return container_of(first, struct mgroup, turn);
}

/* ---- groups that have ended ---- */

static struct mgroup_ended *ended_at(struct mgroup_turns *t, unsigned i)
{
	return &t->ended[(t->first_ended + i) % MGROUP_MAX_ENDED];
}

bool mgroup_may_end(struct mgroup_db *db, mono_t now)
{
	struct mgroup_turns *t = &db->turns;

	while (t->n_ended && mono_due(ended_at(t, 0)->fast_at, now)) {
		t->first_ended = (t->first_ended + 1) % MGROUP_MAX_ENDED;
		t->n_ended--;
	}
	return t->n_ended < MGROUP_MAX_ENDED;
}

void mgroup_note_ended(struct mgroup_db *db, mono_t now, const struct mgroup *g)
{
	struct mgroup_turns *t = &db->turns;

	if (mono_before(now, g->fast_at) && mgroup_may_end(db, now))
		*ended_at(t, t->n_ended++) =
			(struct mgroup_ended){g->group, g->fast_at};
}

mono_t mgroup_ended_until(struct mgroup_db *db, const struct addr *group)
{
	struct mgroup_turns *t = &db->turns;

	for (unsigned i = t->n_ended; i-- > 0;)
		if (addr_eq(&ended_at(t, i)->group, group))
			return ended_at(t, i)->fast_at;
	return MONO_UNSET;
}
