/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Tables in plain text, sorted on request, with columns as wide as their widest cell. A
 * table that is too long to keep is printed unsorted, in parts, and its columns never
 * become narrower from part to part. This is for command line tools, so running out of
 * memory ends the program. */

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
	bool cut;	/* cut cells if that lets the line fit */
	bool filtered;	/* the request names what to show, so other rows may exist */
};

struct text_column {
	const char *title;
	bool right;	       /* cells are at the right, as for numbers */
	enum text_detail from; /* it is left out with less detail */
	unsigned min;	       /* cells may be cut to this width; 0 means never */
	bool optional;	       /* left out if no row of the first part has a value */
	bool wrap;	       /* the last column may continue in the next line */
};

struct text_table {
	const struct text_column *column; /* borrowed */
	size_t n_columns;
	/* The order of rows, by their cells. NULL means the order in which they
	 * come. */
	int (*compare)(const char *const *a, const char *const *b);
	const struct text_view *view; /* borrowed; NULL means all of it */
	char **cell;		      /* owned, row by row */
	size_t n, cap;
	int *width; /* of the columns that were printed; NULL before the first part */
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

/* Adds the next cell. Control characters become '?', and an empty text becomes "-". */
void text_table_add(struct text_table *t, const char *format, ...) _printf_(2, 3);
#define TEXT_TABLE_PART	  500  /* rows */
#define TEXT_TABLE_SORTED 5000 /* rows, at most */

/* Prints the title line and the rows, or the rows since the last part. No blanks follow
 * the last cell of a line. */
void text_table_print(struct text_table *t, FILE *out);
/* Call it when a row is complete. Prints a part if there are enough rows for one. */
void text_table_flow(struct text_table *t, FILE *out);
void text_table_deinit(struct text_table *t);

/* Prints a text in lines of up to `width` columns. Further lines begin with `indent`
 * blanks; the first one must already be at that column. With width 0 it prints one
 * line. Ends with a newline. */
void text_wrap(const char *text, int indent, int width, FILE *out);

/* Compares as strcmp(), but numbers in names and addresses by their value: lan2 is
 * before lan10, and 10.0.0.9 before 10.0.0.10. */
int text_compare(const char *a, const char *b);
/* Does the same with the first two of several texts. For text_table.compare. */
int text_compare_two(const char *const *a, const char *const *b);
