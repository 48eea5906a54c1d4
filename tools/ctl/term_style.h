/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Whether text may have attributes, such as bold, and how they are written. */

#include <stdbool.h>
#include <stdio.h>

#define TERM_BOLD   "\033[1m"
#define TERM_NORMAL "\033[0m"

/* Returns true if `out` is a terminal that knows attributes, and the user has not
 * refused them with NO_COLOR (https://no-color.org). */
bool term_style_allowed(FILE *out);
