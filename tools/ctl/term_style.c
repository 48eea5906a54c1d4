/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Attributes of text, see term_style.h; for ctl_explain.c and watch_curses.c. */

#include "tools/ctl/term_style.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool term_style_allowed(FILE *out)
{
	const char *refused = getenv("NO_COLOR"), *term = getenv("TERM");

	return !(refused && *refused) && term && *term && strcmp(term, "dumb") != 0 &&
		isatty(fileno(out));
}
