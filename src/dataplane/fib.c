/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The forwarding table, see fib.h: liburcu's lock-free hash table of entries, each with
 * an atomic pointer to an interned, immutable set of ports. Control writes, data-plane
 * threads look up; both are registered with urcu-qsbr. What the writer takes out is
 * freed by call_rcu after a grace period, so the writer never waits. Calls nothing but
 * liburcu.
 *
 * An entry is laid out so that lookup and decision touch its first 64 octets only.
 */

#include "dataplane/fib.h"

#include "base/cleanup.h"
#include "base/rng.h"
#include "dataplane/tsan.h"

#include <errno.h>
#include <urcu-qsbr.h> /* before rculfhash.h: names the flavour */

#include <urcu/rculfhash.h>

char tsan_grace; /* declared in tsan.h */

#ifdef WITH_TSAN
/* what liburcu's own threads do to liburcu's own memory */
__attribute__((visibility("default"))) const char *__tsan_default_suppressions(void);
const char *__tsan_default_suppressions(void)
{
	return "called_from_lib:liburcu-cds.so\n"
	       "called_from_lib:liburcu-qsbr.so\n";
}
#endif

struct fib_key {
	struct addr source, group;
	uint32_t instance;
};

struct fib_entry {
	struct cds_lfht_node node;
	struct fib_key key;
	uint32_t n_threads;
	_Atomic(struct fib_outset *) out;
	struct rcu_head rcu;
	struct fib_counter counter[];
};

_Static_assert(offsetof(struct fib_entry, rcu) <= 64, "lookup stays in 64 octets");
_Static_assert(sizeof(struct fib_entry) + sizeof(struct fib_counter) <= 128,
	"a million entries are 128 MB");

/* an interned set with what its reclaim needs */
struct outset {
	struct fib_outset set;
	struct rcu_head rcu;
};

struct fib {
	struct cds_lfht *ht;
	uint64_t key[5]; /* of the hash */
	unsigned n_threads;
	/* writer only */
	size_t n;
	struct fib_outset **bucket; /* interned sets by ports */
	size_t n_sets, n_buckets;   /* n_buckets is a power of two */
};

static uint64_t mix(uint64_t x, uint64_t y)
{
	unsigned __int128 m = (unsigned __int128)x * y;

	return (uint64_t)m ^ (uint64_t)(m >> 64);
}

