/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * How long frames collect before the thread takes them (`latency auto`): long enough
 * that datagrams of a stream leave together and the thread seldom wakes, and short
 * enough that a frame is sent within 5/4 of a bound. Pure.
 *
 * The kernel collects the frames of streams of low rate. It hands over a block when the
 * block is full, or when its timer fires, whose period is the bound. If blocks fill up
 * so often that it would cost too much to wake for each, the thread does not watch its
 * rings for a while, and only the clock wakes it.
 */

#include <stddef.h>
#include <stdint.h>

#define COLLECT_BOUND_MS 8 /* the default */

/* Bytes of a block. Frames in a block that is not full wait for the next look, so a
 * block should fill quickly. But the longest super-frame must also fit, with room to
 * spare. */
#define COLLECT_BLOCK (128u * 1024)

/* Returns the bytes of a ring on a machine with `memory` bytes: 1/64 of them, rounded
 * down to a power of two, at least 512K and at most 8M. If the memory is not known (0),
 * also 8M. */
uint32_t collect_ring(uint64_t memory);

/* A ring that had frames in the last turn. */
struct collect_ring {
	uint64_t taken; /* bytes of the ring that they filled, not 0 */
	uint64_t size;	/* of the whole ring */
	uint32_t block;
};

/* The last turn of the thread, after which nothing else was ready. */
struct collect_turn {
	uint64_t bound_ns;  /* the period of the timers of the rings */
	uint64_t period_ns; /* from the beginning of the turn before; not 0 */
	uint64_t busy_ns;   /* from its beginning until everything was sent */
};

/* Returns for how many nanoseconds the thread may ignore all rings, or 0 if it should
 * sleep until the kernel hands over a block. At the present rate a frame is sent within
 * 5/4 of the bound after it came. Exceptions are a burst that takes too long to send,
 * and a ring that was nearly silent. */
uint64_t collect_wait(
	const struct collect_turn *t, const struct collect_ring *ring, size_t n);

/* Returns after how many nanoseconds a thread that ignores a ring of `size` bytes must
 * check whether the ring is a quarter full. The link may suddenly be used to its full
 * capacity. */
uint64_t collect_part(uint64_t size);
