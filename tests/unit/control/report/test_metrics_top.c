/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The busiest entries, compared with a full sort. */

#include "base/rng.h"
#include "control/report/metrics_top.h"
#include "test.h"

static struct metrics_entry entry(unsigned proxy, unsigned n, uint64_t bytes)
{
	return (struct metrics_entry){
		.proxy = proxy,
		.group =
			ADDR_V4(239, (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n),
		.source = addr_any(FAMILY_IPV4),
		.bytes = bytes,
	};
}

static int most_bytes_first(const void *x, const void *y)
{
	const struct metrics_entry *e = x, *f = y;

	if (e->bytes != f->bytes)
		return e->bytes < f->bytes ? 1 : -1;
	return addr_cmp(&e->group, &f->group);
}

static int by_group(const void *x, const void *y)
{
	const struct metrics_entry *e = x, *f = y;

	return addr_cmp(&e->group, &f->group);
}

/* The result must equal the first `max` of a full sort. */
static void check(size_t n, size_t max, uint64_t range, size_t steps)
{
	struct metrics_entry *all = calloc(n + 1, sizeof(*all));
	size_t expected = n < max ? n : max, rounds = 1;
	struct topn top;
	struct rng rng;

	rng_seed(&rng, n * 31 + max);
	top = metrics_top(max);
	for (size_t i = 0; i < n; i++) {
		all[i] = entry(0, (unsigned)(i * 7919 % n), rng_below(&rng, range));
		topn_add(&top, &all[i]);
	}
	while (!metrics_top_sort(&top, steps))
		rounds++;
	assert_true(rounds <= 2 * expected / steps + 1);
	qsort(all, n, sizeof(*all), most_bytes_first);
	qsort(all, expected, sizeof(*all), by_group);
	assert_int_equal(top.n, expected);
	assert_int_equal(top.n_offered - top.n, n - expected);
	for (size_t i = 0; i < expected; i++) {
		const struct metrics_entry *e = topn_get(&top, i);

		assert_int_equal(e->bytes, all[i].bytes);
		assert_true(addr_eq(&e->group, &all[i].group));
		assert_false(metrics_top_is_double(&top, i));
	}
	topn_deinit(&top);
	free(all);
}

static void as_a_plain_sort(void **state)
{
	check(0, 0, 1, 1);
	check(0, 5, 1, 1);
	check(1, 1, 1, 1);
	check(2, 5, 9, 1);
	check(100, 0, 1000, 7);
	check(100, 1, 1000, 7);
	check(1000, 99, 1000000, 10);
	check(1000, 1000, 1000000, 100);
	check(5000, 256, 3, 64); /* nearly all have the same traffic */
	check(5000, 6000, 1, 64);
}

static void doubles_are_seen(void **state)
{
	struct metrics_entry e[] = {entry(0, 1, 5), entry(1, 1, 5), entry(0, 2, 1),
		entry(0, 1, 7), entry(0, 1, 5)};
	unsigned n = 0;
	struct topn top;

	top = metrics_top(10);
	for (size_t i = 0; i < array_len(e); i++)
		topn_add(&top, &e[i]);
	assert_true(metrics_top_sort(&top, SIZE_MAX));
	for (size_t i = 0; i < top.n; i++)
		n += metrics_top_is_double(&top, i);
	assert_int_equal(n, 2);
	topn_deinit(&top);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(as_a_plain_sort),
		cmocka_unit_test(doubles_are_seen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
