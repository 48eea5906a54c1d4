/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Breaks JSON text into lines while it arrives, as json_dumps() of jansson does with
 * JSON_INDENT(2): two blanks for each level, a blank after a colon, and empty arrays
 * and objects in one piece. Needs no memory for the text.
 */

#include <stdbool.h>
#include <stdio.h>

/* All zero at the beginning. */
struct json_lines {
	unsigned depth;
	bool is_first; /* an array or object has just begun */
};

/* Writes JSON text, or the next part of it. A part must begin and end between two
 * tokens, and a parser must have accepted it. Characters that a terminal would obey are
 * written as printable_json() does. Blanks between tokens are dropped, but a line end
 * is kept. */
void json_lines_put(struct json_lines *j, const char *text, size_t n, FILE *out);
