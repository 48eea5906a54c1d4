/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * A set of ports. A port is ringcast's own small number for a configured interface; it
 * stays the same while the interface comes and goes with changing kernel indexes.
 */

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define PORT_MAX 256

struct portset {
	uint64_t w[PORT_MAX / 64];
};

static inline void portset_add(struct portset *s, unsigned port)
{
	s->w[port / 64] |= UINT64_C(1) << (port % 64);
}

static inline void portset_del(struct portset *s, unsigned port)
{
	s->w[port / 64] &= ~(UINT64_C(1) << (port % 64));
}

static inline bool portset_has(const struct portset *s, unsigned port)
{
	return s->w[port / 64] >> (port % 64) & 1;
}

static inline bool portset_eq(const struct portset *a, const struct portset *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

static inline bool portset_empty(const struct portset *s)
{
	return !(s->w[0] | s->w[1] | s->w[2] | s->w[3]);
}

static inline unsigned portset_count(const struct portset *s)
{
	unsigned n = 0;

	for (unsigned i = 0; i < PORT_MAX / 64; i++)
		n += (unsigned)__builtin_popcountll(s->w[i]);
	return n;
}

static inline void portset_or(struct portset *s, const struct portset *b)
{
	for (unsigned i = 0; i < PORT_MAX / 64; i++)
		s->w[i] |= b->w[i];
}

static inline void portset_intersect(struct portset *s, const struct portset *b)
{
	for (unsigned i = 0; i < PORT_MAX / 64; i++)
		s->w[i] &= b->w[i];
}

/* the ports in exactly one of the two */
static inline void portset_toggle(struct portset *s, const struct portset *b)
{
	for (unsigned i = 0; i < PORT_MAX / 64; i++)
		s->w[i] ^= b->w[i];
}

/* first member >= port, or PORT_MAX if there is none */
static inline unsigned portset_next(const struct portset *s, unsigned port)
{
	for (unsigned i = port / 64; i < PORT_MAX / 64; i++) {
		uint64_t w = s->w[i];

		if (i == port / 64)
			w &= ~UINT64_C(0) << (port % 64);
		if (w)
			return i * 64 + (unsigned)__builtin_ctzll(w);
	}
	return PORT_MAX;
}

#define portset_for_each(s, port)                                                      \
	for (unsigned port = portset_next(s, 0); port < PORT_MAX;                      \
		port = portset_next(s, port + 1))
