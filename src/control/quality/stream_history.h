/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * What happened to one stream, in buckets of a minute for 24 hours and of an hour for
 * 30 days. Buckets are kept in chunks of 60, and only for times in which the stream was
 * judged. The memory of all streams comes from one pool with a bound. Times are those
 * of CLOCK_MONOTONIC. Pure.
 */

#include "base/mono.h"
#include "base/state.h"

enum history_level {
	HISTORY_MINUTES,
	HISTORY_HOURS,
	_HISTORY_LEVEL_N,
};

#define HISTORY_MINUTES_MAX (24 * 60)
#define HISTORY_HOURS_MAX   (30 * 24)
#define HISTORY_CHUNK	    60 /* buckets */

/* All numbers stop at their largest value. */
struct history_bucket {
	uint16_t judged;	   /* seconds; 0 means that the bucket is empty */
	uint16_t provider, router; /* seconds with faults, by where these happened */
	uint16_t lost;		   /* missing RTP sequence numbers */
	uint16_t continuity;	   /* continuity errors */
	uint16_t gap_ms;	   /* the largest history_second.gap_ns */
	uint16_t rate;		   /* mean, in units of 10 kbit/s */
	uint8_t viewers;	   /* the most hosts at once */
	uint8_t flags;		   /* HISTORY_PERHAPS, HISTORY_BEYOND */
};
_Static_assert(sizeof(struct history_bucket) == 16, "a bucket has 16 bytes");

/* There were seconds with the verdict STREAM_PERHAPS, or STREAM_BEYOND. */
#define HISTORY_PERHAPS 1
#define HISTORY_BEYOND	2

struct history_chunk {
	struct history_chunk *older;
	uint32_t number; /* number of the first bucket, divided by HISTORY_CHUNK */
	struct history_bucket bucket[HISTORY_CHUNK];
};

/* The history of one stream; all zero at the beginning. */
struct history {
	struct history_chunk *newest[_HISTORY_LEVEL_N];
	/* the sum of the rates in the bucket that is being filled, and its number */
	uint64_t rate_sum[_HISTORY_LEVEL_N];
	uint32_t rate_at[_HISTORY_LEVEL_N];
};

/* One second that was judged. */
struct history_second {
	bool provider, router, perhaps, beyond;
	uint64_t lost, continuity, rate_bps;
	int64_t gap_ns; /* an outage, or a gap that was the longest so far; else 0 */
	unsigned viewers;
};

/* Sums of some buckets; the gap and the viewers are the largest ones. */
struct history_sum {
	uint64_t judged, provider, router, lost, continuity, rate_bps;
	unsigned gap_ms, viewers;
	bool perhaps, beyond;
};

/* Adds a second to the buckets of its time. A bucket without a chunk takes one from the
 * list *fresh. Returns false if that list had too few chunks. Moves chunks that are too
 * old from the history to the list *ret_old, which the caller owns. */
bool history_add(struct history *h, mono_t now, const struct history_second *s,
	struct history_chunk **fresh, struct history_chunk **ret_old);
/* Returns how many chunks history_add() would need at that time, 0 to 2. */
unsigned history_needs(const struct history *h, mono_t now);
/* Takes the oldest chunk of both levels out of the history and gives it to the caller.
 * Returns NULL if there is none. */
struct history_chunk *history_give(struct history *h);

/* For a range that begins `since_s` seconds before `now`: returns the end of the bucket
 * that contains `now`, and the length of a bucket in seconds. */
mono_t history_end(mono_t now, uint32_t since_s, uint32_t *ret_bucket_s);
/* Sums the buckets that begin at or after `from` and before `to`: buckets of a minute
 * if `from` is within the last 24 hours, else buckets of an hour. */
void history_range(const struct history *h, mono_t now, mono_t from, mono_t to,
	struct history_sum *ret);

/* Fills in the minutes of the 24 hours before `end`, which is from history_end(), the
 * oldest first. NULL is a minute in which nothing was judged. The buckets are valid
 * until the history changes. */
void history_day(const struct history *h, mono_t end,
	const struct history_bucket *ret[HISTORY_MINUTES_MAX]);
/* Adds a bucket to a sum. */
void history_sum_add(struct history_sum *sum, const struct history_bucket *b);

/* Writes all chunks, the oldest first. */
void history_export(const struct history *h, struct state_out *o);
/* Reads the next chunk of a state. Returns false if there is none, or if it is faulty;
 * then *ret must not be used. */
bool history_import(struct state_in *in, mono_t now, enum history_level *ret_level,
	struct history_chunk *ret);
/* Adds a chunk that history_import() has read, which the history then owns. Returns
 * false if the chunk does not follow the newest one, or is too old. */
bool history_append(struct history *h, mono_t now, enum history_level level,
	struct history_chunk *chunk);
