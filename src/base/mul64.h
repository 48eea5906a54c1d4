/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The 128-bit product of two 64-bit numbers. 64-bit machines have an instruction for
 * it. Compilers for 32-bit machines have no 128-bit type, so the product is computed
 * there from four smaller ones.
 */

#include <stdint.h>
#include <string.h>

struct mul64 {
	uint64_t low, high;
};

/* Schoolbook multiplication with digits of 32 bits; correct on every machine. */
static inline struct mul64 mul64_by_halves(uint64_t x, uint64_t y)
{
	uint64_t x0 = (uint32_t)x, x1 = x >> 32, y0 = (uint32_t)y, y1 = y >> 32;
	uint64_t low = x0 * y0, mid = x1 * y0 + (low >> 32); /* neither sum overflows */
	uint64_t cross = x0 * y1 + (uint32_t)mid;

	return (struct mul64){
		cross << 32 | (uint32_t)low,
		x1 * y1 + (mid >> 32) + (cross >> 32),
	};
}

static inline struct mul64 mul64(uint64_t x, uint64_t y)
{
#ifdef __SIZEOF_INT128__
	unsigned __int128 m = (unsigned __int128)x * y;

	return (struct mul64){(uint64_t)m, (uint64_t)(m >> 64)};
#else
	return mul64_by_halves(x, y);
#endif
}

/* Both halves in one word: the step of a multiply-fold hash. */
static inline uint64_t mul64_fold(uint64_t x, uint64_t y)
{
	struct mul64 m = mul64(x, y);

	return m.low ^ m.high;
}

/* The hash of two addresses of 16 bytes and a number, for a table whose size is not
 * secret. Senders choose the addresses, but must not know the key. */
static inline uint64_t mul64_hash_pair(
	uint64_t key, const uint8_t a[16], const uint8_t b[16], unsigned n)
{
	uint64_t x[2], y[2], h;

	memcpy(x, a, sizeof(x));
	memcpy(y, b, sizeof(y));
	h = mul64_fold(x[0] ^ key, x[1] ^ ~key);
	h ^= mul64_fold(y[0] ^ (key >> 7), y[1] ^ (key << 9));
	return mul64_fold(h ^ n, key | 1);
}
