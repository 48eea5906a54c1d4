/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The lines of the live view: the contents of a screen of some rows and columns.
 * ctl_watch.c and watch_curses.c draw them. Pure.
 */

#include "tools/ctl/watch/watch_model.h"
#include "tools/ctl/watch/watch_screen.h"

/* Fills `ret`, which is all zero or was filled before, with at most w->rows lines. The
 * last line is the footer. Sets w->n_visible. */
void watch_layout(struct watch *w, struct watch_screen *ret);
