/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Lines of a screen that is so many columns wide, and tables that fit into it. Pure. */

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

/* What is not printable ASCII becomes one '?' for each character, so that everything
 * has as many columns as bytes. */
void watch_screen_add(struct watch_screen *s, enum watch_style style, const char *text);
void watch_screen_cut(struct watch_screen *s, size_t n); /* keep the first n lines */
void watch_screen_deinit(struct watch_screen *s);

struct watch_column {
	const char *title;
	bool right;
	unsigned min; /* 0 means never narrower than its contents */
};

struct watch_grid {
	const struct watch_column *column;
	size_t n_columns, n;
	char **cell; /* owned, row by row */
};

void watch_grid_text(struct watch_grid *g, const char *text); /* the next cell */
void watch_grid_rate(struct watch_grid *g, double v);	      /* negative: "-" */
void watch_grid_count(struct watch_grid *g, const json_t *o, const char *key);
/* Header and the rows from `first` on, at most `max`. */
void watch_grid_print(
	const struct watch_grid *g, struct watch_screen *s, size_t first, size_t max);
void watch_grid_deinit(struct watch_grid *g);
