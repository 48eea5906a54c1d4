/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * A small seeded generator (SplitMix64) for response delays and hash seeds. It is
 * passed as a parameter, so that a test can repeat the same delays. The daemon seeds it
 * from getrandom(2). Not for secrets.
 */

#include "base/mul64.h"

#include <stdint.h>

struct rng {
	uint64_t state;
};

static inline void rng_seed(struct rng *rng, uint64_t seed)
{
	rng->state = seed;
}

static inline uint64_t rng_next(struct rng *rng)
{
	uint64_t z = (rng->state += UINT64_C(0x9e3779b97f4a7c15));

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

/* uniform in [0, n); n must not be 0 */
static inline uint64_t rng_below(struct rng *rng, uint64_t n)
{
	return mul64(rng_next(rng), n).high;
}
