/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * How many messages the host side sends to the provider, and in which order. Providers
 * drop messages if more than a few dozen a second come from one line, so a host that
 * causes many messages could keep all others from being heard.
 *
 * A bucket holds the messages that may be sent: one for changes and one for answers, so
 * neither can keep the other waiting. Changes that are due wait in lines, which take
 * turns: two for each LAN, one of hosts that change little and one of those that change
 * much, and one for repetitions. A change therefore waits for at most one change of
 * each other line.
 *
 * Within a line the hosts take turns, as far as they can be told apart, and large
 * changes come later: each change of a host delays its next one by its bytes in a
 * message, and itself by the bytes of its sources. A host that was silent for a while
 * and names at most one source is therefore next, however many hosts with larger
 * changes wait. Pure.
 */

#include "base/addr.h"
#include "base/heap.h"
#include "base/mono.h"
#include "base/portset.h"
#include "base/table.h"

#define UPSTREAM_RATE	100  /* messages per second and bucket */
#define UPSTREAM_BURST	200  /* messages that a full bucket holds */
#define UPSTREAM_OWNERS 8192 /* hosts that are told apart; the ones heard last */
#define HOST_WAYS	8

struct upstream_bucket {
	mono_t full; /* when it will be full again; zero if it is */
};

/* the host whose report or silence has changed something */
struct host_cause {
	unsigned port;	       /* downstream */
	const struct addr *by; /* host that has sent a report; NULL means no report */
};

struct upstream_line {
	struct heap_node place; /* among the lines where something waits, by turn */
	struct heap
		waiting; /* struct upstream_turn; the order is the time of the line */
	int64_t turn;	 /* its last turn */
	int64_t time;	 /* the present time of the line; it advances with changes that
		       * come and go */
};

/* embedded in whatever waits */
struct upstream_turn {
	struct heap_node node;
	struct upstream_line *line; /* NULL if it does not wait */
	int64_t start;		    /* its turn is not before this time of the line */
};

struct upstream_owner {
	uint64_t id;  /* keyed hash; 0 if the place is free */
	mono_t clock; /* when its changes so far no longer count */
	const struct upstream_line *line;
	int64_t next; /* time of that line from which it may have its next change */
};

struct upstream_queue {
	struct heap lines;
	int64_t turn; /* the current one */
	struct upstream_line quiet[PORT_MAX], loud[PORT_MAX], own, repeats;
};

struct upstream_pace {
	struct upstream_owner owner[UPSTREAM_OWNERS / HOST_WAYS][HOST_WAYS];
	struct upstream_queue queue[_FAMILY_N];
};

/* When the bucket has a message available; may be in the past. */
mono_t upstream_bucket_at(const struct upstream_bucket *b);
/* Charges messages that have been sent; sending more than were available delays the
 * next one. */
void upstream_bucket_take(struct upstream_bucket *b, mono_t now, uint64_t n);

/* 0 or -ENOMEM */
int upstream_pace_new(struct upstream_pace **ret_pace);
struct upstream_pace *upstream_pace_free(
	struct upstream_pace *p); /* takes and returns NULL */

/* Queues a change that happens now: its record bytes without sources, and those of the
 * sources that make it large. The key of `table` makes the places of hosts unguessable.
 * `cause` may be NULL. If it already waits, it keeps its place if that is better.
 * Returns 0, or -ENOMEM with nothing changed. */
int upstream_pace_change(struct upstream_pace *p, enum family family, mono_t now,
	const struct table *table, const struct host_cause *cause, size_t bytes,
	size_t large, struct upstream_turn *t);
/* Queues a repetition that does not wait yet. Returns 0 or -ENOMEM. */
int upstream_pace_repeat(
	struct upstream_pace *p, enum family family, struct upstream_turn *t);
/* the one whose turn it is, or NULL if nothing waits */
struct upstream_turn *upstream_pace_first(
	const struct upstream_pace *p, enum family family);
/* Its turn has come, so it no longer waits. */
void upstream_pace_take(
	struct upstream_pace *p, enum family family, struct upstream_turn *t);
/* Takes it out of its line; does nothing if it does not wait. */
void upstream_pace_drop(
	struct upstream_pace *p, enum family family, struct upstream_turn *t);
