/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Lines and tables of the live view, see watch_screen.h. Columns are as wide as their
 * contents while there is room; then the widest that may shrink is cut; a cut cell ends
 * in "~". Running out of memory ends the program.
 */

#include "tools/ctl/watch/watch_screen.h"

#include "tools/ctl/ctl_cell.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define GAP_MAX 3 /* spaces between columns, where there is room */

void watch_screen_deinit(struct watch_screen *s)
{
	watch_screen_cut(s, 0);
	free(s->line);
	*s = (struct watch_screen){0};
}

void watch_screen_cut(struct watch_screen *s, size_t n)
{
	while (s->n > n)
		free(s->line[--s->n].text);
}

static void die(void)
{
	fputs("out of memory\n", stderr);
	exit(1);
}

void watch_screen_add(struct watch_screen *s, enum watch_style style, const char *text)
{
	char line[WATCH_COLS_MAX + 1];
	size_t n = 0;

	for (; *text && n < s->cols && n < WATCH_COLS_MAX; text++) {
		unsigned char c = (unsigned char)*text;

		if ((c & 0xc0) == 0x80)
			continue; /* the rest of a character */
		line[n++] = c >= 0x20 && c < 0x7f ? (char)c : '?';
	}
	while (n > 0 && line[n - 1] == ' ' && style == WATCH_PLAIN)
		n--;
	line[n] = '\0';
	if (s->n == s->cap) {
		s->cap = s->cap ? 2 * s->cap : 64;
		s->line = realloc(s->line, s->cap * sizeof(*s->line));
		if (!s->line)
			die();
	}
	s->line[s->n].text = strdup(line);
	if (!s->line[s->n].text)
		die();
	s->line[s->n++].style = style;
}

/* ---- tables ---- */

void watch_grid_deinit(struct watch_grid *g)
{
	for (size_t i = 0; i < g->n; i++)
		free(g->cell[i]);
	free(g->cell);
}

void watch_grid_text(struct watch_grid *g, const char *text)
{
	if (g->n % 256 == 0) {
		g->cell = realloc(g->cell, (g->n + 256) * sizeof(char *));
		if (!g->cell)
			die();
	}
	g->cell[g->n] = strdup(*text ? text : "-");
	if (!g->cell[g->n++])
		die();
}

void watch_grid_rate(struct watch_grid *g, double per_second)
{
	char buf[CELL_SCALED_LEN];

	watch_grid_text(g, per_second < 0 ? "-" : cell_format_scaled(per_second, buf));
}

void watch_grid_count(struct watch_grid *g, const json_t *o, const char *key)
{
	const json_t *v = json_object_get(o, key);

	watch_grid_rate(g, json_is_number(v) ? json_number_value(v) : -1);
}

/* Narrows the widest column that may shrink until all fit or none may. Returns the
 * width of all with one space between them. */
static unsigned shrink(
	const struct watch_grid *g, unsigned width[WATCH_GRID_MAX], unsigned cols)
{
	for (;;) {
		unsigned sum = 0;
		size_t widest = g->n_columns;

		for (size_t c = 0; c < g->n_columns; c++) {
			sum += width[c] + (c > 0);
			if (g->column[c].min && width[c] > g->column[c].min &&
				(widest == g->n_columns || width[c] > width[widest]))
				widest = c;
		}
		if (sum <= cols || widest == g->n_columns)
			return sum;
		width[widest]--;
	}
}

/* A text that is too long is cut between two characters and ends with a "~". */
static void put(char *line, size_t *n, const char *text, unsigned width, bool right)
{
	size_t len = strlen(text);
	bool cut = len > width;

	if (*n + width + 2 > WATCH_COLS_MAX)
		return;
	if (cut)
		len = width;
	while (cut && len > 1 && ((unsigned char)text[len - 1] & 0xc0) == 0x80)
		len--;
	if (right && len < width) {
		memset(line + *n, ' ', width - len);
		*n += width - len;
	}
	memcpy(line + *n, text, len);
	if (cut && len > 0)
		line[*n + len - 1] = '~';
	*n += len;
	if (!right && len < width) {
		memset(line + *n, ' ', width - len);
		*n += width - len;
	}
}

static void add_row(struct watch_screen *s, const struct watch_grid *g,
	const unsigned width[WATCH_GRID_MAX], unsigned gap, size_t first)
{
	char line[WATCH_COLS_MAX + 1];
	bool header = first == SIZE_MAX;
	size_t n = 0;

	for (size_t c = 0; c < g->n_columns; c++) {
		for (unsigned i = 0; c > 0 && i < gap && n < WATCH_COLS_MAX; i++)
			line[n++] = ' ';
		put(line, &n, header ? g->column[c].title : g->cell[first + c],
			width[c], g->column[c].right);
	}
	/* the header's colour goes to the end of the line */
	while (header && n < s->cols && n < WATCH_COLS_MAX)
		line[n++] = ' ';
	line[n] = '\0';
	watch_screen_add(s, header ? WATCH_HEADER : WATCH_PLAIN, line);
}

void watch_grid_print(
	const struct watch_grid *g, struct watch_screen *s, size_t first, size_t max)
{
	unsigned width[WATCH_GRID_MAX] = {0}, sum, gap = 1;

	assert(g->n_columns > 0);
	for (size_t c = 0; c < g->n_columns; c++)
		width[c] = (unsigned)strlen(g->column[c].title);
	for (size_t i = 0; i < g->n; i++) {
		unsigned len = (unsigned)strlen(g->cell[i]);

		if (len > width[i % g->n_columns])
			width[i % g->n_columns] = len;
	}
	sum = shrink(g, width, s->cols);
	while (gap < GAP_MAX && sum + gap * (g->n_columns - 1) <= s->cols)
		gap++;
	add_row(s, g, width, gap, SIZE_MAX);
	for (size_t i = first; i < first + max && i * g->n_columns < g->n; i++)
		add_row(s, g, width, gap, i * g->n_columns);
}
