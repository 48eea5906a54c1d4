/* SPDX-License-Identifier: GPL-2.0-or-later */

/* json_lines: the output of jansson with JSON_INDENT(2), in pieces of every size. */

#include "test.h"

#include "tools/ctl/json_lines.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

/* Tokens, each of which may be a piece; an empty one ends the text. */
static const char *const texts[][40] = {
	{"{", "}", ""},
	{"[", "]", ""},
	{"{", "\"a\"", ":", "1", "}", ""},
	{"[", "[", "]", ",", "{", "}", ",", "[", "[", "]", "]", "]", ""},
	{"{", "\"a\"", ":", "[", "1", ",", "-2.5", ",", "true", ",", "null", "]", ",",
		"\"b\"", ":", "{", "\"c\"", ":", "{", "}", ",", "\"d\"", ":", "[", "]",
		"}", "}", ""},
	{"[", "\"[{,:}]\"", ",", "\"\\\"\"", ",", "\"\\\\\"", ",", "\"\"", ",",
		"\"\xe2\x82\xac\"", "]", ""},
};

static char *lines_of(const char *const *token, size_t per_part)
{
	struct json_lines j = {0};
	char *printed = NULL, part[512] = "";
	size_t n_printed, n = 0;
	FILE *out = open_memstream(&printed, &n_printed);

	for (size_t i = 0; *token[i]; i++) {
		n += (size_t)snprintf(part + n, sizeof(part) - n, "%s", token[i]);
		if (i % per_part == per_part - 1) {
			json_lines_put(&j, part, n, out);
			n = 0;
		}
	}
	json_lines_put(&j, part, n, out);
	fclose(out);
	return printed;
}

static void as_jansson_does(void **state)
{
	for (size_t i = 0; i < array_len(texts); i++) {
		char line[512] = "", *want;
		json_t *value;

		for (size_t k = 0; *texts[i][k]; k++)
			strcat(line, texts[i][k]);
		value = json_loads(line, 0, NULL);
		assert_non_null(value);
		want = json_dumps(value, JSON_INDENT(2));
		for (size_t n = 1; n < array_len(texts[i]); n++) {
			char *got = lines_of(texts[i], n);

			assert_string_equal(got, want);
			free(got);
		}
		free(want);
		json_decref(value);
	}
}

static void blanks_are_not_kept(void **state)
{
	static const char *const text[] = {
		"{", "  ", "\"a\"", "\t", ":", " ", "[", "\r", "]", " ", "}", "\n", ""};

	for (size_t n = 1; n < array_len(text); n++) {
		char *got = lines_of(text, n);

		assert_string_equal(got, "{\n  \"a\": []\n}\n");
		free(got);
	}
}

static void nothing_a_terminal_obeys(void **state)
{
	static const char *const text[] = {"[", "\"\xc2\x9b\x7f\"", "]", ""};
	char *got = lines_of(text, 1);

	assert_string_equal(got, "[\n  \"\\u009b\\u007f\"\n]");
	free(got);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(as_jansson_does),
		cmocka_unit_test(blanks_are_not_kept),
		cmocka_unit_test(nothing_a_terminal_obeys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
