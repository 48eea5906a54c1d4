/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Names of hosts from lines of hosts(5) and of dnsmasq's leases. */

#include "control/config/channels.h"
#include "control/config/host_names.h"
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void add(struct host_names *h, const char *text)
{
	assert_int_equal(host_names_add(h, text, strlen(text)), 0);
}

/* "10.0.0.1=a 10.0.0.2=b" */
static char *table(const struct host_names *h)
{
	char *out = NULL, host[ADDR_STRLEN];
	size_t len;
	FILE *f = open_memstream(&out, &len);

	for (size_t i = 0; i < h->n; i++) {
		fprintf(f, "%s%s=%s", i ? " " : "", addr_format(&h->v[i].addr, host),
			h->text + h->v[i].name);
		assert_string_equal(
			host_names_find(h, &h->v[i].addr), h->text + h->v[i].name);
	}
	assert_int_equal(fclose(f), 0);
	return out;
}

static void each_form(void **state)
{
	static const struct {
		const char *text, *table;
	} row[] = {
		{"", ""},
		{"\n\n", ""},
		/* hosts(5) */
		{"10.0.0.1 tv", "10.0.0.1=tv"},
		{"10.0.0.1\ttv.lan tv\n10.0.0.2  box # the old one\n",
			"10.0.0.1=tv.lan 10.0.0.2=box"},
		{"  10.0.0.1 tv\r\n", "10.0.0.1=tv"},
		{"2001:db8::1 six\n10.0.0.9 four\n", "10.0.0.9=four 2001:db8::1=six"},
		{"fe80::1 link\n", "fe80::1=link"},
		/* no names of viewers */
		{"127.0.0.1 localhost\n::1 localhost\n224.0.0.1 all\n0.0.0.0 ads\n",
			""},
		{"# 10.0.0.1 tv\n10.0.0.1\n10.0.0.1 # tv\ntv 10.0.0.1\n10.0.0 tv\n"
		 "fe80::1%eth0 tv\n",
			""},
		/* leases of dnsmasq */
		{"1785000000 02:00:00:00:00:01 10.0.0.1 tv 01:02:00:00:00:00:01\n",
			"10.0.0.1=tv"},
		{"0 02:00:00:00:00:01 10.0.0.1 tv *\n", "10.0.0.1=tv"},
		{"1785000000 02:00:00:00:00:01 10.0.0.1 * *\n", ""},
		{"duid 00:01:00:01:2b\n1785000000 1234 2001:db8::7 tv 00:01:00\n",
			"2001:db8::7=tv"},
		{"1785000000 02:00:00:00:00:01\n1785000000 tv 10.0.0.1\n", ""},
		/* both in one file; the first one counts */
		{"10.0.0.1 one\n1785000000 02:00:00:00:00:01 10.0.0.1 two *\n"
		 "10.0.0.1 three\n",
			"10.0.0.1=one"},
		/* what a host may call itself */
		{"10.0.0.1 <b>\x1b[31m&\n", "10.0.0.1=<b>"},
		{"10.0.0.1 T\xe9l\xe9\n10.0.0.2 T\xc3\xa9\n",
			"10.0.0.1=T\xc3\xa9l\xc3\xa9 10.0.0.2=T\xc3\xa9"},
		{"10.0.0.1 a\xc2\x85"
		 "b\n10.0.0.2 \xc2\x85\n",
			"10.0.0.1=a"},
	};

	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		struct host_names h = {0};
		char *got;

		add(&h, row[i].text);
		host_names_sort(&h);
		got = table(&h);
		if (strcmp(got, row[i].table) != 0)
			fail_msg("row %zu: %s instead of %s", i, got, row[i].table);
		free(got);
		host_names_deinit(&h);
	}
}

static void the_first_file_counts(void **state)
{
	struct host_names h = {0};
	struct addr one = a("10.0.0.1"), two = a("10.0.0.2"), three = a("10.0.0.3");

	add(&h, "10.0.0.2 mine\n");
	add(&h, "10.0.0.1 tv\n10.0.0.2 theirs\n");
	host_names_sort(&h);
	assert_string_equal(host_names_find(&h, &one), "tv");
	assert_string_equal(host_names_find(&h, &two), "mine");
	assert_null(host_names_find(&h, &three));
	host_names_deinit(&h);
	assert_null(host_names_find(&h, &one));
}

static void there_are_bounds(void **state)
{
	struct host_names h = {0};
	struct addr last = a("10.0.32.0"), first = a("10.0.0.0");
	char line[512];

	for (unsigned i = 0; i < HOST_NAMES_MAX + 3; i++) {
		snprintf(line, sizeof(line), "10.0.%u.%u h%u\n", i >> 8, i & 255, i);
		add(&h, line);
	}
	host_names_sort(&h);
	assert_int_equal(h.n, HOST_NAMES_MAX);
	assert_int_equal(h.n_left_out, 3);
	assert_string_equal(host_names_find(&h, &first), "h0");
	assert_null(host_names_find(&h, &last));
	host_names_deinit(&h);

	memset(line, 'x', sizeof(line));
	memcpy(line, "10.0.0.0 ", 9);
	assert_int_equal(host_names_add(&h, line, sizeof(line)), 0);
	host_names_sort(&h);
	assert_int_equal(strlen(host_names_find(&h, &first)), CHANNELS_NAME_MAX - 1);
	host_names_deinit(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_form),
		cmocka_unit_test(the_first_file_counts),
		cmocka_unit_test(there_are_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
