/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Packets and bytes per second of forwarding entries, from two readings of their
 * counters. Nothing is read without a request: a request takes a new reading if the
 * last one is old enough, else it gets the rates of the last one. The memory is here
 * and not in the entries: 64 bytes for each of at most RATE_MAX. Pure.
 */

#include "base/addr.h"
#include "base/mono.h"
#include "base/table.h"

#define RATE_MAX    131072 /* entries; with more there are no rates */
#define RATE_MIN_MS 450	   /* between readings: closer ones say little */

struct rate {
	bool known;
	uint64_t packets, bytes; /* per second */
};

struct rate_slot;

struct rate_reading {
	mono_t at; /* MONO_UNSET means none */
	struct rate_slot *slot;
	size_t n_slots; /* a power of two */
};

/* All zero before rate_table_init(). */
struct rate_table {
	struct table keys; /* only for its hash */
	struct rate_reading last, next;
	/* time between the two readings of the rates, or 0 */
	int64_t interval_ms;
};

void rate_table_init(struct rate_table *t, uint64_t seed);
void rate_table_deinit(struct rate_table *t);

/* Rates of about `n` entries are wanted. Returns true if the caller must first walk
 * over all of them with rate_of() and rate_end(), false if the last reading is new
 * enough. */
bool rate_begin(struct rate_table *t, mono_t now, size_t n);
/* The next entry of the walk, with its counters. Outside of a walk, the rates of the
 * last one. */
struct rate rate_of(struct rate_table *t, unsigned instance, const struct addr *source,
	const struct addr *group, uint64_t packets, uint64_t bytes);
void rate_end(struct rate_table *t);
/* The walk was not finished, so the previous rates remain. */
void rate_abandon(struct rate_table *t);
