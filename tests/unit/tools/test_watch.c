/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The live view without a terminal: pages and keys in, lines and requests out. */

#include "test.h"

#include "tools/ctl/watch/watch_layout.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct watch w;
static struct watch_screen screen;

static json_t *interface(unsigned n, long long packets)
{
	char name[16];

	snprintf(name, sizeof(name), n ? "lan%u" : "wan", n);
	return json_pack("{ss ss ss sb sb sI sI sI sI si si si si}", "name", name,
		"instance", "", "role", n ? "downstream" : "upstream", "present", 1,
		"up", 1, "rx_packets", (json_int_t)(n ? 0 : packets), "rx_bytes",
		(json_int_t)(n ? 0 : 1000 * packets), "tx_packets",
		(json_int_t)(n ? packets : 0), "tx_bytes",
		(json_int_t)(n ? 1000 * packets : 0), "ring_drops", 0, "dropped", 0,
		"refused", 0, "groups", 7);
}

/* A reply of the daemon with so many interfaces, and the requested rows. */
static json_t *page(long long ms, unsigned n_interfaces, size_t n_groups)
{
	json_t *list = json_array(), *rows = json_array(), *p;

	for (unsigned i = 0; i < n_interfaces; i++) {
		json_t *o = interface(i, ms * 2);

		if (i == 0)
			json_object_set_new(o, "upstream",
				json_pack("[{ss si ss sI}]", "family", "ipv4",
					"version", 3, "querier", "10.0.0.1",
					"last_query_ms", (json_int_t)12000));
		else
			json_object_set_new(o, "querier",
				json_pack("{ss ss}", "ipv4",
					i == 2 ? "standby" : "active", "ipv6",
					"active"));
		json_array_append_new(list, o);
	}
	for (size_t i = w.offset; i < n_groups && i < w.offset + w.rows; i++) {
		char group[64];

		snprintf(group, sizeof(group),
			i % 10 == 9 ? "ff3e:0:1:2:3:4:5:%zx" : "239.1.0.%zu", i);
		json_array_append_new(rows,
			json_pack("{ss ss ss ss s[ss] si sI sI sI si}", "group", group,
				"origin", "*", "last_source", "10.0.0.1", "in", "wan",
				"out", "lan1", "lan2", "members", 2, "packets",
				(json_int_t)(1000000 * i), "packets_per_s",
				(json_int_t)(1000 - i), "bytes_per_s",
				(json_int_t)(1316 * (1000 - i)), "wrong", 0));
	}
	p = json_pack("{ss sI sI sI sI sI so s{sI sI} so}", "version", "9.9", "now_ms",
		(json_int_t)ms, "uptime_ms", (json_int_t)ms, "entries",
		(json_int_t)(n_groups + 1), "total", (json_int_t)n_groups, "matched",
		(json_int_t)n_groups, "interfaces", list, "drops", "no_group",
		(json_int_t)(ms / 10), "wrong_input", (json_int_t)12, "rows", rows);
	assert_non_null(p);
	return p;
}

static int set_up(void **state)
{
	watch_init(&w, 24, 80, 2);
	return 0;
}

static int tear_down(void **state)
{
	watch_deinit(&w);
	watch_screen_deinit(&screen);
	return 0;
}

static const char *line_with(const char *text)
{
	for (size_t i = 0; i < screen.n; i++)
		if (strstr(screen.line[i].text, text))
			return screen.line[i].text;
	return NULL;
}

static void show(unsigned rows, unsigned cols)
{
	watch_resize(&w, rows, cols);
	watch_layout(&w, &screen);
	assert_in_range(screen.n, 0, rows);
	for (size_t i = 0; i < screen.n; i++)
		assert_in_range(strlen(screen.line[i].text), 0, cols);
	if (rows > 0)
		assert_int_equal(screen.line[screen.n - 1].style, WATCH_FOOTER);
}

static void assert_request(const char *want)
{
	char buf[WATCH_REQUEST_LEN];

	assert_string_equal(watch_request(&w, buf), want);
}

static void every_size_fits(void **state)
{
	static const unsigned interfaces[] = {0, 1, 3, 40};
	static const size_t groups[] = {0, 1, 3, 500};

	for (size_t i = 0; i < array_len(interfaces); i++)
		for (size_t g = 0; g < array_len(groups); g++) {
			watch_update(&w, page(1000, interfaces[i], groups[g]));
			watch_update(&w, page(3000, interfaces[i], groups[g]));
			for (unsigned rows = 0; rows < 60; rows++)
				for (unsigned cols = 0; cols < 300; cols += 7)
					show(rows, cols);
			show(24, 2000);
		}
}

