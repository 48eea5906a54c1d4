/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Buckets and time stamps of the latency histogram. */

#include "dataplane/packet/latency.h"
#include "test.h"

static void buckets(void **state)
{
	assert_int_equal(latency_bucket(0), 0);
	assert_int_equal(latency_bucket(1), 0);
	assert_int_equal(latency_bucket(1000), 0);
	assert_int_equal(latency_bucket(1001), 1);
	assert_int_equal(latency_bucket(UINT64_MAX), LATENCY_BUCKETS - 1);
	for (unsigned i = 0; i + 1 < LATENCY_BUCKETS; i++) {
		uint64_t bound = latency_bound_us(i) * 1000;

		assert_int_equal(latency_bucket(bound), i);
		assert_int_equal(latency_bucket(bound + 1), i + 1);
	}
}

static void time_stamps(void **state)
{
	uint64_t then = latency_stamp(1700000000, 999999999);

	assert_int_equal(latency_stamp_ns(then), UINT64_C(1700000000999999999));

	assert_true(then < latency_stamp(1700000001, 0));
	assert_int_equal(latency_since(then, latency_stamp(1700000001, 0)), 1);
	assert_int_equal(latency_since(then, then), 0);
	assert_int_equal(
		latency_since(then, latency_stamp(1700000003, 999999998)), 2999999999);
	/* the clock was set back */
	assert_int_equal(latency_since(then, latency_stamp(1700000000, 5)), 0);
	/* after 2038 and until 2106 */
	assert_int_equal(latency_since(latency_stamp(UINT32_MAX, 0),
				 latency_stamp(UINT32_MAX, 7)),
		7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(buckets),
		cmocka_unit_test(time_stamps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
