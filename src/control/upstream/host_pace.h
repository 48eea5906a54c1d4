/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * How many messages the host side sends to the provider, and in which order. Providers
 * drop what a line sends beyond some tens of messages a second, so whoever can cause
 * messages could keep all others from being heard.
 *
 * A bucket holds the messages that may be sent: one for changes and one for answers, so
 * neither can keep the other waiting. Changes that are due wait in lines, which take
 * turns: two for each LAN, one of hosts that change little and one of those that change
 * much, and one for repetitions. So a change waits for one change of each other line.
 *
 * Within a line the hosts take turns, as far as they are told apart, and what is large
 * comes later: each change of a host puts its next one off by the bytes that it takes
 * in a message, and itself by those of its sources. So who has not said anything for a
 * while and names one source at most is next, however many hosts with more to say wait.
 * Pure.
 */

#include "base/addr.h"
#include "base/heap.h"
#include "base/mono.h"
#include "base/portset.h"
#include "base/table.h"

#define HOST_RATE   100	 /* messages per second and bucket */
#define HOST_BURST  200	 /* messages that a full bucket holds */
#define HOST_OWNERS 8192 /* hosts that are told apart: those heard last */
#define HOST_WAYS   8

struct host_bucket {
	mono_t full; /* when it will be full again; zero if it is */
};

/* whose report or silence has changed something */
struct host_cause {
	unsigned port;	       /* downstream */
	const struct addr *by; /* host that has sent a report; NULL means no report */
};

struct host_line {
	struct heap_node place; /* among the lines where something waits, by turn */
	struct heap waiting; /* struct host_turn; the order is the time of the line */
	int64_t turn;	     /* the last that it was given */
	int64_t time; /* that it has come to; moved by what comes and what goes */
};

/* in what waits */
struct host_turn {
	struct heap_node node;
	struct host_line *line; /* NULL if it does not wait */
	int64_t start;		/* before this time of the line it is not its turn */
};

struct host_owner {
	uint64_t id;  /* keyed hash; 0 if the place is free */
	mono_t clock; /* when its changes so far are forgotten */
	const struct host_line *line;
	int64_t next; /* time of that line from which on it may have its next change */
};

struct host_queue {
	struct heap lines;
	int64_t turn; /* the one that has come */
	struct host_line quiet[PORT_MAX], loud[PORT_MAX], own, repeats;
};

struct host_pace {
	struct host_owner owner[HOST_OWNERS / HOST_WAYS][HOST_WAYS];
	struct host_queue queue[_FAMILY_N];
};

/* When the bucket has a message to give; may be long ago. */
mono_t host_bucket_at(const struct host_bucket *b);
/* Messages have been sent; more than there were make the next one wait longer. */
void host_bucket_take(struct host_bucket *b, mono_t now, uint64_t n);

/* 0 or -ENOMEM */
int host_pace_new(struct host_pace **ret_pace);
struct host_pace *host_pace_free(struct host_pace *p); /* takes and returns NULL */

/* A change that comes about now: record bytes without sources, and those of sources
 * that make it large. The key of `table` makes the places of hosts unguessable. `cause`
 * may be NULL. What waits already keeps its place if that is better. 0, or -ENOMEM:
 * nothing has changed. */
int host_pace_change(struct host_pace *p, enum family family, mono_t now,
	const struct table *table, const struct host_cause *cause, size_t octets,
	size_t large, struct host_turn *t);
/* A repetition, which does not wait yet. 0 or -ENOMEM */
int host_pace_repeat(struct host_pace *p, enum family family, struct host_turn *t);
/* whose turn it is; NULL means nothing waits */
struct host_turn *host_pace_first(const struct host_pace *p, enum family family);
/* Its turn has come: it waits no longer. */
void host_pace_take(struct host_pace *p, enum family family, struct host_turn *t);
/* It does not wait any more; a no-op if it does not. */
void host_pace_drop(struct host_pace *p, enum family family, struct host_turn *t);
