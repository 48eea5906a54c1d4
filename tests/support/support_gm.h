/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Addresses for protocol tests of both families: groups by number, sources by digit,
 * hosts by number. */

#include "base/addr.h"

static inline struct addr gm_group(enum family f, unsigned n)
{
	struct addr v6 = {{0xff, 0x0e, [14] = (uint8_t)(n >> 8), [15] = (uint8_t)n}};

	return f == FAMILY_IPV4 ? ADDR_V4(239, 1, (uint8_t)(n >> 8), (uint8_t)n) : v6;
}

static inline struct addr gm_source(enum family f, char digit)
{
	struct addr v6 = {{0x20, 0x01, 0x0d, 0xb8, [15] = (uint8_t)(digit - '0')}};

	return f == FAMILY_IPV4 ? ADDR_V4(10, 0, 0, (uint8_t)(digit - '0')) : v6;
}

static inline struct addr gm_host(enum family f, unsigned n)
{
	struct addr v6 = {{0xfe, 0x80, [14] = (uint8_t)(n >> 8), [15] = (uint8_t)n}};

	return f == FAMILY_IPV4 ? ADDR_V4(10, 1, (uint8_t)(n >> 8), (uint8_t)n) : v6;
}

static inline size_t gm_sources(enum family f, const char *digits, struct addr *ret)
{
	size_t n = 0;

	for (; digits[n]; n++)
		ret[n] = gm_source(f, digits[n]);
	return n;
}

static inline char gm_digit(const struct addr *a)
{
	return (char)('0' + a->b[15]);
}

static inline const char *gm_digits(const struct addr *v, size_t n, char buf[16])
{
	for (size_t i = 0; i < n && i < 15; i++)
		buf[i] = gm_digit(&v[i]);
	buf[n < 15 ? n : 15] = '\0';
	return buf;
}
