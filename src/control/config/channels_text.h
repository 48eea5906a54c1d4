/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Parts of a text that came from outside: words, names, addresses, and the targets of
 * playlists. Pure. */

#include "control/config/channels.h"

/* A part of the file, without a NUL at its end. */
struct channels_text {
	const char *s;
	size_t n;
};

/* Returns the part without space at both ends, or without its first `n` bytes. */
struct channels_text channels_trim(struct channels_text t);
struct channels_text channels_after(struct channels_text t, size_t n);
/* Compare without regard to upper and lower case. */
bool channels_is(struct channels_text t, const char *word);
bool channels_begins(struct channels_text t, const char *word);

/* Cleans a name; the result is empty if nothing is left. */
void channels_clean(struct channels_text t, char name[CHANNELS_NAME_MAX]);

bool channels_addr(struct channels_text t, struct addr *ret);
/* Reads ADDRESS, ADDRESS:PORT, [ADDRESS] or [ADDRESS]:PORT; the port is ignored. */
bool channels_host(struct channels_text t, struct addr *ret);

/* What an entry names. */
struct channels_target {
	struct addr group, source; /* as in struct channel */
};
/* Reads [SCHEME://][SOURCE@]GROUP[:PORT], or the address of a udpxy proxy. Returns
 * false if that names no group. */
bool channels_target(struct channels_text t, struct channels_target *ret);
