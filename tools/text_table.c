/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Plain text tables, see text_table.h. */

#include "text_table.h"

#include "printable.h"

#include <stdarg.h>
#include <string.h>

static void *or_die(void *p)
{
	if (!p) {
		fputs("out of memory\n", stderr);
		exit(1);
	}
	return p;
}

void text_table_add(struct text_table *t, const char *format, ...)
{
	char *text;
	va_list ap;

	if (t->n == t->cap) {
		t->cap = t->cap ? 2 * t->cap : 64;
		t->cell = or_die(realloc(t->cell, t->cap * sizeof(char *)));
	}
	va_start(ap, format);
	if (vasprintf(&text, format, ap) < 0)
		text = or_die(NULL);
	va_end(ap);
	if (!*text) {
		free(text);
		text = or_die(strdup("-"));
	}
	t->cell[t->n++] = printable(text, "");
}

static int column_width(const struct text_table *t, size_t c)
{
	size_t width = strlen(t->column[c].title);

	for (size_t i = c; i < t->n; i += t->n_columns) {
		size_t n = strlen(t->cell[i]);

		if (n > width)
			width = n;
	}
	return (int)width;
}

static void print_cell(
	const struct text_table *t, size_t c, int width, const char *text, FILE *out)
{
	bool last = c + 1 == t->n_columns;

	if (t->column[c].right)
		fprintf(out, "%*s", width, text);
	else
		fprintf(out, "%-*s", last ? 0 : width, text);
	fputs(last ? "\n" : "  ", out);
}

void text_table_print(const struct text_table *t, FILE *out)
{
	int *width = or_die(calloc(t->n_columns, sizeof(int)));

	for (size_t c = 0; c < t->n_columns; c++) {
		width[c] = column_width(t, c);
		print_cell(t, c, width[c], t->column[c].title, out);
	}
	for (size_t i = 0; i < t->n; i++) {
		size_t c = i % t->n_columns;

		print_cell(t, c, width[c], t->cell[i], out);
	}
	free(width);
}

void text_table_deinit(struct text_table *t)
{
	for (size_t i = 0; i < t->n; i++)
		free(t->cell[i]);
	free(t->cell);
	t->cell = NULL;
	t->n = t->cap = 0;
}
