/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Fields of a slot that one thread writes and others read without locks (refusals,
 * joined). They are stored with release and loaded with acquire, so that a reader that
 * has seen a new field also sees that the slot's `turn` has changed.
 */

#include "base/addr.h"

#include <stdatomic.h>
#include <string.h>

/* pairs with the release in slot_put() */
static inline uint64_t slot_get(const _Atomic uint64_t *field)
{
	return atomic_load_explicit(field, memory_order_acquire);
}

/* pairs with the acquire in slot_get() */
static inline void slot_put(_Atomic uint64_t *field, uint64_t value)
{
	atomic_store_explicit(field, value, memory_order_release);
}

static inline void slot_get_addr(const _Atomic uint64_t field[2], struct addr *ret)
{
	uint64_t w[2] = {slot_get(&field[0]), slot_get(&field[1])};

	memcpy(ret->b, w, sizeof(w));
}

static inline void slot_put_addr(_Atomic uint64_t field[2], const struct addr *a)
{
	uint64_t w[2];

	memcpy(w, a->b, sizeof(w));
	slot_put(&field[0], w[0]);
	slot_put(&field[1], w[1]);
}

static inline bool slot_has_addr(const _Atomic uint64_t field[2], const struct addr *a)
{
	struct addr here;

	slot_get_addr(field, &here);
	return addr_eq(&here, a);
}

/* Returns the number of the set, of `n_sets`, in which the slots of an address are. */
static inline unsigned slot_set(const struct addr *a, unsigned n_sets)
{
	uint64_t w[2], h;

	memcpy(w, a->b, sizeof(w));
	h = (w[0] * UINT64_C(0x9e3779b97f4a7c15)) ^ w[1];
	h = (h ^ h >> 32) * UINT64_C(0xff51afd7ed558ccd);
	return (unsigned)(h >> 40) % n_sets;
}