static void rates_and_states(void **state)
{
	watch_update(&w, page(1000, 4, 20));
	show(24, 80);
	/* a single page gives no rates of interfaces */
	assert_non_null(strstr(line_with("wan "), " - "));
	watch_update(&w, page(3000, 4, 20));
	show(24, 80);
	assert_string_equal(screen.line[0].text,
		"ringcast 9.9, up 3.0s, 20 entries, in 16.0M out 48.0M bit/s");
	/* N33: a counter that has stopped is listed as earlier */
	assert_string_equal(screen.line[1].text,
		"drops: no_group 100/s (300); earlier: wrong_input 12");
	assert_non_null(strstr(line_with("wan "), "2.00k"));
	assert_non_null(strstr(line_with("wan "), "asked 12.0s ago"));
	assert_non_null(strstr(line_with("lan1 "), "up, querier"));
	assert_non_null(strstr(line_with("lan2 "), "up, standby"));
	assert_non_null(strstr(line_with("239.1.0.0"), "10.5M"));
	/* IPv4 addresses are shown whole, IPv6 addresses as far as there is room */
	assert_non_null(line_with("239.1.0.1 "));
	assert_non_null(line_with("ff3e:0:1:2:3:4:5:9"));
	/* N33: a long list is cut and does not become "none" */
	show(24, 20);
	assert_string_equal(screen.line[1].text, "drops: no_group 100/");
	show(24, 200);
	assert_non_null(strstr(line_with("wan "), "by 10.0.0.1"));
	assert_non_null(strstr(line_with("239.1.0.0"), "######"));
}

static void set_drops(json_t *p, const char *drops)
{
	json_object_set_new(p, "drops", json_loads(drops, 0, NULL));
	watch_update(&w, p);
}

/* N33: once a cause is removed nothing is dropped now, and a key clears the earlier
 * drops. */
static void drops_that_are_over(void **state)
{
	set_drops(page(1000, 2, 3), "{\"wrong_input\":1660}");
	set_drops(page(3000, 2, 3), "{\"wrong_input\":1660}");
	show(24, 80);
	assert_string_equal(
		screen.line[1].text, "drops: none now; earlier: wrong_input 1.66k");
	assert_int_equal(watch_input(&w, 'z'), WATCH_DRAW);
	show(24, 80);
	assert_string_equal(screen.line[1].text, "drops: none");
	set_drops(page(5000, 2, 3), "{\"wrong_input\":1670}");
	show(24, 80);
	assert_string_equal(screen.line[1].text, "drops: wrong_input 5/s (10)");
	assert_int_equal(watch_input(&w, 'z'), WATCH_DRAW);
	show(24, 80);
	assert_string_equal(screen.line[1].text, "drops: wrong_input 5/s (1.67k)");
	/* the daemon was restarted */
	watch_input(&w, 'z');
	set_drops(page(100, 2, 3), "{\"wrong_input\":3}");
	show(24, 80);
	assert_string_equal(
		screen.line[1].text, "drops: none now; earlier: wrong_input 3");
}

/* The drops of an interface can also be cleared. */
static void drops_of_an_interface(void **state)
{
	json_t *p = page(1000, 2, 3);

	json_object_set_new(json_array_get(json_object_get(p, "interfaces"), 0),
		"dropped", json_integer(777));
	watch_update(&w, json_incref(p));
	show(24, 80);
	assert_non_null(strstr(line_with("wan "), " 777 "));
	watch_input(&w, 'z');
	show(24, 80);
	assert_null(strstr(line_with("wan "), " 777 "));
	json_decref(p);
}

/* N33: the text of the filter is shown in full as long as any text is. */
static void a_long_filter_is_not_cut(void **state)
{
	strcpy(w.filter, "2001:db8:1:2:3:4:5:6");
	watch_update(&w, page(1000, 2, 3));
	watch_update(&w, page(3000, 2, 3));
	show(24, 100);
	assert_string_equal(screen.line[0].text,
		"ringcast 9.9, up 3.0s, 3 of 3 with \"2001:db8:1:2:3:4:5:6\", "
		"in 16.0M out 16.0M bit/s");
	show(24, 80);
	assert_string_equal(screen.line[0].text,
		"up 3.0s, 3 of 3 with \"2001:db8:1:2:3:4:5:6\", "
		"in 16.0M out 16.0M bit/s");
	show(24, 50);
	assert_string_equal(
		screen.line[0].text, "3 of 3 with \"2001:db8:1:2:3:4:5:6\"");
}

