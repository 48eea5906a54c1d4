/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Breaks JSON text into lines while it arrives: two blanks for each level, a blank
 * after a colon, empty arrays and objects in one piece, as json_dumps() of jansson does
 * with JSON_INDENT(2). Needs no memory for the text.
 */

#include <stdbool.h>
#include <stdio.h>

/* All zero at the beginning. */
struct json_lines {
	unsigned depth;
	bool is_first; /* an array or object has just begun */
};

/* JSON text, or the next part of it, which begins and ends between two tokens and which
 * a parser has accepted. Characters that a terminal would obey are written as
 * printable_json() does. Blanks between tokens are dropped, but a line end is passed
 * on. */
void json_lines_put(struct json_lines *j, const char *text, size_t n, FILE *out);
