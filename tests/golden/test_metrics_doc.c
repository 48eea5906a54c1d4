/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * doc/metrics.md has the table of all metrics as the daemon knows it, and the dashboard
 * uses no others. Arguments: the document, the dashboard. With a third argument
 * "update" the table is written again.
 */

#include "control/report/metrics.h"
#include "test.h"

#include <ctype.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

static const char *const labels[_METRIC_N] = {
#define X(id, type, name, labels, help) [id] = labels,
#include "control/report/metrics_list.h"
#undef X
};
static const char begin[] = "| metric | type | labels | meaning |\n|---|---|---|---|\n";
static const char *document, *dashboard;
static bool update;

static char *read_file(const char *path)
{
	FILE *f = fopen(path, "re");
	size_t n;
	char *buf;

	assert_non_null(f);
	assert_int_equal(fseek(f, 0, SEEK_END), 0);
	n = (size_t)ftell(f);
	rewind(f);
	buf = malloc(n + 1);
	assert_non_null(buf);
	assert_int_equal(fread(buf, 1, n, f), n);
	buf[n] = '\0';
	fclose(f);
	return buf;
}

static char *make_table(void)
{
	char *text = NULL;
	size_t n = 0;
	FILE *f = open_memstream(&text, &n);

	assert_non_null(f);
	for (size_t i = 0; i < _METRIC_N; i++) {
		const struct metrics_family *m = &metrics_family[i];

		fprintf(f, "| `%s%s` | %s | %s | %s |\n", m->name,
			metrics_ending(m->type), metrics_type_name(m->type), labels[i],
			m->help);
	}
	assert_int_equal(fclose(f), 0);
	return text;
}

static void documented(void **state)
{
	_cleanup_(freep) char *text = read_file(document), *table = make_table();
	char *start = strstr(text, begin), *end;

	assert_non_null(start);
	start += strlen(begin);
	end = strstr(start, "\n\n");
	assert_non_null(end);
	end++;
	if (update) {
		FILE *f = fopen(document, "we");

		assert_non_null(f);
		fprintf(f, "%.*s%s%s", (int)(start - text), text, table, end);
		assert_int_equal(fclose(f), 0);
		return;
	}
	*end = '\0';
	assert_string_equal(start, table);
}

/* The name of a sample, where a histogram adds endings. */
static bool is_known(const char *name, size_t n)
{
	static const char *const ends[] = {"", "_bucket", "_count", "_sum"};

	for (size_t i = 0; i < _METRIC_N; i++) {
		bool histogram = metrics_family[i].type == METRICS_HISTOGRAM;

		for (size_t k = histogram; k < (histogram ? array_len(ends) : 1); k++) {
			char known[96];
			int len = snprintf(known, sizeof(known), "%s%s%s",
				metrics_family[i].name,
				metrics_ending(metrics_family[i].type), ends[k]);

			if ((size_t)len == n && strncmp(known, name, n) == 0)
				return true;
		}
	}
	return false;
}

static void dashboard_is_sound(void **state)
{
	_cleanup_(freep) char *text = read_file(dashboard);
	json_error_t error;
	json_t *board = json_loads(text, JSON_REJECT_DUPLICATES, &error);
	unsigned n_named = 0;

	if (!board)
		fail_msg("%s:%d: %s", dashboard, error.line, error.text);
	assert_true(json_array_size(json_object_get(board, "panels")) > 10);
	assert_true(json_integer_value(json_object_get(board, "schemaVersion")) >= 38);
	for (const char *p = text; (p = strstr(p, "ringcast_"));) {
		size_t n = 0;

		while (islower(p[n]) || p[n] == '_')
			n++;
		if (!is_known(p, n))
			fail_msg("%s: there is no metric %.*s", dashboard, (int)n, p);
		n_named++;
		p += n;
	}
	assert_true(n_named > 20);
	json_decref(board);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(documented),
		cmocka_unit_test(dashboard_is_sound),
	};

	if (argc < 3) {
		fprintf(stderr, "usage: %s DOCUMENT DASHBOARD [update]\n", argv[0]);
		return 1;
	}
	document = argv[1];
	dashboard = argv[2];
	update = argc > 3 && strcmp(argv[3], "update") == 0;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
