/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * How well the datagrams of a stream could be joined: how many there were, in how many
 * messages they left, and why each of these messages was not longer. People use it to
 * see what a stream costs, so a bounded memory is enough: a new stream replaces the one
 * that has been silent longest, and old figures fade.
 *
 * One thread writes, any thread reads without locks. Pure.
 */

#include "base/addr.h"

#include <stdatomic.h>

/* Why no further datagram went into a message. Each message has one reason. */
enum joined_end {
	/* the burst has no further datagram of these addresses and ports */
	JOINED_LAST,
	/* the last datagram was shorter than the others, or the next one is longer */
	JOINED_SIZE,
	JOINED_FULL,	 /* the message has its largest size */
	JOINED_HEADER,	 /* TTL, TOS, DF or flow label of the next one differ */
	JOINED_ID,	 /* the next identification does not follow, and must stay */
	JOINED_CHECKSUM, /* the checksum is wrong, or is 0 and must stay 0 */
	JOINED_KIND,	 /* a fragment, IP options, no UDP, or already a super-frame */
	JOINED_PORTS,	 /* too many datagrams of other ports are in between */
	JOINED_OFF,	 /* `coalesce off`, or no output takes super-frames */
	_JOINED_N
};

#define JOINED_WAYS 4
#define JOINED_SETS 128
/* Messages of a stream after which all of its counts are halved. */
#define JOINED_FADE 65536u

struct joined_counts {
	uint32_t datagrams, messages;
	uint32_t end[_JOINED_N]; /* messages by reason; their sum is `messages` */
};

struct joined_slot {
	_Atomic uint32_t turn; /* odd while it is being written */
	_Atomic uint32_t datagrams, messages;
	_Atomic uint32_t end[_JOINED_N];
	_Atomic uint64_t group[2], from[2];
	_Atomic uint64_t at; /* time of the last note; 0 if the slot is free */
};

/* All zero at the beginning. */
struct joined {
	struct joined_slot slot[JOINED_SETS][JOINED_WAYS];
};

const char *joined_end_name(enum joined_end e); /* static: "last", "size", ... */

/* Adds the counts of a stream in a burst. `at` is any growing clock, never 0. */
void joined_note(struct joined *j, const struct addr *group, const struct addr *from,
	const struct joined_counts *n, uint64_t at);
/* Adds to *sum the counts of the streams of a group. They are those of the source
 * `from`, or of all sources if `from` is NULL. */
void joined_sum(const struct joined *j, const struct addr *group,
	const struct addr *from, struct joined_counts *sum);
