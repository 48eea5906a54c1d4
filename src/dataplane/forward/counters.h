/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * What one data-plane thread counts. It alone writes, with relaxed stores; control sums
 * over the threads with relaxed loads. 64 bits, since start.
 */

#include "base/joined.h"
#include "base/portset.h"
#include "dataplane/forward/latency.h"
#include "dataplane/packet/verdict.h"

#include <stdatomic.h>

struct forward_port_counters {
	_Atomic uint64_t rx_packets, rx_bytes; /* source accepted on this input */
	_Atomic uint64_t tx_packets, tx_bytes; /* each fragment of a copy counts */
	_Atomic uint64_t tx_messages; /* what they were handed to the kernel in */
	_Atomic uint64_t fragments;   /* packets that a copy became beyond the first */
	_Atomic uint64_t drop[_VERDICT_N]; /* frame verdicts by input port, copy
					      verdicts by output port */
};

struct forward_counters {
	_Atomic uint64_t frames;     /* seen by forward_burst() or forward_drop() */
	_Atomic uint64_t copies_due; /* datagrams of forwarded frames, once per port */
	/* datagrams that were to be joined, messages they became, and why these ended */
	_Atomic uint64_t run_datagrams, runs, run_end[_JOINED_N];
	_Atomic uint64_t bursts, blocks, block_timeouts, wakeups;
	_Atomic uint64_t turns; /* of the thread's loop: it is alive while this grows */
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

static inline void counter_add_verdict(
	struct forward_counters *c, unsigned port, enum verdict v, unsigned n)
{
	counter_add(&c->port[port].drop[v], n);
}
