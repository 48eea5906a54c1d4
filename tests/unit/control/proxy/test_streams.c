/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Streams that begin and end, found by looking at their entries periodically (N23). */

#include "control/proxy/streams.h"
#include "test.h"

static struct streams s;

static int set_up(void **state)
{
	streams_init(&s, 1);
	return 0;
}

static int tear_down(void **state)
{
	streams_deinit(&s);
	return 0;
}

static enum streams_event see(unsigned group, int32_t age_s)
{
	struct addr source = addr_any(FAMILY_IPV4);
	struct addr g = ADDR_V4(239, 0, (uint8_t)(group >> 8), (uint8_t)group);

	return streams_see(&s, 0, &source, &g, age_s);
}

static void each_is_told_once(void **state)
{
	static const struct {
		int32_t age_s;
		enum streams_event event;
	} turns[] = {
		{-1, STREAMS_NOTHING}, /* no datagram yet */
		{0, STREAMS_BEGAN},
		{1, STREAMS_NOTHING},
		{-1, STREAMS_NOTHING}, /* the clock was set back */
		{STREAMS_END_S - 1, STREAMS_NOTHING},
		{STREAMS_END_S, STREAMS_ENDED},
		{STREAMS_END_S + 2, STREAMS_NOTHING},
		{0, STREAMS_BEGAN},
	};

	for (size_t i = 0; i < array_len(turns); i++) {
		assert_int_equal(see(1, turns[i].age_s), turns[i].event);
		streams_end(&s);
	}
}

static void entries_that_are_gone_are_forgotten(void **state)
{
	assert_int_equal(see(1, 0), STREAMS_BEGAN);
	assert_int_equal(see(2, 0), STREAMS_BEGAN);
	streams_end(&s);
	assert_int_equal(see(2, 0), STREAMS_NOTHING);
	streams_end(&s);
	assert_int_equal(s.table.n, 1);
	assert_int_equal(see(1, 0), STREAMS_BEGAN);
}

static void instances_and_sources_differ(void **state)
{
	struct addr any = addr_any(FAMILY_IPV4), one = ADDR_V4(10, 0, 0, 1);
	struct addr g = ADDR_V4(239, 1, 2, 3);

	assert_int_equal(streams_see(&s, 0, &any, &g, 0), STREAMS_BEGAN);
	assert_int_equal(streams_see(&s, 1, &any, &g, 0), STREAMS_BEGAN);
	assert_int_equal(streams_see(&s, 0, &one, &g, 0), STREAMS_BEGAN);
	assert_int_equal(streams_see(&s, 0, &any, &g, STREAMS_END_S), STREAMS_ENDED);
	assert_int_equal(streams_see(&s, 1, &any, &g, 0), STREAMS_NOTHING);
	assert_int_equal(streams_see(&s, 0, &one, &g, 0), STREAMS_NOTHING);
}

static void no_more_than_there_is_room_for(void **state)
{
	for (unsigned i = 0; i < STREAMS_MAX + 10; i++)
		assert_int_equal(
			see(i, 0), i < STREAMS_MAX ? STREAMS_BEGAN : STREAMS_NOTHING);
	assert_int_equal(s.table.n, STREAMS_MAX);
	assert_int_equal(see(0, STREAMS_END_S), STREAMS_ENDED);
	assert_int_equal(see(STREAMS_MAX, 0), STREAMS_BEGAN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(each_is_told_once, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			entries_that_are_gone_are_forgotten, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			instances_and_sources_differ, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			no_more_than_there_is_room_for, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
