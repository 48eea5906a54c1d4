/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The index compared with a plain array: random changes, equal hashes, growth. */

#include "base/rng.h"
#include "dataplane/fib/fib_index.h"
#include "test.h"

#include <errno.h>

#define N_OBJECTS 20000

struct object {
	_Alignas(16) uint64_t hash;
	unsigned number;
	bool in;
};

static struct fib_index ix;
static struct object object[N_OBJECTS];

static uint64_t hash_of(const void *obj, const void *arg)
{
	assert_ptr_equal(arg, &ix);
	return ((const struct object *)obj)->hash;
}

static int setup(void **state)
{
	rcu_register_thread();
	return fib_index_init(&ix, hash_of, &ix);
}

static int teardown(void **state)
{
	rcu_thread_offline();
	rcu_barrier();
	rcu_thread_online();
	fib_index_deinit(&ix);
	rcu_unregister_thread();
	return 0;
}

static bool is_object(const void *obj, const void *key)
{
	return obj == key;
}

static bool is_found(const struct object *o)
{
	return fib_index_find(fib_index_now(&ix), o->hash, is_object, o) == o;
}

static void make_objects(uint64_t mask)
{
	struct rng rng;

	rng_seed(&rng, 1);
	for (unsigned i = 0; i < N_OBJECTS; i++)
		object[i] = (struct object){rng_next(&rng) & mask, i, false};
}

static void toggle(struct object *o)
{
	if (o->in)
		fib_index_del(&ix, o->hash, o);
	else
		assert_int_equal(fib_index_add(&ix, o->hash, o), 0);
	o->in = !o->in;
}

static void check_all(unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		assert_int_equal(is_found(&object[i]), object[i].in);
}

/* Toggles objects among the first `n`; `mask` limits their hashes. */
static const struct {
	const char *what;
	uint64_t mask;
	unsigned n, n_changes;
} mixes[] = {
	{"spread", UINT64_MAX, N_OBJECTS, 200000},
	{"few buckets", UINT64_C(0xffff00000000000f), 300, 20000},
	{"few tags", UINT64_C(0x0003ffffffffffff), 3000, 100000},
	{"one hash: counts of passing objects are lost", 0, 300, 20000},
};

static void random_changes_equal_an_array(void **state)
{
	struct rng rng;

	rng_seed(&rng, 2);
	for (unsigned m = 0; m < array_len(mixes); m++) {
		print_message("%s\n", mixes[m].what);
		make_objects(mixes[m].mask);
		for (unsigned i = 0; i < mixes[m].n_changes; i++) {
			struct object *o = &object[rng_below(&rng, mixes[m].n)];

			toggle(o);
			assert_int_equal(is_found(o), o->in);
			if (i % (mixes[m].n_changes / 16) == 0)
				check_all(mixes[m].n);
		}
		for (unsigned i = 0; i < mixes[m].n; i++)
			if (object[i].in)
				toggle(&object[i]);
		check_all(mixes[m].n);
		assert_int_equal(ix.n, 0);
	}
}

static void counts_of_passing_objects_are_exact(void **state)
{
	const struct fib_buckets *t = fib_index_now(&ix);

	/* a bucket holds 8, and 3 go to the next one; a second hash makes that one
	 * also overflow */
	make_objects(0);
	for (unsigned i = 0; i < 11; i++)
		toggle(&object[i]);
	for (unsigned i = 11; i < 20; i++) {
		object[i].hash = 1;
		toggle(&object[i]);
	}
	assert_int_equal(t->bucket[0].slot[0] & FIB_INDEX_SPILL_MAX, 3);
	assert_int_equal(t->bucket[1].slot[0] & FIB_INDEX_SPILL_MAX, 4);
	check_all(20);
	for (unsigned i = 0; i < 20; i += 2)
		toggle(&object[i]);
	check_all(20);
	for (unsigned i = 1; i < 20; i += 2)
		toggle(&object[i]);
	assert_int_equal(t->bucket[0].slot[0], 0);
	assert_int_equal(t->bucket[1].slot[0], 0);
}

static void replacing_is_seen_in_both_tables(void **state)
{
	make_objects(UINT64_MAX);
	/* at some of these sizes the next table is being filled */
	for (unsigned i = 0; i < N_OBJECTS / 2; i++) {
		struct object *copy = &object[N_OBJECTS / 2 + i];

		toggle(&object[i]);
		if (i % 3)
			continue;
		copy->hash = object[i].hash;
		fib_index_replace(&ix, object[i].hash, &object[i], copy);
		object[i].in = false;
		copy->in = true;
	}
	check_all(N_OBJECTS);
	for (unsigned i = 0; i < N_OBJECTS; i++)
		if (object[i].in)
			toggle(&object[i]);
	check_all(N_OBJECTS);
}

static void grows_and_shrinks(void **state)
{
	size_t empty = fib_index_bytes(&ix);

	make_objects(UINT64_MAX);
	for (unsigned i = 0; i < N_OBJECTS; i++)
		toggle(&object[i]);
	assert_true(fib_index_bytes(&ix) >= N_OBJECTS * 8);
	/* at most three buckets per 4.8 objects, when growth has just begun */
	assert_true(fib_index_bytes(&ix) <= N_OBJECTS * 64 * 3 / 4);
	for (unsigned i = 0; i < N_OBJECTS; i++)
		toggle(&object[i]);
	assert_true(fib_index_bytes(&ix) <= 4 * empty);
}

static void refuses_strange_addresses(void **state)
{
#if UINTPTR_MAX > UINT32_MAX
	void *far = (void *)((uintptr_t)1 << 48);

	assert_int_equal(fib_index_add(&ix, 1, far), -ENOMEM);
	assert_int_equal(ix.n, 0);
#else
	skip(); /* an address of 32 bits always fits */
#endif
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			random_changes_equal_an_array, setup, teardown),
		cmocka_unit_test_setup_teardown(
			counts_of_passing_objects_are_exact, setup, teardown),
		cmocka_unit_test_setup_teardown(
			replacing_is_seen_in_both_tables, setup, teardown),
		cmocka_unit_test_setup_teardown(grows_and_shrinks, setup, teardown),
		cmocka_unit_test_setup_teardown(
			refuses_strange_addresses, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
