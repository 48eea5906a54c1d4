/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Names of channels for people: a file of `channel-names` -> a table of groups and
 * sources. The file is M3U, SDP (RFC 8866), XSPF or CSV; its contents tell which. Pure:
 * the caller reads the file and logs the messages. The file may come from a stranger
 * (a provider's playlist), so names are cleaned: UTF-8 without control characters, at
 * most CHANNELS_NAME_MAX bytes. Formats in detail: doc/channel-names.md.
 */

#include "base/addr.h"

/* bytes of a name and its end */
#define CHANNELS_NAME_MAX 96
/* Names beyond these limits are left out, and a message says so. */
#define CHANNELS_MAX	      65536
#define CHANNELS_MAX_MESSAGES 20
#define CHANNELS_MAX_FILE     (8 << 20) /* bytes; checked by the caller */

enum channels_format {
	CHANNELS_M3U = 1,
	CHANNELS_SDP,
	CHANNELS_XSPF,
	CHANNELS_CSV,
};
const char *channels_format_name(enum channels_format f); /* static: "M3U", ... */

struct channel {
	struct addr group;
	struct addr source; /* unspecified, of the group's family: every source */
	unsigned line;
	uint32_t name; /* where it begins in the names */
};

struct channels_message {
	unsigned line;	/* 0 means about the file as a whole */
	char text[384]; /* what is wrong, and what to do */
};

struct channels {
	enum channels_format format;
	struct channel *v; /* sorted by group and source, each pair once */
	size_t n, cap;
	char *names; /* each with its NUL */
	size_t n_names, cap_names;
	struct channels_message message[CHANNELS_MAX_MESSAGES];
	size_t n_messages;
	size_t n_more;	  /* messages that found no room */
	size_t n_skipped; /* entries without a group or without a name */
};

/* Returns 0 with a table, 1 if the file is refused (*ret_channels has no names, and a
 * message that says why), or -ENOMEM. Free *ret_channels with channels_free() after 0
 * and 1. */
int channels_parse(const char *text, size_t len, struct channels **ret_channels);
struct channels *channels_free(struct channels *c); /* takes and returns NULL */

/* The name of a group with that source, or with any. A source that is NULL or
 * unspecified means the group as a whole: its own name, else that of its first source.
 * NULL if it has no name; takes NULL as the table. */
const char *channels_name(
	const struct channels *c, const struct addr *group, const struct addr *source);
