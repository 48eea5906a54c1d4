/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Declarations that quality_watch.c (streams) and quality_watch_view.c (readers, orders
 * of control) share. */

#include "dataplane/quality/quality_watch.h"

#include <stdatomic.h>

#define WATCH_ORDER_SETS 32
#define WATCH_ORDER_WAYS 8
#define WATCH_GROUPS	 256
#define WATCH_VIEW_WORDS (sizeof(struct quality_view) / sizeof(uint64_t))
#define WATCH_NONE	 UINT16_MAX /* no slot */

/* The memory of one stream. Only the thread uses it, but other threads read the last
 * three members. */
struct watch_slot {
	struct quality_stream stream;
	uint32_t generation, epoch;
	uint32_t hash;
	uint16_t next_dirty; /* in the list w->dirty or w->pass */
	uint16_t next_group; /* in a list of w->groups[] */
	bool dirty;
	bool full;	/* it is analysed fully in this burst */
	bool seen;	/* it had a datagram in this burst */
	bool news;	/* publish it at the end of the burst */
	bool silent;	/* see struct quality_view */
	bool mark_open; /* something that the mark asks for has not come yet */
	mono_t first, last;
	/* The first datagram after this time is not compared with earlier ones.
	 * INT64_MAX if there is no such time. */
	int64_t resume_after;
	mono_t restart_at; /* the last restart that was ordered */
	uint64_t full_n, light_n, fragments;
	uint32_t mark;
	mono_t mark_at, mark_first, mark_pat, mark_random;
	/* the faults, and the datagrams and fragments, that are already published */
	uint64_t faults, published;
	struct quality q;
	_Atomic uint32_t seq; /* odd while the view is written; 0 if it never was */
	_Atomic uint64_t last_ns;
	_Atomic uint64_t view[WATCH_VIEW_WORDS];
} __attribute__((aligned(64)));

/* What control has ordered for a group. Control writes it, and the thread reads it. */
struct watch_order {
	_Atomic uint32_t seq;	 /* odd while it is written */
	_Atomic uint64_t serial; /* number of the last order; 0 if the place is free */
	_Atomic uint64_t group[2];
	_Atomic uint64_t mark, mark_ns, restart_ns;
};

struct watch_flow {
	unsigned port;
	const struct addr *source, *group;
	uint32_t hash;
};

struct quality_watch {
	enum quality_mode mode;
	unsigned budget;
	unsigned max;  /* slots */
	unsigned mask; /* entries of index[], minus 1 */
	uint64_t key;  /* the key of the hash */
	struct watch_slot *slot;
	_Atomic unsigned n_used;   /* slots that were ever used */
	_Atomic uint64_t orders_n; /* serial of the last order */
	_Atomic uint64_t full_n, light_n, unwatched_n;
	_Atomic bool sampling;
	/* Only the thread uses the rest, except `order`. */
	uint32_t generation, epoch;
	unsigned hand; /* the slot from which the search for room continues */
	bool has_offset;
	int64_t offset; /* monotonic minus real time */
	mono_t now;
	uint64_t orders_seen;
	mono_t period;	   /* when the period of the budget began */
	uint64_t period_n; /* MPEG-TS datagrams in the period */
	unsigned share;	   /* one of this many streams is analysed fully */
	unsigned turn;	   /* grows with each period, and chooses these streams */
	uint64_t full, light, unwatched;
	unsigned refused; /* streams of this burst for which there was no room */
	struct watch_flow flow;
	struct watch_slot *current;
	uint16_t dirty; /* list of slots with something to publish */
	uint16_t pass;	/* the rest of that list, for the pass that has begun */
	mono_t due, next_pass, until; /* the latest `until` of quality_watch_tick() */
	/* lists of slots by group, so that an order does not visit all of them */
	uint16_t groups[WATCH_GROUPS];
	struct watch_order order[WATCH_ORDER_SETS][WATCH_ORDER_WAYS];
	/* A hash table with open addressing. At least half of it is free, so probing
	 * ends. An entry is the low bits of the hash << 16 | slot + 1, or 0 if it is
	 * free. */
	uint32_t index[];
};

/* Copies the results of a stream into the view that other threads read. */
void watch_publish(struct watch_slot *s);
/* Applies to the slots what control has ordered since the last call. */
void watch_take_orders(struct quality_watch *w);
/* Gives a new stream the last restart of its group, before which its first datagram may
 * have come, and the mark, if there is a recent one. */
void watch_find_orders(const struct quality_watch *w, struct watch_slot *s);
