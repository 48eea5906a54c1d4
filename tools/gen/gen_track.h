/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * What the receiver of ringcast-gen knows about the streams that it hears: order,
 * losses, duplicates, and how long the datagrams were on their way.
 */

#include "base/addr.h"
#include "base/table.h"
#include "tools/gen/gen_payload.h"

#define GEN_WINDOW	2048  /* sequence numbers in which duplicates are recognized */
#define GEN_MAX_STREAMS 65536 /* further ones are counted only in the totals */

struct gen_count {
	uint64_t n_received, n_bytes;
	uint64_t n_lost, n_duplicate, n_reordered;
	uint64_t n_corrupt, n_foreign;
};

struct gen_stream_key {
	struct addr source, group;
	uint32_t stream; /* 0 for datagrams without a good stamp */
	uint16_t source_port, port;
};

struct gen_stream {
	struct table_node node;
	struct gen_stream_key key;
	struct gen_count count;
	uint64_t first, highest, n_unique;
	int64_t first_ns, last_ns;
	uint64_t window[GEN_WINDOW / 64];
};

/* A histogram of nanoseconds, with buckets of 3 % width. */
struct gen_latency {
	uint64_t n, bucket[60 * 32];
	int64_t min, max;
};

struct gen_track {
	struct table streams;
	struct gen_latency latency;
	uint64_t n_untracked;
};

void gen_track_init(struct gen_track *t);
void gen_track_deinit(struct gen_track *t);

/* Counts a datagram that came at now_ns, in the stream of `key`. Sets key->stream. */
void gen_track_datagram(struct gen_track *t, struct gen_stream_key *key,
	const uint8_t *buf, size_t size, int64_t now_ns);

/* Return the counts of all streams together, and of one stream, with the losses that
 * are known so far. */
struct gen_count gen_track_total(const struct gen_track *t);
struct gen_count gen_stream_count(const struct gen_stream *s);
/* Returns all streams, sorted by group, port and source. The caller frees the array.
 * Returns NULL if there are no streams, or when out of memory. */
struct gen_stream **gen_track_sorted(const struct gen_track *t, size_t *ret_n);

/* Returns the value below which `percent` of the datagrams are, or 0 if there are
 * none. */
int64_t gen_latency_percentile(const struct gen_latency *l, unsigned percent);
