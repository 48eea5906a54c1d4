/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Stream bookkeeping of the receiver. A stream is counted from the first datagram
 * received, because a receiver that joins in the middle has lost nothing before. The
 * window has a bit for each of the last sequence numbers.
 */

#include "tools/gen/gen_track.h"

#include "base/cleanup.h"

#include <stdlib.h>

#define SUB_BUCKETS 32

void gen_track_init(struct gen_track *t)
{
	*t = (struct gen_track){.n_untracked = 0};
	table_init(&t->streams, 1);
}

void gen_track_deinit(struct gen_track *t)
{
	table_for_each (&t->streams, n) {
		table_remove(&t->streams, n);
		free(container_of(n, struct gen_stream, node));
	}
	table_deinit(&t->streams);
}

static struct gen_stream *get_stream(
	struct gen_track *t, const struct gen_stream_key *key)
{
	uint64_t hash = table_hash(&t->streams, key, sizeof(*key));
	struct table_node *n = table_find(&t->streams, hash);
	struct gen_stream *s;

	for (; n; n = table_next(n)) {
		s = container_of(n, struct gen_stream, node);
		if (memcmp(&s->key, key, sizeof(*key)) == 0)
			return s;
	}
	if (t->streams.n >= GEN_MAX_STREAMS)
		return NULL;
	s = calloc(1, sizeof(*s));
	if (!s)
		return NULL;
	s->key = *key;
	if (table_insert(&t->streams, &s->node, hash) < 0) {
		free(s);
		return NULL;
	}
	return s;
}

static bool window_test_and_set(struct gen_stream *s, uint64_t seq)
{
	uint64_t *w = &s->window[seq % GEN_WINDOW / 64],
		 bit = UINT64_C(1) << (seq % 64);
	bool was = *w & bit;

	*w |= bit;
	return was;
}

static void window_advance(struct gen_stream *s, uint64_t to)
{
	if (to - s->highest >= GEN_WINDOW)
		memset(s->window, 0, sizeof(s->window));
	else
		for (uint64_t i = s->highest + 1; i <= to; i++)
			s->window[i % GEN_WINDOW / 64] &= ~(UINT64_C(1) << (i % 64));
	s->highest = to;
}

static void track_order(struct gen_stream *s, uint64_t seq)
{
	if (s->n_unique == 0) {
		s->first = s->highest = seq;
	} else if (seq > s->highest) {
		window_advance(s, seq);
	} else if (s->highest - seq < GEN_WINDOW) {
		if (window_test_and_set(s, seq)) {
			s->count.n_duplicate++;
			return;
		}
		s->count.n_reordered++;
	} else if (seq < s->first) {
		s->count.n_reordered++;
	} else {
		/* older than the window; a datagram that comes so late counts as
		 * lost */
		s->count.n_duplicate++;
		return;
	}
	window_test_and_set(s, seq);
	if (seq < s->first)
		s->first = seq;
	s->n_unique++;
}

static unsigned bucket_of(uint64_t v)
{
	unsigned shift;

	if (v < SUB_BUCKETS)
		return (unsigned)v;
	shift = 58u - (unsigned)__builtin_clzll(v);
	return (shift + 1) * SUB_BUCKETS + (unsigned)(v >> shift & (SUB_BUCKETS - 1));
}

static int64_t bucket_middle(unsigned bucket)
{
	unsigned shift = bucket / SUB_BUCKETS;

	if (shift == 0)
		return bucket;
	shift--;
	return ((int64_t)(bucket % SUB_BUCKETS + SUB_BUCKETS) << shift) +
		((INT64_C(1) << shift) / 2);
}

static void latency_add(struct gen_latency *l, int64_t ns)
{
	/* the sender has another clock */
	if (ns < 0)
		return;
	if (l->n == 0 || ns < l->min)
		l->min = ns;
	if (l->n == 0 || ns > l->max)
		l->max = ns;
	l->n++;
	l->bucket[bucket_of((uint64_t)ns)]++;
}

int64_t gen_latency_percentile(const struct gen_latency *l, unsigned percent)
{
	uint64_t wanted = (l->n * percent + 99) / 100, seen = 0;

	for (unsigned i = 0; i < array_len(l->bucket); i++) {
		int64_t v;

		seen += l->bucket[i];
		if (seen < wanted || seen == 0)
			continue;
		v = bucket_middle(i); /* a bucket in use: the value fits */
		return v < l->min ? l->min : v > l->max ? l->max : v;
	}
	return 0;
}

void gen_track_datagram(struct gen_track *t, struct gen_stream_key *key,
	const uint8_t *buf, size_t size, int64_t now_ns)
{
	struct gen_stamp stamp = {.stream = 0};
	enum gen_payload kind = gen_payload_read(buf, size, &stamp);
	struct gen_stream *s;

	key->stream = stamp.stream;
	s = get_stream(t, key);
	if (!s) {
		t->n_untracked++;
		return;
	}
	if (s->count.n_received++ == 0)
		s->first_ns = now_ns;
	s->last_ns = now_ns;
	s->count.n_bytes += size;
	switch (kind) {
	case GEN_PAYLOAD_GOOD:
		track_order(s, stamp.seq);
		latency_add(&t->latency, now_ns - stamp.sent_ns);
		break;
	case GEN_PAYLOAD_CORRUPT:
		s->count.n_corrupt++;
		break;
	case GEN_PAYLOAD_FOREIGN:
		s->count.n_foreign++;
		break;
	}
}

struct gen_count gen_stream_count(const struct gen_stream *s)
{
	struct gen_count c = s->count;

	if (s->n_unique)
		c.n_lost = s->highest - s->first + 1 - s->n_unique;
	return c;
}

struct gen_count gen_track_total(const struct gen_track *t)
{
	struct gen_count sum = {.n_received = t->n_untracked};

	table_for_each (&t->streams, n) {
		struct gen_count c =
			gen_stream_count(container_of(n, struct gen_stream, node));

		sum.n_received += c.n_received;
		sum.n_bytes += c.n_bytes;
		sum.n_lost += c.n_lost;
		sum.n_duplicate += c.n_duplicate;
		sum.n_reordered += c.n_reordered;
		sum.n_corrupt += c.n_corrupt;
		sum.n_foreign += c.n_foreign;
	}
	return sum;
}

static int by_group(const void *x, const void *y)
{
	const struct gen_stream_key *a = &(*(struct gen_stream *const *)x)->key;
	const struct gen_stream_key *b = &(*(struct gen_stream *const *)y)->key;
	int r = addr_cmp(&a->group, &b->group);

	if (r == 0)
		r = (a->port > b->port) - (a->port < b->port);
	if (r == 0)
		r = addr_cmp(&a->source, &b->source);
	if (r == 0)
		r = (a->stream > b->stream) - (a->stream < b->stream);
	return r;
}

struct gen_stream **gen_track_sorted(const struct gen_track *t, size_t *ret_n)
{
	struct gen_stream **v = calloc(t->streams.n + 1, sizeof(*v));
	size_t i = 0;

	if (!v)
		return NULL;
	table_for_each (&t->streams, n)
		v[i++] = container_of(n, struct gen_stream, node);
	qsort(v, i, sizeof(*v), by_group);
	*ret_n = i;
	return v;
}
