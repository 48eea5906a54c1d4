/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What quality_watch.c (streams) and quality_watch_view.c (readers, orders of control)
 * share. */

#include "dataplane/quality/quality_watch.h"

#include <stdatomic.h>

#define WATCH_ORDER_SETS 32
#define WATCH_ORDER_WAYS 8
#define WATCH_GROUPS	 256
#define WATCH_VIEW_WORDS (sizeof(struct quality_view) / sizeof(uint64_t))
#define WATCH_NONE	 UINT16_MAX /* no slot */

/* The place of a stream. Only the thread uses it, except for the last three members. */
struct watch_slot {
	struct quality_stream stream;
	uint32_t generation, epoch;
	uint32_t hash;
	uint16_t next_dirty; /* in the list of w->dirty */
	uint16_t next_group; /* in a list of w->groups[] */
	bool dirty;
	bool full;	/* to be looked at fully, in this burst */
	bool seen;	/* in this burst */
	bool news;	/* to be published at the end of the burst */
	bool mark_open; /* not everything was found */
	mono_t first, last;
	int64_t resume_after; /* a datagram later than this is not compared with those
				 before; INT64_MAX if all are */
	mono_t restart_at;    /* the last order that was met */
	uint64_t full_n, light_n, fragments;
	uint32_t mark;
	mono_t mark_at, mark_first, mark_pat, mark_random;
	uint64_t faults;    /* that are published */
	uint64_t published; /* datagrams and fragments */
	struct quality q;
	_Atomic uint32_t turn; /* odd while the view is written; 0 if it never was */
	_Atomic uint64_t last_ns;
	_Atomic uint64_t view[WATCH_VIEW_WORDS];
} __attribute__((aligned(64)));

/* What control wants for a group. Written by control, read by the thread. */
struct watch_order {
	_Atomic uint32_t turn;	 /* odd while it is written */
	_Atomic uint64_t serial; /* of the last order; 0 means free */
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
	unsigned budget, max, mask; /* of places in index[] */
	uint64_t key;		    /* of the hash */
	struct watch_slot *slot;
	_Atomic unsigned n_used;   /* of slot[] */
	_Atomic uint64_t orders_n; /* serial of the last one */
	_Atomic uint64_t full_n, light_n, unwatched_n;
	_Atomic bool sampling;
	/* thread only */
	uint32_t generation, epoch;
	unsigned hand; /* in slot[]: where to look for room */
	bool has_offset;
	int64_t offset; /* monotonic minus real time */
	mono_t now;
	uint64_t orders_seen;
	mono_t period;	      /* began */
	uint64_t period_n;    /* MPEG-TS datagrams in it */
	unsigned share, turn; /* one of so many streams is looked at fully */
	uint64_t full, light, unwatched;
	unsigned refused; /* streams without room, in this burst */
	struct watch_flow flow;
	struct watch_slot *current;
	uint16_t dirty; /* list of slots with something to publish */
	mono_t due;
	/* lists of slots by group, so that an order does not visit all of them */
	uint16_t groups[WATCH_GROUPS];
	struct watch_order order[WATCH_ORDER_SETS][WATCH_ORDER_WAYS];
	/* open hash: half of it stays free, so probing ends; low bits of the hash << 16 |
	 * slot + 1, 0 means free */
	uint32_t index[];
};

/* Makes the view of a slot what is known now. */
void watch_publish(struct watch_slot *s);
/* Tells the slots what control has ordered since the last call. */
void watch_take_orders(struct quality_watch *w);
/* A new stream: the mark of its group, if there is a recent one. */
void watch_find_mark(const struct quality_watch *w, struct watch_slot *s);
