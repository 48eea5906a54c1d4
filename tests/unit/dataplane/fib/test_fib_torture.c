/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Readers look up while the writer changes, removes and adds entries, and while the
 * table grows, shrinks and moves entries together, for about two seconds. Each set
 * contains its entry and version, and readers check that
 *
 *   - a set is whole, belongs to the right entry, and was published before;
 *   - no reader sees an older version after a newer one;
 *   - a flow only gets a set that was once the right one for it (see change_pair()).
 *
 * A debug build poisons freed memory, so a reader that still uses it fails. This also
 * runs under the thread sanitizer.
 */

#include "base/rng.h"
#include "dataplane/fib/fib.h"
#include "dataplane/fib/tsan.h"
#include "test.h"

#include <pthread.h>
#include <time.h>
#include <urcu-qsbr.h>

#define N_READERS 3
#define N_GROUPS  64
#define N_PAIRS	  8 /* groups with a pair of entries */
#define N_FILLERS 30000

/* the entries of a group */
enum kind { KIND_ANY, KIND_NAMED, _KIND_N };

static struct fib *fib;
static atomic_bool stop;
static _Atomic uint64_t announced[N_GROUPS][_KIND_N];
static uint64_t n_shown[N_GROUPS][_KIND_N]; /* last version, for the writer */
static bool is_named[N_GROUPS];		    /* for the writer */

static const struct addr any4 = ADDR_V4(0, 0, 0, 0);
static const struct addr named = ADDR_V4(10, 0, 0, 1);
static const struct addr other = ADDR_V4(10, 0, 0, 2);

static struct addr group_of(unsigned g)
{
	return ADDR_V4(239, 0, 0, (uint8_t)g);
}

static uint64_t seal(unsigned g, enum kind kind, uint64_t version)
{
	struct rng rng;

	rng_seed(&rng, version << 16 | g << 4 | kind);
	return rng_next(&rng);
}

static struct portset set_of(unsigned g, enum kind kind, uint64_t version)
{
	return (struct portset){{g, kind, version, seal(g, kind, version)}};
}

/* Writer */

static void show(unsigned g, enum kind kind, bool even)
{
	uint64_t version = n_shown[g][kind] + 1;
	struct addr group = group_of(g);
	struct portset s;

	if (version % 2 != (even ? 0 : 1))
		version++;
	n_shown[g][kind] = version;
	s = set_of(g, kind, version);
	atomic_store_explicit(&announced[g][kind], version, memory_order_release);
	assert_int_equal(
		fib_set(fib, 0, kind == KIND_NAMED ? &named : &any4, &group, &s), 0);
}

static void hide_named(unsigned g)
{
	struct addr group = group_of(g);

	fib_del(fib, 0, &named, &group);
}

/* Versions of (*,G) are even while the source has an entry and odd while it has none.
 * The source must therefore never get an even version of (*,G). */
static void change_pair(unsigned g, struct rng *rng)
{
	if (is_named[g]) {
		if (rng_below(rng, 2))
			show(g, KIND_ANY, true);
		show(g, KIND_ANY, false);
		hide_named(g);
	} else {
		show(g, KIND_NAMED, rng_below(rng, 2));
		show(g, KIND_ANY, true);
	}
	is_named[g] = !is_named[g];
}

static void change(struct rng *rng)
{
	unsigned g = (unsigned)rng_below(rng, N_GROUPS);

	if (g < N_PAIRS)
		change_pair(g, rng);
	else if (rng_below(rng, 4) == 0)
		hide_named(g);
	else
		show(g, rng_below(rng, 2) ? KIND_NAMED : KIND_ANY, rng_below(rng, 2));
}

/* Makes the table grow, become sparse, and shrink, by entries that no reader looks
 * up. */
static void change_filler(uint64_t i)
{
	unsigned n = (unsigned)(i % N_FILLERS), phase = (unsigned)(i / N_FILLERS % 3);
	struct addr g = ADDR_V4(238, 0, (uint8_t)(n >> 8), (uint8_t)n);
	struct portset p = {{n % 1000, 1, 2, 3}};

	if (phase == 0)
		assert_int_equal(fib_set(fib, 0, &any4, &g, &p), 0);
	else if ((phase == 1) == (n % 16 != 0))
		fib_del(fib, 0, &any4, &g);
}

/* Readers */

struct reader {
	pthread_t thread;
	unsigned index;
	uint64_t n_lookups, n_missing, n_wrong, n_old, n_never;
	uint64_t seen[N_GROUPS][_KIND_N];
};

