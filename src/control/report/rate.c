/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Rates of forwarding entries, see rate.h. A reading is a flat hash table that is
 * filled from scratch each time, so entries that are gone drop out by themselves. A key
 * is kept as its hash of 64 bits. Two entries with the same hash would share a wrong
 * rate, which does not happen in practice.
 */

#include "control/report/rate.h"

#include <stdlib.h>

struct rate_slot {
	uint64_t key; /* 0 means free */
	uint64_t packets, bytes;
	uint32_t rate_known;
	float rate_packets;
	double rate_bytes;
};

void rate_table_init(struct rate_table *t, uint64_t seed)
{
	*t = (struct rate_table){0};
	table_init(&t->keys, seed);
}

static void rate_forget(struct rate_reading *r)
{
	free(r->slot);
	*r = (struct rate_reading){0};
}

void rate_table_deinit(struct rate_table *t)
{
	rate_forget(&t->last);
	rate_forget(&t->next);
	table_deinit(&t->keys);
}

static uint64_t key_of_entry(const struct rate_table *t, unsigned instance,
	const struct addr *source, const struct addr *group)
{
	struct {
		struct addr source, group;
		uint32_t instance;
	} k = {*source, *group, instance};
	uint64_t key = table_hash(&t->keys, &k, sizeof(k));

	return key ? key : 1;
}

/* The slot of the key, or the free one where it belongs; NULL if the table is full. */
static struct rate_slot *rate_find(const struct rate_reading *r, uint64_t key)
{
	for (size_t i = 0; i < r->n_slots; i++) {
		struct rate_slot *s = &r->slot[(key + i) & (r->n_slots - 1)];

		if (s->key == key || s->key == 0)
			return s;
	}
	return NULL;
}

bool rate_begin(struct rate_table *t, mono_t now, size_t n)
{
	size_t slots = 64;

	if (mono_is_set(t->last.at) &&
		!mono_due(mono_add_ms(t->last.at, RATE_MIN_MS), now))
		return false;
	while (slots < 2 * n)
		slots *= 2;
	t->next.slot = n > RATE_MAX ? NULL : calloc(slots, sizeof(struct rate_slot));
	if (!t->next.slot) {
		rate_forget(&t->last);
		t->interval_ms = 0;
		return false;
	}
	t->next.n_slots = slots;
	t->next.at = now;
	return true;
}

/* The rate since the previous reading. An entry that this does not have began at 0, and
 * one that has counted backwards is a new one. */
static void compute(const struct rate_table *t, struct rate_slot *s)
{
	const struct rate_slot *old = rate_find(&t->last, s->key);
	double seconds = (double)(t->next.at.ns - t->last.at.ns) / NS_PER_SEC;
	uint64_t packets = s->packets, bytes = s->bytes;

	if (!mono_is_set(t->last.at))
		return;
	if (old && old->key && old->packets <= packets && old->bytes <= bytes) {
		packets -= old->packets;
		bytes -= old->bytes;
	}
	s->rate_known = true;
	s->rate_packets = (float)((double)packets / seconds);
	s->rate_bytes = (double)bytes / seconds;
}

struct rate rate_of(struct rate_table *t, unsigned instance, const struct addr *source,
	const struct addr *group, uint64_t packets, uint64_t bytes)
{
	uint64_t key = key_of_entry(t, instance, source, group);
	struct rate_slot *s;

	if (mono_is_set(t->next.at)) {
		s = rate_find(&t->next, key);
		if (s) {
			*s = (struct rate_slot){key, packets, bytes, 0, 0, 0};
			compute(t, s);
		}
	} else {
		s = rate_find(&t->last, key);
	}
	if (!s || !s->key || !s->rate_known)
		return (struct rate){0};
	return (struct rate){true, (uint64_t)(s->rate_packets + 0.5f),
		(uint64_t)(s->rate_bytes + 0.5)};
}

void rate_end(struct rate_table *t)
{
	if (!mono_is_set(t->next.at))
		return;
	t->interval_ms =
		mono_is_set(t->last.at) ? mono_ms_since(t->last.at, t->next.at) : 0;
	rate_forget(&t->last);
	t->last = t->next;
	t->next = (struct rate_reading){0};
}

void rate_abandon(struct rate_table *t)
{
	rate_forget(&t->next);
}
