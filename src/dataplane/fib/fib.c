/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The forwarding table, see fib.h: entries in a slab, found by an index, pointing to
 * interned sets. Memory that the writer takes out is retired and reused after a grace
 * period of call_rcu, so the writer never waits.
 *
 * An entry is one cache line: key, set, counters. A lookup begins with (*,G), which
 * also tells whether any source of the group has its own entry. Most groups have none,
 * so one probe decides, also for an unknown group. For this, (*,G) exists as long as an
 * (S,G) does, without a set and invisible from outside.
 *
 * Set and number of sources are one word. A reader that has not found (S,G) takes the
 * set of (*,G) only if the word, and the table that it searched, are unchanged. Its
 * answer was therefore right at some moment, and is never a mixture of two states.
 */

#include "dataplane/fib/fib.h"

#include "base/cleanup.h"
#include "base/rng.h"
#include "dataplane/fib/fib_entry.h"
#include "dataplane/fib/grace.h"
#include "dataplane/fib/tsan.h"

#include <assert.h>
#include <errno.h>
#include <urcu-qsbr.h>

char tsan_grace; /* declared in tsan.h */

#ifdef WITH_TSAN
/* what liburcu's own threads do to liburcu's own memory */
__attribute__((visibility("default"))) const char *__tsan_default_suppressions(void);
const char *__tsan_default_suppressions(void)
{
	return "called_from_lib:liburcu-qsbr.so\n";
}
#endif

#define N_MOVED 2 /* entries per change, while there are sparse chunks */

static uint64_t hash_entry(const void *obj, const void *arg)
{
	const struct fib_entry *e = obj;
	const struct fib_secret *secret = arg;
	uint64_t h = fib_key_hash_group(secret, e->group, e->instance);

	if (!e->any)
		h ^= fib_hash_pair(
			secret, 0, fib_entry_source(e, 0), fib_entry_source(e, 1));
	return fib_hash_end(secret, h);
}

/* What is retired */

static void end_grace(struct rcu_head *head)
{
	struct fib *fib = container_of(head, struct fib, rcu);

	/* pairs with tsan_let_go() of the readers and in watch_grace() */
	tsan_grace_over();
	/* pairs with the acquire in watch_grace() */
	atomic_store_explicit(&fib->grace_over, true, memory_order_release);
}

static void watch_grace(struct fib *fib)
{
	unsigned now = fib->entries.now;

	if (fib->waiting) {
		/* pairs with the release in end_grace() */
		if (!atomic_load_explicit(&fib->grace_over, memory_order_acquire))
			return;
		slab_collect(&fib->entries);
		slab_collect(&fib->sets.slab);
		fib->waiting = false;
	}
	if (!fib->entries.n_retired[now] && !fib->sets.slab.n_retired[now])
		return;
	slab_swap(&fib->entries);
	slab_swap(&fib->sets.slab);
	fib->waiting = true;
	atomic_store_explicit(&fib->grace_over, false, memory_order_relaxed);
	tsan_let_go(); /* pairs with end_grace() */
	call_rcu(&fib->rcu, end_grace);
}

static struct fib_entry *copy_entry(struct fib *fib, const struct fib_entry *e)
{
	struct fib_entry *copy = slab_alloc(&fib->entries);

	if (!copy)
		return NULL;
	for (unsigned i = 0; i < 2; i++) {
		atomic_init(&copy->source[i], fib_entry_source(e, i));
		copy->group[i] = e->group[i];
	}
	atomic_init(&copy->out, fib_entry_word(e));
	atomic_init(
		&copy->tally, atomic_load_explicit(&e->tally, memory_order_relaxed));
	atomic_init(&copy->era, atomic_load_explicit(&e->era, memory_order_relaxed));
	atomic_init(
		&copy->bytes, atomic_load_explicit(&e->bytes, memory_order_relaxed));
	atomic_init(
		&copy->wrong, atomic_load_explicit(&e->wrong, memory_order_relaxed));
	copy->instance = e->instance;
	atomic_init(&copy->last_port,
		atomic_load_explicit(&e->last_port, memory_order_relaxed));
	copy->any = e->any;
	return copy;
}

/* Empties sparse chunks. */
static void move_some(struct fib *fib)
{
	for (unsigned i = 0; i < N_MOVED; i++) {
		struct fib_entry *e = slab_sparse(&fib->entries), *copy;

		if (!e)
			return;
		copy = copy_entry(fib, e);
		if (!copy)
			return;
		fib_index_replace(&fib->index, hash_entry(e, &fib->secret), e, copy);
		fib_entry_set_word(e, FIB_WORD_MOVED);
		slab_retire(&fib->entries, e);
	}
}

/* The end of each change */
static void fib_settle(struct fib *fib)
{
	move_some(fib);
	watch_grace(fib);
}

/* Writer */

static void destroy(struct fib *fib)
{
	fib_index_deinit(&fib->index);
	slab_deinit(&fib->entries);
	fib_outsets_deinit(&fib->sets);
	free(fib);
}

