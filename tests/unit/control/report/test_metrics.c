/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The text of metrics: both formats, labels with hostile values, content negotiation,
 * lack of memory, and the table of families. */

#include "control/report/metrics.h"
#include "fail_alloc.h"
#include "test.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static void assert_text(const struct metrics *m, const char *expected)
{
	_cleanup_(freep) char *got = strndup(m->buf ? m->buf : "", m->len);

	assert_false(m->failed);
	assert_string_equal(got, expected);
}

static void write_some(struct metrics *m)
{
	struct metrics_span span;

	metrics_begin(m, METRIC_BUILD);
	metrics_sample(m);
	metrics_label(m, "version", "1.2.3");
	metrics_uint(m, 1);
	metrics_begin(m, METRIC_INTERFACE_RECEIVE_BYTES);
	metrics_sample(m);
	metrics_label(m, "interface", "wan{0}");
	span = metrics_labels(m);
	metrics_uint(m, UINT64_MAX);
	metrics_begin(m, METRIC_CTL_CLIENTS);
	metrics_sample(m);
	metrics_uint(m, 0);
	metrics_begin(m, METRIC_RING_USED);
	metrics_sample(m);
	metrics_labels_again(m, span);
	metrics_label_uint(m, "thread", 12);
	metrics_real(m, 0.25);
	metrics_begin(m, METRIC_GROUPS_LIMIT);
	metrics_sample(m);
	metrics_real(m, INFINITY);
	metrics_begin(m, METRIC_FORWARD_DELAY);
	metrics_sample_of(m, "_sum");
	metrics_ns(m, 12000000345);
	metrics_end(m);
}

static void prometheus(void **state)
{
	struct metrics m = {.format = METRICS_PROMETHEUS};

	write_some(&m);
	assert_text(&m,
		"# HELP ringcast_build_info Version of the daemon, release and machine of the "
		"kernel\n"
		"# TYPE ringcast_build_info gauge\n"
		"ringcast_build_info{version=\"1.2.3\"} 1\n"
		"# HELP ringcast_interface_receive_bytes_total Bytes of datagrams from here "
		"that passed the source check, from the IP header on\n"
		"# TYPE ringcast_interface_receive_bytes_total counter\n"
		"ringcast_interface_receive_bytes_total{interface=\"wan{0}\"} "
		"18446744073709551615\n"
		"# HELP ringcast_ctl_clients Clients of the control socket\n"
		"# TYPE ringcast_ctl_clients gauge\n"
		"ringcast_ctl_clients 0\n"
		"# HELP ringcast_ring_used_ratio Part of a receive ring that waits for its thread, "
		"0 to 1\n"
		"# TYPE ringcast_ring_used_ratio gauge\n"
		"ringcast_ring_used_ratio{interface=\"wan{0}\",thread=\"12\"} 0.25\n"
		"# HELP ringcast_groups_limit Limit of groups (max-groups)\n"
		"# TYPE ringcast_groups_limit gauge\n"
		"ringcast_groups_limit +Inf\n"
		"# HELP ringcast_forward_latency_seconds From the kernel's receive time stamp until "
		"the copies are with the kernel, of the oldest and the newest frame of each burst\n"
		"# TYPE ringcast_forward_latency_seconds histogram\n"
		"ringcast_forward_latency_seconds_sum 12.000000345\n");
	metrics_deinit(&m);
}

