/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Declarations that the readers of the formats share, see channels.h. host_names.c takes
 * the helpers for words from here. */

#include "base/cleanup.h"
#include "control/config/channels.h"

/* A part of the file, without a NUL at its end. */
struct channels_text {
	const char *s;
	size_t n;
};

struct channels_reader {
	struct channels *c;
	struct channels_text rest; /* the part that was not read yet */
	unsigned line;		   /* number of the line that was read last */
	bool no_memory;
	bool refused;
};

/* What an entry names. */
struct channels_target {
	struct addr group, source; /* as in struct channel */
};

/* Reads the next line without its end. Returns false at the end of the file. */
bool channels_line(struct channels_reader *r, struct channels_text *ret);
struct channels_text channels_trim(struct channels_text t);
/* Compare without regard to upper and lower case. */
bool channels_is(struct channels_text t, const char *word);
bool channels_begins(struct channels_text t, const char *word);

/* Adds a message about the line, and cuts a long text. */
void channels_say(struct channels_reader *r, unsigned line, const char *format, ...)
	_printf_(3, 4);

/* Reads [SCHEME://][SOURCE@]GROUP[:PORT], or the address of a udpxy proxy. Returns
 * false if that names no group. */
bool channels_target(struct channels_text t, struct channels_target *ret);
bool channels_addr(struct channels_text t, struct addr *ret);
/* Cleans a name; the result is empty if nothing is left. */
void channels_clean(struct channels_text t, char name[CHANNELS_NAME_MAX]);
/* Adds an entry. An entry with an empty name is skipped. */
void channels_add(struct channels_reader *r, unsigned line,
	const struct channels_target *target, const char *name);
void channels_skip(struct channels_reader *r);

void channels_read_m3u(struct channels_reader *r);
void channels_read_csv(struct channels_reader *r);
void channels_read_sdp(struct channels_reader *r);
void channels_read_xspf(struct channels_reader *r);
