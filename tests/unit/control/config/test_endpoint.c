/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Text forms of the addresses to listen on. */

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

static void check_hosts(const char *const *text, enum endpoint_host whose)
{
	static const struct addr listens = ADDR_V4(127, 0, 0, 1);

	for (; *text; text++)
		if (endpoint_host(*text, &listens) != whose)
			fail_msg("'%s' is not what it should be", *text);
}

/* F15: names that no name server can point to this host. */
static void f15_local_hosts(void **state)
{
	static const char *const ours[] = {"localhost", "localhost:9337", "LocalHost:1",
		"localhost.", "localhost.:80", "a.localhost:80", "127.0.0.1",
		"127.0.0.1:9337", "127.9.9.9", "[::1]", "[::1]:9337", NULL};
	static const char *const addresses[] = {"0.0.0.0", "0.0.0.0:9337", "[::]",
		"192.0.2.1:80", "[2001:db8::1]", NULL};
	static const char *const private[] = {"notlocalhost", "router", "router:8080",
		"2130706433", "router.lan", "Router.LAN.:80", "a.b.home.arpa",
		"tv.local:1", "tv.internal", "tv.home", NULL};
	static const char *const others[] = {".", "example.org", "example.org:9337",
		"localhost.example.org", "127.0.0.1.example.org", "router.example.org",
		"lan.example.org", "routerlan.", "xlan.org", "home.arpa.org", "127.1",
		"0x7f.1", "router.xlan", "fritz.box", NULL};

	check_hosts(ours, ENDPOINT_HOST_OURS);
	check_hosts(addresses, ENDPOINT_HOST_ADDRESS);
	check_hosts(private, ENDPOINT_HOST_PRIVATE);
	check_hosts(others, ENDPOINT_HOST_OTHER);
}

/* Text that resembles a local endpoint and is not a host with an optional port. */
static void hosts_that_are_none(void **state)
{
	static const char *const text[] = {"", ":", ":9337", "[]", "[]:1", "[::1",
		"[::1]evil.com", "[::1].localhost", "[::1]:", "[::1]:80.evil.com",
		"[::1]]", "[127.0.0.1]", "[localhost]", "::1", "::1:80",
		"127.0.0.1:evil.com", "127.0.0.1:80.evil.com", "127.0.0.1:80:80",
		"127.0.0.1:", "127.0.0.1:0", "127.0.0.1:65536", "127.0.0.1: 80",
		"127.0.0.1 ", " 127.0.0.1", "localhost:80.evil.com", "localhost:-1",
		"localhost, evil.com", "localhost/", "user@localhost",
		"http://localhost", "evil.com\tlocalhost", "loc%61lhost", "[::1%lo]",
		NULL};

	check_hosts(text, ENDPOINT_HOST_INVALID);
}

/* The address that is listened on always counts as ours. */
static void own_address(void **state)
{
	static const struct addr v4 = ADDR_V4(192, 0, 2, 1);
	struct addr v6;

	assert_int_equal(addr_parse("2001:db8::1", &v6), 0);
	assert_int_equal(endpoint_host("192.0.2.1:80", &v4), ENDPOINT_HOST_OURS);
	assert_int_equal(endpoint_host("192.0.2.2:80", &v4), ENDPOINT_HOST_ADDRESS);
	assert_int_equal(endpoint_host("[2001:db8:0::1]:80", &v6), ENDPOINT_HOST_OURS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_ones),
		cmocka_unit_test(bad_ones),
		cmocka_unit_test(f15_local_hosts),
		cmocka_unit_test(hosts_that_are_none),
		cmocka_unit_test(own_address),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
