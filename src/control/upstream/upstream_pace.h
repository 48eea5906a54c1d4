/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * How many messages the host side sends to the provider, and in which order. Providers
 * drop messages if more than a few dozen a second come from one subscriber, so a host
 * that causes many messages could keep all others from being heard.
 *
 * A bucket holds the messages that may be sent. Changes and answers have a bucket each,
 * so neither can keep the other waiting. Changes that are due wait in queues. Each LAN
 * has two queues: one for hosts that change little and one for hosts that change much.
 * There is also a queue for repetitions, and one for changes that no LAN has caused.
 * The queues take turns, so a change waits for at most one change of each other queue.
 *
 * Within a queue the hosts take turns, as far as they can be told apart, and large
 * changes come later: a change delays the host's next one by its bytes in a message,
 * and itself by those of its sources. A host that was silent for a while and names at
 * most one source is therefore next, however many hosts with larger changes wait. Pure.
 */

#include "base/addr.h"
#include "base/heap.h"
#include "base/mono.h"
#include "base/portset.h"
#include "base/table.h"

#define UPSTREAM_RATE	100  /* messages per second and bucket */
#define UPSTREAM_BURST	200  /* messages that a full bucket holds */
#define UPSTREAM_OWNERS 8192 /* hosts that are distinguished: those heard last */
#define HOST_WAYS	8

struct upstream_bucket {
	mono_t full; /* when it will be full again, or zero if it is full */
};

/* The host whose report or silence has changed something. */
struct host_cause {
	unsigned port;	       /* number of the downstream */
	const struct addr *by; /* the host that has sent a report, or NULL */
};

struct upstream_line {
	struct heap_node place; /* in upstream_queue.lines, while something waits */
	struct heap waiting;	/* struct upstream_turn, by the time of the line */
	int64_t turn;		/* the number of its last turn */
	int64_t time; /* the present time of the line, which changes let advance */
};

/* A place in a line, embedded in what waits. */
struct upstream_turn {
	struct heap_node node;
	struct upstream_line *line; /* NULL if it does not wait */
	int64_t start;		    /* its turn is not before this time of the line */
};

struct upstream_owner {
	uint64_t id;  /* keyed hash; 0 if the place is free */
	mono_t clock; /* when its changes so far no longer count */
	const struct upstream_line *line;
	int64_t next; /* its next change starts at this time of the line or later */
};

struct upstream_queue {
	struct heap lines; /* struct upstream_line, by their last turn */
	int64_t turn;	   /* the number of the present turn */
	struct upstream_line quiet[PORT_MAX], loud[PORT_MAX], own, repeats;
};

struct upstream_pace {
	struct upstream_owner owner[UPSTREAM_OWNERS / HOST_WAYS][HOST_WAYS];
	struct upstream_queue queue[_FAMILY_N];
};

/* Returns when the bucket has a message; that may be in the past. */
mono_t upstream_bucket_at(const struct upstream_bucket *b);
/* Takes messages that were sent out of the bucket. If more were sent than the bucket
 * had, the next one is delayed. */
void upstream_bucket_take(struct upstream_bucket *b, mono_t now, uint64_t n);

/* Returns 0 or -ENOMEM. */
int upstream_pace_new(struct upstream_pace **ret_pace);
struct upstream_pace *upstream_pace_free(struct upstream_pace *p);

/* Queues a change that happens now. `bytes` are those of its record without sources,
 * and `large` those of the sources that make it large. The key of `table` makes the
 * places of hosts unguessable. `cause` may be NULL. If the change already waits and its
 * present place is better, it keeps that. Returns 0, or -ENOMEM with nothing
 * changed. */
int upstream_pace_change(struct upstream_pace *p, enum family family, mono_t now,
	const struct table *table, const struct host_cause *cause, size_t bytes,
	size_t large, struct upstream_turn *t);
/* Queues a repetition that does not wait yet. Returns 0 or -ENOMEM. */
int upstream_pace_repeat(
	struct upstream_pace *p, enum family family, struct upstream_turn *t);
/* Returns the change whose turn it is, or NULL if nothing waits. */
struct upstream_turn *upstream_pace_first(
	const struct upstream_pace *p, enum family family);
/* Takes the change that upstream_pace_first() has returned out of its line, and
 * advances the time of the line by what it costs. */
void upstream_pace_take(
	struct upstream_pace *p, enum family family, struct upstream_turn *t);
/* Takes a change out of its line at no cost. Does nothing if it does not wait. */
void upstream_pace_drop(
	struct upstream_pace *p, enum family family, struct upstream_turn *t);
