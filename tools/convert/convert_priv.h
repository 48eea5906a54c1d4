/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What the dialects share: messages, output, checks. Internal to convert*.c. */

#include "tools/convert/convert.h"

#include "base/addr.h"
#include "base/cleanup.h"
#include "control/config/config_parse.h"
#include "control/config/config_text.h"

struct converter {
	const struct convert_source *source; /* the one that messages are about */
	const struct convert_device *device;
	size_t n_device;
	struct conversion *result;
	struct config_text out;
	bool stop; /* there are too many errors for more of them to be useful */
	bool no_memory;
};

/* A message about a line of the source. */
void convert_error(struct converter *c, unsigned line, const char *format, ...)
	_printf_(3, 4);
void convert_warn(struct converter *c, unsigned line, const char *format, ...)
	_printf_(3, 4);

/* A line of the output, followed by a comment unless `comment` is NULL. */
void convert_put(struct converter *c, const char *comment, const char *format, ...)
	_printf_(3, 4);
/* Lines of comment, wrapped. */
void convert_comment(struct converter *c, const char *indent, const char *format, ...)
	_printf_(3, 4);
/* A warning, and the same as a comment at this place of the output. */
void convert_note(struct converter *c, unsigned line, const char *indent,
	const char *format, ...) _printf_(4, 5);

/* Room for one more element in `*v`, which holds `n` and was grown only here. */
bool convert_grow(struct converter *c, void *v, size_t n, size_t size);

/* Returns whether it can be the name of an interface; if not, after an error about
 * `what`. */
bool convert_check_name(
	struct converter *c, unsigned line, const char *what, const char *name);
/* An IPv4 network, as igmpproxy's relatives take it. Returns false after an error. Host
 * bits are dropped with a warning. */
bool convert_prefix(struct converter *c, unsigned line, const char *what,
	const char *word, struct prefix *ret);
/* "altnet NETWORK", with a note when no sender has such an address. */
void convert_altnet(
	struct converter *c, unsigned line, const char *what, const char *word);
/* "whitelist GROUPS" or "blacklist GROUPS" */
void convert_filter(struct converter *c, unsigned line, const char *keyword,
	const char *what, const char *word);
/* a number from lo to hi; returns false after an error */
bool convert_number(struct converter *c, unsigned line, const char *what,
	const char *word, unsigned lo, unsigned hi, unsigned *ret);

/* The text without a byte order mark, copied, terminated; NULL after an error (a NUL
 * byte) or without memory. */
char *convert_copy_text(struct converter *c, const struct convert_source *source);

void convert_improxy(struct converter *c, const struct convert_source *source);
void convert_vyos(struct converter *c, const struct convert_source *source);
void convert_mcproxy(struct converter *c, const struct convert_source *source);
void convert_openwrt(
	struct converter *c, const struct convert_source *source, size_t n_source);

/* The words that igmpproxy's relatives have in common; NULL means none of them. */
const char *convert_role(const char *word);
