/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The readers' side of the forwarding table, see fib.h and fib.c: no lock, and stores
 * only to the counters of an entry.
 */

#include "dataplane/fib/fib_entry.h"

#define N_BATCH 32 /* lookups whose memory accesses overlap */

/* Finds the entry that counts, beginning with the (*,G) entry. Returns false if the
 * writer has changed it and the reader must retry. */
static bool resolve(const struct fib *fib, const struct fib_buckets *t,
	const struct fib_key *k, struct fib_entry *parent, struct fib_entry **ret_entry,
	const struct fib_outset **ret_out)
{
	uint64_t word = fib_entry_word(parent);
	struct fib_entry *e = parent, *named;

	if (word == FIB_WORD_MOVED)
		return false;
	if (fib_word_sources(word) > 0) {
		named = fib_find_named(fib, t, k);
		/* a table that was replaced does not have the newest entries */
		if (!named &&
			(fib_entry_word(parent) != word ||
				fib_index_now(&fib->index) != t))
			return false;
		if (named) {
			e = named;
			word = fib_entry_word(named);
		}
		if (word == FIB_WORD_MOVED)
			return false;
	}
	*ret_out = fib_word_set(word);
	*ret_entry = *ret_out ? e : NULL;
	return true;
}

static struct fib_entry *look_up(const struct fib *fib, const struct fib_key *k,
	const struct fib_outset **ret_out)
{
	struct fib_entry *parent, *e;

	/* every retry means that the writer changed this group meanwhile */
	do {
		const struct fib_buckets *t = fib_index_now(&fib->index);

		parent = fib_find_any(fib, t, k);
		if (!parent)
			return NULL;
		if (resolve(fib, t, k, parent, &e, ret_out))
			return e;
	} while (true);
}

struct fib_entry *fib_lookup(struct fib *fib, unsigned instance,
	const struct addr *source, const struct addr *group,
	const struct fib_outset **ret_out)
{
	const struct fib_outset *out = NULL;
	struct fib_entry *e;
	struct fib_key key;

	fib_key_make(fib, instance, source, group, &key);
	e = look_up(fib, &key, &out);
	if (e)
		*ret_out = out;
	return e;
}

/* Works in steps; each prefetches the memory that the next one reads. */
static void look_up_batch(const struct fib *fib, struct fib_query *q, unsigned n)
{
	const struct fib_buckets *t = fib_index_now(&fib->index);
	struct fib_entry *parent[N_BATCH];
	struct fib_key key[N_BATCH];
	uint64_t hash[N_BATCH], word;

	for (unsigned i = 0; i < n; i++) {
		fib_key_make(fib, q[i].instance, q[i].source, q[i].group, &key[i]);
		hash[i] = fib_key_hash_any(fib, &key[i]);
		__builtin_prefetch(fib_index_bucket(t, hash[i]));
	}
	for (unsigned i = 0; i < n; i++)
		__builtin_prefetch(fib_index_guess(t, hash[i]));
	for (unsigned i = 0; i < n; i++) {
		parent[i] = fib_index_find(t, hash[i], fib_entry_match_any, &key[i]);
		word = parent[i] ? fib_entry_word(parent[i]) : 0;
		__builtin_prefetch(fib_word_set(word));
		hash[i] = 0;
		if (fib_word_sources(word) == 0)
			continue;
		hash[i] = fib_key_hash_named(fib, &key[i]);
		__builtin_prefetch(fib_index_bucket(t, hash[i]));
	}
	for (unsigned i = 0; i < n; i++)
		if (hash[i])
			__builtin_prefetch(fib_index_guess(t, hash[i]));
	for (unsigned i = 0; i < n; i++) {
		q[i].entry = NULL;
		q[i].out = NULL;
		if (parent[i] &&
			!resolve(fib, t, &key[i], parent[i], &q[i].entry, &q[i].out))
			q[i].entry = look_up(fib, &key[i], &q[i].out);
	}
}

void fib_lookup_burst(struct fib *fib, struct fib_query *q, unsigned n)
{
	for (unsigned i = 0; i < n; i += N_BATCH)
		look_up_batch(fib, q + i, n - i < N_BATCH ? n - i : N_BATCH);
}

static void add_to(const struct fib *fib, _Atomic uint64_t *counter, uint64_t n)
{
	if (fib->one_reader)
		atomic_store_explicit(counter,
			atomic_load_explicit(counter, memory_order_relaxed) + n,
			memory_order_relaxed);
	else
		atomic_fetch_add_explicit(counter, n, memory_order_relaxed);
}

static void add_packets(
	const struct fib *fib, struct fib_entry *e, uint64_t packets, uint32_t seconds)
{
	uint64_t old = atomic_load_explicit(&e->tally, memory_order_relaxed);

	if (fib->one_reader) {
		atomic_store_explicit(&e->tally,
			fib_tally(fib_tally_packets(old) + packets, seconds),
			memory_order_relaxed);
		return;
	}
	while (!atomic_compare_exchange_weak_explicit(&e->tally, &old,
		fib_tally(fib_tally_packets(old) + packets, seconds),
		memory_order_relaxed, memory_order_relaxed))
		;
}

void fib_count(struct fib *fib, struct fib_entry *e, uint64_t packets, uint64_t bytes,
	const struct addr *source, unsigned port, uint32_t seconds)
{
	uint64_t src[2];

	if (e->any) {
		memcpy(src, source->b, sizeof(src));
		for (unsigned i = 0; i < 2; i++)
			atomic_store_explicit(
				&e->source[i], src[i], memory_order_relaxed);
	}
	atomic_store_explicit(&e->last_port, (uint8_t)port, memory_order_relaxed);
	atomic_store_explicit(&e->era, (uint8_t)(seconds >> FIB_TALLY_TIME_BITS),
		memory_order_relaxed);
	add_packets(fib, e, packets, seconds);
	add_to(fib, &e->bytes, bytes);
}

void fib_count_wrong(struct fib_entry *e, uint64_t packets)
{
	uint32_t n = atomic_load_explicit(&e->wrong, memory_order_relaxed), more;

	do {
		more = packets > UINT32_MAX - n ? UINT32_MAX : n + (uint32_t)packets;
	} while (!atomic_compare_exchange_weak_explicit(
		&e->wrong, &n, more, memory_order_relaxed, memory_order_relaxed));
}
