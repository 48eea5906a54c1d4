/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The memory of the forwarding table, see slab.h. A chunk is a piece of anonymous
 * memory at a multiple of its size, so an object's chunk is found by its address. Its
 * head has a bit for each object that is in use or waits for a grace period, and one
 * for each that waits. It comes from mmap(2) and not from malloc(3), so freed memory
 * leaves the process at once, and no lock of the allocator is held meanwhile.
 */

#include "dataplane/fib/slab.h"

#include "base/cleanup.h"
#include "dataplane/fib/tsan.h"

#include <assert.h>
#include <string.h>
#include <sys/mman.h>
#include <urcu-qsbr.h>

#define CHUNK_SIZE ((size_t)256 * 1024)
#define SIZE_MIN   48
#define WORD_BITS  64
#define N_WORDS	   (CHUNK_SIZE / SIZE_MIN / WORD_BITS + 1)

struct slab_chunk {
	/* in the lists of the slab; an empty list of its own if it is in none */
	struct cds_list_head all, room, retired[2];
	struct slab *slab;
	struct rcu_head rcu;
	unsigned n_used; /* live or waiting */
	unsigned n_live;
	unsigned hint; /* no word below has a free bit */
	uint64_t used[N_WORDS];
	uint64_t gone[2][N_WORDS]; /* waiting, by list */
	uint64_t gone_words[2][(N_WORDS + WORD_BITS - 1) / WORD_BITS]; /* not zero */
};

#define HEAD_SIZE ((sizeof(struct slab_chunk) + 63) / 64 * 64)

/* Chunks */

static struct slab_chunk *map_chunk(void)
{
	int prot = PROT_READ | PROT_WRITE, flags = MAP_PRIVATE | MAP_ANONYMOUS;
	size_t before;
	char *p;

	/* neighbours of an aligned chunk are aligned */
	p = mmap(NULL, CHUNK_SIZE, prot, flags, -1, 0);
	if (p == MAP_FAILED)
		return NULL;
	if ((uintptr_t)p % CHUNK_SIZE == 0)
		return (struct slab_chunk *)(void *)p;
	munmap(p, CHUNK_SIZE);
	p = mmap(NULL, 2 * CHUNK_SIZE, prot, flags, -1, 0);
	if (p == MAP_FAILED)
		return NULL;
	before = CHUNK_SIZE - (uintptr_t)p % CHUNK_SIZE;
	munmap(p, before);
	if (before < CHUNK_SIZE)
		munmap(p + before + CHUNK_SIZE, CHUNK_SIZE - before);
	return (struct slab_chunk *)(void *)(p + before);
}

static struct slab_chunk *add_chunk(struct slab *s)
{
	struct slab_chunk *c = map_chunk();

	if (!c)
		return NULL;
	c->slab = s;
	cds_list_add_tail(&c->all, &s->all);
	cds_list_add_tail(&c->room, &s->room);
	CDS_INIT_LIST_HEAD(&c->retired[0]);
	CDS_INIT_LIST_HEAD(&c->retired[1]);
	s->n_chunks++;
	return c;
}

static void reclaim_chunk(struct rcu_head *head)
{
	/* pairs with tsan_let_go() of the readers and in drop_chunk() */
	tsan_grace_over();
	munmap(container_of(head, struct slab_chunk, rcu), CHUNK_SIZE);
}

static void drop_chunk(struct slab_chunk *c)
{
	struct slab *s = c->slab;

	cds_list_del(&c->all);
	cds_list_del(&c->room);
	cds_list_del(&c->retired[0]);
	cds_list_del(&c->retired[1]);
	s->n_chunks--;
	if (s->spare == c)
		s->spare = NULL;
	if (s->draining == c)
		s->draining = NULL;
	tsan_let_go(); /* pairs with the reclaim function */
	call_rcu(&c->rcu, reclaim_chunk);
}

/* A chunk has lost its last object. One empty chunk may stay, so that a single entry
 * that comes and goes does not map and unmap memory. */
