/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Chained hash table with SipHash-1-3 (Aumasson, Bernstein: "SipHash: a fast
 * short-input PRF"), see table.h. Grows fourfold at load 1, because moving the
 * nodes is most of what inserting them costs; never shrinks. Pure.
 */

#include "base/table.h"

#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

void table_init(struct table *t, uint64_t seed)
{
	*t = (struct table){.seed = {seed, seed * UINT64_C(0x9e3779b97f4a7c15) + 1}};
}

void table_deinit(struct table *t)
{
	free(t->bucket);
	t->bucket = NULL;
	t->n = t->n_buckets = 0;
}

static uint64_t rotl(uint64_t x, unsigned b)
{
	return x << b | x >> (64 - b);
}

static void sip_round(uint64_t v[4])
{
	v[0] += v[1];
	v[1] = rotl(v[1], 13) ^ v[0];
	v[0] = rotl(v[0], 32);
	v[2] += v[3];
	v[3] = rotl(v[3], 16) ^ v[2];
	v[0] += v[3];
	v[3] = rotl(v[3], 21) ^ v[0];
	v[2] += v[1];
	v[1] = rotl(v[1], 17) ^ v[2];
	v[2] = rotl(v[2], 32);
}

uint64_t table_hash(const struct table *t, const void *key, size_t len)
{
	const uint8_t *p = key;
	uint64_t v[4] = {
		t->seed[0] ^ UINT64_C(0x736f6d6570736575),
		t->seed[1] ^ UINT64_C(0x646f72616e646f6d),
		t->seed[0] ^ UINT64_C(0x6c7967656e657261),
		t->seed[1] ^ UINT64_C(0x7465646279746573),
	};
	uint64_t m, last = (uint64_t)len << 56;

	for (; len >= 8; p += 8, len -= 8) {
		memcpy(&m, p, 8);
		m = le64toh(m); /* the same order on every machine */
		v[3] ^= m;
		sip_round(v);
		v[0] ^= m;
	}
	for (size_t i = 0; i < len; i++)
		last |= (uint64_t)p[i] << (8 * i);
	v[3] ^= last;
	sip_round(v);
	v[0] ^= last;
	v[2] ^= 0xff;
	for (int i = 0; i < 3; i++)
		sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

static struct table_node *skip_to_hash(struct table_node *node, uint64_t hash)
{
	while (node && node->hash != hash)
		node = node->next;
	return node;
}

struct table_node *table_find(const struct table *t, uint64_t hash)
{
	return t->n_buckets ? skip_to_hash(t->bucket[hash & (t->n_buckets - 1)], hash)
			    : NULL;
}

struct table_node *table_next(const struct table_node *node)
{
	return skip_to_hash(node->next, node->hash);
}

static int grow(struct table *t)
{
	size_t n = t->n_buckets ? 4 * t->n_buckets : 16;
	struct table_node **bucket = calloc(n, sizeof(struct table_node *));

	if (!bucket)
		return -ENOMEM;
	for (size_t i = 0; i < t->n_buckets; i++) {
		struct table_node *next;

		for (struct table_node *node = t->bucket[i]; node; node = next) {
			struct table_node **b = &bucket[node->hash & (n - 1)];

			next = node->next;
			node->next = *b;
			*b = node;
		}
	}
	free(t->bucket);
	t->bucket = bucket;
	t->n_buckets = n;
	return 0;
}

int table_insert(struct table *t, struct table_node *node, uint64_t hash)
{
	struct table_node **b;

	/* a table that cannot grow gets slower but still accepts nodes */
	if (t->n >= t->n_buckets && grow(t) < 0 && t->n_buckets == 0)
		return -ENOMEM;
	b = &t->bucket[hash & (t->n_buckets - 1)];
	node->hash = hash;
	node->next = *b;
	*b = node;
	t->n++;
	return 0;
}

void table_remove(struct table *t, struct table_node *node)
{
	struct table_node **p = &t->bucket[node->hash & (t->n_buckets - 1)];

	while (*p != node)
		p = &(*p)->next;
	*p = node->next;
	node->next = NULL;
	t->n--;
}

struct table_node *table_from(const struct table *t, size_t bucket)
{
	while (bucket < t->n_buckets && !t->bucket[bucket])
		bucket++;
	return bucket < t->n_buckets ? t->bucket[bucket] : NULL;
}

struct table_node *table_after(const struct table *t, const struct table_node *node)
{
	return node->next ? node->next
			  : table_from(t, (node->hash & (t->n_buckets - 1)) + 1);
}

uint64_t table_reverse(uint64_t x)
{
	x = (x >> 1 & UINT64_C(0x5555555555555555)) |
		(x & UINT64_C(0x5555555555555555)) << 1;
	x = (x >> 2 & UINT64_C(0x3333333333333333)) |
		(x & UINT64_C(0x3333333333333333)) << 2;
	x = (x >> 4 & UINT64_C(0x0f0f0f0f0f0f0f0f)) |
		(x & UINT64_C(0x0f0f0f0f0f0f0f0f)) << 4;
	return __builtin_bswap64(x);
}

uint64_t table_next_bucket(uint64_t at, unsigned bits)
{
	return bits ? (at | (UINT64_MAX >> bits)) + 1 : 0;
}

/* in the order of table_step() */
static uint64_t place_of(const struct table_node *node)
{
	return table_reverse(node->hash);
}

/* The first one of a bucket at or after `at`. */
static struct table_node *first_from(struct table_node *node, uint64_t at)
{
	struct table_node *best = NULL;

	for (; node; node = node->next)
		if (place_of(node) >= at && (!best || place_of(node) < place_of(best)))
			best = node;
	return best;
}

struct table_node *table_step(
	const struct table *t, struct table_cursor *c, int *budget)
{
	if (t->n == 0)
		c->end = true;
	for (; !c->end && *budget > 0; --*budget) {
		uint64_t b = table_reverse(c->at) & (t->n_buckets - 1);
		struct table_node *node = first_from(t->bucket[b], c->at);

		if (node) {
			c->at = place_of(node) + 1;
			c->end = c->at == 0;
			--*budget;
			return node;
		}
		c->at = table_next_bucket(
			c->at, (unsigned)__builtin_ctzll(t->n_buckets));
		c->end = c->at == 0;
	}
	return NULL;
}
