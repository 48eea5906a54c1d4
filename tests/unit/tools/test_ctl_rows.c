/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Replies that are split into rows, in pieces of every size. */

#include "test.h"
#include "tools/ctl/ctl_rows.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static char seen[1024];

/* "HEAD<ROW>" */
static void row(void *ctx, const json_t *head, json_t *value)
{
	char *h = json_dumps(head, JSON_COMPACT);
	char *v = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
	size_t n = strlen(seen);

	snprintf(seen + n, sizeof(seen) - n, "%s<%s>", h, v);
	free(h);
	free(v);
}

static const struct {
	const char *what, *line;
	const char *key;
	unsigned depth;
	const char *rows, *reply;
} good[] = {
	{"no such array", "{\"a\":[1,2]}", "b", 1, "", "{\"a\":[1,2]}"},
	{"empty", "{\"b\":[ ]}", "b", 1, "", "{\"b\":[]}"},
	{"values of all kinds", "{\"b\":[1,\"x\",null,[2,3],{\"c\":[4]}],\"d\":5}", "b",
		1,
		"{\"b\":[]}<1>{\"b\":[]}<\"x\">{\"b\":[]}<null>{\"b\":[]}<[2,3]>"
		"{\"b\":[]}<{\"c\":[4]}>",
		"{\"b\":[],\"d\":5}"},
	{"the head is what came before", "{\"a\":1,\"b\":[2],\"c\":3}", "b", 1,
		"{\"a\":1,\"b\":[]}<2>", "{\"a\":1,\"b\":[],\"c\":3}"},
	{"brackets, quotes and commas in strings",
		"{\"x\":\"\\\"b\\\":[\",\"b\":[\"],[\\\"\",\"\\\\\",\"{\"]}", "b", 1,
		"{\"x\":\"\\\"b\\\":[\",\"b\":[]}<\"],[\\\"\">{\"x\":\"\\\"b\\\":[\",\"b\":[]}<"
		"\"\\\\\">{\"x\":\"\\\"b\\\":[\",\"b\":[]}<\"{\">",
		"{\"x\":\"\\\"b\\\":[\",\"b\":[]}"},
	{"a name that ends like it", "{\"\\\"b\":[1],\"ab\":[2]}", "b", 1, "",
		"{\"\\\"b\":[1],\"ab\":[2]}"},
	{"deeper ones are left", "{\"a\":{\"b\":[1]}}", "b", 1, "",
		"{\"a\":{\"b\":[1]}}"},
	{"two of them, deep", "{\"u\":[{\"n\":1,\"b\":[7]},{\"n\":2,\"b\":[8]}]}", "b",
		3,
		"{\"u\":[{\"n\":1,\"b\":[]}]}<7>{\"u\":[{\"n\":1,\"b\":[]},{\"n\":2,\"b\":[]}]}<8>",
		"{\"u\":[{\"n\":1,\"b\":[]},{\"n\":2,\"b\":[]}]}"},
	{"blanks", "{ \"b\" : [ 1 , 2 ] }", "b", 1, "{\"b\":[]}<1>{\"b\":[]}<2>",
		"{\"b\":[]}"},
	{"no object", "[1]", "b", 1, "", "[1]"},
};

/* Feeds a line in pieces of that size. The printed text must be the line itself. */
static void play(size_t i, size_t piece)
{
	char *printed = NULL, *left;
	size_t n_printed, len = strlen(good[i].line) + 1;
	FILE *out = open_memstream(&printed, &n_printed);
	struct ctl_rows r = {
		.key = good[i].key, .depth = good[i].depth, .row = row, .json = out};
	json_t *reply = NULL;
	char line[512];
	int e = 0;

	snprintf(line, sizeof(line), "%s\n", good[i].line);
	seen[0] = '\0';
	for (size_t at = 0; at < len; at += piece) {
		if (e != 0)
			fail_msg(
				"%s: %d at %zu: %s", good[i].what, e, at, r.error.text);
		e = ctl_rows_feed(
			&r, line + at, len - at < piece ? len - at : piece, &reply);
	}
	assert_int_equal(e, 1);
	fclose(out);
	left = json_dumps(reply, JSON_COMPACT);
	assert_string_equal(seen, good[i].rows);
	assert_string_equal(left, good[i].reply);
	assert_string_equal(printed, line);
	free(left);
	free(printed);
	json_decref(reply);
	ctl_rows_deinit(&r);
}

