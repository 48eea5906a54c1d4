/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Which command of a list the words of a command line mean: "sh mfc" is "show mfc".
 * Pure.
 */

#include <stddef.h>

/* Results that are not a number in the list. */
enum {
	COMMAND_UNKNOWN = -1,	 /* no command has such a name, or several have */
	COMMAND_INCOMPLETE = -2, /* the words in `right` need another word */
};

struct command_match {
	int number;	 /* in the list, or one of the above */
	size_t used;	 /* how many words are a name, or the beginning of one */
	char right[128]; /* these words, spelt out */
	char why[256];	 /* what is wrong, as one line without newline */
};

/* Finds the command that the words before the first option name. A word of a name may
 * be shortened while it remains unique. It must not be shortened if the words before it
 * already are a command, because it can be an argument. The list may have 64 names, and
 * a name three words of less than 32 bytes. */
void command_find(const char *const *names, size_t n_names, char *const *words,
	size_t n_words, struct command_match *ret);
