/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The first K of many, compared with a full sort. */

#include "test.h"

#include "base/rng.h"
#include "control/report/topn.h"

#include <stdlib.h>

#define N 1000

static bool less(const void *a_, const void *b_, const void *arg)
{
	return *(const unsigned *)a_ < *(const unsigned *)b_;
}

static int compare(const void *a_, const void *b_)
{
	unsigned x = *(const unsigned *)a_, y = *(const unsigned *)b_;

	return (x > y) - (x < y);
}

static void first_of_many(void **state)
{
	static const size_t max[] = {0, 1, 2, 7, 64, 65, N, 2 * N};
	static unsigned v[N];
	struct rng rng;

	print_message("seed 5\n");
	rng_seed(&rng, 5);
	for (size_t m = 0; m < array_len(max); m++) {
		struct topn t = {
			.size = sizeof(unsigned), .max = max[m], .before = less};

		for (size_t i = 0; i < N; i++) {
			v[i] = (unsigned)rng_below(&rng, 500); /* with duplicates */
			topn_add(&t, &v[i]);
		}
		qsort(v, N, sizeof(v[0]), compare);
		topn_sort(&t, SIZE_MAX);
		assert_int_equal(t.n, max[m] < N ? max[m] : N);
		assert_int_equal(t.n_offered, N);
		for (size_t i = 0; i < t.n; i++)
			assert_int_equal(*(const unsigned *)topn_get(&t, i), v[i]);
		topn_deinit(&t);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(first_of_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
