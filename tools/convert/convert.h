/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Makes a configuration of ringcast from those of other programs. A statement that has
 * no equivalent becomes a comment at its place and a warning. Pure: `ringcastctl
 * convert` reads the files and prints the messages.
 */

#include <stdbool.h>
#include <stddef.h>

enum convert_dialect {
	CONVERT_IMPROXY = 1, /* IMProxy's file */
	CONVERT_VYOS,	     /* set commands, the section with braces, or JSON */
	CONVERT_MCPROXY,     /* mcproxy's file */
	CONVERT_OPENWRT,     /* UCI files of igmpproxy or omcproxy, and `network` */
};

/* A file. It is borrowed until the conversion is freed. */
struct convert_source {
	const char *name; /* as messages show it */
	const char *text;
	size_t len;
};

/* The device of a logical network of OpenWrt. */
struct convert_device {
	const char *network, *device;
};

struct convert_message {
	bool is_error;
	const char *file; /* name of the source */
	unsigned line;	  /* 0 if it is about the file as a whole */
	char *text;	  /* what is wrong, and what to do */
	size_t order;	  /* for sorting */
};

struct conversion {
	char *text;			 /* NULL if the input was refused */
	struct convert_message *message; /* by line, those about a whole file last */
	size_t n_message, n_errors;
};

/* Converts a word such as "improxy". Returns 0 or -EINVAL. */
int convert_dialect_parse(const char *word, enum convert_dialect *ret_dialect);

/* Converts one source. Only OpenWrt takes several, and devices. Returns 0 with a text
 * and perhaps warnings, 1 if the input is refused (at least one message is an error),
 * or -ENOMEM. After 0 and 1 the caller frees *ret. */
int convert_run(enum convert_dialect dialect, const struct convert_source *source,
	size_t n_source, const struct convert_device *device, size_t n_device,
	struct conversion **ret);
struct conversion *conversion_free(struct conversion *r);
