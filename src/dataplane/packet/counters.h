/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The counters of one data-plane thread. Only the thread writes them, with relaxed
 * stores; control sums over the threads with relaxed loads. They have 64 bits and count
 * from the start.
 */

#include "base/joined.h"
#include "base/portset.h"
#include "dataplane/packet/latency.h"
#include "dataplane/packet/verdict.h"

#include <stdatomic.h>

/* Counters of each port. A counter with a name in counters.c is shown by "show stats",
 * and all of them survive a live upgrade. */
enum port_count {
	/* The threads count these. */
	PORT_COUNT_RX_PACKETS, /* packets whose source is accepted on this input */
	PORT_COUNT_RX_BYTES,
	PORT_COUNT_TX_PACKETS, /* copies; each fragment of a copy counts */
	PORT_COUNT_TX_BYTES,
	PORT_COUNT_TX_MESSAGES, /* messages in which the kernel got these copies */
	PORT_COUNT_FRAGMENTS,	/* fragments of a copy, except the first one */
	_PORT_COUNT_THREAD_N,
	/* Control counts these for the port's receive rings. The first three come from
	 * the kernel. */
	PORT_COUNT_RING_PACKETS = _PORT_COUNT_THREAD_N,
	PORT_COUNT_RING_DROPS,
	PORT_COUNT_RING_FREEZES,
	PORT_COUNT_ABANDONED, /* frames that were left in rings that were closed */
	_PORT_COUNT_N,
};

/* Counters of each thread. "show stats" shows those with a name in counters.c, and
 * those before _THREAD_COUNT_KEPT_N survive a live upgrade. */
enum thread_count {
	THREAD_COUNT_FRAMES, /* frames that were judged */
	THREAD_COUNT_BURSTS,
	THREAD_COUNT_BLOCKS,
	THREAD_COUNT_BLOCK_TIMEOUTS,
	THREAD_COUNT_WAKEUPS,
	_THREAD_COUNT_KEPT_N,
	/* turns of the thread's loop, which show that it is alive */
	THREAD_COUNT_TURNS = _THREAD_COUNT_KEPT_N,
	THREAD_COUNT_DUE,      /* copies that were begun: datagrams, for each port */
	THREAD_COUNT_JOINABLE, /* datagrams that might be joined */
	THREAD_COUNT_JOINED,   /* messages that these datagrams became */
	THREAD_COUNT_TRIALS,   /* comparisons of two ways to send (choice.h) */
	_THREAD_COUNT_N,
};

/* Return the name, or NULL if "show stats" does not show the counter. */
const char *port_count_name(enum port_count c);
const char *thread_count_name(enum thread_count c);

struct forward_port_counters {
	_Atomic uint64_t count[_PORT_COUNT_THREAD_N];
	/* verdicts on frames that came in here, and on copies that leave here */
	_Atomic uint64_t drop[_VERDICT_N];
};

struct forward_counters {
	_Atomic uint64_t count[_THREAD_COUNT_N];
	_Atomic uint64_t run_end[_JOINED_N]; /* THREAD_COUNT_JOINED by reason */
	_Atomic uint64_t asleep; /* 1 while the thread waits for its rings */
	/* of the oldest and of the newest frame of each burst that was sent */
	struct latency_counters oldest, newest;
	struct forward_port_counters port[PORT_MAX];
};

/* There is one writer, so a load and a store are enough. */
static inline void counter_add(_Atomic uint64_t *counter, uint64_t n)
{
	uint64_t old = atomic_load_explicit(counter, memory_order_relaxed);

	atomic_store_explicit(counter, old + n, memory_order_relaxed);
}

static inline void counter_set(_Atomic uint64_t *counter, uint64_t n)
{
	atomic_store_explicit(counter, n, memory_order_relaxed);
}

static inline void counter_add_latency(struct latency_counters *c, uint64_t ns)
{
	counter_add(&c->bucket[latency_bucket(ns)], 1);
	counter_add(&c->sum_ns, ns);
}

static inline void counter_add_port(
	struct forward_counters *c, unsigned port, enum port_count what, uint64_t n)
{
	counter_add(&c->port[port].count[what], n);
}

/* Counts what a port has sent. */
static inline void counter_add_tx(struct forward_counters *c, unsigned port,
	unsigned messages, unsigned packets, uint64_t bytes)
{
	counter_add_port(c, port, PORT_COUNT_TX_MESSAGES, messages);
	counter_add_port(c, port, PORT_COUNT_TX_PACKETS, packets);
	counter_add_port(c, port, PORT_COUNT_TX_BYTES, bytes);
}

static inline void counter_add_verdict(
	struct forward_counters *c, unsigned port, enum verdict v, unsigned n)
{
	counter_add(&c->port[port].drop[v], n);
}
