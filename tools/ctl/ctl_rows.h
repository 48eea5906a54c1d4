/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Takes a reply of the daemon apart while it arrives: first the elements of its large
 * arrays one by one, at the end the reply without them. It needs memory for the largest
 * element and for the text outside of these arrays. Does no I/O except for `json`.
 */

#include "tools/ctl/json_lines.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#define CTL_ROWS_DEPTH 64 /* of arrays and objects in each other */
/* limit in bytes for an element, and for the text outside of these arrays; a group with
 * the most sources and hosts takes a tenth of it */
#define CTL_ROWS_TEXT_MAX ((size_t)16 << 20)

struct ctl_rows {
	/* Set by the caller. The arrays are the members with this name at this depth;
	 * members of the reply itself have depth 1. */
	const char *key;
	unsigned depth;
	/* Gets each element, borrowed. `head` is the text before its array, completed
	 * with an empty array and closing brackets. NULL means only to check the
	 * syntax. */
	void (*row)(void *ctx, const json_t *head, json_t *row);
	void *ctx;
	FILE *json;  /* gets the text of the reply piece by piece, with escapes for
		      * characters that a terminal would obey; may be NULL */
	bool pretty; /* over several lines */

	/* All zero at the beginning. */
	size_t n_rows, n_rows_here; /* of all arrays, and of the last one */
	json_error_t error;	    /* why it is not JSON */
	json_t *head;
	char *text; /* the reply without finished rows, then the unfinished row */
	size_t n, cap, row_at, printed;
	char open[CTL_ROWS_DEPTH]; /* what would close them */
	unsigned n_open, n_cut;	   /* n_cut: of the array with rows; 0 means in none */
	bool in_string, escaped;
	struct json_lines lines;
};

/* Takes the next bytes. Returns 1 if the line is complete, with the reply without rows
 * in *ret_reply, which may be no object; 0 if more must come; -EBADMSG if it is no
 * JSON, see `error`; -ENOMEM; or -EMSGSIZE beyond CTL_ROWS_TEXT_MAX. */
int ctl_rows_feed(struct ctl_rows *r, const char *bytes, size_t n, json_t **ret_reply);
void ctl_rows_deinit(struct ctl_rows *r);
