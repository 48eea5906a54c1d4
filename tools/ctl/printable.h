/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Text of strangers on its way to people: what a terminal would obey is replaced. */

#include <stdio.h>

/* '?' for each byte of control characters (C0, DEL, C1), of marks that change the
 * direction of writing, and of what is no UTF-8. What `keep` has stays. In place;
 * returns `text`. */
char *printable(char *text, const char *keep);

/* JSON text, or a part that begins and ends between two of its tokens, which a parser
 * has accepted. The same characters are written as \uXXXX, so that it means what it
 * meant; CR, which may stand between tokens, as a blank. */
void printable_json(const char *text, size_t n, FILE *out);
