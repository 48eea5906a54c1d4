/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The hash index of the forwarding table finds the object of a hash, for one writer and
 * many readers without locks. A bucket is one cache line with eight slots. A slot is
 * one word with the address of an object and 16 bits of its hash, so a search seldom
 * reads another object. A full bucket spills into the next one and counts the objects
 * that it could not take.
 *
 * The table grows and shrinks a few buckets per change. The writer fills another table
 * and then publishes it, and readers see either table as a whole.
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <urcu-qsbr.h>

#define FIB_INDEX_SLOTS 8

/* A slot has the hash in bits 48 to 63 and the address in bits 4 to 47. The first slot
 * of a bucket also has, in bits 0 to 3, the number of its objects that are in a later
 * bucket because it was full. FIB_INDEX_SPILL_MAX means that many or more. */
#define FIB_INDEX_ADDRESS   UINT64_C(0x0000fffffffffff0)
#define FIB_INDEX_SPILL_MAX UINT64_C(0xf)

struct fib_bucket {
	_Alignas(64) _Atomic uint64_t slot[FIB_INDEX_SLOTS];
};

struct fib_buckets;

typedef uint64_t fib_index_hash_fn(const void *obj, const void *arg);

struct fib_index {
	_Atomic(struct fib_buckets *) now; /* the table that readers use */
	/* writer only */
	struct fib_buckets *next; /* the table that is being filled, or NULL */
	size_t n_copied;	  /* buckets of `now` that were copied */
	size_t n;		  /* objects */
	fib_index_hash_fn *hash;
	const void *arg;
};

/* The first bytes of a table; the buckets follow. */
struct fib_buckets {
	_Alignas(64) size_t mask; /* number of buckets - 1 */
	struct fib_bucket *bucket;
	struct rcu_head rcu;
};

/* `hash` calculates the hash of an object again, and gets `arg`. Returns 0 or
 * -ENOMEM. */
int fib_index_init(struct fib_index *ix, fib_index_hash_fn *hash, const void *arg);
/* All readers and call_rcu callbacks must be gone. Zero bytes are a valid argument. */
void fib_index_deinit(struct fib_index *ix);

/* The address of an object must be a multiple of 16. Returns 0, or -ENOMEM with nothing
 * changed. */
int fib_index_add(struct fib_index *ix, uint64_t hash, void *obj);
/* Remove an object that is in the index, or put another one in its place. */
void fib_index_del(struct fib_index *ix, uint64_t hash, const void *obj);
void fib_index_replace(struct fib_index *ix, uint64_t hash, const void *old, void *obj);

size_t fib_index_bytes(const struct fib_index *ix);

/* Calls `fn` for the objects of one bucket at or after `at` (writer). The walk is like
 * that of table_step(): growing and shrinking do not disturb it. Returns where the next
 * bucket begins, or 0 if that was the last one. `fn` must not change the index. */
uint64_t fib_index_step(const struct fib_index *ix, uint64_t at,
	void (*fn)(void *obj, void *arg), void *arg);

/* Readers must load the table again after each quiescent state. */
static inline const struct fib_buckets *fib_index_now(const struct fib_index *ix)
{
	/* pairs with the release in fib_index_publish() */
	return atomic_load_explicit(&ix->now, memory_order_acquire);
}

static inline const struct fib_bucket *fib_index_bucket(
	const struct fib_buckets *t, uint64_t hash)
{
	return &t->bucket[hash & t->mask];
}

static inline void *fib_index_object(uint64_t slot)
{
	return (void *)(uintptr_t)(slot & FIB_INDEX_ADDRESS);
}

/* The object with this hash that `match` accepts, or NULL. */
static inline void *fib_index_find(const struct fib_buckets *t, uint64_t hash,
	bool (*match)(const void *obj, const void *key), const void *key)
{
	for (size_t i = 0; i <= t->mask; i++) {
		const struct fib_bucket *b = fib_index_bucket(t, hash + i);
		uint64_t first = 0;

		for (unsigned k = 0; k < FIB_INDEX_SLOTS; k++) {
			/* pairs with the release in set_slot() */
			uint64_t slot =
				atomic_load_explicit(&b->slot[k], memory_order_acquire);
			void *obj = fib_index_object(slot);

			if (k == 0)
				first = slot;
			if ((slot ^ hash) >> 48 == 0 && obj && match(obj, key))
				return obj;
		}
		if (!(first & FIB_INDEX_SPILL_MAX))
			return NULL;
	}
	return NULL;
}

/* The address that fib_index_find() will probably read, for a prefetch. */
static inline void *fib_index_guess(const struct fib_buckets *t, uint64_t hash)
{
	const struct fib_bucket *b = fib_index_bucket(t, hash);

	for (unsigned k = 0; k < FIB_INDEX_SLOTS; k++) {
		/* relaxed, because nothing at this address is read */
		uint64_t slot = atomic_load_explicit(&b->slot[k], memory_order_relaxed);

		if ((slot ^ hash) >> 48 == 0)
			return fib_index_object(slot);
	}
	return NULL;
}