static void openmetrics(void **state)
{
	struct metrics m = {.format = METRICS_OPENMETRICS};

	write_some(&m);
	assert_text(&m,
		"# HELP ringcast_build Version of the daemon, release and machine of the kernel\n"
		"# TYPE ringcast_build info\n"
		"ringcast_build_info{version=\"1.2.3\"} 1\n"
		"# HELP ringcast_interface_receive_bytes Bytes of datagrams from here that "
		"passed the source check, from the IP header on\n"
		"# TYPE ringcast_interface_receive_bytes counter\n"
		"# UNIT ringcast_interface_receive_bytes bytes\n"
		"ringcast_interface_receive_bytes_total{interface=\"wan{0}\"} "
		"18446744073709551615\n"
		"# HELP ringcast_ctl_clients Clients of the control socket\n"
		"# TYPE ringcast_ctl_clients gauge\n"
		"ringcast_ctl_clients 0\n"
		"# HELP ringcast_ring_used_ratio Part of a receive ring that waits for its thread, "
		"0 to 1\n"
		"# TYPE ringcast_ring_used_ratio gauge\n"
		"# UNIT ringcast_ring_used_ratio ratio\n"
		"ringcast_ring_used_ratio{interface=\"wan{0}\",thread=\"12\"} 0.25\n"
		"# HELP ringcast_groups_limit Limit of groups (max-groups)\n"
		"# TYPE ringcast_groups_limit gauge\n"
		"ringcast_groups_limit +Inf\n"
		"# HELP ringcast_forward_latency_seconds From the kernel's receive time stamp until "
		"the copies are with the kernel, of the oldest and the newest frame of each burst\n"
		"# TYPE ringcast_forward_latency_seconds histogram\n"
		"# UNIT ringcast_forward_latency_seconds seconds\n"
		"ringcast_forward_latency_seconds_sum 12.000000345\n"
		"# EOF\n");
	metrics_deinit(&m);
}

static void label_values(void **state)
{
	static const struct {
		const char *value, *text;
	} row[] = {
		{"", ""},
		{"eth0", "eth0"},
		{"br-lan.7@if2", "br-lan.7@if2"},
		{"a\"} 1\nevil{b=\"", "a\\\"} 1\\nevil{b=\\\""},
		{"back\\slash", "back\\\\slash"},
		{"\\n", "\\\\n"},
		{"\x01\x7f\t", "\x01\x7f\t"},
		{"f\xc3\xbcr", "f\xc3\xbcr"}, /* U+00FC */
		{"\xe2\x82\xac\xf0\x9f\x93\xba", "\xe2\x82\xac\xf0\x9f\x93\xba"},
		{"\xf4\x8f\xbf\xbf", "\xf4\x8f\xbf\xbf"}, /* U+10FFFF */
		{"\xff", "\\\\xff"},			  /* never valid */
		{"a\x80z", "a\\\\x80z"},		  /* stray continuation byte */
		{"\xc3", "\\\\xc3"},			  /* truncated */
		{"\xe2\x82", "\\\\xe2\\\\x82"},
		{"\xf0\x9f\x93", "\\\\xf0\\\\x9f\\\\x93"},
		{"\xc0\xaf", "\\\\xc0\\\\xaf"}, /* overlong form */
		{"\xe0\x9f\xbf", "\\\\xe0\\\\x9f\\\\xbf"},
		{"\xf0\x8f\xbf\xbf", "\\\\xf0\\\\x8f\\\\xbf\\\\xbf"},
		{"\xed\xa0\x80", "\\\\xed\\\\xa0\\\\x80"},	      /* surrogate */
		{"\xf4\x90\x80\x80", "\\\\xf4\\\\x90\\\\x80\\\\x80"}, /* too large */
		{"\xc3\"", "\\\\xc3\\\""},
	};

	for (size_t i = 0; i < array_len(row); i++) {
		struct metrics m = {.format = METRICS_OPENMETRICS};
		char expected[128];

		metrics_begin(&m, METRIC_INTERFACE_UP);
		m.len = 0;
		metrics_sample(&m);
		metrics_label(&m, "interface", row[i].value);
		metrics_uint(&m, 7);
		snprintf(expected, sizeof(expected),
			"ringcast_interface_up{interface=\"%s\"} 7\n", row[i].text);
		assert_text(&m, expected);
		metrics_deinit(&m);
	}
}

static void memory_runs_out(void **state)
{
	bool failed = true;

	for (long n = 0; failed; n++) {
		struct metrics m = {.format = METRICS_OPENMETRICS};

		assert_in_range(n, 0, 20);
		fail_alloc_after = n;
		for (unsigned i = 0; i < 200; i++)
			write_some(&m);
		failed = fail_alloc_after < 0;
		fail_alloc_after = -1;
		assert_int_equal(m.failed, failed);
		metrics_deinit(&m);
		assert_null(m.buf);
	}
}