static void rows_one_by_one(void **state)
{
	for (size_t i = 0; i < array_len(good); i++)
		for (size_t piece = 1; piece <= strlen(good[i].line) + 1; piece++)
			play(i, piece);
}

static void text_that_is_not_json(void **state)
{
	static const char *const bad[] = {"", "{", "}", "{\"b\":[1,]}", "{\"b\":[,1]}",
		"{\"b\":[1}", "{\"b\":[1 2]}", "{\"b\":[nul]}", "{\"b\":[],}",
		"{\"b\":[1]]", "{\"b\" [1]}", "{\"a\":,\"b\":[1]}", "{\"b\":[\"\t\"]}"};

	for (size_t i = 0; i < array_len(bad); i++) {
		struct ctl_rows r = {.key = "b", .depth = 1};
		json_t *reply = NULL;
		int e = ctl_rows_feed(&r, bad[i], strlen(bad[i]), &reply);

		if (e == 0)
			e = ctl_rows_feed(&r, "\n", 1, &reply);
		if (e != -EBADMSG || !*r.error.text)
			fail_msg("%s: %d", bad[i], e);
		ctl_rows_deinit(&r);
	}
}

/* Only one row, and what surrounds the rows, is kept in memory. */
static void memory_for_one_row(void **state)
{
	struct ctl_rows r = {.key = "b", .depth = 1};
	static const char one[] = ",{\"group\":\"239.1.2.3\",\"sources\":[1,2,3]}";
	json_t *reply = NULL;

	assert_int_equal(ctl_rows_feed(&r, "{\"b\":[0", 7, &reply), 0);
	for (unsigned i = 0; i < 100000; i++)
		assert_int_equal(ctl_rows_feed(&r, one, strlen(one), &reply), 0);
	assert_int_equal(ctl_rows_feed(&r, "]}\n", 3, &reply), 1);
	assert_int_equal(r.n_rows, 100001);
	assert_true(r.cap <= 4096);
	json_decref(reply);
	ctl_rows_deinit(&r);
}

static void nothing_a_terminal_obeys(void **state)
{
	static const char line[] = "{\"b\":[\"\xc2\x9b"
				   "2J\"],\"c\":\"\x7f\"}\n";
	char *printed = NULL;
	size_t n;
	FILE *out = open_memstream(&printed, &n);
	struct ctl_rows r = {.key = "b", .depth = 1, .json = out};
	json_t *reply = NULL;

	assert_int_equal(ctl_rows_feed(&r, line, strlen(line), &reply), 1);
	fclose(out);
	assert_string_equal(printed, "{\"b\":[\"\\u009b2J\"],\"c\":\"\\u007f\"}\n");
	free(printed);
	json_decref(reply);
	ctl_rows_deinit(&r);
}

/* A row that never ends, or a value outside of rows. */
static void memory_has_a_bound(void **state)
{
	static const char *const begin[] = {"{\"b\":[\"", "{\"c\":\""};
	static char much[1 << 16];

	memset(much, 'x', sizeof(much));
	for (size_t i = 0; i < array_len(begin); i++) {
		struct ctl_rows r = {.key = "b", .depth = 1};
		json_t *reply = NULL;
		int e = ctl_rows_feed(&r, begin[i], strlen(begin[i]), &reply);

		for (size_t n = 0; e == 0 && n <= 2 * CTL_ROWS_TEXT_MAX;
			n += sizeof(much))
			e = ctl_rows_feed(&r, much, sizeof(much), &reply);
		assert_int_equal(e, -EMSGSIZE);
		assert_true(r.cap <= CTL_ROWS_TEXT_MAX);
		ctl_rows_deinit(&r);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_one_by_one),
		cmocka_unit_test(text_that_is_not_json),
		cmocka_unit_test(memory_for_one_row),
		cmocka_unit_test(nothing_a_terminal_obeys),
		cmocka_unit_test(memory_has_a_bound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
