/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Lists of processors: valid and invalid texts, and the order of the numbers. */

#include "base/cpulist.h"
#include "test.h"

static void lists(void **state)
{
	static const struct {
		const char *text;
		size_t n;
		unsigned first, last;
	} row[] = {
		{"0", 1, 0, 0},
		{"7,3", 2, 7, 3},
		{"2-5", 4, 2, 5},
		{"4-4", 1, 4, 4},
		{"0,2-5,9", 6, 0, 9},
		{"0-63", 64, 0, 63},
		{"65535", 1, 65535, 65535},
		{"0-31,0-31", 64, 0, 31},
	};
	unsigned cpu[CPULIST_MAX];

	for (size_t i = 0; i < array_len(row); i++) {
		assert_int_equal(cpulist_parse(row[i].text, cpu), row[i].n);
		assert_int_equal(cpu[0], row[i].first);
		assert_int_equal(cpu[row[i].n - 1], row[i].last);
	}
}

static void no_lists(void **state)
{
	static const char *const text[] = {"", ",", "1,", ",1", "1,,2", "-", "1-", "-1",
		"5-2", "1-2-3", "a", "1a", " 1", "1 ", "0x1", "65536", "99999999999",
		"0-64", "0-65535", "0-31,0-32"};
	unsigned cpu[CPULIST_MAX];

	for (size_t i = 0; i < array_len(text); i++)
		if (cpulist_parse(text[i], cpu) != 0)
			fail_msg("'%s' is not a list", text[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lists),
		cmocka_unit_test(no_lists),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
