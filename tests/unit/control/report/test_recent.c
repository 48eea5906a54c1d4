/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The last events. */

#include "control/report/recent.h"
#include "test.h"

static void the_last_ones_are_remembered(void **state)
{
	static struct recent r;

	assert_null(recent_get(&r, 0));
	for (int64_t i = 0; i < RECENT_MAX + 3; i++) {
		recent_add(&r, mono_from_ms(i), "event");
		assert_int_equal(recent_get(&r, 0)->at.ns, mono_from_ms(i).ns);
		assert_int_equal(
			recent_forgotten(&r), i < RECENT_MAX ? 0 : i + 1 - RECENT_MAX);
	}
	assert_int_equal(recent_get(&r, RECENT_MAX - 1)->at.ns, mono_from_ms(3).ns);
	assert_null(recent_get(&r, RECENT_MAX));
}

/* The router starts in 1970 and learns the time a minute later. */
static void times_follow_a_clock_that_is_set(void **state)
{
	static struct recent r;
	const int64_t today = 1800000000000;
	const struct recent_event *e = recent_add(&r, mono_from_ms(5000), "link_up");

	assert_int_equal(recent_unix_ms(e, mono_from_ms(7000), 7000), 5000);
	assert_int_equal(
		recent_unix_ms(e, mono_from_ms(65000), today + 65000), today + 5000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_last_ones_are_remembered),
		cmocka_unit_test(times_follow_a_clock_that_is_set),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
