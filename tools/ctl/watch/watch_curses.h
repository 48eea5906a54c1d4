/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Screen and keys of the live view through ncurses. Without that library, or on a
 * terminal that is too simple, watch_curses_start() fails and nothing else may be
 * called. */

#include "tools/ctl/watch/watch_screen.h"

bool watch_curses_start(void);
void watch_curses_stop(void); /* gives the terminal back as it was */
void watch_curses_size(unsigned *ret_rows, unsigned *ret_cols);
void watch_curses_draw(const struct watch_screen *s);
#define WATCH_CURSES_RESIZED (-2)
/* Returns the next character or enum watch_key that was typed, WATCH_CURSES_RESIZED, or
 * -1 if there is none. */
int watch_curses_key(void);
