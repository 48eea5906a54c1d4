/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Names of channels for people. Makes a table of groups and sources from the file of
 * `channel-names`, which is M3U, SDP (RFC 8866), XSPF or CSV; its contents tell which.
 * Pure: the caller reads the file and logs the messages. The file may come from a
 * stranger (a provider's playlist), so names are cleaned: they are UTF-8 without
 * control characters, and shorter than CHANNELS_NAME_MAX. doc/channel-names.md
 * describes the formats.
 */

#include "base/addr.h"

/* bytes of a name and its NUL */
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
	struct addr source; /* unspecified (of the group's family) for every source */
	unsigned line;
	uint32_t name; /* where the name begins in channels.names */
};

struct channels_message {
	unsigned line;	/* 0 if it is about the file as a whole */
	char text[384]; /* what is wrong, and what to do */
};

struct channels {
	enum channels_format format;
	struct channel *v; /* sorted by group and source, each pair once */
	size_t n, cap;
	char *names; /* owned; each name with its NUL */
	size_t n_names, cap_names;
	struct channels_message message[CHANNELS_MAX_MESSAGES];
	size_t n_messages;
	size_t n_more;	  /* messages for which there was no room */
	size_t n_skipped; /* entries without a group or without a name */
};

/* Returns 0 with a table; 1 if the file is refused, with a table that has no names but
 * a message that says why; or -ENOMEM. After 0 and 1 the caller frees *ret_channels. */
int channels_parse(const char *text, size_t len, struct channels **ret_channels);
struct channels *channels_free(struct channels *c);

/* Returns the name of a group with that source, else of the group with any source. If
 * `source` is NULL or unspecified, returns the name of the group as a whole, else that
 * of its first source. Returns NULL if there is no name. `c` may be NULL. The name
 * belongs to the table. */
const char *channels_name(
	const struct channels *c, const struct addr *group, const struct addr *source);
/* Returns the first channel of that name, else the first one whose name contains the
 * text. Case counts only beyond ASCII. `other` gets another name that contains the
 * text, or NULL if there is none, or if the name is the text. Returns NULL if there is
 * no such channel. `c` may be NULL. The names belong to the table. */
const struct channel *channels_find(
	const struct channels *c, const char *text, const char **ret_other);
