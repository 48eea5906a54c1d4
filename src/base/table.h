/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Hash table with intrusive nodes, seeded per run: keys come from the network, so the
 * bucket of a key must not be guessable. The caller hashes with table_hash() and
 * compares keys itself. Zero bytes plus table_init() give an empty table.
 */

#include "base/cleanup.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct table_node {
	struct table_node *next;
	uint64_t hash;
};

struct table {
	struct table_node **bucket;
	size_t n, n_buckets; /* n_buckets is 0 or a power of two */
	uint64_t seed[2];
};

void table_init(struct table *t, uint64_t seed);
void table_deinit(struct table *t); /* the nodes belong to the caller */

/* keyed hash (SipHash-1-3) of len bytes */
uint64_t table_hash(const struct table *t, const void *key, size_t len);

/* Return the first node with that hash, then the next one, or NULL:
 * for (n = table_find(t, h); n && !match; n = table_next(n)). */
struct table_node *table_find(const struct table *t, uint64_t hash);
struct table_node *table_next(const struct table_node *node);

/* Returns the object with that hash for which `is_it` is true, or NULL. The objects
 * have a `type` with the member `node`. `is_it` is an expression in `x`, a pointer to
 * an object, whose name the caller chooses. */
#define table_search(t, hash_, type, x, is_it)                                         \
	({                                                                             \
		type *_found = NULL;                                                   \
                                                                                       \
		for (struct table_node *_n = table_find(t, hash_); _n;                 \
			_n = table_next(_n)) {                                         \
			type *x = container_of(_n, type, node);                        \
                                                                                       \
			if (is_it) {                                                   \
				_found = x;                                            \
				break;                                                 \
			}                                                              \
		}                                                                      \
		_found;                                                                \
	})

/* Returns 0 or -ENOMEM. The node is in the table afterwards, except on failure. */
int table_insert(struct table *t, struct table_node *node, uint64_t hash);
void table_remove(struct table *t, struct table_node *node);

/* Returns the first node in this bucket or a later one, or NULL. */
struct table_node *table_from(const struct table *t, size_t bucket);
/* Returns the node after this one in a walk over all nodes, or NULL. */
struct table_node *table_after(const struct table *t, const struct table_node *node);

/* Walks over all nodes. The current one may be removed, and no other; nothing may be
 * inserted. */
#define table_for_each(t, node)                                                        \
	for (struct table_node *node = table_from(t, 0), *_after;                      \
		node && (_after = table_after(t, node), true); node = _after)

/* A walk in parts, between which nodes may come and go and the table may grow. It
 * follows the hash with its bits reversed, which is an order that does not change when
 * the table grows. A node that is in the table all the time is visited once, and any
 * other at most once. All zero is the beginning. */
struct table_cursor {
	uint64_t at;
	bool end;
};
/* Returns the next node, or NULL if there is none (`end`) or if *budget is spent. Each
 * bucket that is visited takes one from *budget. Of several nodes with the same hash
 * only one is visited. */
struct table_node *table_step(
	const struct table *t, struct table_cursor *c, int *budget);

/* The order of these walks: the place of a hash; and the first place after the bucket,
 * of 2^`bits` buckets, that contains `at`, or 0 if there is none. */
uint64_t table_reverse(uint64_t hash);
uint64_t table_next_bucket(uint64_t at, unsigned bits);
