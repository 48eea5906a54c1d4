/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The conservation rule: balanced counters, frames under way, and missing ones. */

#include "test.h"

#include "dataplane/forward/balance.h"

#include <string.h>

static const struct balance_sums even = {
	.ring_packets = 110,
	.ring_drops = 10,
	.abandoned = 5,
	.forwarded = 80,
	.dropped = 15,
	.due = 240,
	.fragments = 20,
	.sent = 250,
	.refused = 10,
};

static const char *text(struct balance *b, int64_t ms, const struct balance_sums *s)
{
	static char buf[BALANCE_TEXT_LEN];
	struct balance_result r = balance_check(b, mono_from_ms(ms), s);

	return balance_format(s, &r, buf);
}

static void all_is_accounted_for(void **state)
{
	struct balance b = {0};
	struct balance_sums s = even;

	assert_string_equal(text(&b, 1000, &s), "ok");
	assert_true(balance_plausible(&s));
	assert_string_equal(text(&b, 9000, &s), "ok");
}

static void running_threads_are_no_fault(void **state)
{
	struct balance b = {0};
	struct balance_sums s = even;

	s.ring_packets += 3;
	s.due += 2;
	assert_string_equal(text(&b, 1000, &s),
		"ok (3 frames wait in the rings, 2 copies are under way)");
	/* a second later other frames wait; those of the mark have been handled */
	for (int64_t ms = 2000; ms < 9000; ms += 1000) {
		s.ring_packets += 100;
		s.forwarded += 100;
		s.due += 100;
		s.sent += 100;
		assert_string_equal(text(&b, ms, &s),
			"ok (3 frames wait in the rings, 2 copies are under way)");
	}
}

static void a_lost_frame_is_found(void **state)
{
	struct balance b = {0};
	struct balance_sums s = even;
	struct balance_result r;

	s.ring_packets += 1;
	assert_true(balance_check(&b, mono_from_ms(1000), &s).ok);
	assert_true(balance_check(&b, mono_from_ms(1999), &s).ok);
	/* missing for a second and still missing */
	r = balance_check(&b, mono_from_ms(2000), &s);
	assert_false(r.ok);
	assert_int_equal(r.frames_missing, 1);
	assert_string_equal(text(&b, 2000, &s),
		"1 frames missing, 0 too many: 101 from the rings, 80 forwarded, 15 "
		"dropped, 5 abandoned");
}

static void a_lost_copy_is_found(void **state)
{
	struct balance b = {0};
	struct balance_sums s = even;

	s.sent -= 4;
	assert_true(balance_check(&b, mono_from_ms(1000), &s).ok);
	assert_string_equal(text(&b, 2500, &s),
		"4 copies missing, 0 too many: 240 due, 20 more as fragments, 246 sent, "
		"10 refused");
}

static void what_counts_twice_is_found_at_once(void **state)
{
	struct balance b = {0};
	struct balance_sums s = even;

	s.dropped++;
	assert_false(balance_plausible(&s));
	assert_string_equal(text(&b, 1000, &s),
		"0 frames missing, 1 too many: 100 from the rings, 80 forwarded, 16 "
		"dropped, 5 abandoned");
	s = even;
	s.refused += 2;
	assert_false(balance_plausible(&s));
	assert_string_equal(text(&b, 1000, &s),
		"0 copies missing, 2 too many: 240 due, 20 more as fragments, 250 sent, "
		"12 refused");
}

static void rings_that_are_being_closed(void **state)
{
	struct balance b = {0};
	struct balance_sums s = even;

	s.closing = true;
	s.forwarded += 7;
	assert_true(balance_plausible(&s));
	assert_string_equal(text(&b, 1000, &s),
		"ok (an interface is being closed, its frames are not counted yet)");
	s.refused++;
	assert_false(balance_check(&b, mono_from_ms(1000), &s).ok);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_is_accounted_for),
		cmocka_unit_test(running_threads_are_no_fault),
		cmocka_unit_test(a_lost_frame_is_found),
		cmocka_unit_test(a_lost_copy_is_found),
		cmocka_unit_test(what_counts_twice_is_found_at_once),
		cmocka_unit_test(rings_that_are_being_closed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
