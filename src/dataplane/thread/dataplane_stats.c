/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Counters of the data plane, see dataplane.h: sums over threads, and over earlier
 * processes (live upgrade). Only for the control thread. The threads keep counting
 * while their counters are read.
 */

#include "dataplane/thread/dataplane.h"

#include "base/sys/clock.h"
#include "dataplane/thread/dataplane_priv.h"

#define SUMS_TRIES 4

/* Returns the counters of a thread, or for dp->n those that belong to no thread. */
static struct forward_counters *counters_of(struct dataplane *dp, unsigned thread)
{
	return thread < dp->n ? worker_counters(dp->worker[thread]) : &dp->drained;
}

static uint64_t get(_Atomic uint64_t *counter)
{
	return atomic_load_explicit(counter, memory_order_relaxed);
}

static void dataplane_stats_add(uint64_t *sum, _Atomic uint64_t *counter, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		sum[i] += get(&counter[i]);
}

void dataplane_port_stats(
	struct dataplane *dp, unsigned port, struct dataplane_port_stats *ret)
{
	struct port_state *st = &dp->port[port];
	struct dataplane_port_stats sum = {0};

	for (unsigned t = 0; t <= dp->n; t++) {
		struct forward_port_counters *c = &counters_of(dp, t)->port[port];

		dataplane_stats_add(sum.count, c->count, _PORT_COUNT_THREAD_N);
		dataplane_stats_add(sum.verdict, c->drop, _VERDICT_N);
	}
	for (enum set_kind k = SET_IPV4; k < _SET_N; k++)
		if (st->set[k])
			dataplane_read_rings(dp, st->set[k]);
	dataplane_stats_add(sum.count, st->count, _PORT_COUNT_N);
	*ret = sum;
}

void dataplane_refusals(struct dataplane *dp, const struct addr *group,
	void (*fn)(void *arg, const struct refusal *r), void *arg)
{
	for (unsigned t = 0; t < dp->n; t++) {
		const struct refusals *v = worker_refusals(dp->worker[t]);

		if (group)
			refusals_of(v, group, fn, arg);
		else
			refusals_all(v, fn, arg);
	}
}

void dataplane_joined(struct dataplane *dp, const struct addr *group,
	const struct addr *source, struct joined_counts *ret)
{
	*ret = (struct joined_counts){0};
	for (unsigned t = 0; t < dp->n; t++)
		joined_sum(worker_joined(dp->worker[t]), group, source, ret);
}

void dataplane_quality(struct dataplane *dp, const struct addr *group,
	void (*fn)(void *arg, const struct quality_view *v), void *arg)
{
	for (unsigned t = 0; t < dp->n; t++)
		if (worker_quality(dp->worker[t]))
			quality_watch_views(
				worker_quality(dp->worker[t]), group, fn, arg);
}

void dataplane_quality_mark(
	struct dataplane *dp, const struct addr *group, uint32_t mark)
{
	mono_t now = {clock_ns(CLOCK_MONOTONIC)};

	for (unsigned t = 0; t < dp->n; t++)
		if (worker_quality(dp->worker[t]))
			quality_watch_mark(
				worker_quality(dp->worker[t]), group, mark, now);
}

void dataplane_quality_restart(struct dataplane *dp, const struct addr *group)
{
	mono_t now = {clock_ns(CLOCK_MONOTONIC)};

	for (unsigned t = 0; t < dp->n; t++)
		if (worker_quality(dp->worker[t]))
			quality_watch_restart(
				worker_quality(dp->worker[t]), group, now);
}

void dataplane_quality_stats(struct dataplane *dp, struct quality_watch_stats *ret)
{
	*ret = (struct quality_watch_stats){0};
	for (unsigned t = 0; t < dp->n; t++)
		if (worker_quality(dp->worker[t]))
			quality_watch_stats(worker_quality(dp->worker[t]), ret);
}

uint64_t dataplane_n_refusals(struct dataplane *dp)
{
	uint64_t n = 0;

	for (unsigned t = 0; t < dp->n; t++)
		n += atomic_load_explicit(
			&worker_refusals(dp->worker[t])->n, memory_order_relaxed);
	return n;
}

/* On most processors, later loads see everything that was stored before this value. */
static uint64_t get_first(_Atomic uint64_t *counter)
{
	/* pairs with nothing: see dataplane_sums() */
	return atomic_load_explicit(counter, memory_order_acquire);
}

static void add_done(struct dataplane *dp, struct balance_sums *sums)
{
	for (unsigned t = 0; t <= dp->n; t++) {
		struct forward_counters *c = counters_of(dp, t);

		for (unsigned i = 0; i < PORT_MAX; i++) {
			struct forward_port_counters *p = &c->port[i];

			sums->forwarded += get_first(&p->drop[VERDICT_FORWARDED]);
			for (unsigned v = 1; v < _VERDICT_FRAME_N; v++)
				sums->dropped += get_first(&p->drop[v]);
			for (unsigned v = _VERDICT_FRAME_N; v < _VERDICT_N; v++)
				sums->refused += get_first(&p->drop[v]);
			sums->sent += get_first(&p->count[PORT_COUNT_TX_PACKETS]);
		}
	}
}

