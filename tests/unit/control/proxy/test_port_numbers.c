/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Numbers of ports: counters are kept by number, so a number stays with its name. */

#include "control/proxy/port_numbers.h"
#include "test.h"

#include <stdio.h>

static struct port_numbers v;

static int set_up(void **state)
{
	v = (struct port_numbers){0};
	return 0;
}

static unsigned take(char letter, unsigned n)
{
	char name[IFNAMSIZ];

	snprintf(name, sizeof(name), "%c%u", letter, n);
	return port_numbers_take(&v, name);
}

static void another_name_gets_another_number(void **state)
{
	assert_int_equal(port_numbers_take(&v, "wan"), 0);
	assert_int_equal(port_numbers_take(&v, "lan1"), 1);
	port_numbers_free(&v, 0);
	assert_int_equal(port_numbers_take(&v, "ppp0"), 2);
}

static void a_name_that_returns_has_its_number_again(void **state)
{
	assert_int_equal(port_numbers_take(&v, "wan"), 0);
	assert_int_equal(port_numbers_take(&v, "lan1"), 1);
	port_numbers_free(&v, 0);
	port_numbers_free(&v, 1);
	assert_int_equal(port_numbers_take(&v, "lan1"), 1);
	assert_int_equal(port_numbers_take(&v, "wan"), 0);
}

static void a_name_of_full_length(void **state)
{
	assert_int_equal(port_numbers_take(&v, "abcdefghijklmno"), 0);
	port_numbers_free(&v, 0);
	assert_int_equal(port_numbers_take(&v, "abcdefghijklmn"), 1);
	assert_int_equal(port_numbers_take(&v, "abcdefghijklmno"), 0);
}

static void without_new_ones_the_longest_free_one_is_used(void **state)
{
	for (unsigned i = 0; i < PORT_MAX; i++)
		assert_int_equal(take('a', i), i);
	assert_int_equal(take('b', 0), PORT_MAX);
	port_numbers_free(&v, 9);
	port_numbers_free(&v, 3);
	port_numbers_free(&v, 200);
	assert_int_equal(take('b', 1), 9);
	assert_int_equal(take('b', 2), 3);
	assert_int_equal(take('a', 200), 200);
	assert_int_equal(take('b', 3), PORT_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(another_name_gets_another_number, set_up),
		cmocka_unit_test_setup(
			a_name_that_returns_has_its_number_again, set_up),
		cmocka_unit_test_setup(a_name_of_full_length, set_up),
		cmocka_unit_test_setup(
			without_new_ones_the_longest_free_one_is_used, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