static void a_new_daemon_counts_from_zero(void **state)
{
	watch_update(&w, page(5000, 3, 3));
	watch_update(&w, page(7000, 3, 3));
	assert_non_null(w.before);
	watch_update(&w, page(500, 3, 3));
	assert_null(w.before);
	show(24, 80);
	assert_non_null(strstr(screen.line[0].text, "in - out - bit/s"));
}

static void pages_after_a_key_keep_the_rates(void **state)
{
	watch_update(&w, page(5000, 3, 3));
	watch_update(&w, page(7000, 3, 3));
	watch_update(&w, page(7050, 3, 3)); /* 50 ms are too short for a rate */
	show(24, 80);
	assert_non_null(strstr(screen.line[0].text, "in 16.0M"));
}

static void trouble_is_above_what_was_known(void **state)
{
	show(24, 80);
	assert_non_null(line_with("asking the daemon"));
	watch_set_trouble(&w, "daemon not reachable, retrying (Connection refused)");
	show(24, 80);
	assert_int_equal(screen.line[1].style, WATCH_ALARM);
	watch_update(&w, page(1000, 3, 3));
	show(24, 80);
	assert_null(line_with("retrying"));
	watch_set_trouble(&w, "daemon not reachable, retrying (Connection refused)");
	show(24, 80);
	assert_int_equal(screen.line[1].style, WATCH_ALARM);
	assert_non_null(line_with("239.1.0.2"));
}

static void keys_sort_and_scroll(void **state)
{
	watch_update(&w, page(1000, 3, 100));
	show(24, 80);
	assert_int_equal(w.n_visible, 16);
	assert_request("show top sort rate offset 0 limit 24");
	assert_int_equal(watch_input(&w, WATCH_KEY_UP), WATCH_NOTHING);
	assert_int_equal(watch_input(&w, WATCH_KEY_DOWN), WATCH_REFRESH);
	assert_request("show top sort rate offset 1 limit 24");
	assert_int_equal(watch_input(&w, WATCH_KEY_PAGE_DOWN), WATCH_REFRESH);
	assert_request("show top sort rate offset 16 limit 24");
	assert_int_equal(watch_input(&w, WATCH_KEY_END), WATCH_REFRESH);
	assert_request("show top sort rate offset 84 limit 24");
	assert_int_equal(watch_input(&w, 'j'), WATCH_NOTHING);
	assert_int_equal(watch_input(&w, 'r'), WATCH_REFRESH);
	assert_request("show top sort rate reverse offset 0 limit 24");
	assert_int_equal(watch_input(&w, 's'), WATCH_REFRESH);
	assert_request("show top sort packets reverse offset 0 limit 24");
	assert_int_equal(watch_input(&w, '5'), WATCH_REFRESH);
	assert_request("show top sort group reverse offset 0 limit 24");
	assert_int_equal(watch_input(&w, 's'), WATCH_REFRESH);
	assert_request("show top sort rate reverse offset 0 limit 24");
	assert_int_equal(watch_input(&w, 'q'), WATCH_QUIT);
	assert_int_equal(watch_input(&w, 'x'), WATCH_NOTHING);
	assert_int_equal(watch_input(&w, ' '), WATCH_REFRESH);
	watch_input(&w, '+');
	assert_true(w.interval > 3.9 && w.interval < 4.1);
	for (unsigned i = 0; i < 9; i++)
		watch_input(&w, '-');
	assert_true(w.interval >= WATCH_INTERVAL_MIN);
}

static void the_list_becomes_shorter(void **state)
{
	watch_update(&w, page(1000, 3, 100));
	show(24, 80);
	watch_input(&w, WATCH_KEY_END);
	watch_update(&w, page(3000, 3, 20));
	assert_int_equal(w.offset, 4);
	watch_update(&w, page(5000, 3, 2));
	assert_int_equal(w.offset, 0);
}

static void type(const char *text)
{
	for (; *text; text++)
		assert_int_equal(watch_input(&w, *text), WATCH_DRAW);
}

