/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Ration and order of the messages to the provider, see upstream_pace.h. Start-time
 * fair queueing makes the order, twice. Among lines, a line's next turn is the one
 * after its last, or the current one if the line was empty. Hosts follow the same rule
 * in their line, by a time that advances with the line's changes. Pure.
 */

#include "control/upstream/upstream_pace.h"

#include "base/cleanup.h"
#include "base/minmax.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define INTERVAL_MS (1000 / UPSTREAM_RATE)

/* A host changes much if it makes more than one change in CHANGE_MS. CHANGES_AT_ONCE
 * changes at once are normal. */
#define CHANGE_MS	50
#define CHANGES_AT_ONCE 8
/* A byte of a change advances the time of its line by this much. Each change advances
 * it by one more, so that of two equal changes the earlier one is sent first. */
#define BYTE_TIME 16384
/* The lead of a host that was silent for a while over hosts whose next change is due
 * now. Less than the price of any change. */
#define AHEAD_TIME (4 * BYTE_TIME)

mono_t upstream_bucket_at(const struct upstream_bucket *b)
{
	return mono_add_ms(b->full, -(UPSTREAM_BURST - 1) * INTERVAL_MS);
}

void upstream_bucket_take(struct upstream_bucket *b, mono_t now, uint64_t n)
{
	if (n)
		b->full = mono_add_ms(mono_max(b->full, now), (int64_t)n * INTERVAL_MS);
}

int upstream_pace_new(struct upstream_pace **ret_pace)
{
	struct upstream_pace *p = calloc(1, sizeof(*p));
	int r = p ? 0 : -ENOMEM;

	for (unsigned f = 0; f < _FAMILY_N && r == 0; f++)
		r = heap_reserve(&p->queue[f].lines, 2 * PORT_MAX + 2);
	if (r < 0)
		upstream_pace_free(p);
	else
		*ret_pace = p;
	return r;
}

struct upstream_pace *upstream_pace_free(struct upstream_pace *p)
{
	for (unsigned f = 0; p && f < _FAMILY_N; f++) {
		struct upstream_queue *q = &p->queue[f];

		for (unsigned i = 0; i < PORT_MAX; i++) {
			heap_deinit(&q->quiet[i].waiting);
			heap_deinit(&q->loud[i].waiting);
		}
		heap_deinit(&q->own.waiting);
		heap_deinit(&q->repeats.waiting);
		heap_deinit(&q->lines);
	}
	free(p);
	return NULL;
}

/* ---- lines ---- */

static void line_moves_up(struct upstream_queue *q, struct upstream_line *line)
{
	if (line->waiting.n == 0) {
		heap_remove(&q->lines, &line->place);
		return;
	}
	line->turn++;
	heap_set(&q->lines, &line->place, (mono_t){line->turn});
}

static void leave_line(struct upstream_queue *q, struct upstream_turn *t)
{
	struct upstream_line *line = t->line;

	if (!line)
		return;
	t->line = NULL;
	heap_remove(&line->waiting, &t->node);
	if (line->waiting.n == 0)
		heap_remove(&q->lines, &line->place);
}

/* Queues it between these times of the line. On -ENOMEM its place is unchanged. */
static int join_line(struct upstream_queue *q, struct upstream_line *line,
	struct upstream_turn *t, int64_t start, int64_t time)
{
	int r = heap_reserve(&line->waiting, line->waiting.n + 1);

	if (r < 0)
		return r;
	leave_line(q, t);
	t->line = line;
	t->start = start;
	heap_set(&line->waiting, &t->node, (mono_t){time});
	if (line->waiting.n == 1) {
		line->turn = max(line->turn, q->turn) + 1;
		heap_set(&q->lines, &line->place, (mono_t){line->turn});
	}
	return 0;
}

/* Is the offered place in the line better than the present one? */
static bool upstream_pace_is_better(
	const struct upstream_turn *t, const struct upstream_line *line, int64_t time)
{
	if (t->line == line)
		return time < t->node.at.ns;
	return !t->line || line->waiting.n < t->line->waiting.n;
}

