/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * How long frames take through the data plane, from the kernel's receive time stamp
 * until the kernel has the copies. It is a histogram whose bounds are powers of two.
 * One thread writes, with relaxed stores. Pure; the worker reads the clock, once per
 * burst.
 */

#include <stdatomic.h>
#include <stdint.h>

/* Bucket i counts frames that took at most 2^i microseconds. The last but one ends at
 * 2^21 us, which is about 2 s, and the last one has no bound. */
#define LATENCY_BUCKETS 23

struct latency_counters {
	_Atomic uint64_t bucket[LATENCY_BUCKETS];
	_Atomic uint64_t sum_ns;
};

static inline unsigned latency_bucket(uint64_t ns)
{
	uint64_t us = ns / 1000 + (ns % 1000 != 0);
	unsigned i = us <= 1 ? 0 : 64 - (unsigned)__builtin_clzll(us - 1);

	return i < LATENCY_BUCKETS ? i : LATENCY_BUCKETS - 1;
}

/* upper bound of all buckets except the last */
static inline uint64_t latency_bound_us(unsigned bucket)
{
	return UINT64_C(1) << bucket;
}

/* Makes one number, which grows with time, of a receive time stamp of a ring: seconds
 * and nanoseconds since 1970. */
static inline uint64_t latency_stamp(uint32_t sec, uint32_t nsec)
{
	return (uint64_t)sec << 32 | nsec;
}

/* seconds since 1970 */
static inline uint32_t latency_stamp_s(uint64_t stamp)
{
	return (uint32_t)(stamp >> 32);
}

/* nanoseconds since 1970 */
static inline uint64_t latency_stamp_ns(uint64_t stamp)
{
	return (stamp >> 32) * 1000000000 + (stamp & UINT32_MAX);
}

/* Returns the nanoseconds from a time stamp until `now`, a time stamp of the same
 * clock, or 0 if the clock was set back meanwhile. */
static inline uint64_t latency_since(uint64_t stamp, uint64_t now)
{
	int64_t sec = (int64_t)(now >> 32) - (int64_t)(stamp >> 32);
	int64_t ns = sec * 1000000000 + (int64_t)(now & UINT32_MAX) -
		(int64_t)(stamp & UINT32_MAX);

	return ns > 0 ? (uint64_t)ns : 0;
}
