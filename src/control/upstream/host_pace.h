/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * How many messages the host side sends to the provider, and in which order. Providers
 * drop messages beyond some tens a second from one line, so a host that causes many
 * messages could keep all others from being heard.
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

#define HOST_RATE   100	 /* messages per second and bucket */
#define HOST_BURST  200	 /* messages that a full bucket holds */
#define HOST_OWNERS 8192 /* hosts that are told apart; the ones heard last */
#define HOST_WAYS   8

struct host_bucket {
	mono_t full; /* when it will be full again; zero if it is */
};

/* the host whose report or silence has changed something */
struct host_cause {
	unsigned port;	       /* downstream */
	const struct addr *by; /* host that has sent a report; NULL means no report */
};

struct host_line {
	struct heap_node place; /* among the lines where something waits, by turn */
	struct heap waiting; /* struct host_turn; the order is the time of the line */
	int64_t turn;	     /* its last turn */
	int64_t time; /* the present time of the line; it advances with changes that
		       * come and go */
};

/* embedded in whatever waits */
struct host_turn {
	struct heap_node node;
	struct host_line *line; /* NULL if it does not wait */
	int64_t start;		/* its turn is not before this time of the line */
};

struct host_owner {
	uint64_t id;  /* keyed hash; 0 if the place is free */
	mono_t clock; /* when its changes so far no longer count */
	const struct host_line *line;
	int64_t next; /* time of that line from which it may have its next change */
};

struct host_queue {
	struct heap lines;
	int64_t turn; /* the current one */
	struct host_line quiet[PORT_MAX], loud[PORT_MAX], own, repeats;
};

struct host_pace {
	struct host_owner owner[HOST_OWNERS / HOST_WAYS][HOST_WAYS];
	struct host_queue queue[_FAMILY_N];
};

/* When the bucket has a message available; may be in the past. */
mono_t host_bucket_at(const struct host_bucket *b);
/* Charges messages that have been sent; sending more than were available delays the
 * next one. */
void host_bucket_take(struct host_bucket *b, mono_t now, uint64_t n);

/* 0 or -ENOMEM */
int host_pace_new(struct host_pace **ret_pace);
struct host_pace *host_pace_free(struct host_pace *p); /* takes and returns NULL */

/* Queues a change that happens now: its record bytes without sources, and those of the
 * sources that make it large. The key of `table` makes the places of hosts unguessable.
 * `cause` may be NULL. If it already waits, it keeps its place if that is better.
 * Returns 0, or -ENOMEM with nothing changed. */
int host_pace_change(struct host_pace *p, enum family family, mono_t now,
	const struct table *table, const struct host_cause *cause, size_t octets,
	size_t large, struct host_turn *t);
/* Queues a repetition that does not wait yet. Returns 0 or -ENOMEM. */
int host_pace_repeat(struct host_pace *p, enum family family, struct host_turn *t);
/* the one whose turn it is, or NULL if nothing waits */
struct host_turn *host_pace_first(const struct host_pace *p, enum family family);
/* Its turn has come, so it no longer waits. */
void host_pace_take(struct host_pace *p, enum family family, struct host_turn *t);
/* Takes it out of its line; does nothing if it does not wait. */
void host_pace_drop(struct host_pace *p, enum family family, struct host_turn *t);
