/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The writer's side of the index, see fib_index.h.
 *
 * Nothing ever moves within a table, so a reader that walks it concurrently finds
 * everything that is in it all the time. Each bucket counts the objects that it was too
 * full to take. The count is exact (up to a limit that a keyed hash does not reach), so
 * a table does not degrade with use.
 *
 * While the next table is filled, a change in a bucket that was already copied is made
 * in both tables. So the table of the readers is always complete.
 */

#include "dataplane/fib/fib_index.h"

#include "base/cleanup.h"
#include "base/table.h"
#include "dataplane/fib/tsan.h"

#include <assert.h>
#include <errno.h>
#include <sys/mman.h>

#define N_BUCKETS_MIN 64
#define N_COPIED      4 /* buckets per change */

/* objects per bucket, in tenths: grow above, shrink below, refuse above */
#define GROW_ABOVE   48
#define SHRINK_BELOW 12
#define FULL	     70

static size_t table_bytes(size_t n_buckets)
{
	return sizeof(struct fib_buckets) + n_buckets * sizeof(struct fib_bucket);
}

/* Anonymous memory is zero without being touched: a big table costs nothing at
 * first. */
static struct fib_buckets *new_table(size_t n_buckets)
{
	struct fib_buckets *t = mmap(NULL, table_bytes(n_buckets),
		PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (t == MAP_FAILED)
		return NULL;
	t->mask = n_buckets - 1;
	t->bucket = (struct fib_bucket *)(t + 1);
	return t;
}

static void free_table(struct fib_buckets *t)
{
	if (t)
		munmap(t, table_bytes(t->mask + 1));
}

static struct fib_buckets *present(const struct fib_index *ix)
{
	return atomic_load_explicit(&ix->now, memory_order_relaxed);
}

static bool is_above(size_t n, size_t n_buckets, unsigned tenths)
{
	return n * 10 > n_buckets * tenths;
}

int fib_index_init(struct fib_index *ix, fib_index_hash_fn *hash, const void *arg)
{
	struct fib_buckets *t = new_table(N_BUCKETS_MIN);

	if (!t)
		return -ENOMEM;
	*ix = (struct fib_index){.hash = hash, .arg = arg};
	atomic_init(&ix->now, t);
	return 0;
}

void fib_index_deinit(struct fib_index *ix)
{
	free_table(present(ix));
	free_table(ix->next);
	atomic_init(&ix->now, NULL);
	ix->next = NULL;
}

/* Slots */

static uint64_t get_slot(const struct fib_bucket *b, unsigned k)
{
	return atomic_load_explicit(&b->slot[k], memory_order_relaxed);
}

static void set_slot(struct fib_bucket *b, unsigned k, uint64_t hash, const void *obj)
{
	uint64_t slot = (uintptr_t)obj | (obj ? hash >> 48 << 48 : 0);

	if (k == 0)
		slot |= get_slot(b, 0) & FIB_INDEX_SPILL_MAX;
	/* pairs with the acquire in fib_index_find() */
	atomic_store_explicit(&b->slot[k], slot, memory_order_release);
}

/* Adjusts the spill counts from the home bucket of `hash` to the one before `end`. */
static void count_spill(
	struct fib_buckets *t, uint64_t hash, const struct fib_bucket *end, bool more)
{
	for (size_t i = 0; fib_index_bucket(t, hash + i) != end; i++) {
		struct fib_bucket *b = &t->bucket[(hash + i) & t->mask];
		uint64_t slot = get_slot(b, 0);

		/* a saturated counter has lost the exact number, so it stays
		 * saturated */
		if ((slot & FIB_INDEX_SPILL_MAX) == FIB_INDEX_SPILL_MAX)
			continue;
		atomic_store_explicit(
			&b->slot[0], more ? slot + 1 : slot - 1, memory_order_release);
	}
}

/* The slot of an object that is in the table, or the first free slot if `obj` is NULL.
 * Its bucket as *ret_bucket. */
static unsigned locate(struct fib_buckets *t, uint64_t hash, const void *obj,
	struct fib_bucket **ret_bucket)
{
	for (size_t i = 0; i <= t->mask; i++) {
		struct fib_bucket *b = &t->bucket[(hash + i) & t->mask];

		for (unsigned k = 0; k < FIB_INDEX_SLOTS; k++)
			if (fib_index_object(get_slot(b, k)) == obj) {
				*ret_bucket = b;
				return k;
			}
	}
	assert(!"neither in the table nor room for it");
	return 0;
}

/* The number of the bucket that took the object. There is room somewhere. */
static size_t fib_index_put(struct fib_buckets *t, uint64_t hash, const void *obj)
{
	struct fib_bucket *b = NULL;
	unsigned k = locate(t, hash, NULL, &b);

	set_slot(b, k, hash, obj);
	count_spill(t, hash, b, true);
	return (size_t)(b - t->bucket);
}

/* Puts `obj` (or NULL) in the place of `old`. Returns the number of the bucket. */
static size_t swap(
	struct fib_buckets *t, uint64_t hash, const void *old, const void *obj)
{
	struct fib_bucket *b = NULL;
	unsigned k = locate(t, hash, old, &b);