int fib_new(unsigned n_threads, uint64_t seed, struct fib **ret)
{
	struct fib *fib = calloc(1, sizeof(*fib));
	struct rng rng;

	if (!fib)
		return -ENOMEM;
	rng_seed(&rng, seed);
	for (size_t i = 0; i < array_len(fib->secret.w); i++)
		fib->secret.w[i] = rng_next(&rng) | 1;
	fib->one_reader = n_threads <= 1;
	slab_init(&fib->entries, sizeof(struct fib_entry));
	if (fib_index_init(&fib->index, hash_entry, &fib->secret) < 0 ||
		fib_outsets_init(&fib->sets, &fib->secret) < 0) {
		destroy(fib);
		return -ENOMEM;
	}
	*ret = fib;
	return 0;
}

struct fib *fib_free(struct fib *fib)
{
	if (!fib)
		return NULL;
	grace_barrier();
	/* pairs with the release in end_grace() */
	if (fib->waiting &&
		!atomic_load_explicit(&fib->grace_over, memory_order_acquire))
		assert(!"grace_barrier() has waited for it");
	destroy(fib);
	return NULL;
}

static struct fib_entry *add_entry(
	struct fib *fib, const struct fib_key *k, uint64_t hash, struct fib_outset *set)
{
	struct fib_entry *e = slab_alloc(&fib->entries);

	if (!e)
		return NULL;
	*e = (struct fib_entry){
		.source = {k->any ? 0 : k->source[0], k->any ? 0 : k->source[1]},
		.group = {k->group[0], k->group[1]},
		.out = fib_word(set, 0),
		.instance = k->instance & FIB_INSTANCE_MAX,
		.any = k->any,
	};
	if (fib_index_add(&fib->index, hash, e) < 0) {
		slab_free_unseen(&fib->entries, e);
		return NULL;
	}
	fib->n += set ? 1 : 0;
	return e;
}

/* Removes the entry from the index. The caller releases its set. */
static void remove_entry(struct fib *fib, uint64_t hash, struct fib_entry *e)
{
	fib_index_del(&fib->index, hash, e);
	slab_retire(&fib->entries, e);
}

/* An entry that existed only for its sources becomes visible. */
static void clear_counters(struct fib_entry *e)
{
	for (unsigned i = 0; i < 2; i++)
		atomic_store_explicit(&e->source[i], 0, memory_order_relaxed);
	atomic_store_explicit(&e->tally, 0, memory_order_relaxed);
	atomic_store_explicit(&e->bytes, 0, memory_order_relaxed);
	atomic_store_explicit(&e->wrong, 0, memory_order_relaxed);
}

/* `set` may be NULL for a (*,G). */
static void change_set(struct fib *fib, struct fib_entry *e, struct fib_outset *set)
{
	uint64_t word = fib_entry_word(e);
	struct fib_outset *old = fib_word_set(word);

	if (!old)
		clear_counters(e);
	fib_entry_set_word(e, fib_word(set, fib_word_sources(word)));
	fib->n = fib->n + (set ? 1 : 0) - (old ? 1 : 0);
	if (old)
		fib_outsets_put(&fib->sets, old);
}

static void remove_if_unused(
	struct fib *fib, const struct fib_key *k, struct fib_entry *parent)
{
	if (fib_entry_word(parent) == 0)
		remove_entry(fib, fib_key_hash_any(fib, k), parent);
}

/* Adds a source to a group: first its entry, then the note of it in (*,G). */
static int add_named(struct fib *fib, const struct fib_key *k, struct fib_outset *set)
{
	struct fib_entry *parent = fib_find_any(fib, fib_index_now(&fib->index), k);
	struct fib_key any = *k;

	any.any = true;
	if (!parent)
		parent = add_entry(fib, &any, fib_key_hash_any(fib, k), NULL);
	if (!parent)
		return -ENOMEM;
	if (fib_word_sources(fib_entry_word(parent)) == FIB_SOURCES_MAX)
		return -ENOSPC;
	if (!add_entry(fib, k, fib_key_hash_named(fib, k), set)) {
		remove_if_unused(fib, k, parent);
		return -ENOMEM;
	}
	fib_entry_set_word(parent, fib_entry_word(parent) + FIB_WORD_SOURCE);
	return 0;
}

static void remove_named(struct fib *fib, const struct fib_key *k, struct fib_entry *e)
{
	struct fib_entry *parent = fib_find_any(fib, fib_index_now(&fib->index), k);
	struct fib_outset *set = fib_word_set(fib_entry_word(e));

	assert(parent);
	fib_entry_set_word(parent, fib_entry_word(parent) - FIB_WORD_SOURCE);
	remove_entry(fib, fib_key_hash_named(fib, k), e);
	remove_if_unused(fib, k, parent);
	fib->n--;
	fib_outsets_put(&fib->sets, set);
}

static void remove_any(struct fib *fib, const struct fib_key *k, struct fib_entry *e)
{
	uint64_t word = fib_entry_word(e);

	if (!fib_word_set(word))
		return;
	if (fib_word_sources(word) > 0) {
		change_set(fib, e, NULL);
		return;
	}
	remove_entry(fib, fib_key_hash_any(fib, k), e);
	fib->n--;
	fib_outsets_put(&fib->sets, fib_word_set(word));
}

