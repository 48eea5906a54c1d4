/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Reading a file of channels: lines, messages and entries. Each format has a function
 * that reads the rest of a file. */

#include "base/cleanup.h"
#include "control/config/channels_text.h"

struct channels_reader {
	struct channels *c;
	struct channels_text rest; /* the part that was not read yet */
	unsigned line;		   /* number of the line that was read last */
	bool no_memory;
	bool refused;
};

/* Reads the next line without its end. Returns false at the end of the file. */
bool channels_line(struct channels_reader *r, struct channels_text *ret);

/* Adds a message about the line, and cuts a long text. */
void channels_say(struct channels_reader *r, unsigned line, const char *format, ...)
	_printf_(3, 4);

/* Adds an entry. An entry with an empty name is skipped. */
void channels_add(struct channels_reader *r, unsigned line,
	const struct channels_target *target, const char *name);

void channels_read_m3u(struct channels_reader *r);
void channels_read_csv(struct channels_reader *r);
void channels_read_sdp(struct channels_reader *r);
void channels_read_xspf(struct channels_reader *r);
