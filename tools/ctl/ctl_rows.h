/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * A reply of the daemon taken apart while it arrives: the elements of its large arrays
 * one by one, and in the end the reply without them. It needs memory for the largest
 * element and for what is in no such array. No input or output but `json`.
 */

#include "tools/ctl/json_lines.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#define CTL_ROWS_DEPTH 64 /* of arrays and objects in each other */
/* bytes of an element, and of what is in no such array; a group with all the sources
 * and hosts that it may have takes a tenth of it */
#define CTL_ROWS_TEXT_MAX ((size_t)16 << 20)

struct ctl_rows {
	/* Set by the caller. The arrays are those members of this name that are within
	 * so many arrays and objects: 1 is a member of the reply itself. */
	const char *key;
	unsigned depth;
	/* An element, borrowed. `head` is the text before its array, with this array as
	 * an empty one and everything closed. NULL: only the syntax matters. */
	void (*row)(void *ctx, const json_t *head, json_t *row);
	void *ctx;
	FILE *json;  /* gets the text of the reply piece by piece, with escapes for
		      * characters that a terminal would obey; may be NULL */
	bool pretty; /* over several lines */

	/* Zero to begin with. */
	size_t n_rows, n_rows_here; /* of all arrays, and of the last one */
	json_error_t error;	    /* why it is no JSON */
	json_t *head;
	char *text; /* the reply without rows that are done, and the one that is not */
	size_t n, cap, row_at, printed;
	char open[CTL_ROWS_DEPTH]; /* what would close them */
	unsigned n_open, n_cut;	   /* n_cut: of the array with rows; 0 means in none */
	bool in_string, escaped;
	struct json_lines lines;
};

/* Takes the next bytes. Returns 1 if the line is complete, with its rest in *ret_reply,
 * which may be no object; 0 if more must come; -EBADMSG if it is no JSON, see `error`;
 * -ENOMEM; or -EMSGSIZE beyond CTL_ROWS_TEXT_MAX. */
int ctl_rows_feed(struct ctl_rows *r, const char *bytes, size_t n, json_t **ret_reply);
void ctl_rows_deinit(struct ctl_rows *r);
