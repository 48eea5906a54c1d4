/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Drawing the live view, see watch_curses.h. */

#include "tools/ctl/watch/watch_curses.h"

#include "build_config.h"

#if HAVE_NCURSES

#include "tools/ctl/term_style.h"
#include "tools/ctl/watch/watch_model.h"

#include <curses.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define COLOR_ALARM    1
#define ESCAPE_WAIT_MS 50 /* the rest of a sequence may take this long */

static SCREEN *terminal;
static bool colours;

bool watch_curses_start(void)
{
	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
		return false;
	/* unlike initscr() it returns when the terminal is unknown */
	terminal = newterm(NULL, stdout, stdin);
	if (!terminal)
		return false;
	atexit(watch_curses_stop);
	cbreak();
	noecho();
	keypad(stdscr, TRUE);
	nodelay(stdscr, TRUE);
	set_escdelay(ESCAPE_WAIT_MS);
	curs_set(0);
	colours = has_colors() && term_style_allowed(stdout);
	if (colours) {
		start_color();
		use_default_colors();
		init_pair(COLOR_ALARM, COLOR_RED, -1);
	}
	return true;
}

void watch_curses_stop(void)
{
	if (!terminal)
		return;
	endwin();
	delscreen(terminal);
	terminal = NULL;
}

void watch_curses_size(unsigned *ret_rows, unsigned *ret_cols)
{
	*ret_rows = (unsigned)LINES;
	*ret_cols = (unsigned)COLS;
}

static chtype attributes(enum watch_style style)
{
	switch (style) {
	case WATCH_PLAIN:
		break;
	case WATCH_TITLE:
		return A_BOLD;
	case WATCH_HEADER:
	case WATCH_FOOTER:
		return A_REVERSE;
	case WATCH_ALARM:
		return colours ? A_BOLD | COLOR_PAIR(COLOR_ALARM) : A_BOLD;
	}
	return A_NORMAL;
}

/* The footer is the last line, at the bottom. */
void watch_curses_draw(const struct watch_screen *s)
{
	erase();
	for (size_t i = 0; i < s->n; i++) {
		int row = s->line[i].style == WATCH_FOOTER ? LINES - 1 : (int)i;

		attrset(attributes(s->line[i].style));
		mvaddnstr(row, 0, s->line[i].text, COLS);
	}
	attrset(A_NORMAL);
	refresh();
}

/* Terminals disagree about the keys of xterm: PuTTY and the Linux console send ESC [ 1
 * ~ for Home, which terminfo perhaps does not know. Unknown sequences are swallowed, so
 * that their digits and letters are not taken for keys. */
static int behind_escape(void)
{
	static const struct {
		const char *sequence;
		int key;
	} known[] = {
		{"1~", WATCH_KEY_HOME},
		{"7~", WATCH_KEY_HOME},
		{"H", WATCH_KEY_HOME},
		{"4~", WATCH_KEY_END},
		{"8~", WATCH_KEY_END},
		{"F", WATCH_KEY_END},
		{"5~", WATCH_KEY_PAGE_UP},
		{"6~", WATCH_KEY_PAGE_DOWN},
		{"A", WATCH_KEY_UP},
		{"B", WATCH_KEY_DOWN},
	};
	char text[8] = "";
	size_t n = 0;
	int c;

	timeout(ESCAPE_WAIT_MS);
	c = getch();
	if (c == '[' || c == 'O')
		do {
			c = getch();
			if (c != ERR && n < sizeof(text) - 1)
				text[n++] = (char)c;
		} while (c != ERR && (c < 0x40 || c > 0x7e));
	nodelay(stdscr, TRUE);
	if (c == ERR && n == 0)
		return WATCH_KEY_ESCAPE;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strcmp(known[i].sequence, text) == 0)
			return known[i].key;
	return 0;
}

int watch_curses_key(void)
{
	static const struct {
		int theirs, ours;
	} keys[] = {
		{KEY_UP, WATCH_KEY_UP},
		{KEY_DOWN, WATCH_KEY_DOWN},
		{KEY_PPAGE, WATCH_KEY_PAGE_UP},
		{KEY_NPAGE, WATCH_KEY_PAGE_DOWN},
		{KEY_HOME, WATCH_KEY_HOME},
		{KEY_END, WATCH_KEY_END},
		{KEY_ENTER, WATCH_KEY_ENTER},
		{'\n', WATCH_KEY_ENTER},
		{'\r', WATCH_KEY_ENTER},
		{KEY_BACKSPACE, WATCH_KEY_BACKSPACE},
		{8, WATCH_KEY_BACKSPACE},
		{127, WATCH_KEY_BACKSPACE},
		{KEY_RESIZE, WATCH_CURSES_RESIZED},
	};
	int c = getch();

	if (c == ERR)
		return -1;
	if (c == 27)
		return behind_escape();
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (keys[i].theirs == c)
			return keys[i].ours;
	/* keys that we do not use must not look like ours */
	return c < 0x80 ? c : 0;
}

#else

bool watch_curses_start(void)
{
	return false;
}

void watch_curses_stop(void)
{
}

void watch_curses_size(unsigned *ret_rows, unsigned *ret_cols)
{
	*ret_rows = *ret_cols = 0;
}

void watch_curses_draw(const struct watch_screen *s)
{
}

int watch_curses_key(void)
{
	return -1;
}

#endif
