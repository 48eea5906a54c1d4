/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Packets and bytes per second of forwarding entries, from two readings of their
 * counters. Nothing is read unless somebody asks: a request takes a new reading when
 * the last one is old enough, else it gets the rates of the last one. Memory lies here
 * and not in the entries: 64 bytes for each of at most RATE_MAX. Pure.
 */

#include "base/addr.h"
#include "base/mono.h"
#include "base/table.h"

#define RATE_MAX    131072 /* entries; above that there are no rates */
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

/* Zero bytes and rate_table_init(). */
struct rate_table {
	struct table keys; /* for its hash alone */
	struct rate_reading last, next;
	/* between the readings that the rates come from; 0 means none */
	int64_t interval_ms;
};

void rate_table_init(struct rate_table *t, uint64_t seed);
void rate_table_deinit(struct rate_table *t);

/* Rates are wanted of about `n` entries. True if a walk over all of them with rate_of()
 * and rate_end() is to come first, false: the last one will do. */
bool rate_begin(struct rate_table *t, mono_t now, size_t n);
/* The next one of the walk, with its counters; without a walk, what the last one has
 * found. */
struct rate rate_of(struct rate_table *t, unsigned instance, const struct addr *source,
	const struct addr *group, uint64_t packets, uint64_t bytes);
void rate_end(struct rate_table *t);
/* The walk has not got to its end: there are the rates of before. */
void rate_abandon(struct rate_table *t);