static void check(struct reader *r, unsigned g, bool by_named, struct fib_entry *e,
	const struct fib_outset *out)
{
	enum kind kind;
	uint64_t version;

	r->n_lookups++;
	if (!e) {
		r->n_missing++;
		return;
	}
	kind = out->ports.w[1] == KIND_NAMED ? KIND_NAMED : KIND_ANY;
	version = out->ports.w[2];
	if (out->ports.w[0] != g || out->ports.w[1] != kind ||
		out->ports.w[3] != seal(g, kind, version) ||
		(kind == KIND_NAMED && !by_named) ||
		out->n_ports != portset_count(&out->ports) ||
		version > atomic_load_explicit(
				  &announced[g][kind], memory_order_acquire)) {
		r->n_wrong++;
		return;
	}
	if (version < r->seen[g][kind])
		r->n_old++;
	r->seen[g][kind] = version;
	if (g < N_PAIRS && by_named && kind == KIND_ANY && version % 2 == 0)
		r->n_never++;
	fib_count(fib, e, 1, 100, by_named ? &named : &other, r->index, 0);
}

static void read_singly(struct reader *r)
{
	for (unsigned i = 0; i < 2 * N_GROUPS; i++) {
		struct addr group = group_of(i / 2);
		const struct fib_outset *out = NULL;
		struct fib_entry *e;

		e = fib_lookup(fib, 0, i % 2 ? &named : &other, &group, &out);
		check(r, i / 2, i % 2, e, out);
	}
}

static void read_burst(struct reader *r)
{
	struct fib_query q[2 * N_GROUPS];
	struct addr group[N_GROUPS];

	for (unsigned i = 0; i < 2 * N_GROUPS; i++) {
		group[i / 2] = group_of(i / 2);
		q[i] = (struct fib_query){
			i % 2 ? &named : &other, &group[i / 2], 0, NULL, NULL};
	}
	fib_lookup_burst(fib, q, 2 * N_GROUPS);
	for (unsigned i = 0; i < 2 * N_GROUPS; i++)
		check(r, i / 2, i % 2, q[i].entry, q[i].out);
}

static void *read_on(void *arg)
{
	struct reader *r = arg;

	rcu_register_thread();
	for (unsigned i = 0; !atomic_load_explicit(&stop, memory_order_relaxed); i++) {
		if (i % 2)
			read_singly(r);
		else
			read_burst(r);
		tsan_let_go();
		rcu_quiescent_state();
	}
	tsan_let_go();
	rcu_unregister_thread();
	return NULL;
}

static bool is_over(const struct timespec *start)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (now.tv_sec - start->tv_sec) * 1000 +
		(now.tv_nsec - start->tv_nsec) / 1000000 >=
		2000;
}

static void check_reader(const struct reader *r)
{
	print_message("reader %u: %llu lookups\n", r->index,
		(unsigned long long)r->n_lookups);
	assert_true(r->n_lookups > 0);
	assert_int_equal(r->n_missing, 0);
	assert_int_equal(r->n_wrong, 0);
	assert_int_equal(r->n_old, 0);
	assert_int_equal(r->n_never, 0);
}

/* A change returns retired memory whose grace period is over. On a busy machine that
 * may take long. */
static size_t bytes_at_rest(struct rng *rng)
{
	for (unsigned i = 0; i < 8; i++) {
		change(rng);
		rcu_quiescent_state();
		rcu_barrier();
	}
	return fib_bytes(fib);
}

static void readers_see_only_sets_that_existed(void **state)
{
	static struct reader readers[N_READERS];
	size_t most = 0, last;
	struct timespec start;
	uint64_t n_changes = 0;
	struct rng rng;

	print_message("seed 31\n");
	rng_seed(&rng, 31);
	rcu_register_thread();
	assert_int_equal(fib_new(N_READERS, 31, &fib), 0);
	while (n_changes < N_FILLERS)
		change_filler(n_changes++);
	/* allocated after the fillers, so these entries are moved as well */
	for (unsigned g = 0; g < N_GROUPS; g++)
		show(g, KIND_ANY, false);
	for (unsigned i = 0; i < N_READERS; i++) {
		readers[i].index = i;
		assert_int_equal(
			pthread_create(&readers[i].thread, NULL, read_on, &readers[i]),
			0);
	}
	clock_gettime(CLOCK_MONOTONIC, &start);
	/* full cycles of growing and shrinking */
	while (n_changes % (3 * N_FILLERS) || !is_over(&start)) {
		change(&rng);
		change_filler(n_changes++);
		tsan_let_go();
		rcu_quiescent_state();
		most = fib_bytes(fib) > most ? fib_bytes(fib) : most;
	}
	atomic_store(&stop, true);
	rcu_thread_offline();
	for (unsigned i = 0; i < N_READERS; i++)
		pthread_join(readers[i].thread, NULL);
	rcu_thread_online();
	for (unsigned i = 0; i < N_READERS; i++)
		check_reader(&readers[i]);
	last = bytes_at_rest(&rng);
	print_message("%llu changes; up to %zu bytes, %zu at the end\n",
		(unsigned long long)n_changes, most, last);
	assert_true(most > 2 * last);
	fib_free(fib);
	rcu_unregister_thread();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(readers_see_only_sets_that_existed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
