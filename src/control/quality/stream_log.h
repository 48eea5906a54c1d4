/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The results of each stream: sums of its counters since the start, verdicts, and
 * history. The caller passes in the views of the data plane once per second while
 * streams flow, and the interval between two views is judged (stream_verdict.h). Times
 * are those of CLOCK_MONOTONIC. The memory is bounded. When it is full, the stream that
 * has been silent longest loses first its history, then its entry. Pure.
 */

#include "base/state.h"
#include "base/table.h"
#include "control/quality/stream_history.h"
#include "control/quality/stream_verdict.h"
#include "dataplane/quality/quality_watch.h"

#include <net/if.h>

#define STREAM_LOG_MAX 4096 /* streams, if the memory suffices */
/* A silent stream has an outage for this time. After that, the stream has ended. */
#define STREAM_LOG_OUTAGE_MS 600000
/* Datagrams that are neither RTP nor MPEG-TS may be rare announcements. A pause of that
 * kind of stream counts as an outage only after this many seconds without a pause. */
#define STREAM_LOG_STEADY 10
/* A stream is called clean again after this time without a fault. */
#define STREAM_LOG_CLEAN_MS 60000

/* Control's facts about the interval that a view completes. */
struct stream_local {
	bool wanted; /* some output gets the stream */
	bool asked;  /* a host asks for it again and again */
	unsigned viewers;
	/* when drops of the input's rings were last noticed, or MONO_UNSET */
	mono_t ring_at;
	/* what was dropped of its group since some fixed time */
	uint64_t refused[_STREAM_DROP_N];
};

struct stream_entry {
	struct table_node node;
	struct stream_entry *newer, *older; /* by when it was last judged */
	struct quality_stream stream;
	struct history history;
	/* the last view; `based` is true if this process has read one */
	bool based;
	uint32_t generation;
	enum quality_kind kind;
	struct quality_result result;
	uint64_t count[_QUALITY_COUNT_N], lost, full, light, fragments;
	uint64_t refused[_STREAM_DROP_N];
	mono_t last;	 /* its last datagram, or MONO_UNSET */
	bool silent;	 /* as in the last view */
	unsigned steady; /* intervals in a row with datagrams */
	/* sums since the start */
	uint64_t total[_QUALITY_COUNT_N];
	uint64_t total_full, total_light, total_fragments;
	/* what was dropped while it was wanted; for STREAM_DROP_RING, seconds */
	uint64_t dropped[_STREAM_DROP_N];
	uint64_t place_seconds[_STREAM_PLACE_N];
	uint64_t provider_seconds, router_seconds;
	int64_t gap_max_ns;
	mono_t first; /* its first datagram, or when the entry began */
	/* the present state */
	bool wanted;
	mono_t wanted_since;
	unsigned viewers;
	struct stream_verdict now; /* the verdict on the last interval */
	bool open;   /* it flows or has an outage, so it must be judged again */
	bool faulty; /* there was a fault within STREAM_LOG_CLEAN_MS */
	struct stream_verdict fault; /* the last verdict with a fault */
	mono_t fault_at, faulty_since;
	uint64_t faulty_seconds, faulty_lost; /* since faulty_since */
	uint32_t faulty_kinds; /* kinds of faults since then, each of which was news */
};

/* Returns how many RTP numbers never came, since the start. */
static inline uint64_t stream_entry_lost(const struct stream_entry *e)
{
	uint64_t missing = e->total[QUALITY_RTP_MISSING],
		 late = e->total[QUALITY_RTP_REORDERED];

	return missing > late ? missing - late : 0;
}

/* The verdict that counts at present: the last fault, until it is over. */
static inline const struct stream_verdict *stream_entry_present(
	const struct stream_entry *e)
{
	return e->faulty ? &e->fault : &e->now;
}

struct stream_log;

/* `seed` is for the hash table. `memory` is the bound in bytes; with 0 nothing is kept.
 * Returns 0 or -ENOMEM. */
int stream_log_new(uint64_t seed, size_t memory, struct stream_log **ret);
struct stream_log *stream_log_free(struct stream_log *l);
/* Sets another bound. Drops the oldest streams at once if they take more memory. */
void stream_log_set_memory(struct stream_log *l, size_t memory);
size_t stream_log_memory(const struct stream_log *l); /* in use */
size_t stream_log_size(const struct stream_log *l);   /* streams */

enum stream_event {
	STREAM_NOTHING,
	STREAM_FAULT_NEW, /* the stream became faulty, or has a fault of another kind;
			   * see `fault` */
	STREAM_BECAME_CLEAN,
};

/* Takes a view that was read at `now`, and judges the interval since the previous one.
 * *ret_entry is valid until the next call, and NULL if there was no memory. */
enum stream_event stream_log_see(struct stream_log *l, mono_t now,
	const struct quality_view *v, const struct stream_local *local,
	struct stream_entry **ret_entry);

/* Calls `fn` for each stream that an earlier process has handed over and no thread has
 * seen in this one, as long as it may have an outage or a fault that is not over. `v`
 * is the view that a thread would publish if it had received nothing of the stream;
 * pass it to stream_log_see(), but not within `fn`, which must not change the log. */
void stream_log_unseen(const struct stream_log *l, mono_t now,
	void (*fn)(void *arg, const struct quality_view *v), void *arg);

/* Walks over the streams, beginning with the one that was judged last. Returns the
 * stream after `e`, or the first one if `e` is NULL; and NULL at the end. An entry is
 * valid until the log changes. */
const struct stream_entry *stream_log_next(
	const struct stream_log *l, const struct stream_entry *e);
/* Returns the stream with that key, or NULL. */
const struct stream_entry *stream_log_find(
	const struct stream_log *l, const struct quality_stream *key);

/* Returns the worst present verdict on the streams of a source to a group. */
enum stream_place stream_log_worst(const struct stream_log *l, const struct addr *group,
	const struct addr *source);

/* Returns the verdict on a range of time: the place with more bad seconds; else clean;
 * or unknown if nothing was judged. */
enum stream_place stream_log_place(const struct history_sum *sum);

/* Write and read the log for a live upgrade. Ports are written by name. `name` returns
 * the name of a port, or NULL if the port is gone, and `port` returns the number of a
 * name, or < 0 if there is none. Times are those of CLOCK_MONOTONIC, which both
 * processes share. stream_log_import() returns 0, -ENOMEM, or -EINVAL if the state is
 * faulty; then the log has what could be read. */
void stream_log_export(const struct stream_log *l, struct state_out *o,
	const char *(*name)(void *ctx, unsigned port), void *ctx);
int stream_log_import(struct stream_log *l, mono_t now, struct state_in *in,
	int (*port)(void *ctx, const char *name), void *ctx);