static void rest_or_drop(struct slab_chunk *c)
{
	struct slab *s = c->slab;

	if (s->walking)
		return; /* slab_walk() looks at its end */
	if (s->spare || s->draining == c) {
		drop_chunk(c);
		return;
	}
	s->spare = c;
	if (!cds_list_empty(&c->room)) { /* to be used last */
		cds_list_del(&c->room);
		cds_list_add_tail(&c->room, &s->room);
	}
}

static struct slab_chunk *chunk_of(const void *obj)
{
	return (struct slab_chunk *)((uintptr_t)obj & ~(uintptr_t)(CHUNK_SIZE - 1));
}

static void *object(struct slab_chunk *c, unsigned i)
{
	return (char *)c + HEAD_SIZE + i * c->slab->size;
}

static unsigned slab_number(struct slab_chunk *c, const void *obj)
{
	return (unsigned)((size_t)((const char *)obj - (const char *)c - HEAD_SIZE) /
		c->slab->size);
}

/* Objects */

void slab_init(struct slab *s, size_t size)
{
	assert(size >= SIZE_MIN && size % 16 == 0);
	*s = (struct slab){
		.size = size,
		.n_per_chunk = (unsigned)((CHUNK_SIZE - HEAD_SIZE) / size),
	};
	CDS_INIT_LIST_HEAD(&s->all);
	CDS_INIT_LIST_HEAD(&s->room);
	CDS_INIT_LIST_HEAD(&s->retired[0]);
	CDS_INIT_LIST_HEAD(&s->retired[1]);
}

void slab_deinit(struct slab *s)
{
	struct cds_list_head *l, *next;

	if (!s->size)
		return;
	cds_list_for_each_safe (l, next, &s->all)
		munmap(container_of(l, struct slab_chunk, all), CHUNK_SIZE);
	*s = (struct slab){0};
}

void *slab_alloc(struct slab *s)
{
	struct slab_chunk *c;
	unsigned w, bit;

	if (cds_list_empty(&s->room))
		c = add_chunk(s);
	else
		c = container_of(s->room.next, struct slab_chunk, room);
	if (!c)
		return NULL;
	for (w = c->hint; c->used[w] == UINT64_MAX; w++)
		;
	bit = (unsigned)__builtin_ctzll(~c->used[w]);
	c->used[w] |= UINT64_C(1) << bit;
	c->hint = w;
	c->n_used++;
	c->n_live++;
	s->n_live++;
	if (c->n_used == s->n_per_chunk)
		cds_list_del_init(&c->room);
	if (s->spare == c)
		s->spare = NULL;
	return object(c, w * WORD_BITS + bit);
}

/* Bits of word `w` may be used again. */
static void release_bits(struct slab_chunk *c, unsigned w, uint64_t bits)
{
	c->used[w] &= ~bits;
	c->n_used -= (unsigned)__builtin_popcountll(bits);
	if (w < c->hint)
		c->hint = w;
	if (c->slab->draining != c && cds_list_empty(&c->room))
		cds_list_add_tail(&c->room, &c->slab->room);
}

static void lose_object(struct slab_chunk *c)
{
	c->slab->n_live--;
	if (--c->n_live == 0)
		rest_or_drop(c);
}

void slab_free_unseen(struct slab *s, void *obj)
{
	struct slab_chunk *c = chunk_of(obj);
	unsigned i = slab_number(c, obj);

	release_bits(c, i / WORD_BITS, UINT64_C(1) << i % WORD_BITS);
	lose_object(c);
}

void slab_retire(struct slab *s, void *obj)
{
	struct slab_chunk *c = chunk_of(obj);
	unsigned i = slab_number(c, obj), w = i / WORD_BITS;

	c->gone[s->now][w] |= UINT64_C(1) << i % WORD_BITS;
	c->gone_words[s->now][w / WORD_BITS] |= UINT64_C(1) << w % WORD_BITS;
	if (cds_list_empty(&c->retired[s->now]))
		cds_list_add_tail(&c->retired[s->now], &s->retired[s->now]);
	s->n_retired[s->now]++;
	lose_object(c);
}

