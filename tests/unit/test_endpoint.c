/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Addresses to listen on, as text. */

#include "control/config/endpoint.h"
#include "test.h"

#include <errno.h>

static void good_ones(void **state)
{
	static const struct {
		const char *text, *spelt_out;
	} row[] = {
		{":9337", "127.0.0.1:9337"},
		{"127.0.0.1:1", "127.0.0.1:1"},
		{"0.0.0.0:65535", "0.0.0.0:65535"},
		{"[::1]:9337", "[::1]:9337"},
		{"[::]:80", "[::]:80"},
		{"[2001:DB8:0::9]:80", "[2001:db8::9]:80"},
	};

	for (size_t i = 0; i < array_len(row); i++) {
		char buf[ENDPOINT_STRLEN];
		struct endpoint e;

		assert_int_equal(endpoint_parse(row[i].text, &e), 0);
		assert_string_equal(endpoint_format(&e, buf), row[i].spelt_out);
	}
}

static void bad_ones(void **state)
{
	static const char *const text[] = {"", ":", "9337", "::1:9337", "[]:1", "[:1",
		"[::1]9337", "[::1]", "[127.0.0.1]:1", "127.0.0.1",
		"127.0.0.1:", "127.0.0.1:0", "127.0.0.1:65536", "127.0.0.1:4294967297",
		"127.0.0.1:1x", "127.0.0.1: 1", "127.0.0.1:-1", "localhost:1", "*:1",
		"[::1%lo]:1", "[1111:2222:3333:4444:5555:6666:7777:8888:9999:0:0:0]:1"};

	for (size_t i = 0; i < array_len(text); i++) {
		struct endpoint e;

		assert_int_equal(endpoint_parse(text[i], &e), -EINVAL);
	}
}

/* F15: names that no name server can lead here */
static void f15_local_hosts(void **state)
{
	static const char *const ours[] = {"localhost", "localhost:9337", "LocalHost:1",
		"localhost.", "a.localhost:80", "127.0.0.1", "127.0.0.1:9337",
		"192.0.2.1:80", "[::1]", "[::1]:9337"};
	static const char *const others[] = {"", ":9337", ".", "example.org",
		"example.org:9337", "localhost.example.org", "notlocalhost",
		"127.0.0.1.example.org", "[]"};

	for (size_t i = 0; i < array_len(ours); i++)
		assert_true(endpoint_is_local_host(ours[i]));
	for (size_t i = 0; i < array_len(others); i++)
		assert_false(endpoint_is_local_host(others[i]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_ones),
		cmocka_unit_test(bad_ones),
		cmocka_unit_test(f15_local_hosts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