static void add_begun(struct dataplane *dp, struct balance_sums *sums)
{
	for (unsigned t = 0; t <= dp->n; t++) {
		struct forward_counters *c = counters_of(dp, t);

		sums->due += get(&c->count[THREAD_COUNT_DUE]);
		for (unsigned i = 0; i < PORT_MAX; i++)
			sums->fragments += get(&c->port[i].count[PORT_COUNT_FRAGMENTS]);
	}
	for (unsigned i = 0; i < PORT_MAX; i++) {
		struct port_state *st = &dp->port[i];

		for (enum set_kind k = SET_IPV4; k < _SET_N; k++)
			if (st->set[k])
				dataplane_read_rings(dp, st->set[k]);
		sums->ring_packets += get(&st->count[PORT_COUNT_RING_PACKETS]);
		sums->ring_drops += get(&st->count[PORT_COUNT_RING_DROPS]);
		sums->abandoned += get(&st->count[PORT_COUNT_ABANDONED]);
	}
}

static void read_sums(struct dataplane *dp, struct balance_sums *ret)
{
	bool before, after;

	*ret = (struct balance_sums){0};
	/* both pair with the release in generation_free() */
	before = atomic_load_explicit(&dp->n_closing, memory_order_acquire) > 0;
	add_done(dp, ret);
	add_begun(dp, ret);
	after = atomic_load_explicit(&dp->n_closing, memory_order_acquire) > 0;
	ret->closing = before || after;
}

void dataplane_sums(struct dataplane *dp, struct balance_sums *ret)
{
	/* The threads store with relaxed order, because a stricter one would slow them
	 * down. For a moment, a processor may therefore show that something is done
	 * before it shows that it was begun; then the sums are read again. */
	for (unsigned i = 0; i < SUMS_TRIES; i++) {
		read_sums(dp, ret);
		if (balance_plausible(ret))
			break;
	}
}

void dataplane_stats(struct dataplane *dp, struct dataplane_stats *ret)
{
	struct dataplane_stats sum = {0};

	for (unsigned t = 0; t <= dp->n; t++) {
		struct forward_counters *c = counters_of(dp, t);

		dataplane_stats_add(sum.count, c->count, _THREAD_COUNT_N);
		dataplane_stats_add(sum.run_end, c->run_end, _JOINED_N);
	}
	if (dp->params.local)
		tx_local_counts(
			dp->params.local, &sum.local_packets, &sum.local_errors);
	*ret = sum;
}

void dataplane_thread_stats(
	struct dataplane *dp, unsigned thread, struct dataplane_thread_stats *ret)
{
	struct worker *w = dp->worker[thread];
	struct forward_counters *c = worker_counters(w);

	*ret = (struct dataplane_thread_stats){
		.cpu = worker_cpu(w),
		.cpu_ns = worker_cpu_ns(w),
		.asleep = get(&c->asleep),
		.io_uring = worker_uses_uring(w),
	};
	dataplane_stats_add(ret->count, c->count, _THREAD_COUNT_N);
	for (unsigned i = 0; i < PORT_MAX; i++)
		ret->copies += get(&c->port[i].count[PORT_COUNT_TX_PACKETS]);
}

static void add_latency(struct dataplane_delay *sum, struct latency_counters *c)
{
	dataplane_stats_add(sum->bucket, c->bucket, LATENCY_BUCKETS);
	sum->sum_ns += get(&c->sum_ns);
}

void dataplane_delay(struct dataplane *dp, struct dataplane_delay *ret_oldest,
	struct dataplane_delay *ret_newest)
{
	*ret_oldest = *ret_newest = (struct dataplane_delay){0};
	for (unsigned t = 0; t < dp->n; t++) {
		struct forward_counters *c = worker_counters(dp->worker[t]);

		add_latency(ret_oldest, &c->oldest);
		add_latency(ret_newest, &c->newest);
	}
}

void dataplane_ring_queue(struct dataplane *dp, unsigned port, enum family family,
	unsigned thread, struct dataplane_queue *ret)
{
	const struct socket_set *s =
		dp->port[port].set[family == FAMILY_IPV4 ? SET_IPV4 : SET_IPV6];
	struct ring_rx_fill fill;

	*ret = (struct dataplane_queue){0};
	if (!s || thread >= s->n)
		return;
	ring_rx_fill(s->thread[thread].ring, &fill);
	ret->open = true;
	ret->used = (double)fill.full / fill.looked;
	ret->bytes = fill.bytes;
}

void dataplane_tx_queue(
	struct dataplane *dp, unsigned port, uint64_t *ret_used, uint64_t *ret_limit)
{
	const struct socket_set *s = dp->port[port].set[SET_TX];

	*ret_used = *ret_limit = 0;
	for (unsigned i = 0; s && i < s->n; i++) {
		uint32_t used, limit;

		tx_port_queue(s->thread[i].tx, &used, &limit);
		*ret_used += used;
		*ret_limit += limit;
	}
}
