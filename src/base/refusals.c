/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * See refusals.h. The slots of a group are found by its hash and searched one by one. A
 * reader that meets the writer looks again a few times, then goes on without the slot:
 * what is written that often is there a moment later.
 *
 * The fields are stored with release and loaded with acquire, so that whoever has seen
 * a new field also sees that `turn` has changed.
 */

#include "base/refusals.h"

#include <string.h>

#define TRIES 4

static uint64_t key_of(const struct refusal *r)
{
	return (uint64_t)r->why << 32 | (r->port + 1);
}

static const struct refusal_slot *set_of(
	const struct refusals *v, const struct addr *group)
{
	uint64_t w[2], h;

	memcpy(w, group->b, sizeof(w));
	h = (w[0] * UINT64_C(0x9e3779b97f4a7c15)) ^ w[1];
	h = (h ^ h >> 32) * UINT64_C(0xff51afd7ed558ccd);
	return v->slot[(h >> 40) % REFUSALS_SETS];
}

/* pairs with the release in put() */
static uint64_t get(const _Atomic uint64_t *field)
{
	return atomic_load_explicit(field, memory_order_acquire);
}

static void put(_Atomic uint64_t *field, uint64_t value)
{
	/* pairs with the acquire in get() */
	atomic_store_explicit(field, value, memory_order_release);
}

static void get_addr(const _Atomic uint64_t field[2], struct addr *ret)
{
	uint64_t w[2] = {get(&field[0]), get(&field[1])};

	memcpy(ret->b, w, sizeof(w));
}

static void put_addr(_Atomic uint64_t field[2], const struct addr *a)
{
	uint64_t w[2];

	memcpy(w, a->b, sizeof(w));
	put(&field[0], w[0]);
	put(&field[1], w[1]);
}

/* The slot of this group, place and reason, else the one that makes room. */
static struct refusal_slot *slot_of(struct refusals *v, const struct refusal *r)
{
	struct refusal_slot *set =
		(struct refusal_slot *)(uintptr_t)set_of(v, &r->group);
	struct refusal_slot *oldest = set;
	uint64_t key = key_of(r);

	for (unsigned i = 0; i < REFUSALS_WAYS; i++) {
		struct addr group;

		get_addr(set[i].group, &group);
		if (get(&set[i].key) == key && addr_eq(&group, &r->group))
			return &set[i];
		if (get(&oldest->key) &&
			(!get(&set[i].key) || get(&set[i].at) < get(&oldest->at)))
			oldest = &set[i];
	}
	put(&oldest->n, 0);
	return oldest;
}

void refusals_note(struct refusals *v, const struct refusal *r)
{
	struct refusal_slot *s = slot_of(v, r);
	uint32_t turn = atomic_load_explicit(&s->turn, memory_order_relaxed);

	atomic_store_explicit(&s->turn, turn + 1, memory_order_relaxed);
	put(&s->key, key_of(r));
	put_addr(s->group, &r->group);
	put_addr(s->from, &r->from);
	atomic_store_explicit(&s->value, r->value, memory_order_release);
	put(&s->n, get(&s->n) + r->n);
	put(&s->at, r->at);
	/* pairs with the acquire in read_slot() */
	atomic_store_explicit(&s->turn, turn + 2, memory_order_release);
	atomic_store_explicit(&v->n,
		atomic_load_explicit(&v->n, memory_order_relaxed) + 1,
		memory_order_relaxed);
}

/* False: it is free, or it changes all the time. */
static bool read_slot(const struct refusal_slot *s, struct refusal *ret)
{
	for (unsigned i = 0; i < TRIES; i++) {
		/* pairs with the release in refusals_note() */
		uint32_t turn = atomic_load_explicit(&s->turn, memory_order_acquire);
		uint64_t key = get(&s->key);

		ret->port = (unsigned)(key & UINT32_MAX) - 1;
		ret->why = (unsigned)(key >> 32);
		get_addr(s->group, &ret->group);
		get_addr(s->from, &ret->from);
		ret->value = atomic_load_explicit(&s->value, memory_order_acquire);
		ret->n = get(&s->n);
		ret->at = get(&s->at);
		if (turn % 2 == 0 &&
			atomic_load_explicit(&s->turn, memory_order_relaxed) == turn)
			return key != 0 && ret->n > 0;
	}
	return false;
}

void refusals_of(const struct refusals *v, const struct addr *group,
	void (*fn)(void *arg, const struct refusal *r), void *arg)
{
	const struct refusal_slot *set = set_of(v, group);
	struct refusal r;

	for (unsigned i = 0; i < REFUSALS_WAYS; i++)
		if (read_slot(&set[i], &r) && addr_eq(&r.group, group))
			fn(arg, &r);
}

void refusals_all(const struct refusals *v,
	void (*fn)(void *arg, const struct refusal *r), void *arg)
{
	struct refusal r;

	for (unsigned i = 0; i < REFUSALS_SETS * REFUSALS_WAYS; i++)
		if (read_slot(&v->slot[i / REFUSALS_WAYS][i % REFUSALS_WAYS], &r))
			fn(arg, &r);
}
