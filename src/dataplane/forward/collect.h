/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * How long frames collect before the thread takes them (`latency auto`): long enough
 * that datagrams of a stream leave together and the thread seldom wakes, and so short
 * that a frame is sent within 5/4 of a bound. Pure.
 *
 * The kernel collects thin streams: a block is handed over when its timer fires, which
 * runs all the time with the bound as its period, or before that when it is full. If
 * blocks fill up so often that waking for each would be too much, the thread does not
 * watch its rings for a while, and only the clock wakes it.
 */

#include <stddef.h>
#include <stdint.h>

#define COLLECT_BOUND_MS     8	 /* unless told otherwise */
#define COLLECT_BOUND_MS_MAX 100 /* a ring of 16 blocks can bridge it */

/* Bytes of a block. Frames in a block that is not full wait for the next look, so a
 * block should fill quickly. But the longest super-frame must also fit, with room to
 * spare. */
#define COLLECT_BLOCK (128u * 1024)

/* Bytes of a ring on a machine with so much memory: 1/64 of it, rounded down to a power
 * of two, at least 512K and at most 8M; also 8M where the memory is not known (0). */
uint32_t collect_ring(uint64_t memory);

/* a ring that had frames in the last turn */
struct collect_ring {
	uint64_t taken; /* bytes of the ring that they filled, not 0 */
	uint64_t size;	/* of the whole ring */
	uint32_t block;
};

/* the last turn of the thread, after which nothing else was ready */
struct collect_turn {
	uint64_t bound_ns;  /* the period of the timers of the rings */
	uint64_t period_ns; /* from the turn before it until it began; not 0 */
	uint64_t busy_ns;   /* from its beginning until everything was sent */
};

/* For how many nanoseconds the thread may ignore all rings; 0 means that it should
 * sleep until the kernel hands over a block. At the present rate no frame is sent later
 * than 5/4 of the bound after it came, unless sending a burst takes too long for that
 * or its ring was nearly silent. */
uint64_t collect_wait(
	const struct collect_turn *t, const struct collect_ring *ring, size_t n);

/* While the thread ignores a ring of `size` bytes, it must check after so many
 * nanoseconds whether the ring is a quarter full, because the link may suddenly be used
 * to its full capacity. */
uint64_t collect_part(uint64_t size);
