/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Declarations that the writer (fib.c) and the readers (fib_lookup.c) of the forwarding
 * table share: the table, its entries, their keys.
 */

#include "dataplane/fib/fib.h"
#include "dataplane/fib/fib_hash.h"
#include "dataplane/fib/fib_index.h"
#include "dataplane/fib/fib_outset.h"
#include "dataplane/fib/slab.h"

struct fib_entry {
	/* The source of (S,G). In a (*,G) it is the last source that any reader has
	 * seen; a torn read is harmless. */
	_Atomic uint64_t source[2];
	uint64_t group[2];
	_Atomic uint64_t out;	       /* see fib_word() */
	_Atomic uint64_t tally, bytes; /* see fib_tally() */
	_Atomic uint32_t wrong;
	uint16_t instance : 15;
	uint16_t any : 1; /* the entry is a (*,G) */
	_Atomic uint8_t last_port;
	_Atomic uint8_t era; /* the upper bits of the time in `tally` */
};

_Static_assert(sizeof(struct fib_entry) == 64, "an entry is a cache line");
_Static_assert(PORT_MAX - 1 <= UINT8_MAX, "last_port");

struct fib {
	struct fib_index index;
	struct fib_secret secret;
	bool one_reader;
	/* writer only */
	size_t n; /* number of entries that have a set */
	struct slab entries;
	struct fib_outsets sets;
	bool waiting; /* retired memory waits for the end of a grace period */
	struct rcu_head rcu;
	atomic_bool grace_over;
};

/* The word of an entry has, in its low bits, the address of the set without the four
 * bits that are zero. The high bits of a (*,G) count the (S,G) entries of the group. */

#define FIB_WORD_SET_BITS 44
#define FIB_WORD_SET_MASK ((UINT64_C(1) << FIB_WORD_SET_BITS) - 1)
#define FIB_WORD_SOURCE	  (UINT64_C(1) << FIB_WORD_SET_BITS)
#define FIB_WORD_MOVED	  UINT64_MAX /* the entry was moved, so look it up again */

static inline uint64_t fib_word(const struct fib_outset *set, uint64_t n_sources)
{
	return (uint64_t)(uintptr_t)set >> 4 | n_sources << FIB_WORD_SET_BITS;
}

static inline struct fib_outset *fib_word_set(uint64_t word)
{
	return (struct fib_outset *)(uintptr_t)((word & FIB_WORD_SET_MASK) << 4);
}

static inline uint64_t fib_word_sources(uint64_t word)
{
	return word >> FIB_WORD_SET_BITS;
}

static inline uint64_t fib_entry_word(const struct fib_entry *e)
{
	/* pairs with the release in fib_entry_set_word() */
	return atomic_load_explicit(&e->out, memory_order_acquire);
}

static inline void fib_entry_set_word(struct fib_entry *e, uint64_t word)
{
	/* pairs with the acquire in fib_entry_word() */
	atomic_store_explicit(&e->out, word, memory_order_release);
}

/* The number of packets and the time of the last one share a word, because an entry has
 * no room for two. 48 bits are enough for nine years of a million packets a second. The
 * seconds have 16 bits here and 8 in `era`. */

#define FIB_TALLY_TIME_BITS 16

static inline uint64_t fib_tally(uint64_t packets, uint32_t seconds)
{
	return packets << FIB_TALLY_TIME_BITS | (seconds & 0xffff);
}

static inline uint64_t fib_tally_packets(uint64_t tally)
{
	return tally >> FIB_TALLY_TIME_BITS;
}

/* Keys */

struct fib_key {
	uint64_t source[2], group[2];
	uint64_t hash_group; /* to be completed with fib_hash_end() */
	unsigned instance;
	bool any;
};

static inline uint64_t fib_entry_source(const struct fib_entry *e, unsigned i)
{
	return atomic_load_explicit(&e->source[i], memory_order_relaxed);
}

static inline uint64_t fib_key_hash_group(
	const struct fib_secret *secret, const uint64_t group[2], unsigned instance)
{
	return fib_hash_pair(secret, 1, group[0], group[1]) ^ instance;
}

static inline uint64_t fib_key_hash_any(const struct fib *fib, const struct fib_key *k)
{
	return fib_hash_end(&fib->secret, k->hash_group);
}

static inline uint64_t fib_key_hash_named(
	const struct fib *fib, const struct fib_key *k)
{
	uint64_t h = fib_hash_pair(&fib->secret, 0, k->source[0], k->source[1]);

	return fib_hash_end(&fib->secret, h ^ k->hash_group);
}

static inline bool fib_entry_is_group(
	const struct fib_entry *e, const struct fib_key *k)
{
	return e->group[0] == k->group[0] && e->group[1] == k->group[1] &&
		e->instance == k->instance;
}

static inline bool fib_entry_match_any(const void *obj, const void *key)
{
	const struct fib_entry *e = obj;

	return e->any && fib_entry_is_group(e, key);
}

static inline bool fib_entry_match_named(const void *obj, const void *key)
{
	const struct fib_entry *e = obj;
	const struct fib_key *k = key;

	return !e->any && fib_entry_is_group(e, k) &&
		fib_entry_source(e, 0) == k->source[0] &&
		fib_entry_source(e, 1) == k->source[1];
}

static inline void fib_key_make(const struct fib *fib, unsigned instance,
	const struct addr *source, const struct addr *group, struct fib_key *ret)
{
	memcpy(ret->source, source->b, sizeof(ret->source));
	memcpy(ret->group, group->b, sizeof(ret->group));
	ret->instance = instance;
	ret->hash_group = fib_key_hash_group(&fib->secret, ret->group, instance);
}

static inline struct fib_entry *fib_find_any(
	const struct fib *fib, const struct fib_buckets *t, const struct fib_key *k)
{
	return fib_index_find(t, fib_key_hash_any(fib, k), fib_entry_match_any, k);
}

static inline struct fib_entry *fib_find_named(
	const struct fib *fib, const struct fib_buckets *t, const struct fib_key *k)
{
	return fib_index_find(t, fib_key_hash_named(fib, k), fib_entry_match_named, k);
}