static void keys_filter(void **state)
{
	watch_update(&w, page(1000, 3, 100));
	assert_int_equal(watch_input(&w, '/'), WATCH_DRAW);
	type("239.q");
	show(24, 80);
	assert_non_null(line_with("filter: 239.q_"));
	assert_int_equal(watch_input(&w, WATCH_KEY_BACKSPACE), WATCH_DRAW);
	assert_int_equal(watch_input(&w, ' '), WATCH_NOTHING);
	assert_int_equal(watch_input(&w, '\n'), WATCH_NOTHING);
	assert_int_equal(watch_input(&w, WATCH_KEY_ENTER), WATCH_REFRESH);
	assert_request("show top sort rate offset 0 limit 24 filter 239.");
	show(24, 80);
	assert_non_null(strstr(screen.line[0].text, "100 of 100 with \"239.\""));
	/* after Escape the previous filter stays */
	watch_input(&w, '/');
	type("7");
	assert_int_equal(watch_input(&w, WATCH_KEY_ESCAPE), WATCH_DRAW);
	assert_string_equal(w.filter, "239.");
	assert_int_equal(watch_input(&w, WATCH_KEY_ESCAPE), WATCH_REFRESH);
	assert_request("show top sort rate offset 0 limit 24");
	/* longer than the buffer */
	watch_input(&w, '/');
	for (unsigned i = 0; i < 200; i++)
		watch_input(&w, 'a');
	watch_input(&w, WATCH_KEY_ENTER);
	assert_int_equal(strlen(w.filter), WATCH_FILTER_LEN - 1);
}

static void other_pages(void **state)
{
	watch_update(&w, page(1000, 40, 100));
	show(24, 80);
	assert_non_null(line_with("... and 33 more (key i)"));
	assert_int_equal(watch_input(&w, 'i'), WATCH_DRAW);
	show(24, 80);
	assert_null(line_with("Group "));
	assert_non_null(line_with("lan19"));
	assert_null(line_with("lan39"));
	assert_int_equal(watch_input(&w, WATCH_KEY_END), WATCH_DRAW);
	show(24, 80);
	assert_non_null(line_with("lan39"));
	assert_int_equal(watch_input(&w, 'h'), WATCH_DRAW);
	show(24, 80);
	assert_non_null(line_with("reverse the order"));
	assert_int_equal(watch_input(&w, WATCH_KEY_ESCAPE), WATCH_DRAW);
	assert_int_equal(w.page, WATCH_PAGE_ALL);
}

/* Lines are printable ASCII despite hostile names and replies of older daemons. */
static void hostile_pages(void **state)
{
	static const char *const pages[] = {
		"{}",
		"{\"interfaces\":7,\"rows\":{},\"drops\":[1]}",
		"{\"interfaces\":[3,{\"name\":\"l\\u001b[2J\\u00f6\\u4e2d\",\"error\":"
		"\"\\t\"}],\"rows\":[null,{\"group\":7,\"out\":[1,\"\\u0007\"]}],"
		"\"matched\":-5,\"drops\":{\"a\":\"b\"}}",
	};

	for (size_t i = 0; i < array_len(pages); i++) {
		watch_update(&w, json_loads(pages[i], 0, NULL));
		show(24, 80);
		for (size_t k = 0; k < screen.n; k++)
			for (const char *p = screen.line[k].text; *p; p++)
				assert_in_range((unsigned char)*p, 0x20, 0x7e);
	}
	assert_non_null(line_with("l?[2J??"));
}

/* Numbers beyond those of any daemon: their sums and differences are still numbers. */
static void numbers_without_measure(void **state)
{
	static const char *const keys[] = {"dropped", "refused", "ring_drops",
		"rx_packets", "rx_bytes", "tx_packets", "groups"};
	static const json_int_t ends[] = {INT64_MAX, INT64_MIN, INT64_MAX};

	for (size_t i = 0; i < array_len(ends); i++) {
		json_t *p = page(1000, 2, 3);
		json_t *o = json_array_get(json_object_get(p, "interfaces"), 0);
		json_t *row = json_array_get(json_object_get(p, "rows"), 0);

		for (size_t k = 0; k < array_len(keys); k++)
			json_object_set_new(o, keys[k], json_integer(ends[i]));
		json_object_set_new(p, "now_ms", json_integer(ends[i]));
		json_object_set_new(row, "bytes_per_s", json_real(-1e308));
		watch_update(&w, p);
		show(24, 160);
		show(24, 80);
	}
	/* the sum of three counters, each limited to 2^60 */
	assert_non_null(strstr(line_with("wan "), "3.46E"));
}

static void orders_have_names(void **state)
{
	enum watch_sort sort;

	assert_int_equal(watch_sort_parse("members", &sort), 0);
	assert_int_equal(sort, WATCH_SORT_MEMBERS);
	assert_int_equal(watch_sort_parse("colour", &sort), -1);
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(every_size_fits),
		T(rates_and_states),
		T(drops_that_are_over),
		T(drops_of_an_interface),
		T(a_long_filter_is_not_cut),
		T(a_new_daemon_counts_from_zero),
		T(pages_after_a_key_keep_the_rates),
		T(trouble_is_above_what_was_known),
		T(keys_sort_and_scroll),
		T(the_list_becomes_shorter),
		T(keys_filter),
		T(other_pages),
		T(hostile_pages),
		T(numbers_without_measure),
		T(orders_have_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
