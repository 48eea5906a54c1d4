/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The last 24 hours of all streams together: viewers in each minute, the groups that
 * were watched most, and the faults. It is made of the minutes of stream_history.h. The
 * memory has a fixed size. Times are those of CLOCK_MONOTONIC. Pure.
 */

#include "control/quality/stream_log.h"

#define STREAM_DAY_WATCHED 10
#define STREAM_DAY_FAULTS  64

/* A group, and how long it was watched. */
struct stream_day_watched {
	struct addr group;
	unsigned instance;
	uint32_t viewer_minutes; /* two viewers for an hour are 120 */
	unsigned viewers;	 /* the most at once */
};

/* Minutes in a row in which one stream had faults. */
struct stream_day_fault {
	struct quality_stream stream;
	mono_t begin, end;
	struct history_sum sum;
};

struct stream_day {
	mono_t end;			       /* of the last minute */
	uint32_t viewers[HISTORY_MINUTES_MAX]; /* the oldest minute first */
	struct stream_day_watched watched[STREAM_DAY_WATCHED]; /* the most first */
	size_t n_watched;
	struct stream_day_fault fault[STREAM_DAY_FAULTS]; /* the newest first */
	size_t n_faults;
	uint64_t n_forgotten; /* older faults for which there was no room */
	/* the group that is being added */
	bool has_group;
	struct addr group;
	unsigned instance;
	uint8_t group_viewers[HISTORY_MINUTES_MAX];
	const struct history_bucket *minute[HISTORY_MINUTES_MAX];
};

/* Begins a day that ends with the minute of `now`. */
void stream_day_begin(struct stream_day *d, mono_t now);
/* Adds a stream of an instance. Streams of one group in one instance must follow each
 * other, because they have the same viewers. */
void stream_day_add(
	struct stream_day *d, const struct stream_entry *e, unsigned instance);
/* Completes the last group. */
void stream_day_end(struct stream_day *d);

/* Returns the most viewers in any of `n` minutes, the first of which is `from`. */
uint32_t stream_day_viewers(const struct stream_day *d, unsigned from, unsigned n);
