/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Takes a reply of the daemon apart while it arrives. It gives the elements of the
 * large arrays (rows) to the caller one by one, and at the end the reply without them.
 * It needs memory for the largest row and for the text outside of these arrays. It does
 * no I/O except for writing to `json`.
 */

#include "tools/ctl/json_lines.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#define CTL_ROWS_DEPTH 64 /* how deep arrays and objects may be nested */
/* The limit in bytes for a row, and for the text outside of these arrays. A group with
 * the most sources and hosts takes a tenth of it. */
#define CTL_ROWS_TEXT_MAX ((size_t)16 << 20)

struct ctl_rows {
	/* The caller sets the first members. The large arrays are the members with this
	 * name at this depth; members of the reply itself have depth 1. */
	const char *key;
	unsigned depth;
	/* Gets each row, borrowed. `head` is the reply before its array, completed with
	 * an empty array and closing brackets. If `row` is NULL, only the syntax is
	 * checked. */
	void (*row)(void *ctx, const json_t *head, json_t *row);
	void *ctx;
	/* Gets the text of the reply piece by piece, with escapes for characters that a
	 * terminal would obey. May be NULL. */
	FILE *json;
	bool pretty; /* write it over several lines */

	/* All zero at the beginning. */
	size_t n_rows, n_rows_here; /* of all arrays, and of the last one */
	json_error_t error;	    /* why the reply is not JSON */
	json_t *head;
	char *text; /* the reply without finished rows, then the unfinished row */
	size_t n, cap, row_at, printed;
	char open[CTL_ROWS_DEPTH]; /* the brackets that would close what is open */
	unsigned n_open;
	unsigned n_cut; /* n_open inside of an array with rows, or 0 outside */
	bool in_string, escaped;
	struct json_lines lines;
};

/* Takes the next bytes. Returns 0 if more must come, or 1 if the line is complete. Then
 * *ret_reply is a new reference to the reply without rows, which may be another value
 * than an object. On failure returns -EBADMSG if the reply is not JSON (see `error`),
 * -ENOMEM, or -EMSGSIZE beyond CTL_ROWS_TEXT_MAX. */
int ctl_rows_feed(struct ctl_rows *r, const char *bytes, size_t n, json_t **ret_reply);
void ctl_rows_deinit(struct ctl_rows *r);
