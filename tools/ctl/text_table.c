/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Plain text tables, see text_table.h. */

#include "tools/ctl/text_table.h"

#include "base/addr.h"
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

/* strverscmp(3) of musl 1.2 sorts digits after letters if only one of the two has
 * them. */
static int compare_names(const char *a, const char *b)
{
	static const char digits[] = "0123456789";
	size_t n, m;

	for (; *a || *b; a += n, b += m) {
		n = strspn(a, digits);
		m = strspn(b, digits);
		if (n && m) {
			int r = n == m ? memcmp(a, b, n) : n < m ? -1 : 1;

			if (r)
				return r;
		} else if (*a != *b) {
			return (unsigned char)*a - (unsigned char)*b;
		} else {
			n = m = 1;
		}
	}
	return 0;
}

int text_compare(const char *a, const char *b)
{
	struct addr x, y;

	if (addr_parse(a, &x) == 0 && addr_parse(b, &y) == 0)
		return addr_cmp(&x, &y);
	return compare_names(a, b);
}

int text_compare_two(const char *const *a, const char *const *b)
{
	int c = text_compare(a[0], b[0]);

	return c ? c : text_compare(a[1], b[1]);
}

static void widen(int *width, const char *text)
{
	size_t n = strlen(text);

	if (n > (size_t)*width)
		*width = (int)n;
}

static bool is_shown(const struct text_table *t, size_t c)
{
	return !(t->left_out & 1u << c) &&
		(!t->view || t->column[c].from <= t->view->detail);
}

void text_wrap(const char *text, int indent, int width, FILE *out)
{
	int column = indent;

	while (*text) {
		int n = (int)strcspn(text, " ");

		if (width && column > indent && column + 1 + n > width) {
			fprintf(out, "\n%*s", indent, "");
			column = indent;
		} else if (column > indent) {
			fputc(' ', out);
			column++;
		}
		fprintf(out, "%.*s", n, text);
		column += n;
		text += n + strspn(text + n, " ");
	}
	fputc('\n', out);
}

/* ---- width ---- */

#define WRAP_MIN 24 /* columns for text that is wrapped */

static bool wraps(const struct text_table *t, size_t c)
{
	return t->view && t->view->width && t->column[c].wrap;
}

static int line_width(const struct text_table *t)
{
	int sum = -t->gap;

	for (size_t c = 0; c < t->n_columns; c++) {
		int width = t->width[c];

		if (is_shown(t, c))
			sum += t->gap +
				(wraps(t, c) && width > WRAP_MIN ? WRAP_MIN : width);
	}
	return sum;
}

/* The widest column that may become narrower, or n_columns if there is none. */
static size_t widest(const struct text_table *t)
{
	size_t found = t->n_columns;

	for (size_t c = 0; c < t->n_columns; c++)
		if (is_shown(t, c) && t->column[c].min &&
			t->width[c] > (int)t->column[c].min &&
			(found == t->n_columns || t->width[c] > t->width[found]))
			found = c;
	return found;
}

/* First less space between columns, then less of the columns. */
static void fit(struct text_table *t)
{
	int width = t->view ? (int)t->view->width : 0;
	size_t c;

	if (width == 0 || line_width(t) <= width)
		return;
	t->gap = 1;
	while (t->view->cut && line_width(t) > width) {
		c = widest(t);
		if (c == t->n_columns)
			return;
		t->width[c]--;
	}
}

/* As many bytes of the text as there is room for, in whole characters. */
static int cut_at(const char *text, int width)
{
	while (width > 0 && ((unsigned char)text[width] & 0xc0) == 0x80)
		width--;
	return width;
}

/* ---- output ---- */

static void print_cell(
	const struct text_table *t, size_t c, const char *text, bool last, FILE *out)
{
	bool may_cut = t->view && t->view->cut && t->column[c].min;
	int width = t->width[c], n = (int)strlen(text);

	if (may_cut && n > width) {
		n = cut_at(text, width - 1);
		fprintf(out, "%.*s~%*s", n, text, last ? 0 : width - 1 - n, "");
	} else if (t->column[c].right) {
		fprintf(out, "%*s", width, text);
	} else {
		fprintf(out, "%-*s", last ? 0 : width, text);
	}
	if (!last)
		fprintf(out, "%*s", t->gap, "");
}

static size_t last_shown(const struct text_table *t)
{
	size_t last = 0;

	for (size_t c = 0; c < t->n_columns; c++)
		if (is_shown(t, c))
			last = c;
	return last;
}

/* `row` NULL means the titles. */
static void print_row(const struct text_table *t, char *const *row, FILE *out)
{
	size_t last = last_shown(t);
	int indent = 0;

	for (size_t c = 0; c < last; c++) {
		if (!is_shown(t, c))
			continue;
		print_cell(t, c, row ? row[c] : t->column[c].title, false, out);
		indent += t->width[c] + t->gap;
	}
	if (row && wraps(t, last)) {
		text_wrap(row[last], indent, (int)t->view->width, out);
		return;
	}
	print_cell(t, last, row ? row[last] : t->column[last].title, true, out);
	fputc('\n', out);
}

static int compare_rows(const void *a, const void *b, void *arg)
{
	const struct text_table *t = arg;

	return t->compare((const char *const *)a, (const char *const *)b);
}

static void forget(struct text_table *t)
{
	for (size_t i = 0; i < t->n; i++)
		free(t->cell[i]);
	t->n = 0;
}

/* The optional columns that have a value in none of the rows. */
static unsigned without_values(const struct text_table *t)
{
	unsigned r = 0;

	for (size_t c = 0; c < t->n_columns; c++)
		r |= (unsigned)t->column[c].optional << c;
	for (size_t i = 0; i < t->n; i++)
		if (strcmp(t->cell[i], "-") != 0)
			r &= ~(1u << i % t->n_columns);
	return r;
}

void text_table_print(struct text_table *t, FILE *out)
{
	bool first = !t->width, titles = !t->view || !t->view->no_header;
	size_t n = t->n_columns;

	if (first) {
		t->width = or_die(calloc(n, sizeof(int)));
		t->gap = 2;
		t->left_out = without_values(t);
		if (t->compare && t->n > 0)
			qsort_r(t->cell, t->n / n, n * sizeof(char *), compare_rows, t);
	}
	for (size_t c = 0; titles && c < n; c++)
		widen(&t->width[c], t->column[c].title);
	for (size_t i = 0; i < t->n; i++)
		widen(&t->width[i % n], t->cell[i]);
	fit(t);
	if (first && titles)
		print_row(t, NULL, out);
	for (size_t i = 0; i < t->n; i += n)
		print_row(t, t->cell + i, out);
	forget(t);
}

void text_table_flow(struct text_table *t, FILE *out)
{
	size_t part = t->compare && !t->width ? TEXT_TABLE_SORTED : TEXT_TABLE_PART;

	if (t->n < part * t->n_columns)
		return;
	t->compare = NULL; /* the rest may have rows that belong before these */
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