void slab_swap(struct slab *s)
{
	s->now ^= 1;
}

/* Overwrites a free object in a debug build, so that a late reader finds nonsense. */
static void poison(struct slab_chunk *c, unsigned w, uint64_t bits)
{
#ifndef NDEBUG
	for (; bits; bits &= bits - 1)
		memset(object(c, w * WORD_BITS + (unsigned)__builtin_ctzll(bits)), 0xa5,
			c->slab->size);
#endif
}

static void collect_chunk(struct slab_chunk *c, unsigned then)
{
	for (unsigned i = 0; i < array_len(c->gone_words[then]); i++) {
		uint64_t words = c->gone_words[then][i];

		for (; words; words &= words - 1) {
			unsigned w = i * WORD_BITS + (unsigned)__builtin_ctzll(words);

			poison(c, w, c->gone[then][w]);
			release_bits(c, w, c->gone[then][w]);
			c->gone[then][w] = 0;
		}
		c->gone_words[then][i] = 0;
	}
}

void slab_collect(struct slab *s)
{
	unsigned then = s->now ^ 1;
	struct cds_list_head *l, *next;

	cds_list_for_each_safe (l, next, &s->retired[then]) {
		cds_list_del_init(l);
		collect_chunk(container_of(l, struct slab_chunk, retired[then]), then);
	}
	s->n_retired[then] = 0;
}

static uint64_t live_bits(const struct slab_chunk *c, unsigned w)
{
	return c->used[w] & ~c->gone[0][w] & ~c->gone[1][w];
}

static void walk_chunk(
	struct slab_chunk *c, void (*fn)(void *obj, void *arg), void *arg)
{
	for (unsigned w = 0; w < N_WORDS; w++)
		for (unsigned bit = 0; bit < WORD_BITS; bit++)
			if (live_bits(c, w) >> bit & 1)
				fn(object(c, w * WORD_BITS + bit), arg);
}

bool slab_walk_part(
	struct slab *s, unsigned chunk, void (*fn)(void *obj, void *arg), void *arg)
{
	struct cds_list_head *l;

	cds_list_for_each (l, &s->all)
		if (chunk-- == 0) {
			walk_chunk(container_of(l, struct slab_chunk, all), fn, arg);
			return true;
		}
	return false;
}

void slab_walk(struct slab *s, void (*fn)(void *obj, void *arg), void *arg)
{
	struct cds_list_head *l, *next;

	s->walking = true;
	cds_list_for_each (l, &s->all)
		walk_chunk(container_of(l, struct slab_chunk, all), fn, arg);
	s->walking = false;
	cds_list_for_each_safe (l, next, &s->all) {
		struct slab_chunk *c = container_of(l, struct slab_chunk, all);

		if (c->n_live == 0 && c != s->spare)
			rest_or_drop(c);
	}
}

/* Most of the memory is unused, so the chunk with the fewest objects must be
 * emptied. */
static struct slab_chunk *find_sparse(struct slab *s)
{
	struct slab_chunk *best = NULL;
	struct cds_list_head *l;

	if (s->n_chunks < 4 || s->n_live > s->n_chunks * s->n_per_chunk / 2)
		return NULL;
	cds_list_for_each (l, &s->all) {
		struct slab_chunk *c = container_of(l, struct slab_chunk, all);

		if (c != s->spare && (!best || c->n_live < best->n_live))
			best = c;
	}
	return best;
}

void *slab_sparse(struct slab *s)
{
	struct slab_chunk *c = s->draining;

	if (s->walking)
		return NULL;
	if (!c) {
		c = s->draining = find_sparse(s);
		if (!c)
			return NULL;
		cds_list_del_init(&c->room);
	}
	for (unsigned w = 0; w < N_WORDS; w++) {
		uint64_t live = live_bits(c, w);

		if (live)
			return object(
				c, w * WORD_BITS + (unsigned)__builtin_ctzll(live));
	}
	return NULL;
}

size_t slab_bytes(const struct slab *s)
{
	return s->n_chunks * CHUNK_SIZE;
}
