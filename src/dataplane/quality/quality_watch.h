/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The streams that one data-plane thread forwards, each with its analyser (quality.h),
 * in fixed memory. The thread gives every datagram; any thread reads the results without
 * locks. Pure: time comes in, memory is taken once.
 *
 * A stream that finds no room is not watched: one that has been silent for 10 s makes
 * room, no other. Results are published at the first datagram, with every complete
 * second, after bursts in which faults were found, and a second after the last datagram
 * at the latest if quality_watch_tick() is called when it is due.
 *
 * With QUALITY_MODE_AUTO and more MPEG-TS datagrams per second than the budget, the
 * streams are looked at fully in turn, a second each, and otherwise lightly: only their
 * arrival and their RTP headers. So loss in RTP is always found.
 *
 * Times of datagrams come from CLOCK_REALTIME and are converted to CLOCK_MONOTONIC.
 * When that clock was set, all streams begin again (quality_resume()).
 */

#include "base/addr.h"
#include "dataplane/quality/quality.h"

enum quality_mode {
	QUALITY_MODE_OFF = 1,
	QUALITY_MODE_AUTO,
	QUALITY_MODE_ON, /* without a budget */
};

/* Streams of a thread, 4.5 KiB of memory each as soon as they are used. */
#define QUALITY_WATCH_STREAMS 2048
/* MPEG-TS datagrams per second that a thread looks at fully (QUALITY_MODE_AUTO). */
#define QUALITY_WATCH_BUDGET 100000
/* A stream that begins within this time after a mark of its group gets it. */
#define QUALITY_MARK_NS (60 * NS_PER_SEC)

struct quality_stream {
	struct addr group, source;
	uint16_t dport; /* UDP destination port */
	uint8_t port;	/* input */
};

/* What is known about a stream: a consistent copy. */
struct quality_view {
	struct quality_stream stream;
	/* of this stream in this process; with another number, the counters have begun
	 * at 0 because the stream had made room meanwhile */
	uint32_t generation;
	enum quality_kind kind;
	uint64_t count[_QUALITY_COUNT_N]; /* of a light datagram, QUALITY_TRUNCATED */
	struct quality_result result;
	int64_t gap_max_ns; /* the longest gap so far, or the one that lasts */
	/* datagrams, and fragments of some, which are not judged */
	uint64_t full, light, fragments;
	mono_t first, last; /* datagrams; `last` is that of the last burst */
	uint32_t mark;	    /* the last one, 0 means none, and the first after it: */
	mono_t mark_first, mark_pat, mark_random; /* datagram, PAT, random access; or
						     MONO_UNSET */
};

struct quality_watch_stats {
	unsigned streams, max; /* places that are used, of how many */
	uint64_t full, light;  /* datagrams since start */
	uint64_t unwatched;    /* and those of streams without a place */
	bool sampling;	       /* the budget is exceeded now */
};

struct quality_watch;

/* How many streams a thread should have room for on a machine with so many bytes of memory
 * (0 means unknown), of which they take at most the 64th part: 128 to
 * QUALITY_WATCH_STREAMS. */
unsigned quality_watch_streams(uint64_t memory);

/* For a mode that is not QUALITY_MODE_OFF; `n_streams` at most 16,384. 0 or -ENOMEM. */
int quality_watch_new(enum quality_mode mode, unsigned n_streams, unsigned budget,
	struct quality_watch **ret);
struct quality_watch *quality_watch_free(struct quality_watch *w); /* takes NULL */

/* ---- for the thread: bursts of flows of datagrams ---- */

/* Both clocks, read as close together as possible: the monotonic one before and after
 * the other, in nanoseconds since 1970. */
struct quality_moment {
	mono_t before, after;
	int64_t real_ns;
};
void quality_watch_begin(struct quality_watch *w, const struct quality_moment *now);
/* This flow is one of the next: fetches its memory. */
void quality_watch_expect(const struct quality_watch *w, unsigned port,
	const struct addr *source, const struct addr *group);
/* The datagrams that follow are of this flow. The addresses are borrowed until the next
 * flow. */
void quality_watch_flow(struct quality_watch *w, unsigned port,
	const struct addr *source, const struct addr *group);
/* `payload` as for quality_datagram(), `real_ns` when it was received (nanoseconds since
 * 1970). */
void quality_watch_datagram(struct quality_watch *w, uint16_t dport,
	const uint8_t *payload, size_t len, int64_t real_ns);
/* A fragment of a datagram. Its port is known (has_port) only from the first fragment;
 * without, it is counted for the stream of the flow that was active last. */
void quality_watch_fragment(
	struct quality_watch *w, bool has_port, uint16_t dport, int64_t real_ns);
void quality_watch_end(struct quality_watch *w);

/* When quality_watch_tick() is due, if no burst comes before; or MONO_NEVER. */
mono_t quality_watch_due(const struct quality_watch *w);
/* Publishes what is not yet published; a stream that has been silent for more than a
 * second has an outage. */
void quality_watch_tick(struct quality_watch *w, mono_t now);
/* Publishes everything. Also for another thread, while the watch has none. */
void quality_watch_flush(struct quality_watch *w);

/* ---- for control: one thread ---- */

/* From `now` on, the first datagram, PAT and random access of the group's streams are
 * noted under the number `mark`, which is not 0. */
void quality_watch_mark(
	struct quality_watch *w, const struct addr *group, uint32_t mark, mono_t now);
/* The group is no longer forwarded: the first datagram that comes after `now` continues
 * its streams without a gap (quality_resume()). */
void quality_watch_restart(
	struct quality_watch *w, const struct addr *group, mono_t now);

/* ---- for any thread ---- */

/* Calls `fn` for each stream of a group, or of all groups if it is NULL. A stream whose
 * view is being written all the time is left out. */
void quality_watch_views(const struct quality_watch *w, const struct addr *group,
	void (*fn)(void *arg, const struct quality_view *v), void *arg);
/* Adds to *sum; `sampling` if it is true here. */
void quality_watch_stats(
	const struct quality_watch *w, struct quality_watch_stats *sum);