static uint64_t load64(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

/* Multiply-fold with secret operands: keys come from the network, and whoever could
 * predict the bucket could fill one. */
static unsigned long hash_key(const struct fib *fib, const struct fib_key *k)
{
	uint64_t h;

	h = mix(load64(k->source.b) ^ fib->key[0],
		load64(k->source.b + 8) ^ fib->key[1]);
	h ^= mix(
		load64(k->group.b) ^ fib->key[2], load64(k->group.b + 8) ^ fib->key[3]);
	return (unsigned long)mix(h ^ k->instance, fib->key[4]);
}

static int match_key(struct cds_lfht_node *node, const void *key)
{
	struct fib_entry *e = container_of(node, struct fib_entry, node);

	/* pairs with the release before cds_lfht_add() in add_entry() */
	tsan_acquire(e);
	return memcmp(&e->key, key, sizeof(e->key)) == 0;
}

static struct fib_key make_key(
	unsigned instance, const struct addr *source, const struct addr *group)
{
	struct fib_key k = {.group = *group, .instance = instance};

	/* one form of "any", whatever the family */
	if (!addr_is_any(source))
		k.source = *source;
	return k;
}

static struct fib_entry *find_entry(struct fib *fib, const struct fib_key *key)
{
	struct cds_lfht_iter iter;
	struct cds_lfht_node *node;

	cds_lfht_lookup(fib->ht, hash_key(fib, key), match_key, key, &iter);
	node = cds_lfht_iter_get_node(&iter);
	return node ? container_of(node, struct fib_entry, node) : NULL;
}

/* Interned sets */

static size_t set_bucket(const struct fib *fib, const struct portset *ports)
{
	uint64_t h = mix(ports->w[0] ^ fib->key[0], ports->w[1] ^ fib->key[1]);

	h ^= mix(ports->w[2] ^ fib->key[2], ports->w[3] ^ fib->key[3]);
	return h & (fib->n_buckets - 1);
}

/* When there is no memory the chains get longer, nothing else. */
static void grow_sets(struct fib *fib)
{
	struct fib_outset **old = fib->bucket, **v;
	size_t n_old = fib->n_buckets;

	v = calloc(2 * n_old, sizeof(struct fib_outset *));
	if (!v)
		return;
	fib->bucket = v;
	fib->n_buckets = 2 * n_old;
	for (size_t i = 0; i < n_old; i++)
		for (struct fib_outset *s = old[i], *next; s; s = next) {
			size_t b = set_bucket(fib, &s->ports);

			next = s->next;
			s->next = v[b];
			v[b] = s;
		}
	free(old);
}

/* Reference to the set with these ports, NULL when out of memory. */
static struct fib_outset *intern(struct fib *fib, const struct portset *ports)
{
	struct fib_outset *s;
	struct outset *o;
	size_t b;

	for (s = fib->bucket[set_bucket(fib, ports)]; s; s = s->next)
		if (portset_eq(&s->ports, ports)) {
			s->refs++;
			return s;
		}
	o = calloc(1, sizeof(*o));
	if (!o)
		return NULL;
	if (fib->n_sets >= fib->n_buckets)
		grow_sets(fib);
	s = &o->set;
	s->ports = *ports;
	s->n_ports = portset_count(ports);
	s->refs = 1;
	b = set_bucket(fib, ports);
	s->next = fib->bucket[b];
	fib->bucket[b] = s;
	fib->n_sets++;
	return s;
}

static void reclaim_set(struct rcu_head *head)
{
	/* pairs with tsan_let_go() of the readers and in unref() */
	tsan_grace_over();
	free(container_of(head, struct outset, rcu));
}

static void unref(struct fib *fib, struct fib_outset *s)
{
	struct fib_outset **p = &fib->bucket[set_bucket(fib, &s->ports)];

	if (--s->refs > 0)
		return;
	while (*p != s)
		p = &(*p)->next;
	*p = s->next;
	fib->n_sets--;
	tsan_let_go(); /* pairs with the reclaim function */
	call_rcu(&container_of(s, struct outset, set)->rcu, reclaim_set);
}

/* Writer */

int fib_new(unsigned n_threads, uint64_t seed, struct fib **ret)
{
	_cleanup_(freep) struct fib *fib = calloc(1, sizeof(*fib));
	struct rng rng;

	if (!fib)
		return -ENOMEM;
	rng_seed(&rng, seed);
	for (size_t i = 0; i < array_len(fib->key); i++)
		fib->key[i] = rng_next(&rng) | 1;
	fib->n_threads = n_threads;
	fib->n_buckets = 64;
	fib->bucket = calloc(fib->n_buckets, sizeof(struct fib_outset *));
	if (!fib->bucket)
		return -ENOMEM;
	fib->ht = cds_lfht_new(
		1024, 1024, 0, CDS_LFHT_AUTO_RESIZE | CDS_LFHT_ACCOUNTING, NULL);
	if (!fib->ht) {
		free(fib->bucket);
		return -ENOMEM;
	}
	*ret = take_ptr(fib);
	return 0;
}

static void reclaim_entry(struct rcu_head *head)
{
	/* pairs with tsan_let_go() of the readers and in remove_entry() */
	tsan_grace_over();
	free(container_of(head, struct fib_entry, rcu));
}

static void remove_entry(struct fib *fib, struct fib_entry *e)
{
	cds_lfht_del(fib->ht, &e->node);
	fib->n--;
	unref(fib, atomic_load_explicit(&e->out, memory_order_relaxed));
	tsan_let_go(); /* pairs with the reclaim function */
	call_rcu(&e->rcu, reclaim_entry);
}

struct fib *fib_free(struct fib *fib)
{
	struct cds_lfht_iter iter;
	struct cds_lfht_node *node;
	bool online;

	if (!fib)
		return NULL;
	cds_lfht_for_each(fib->ht, &iter, node)
		remove_entry(fib, container_of(node, struct fib_entry, node));
	/* both wait for threads of liburcu that may wait for a grace period, that is
	 * for this thread */
	online = rcu_read_ongoing();
	if (online)
		rcu_thread_offline();
	cds_lfht_destroy(fib->ht, NULL);
	rcu_barrier();
	if (online)
		rcu_thread_online();
	free(fib->bucket);
	free(fib);
	return NULL;
}

static int add_entry(struct fib *fib, const struct fib_key *key, struct fib_outset *out)
{
	size_t size =
		sizeof(struct fib_entry) + fib->n_threads * sizeof(struct fib_counter);
	struct fib_entry *e = calloc(1, size);

	if (!e)
		return -ENOMEM;
	cds_lfht_node_init(&e->node);
	e->key = *key;
	e->n_threads = fib->n_threads;
	atomic_init(&e->out, out);
	tsan_release(e);
	cds_lfht_add(fib->ht, hash_key(fib, key), &e->node);
	fib->n++;
	return 0;
}

int fib_set(struct fib *fib, unsigned instance, const struct addr *source,
	const struct addr *group, const struct portset *out)
{
	struct fib_key key = make_key(instance, source, group);
	struct fib_entry *e = find_entry(fib, &key);
	struct fib_outset *set = intern(fib, out), *old;
	int r;

	if (!set)
		return -ENOMEM;
	if (!e) {
		r = add_entry(fib, &key, set);
		if (r < 0)
			unref(fib, set);
		return r;
	}
	old = atomic_load_explicit(&e->out, memory_order_relaxed);
	/* pairs with the acquire in fib_lookup() */
	atomic_store_explicit(&e->out, set, memory_order_release);
	unref(fib, old);
	return 0;
}

void fib_del(struct fib *fib, unsigned instance, const struct addr *source,
	const struct addr *group)
{
	struct fib_key key = make_key(instance, source, group);
	struct fib_entry *e = find_entry(fib, &key);

	if (e)
		remove_entry(fib, e);
}

size_t fib_size(const struct fib *fib)
{
	return fib->n;
}

static void sum_counters(struct fib_entry *e, struct fib_view *v)
{
	for (unsigned t = 0; t < e->n_threads; t++) {
		struct fib_counter *c = &e->counter[t];
		uint64_t src[2], packets;

		packets = atomic_load_explicit(&c->packets, memory_order_relaxed);
		v->packets += packets;
		v->bytes += atomic_load_explicit(&c->bytes, memory_order_relaxed);
		v->wrong += atomic_load_explicit(&c->wrong, memory_order_relaxed);
		if (packets == 0)
			continue;
		v->seen = true;
		v->last_port =
			atomic_load_explicit(&c->last_port, memory_order_relaxed);
		for (int i = 0; i < 2; i++)
			src[i] = atomic_load_explicit(
				&c->last_src[i], memory_order_relaxed);
		memcpy(v->last_source.b, src, sizeof(src));
	}
}

void fib_walk(
	struct fib *fib, void (*fn)(const struct fib_view *v, void *arg), void *arg)
{
	struct cds_lfht_iter iter;
	struct cds_lfht_node *node;

	cds_lfht_for_each(fib->ht, &iter, node)
	{
		struct fib_entry *e = container_of(node, struct fib_entry, node);
		const struct fib_outset *out =
			atomic_load_explicit(&e->out, memory_order_relaxed);
		struct fib_view v = {
			.instance = e->key.instance,
			.source = e->key.source,
			.group = e->key.group,
			.out = out->ports,
		};

		if (addr_is_any(&v.source))
			v.source = addr_any(addr_family(&v.group));
		sum_counters(e, &v);
		fn(&v, arg);
	}
}

/* Reader */

struct fib_entry *fib_lookup(struct fib *fib, unsigned instance,
	const struct addr *source, const struct addr *group,
	const struct fib_outset **ret_out)
{
	struct fib_key key = {.source = *source, .group = *group, .instance = instance};
	struct fib_entry *e = find_entry(fib, &key);

	if (!e) {
		key.source = (struct addr){{0}};
		e = find_entry(fib, &key);
	}
	if (!e)
		return NULL;
	/* pairs with the release in fib_set() and the publication in add_entry() */
	*ret_out = atomic_load_explicit(&e->out, memory_order_acquire);
	return e;
}

struct fib_counter *fib_counter(struct fib_entry *e, unsigned thread)
{
	return &e->counter[thread];
}
