/* SPDX-License-Identifier: GPL-2.0-or-later */

/* printable: every byte that a terminal would obey becomes '?', and no other. */

#include "test.h"

#include "tools/ctl/printable.h"

#include <stdlib.h>
#include <string.h>

static void texts(void **state)
{
	static const struct {
		const char *text, *keep, *want;
	} c[] = {
		{"", "", ""},
		{"eth0 \xc3\xa4 \xe2\x82\xac \xf0\x9f\x93\xba", "",
			"eth0 \xc3\xa4 \xe2\x82\xac \xf0\x9f\x93\xba"},
		{"a\x1b[2J\x07\x08\r\x7f", "", "a?[2J????"},
		{"a\n\tb\x0b", "", "a??b?"},
		{"a\n\tb\x0b\r", "\n\t", "a\n\tb??"},
		/* C1, as bytes and as characters */
		{"\x9b"
		 "2J",
			"", "?2J"},
		{"\xc2\x9b"
		 "2J\xc2\x80\xc2\x9f\xc2\xa0",
			"", "??2J????\xc2\xa0"},
		/* marks of direction, line and paragraph separators */
		{"\xe2\x80\xae"
		 "x\xe2\x80\xac\xe2\x81\xa6\xe2\x80\x8f\xe2\x80\xa8",
			"", "???x????????????"},
		{"\xd8\x9c", "", "??"}, /* the Arabic letter mark */
		{"\xe2\x80\x90\xe2\x81\xaa", "", "\xe2\x80\x90\xe2\x81\xaa"},
		/* invalid UTF-8: truncated, overlong, a stray continuation byte, an
		 * invalid first byte */
		{"\xe2\x82", "", "??"},
		{"\xe2\x82\x1b[", "", "???["},
		{"\xc0\x9b\xc1\xbf\xe0\x80\x9b\xf0\x80\x80\x9b", "", "???????????"},
		{"\xc0\x8a", "\n", "??"},
		{"\x80\xbf\xf8\xff\xf9\xbf\xbf\xbf", "", "????????"},
	};

	for (size_t i = 0; i < array_len(c); i++) {
		char text[64];

		strcpy(text, c[i].text);
		assert_ptr_equal(printable(text, c[i].keep), text);
		assert_string_equal(text, c[i].want);
	}
}

static void json_texts(void **state)
{
	static const struct {
		const char *text, *want;
	} c[] = {
		{"", ""},
		{"{\"a\":\"\\u001b[2J \xc3\xa4 \xf0\x9f\x93\xba\"}\n",
			"{\"a\":\"\\u001b[2J \xc3\xa4 \xf0\x9f\x93\xba\"}\n"},
		{"\"\xc2\x9b"
		 "2J\x7f\"",
			"\"\\u009b2J\\u007f\""},
		{"\"\xe2\x80\xae x \xe2\x81\xa6\xe2\x80\xa8\xd8\x9c\"",
			"\"\\u202e x \\u2066\\u2028\\u061c\""},
		{"[1,\r\t2]", "[1, \t2]"},
	};

	for (size_t i = 0; i < array_len(c); i++) {
		char *printed = NULL;
		size_t n;
		FILE *out = open_memstream(&printed, &n);

		printable_json(c[i].text, strlen(c[i].text), out);
		fclose(out);
		assert_string_equal(printed, c[i].want);
		free(printed);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts), cmocka_unit_test(json_texts)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