	set_slot(b, k, hash, obj);
	if (!obj)
		count_spill(t, hash, b, false);
	return (size_t)(b - t->bucket);
}

/* Growing and shrinking */

static void reclaim_table(struct rcu_head *head)
{
	/* pairs with tsan_let_go() of the readers and in fib_index_publish() */
	tsan_grace_over();
	free_table(container_of(head, struct fib_buckets, rcu));
}

static void fib_index_publish(struct fib_index *ix)
{
	struct fib_buckets *old = present(ix);

	/* pairs with the acquire in fib_index_now() */
	atomic_store_explicit(&ix->now, ix->next, memory_order_release);
	ix->next = NULL;
	tsan_let_go(); /* pairs with the reclaim function */
	call_rcu(&old->rcu, reclaim_table);
}

/* Without memory the present table stays in use, and the next change tries again. */
static void begin_resize(struct fib_index *ix)
{
	size_t n_buckets = present(ix)->mask + 1;

	if (is_above(ix->n, n_buckets, GROW_ABOVE))
		ix->next = new_table(2 * n_buckets);
	else if (n_buckets > N_BUCKETS_MIN && !is_above(ix->n, n_buckets, SHRINK_BELOW))
		ix->next = new_table(n_buckets / 2);
	ix->n_copied = 0;
}

/* The hash is computed from the objects, which are far away from each other, so
 * prefetch those of the next step. */
static void prefetch_objects(const struct fib_index *ix)
{
	const struct fib_buckets *t = present(ix);

	for (size_t i = 0; i < N_COPIED; i++) {
		const struct fib_bucket *b = fib_index_bucket(t, ix->n_copied + i);

		for (unsigned k = 0; k < FIB_INDEX_SLOTS; k++)
			__builtin_prefetch(fib_index_object(get_slot(b, k)));
	}
}

static void copy_bucket(struct fib_index *ix, const struct fib_bucket *b)
{
	for (unsigned k = 0; k < FIB_INDEX_SLOTS; k++) {
		const void *obj = fib_index_object(get_slot(b, k));

		if (obj)
			fib_index_put(ix->next, ix->hash(obj, ix->arg), obj);
	}
}

/* Each change does one step of filling the next table. */
static void resize_step(struct fib_index *ix)
{
	const struct fib_buckets *t = present(ix);

	/* A smaller table begins at most half full. It is complete and in use before
	 * enough objects can be added to fill it. */
	assert(!ix->next || !is_above(ix->n + 1, ix->next->mask + 1, FULL));
	if (!ix->next) {
		begin_resize(ix);
	} else {
		for (unsigned i = 0; i < N_COPIED && ix->n_copied <= t->mask; i++)
			copy_bucket(ix, &t->bucket[ix->n_copied++]);
		if (ix->n_copied > t->mask)
			fib_index_publish(ix);
	}
	if (ix->next)
		prefetch_objects(ix);
}

/* Changes */

int fib_index_add(struct fib_index *ix, uint64_t hash, void *obj)
{
	struct fib_buckets *t = present(ix);
	size_t b;

	if ((uint64_t)(uintptr_t)obj & ~FIB_INDEX_ADDRESS)
		return -ENOMEM;
	if (is_above(ix->n + 1, t->mask + 1, FULL)) {
		resize_step(ix); /* try again to get a bigger one */
		return -ENOMEM;
	}
	b = fib_index_put(t, hash, obj);
	if (ix->next && b < ix->n_copied)
		fib_index_put(ix->next, hash, obj);
	ix->n++;
	resize_step(ix);
	return 0;
}

void fib_index_del(struct fib_index *ix, uint64_t hash, const void *obj)
{
	size_t b = swap(present(ix), hash, obj, NULL);

	if (ix->next && b < ix->n_copied)
		swap(ix->next, hash, obj, NULL);
	ix->n--;
	resize_step(ix);
}

void fib_index_replace(struct fib_index *ix, uint64_t hash, const void *old, void *obj)
{
	size_t b = swap(present(ix), hash, old, obj);

	if (ix->next && b < ix->n_copied)
		swap(ix->next, hash, old, obj);
}

size_t fib_index_bytes(const struct fib_index *ix)
{
	size_t n = table_bytes(present(ix)->mask + 1);

	return ix->next ? n + table_bytes(ix->next->mask + 1) : n;
}

uint64_t fib_index_step(const struct fib_index *ix, uint64_t at,
	void (*fn)(void *obj, void *arg), void *arg)
{
	const struct fib_buckets *t = present(ix);
	uint64_t home = table_reverse(at) & t->mask;

	for (size_t i = 0; i <= t->mask; i++) {
		const struct fib_bucket *b = fib_index_bucket(t, home + i);

		for (unsigned k = 0; k < FIB_INDEX_SLOTS; k++) {
			void *obj = fib_index_object(get_slot(b, k));
			uint64_t hash = obj ? ix->hash(obj, ix->arg) : 0;

			if (obj && (hash & t->mask) == home &&
				table_reverse(hash) >= at)
				fn(obj, arg);
		}
		if (!(get_slot(b, 0) & FIB_INDEX_SPILL_MAX))
			break;
	}
	return table_next_bucket(at, (unsigned)__builtin_popcountll(t->mask));
}
