/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Plain text tables, see text_table.h. */

#include "tools/ctl/text_table.h"

#include "tools/ctl/printable.h"

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

static void widen(int *width, const char *text)
{
	size_t n = strlen(text);

	if (n > (size_t)*width)
		*width = (int)n;
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

static void forget(struct text_table *t)
{
	for (size_t i = 0; i < t->n; i++)
		free(t->cell[i]);
	t->n = 0;
}

void text_table_print(struct text_table *t, FILE *out)
{
	bool first = !t->width;

	if (first)
		t->width = or_die(calloc(t->n_columns, sizeof(int)));
	for (size_t c = 0; c < t->n_columns; c++)
		widen(&t->width[c], t->column[c].title);
	for (size_t i = 0; i < t->n; i++)
		widen(&t->width[i % t->n_columns], t->cell[i]);
	for (size_t c = 0; first && c < t->n_columns; c++)
		print_cell(t, c, t->width[c], t->column[c].title, out);
	for (size_t i = 0; i < t->n; i++) {
		size_t c = i % t->n_columns;

		print_cell(t, c, t->width[c], t->cell[i], out);
	}
	forget(t);
}

void text_table_flow(struct text_table *t, FILE *out)
{
	if (t->n >= TEXT_TABLE_PART * t->n_columns)
		text_table_print(t, out);
}

void text_table_deinit(struct text_table *t)
{
	forget(t);
	free(t->cell);
	free(t->width);
	t->cell = NULL;
	t->width = NULL;
	t->cap = 0;
}
