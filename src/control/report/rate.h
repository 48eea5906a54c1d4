/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Packets and bytes per second of forwarding entries, from two readings of their
 * counters. Counters are read only on request. A request takes a new reading if the
 * last one is old enough, else it gets the rates of the last one. Readings have their
 * own memory of 64 bytes for each of at most RATE_MAX entries. Pure.
 */

#include "base/addr.h"
#include "base/mono.h"
#include "base/table.h"

#define RATE_MAX    131072 /* entries; with more there are no rates */
#define RATE_MIN_MS 450	   /* between readings, because closer ones say little */

struct rate {
	bool known;
	uint64_t packets, bytes; /* per second */
};

struct rate_slot;

struct rate_reading {
	mono_t at; /* MONO_UNSET if there was no reading */
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

/* Asks for the rates of about `n` entries. Returns true if the caller must first walk
 * over all of them with rate_of() and then call rate_end(), or false if the last
 * reading is new enough. */
bool rate_begin(struct rate_table *t, mono_t now, size_t n);
/* During a walk, takes the counters of an entry. Otherwise returns its rate at the last
 * reading. */
struct rate rate_of(struct rate_table *t, unsigned instance, const struct addr *source,
	const struct addr *group, uint64_t packets, uint64_t bytes);
void rate_end(struct rate_table *t);
/* Gives up a walk that was not finished. The previous rates remain. */
void rate_abandon(struct rate_table *t);
