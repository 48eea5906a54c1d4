/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Members of a reply as values, and as cells of a table. A member that is missing or of
 * another type is "", 0, false or "-".
 */

#include "tools/ctl/text_table.h"

#include <jansson.h>

#define CELL_LIST_LEN	 5120 /* the names of 256 interfaces */
#define CELL_MAX_SOURCES 4    /* sources in a cell; --json has all */

/* Larger numbers are replaced by this, so that sums of a few cannot overflow. */
#define CELL_NUM_MAX (1LL << 60)

const char *cell_str(const json_t *o, const char *key);
long long cell_num(const json_t *o, const char *key);
bool cell_yes(const json_t *o, const char *key);

void cell_text(struct text_table *t, const json_t *o, const char *key);
void cell_number(struct text_table *t, const json_t *o, const char *key);
/* Milliseconds in the two largest units: 4.2s, 3m05s, 2h00m, 9d23h. null is "-". */
void cell_duration(struct text_table *t, const json_t *o, const char *key);
/* A number, multiplied by `factor`, with at most four digits and a unit: 950, 1.23k,
 * 41.2M. */
void cell_scaled(struct text_table *t, const json_t *o, const char *key, double factor);
/* At most `max` elements, which are texts, or objects with "address". A blocked source
 * is marked. */
void cell_list(struct text_table *t, const json_t *array, size_t max);
/* At least one element, and as many as fit into `width`, or up to `max` in a wide view.
 * Adds how many more there are. */
void cell_list_short(
	struct text_table *t, const json_t *array, size_t max, size_t width);

#define CELL_DURATION_LEN 24
const char *cell_format_duration(long long ms, char buf[CELL_DURATION_LEN]);
#define CELL_SCALED_LEN 16
const char *cell_format_scaled(double v, char buf[CELL_SCALED_LEN]);

/* Appends `text` to the list, after `separator` unless the list is empty. */
void cell_append(char list[CELL_LIST_LEN], const char *separator, const char *text);
