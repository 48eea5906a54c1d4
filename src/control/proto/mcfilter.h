/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The kernel's filter for membership messages of one interface and family: IGMP, or
 * ICMPv6 of MLD, not sent by this host unless that is asked for; where only queries are
 * of use, nothing else of what others send, so that no flood of it fills the buffer or
 * uses up what queries may cost. From hosts that send
 * more than it is cheap to refuse, the kernel lets a part through for a while, chosen
 * by chance: their addresses may be forged, and the host that they belong to is still
 * heard. Makes programs and attaches nothing. Pure.
 */

#include "control/proto/flood.h"

#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>

#define MCFILTER_HOSTS 16  /* sampled at once; one more takes the oldest's place */
#define MCFILTER_MAX   297 /* instructions of a program */

/* A host is sampled for a second; each time that it has to be again soon, twice as
 * long.
 */
#define MCFILTER_MS	 1000
#define MCFILTER_MAX_MS	 8000
#define MCFILTER_SOON_MS 10000

struct mcfilter {
	enum family family;
	/* The socket gets every protocol and what this host sends, and lets membership
	 * messages of this host through as well. */
	bool own;
	bool queries; /* of others, only queries that came in one piece */
	unsigned n;
	struct mcfilter_host {
		struct flood_host who;
		uint32_t share; /* of 2^32: what is let through */
		bool on;	/* else it is known for how long it was the last time */
		mono_t until;	/* it is sampled, or known */
		int64_t ms;	/* for how long it is, or was */
	} host[MCFILTER_HOSTS];
};

/* Let every second message of this host through, or half as many as until now. */
void mcfilter_sample(struct mcfilter *f, mono_t now, const struct flood_host *who);
/* True: some are heard again as before, the program is another one. */
bool mcfilter_expire(struct mcfilter *f, mono_t now);
mono_t mcfilter_deadline(const struct mcfilter *f); /* when to call that next */

/* Number of instructions. Offsets count from the IP header, as for SOCK_DGRAM. */
size_t mcfilter_program(
	const struct mcfilter *f, struct sock_filter code[MCFILTER_MAX]);
