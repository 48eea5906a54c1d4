/* SPDX-License-Identifier: GPL-2.0-or-later */

/* addr, prefix and addrset: text forms, classes, set operations. */

#include "base/addrset.h"
#include "test.h"

#include <errno.h>

static void parse_and_format(void **state)
{
	static const char *const texts[] = {"0.0.0.0", "10.1.2.3", "255.255.255.255",
		"239.1.2.3", "::", "::1", "fe80::1", "ff0e::1:2:3", "2001:db8::1"};
	char buf[ADDR_STRLEN];

	for (size_t i = 0; i < array_len(texts); i++) {
		struct addr x = a(texts[i]);

		assert_string_equal(addr_format(&x, buf), texts[i]);
	}
}

static void parse_refuses(void **state)
{
	static const char *const texts[] = {"", "10", "10/8", "1.2.3", "1.2.3.4.5", "x",
		"1.2.3.4;", "::ffff:1.2.3.4", "256.1.1.1", "1.2.3.4 "};
	struct addr x;

	for (size_t i = 0; i < array_len(texts); i++)
		assert_int_equal(addr_parse(texts[i], &x), -EINVAL);
}

static void prefixes(void **state)
{
	static const struct {
		const char *text, *norm, *in, *out;
		bool host_bits;
	} c[] = {
		{"10.1.2.3", "10.1.2.3/32", "10.1.2.3", "10.1.2.4", false},
		{"217.0.119.194/16", "217.0.0.0/16", "217.0.255.1", "217.1.0.0", true},
		{"0.0.0.0/0", "0.0.0.0/0", "8.8.8.8", "2001:db8::1", false},
		{"::/0", "::/0", "2001:db8::1", "8.8.8.8", false},
		{"10.0.0.0/23", "10.0.0.0/23", "10.0.1.255", "10.0.2.0", false},
		{"2001:db8::/33", "2001:db8::/33",
			"2001:db8:7fff::", "2001:db8:8000::", false},
	};
	char buf[PREFIX_STRLEN];

	for (size_t i = 0; i < array_len(c); i++) {
		struct addr in = a(c[i].in), out = a(c[i].out);
		struct prefix p;
		bool host_bits;

		assert_int_equal(prefix_parse(c[i].text, &p, &host_bits), 0);
		assert_string_equal(prefix_format(&p, buf), c[i].norm);
		assert_int_equal(host_bits, c[i].host_bits);
		assert_true(prefix_contains(&p, &in));
		assert_false(prefix_contains(&p, &out));
	}
}

static void prefix_refuses(void **state)
{
	static const char *const texts[] = {"10.0.0.0/33", "10.0.0.0/", "10.0.0.0/-1",
		"10.0.0.0/8x", "10/8", "::/129", "/8", "10.0.0.0/ 8"};
	struct prefix p;

	for (size_t i = 0; i < array_len(texts); i++)
		assert_int_equal(prefix_parse(texts[i], &p, NULL), -EINVAL);
}

static void classes(void **state)
{
	struct addr x;

	x = a("224.0.0.251");
	assert_true(addr_is_multicast(&x) && addr_is_local_group(&x));
	x = a("224.0.1.1");
	assert_true(addr_is_multicast(&x) && !addr_is_local_group(&x));
	x = a("ff02::fb");
	assert_true(addr_is_multicast(&x) && addr_is_local_group(&x));
	x = a("ff12::fb");
	assert_true(addr_is_local_group(&x));
	x = a("ff05::1");
	assert_true(addr_is_multicast(&x) && !addr_is_local_group(&x));
	x = a("0.0.0.0");
	assert_true(addr_is_any(&x) && !addr_is_usable_source(&x));
	x = a("::");
	assert_true(addr_is_any(&x) && !addr_is_usable_source(&x));
	x = a("127.1.1.1");
	assert_false(addr_is_usable_source(&x));
	x = a("240.0.0.1");
	assert_false(addr_is_usable_source(&x));
	x = a("169.254.1.1");
	assert_true(addr_is_link_local(&x));
	x = a("10.0.0.1");
	assert_true(addr_is_usable_source(&x) && !addr_is_link_local(&x));
}

static void set_of(struct addrset *s, const char *digits)
{
	addrset_clear(s);
	for (; *digits; digits++) {
		struct addr x = ADDR_V4(10, 0, 0, (uint8_t)(*digits - '0'));

		assert_int_equal(addrset_add(s, &x), 0);
	}
}

static void set_operations(void **state)
{
	static const struct {
		const char *a, *b, *plus, *minus;
	} c[] = {
		{"", "", "", ""},
		{"123", "", "123", "123"},
		{"", "31", "13", ""},
		{"1357", "2357", "12357", "1"},
		{"99", "9", "9", ""},
	};

	for (size_t i = 0; i < array_len(c); i++) {
		struct addrset x = {0}, b = {0}, want = {0};

		set_of(&b, c[i].b);
		set_of(&x, c[i].a);
		assert_int_equal(addrset_union(&x, &b), 0);
		set_of(&want, c[i].plus);
		assert_true(addrset_eq(&x, &want));
		set_of(&x, c[i].a);
		addrset_subtract(&x, &b);
		set_of(&want, c[i].minus);
		assert_true(addrset_eq(&x, &want));
		addrset_deinit(&x);
		addrset_deinit(&b);
		addrset_deinit(&want);
	}
}

static void set_from_array_sorts_and_dedups(void **state)
{
	struct addr v[] = {
		ADDR_V4(1, 1, 1, 3), ADDR_V4(1, 1, 1, 1), ADDR_V4(1, 1, 1, 3)};
	struct addrset s = {0};

	assert_int_equal(addrset_from_array(&s, v, 3), 0);
	assert_int_equal(s.n, 2);
	assert_true(addr_eq(&s.v[0], &v[1]) && addr_eq(&s.v[1], &v[0]));
	addrset_deinit(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parse_and_format),
		cmocka_unit_test(parse_refuses),
		cmocka_unit_test(prefixes),
		cmocka_unit_test(prefix_refuses),
		cmocka_unit_test(classes),
		cmocka_unit_test(set_operations),
		cmocka_unit_test(set_from_array_sorts_and_dedups),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
