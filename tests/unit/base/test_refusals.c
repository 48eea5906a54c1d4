/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The memory of refused streams: lookup and replacement. Readers in another thread have
 * a test of their own, test_refusals_readers.c.
 */

#include "base/refusals.h"

#include "test.h"

#include <stdio.h>
#include <stdlib.h>

struct found {
	struct refusal r[REFUSALS_WAYS];
	unsigned n;
};

static void find(void *arg, const struct refusal *r)
{
	struct found *f = arg;

	f->r[f->n++] = *r;
}

static void count(void *arg, const struct refusal *r)
{
	*(unsigned *)arg += r->n > 0;
}

static void refused(struct refusals *v, unsigned port, unsigned why, const char *group,
	const char *from, uint64_t at)
{
	refusals_note(v,
		&(struct refusal){.port = port,
			.why = why,
			.group = a(group),
			.from = a(from),
			.value = (uint32_t)at,
			.n = 2,
			.at = at});
}

static void the_last_one_is_known(void **state)
{
	struct addr group = a("239.1.2.3"), group6 = a("ff0e::1");
	struct addr second = a("10.0.0.2"), second6 = a("2001:db8::1");
	struct refusals *v = calloc(1, sizeof(*v));
	struct found f = {0};

	refused(v, 0, 0, "239.1.2.3", "10.0.0.1", 5);
	refused(v, 0, 0, "239.1.2.3", "10.0.0.2", 6);
	refused(v, 255, 0, "239.1.2.3", "10.0.0.3", 7);
	refused(v, 0, 9, "239.1.2.3", "10.0.0.4", 8);
	refused(v, 0, 0, "ff0e::1", "2001:db8::1", 9);
	refusals_of(v, &(struct addr){{0}}, find, &f);
	assert_int_equal(f.n, 0);
	refusals_of(v, &group, find, &f);
	assert_int_equal(f.n, 3);
	for (unsigned i = 0; i < f.n; i++) {
		const struct refusal *r = &f.r[i];

		assert_int_equal(r->value, r->at);
		if (r->port == 0 && r->why == 0) {
			assert_int_equal(r->n, 4);
			assert_int_equal(r->at, 6);
			assert_true(addr_eq(&r->from, &second));
		} else {
			assert_int_equal(r->n, 2);
			assert_int_equal(r->port, r->why ? 0 : 255);
		}
	}
	f.n = 0;
	refusals_of(v, &group6, find, &f);
	assert_int_equal(f.n, 1);
	assert_true(addr_eq(&f.r[0].from, &second6));
	f.n = 0;
	refusals_all(v, count, &f.n);
	assert_int_equal(f.n, 4);
	assert_int_equal(v->n, 5);
	free(v);
}

/* A sender that invents groups cannot displace a stream that is refused all the
 * time. */
static void who_was_quiet_makes_room(void **state)
{
	struct refusals *v = calloc(1, sizeof(*v));
	struct addr known = a("239.1.2.3");
	unsigned n = 0;

	for (unsigned i = 0; i < 100000; i++) {
		char group[ADDR_STRLEN];
		struct found f = {0};

		snprintf(group, sizeof(group), "232.%u.%u.%u", i >> 16, (i >> 8) & 255,
			i & 255);
		refused(v, 1, 1, group, "10.0.0.9", i);
		if (i % 100 == 0)
			refused(v, 1, 2, "239.1.2.3", "10.0.0.1", i);
		refusals_of(v, &known, find, &f);
		assert_int_equal(f.n, 1);
		assert_true(i - f.r[0].at < 100);
	}
	refusals_all(v, count, &n);
	assert_int_equal(n, REFUSALS_SETS * REFUSALS_WAYS);
	free(v);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_last_one_is_known),
		cmocka_unit_test(who_was_quiet_makes_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
