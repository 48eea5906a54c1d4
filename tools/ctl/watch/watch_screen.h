/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The lines of a screen with a given number of columns, and tables that fit into it.
 * Pure. */

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#define WATCH_COLS_MAX 1024
#define WATCH_GRID_MAX 13 /* columns of a table */

enum watch_style {
	WATCH_PLAIN,
	WATCH_TITLE,
	WATCH_HEADER, /* of a table */
	WATCH_ALARM,  /* something is wrong */
	WATCH_FOOTER,
};

struct watch_line {
	char *text; /* printable ASCII, at most `cols` bytes */
	enum watch_style style;
};

struct watch_screen {
	unsigned cols;
	struct watch_line *line;
	size_t n, cap;
};

/* Adds a line. Each character that is not printable ASCII becomes one '?', so that a
 * text has as many columns as bytes. */
void watch_screen_add(struct watch_screen *s, enum watch_style style, const char *text);
void watch_screen_cut(struct watch_screen *s, size_t n); /* keeps the first n lines */
void watch_screen_deinit(struct watch_screen *s);

struct watch_column {
	const char *title;
	bool right;
	unsigned min; /* its smallest width; 0 means that of its contents */
};

struct watch_grid {
	const struct watch_column *column;
	size_t n_columns, n;
	char **cell; /* owned, row by row */
};

/* Add the next cell. A negative rate becomes "-". */
void watch_grid_text(struct watch_grid *g, const char *text);
void watch_grid_rate(struct watch_grid *g, double v);
void watch_grid_count(struct watch_grid *g, const json_t *o, const char *key);
/* Adds the header and the rows from `first` on, at most `max`, to the screen. */
void watch_grid_print(
	const struct watch_grid *g, struct watch_screen *s, size_t first, size_t max);
void watch_grid_deinit(struct watch_grid *g);
