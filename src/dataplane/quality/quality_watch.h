/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The streams that one data-plane thread forwards, each with its analyser (quality.h),
 * in fixed memory. The thread passes in every datagram, and any thread reads the
 * results without locks. Pure: time comes in, and memory is allocated once.
 *
 * If all places are taken, a new stream replaces one that has been silent for 10 s. If
 * there is no such stream, the new one is not watched. Results are published at the
 * first datagram, with every complete second, and after bursts in which faults were
 * found. If quality_watch_tick() is called when it is due, they are also published
 * within a second after the last datagram.
 *
 * A thread that did not run for a while finds old datagrams in its rings. Therefore a
 * stream is silent only if the thread knows that none of its datagrams waits there.
 *
 * If QUALITY_MODE_AUTO gets more MPEG-TS datagrams per second than the budget, the
 * streams take turns of a second in which they are analysed fully. At other times they
 * are analysed lightly: only their arrival and their RTP headers. Loss in RTP is
 * therefore always found.
 *
 * Times of datagrams come from CLOCK_REALTIME and are converted to CLOCK_MONOTONIC.
 * When CLOCK_REALTIME was set, all streams begin again (quality_resume()).
 */

#include "base/addr.h"
#include "dataplane/quality/quality.h"

enum quality_mode {
	QUALITY_MODE_OFF = 1,
	QUALITY_MODE_AUTO,
	QUALITY_MODE_ON, /* without a budget */
};

/* Streams of a thread. Each takes 4.5 KiB of memory as soon as it is used. */
#define QUALITY_WATCH_STREAMS 2048
/* MPEG-TS datagrams per second that a thread analyses fully (QUALITY_MODE_AUTO). */
#define QUALITY_WATCH_BUDGET 100000
/* A stream that begins within this time after quality_watch_mark() gets the mark. */
#define QUALITY_MARK_NS (60 * NS_PER_SEC)

struct quality_stream {
	struct addr group, source;
	uint16_t dport; /* UDP destination port */
	uint8_t port;	/* number of the input port */
};

/* A consistent copy of the results of a stream. It is copied in words of 8 bytes. */
struct quality_view {
	_Alignas(8) struct quality_stream stream;
	/* If this number has changed, the stream has lost its place and got another one
	 * meanwhile, so its counters began at 0 again. */
	uint32_t generation;
	enum quality_kind kind;
	/* datagrams that were analysed lightly count as QUALITY_TRUNCATED */
	uint64_t count[_QUALITY_COUNT_N];
	struct quality_result result;
	int64_t gap_max_ns; /* the longest gap so far, also an unfinished one */
	/* datagrams that were analysed fully and lightly, and fragments, which are not
	 * judged */
	uint64_t full, light, fragments;
	mono_t first, last; /* when the first and the last datagram came */
	/* Nothing came for more than a second after `last`, and no datagram of the
	 * stream waits in a ring. */
	bool silent;
	/* The last mark, or 0 if there was none; and when the first datagram, PAT and
	 * random access came after it, or MONO_UNSET. */
	uint32_t mark;
	mono_t mark_first, mark_pat, mark_random;
};

struct quality_watch_stats {
	unsigned streams, max; /* places that are used, and their number */
	/* datagrams since the start: analysed fully, lightly, and of streams without a
	 * place */
	uint64_t full, light, unwatched;
	bool sampling; /* the budget is exceeded now */
};

struct quality_watch;

/* Returns for how many streams a thread should have room on a machine with `memory`
 * bytes, or 0 if unknown. They take at most 1/64 of it, but the result is at least 128,
 * and at most QUALITY_WATCH_STREAMS. */
unsigned quality_watch_streams(uint64_t memory);

/* `mode` must not be QUALITY_MODE_OFF, and `n_streams` must be 1 to 16,384. Returns 0
 * or -ENOMEM. */
int quality_watch_new(enum quality_mode mode, unsigned n_streams, unsigned budget,
	struct quality_watch **ret);
struct quality_watch *quality_watch_free(struct quality_watch *w);

/* ---- for the thread: bursts of flows of datagrams ---- */

/* A reading of both clocks: CLOCK_REALTIME in nanoseconds since 1970, and
 * CLOCK_MONOTONIC immediately before and after it. */
struct quality_moment {
	mono_t before, after;
	int64_t real_ns;
};
/* Begins a burst. */
void quality_watch_begin(struct quality_watch *w, const struct quality_moment *now);
/* Fetches the memory of a flow into the cache, because its datagrams come soon. */
void quality_watch_expect(const struct quality_watch *w, unsigned port,
	const struct addr *source, const struct addr *group);
/* The datagrams that follow are of this flow. The addresses are borrowed until the next
 * flow. */
void quality_watch_flow(struct quality_watch *w, unsigned port,
	const struct addr *source, const struct addr *group);
/* `payload` is what follows the UDP header. `real_ns` is when the datagram was
 * received, in nanoseconds since 1970. */
void quality_watch_datagram(struct quality_watch *w, uint16_t dport,
	const uint8_t *payload, size_t len, int64_t real_ns);
/* A fragment of a datagram. Only the first fragment has the UDP port (has_port).
 * Another one is counted for the stream of the flow that was active last. */
void quality_watch_fragment(
	struct quality_watch *w, bool has_port, uint16_t dport, int64_t real_ns);
/* Ends a burst. */
void quality_watch_end(struct quality_watch *w);

/* When quality_watch_tick() is due, if no burst comes before; or MONO_NEVER. */
mono_t quality_watch_due(const struct quality_watch *w);
/* Publishes what is not yet published. The caller has passed in all datagrams that came
 * before `until`, so an outage begins for each stream that was silent for more than a
 * second before `until`. If there are many streams, it handles a part of them and is
 * due again at once. */
void quality_watch_tick(struct quality_watch *w, mono_t now, mono_t until);
/* Publishes everything. Another thread may also call it while no thread uses the
 * watch. */
void quality_watch_flush(struct quality_watch *w);

/* ---- for control: one thread ---- */

/* Notes, under the number `mark`, when the first datagram, PAT and random access of the
 * group's streams come after `now`. `mark` must not be 0. */
void quality_watch_mark(
	struct quality_watch *w, const struct addr *group, uint32_t mark, mono_t now);
/* The group is no longer forwarded. Its streams continue with quality_resume() at the
 * first datagram after `now`, so that the pause does not count as a gap. */
void quality_watch_restart(
	struct quality_watch *w, const struct addr *group, mono_t now);

/* ---- for any thread ---- */

/* Calls `fn` for each stream of a group, or of all groups if `group` is NULL. Leaves
 * out a stream if the thread writes its view during each of several attempts to read
 * it. */
void quality_watch_views(const struct quality_watch *w, const struct addr *group,
	void (*fn)(void *arg, const struct quality_view *v), void *arg);
/* Adds the numbers of this watch to *sum, and sets sum->sampling if it is sampling. */
void quality_watch_stats(
	const struct quality_watch *w, struct quality_watch_stats *sum);
