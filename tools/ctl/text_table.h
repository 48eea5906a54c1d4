/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Tables in plain text whose columns are as wide as their widest cell. One that is
 * longer than memory should hold is printed in parts, whose columns are as wide as
 * those of the part before or wider. Running out of memory ends the program: this is
 * for command line tools. */

#include "base/cleanup.h"

#include <stdbool.h>
#include <stdio.h>

struct text_column {
	const char *title;
	bool right; /* numbers */
};

struct text_table {
	const struct text_column *column; /* borrowed */
	size_t n_columns;
	char **cell; /* owned, row by row */
	size_t n, cap;
	int *width; /* of what has been printed; NULL: nothing yet */
};

#define TEXT_TABLE(columns)                                                            \
	{                                                                              \
		.column = (columns), .n_columns = array_len(columns)                   \
	}

/* The next cell; control characters become '?', an empty text "-". */
void text_table_add(struct text_table *t, const char *format, ...) _printf_(2, 3);
#define TEXT_TABLE_PART 500 /* rows */

/* Title line and rows, or what has come since the last part. Nothing follows the last
 * cell of a line. */
void text_table_print(struct text_table *t, FILE *out);
/* A row is complete: print a part if there are enough for one. */
void text_table_flow(struct text_table *t, FILE *out);
void text_table_deinit(struct text_table *t);
