/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Arrays that grow, and the search in sorted ones. */

#include "base/array.h"
#include "base/search.h"

#include "fail_alloc.h"
#include "test.h"

#include <errno.h>

static void grows_by_doubling(void **state)
{
	unsigned *v = NULL;
	size_t cap = 0;

	assert_int_equal(array_reserve(v, cap, 0, 4), 0);
	assert_null(v);
	for (unsigned n = 0; n < 1000; n++) {
		assert_int_equal(array_reserve(v, cap, n + 1, 4), 0);
		v[n] = n;
		assert_true(cap > n && cap >= 4 && cap <= (n < 4 ? 4 : 2 * n));
	}
	for (unsigned n = 0; n < 1000; n++)
		assert_int_equal(v[n], n);
	/* more than twice the capacity at once */
	assert_int_equal(array_reserve(v, cap, 5000, 4), 0);
	assert_int_equal(cap, 8192);
	assert_int_equal(v[999], 999);
	free(v);
}

static void no_memory_changes_nothing(void **state)
{
	char *v = NULL, *before;
	size_t cap = 0;

	fail_alloc_after = 0;
	assert_int_equal(array_reserve(v, cap, 1, 16), -ENOMEM);
	assert_true(!v && cap == 0);
	assert_int_equal(array_reserve(v, cap, 1, 16), 0);
	v[0] = 'x';
	before = v;
	fail_alloc_after = 0;
	assert_int_equal(array_reserve(v, cap, 17, 16), -ENOMEM);
	assert_true(v == before && v[0] == 'x' && cap == 16);
	/* there is room, so nothing is allocated */
	fail_alloc_after = 0;
	assert_int_equal(array_reserve(v, cap, 16, 16), 0);
	fail_alloc_after = -1;
	free(v);
}

/* Compared with a linear search, in each part of an array with duplicates. */
static void search_as_a_walk(void **state)
{
	static const int v[] = {1, 3, 3, 3, 5, 8, 8, 9};

	for (size_t lo = 0; lo <= array_len(v); lo++)
		for (size_t hi = lo; hi <= array_len(v); hi++)
			for (int what = 0; what <= 10; what++) {
				size_t k = lo;

				while (k < hi && v[k] < what)
					k++;
				assert_int_equal(
					first_not_before(lo, hi, i, v[i] < what), k);
			}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(grows_by_doubling),
		cmocka_unit_test(no_memory_changes_nothing),
		cmocka_unit_test(search_as_a_walk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
