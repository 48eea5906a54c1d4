/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Text of strangers on its way to people: what a terminal would obey is replaced. */

/* '?' for each octet of control characters (C0, DEL, C1), of marks that change the
 * direction of writing, and of what is no UTF-8. What `keep` has stays. In place;
 * returns `text`. */
char *printable(char *text, const char *keep);