static void what_clients_want(void **state)
{
	static const struct {
		const char *accept;
		enum metrics_format format;
	} row[] = {
		{NULL, METRICS_PROMETHEUS},
		{"", METRICS_PROMETHEUS},
		{"*/*", METRICS_PROMETHEUS},
		{"text/html,application/xhtml+xml;q=0.9,*/*;q=0.8", METRICS_PROMETHEUS},
		{"application/openmetrics-text", METRICS_OPENMETRICS},
		{"Application/OpenMetrics-Text", METRICS_OPENMETRICS},
		{"application/openmetrics-text; version=1.0.0; charset=utf-8",
			METRICS_OPENMETRICS},
		/* as Prometheus 2 and 3 send it */
		{"application/openmetrics-text;version=1.0.0,application/openmetrics-text;"
		 "version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
			METRICS_OPENMETRICS},
		{"application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
		 "application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;"
		 "escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
			METRICS_OPENMETRICS},
		{"text/plain;version=0.0.4;q=0.9 , application/openmetrics-text ; q=0.5",
			METRICS_PROMETHEUS},
		{"text/plain;q=0.2,application/openmetrics-text;q=0.200",
			METRICS_OPENMETRICS},
		{"application/openmetrics-text;q=0", METRICS_PROMETHEUS},
		{"application/openmetrics-text;q=0.000,*/*;q=0.001",
			METRICS_PROMETHEUS},
		{"application/openmetrics-text;version=2.0.0", METRICS_PROMETHEUS},
		{"application/openmetrics-text;q=x", METRICS_PROMETHEUS},
		{"application/openmetrics-text;q=", METRICS_OPENMETRICS},
		{"application/openmetrics-texts", METRICS_PROMETHEUS},
		{",;,;;=,q=1", METRICS_PROMETHEUS},
		{";", METRICS_PROMETHEUS},
	};

	for (size_t i = 0; i < array_len(row); i++)
		if (metrics_negotiate(row[i].accept) != row[i].format)
			fail_msg("%s", row[i].accept);
}

/* Returns the unit that is written before the samples of a family, or "". */
static const char *unit_of(enum metric id)
{
	struct metrics m = {.format = METRICS_OPENMETRICS};
	static char unit[16];
	const char *line;

	*unit = '\0';
	metrics_begin(&m, id);
	metrics_uint(&m, 0);
	assert_false(m.failed);
	m.buf[m.len - 1] = '\0';
	line = strstr(m.buf, "# UNIT ");
	if (line)
		assert_int_equal(sscanf(line, "# UNIT %*s %15s", unit), 1);
	metrics_deinit(&m);
	return unit;
}

static bool ends_with(const char *s, const char *end)
{
	size_t n = strlen(s), k = strlen(end);

	return n >= k && strcmp(s + n - k, end) == 0;
}

/* Rules of promtool and the OpenMetrics standard for names, units and texts. */
static void families(void **state)
{
	static const char *const units[] = {"seconds", "bytes", "ratio", NULL};
	static const char *const reserved[] = {
		"_total", "_info", "_count", "_sum", "_bucket", "_created", NULL};

	for (size_t i = 0; i < _METRIC_N; i++) {
		const struct metrics_family *f = &metrics_family[i];
		const char *unit = unit_of((enum metric)i);
		bool known = !*unit;

		assert_ptr_equal(strstr(f->name, "ringcast_"), f->name);
		for (const char *p = f->name; *p; p++)
			assert_true(islower(*p) || isdigit(*p) || *p == '_');
		for (size_t k = 0; reserved[k]; k++)
			assert_false(ends_with(f->name, reserved[k]));
		for (size_t k = 0; units[k]; k++) {
			known |= strcmp(unit, units[k]) == 0;
			if (ends_with(f->name, units[k]))
				assert_string_equal(unit, units[k]);
		}
		assert_true(known);
		assert_true(ends_with(f->name, unit));
		assert_true(f->help && strlen(f->help) > 10);
		assert_null(strpbrk(f->help, "\n\\|"));
		assert_false(ends_with(f->help, "."));
		for (size_t k = 0; k < i; k++)
			assert_string_not_equal(f->name, metrics_family[k].name);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(prometheus),
		cmocka_unit_test(openmetrics),
		cmocka_unit_test(label_values),
		cmocka_unit_test(memory_runs_out),
		cmocka_unit_test(what_clients_want),
		cmocka_unit_test(families),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
