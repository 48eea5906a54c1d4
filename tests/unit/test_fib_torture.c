/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Readers look up while the writer flips entries between known sets, removes and adds
 * them, for about a second. A reader must never see a set that the writer did not put
 * there, and a group whose any-source entry stays must always be found. Meant to be run
 * under thread sanitizer, too.
 */

#include "base/rng.h"
#include "dataplane/fib.h"
#include "dataplane/tsan.h"
#include "test.h"

#include <pthread.h>
#include <time.h>
#include <urcu-qsbr.h>

#define N_READERS 3
#define N_GROUPS  64

static struct fib *fib;
static atomic_bool stop;
static const struct addr any4 = ADDR_V4(0, 0, 0, 0);
static const struct addr source = ADDR_V4(10, 0, 0, 1);

/* Sets of group g: ports g and g + 64 (named source: + 128), with or without 255; so a
 * set tells to whom it belongs. */
static struct portset set_of(unsigned g, bool named, bool more)
{
	struct portset s = {0};

	portset_add(&s, g);
	portset_add(&s, g + (named ? 128 : 64));
	if (more)
		portset_add(&s, 255);
	return s;
}

static struct addr group_of(unsigned g)
{
	return ADDR_V4(239, 0, 0, (uint8_t)g);
}

static bool is_legal(const struct portset *s, unsigned g, bool named)
{
	for (int more = 0; more <= 1; more++) {
		struct portset want = set_of(g, named, more);

		if (portset_eq(s, &want))
			return true;
	}
	return false;
}

struct reader {
	pthread_t thread;
	unsigned index;
	uint64_t lookups, misses, wrong;
};

static void *read_all(void *arg)
{
	struct reader *r = arg;

	rcu_register_thread();
	while (!atomic_load_explicit(&stop, memory_order_relaxed)) {
		for (unsigned g = 0; g < N_GROUPS; g++) {
			struct addr group = group_of(g);
			const struct fib_outset *out;
			struct fib_entry *e;

			e = fib_lookup(fib, 0, &source, &group, &out);
			r->lookups++;
			if (!e) {
				r->misses++;
				continue;
			}
			if (!is_legal(&out->ports, g, false) &&
				!is_legal(&out->ports, g, true))
				r->wrong++;
			atomic_fetch_add_explicit(&fib_counter(e, r->index)->packets, 1,
				memory_order_relaxed);
		}
		tsan_let_go();
		rcu_quiescent_state();
	}
	tsan_let_go();
	rcu_unregister_thread();
	return NULL;
}

static bool second_is_over(const struct timespec *start)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (now.tv_sec - start->tv_sec) * 1000 +
		(now.tv_nsec - start->tv_nsec) / 1000000 >=
		1000;
}

static void change(struct rng *rng)
{
	unsigned g = (unsigned)rng_below(rng, N_GROUPS);
	struct addr group = group_of(g);
	struct portset s;

	switch (rng_below(rng, 4)) {
	case 0:
		fib_del(fib, 0, &source, &group);
		break;
	case 1:
		s = set_of(g, true, rng_below(rng, 2));
		assert_int_equal(fib_set(fib, 0, &source, &group, &s), 0);
		break;
	default:
		s = set_of(g, false, rng_below(rng, 2));
		assert_int_equal(fib_set(fib, 0, &any4, &group, &s), 0);
		break;
	}
}

static void readers_see_only_sets_that_existed(void **state)
{
	struct reader readers[N_READERS] = {0};
	struct timespec start;
	uint64_t changes = 0;
	struct rng rng;

	print_message("seed 31\n");
	rng_seed(&rng, 31);
	rcu_register_thread();
	assert_int_equal(fib_new(N_READERS, 31, &fib), 0);
	for (unsigned g = 0; g < N_GROUPS; g++) {
		struct addr group = group_of(g);
		struct portset s = set_of(g, false, false);

		assert_int_equal(fib_set(fib, 0, &any4, &group, &s), 0);
	}
	for (unsigned i = 0; i < N_READERS; i++) {
		readers[i].index = i;
		assert_int_equal(
			pthread_create(&readers[i].thread, NULL, read_all, &readers[i]),
			0);
	}
	clock_gettime(CLOCK_MONOTONIC, &start);
	while (changes % 256 || !second_is_over(&start)) {
		/* entries that nobody looks up make the table grow and shrink */
		struct addr filler =
			ADDR_V4(238, 0, (uint8_t)(changes >> 8), (uint8_t)changes);
		struct portset none = {0};

		change(&rng);
		if (changes >> 16 & 1)
			fib_del(fib, 0, &any4, &filler);
		else
			assert_int_equal(fib_set(fib, 0, &any4, &filler, &none), 0);
		changes++;
		tsan_let_go();
		rcu_quiescent_state();
	}
	atomic_store(&stop, true);
	rcu_thread_offline();
	for (unsigned i = 0; i < N_READERS; i++) {
		pthread_join(readers[i].thread, NULL);
		print_message("reader %u: %llu lookups\n", i,
			(unsigned long long)readers[i].lookups);
		assert_true(readers[i].lookups > 0);
		assert_int_equal(readers[i].misses, 0);
		assert_int_equal(readers[i].wrong, 0);
	}
	rcu_thread_online();
	print_message("%llu changes\n", (unsigned long long)changes);
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
