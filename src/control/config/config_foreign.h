/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Recognises text that is not a configuration of ours: files of other programs, other
 * encodings, and characters that look like a blank or a quote. Internal to config*.c
 * and the converter. All texts are static. */

#include <stddef.h>

/* Returns what to do with a file that has a statement beginning with this word, or NULL
 * if no known program writes such a statement. */
const char *config_foreign_advice(const char *word);

/* Is the file in an encoding that cannot be read? Returns a sentence that says which
 * one and what to do, with the offset of the byte that shows it, or NULL. */
const char *config_foreign_encoding(const char *text, size_t len, size_t *ret_at);

/* Finds the first character of the word that an editor or a web page has put in the
 * place of an ordinary one. Returns its offset in bytes, with its name and what to do
 * about it, or the length of the word if there is none. */
size_t config_foreign_character(const char *word, const char **ret_what);
