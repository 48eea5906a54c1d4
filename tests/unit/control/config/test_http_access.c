/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Which clients and which Host fields of HTTP are accepted. */

#include "control/config/http_access.h"
#include "test.h"

static const struct prefix lan[] = {{ADDR_V4(10, 0, 1, 0), 120}};

static bool allows(const struct http_access *h, const char *from, const char *to)
{
	struct addr client = a(from), own = a(to);

	return http_access_allows(h, &client, &own);
}

/* This system, and the prefixes of the list; without a list everybody. */
static void clients(void **state)
{
	struct http_access h = {.allow = lan, .n_allow = array_len(lan)};

	assert_true(allows(&h, "10.0.1.2", "10.0.1.1"));
	assert_false(allows(&h, "10.0.2.2", "10.0.2.1"));
	assert_false(allows(&h, "2001:db8::2", "2001:db8::1"));
	assert_true(allows(&h, "127.0.0.1", "127.0.0.1"));
	assert_true(allows(&h, "::1", "::1"));
	/* this system by another of its addresses */
	assert_true(allows(&h, "10.0.2.1", "10.0.2.1"));
	assert_true(allows(&h, "2001:db8::1", "2001:db8::1"));
	/* addresses that are not known are not those of this system */
	assert_false(allows(&h, "0.0.0.0", "0.0.0.0"));
	assert_false(allows(&h, "::", "::"));
	h.n_allow = 0;
	assert_false(allows(&h, "10.0.1.2", "10.0.1.1"));
	h.allow = NULL;
	assert_true(allows(&h, "10.0.2.2", "10.0.2.1"));
}

/* The status for one Host field, or 200. */
static unsigned status(const struct http_access *h, const char *name, const char *value)
{
	struct http_host host = {0};
	unsigned code = 200;

	http_host_take(&host, "Accept", "text/html");
	http_host_take(&host, name, value);
	http_host_take(&host, "Hosts", "example.org");
	if (!http_host_refusal(&host, h, false, &code))
		assert_int_equal(code, 200);
	return code;
}

/* A name that a stranger's name server could point here is refused everywhere with
 * private_names, and on loopback without. */
static void names(void **state)
{
	static const struct {
		const char *value;
		unsigned page, metrics_loopback, metrics;
	} row[] = {
		{"localhost", 200, 200, 200},
		{"127.0.0.1:80", 200, 200, 200},
		{"192.0.2.7", 200, 403, 200},
		{"[2001:db8::7]:80", 200, 403, 200},
		{"router", 200, 403, 200},
		{"tv.lan:8080", 200, 403, 200},
		{"example.org", 403, 403, 200},
		{"router.lan.example.org:80", 403, 403, 200},
		{"example.org:80:80", 400, 400, 400},
		{"", 400, 400, 400},
	};
	struct http_access page = {.private_names = true,
				   .listens = ADDR_V4(192, 0, 2, 1)},
			   loopback = {.listens = ADDR_V4(127, 0, 0, 1)},
			   metrics = {.listens = ADDR_V4(192, 0, 2, 1)};

	for (size_t i = 0; i < array_len(row); i++) {
		assert_int_equal(status(&page, "Host", row[i].value), row[i].page);
		assert_int_equal(status(&loopback, "hOST", row[i].value),
			row[i].metrics_loopback);
		assert_int_equal(
			status(&metrics, "Host", row[i].value), row[i].metrics);
	}
}

/* RFC 9112 3.2: one field, without space before its colon. */
static void one_field(void **state)
{
	struct http_access page = {.private_names = true};
	struct http_host two = {0}, none = {0};
	unsigned code = 0;

	assert_int_equal(status(&page, "Host ", "localhost"), 400);
	assert_int_equal(status(&page, "Host\t", "localhost"), 400);
	assert_int_equal(status(&page, "Host", NULL), 400);
	http_host_take(&two, "Host", "localhost");
	http_host_take(&two, "host", "localhost");
	assert_non_null(http_host_refusal(&two, &page, true, &code));
	assert_int_equal(code, 400);
	code = 0;
	assert_non_null(http_host_refusal(&none, &page, false, &code));
	assert_int_equal(code, 400);
	assert_null(http_host_refusal(&none, &page, true, &code));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(clients),
		cmocka_unit_test(names),
		cmocka_unit_test(one_field),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
