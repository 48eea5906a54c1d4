/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Hash of the forwarding table: multiply-fold with secret operands. Keys come from the
 * network, and an attacker that could predict the bucket could fill one.
 */

#include "base/mul64.h"

#include <stdint.h>
#include <string.h>

struct fib_secret {
	uint64_t w[5];
};

/* The hash of two words. `i` is 0 or 1 and chooses one of two independent functions. */
static inline uint64_t fib_hash_pair(
	const struct fib_secret *secret, unsigned i, uint64_t x, uint64_t y)
{
	return mul64_fold(x ^ secret->w[2 * i], y ^ secret->w[2 * i + 1]);
}

static inline uint64_t fib_hash_end(const struct fib_secret *secret, uint64_t h)
{
	return mul64_fold(h, secret->w[4]);
}
