/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Messages, output and checks that all dialects use. Internal to convert*.c. */

#include "tools/convert/convert.h"

#include "base/addr.h"
#include "base/cleanup.h"
#include "control/config/config_parse.h"
#include "control/config/config_text.h"

struct converter {
	const struct convert_source *source; /* the file that messages are about */
	const struct convert_device *device;
	size_t n_device;
	struct conversion *result;
	struct config_text out;
	bool stop; /* there are too many errors for more of them to be useful */
	bool no_memory;
};

/* Add a message about a line of the source. */
void convert_error(struct converter *c, unsigned line, const char *format, ...)
	_printf_(3, 4);
void convert_warn(struct converter *c, unsigned line, const char *format, ...)
	_printf_(3, 4);

/* Writes a line of the output, followed by a comment unless `comment` is NULL. */
void convert_put(struct converter *c, const char *comment, const char *format, ...)
	_printf_(3, 4);
/* Writes a comment as wrapped lines. */
void convert_comment(struct converter *c, const char *indent, const char *format, ...)
	_printf_(3, 4);
/* Adds a warning, and writes it as a comment at this place of the output. */
void convert_note(struct converter *c, unsigned line, const char *indent,
	const char *format, ...) _printf_(4, 5);

/* Makes room for one more element in the array *v, which has `n` elements of `size`
 * bytes. Only this function may grow the array. Returns false when out of memory. */
bool convert_grow(struct converter *c, void *v, size_t n, size_t size);

/* Can it be the name of an interface? Returns false after an error about `what`. */
bool convert_check_name(
	struct converter *c, unsigned line, const char *what, const char *name);
/* Parses an IPv4 network, as igmpproxy's relatives take it. Returns false after an
 * error. Drops host bits with a warning. */
bool convert_prefix(struct converter *c, unsigned line, const char *what,
	const char *word, struct prefix *ret);
/* Writes "altnet NETWORK", with a note if no sender can have such an address. */
void convert_altnet(
	struct converter *c, unsigned line, const char *what, const char *word);
/* Writes "whitelist GROUPS" or "blacklist GROUPS". */
void convert_filter(struct converter *c, unsigned line, const char *keyword,
	const char *what, const char *word);
/* Parses a number from `lo` to `hi`. Returns false after an error. */
bool convert_number(struct converter *c, unsigned line, const char *what,
	const char *word, unsigned lo, unsigned hi, unsigned *ret);

/* Copies the text without its byte order mark, and terminates it. The caller frees it.
 * Returns NULL after an error (a NUL byte), or when out of memory. */
char *convert_copy_text(struct converter *c, const struct convert_source *source);

void convert_improxy(struct converter *c, const struct convert_source *source);
void convert_vyos(struct converter *c, const struct convert_source *source);
void convert_mcproxy(struct converter *c, const struct convert_source *source);
void convert_openwrt(
	struct converter *c, const struct convert_source *source, size_t n_source);

/* Returns the role for a word that igmpproxy's relatives have in common, or NULL. */
const char *convert_role(const char *word);
