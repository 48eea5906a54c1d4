/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Parses "GROUP [SOURCE] [from INTERFACE] [on INTERFACE]". People may have only an
 * address, an address and a port, or the line of a playlist, so GROUP may be
 * udp://@239.1.2.3:5000, rtp://10.0.0.1@232.1.2.3:5000, igmp://239.1.2.3 or
 * udp://[ff0e::1]:5000. Pure.
 */

#include "base/addr.h"

#include <net/if.h>

struct explain_words {
	struct addr group, source;
	bool has_source;
	char from[IFNAMSIZ], on[IFNAMSIZ]; /* empty if not given */
};

/* Returns false if a word is wrong; `error` says which one and why. */
#define EXPLAIN_WORDS_ERROR 160
bool explain_words_read(
	const char *text, struct explain_words *ret, char error[EXPLAIN_WORDS_ERROR]);
