/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Tables in plain text, sorted on request, with columns as wide as their widest cell. A
 * table that is too long to keep is printed unsorted, in parts; columns never become
 * narrower from part to part. Running out of memory ends the program: this is for
 * command line tools. */

#include "base/cleanup.h"

#include <stdbool.h>
#include <stdio.h>

enum text_detail {
	TEXT_BRIEF, /* what identifies a row, and little more */
	TEXT_NORMAL,
	TEXT_WIDE,
};

/* Which parts of a table are printed, and how wide. */
struct text_view {
	enum text_detail detail;
	bool no_header;
	unsigned width; /* of a line, as far as that is possible; 0 means any */
	bool cut;	/* cells also, where that makes the line fit */
};

struct text_column {
	const char *title;
	bool right;	       /* numbers */
	enum text_detail from; /* with less detail it is left out */
	unsigned min;	       /* may be cut down to that; 0 means never cut */
	bool optional;	       /* left out if no row of the first part has a value */
	bool wrap;	       /* the last one continues in the next line, below
			        * itself */
};

struct text_table {
	const struct text_column *column; /* borrowed */
	size_t n_columns;
	/* The order of rows, by their cells; NULL means as they come. */
	int (*compare)(const char *const *a, const char *const *b);
	const struct text_view *view; /* borrowed; NULL means all of it */
	char **cell;		      /* owned, row by row */
	size_t n, cap;
	int *width; /* of what has been printed; NULL means nothing yet */
	int gap;
	unsigned left_out; /* a bit for each optional column without values */
};

#define TEXT_TABLE(columns)                                                            \
	{                                                                              \
		.column = (columns), .n_columns = array_len(columns)                   \
	}
#define TEXT_TABLE_SORT(columns, by)                                                   \
	{                                                                              \
		.column = (columns), .n_columns = array_len(columns), .compare = (by)  \
	}

/* The next cell; control characters become '?', an empty text "-". */
void text_table_add(struct text_table *t, const char *format, ...) _printf_(2, 3);
#define TEXT_TABLE_PART	  500  /* rows */
#define TEXT_TABLE_SORTED 5000 /* rows, at most */

/* Title line and rows, or what has come since the last part. Nothing follows the last
 * cell of a line. */
void text_table_print(struct text_table *t, FILE *out);
/* A row is complete: print a part if there are enough for one. */
void text_table_flow(struct text_table *t, FILE *out);
void text_table_deinit(struct text_table *t);

/* Words up to `width` columns, then a new line that begins after `indent` blanks; the
 * cursor is there already. With width 0 it prints one line. Ends with a newline. */
void text_wrap(const char *text, int indent, int width, FILE *out);

/* Numbers in names by value, addresses by theirs: lan2 before lan10, 10.0.0.9 before
 * 10.0.0.10. As strcmp(). */
int text_compare(const char *a, const char *b);
