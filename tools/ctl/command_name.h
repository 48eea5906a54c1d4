/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Which command of a list the words of a command line mean: "sh mfc" is "show mfc".
 * Pure.
 */

#include <stddef.h>

/* results other than a number in the list */
enum {
	COMMAND_UNKNOWN = -1,	 /* or ambiguous */
	COMMAND_INCOMPLETE = -2, /* what `right` has needs another word */
};

struct command_match {
	int number;	 /* in the list, or one of the above */
	size_t used;	 /* number of words that are the name, or the right part of
			  * one */
	char right[128]; /* these words, in full */
	char why[256];	 /* what is wrong, as one line without newline */
};

/* Which command do the words before the first option name? A word of a name may be
 * shortened while it remains unique. It may not be shortened if the words before it
 * already are a command, because it can be an argument. At most 64 names, of at most
 * three words of less than 32 bytes. */
void command_find(const char *const *names, size_t n_names, char *const *words,
	size_t n_words, struct command_match *ret);
