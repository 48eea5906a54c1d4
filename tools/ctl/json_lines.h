/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * JSON text over several lines, made while it arrives: two blanks for each level, a
 * blank after a colon, empty arrays and objects in one piece, as json_dumps() of jansson
 * writes it with JSON_INDENT(2). It needs no memory for the text.
 */

#include <stdbool.h>
#include <stdio.h>

/* Zero to begin with. */
struct json_lines {
	unsigned depth;
	bool is_first; /* an array or object has just begun */
};

/* JSON text, or the next part of it, which begins and ends between two tokens and which
 * a parser has accepted. What a terminal would obey is written as by printable_json().
 * Blanks between tokens are dropped, but a line end is passed on. */
void json_lines_put(struct json_lines *j, const char *text, size_t n, FILE *out);
