/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Memory whose objects are reused only after a grace period. */

#include "dataplane/fib/slab.h"
#include "test.h"

#include <urcu-qsbr.h>

#define SIZE 64

static struct slab slab;

static int setup(void **state)
{
	rcu_register_thread();
	slab_init(&slab, SIZE);
	return 0;
}

static int teardown(void **state)
{
	rcu_thread_offline();
	rcu_barrier();
	rcu_thread_online();
	slab_deinit(&slab);
	rcu_unregister_thread();
	return 0;
}

static void retired_objects_wait(void **state)
{
	char *a = slab_alloc(&slab), *b = slab_alloc(&slab), *c;

	assert_int_equal((uintptr_t)a % 64, 0);
	assert_ptr_not_equal(a, b);
	memset(a, 1, SIZE);
	slab_retire(&slab, a);
	assert_int_equal(slab.n_live, 1);
	c = slab_alloc(&slab);
	assert_ptr_not_equal(c, a);
	slab_swap(&slab);
	slab_retire(&slab, c); /* waits for the next grace period */
	assert_ptr_not_equal(slab_alloc(&slab), a);
	assert_int_equal(a[0], 1); /* still untouched */
	slab_collect(&slab);
#ifndef NDEBUG
	assert_int_equal((unsigned char)a[0], 0xa5);
#endif
	assert_ptr_equal(slab_alloc(&slab), a);
	assert_ptr_not_equal(slab_alloc(&slab), c);
	slab_swap(&slab);
	slab_collect(&slab);
	assert_ptr_equal(slab_alloc(&slab), c);
	/* an object that no reader has seen does not have to wait */
	slab_free_unseen(&slab, b);
	assert_ptr_equal(slab_alloc(&slab), b);
}

static void *list[40000];

static void fill(unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		list[i] = slab_alloc(&slab);
		assert_non_null(list[i]);
		*(unsigned *)list[i] = i;
	}
}

static void chunks_go_when_empty(void **state)
{
	unsigned n = array_len(list);

	fill(n);
	assert_int_equal(slab.n_live, n);
	assert_true(slab.n_chunks > 8);
	for (unsigned i = 0; i < n; i++)
		assert_int_equal(*(unsigned *)list[i], i);
	for (unsigned i = 0; i < n; i++)
		slab_retire(&slab, list[i]);
	assert_int_equal(slab.n_live, 0);
	assert_int_equal(slab.n_chunks, 1);
	/* the last chunk is reused when none of its objects waits */
	slab_swap(&slab);
	slab_collect(&slab);
	fill(1);
	assert_int_equal(slab.n_chunks, 1);
	slab_retire(&slab, list[0]);
	assert_int_equal(slab.n_chunks, 1);
}

static void sparse_chunks_are_emptied(void **state)
{
	unsigned n = array_len(list), kept = 0, moved = 0;
	char *obj;

	fill(n);
	assert_null(slab_sparse(&slab));
	for (unsigned i = 0; i < n; i++)
		if (i % 10)
			slab_retire(&slab, list[i]);
		else
			kept++;
	slab_swap(&slab);
	slab_collect(&slab);
	while ((obj = slab_sparse(&slab))) {
		unsigned i = *(unsigned *)(void *)obj;

		assert_ptr_equal(list[i], obj);
		list[i] = slab_alloc(&slab);
		*(unsigned *)list[i] = i;
		slab_retire(&slab, obj);
		moved++;
		assert_true(moved < n);
	}
	assert_int_equal(slab.n_live, kept);
	assert_true(slab.n_chunks < 4);
	for (unsigned i = 0; i < n; i += 10)
		assert_int_equal(*(unsigned *)list[i], i);
}

static unsigned n_walked;

static void retire_if_odd(void *obj, void *arg)
{
	n_walked++;
	if (*(unsigned *)obj % 2)
		slab_retire(&slab, obj);
}

static void retire_next(void *obj, void *arg)
{
	unsigned *i = arg;

	n_walked++;
	while (*i < array_len(list))
		slab_retire(&slab, list[(*i)++]);
}

static void a_walk_may_retire(void **state)
{
	unsigned n = array_len(list), first = 0;

	fill(n);
	n_walked = 0;
	slab_walk(&slab, retire_if_odd, NULL);
	assert_int_equal(n_walked, n);
	n_walked = 0;
	slab_walk(&slab, retire_if_odd, NULL);
	assert_int_equal(n_walked, n / 2);
	for (unsigned i = 0; i < n; i += 2)
		slab_retire(&slab, list[i]);
	/* the first visit retires all of them */
	fill(n);
	n_walked = 0;
	slab_walk(&slab, retire_next, &first);
	assert_int_equal(n_walked, 1);
	assert_int_equal(slab.n_live, 0);
	assert_int_equal(slab.n_chunks, 1);
}

static void count(void *obj, void *arg)
{
	n_walked++;
}

static void a_walk_in_parts(void **state)
{
	unsigned n = array_len(list), part = 0, most = 0;

	assert_false(slab_walk_part(&slab, 0, count, NULL));
	fill(n);
	n_walked = 0;
	while (true) {
		unsigned before = n_walked;

		if (!slab_walk_part(&slab, part, count, NULL))
			break;
		most = n_walked - before > most ? n_walked - before : most;
		part++;
	}
	assert_int_equal(n_walked, n);
	assert_int_equal(part, slab.n_chunks);
	assert_true(most <= slab.n_per_chunk);
	for (unsigned i = 0; i < n; i++)
		slab_retire(&slab, list[i]);
	n_walked = 0;
	for (part = 0; slab_walk_part(&slab, part, count, NULL); part++)
		;
	assert_int_equal(n_walked, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(retired_objects_wait, setup, teardown),
		cmocka_unit_test_setup_teardown(chunks_go_when_empty, setup, teardown),
		cmocka_unit_test_setup_teardown(
			sparse_chunks_are_emptied, setup, teardown),
		cmocka_unit_test_setup_teardown(a_walk_may_retire, setup, teardown),
		cmocka_unit_test_setup_teardown(a_walk_in_parts, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