static struct fib_entry *find_exact(const struct fib *fib, struct fib_key *k,
	unsigned instance, const struct addr *source, const struct addr *group)
{
	const struct fib_buckets *t = fib_index_now(&fib->index);

	fib_key_make(fib, instance, source, group, k);
	k->any = addr_is_any(source);
	return k->any ? fib_find_any(fib, t, k) : fib_find_named(fib, t, k);
}

int fib_set(struct fib *fib, unsigned instance, const struct addr *source,
	const struct addr *group, const struct portset *out)
{
	struct fib_key key;
	struct fib_entry *e = find_exact(fib, &key, instance, source, group);
	struct fib_outset *set;
	int r = 0;

	if (instance > FIB_INSTANCE_MAX)
		return -ENOSPC;
	set = fib_outsets_get(&fib->sets, out);
	if (!set)
		return -ENOMEM;
	if (e)
		change_set(fib, e, set);
	else if (!key.any)
		r = add_named(fib, &key, set);
	else if (!add_entry(fib, &key, fib_key_hash_any(fib, &key), set))
		r = -ENOMEM;
	if (r < 0)
		fib_outsets_put(&fib->sets, set);
	fib_settle(fib);
	return r;
}

void fib_del(struct fib *fib, unsigned instance, const struct addr *source,
	const struct addr *group)
{
	struct fib_key key;
	struct fib_entry *e = find_exact(fib, &key, instance, source, group);

	if (!e)
		return;
	if (key.any)
		remove_any(fib, &key, e);
	else
		remove_named(fib, &key, e);
	fib_settle(fib);
}

size_t fib_size(const struct fib *fib)
{
	return fib->n;
}

size_t fib_bytes(const struct fib *fib)
{
	return fib_index_bytes(&fib->index) + slab_bytes(&fib->entries) +
		fib_index_bytes(&fib->sets.index) + slab_bytes(&fib->sets.slab);
}

struct walk {
	void (*fn)(const struct fib_view *v, void *arg);
	void *arg;
};

/* Fills in *ret. Returns false if the entry has been taken out of the table. */
static bool view(const struct fib_entry *e, struct fib_view *ret)
{
	const struct fib_outset *set = fib_word_set(fib_entry_word(e));
	uint64_t source[2] = {fib_entry_source(e, 0), fib_entry_source(e, 1)};
	uint64_t tally = atomic_load_explicit(&e->tally, memory_order_relaxed);
	uint32_t era = atomic_load_explicit(&e->era, memory_order_relaxed);

	if (!set)
		return false;
	*ret = (struct fib_view){
		.instance = e->instance,
		.out = set->ports,
		.packets = fib_tally_packets(tally),
		.last_s = era << FIB_TALLY_TIME_BITS | (tally & 0xffff),
		.bytes = atomic_load_explicit(&e->bytes, memory_order_relaxed),
		.wrong = atomic_load_explicit(&e->wrong, memory_order_relaxed),
		.last_port = atomic_load_explicit(&e->last_port, memory_order_relaxed),
	};
	ret->seen = ret->packets > 0;
	memcpy(ret->group.b, e->group, sizeof(e->group));
	memcpy(ret->source.b, source, sizeof(source));
	ret->last_source = ret->source;
	if (e->any)
		ret->source = addr_any(addr_family(&ret->group));
	return true;
}

/* A difference of 24 bits with a sign. */
int32_t fib_age_s(const struct fib_view *v, uint64_t now_s)
{
	int32_t age = (int32_t)(((uint32_t)now_s - v->last_s) << 8) >> 8;

	return !v->seen || age < -1 ? -1 : age < 0 ? 0 : age;
}

static void view_entry(void *obj, void *arg)
{
	const struct walk *w = arg;
	struct fib_view v;

	if (view(obj, &v))
		w->fn(&v, w->arg);
}

bool fib_read(const struct fib *fib, unsigned instance, const struct addr *source,
	const struct addr *group, struct fib_view *ret)
{
	struct fib_key key;
	const struct fib_entry *e = find_exact(fib, &key, instance, source, group);

	return e && view(e, ret);
}

void fib_walk(
	struct fib *fib, void (*fn)(const struct fib_view *v, void *arg), void *arg)
{
	struct walk w = {fn, arg};

	slab_walk(&fib->entries, view_entry, &w);
}

bool fib_walk_part(struct fib *fib, unsigned part,
	void (*fn)(const struct fib_view *v, void *arg), void *arg)
{
	struct walk w = {fn, arg};

	return slab_walk_part(&fib->entries, part, view_entry, &w);
}

void fib_step(struct fib *fib, struct fib_cursor *c,
	void (*fn)(const struct fib_view *v, void *arg), void *arg)
{
	struct walk w = {fn, arg};

	if (c->end)
		return;
	c->at = fib_index_step(&fib->index, c->at, view_entry, &w);
	c->end = c->at == 0;
}
