/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * How long frames collect before the thread takes them (`latency auto`): long enough
 * that datagrams of a stream leave together and the thread seldom wakes, and no longer
 * than a bound. Pure.
 *
 * The kernel collects thin streams: a block is handed over when its timer fires, which
 * runs all the time with the bound as its period, or before that when it is full. If
 * blocks fill up so often that waking for each would be too much, the thread does not
 * watch its rings for a while, and only the clock wakes it.
 */

#include <stddef.h>
#include <stdint.h>

#define COLLECT_BOUND_MS     8	 /* unless told otherwise */
#define COLLECT_BOUND_MS_MAX 100 /* a ring of 16 blocks is good for that */

/* Bytes of a ring on a machine with so much memory: 1/64 of it, rounded down to a power of
 * two, at least 512K and at most 8M; also 8M where the memory is not known (0). */
uint32_t collect_ring(uint64_t memory);
/* Bytes of a block in a ring of `ring` bytes. */
uint32_t collect_block(uint32_t ring);

/* a ring that had frames since the thread last looked away or slept */
struct collect_ring {
	uint64_t taken; /* bytes of the ring that they filled, not 0 */
	uint64_t size;	/* of the whole ring */
	uint32_t block;
};

/* Nothing is ready. Nanoseconds to look away from all rings, 0 means sleep until the
 * kernel hands over a block. `period_ns` is the time in which the n rings took what
 * they did, and bound_ns the period of their timers: no frame waits longer, unless its
 * stream has just begun in a ring that was silent. */
uint64_t collect_wait(uint64_t bound_ns, uint64_t period_ns,
	const struct collect_ring *ring, size_t n);
