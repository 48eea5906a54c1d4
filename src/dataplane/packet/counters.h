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
	/* by the threads */
	PORT_COUNT_RX_PACKETS, /* source accepted on this input */
	PORT_COUNT_RX_BYTES,
	PORT_COUNT_TX_PACKETS, /* each fragment of a copy counts */
	PORT_COUNT_TX_BYTES,
	PORT_COUNT_TX_MESSAGES, /* in which these were handed to the kernel */
	PORT_COUNT_FRAGMENTS,	/* packets that a copy became beyond the first */
	_PORT_COUNT_THREAD_N,
	/* by control, of the port's receive rings; the first three as the kernel says
	 */
	PORT_COUNT_RING_PACKETS = _PORT_COUNT_THREAD_N,
	PORT_COUNT_RING_DROPS,
	PORT_COUNT_RING_FREEZES,
	PORT_COUNT_ABANDONED, /* left in rings that were closed */
	_PORT_COUNT_N,
};

/* Counters of each thread. Names and a live upgrade are as above. */
enum thread_count {
	THREAD_COUNT_FRAMES, /* that were judged */
	THREAD_COUNT_BURSTS,
	THREAD_COUNT_BLOCKS,
	THREAD_COUNT_BLOCK_TIMEOUTS,
	THREAD_COUNT_WAKEUPS,
	_THREAD_COUNT_KEPT_N,
	/* of this process alone */
	THREAD_COUNT_TURNS = _THREAD_COUNT_KEPT_N, /* of the thread's loop: it is alive
						      while this grows */
	THREAD_COUNT_DUE,      /* datagrams of forwarded frames, once per port */
	THREAD_COUNT_JOINABLE, /* datagrams that were to be joined ... */
	THREAD_COUNT_JOINED,   /* ... and the messages that they became */
	_THREAD_COUNT_N,
};

/* NULL if it is not shown by name. */
const char *port_count_name(enum port_count c);
const char *thread_count_name(enum thread_count c);

struct forward_port_counters {
	_Atomic uint64_t count[_PORT_COUNT_THREAD_N];
	_Atomic uint64_t drop[_VERDICT_N]; /* frame verdicts by input port, copy
					      verdicts by output port */
};

struct forward_counters {
	_Atomic uint64_t count[_THREAD_COUNT_N];
	_Atomic uint64_t run_end[_JOINED_N];	/* THREAD_COUNT_JOINED by reason */
	_Atomic uint64_t asleep;		/* 1: it waits for its rings */
	struct latency_counters oldest, newest; /* frame of a burst that was sent */
	struct forward_port_counters port[PORT_MAX];
};

/* one writer, so no read-modify-write is needed */
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

/* What a port has sent. */
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
