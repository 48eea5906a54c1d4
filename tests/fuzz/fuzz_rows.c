/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Replies that are split into rows, in pieces of any size, compared with jansson, which
 * reads them whole: the same lines are JSON, the rows are equal, and the copied text
 * equals the input, or jansson's own output with line breaks.
 */

#include "fuzz.h"
#include "tools/ctl/ctl_rows.h"
#include "tools/ctl/printable.h"

#include <stdlib.h>
#include <string.h>

static void collect(void *ctx, const json_t *head, json_t *row)
{
	const json_t *cut = json_object_get(head, "rows");

	fuzz_assert(json_is_array(cut) && json_array_size(cut) == 0);
	json_array_append(ctx, row);
}

/* Removes the rows from the reply. Escapes in names are not decoded, and of two members
 * with the same name the last one counts. */
static void check_rows(const char *line, size_t len, json_t *reply, const json_t *rows)
{
	json_t *whole = json_loadb(line, len, JSON_REJECT_DUPLICATES, NULL);
	const json_t *left = json_object_get(reply, "rows");

	if (whole && json_is_array(left) && json_array_size(left) == 0)
		fuzz_assert(json_equal(json_object_get(whole, "rows"), rows));
	else if (whole)
		fuzz_assert(json_equal(whole, reply));
	json_decref(whole);
}

/* With line breaks, the output in pieces equals that of jansson. */
static void check_pretty(const json_t *whole, size_t piece)
{
	char *compact = json_dumps(whole, JSON_COMPACT);
	char *lines = json_dumps(whole, JSON_INDENT(2)), *printed = NULL,
	     *wanted = NULL;
	size_t len = strlen(compact), n_printed = 0, n_wanted = 0;
	FILE *out = open_memstream(&printed, &n_printed);
	FILE *want = open_memstream(&wanted, &n_wanted);
	struct ctl_rows r = {.key = "rows", .depth = 1, .json = out, .pretty = true};
	json_t *reply = NULL;
	int e = 0;

	fuzz_assert(out && want && lines);
	compact[len++] = '\n';
	for (size_t at = 0; e == 0 && at < len; at += piece)
		e = ctl_rows_feed(
			&r, compact + at, len - at < piece ? len - at : piece, &reply);
	printable_json(lines, strlen(lines), want);
	fclose(out);
	fclose(want);
	fuzz_assert(e == 1 && n_printed == n_wanted + 1);
	fuzz_assert(memcmp(printed, wanted, n_wanted) == 0);
	fuzz_assert(printed[n_wanted] == '\n');
	ctl_rows_deinit(&r);
	json_decref(reply);
	free(compact);
	free(lines);
	free(printed);
	free(wanted);
}

/* The copied text is the line, with escapes in place of characters that a terminal
 * obeys. */
static void check_printed(
	const char *printed, size_t n_printed, const char *line, size_t len)
{
	char *wanted = NULL;
	size_t n_wanted = 0;
	FILE *want = open_memstream(&wanted, &n_wanted);

	fuzz_assert(want);
	printable_json(line, len, want);
	fclose(want);
	fuzz_assert(n_printed == n_wanted + 1);
	fuzz_assert(memcmp(printed, wanted, n_wanted) == 0);
	fuzz_assert(printed[n_wanted] == '\n');
	free(wanted);
}

static void check(const char *line, size_t len, size_t piece)
{
	char *printed = NULL;
	size_t n_printed = 0, at = 0;
	FILE *out = open_memstream(&printed, &n_printed);
	json_t *rows = json_array(), *reply = NULL,
	       *whole = json_loadb(line, len, 0, NULL);
	struct ctl_rows r = {
		.key = "rows", .depth = 1, .row = collect, .ctx = rows, .json = out};
	int e = 0;

	fuzz_assert(out && rows);
	while (e == 0 && at < len) {
		size_t n = len - at < piece ? len - at : piece;

		e = ctl_rows_feed(&r, line + at, n, &reply);
		at += n;
	}
	fuzz_assert(e != 1);
	if (e == 0)
		e = ctl_rows_feed(&r, "\n", 1, &reply);
	fclose(out);
	/* jansson allows deeper nesting, and a NUL after a number */
	if (e == 1)
		fuzz_assert(whole);
	else
		fuzz_assert(!whole || memchr(line, '\0', len) ||
			strstr(r.error.text, "too deep"));
	if (e == 1) {
		check_printed(printed, n_printed, line, len);
		check_rows(line, len, reply, rows);
		check_pretty(whole, piece);
	}
	ctl_rows_deinit(&r);
	json_decref(reply);
	json_decref(rows);
	json_decref(whole);
	free(printed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rd in = rd_init(data, size);
	size_t piece = 1u + rd_u8(&in), len;
	uint8_t *line = fuzz_rest(&in, &len);

	for (size_t i = 0; i < len; i++)
		if (line[i] == '\n')
			line[i] = ' ';
	check((const char *)line, len, piece);
	free(line);
	return 0;
}