/* ---- hosts ---- */

/* The entry of the host that changes something. A new host replaces the one that has
 * been silent longest. Silence counts as one host, because it may end many memberships
 * at once. */
static struct upstream_owner *find_owner(struct upstream_pace *p,
	const struct table *table, const struct host_cause *cause)
{
	uint8_t key[sizeof(*cause->by) + 1] = {0};
	struct upstream_owner *row, *oldest;
	uint64_t id;

	if (cause->by)
		memcpy(key, cause->by, sizeof(*cause->by));
	key[sizeof(*cause->by)] = (uint8_t)cause->port;
	id = table_hash(table, key, sizeof(key)) | 1;
	oldest = row = p->owner[(id >> 1) % (UPSTREAM_OWNERS / HOST_WAYS)];
	for (unsigned i = 0; i < HOST_WAYS; i++) {
		if (row[i].id == id)
			return &row[i];
		if (mono_before(row[i].clock, oldest->clock))
			oldest = &row[i];
	}
	*oldest = (struct upstream_owner){.id = id};
	return oldest;
}

static bool changes_much(struct upstream_owner *o, mono_t now)
{
	mono_t most = mono_add_ms(now, CHANGES_AT_ONCE * CHANGE_MS);

	o->clock = mono_add_ms(mono_max(o->clock, now), CHANGE_MS);
	if (!mono_before(most, o->clock))
		return false;
	o->clock = most;
	return true;
}

/* The time of the host's next change in that line. The one after it comes later by the
 * cost of this one. */
static int64_t owner_start(
	struct upstream_owner *o, struct upstream_line *line, int64_t cost)
{
	int64_t start = line->time++ - AHEAD_TIME;

	if (o->line == line)
		start = max(start, o->next);
	o->line = line;
	o->next = start + cost;
	return start;
}

/* ---- what waits ---- */

int upstream_pace_change(struct upstream_pace *p, enum family family, mono_t now,
	const struct table *table, const struct host_cause *cause, size_t bytes,
	size_t large, struct upstream_turn *t)
{
	struct upstream_queue *q = &p->queue[family];
	struct upstream_line *line = &q->own;
	int64_t later = (int64_t)large * BYTE_TIME, start;

	if (cause) {
		struct upstream_owner *o = find_owner(p, table, cause);

		line = changes_much(o, now) && cause->by ? &q->loud[cause->port]
							 : &q->quiet[cause->port];
		start = owner_start(o, line, (int64_t)bytes * BYTE_TIME + later);
	} else {
		start = line->time++;
	}
	return upstream_pace_is_better(t, line, start + later)
		? join_line(q, line, t, start, start + later)
		: 0;
}

int upstream_pace_repeat(
	struct upstream_pace *p, enum family family, struct upstream_turn *t)
{
	struct upstream_queue *q = &p->queue[family];

	int64_t time = q->repeats.time++;

	return join_line(q, &q->repeats, t, time, time);
}

struct upstream_turn *upstream_pace_first(
	const struct upstream_pace *p, enum family family)
{
	struct heap_node *line = heap_first(&p->queue[family].lines);

	if (!line)
		return NULL;
	return container_of(
		heap_first(&container_of(line, struct upstream_line, place)->waiting),
		struct upstream_turn, node);
}

void upstream_pace_take(
	struct upstream_pace *p, enum family family, struct upstream_turn *t)
{
	struct upstream_queue *q = &p->queue[family];
	struct upstream_line *line = t->line;

	q->turn = max(q->turn, line->turn);
	line->time = max(line->time, t->start);
	leave_line(q, t);
	line_moves_up(q, line);
}

void upstream_pace_drop(
	struct upstream_pace *p, enum family family, struct upstream_turn *t)
{
	leave_line(&p->queue[family], t);
}
