/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The output of a capture. It is pcapng blocks for a file or pipe, or lines for people.
 * Counts packets, and prints messages about failures to stderr.
 */

#include "base/pcapng.h"

struct capture_out;

struct capture_out_params {
	/* of the file for the blocks, or "-" for standard output; if NULL, lines are
	 * written to standard output */
	const char *path;
	bool as_json;	/* lines are JSON */
	uint64_t count; /* number of wanted packets; 0 means no limit */
};

/* Returns NULL after a message. `params` is copied. */
struct capture_out *capture_out_open(const struct capture_out_params *params);
/* Takes the complete blocks at the start of buf. Returns their bytes, or -1 after a
 * message that they cannot be written or are not pcapng. */
long capture_out_blocks(struct capture_out *o, const void *buf, size_t len);
/* Has the wanted number of packets come? */
bool capture_out_is_full(const struct capture_out *o);
/* Prints the number of packets on stderr. `o` may be NULL. Returns false after a
 * message. */
bool capture_out_close(struct capture_out *o, bool summary);
