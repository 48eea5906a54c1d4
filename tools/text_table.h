/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Tables in plain text whose columns are as wide as their widest cell. Running out of
 * memory ends the program: this is for command line tools. */

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
};

#define TEXT_TABLE(columns)                                                            \
	{                                                                              \
		.column = (columns), .n_columns = array_len(columns)                   \
	}

/* The next cell; control characters become '?', an empty text "-". */
void text_table_add(struct text_table *t, const char *format, ...) _printf_(2, 3);
/* Title line and rows. Nothing follows the last cell of a line. */
void text_table_print(const struct text_table *t, FILE *out);
void text_table_deinit(struct text_table *t);
