/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Replies row by row, see ctl_rows.h. A scanner that knows strings and nesting finds
 * the elements. jansson parses each of them, and in the end the rest.
 */

#include "tools/ctl/ctl_rows.h"

#include "base/array.h"
#include "base/cleanup.h"
#include "tools/ctl/printable.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void ctl_rows_deinit(struct ctl_rows *r)
{
	json_decref(r->head);
	free(r->text);
	r->head = NULL;
	r->text = NULL;
	r->n = r->cap = 0;
}

static int fail(struct ctl_rows *r, const char *why)
{
	snprintf(r->error.text, sizeof(r->error.text), "%s", why);
	return -EBADMSG;
}

static int append(struct ctl_rows *r, char c)
{
	if (r->n == CTL_ROWS_TEXT_MAX)
		return -EMSGSIZE;
	if (array_reserve(r->text, r->cap, r->n + 1, 4096) < 0)
		return -ENOMEM;
	r->text[r->n++] = c;
	return 0;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* The text ends in the name of a member and a colon. */
static bool is_member(const struct ctl_rows *r)
{
	size_t n = r->n, len = strlen(r->key) + 2;

	while (n > 0 && is_blank(r->text[n - 1]))
		n--;
	if (n == 0 || r->text[--n] != ':')
		return false;
	while (n > 0 && is_blank(r->text[n - 1]))
		n--;
	return n > len && r->text[n - 1] == '"' && r->text[n - len] == '"' &&
		r->text[n - len - 1] != '\\' &&
		memcmp(r->text + n - len + 1, r->key, len - 2) == 0;
}

/* Prints the text up to here that was not printed yet. It ends between two tokens. */
static void print(struct ctl_rows *r)
{
	if (r->json && r->pretty)
		json_lines_put(
			&r->lines, r->text + r->printed, r->n - r->printed, r->json);
	else if (r->json)
		printable_json(r->text + r->printed, r->n - r->printed, r->json);
	r->printed = r->n;
}

/* An array of rows has begun. */
static int begin(struct ctl_rows *r)
{
	_cleanup_(freep) char *text = malloc(r->n + CTL_ROWS_DEPTH);
	size_t n = r->n;

	if (!text)
		return -ENOMEM;
	memcpy(text, r->text, n);
	for (unsigned i = r->n_open; i-- > 0;)
		text[n++] = r->open[i];
	json_decref(r->head);
	r->head = json_loadb(text, n, 0, &r->error);
	r->n_cut = r->n_open;
	r->n_rows_here = 0;
	r->row_at = r->n;
	return r->head ? 0 : -EBADMSG;
}

/* A row ends where the next one or the end of the array begins. Its text, with the
 * comma before it, is taken out. */
static int end_row(struct ctl_rows *r, bool is_last)
{
	const char *text = r->text + r->row_at;
	size_t n = r->n - r->row_at;
	json_t *row;

	while (n > 0 && is_blank(*text)) {
		text++;
		n--;
	}
	if (n == 0 && is_last && r->n_rows_here == 0)
		return 0;
	if (n > 0 && *text == ',') {
		text++;
		n--;
	}
	row = json_loadb(text, n, JSON_DECODE_ANY, &r->error);
	if (!row)
		return -EBADMSG;
	if (r->row)
		r->row(r->ctx, r->head, row);
	json_decref(row);
	r->n_rows++;
	r->n_rows_here++;
	print(r);
	r->n = r->printed = r->row_at;
	return 0;
}

static int open_one(struct ctl_rows *r, char c)
{
	bool cut = c == '[' && !r->n_cut && r->n_open == r->depth && is_member(r);
	int e;

	if (r->n_open == CTL_ROWS_DEPTH)
		return fail(r, "nested too deep");
	r->open[r->n_open++] = c == '[' ? ']' : '}';
	e = append(r, c);
	return e == 0 && cut ? begin(r) : e;
}

static int close_one(struct ctl_rows *r, char c)
{
	int e = 0;

	if (r->n_open == 0 || r->open[r->n_open - 1] != c)
		return fail(r, "brackets do not match");
	if (r->n_cut && r->n_open == r->n_cut) {
		e = end_row(r, true);
		r->n_cut = 0;
	}
	r->n_open--;
	return e < 0 ? e : append(r, c);
}

static int take(struct ctl_rows *r, char c)
{
	int e = 0;

	if (c == '\0')
		return fail(r, "it has a NUL");
	if (r->in_string) {
		r->in_string = r->escaped || c != '"';
		r->escaped = !r->escaped && c == '\\';
		return append(r, c);
	}
	switch (c) {
	case '[':
	case '{':
		return open_one(r, c);
	case ']':
	case '}':
		return close_one(r, c);
	case ',':
		if (r->n_cut && r->n_open == r->n_cut)
			e = end_row(r, false);
		break;
	case '"':
		r->in_string = true;
		break;
	default:
		break;
	}
	return e < 0 ? e : append(r, c);
}

static int end(struct ctl_rows *r, json_t **ret_reply)
{
	json_t *reply = json_loadb(r->text ? r->text : "", r->n, 0, &r->error);
	int e;

	if (!reply)
		return -EBADMSG;
	e = append(r, '\n');
	if (e < 0) {
		json_decref(reply);
		return e;
	}
	print(r);
	*ret_reply = reply;
	return 1;
}

int ctl_rows_feed(struct ctl_rows *r, const char *bytes, size_t n, json_t **ret_reply)
{
	for (size_t i = 0; i < n; i++) {
		int e = bytes[i] == '\n' ? end(r, ret_reply) : take(r, bytes[i]);

		if (e != 0)
			return e;
	}
	return 0;
}
