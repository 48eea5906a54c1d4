/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * See refusals.h. The slots of a group are found by its hash and searched one by one. A
 * reader that meets the writer retries a few times, then skips the slot: a slot that is
 * written so often can be read a moment later.
 */

#include "base/refusals.h"

#include "base/slot.h"

#define TRIES 4

static uint64_t key_of_refusal(const struct refusal *r)
{
	return (uint64_t)r->why << 32 | (r->port + 1);
}

static const struct refusal_slot *set_of(
	const struct refusals *v, const struct addr *group)
{
	return v->slot[slot_set(group, REFUSALS_SETS)];
}

/* The slot of this group, port and reason, else the one to replace. */
static struct refusal_slot *refusals_slot_of(
	struct refusals *v, const struct refusal *r)
{
	struct refusal_slot *set =
		(struct refusal_slot *)(uintptr_t)set_of(v, &r->group);
	struct refusal_slot *oldest = set;
	uint64_t key = key_of_refusal(r);

	for (unsigned i = 0; i < REFUSALS_WAYS; i++) {
		struct addr group;

		slot_get_addr(set[i].group, &group);
		if (slot_get(&set[i].key) == key && addr_eq(&group, &r->group))
			return &set[i];
		if (slot_get(&oldest->key) &&
			(!slot_get(&set[i].key) ||
				slot_get(&set[i].at) < slot_get(&oldest->at)))
			oldest = &set[i];
	}
	slot_put(&oldest->n, 0);
	return oldest;
}

void refusals_note(struct refusals *v, const struct refusal *r)
{
	struct refusal_slot *s = refusals_slot_of(v, r);
	uint32_t turn = atomic_load_explicit(&s->turn, memory_order_relaxed);

	atomic_store_explicit(&s->turn, turn + 1, memory_order_relaxed);
	slot_put(&s->key, key_of_refusal(r));
	slot_put_addr(s->group, &r->group);
	slot_put_addr(s->from, &r->from);
	atomic_store_explicit(&s->value, r->value, memory_order_release);
	slot_put(&s->n, slot_get(&s->n) + r->n);
	slot_put(&s->at, r->at);
	/* pairs with the acquire in read_refusal() */
	atomic_store_explicit(&s->turn, turn + 2, memory_order_release);
	atomic_store_explicit(&v->n,
		atomic_load_explicit(&v->n, memory_order_relaxed) + 1,
		memory_order_relaxed);
}

/* Returns false if the slot is free, or changes all the time. */
static bool read_refusal(const struct refusal_slot *s, struct refusal *ret)
{
	for (unsigned i = 0; i < TRIES; i++) {
		/* pairs with the release in refusals_note() */
		uint32_t turn = atomic_load_explicit(&s->turn, memory_order_acquire);
		uint64_t key = slot_get(&s->key);

		ret->port = (unsigned)(key & UINT32_MAX) - 1;
		ret->why = (unsigned)(key >> 32);
		slot_get_addr(s->group, &ret->group);
		slot_get_addr(s->from, &ret->from);
		ret->value = atomic_load_explicit(&s->value, memory_order_acquire);
		ret->n = slot_get(&s->n);
		ret->at = slot_get(&s->at);
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
		if (read_refusal(&set[i], &r) && addr_eq(&r.group, group))
			fn(arg, &r);
}

void refusals_all(const struct refusals *v,
	void (*fn)(void *arg, const struct refusal *r), void *arg)
{
	struct refusal r;

	for (unsigned i = 0; i < REFUSALS_SETS * REFUSALS_WAYS; i++)
		if (read_refusal(&v->slot[i / REFUSALS_WAYS][i % REFUSALS_WAYS], &r))
			fn(arg, &r);
}
