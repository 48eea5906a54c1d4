/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Drawing the live view, see watch_curses.h; called by ctl_watch.c. */

#include "watch_curses.h"

#include "build_config.h"

#if HAVE_NCURSES

#include "watch_model.h"

#include <curses.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define COLOR_ALARM 1

static SCREEN *terminal;

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
	set_escdelay(50);
	curs_set(0);
	if (has_colors()) {
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
		return has_colors() ? A_BOLD | COLOR_PAIR(COLOR_ALARM) : A_BOLD;
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
		{27, WATCH_KEY_ESCAPE},
		{KEY_BACKSPACE, WATCH_KEY_BACKSPACE},
		{8, WATCH_KEY_BACKSPACE},
		{127, WATCH_KEY_BACKSPACE},
		{KEY_RESIZE, WATCH_CURSES_RESIZED},
	};
	int c = getch();

	if (c == ERR)
		return -1;
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (keys[i].theirs == c)
			return keys[i].ours;
	/* other keys of a keyboard are not ours, and must not look like them */
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
