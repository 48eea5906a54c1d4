/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Rates computed from two readings of counters. */

#include "test.h"

#include "control/report/rate.h"

struct fixture {
	struct rate_table t;
	struct addr group, source, any;
};

static int set_up(void **state)
{
	static struct fixture f;

	rate_table_init(&f.t, 1);
	f.group = a("239.1.2.3");
	f.source = a("10.0.0.1");
	f.any = addr_any(FAMILY_IPV4);
	*state = &f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	rate_table_deinit(&f->t);
	return 0;
}

/* Reads the one entry (S,G). */
static struct rate walk(struct fixture *f, int64_t ms, uint64_t packets, uint64_t bytes)
{
	struct rate r;

	rate_begin(&f->t, mono_from_ms(ms), 1);
	r = rate_of(&f->t, 0, &f->source, &f->group, packets, bytes);
	rate_end(&f->t);
	return r;
}

static void two_readings_make_a_rate(void **state)
{
	struct fixture *f = *state;
	struct rate r = walk(f, 1000, 100, 100000);

	assert_false(r.known);
	assert_int_equal(f->t.interval_ms, 0);
	r = walk(f, 3000, 2100, 3100000);
	assert_true(r.known);
	assert_int_equal(r.packets, 1000);
	assert_int_equal(r.bytes, 1500000);
	assert_int_equal(f->t.interval_ms, 2000);
	r = walk(f, 4000, 2100, 3100000);
	assert_true(r.known);
	assert_int_equal(r.packets, 0);
}

static void who_asks_too_soon_gets_the_last_rate(void **state)
{
	struct fixture *f = *state;
	struct rate r;

	walk(f, 1000, 0, 0);
	walk(f, 2000, 500, 5000);
	r = walk(f, 2000 + RATE_MIN_MS - 1, 600, 6000);
	assert_int_equal(r.packets, 500);
	assert_int_equal(f->t.interval_ms, 1000);
	r = walk(f, 2500, 600, 6000);
	assert_int_equal(r.packets, 200);
	assert_int_equal(r.bytes, 2000);
}

static void new_and_renewed_entries(void **state)
{
	struct fixture *f = *state;
	struct rate r;

	walk(f, 1000, 500, 5000);
	/* a lower count: the entry was deleted and created again */
	r = walk(f, 2000, 30, 300);
	assert_int_equal(r.packets, 30);
	rate_begin(&f->t, mono_from_ms(3000), 2);
	r = rate_of(&f->t, 0, &f->any, &f->group, 7, 70);
	assert_true(r.known);
	assert_int_equal(r.packets, 7);
	/* the same key in another instance is another entry */
	r = rate_of(&f->t, 1, &f->source, &f->group, 90, 900);
	assert_int_equal(r.packets, 90);
	rate_end(&f->t);
	/* an entry that the last reading missed has no rate until the next one */
	rate_begin(&f->t, mono_from_ms(3001), 2);
	assert_false(rate_of(&f->t, 0, &f->source, &f->group, 30, 300).known);
	rate_end(&f->t);
}

static void too_many_entries(void **state)
{
	struct fixture *f = *state;
	struct rate r;

	walk(f, 1000, 0, 0);
	walk(f, 2000, 10, 10);
	rate_begin(&f->t, mono_from_ms(3000), RATE_MAX + 1);
	r = rate_of(&f->t, 0, &f->source, &f->group, 20, 20);
	rate_end(&f->t);
	assert_false(r.known);
	assert_int_equal(f->t.interval_ms, 0);
	/* more entries than announced: those without room have no rate */
	rate_begin(&f->t, mono_from_ms(4000), 1);
	for (unsigned i = 0; i < 1000; i++)
		rate_of(&f->t, i, &f->source, &f->group, 1, 1);
	rate_end(&f->t);
	rate_begin(&f->t, mono_from_ms(5000), 1000);
	r = rate_of(&f->t, 3, &f->source, &f->group, 1001, 1);
	rate_end(&f->t);
	assert_int_equal(r.packets, 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			two_readings_make_a_rate, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			who_asks_too_soon_gets_the_last_rate, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			new_and_renewed_entries, set_up, tear_down),
		cmocka_unit_test_setup_teardown(too_many_entries, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
