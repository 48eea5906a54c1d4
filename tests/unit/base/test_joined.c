/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The memory of how well streams could be joined: lookup, replacement and ageing. */

#include "base/joined.h"

#include "test.h"

#include <stdio.h>
#include <stdlib.h>

static struct joined j;

static int clear(void **state)
{
	memset(&j, 0, sizeof(j));
	return 0;
}

static void note(const char *group, const char *from, uint32_t datagrams,
	uint32_t messages, enum joined_end end, uint64_t at)
{
	struct addr g = a(group), s = a(from);
	struct joined_counts n = {.datagrams = datagrams, .messages = messages};

	n.end[end] = messages;
	joined_note(&j, &g, &s, &n, at);
}

static struct joined_counts sum(const char *group, const char *from)
{
	struct addr g = a(group), s;
	struct joined_counts n = {0};

	if (from)
		s = a(from);
	joined_sum(&j, &g, from ? &s : NULL, &n);
	return n;
}

static void streams_are_told_apart(void **state)
{
	struct joined_counts n;

	note("239.1.2.3", "10.0.0.1", 10, 4, JOINED_LAST, 1);
	note("239.1.2.3", "10.0.0.1", 5, 1, JOINED_FULL, 2);
	note("239.1.2.3", "10.0.0.2", 3, 3, JOINED_ID, 3);
	note("ff0e::1", "2001:db8::1", 7, 7, JOINED_OFF, 4);
	n = sum("239.1.2.3", "10.0.0.1");
	assert_int_equal(n.datagrams, 15);
	assert_int_equal(n.messages, 5);
	assert_int_equal(n.end[JOINED_LAST], 4);
	assert_int_equal(n.end[JOINED_FULL], 1);
	assert_int_equal(n.end[JOINED_ID], 0);
	n = sum("239.1.2.3", NULL);
	assert_int_equal(n.datagrams, 18);
	assert_int_equal(n.end[JOINED_ID], 3);
	assert_int_equal(sum("ff0e::1", NULL).end[JOINED_OFF], 7);
	assert_int_equal(sum("239.1.2.4", NULL).messages, 0);
	assert_int_equal(sum("239.1.2.3", "10.0.0.3").messages, 0);
}

static void the_silent_make_room(void **state)
{
	char from[32];

	for (unsigned i = 0; i < JOINED_WAYS; i++) {
		snprintf(from, sizeof(from), "10.0.0.%u", i);
		note("239.1.2.3", from, 2, 1, JOINED_LAST, 10 + i);
	}
	note("239.1.2.3", "10.0.0.0", 2, 1, JOINED_LAST, 20);
	note("239.1.2.3", "10.0.0.99", 6, 2, JOINED_ID, 21);
	assert_int_equal(sum("239.1.2.3", "10.0.0.0").messages, 2);
	assert_int_equal(sum("239.1.2.3", "10.0.0.1").messages, 0);
	assert_int_equal(sum("239.1.2.3", "10.0.0.2").messages, 1);
	/* the entry that was replaced left no counts behind */
	assert_int_equal(sum("239.1.2.3", "10.0.0.99").messages, 2);
	assert_int_equal(sum("239.1.2.3", "10.0.0.99").end[JOINED_LAST], 0);
}

static void the_past_fades(void **state)
{
	struct joined_counts n;

	note("239.1.2.3", "10.0.0.1", JOINED_FADE, JOINED_FADE, JOINED_ID, 1);
	for (uint64_t at = 2; at < 300; at++)
		note("239.1.2.3", "10.0.0.1", 4000, 1000, JOINED_LAST, at);
	n = sum("239.1.2.3", "10.0.0.1");
	assert_in_range(n.messages, JOINED_FADE / 2, JOINED_FADE + 1000);
	assert_in_range(n.end[JOINED_ID], 0, n.messages / 10);
	assert_in_range(n.datagrams / n.messages, 3, 4);
}

static void every_end_has_a_name(void **state)
{
	for (unsigned e = 0; e < _JOINED_N; e++)
		assert_true(*joined_end_name((enum joined_end)e));
	assert_string_equal(joined_end_name(JOINED_CHECKSUM), "checksum");
}

#define CASE(fn) cmocka_unit_test_setup(fn, clear)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(streams_are_told_apart),
		CASE(the_silent_make_room),
		CASE(the_past_fades),
		CASE(every_end_has_a_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
