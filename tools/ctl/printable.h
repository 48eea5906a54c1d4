/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Makes untrusted text safe for a terminal: characters that it would obey are
 * replaced. */

#include <stdio.h>

/* Writes '?' for each byte of control characters (C0, DEL, C1), of marks that change
 * the direction of writing, and of what is not UTF-8. Characters in `keep` stay. Works
 * in place and returns `text`. */
char *printable(char *text, const char *keep);

/* Prints JSON text that a parser has accepted, or a part of it that begins and ends
 * between two tokens. The same characters become \uXXXX, so the meaning does not
 * change. CR, which may be between tokens, becomes a blank. */
void printable_json(const char *text, size_t n, FILE *out);
