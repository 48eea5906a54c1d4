/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Ration and order of the messages to the provider, see host_pace.h. The order is that
 * of start-time fair queueing: a line's next turn is the one after its last, or the one
 * that has come when the line was empty. Called by the files of the host side. Pure.
 */

#include "control/upstream/host_pace.h"

#include <string.h>

#define INTERVAL_MS (1000 / HOST_RATE)

/* A host that changes more than so often changes much ... */
#define CHANGE_MS 50
/* ... but so much of it at once is nothing unusual. */
#define CHANGES_AT_ONCE 8

mono_t host_bucket_at(const struct host_bucket *b)
{
	return mono_add_ms(b->full, -(HOST_BURST - 1) * INTERVAL_MS);
}

void host_bucket_take(struct host_bucket *b, mono_t now, uint64_t n)
{
	if (n)
		b->full = mono_add_ms(mono_max(b->full, now), (int64_t)n * INTERVAL_MS);
}

static int64_t next_turn(const struct host_pace *p, int64_t *line)
{
	*line = (*line > p->turn ? *line : p->turn) + 1;
	return *line;
}

static bool changes_much(struct host_pace *p, mono_t now, const struct table *table,
	const struct host_cause *cause)
{
	uint8_t key[sizeof(*cause->by) + 1];
	mono_t *clock, most = mono_add_ms(now, CHANGES_AT_ONCE * CHANGE_MS);

	memcpy(key, cause->by, sizeof(*cause->by));
	key[sizeof(*cause->by)] = (uint8_t)cause->port;
	clock = &p->clock[table_hash(table, key, sizeof(key)) & (HOST_CLOCKS - 1)];
	*clock = mono_add_ms(mono_max(*clock, now), CHANGE_MS);
	if (!mono_before(most, *clock))
		return false;
	*clock = most;
	return true;
}

int64_t host_pace_change(struct host_pace *p, mono_t now, const struct table *table,
	const struct host_cause *cause)
{
	if (!cause)
		return next_turn(p, &p->own);
	if (cause->by && changes_much(p, now, table, cause))
		return next_turn(p, &p->loud[cause->port]);
	return next_turn(p, &p->quiet[cause->port]);
}

int64_t host_pace_repeat(struct host_pace *p)
{
	return next_turn(p, &p->repeats);
}

void host_pace_reach(struct host_pace *p, int64_t turn)
{
	if (turn > p->turn)
		p->turn = turn;
}
