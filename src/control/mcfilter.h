/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The kernel's filter for membership messages of one interface and family: IGMP, or
 * ICMPv6 of MLD, not sent by this host, and not from hosts that are silenced for a
 * while. Makes programs and attaches nothing. Pure.
 */

#include "base/addr.h"
#include "base/mono.h"

#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>

#define MCFILTER_HOSTS 16  /* silenced at once; one more takes the oldest's place */
#define MCFILTER_MAX   192 /* instructions of a program */

/* Who sends: link-layer address where there are any, else the IP address. */
struct mcfilter_host {
	uint8_t octet[16];
	uint8_t len; /* 6: link layer; 4, 16: IP */
};

struct mcfilter {
	enum family family;
	unsigned n;
	struct {
		struct mcfilter_host who;
		mono_t until;
	} silenced[MCFILTER_HOSTS];
};

/* The host is not heard until then. */
void mcfilter_silence(
	struct mcfilter *f, const struct mcfilter_host *who, mono_t until);
/* True: some may be heard again, the program is another one. */
bool mcfilter_expire(struct mcfilter *f, mono_t now);
mono_t mcfilter_deadline(const struct mcfilter *f); /* of the next expiry */

/* Number of instructions. Offsets count from the IP header, as for SOCK_DGRAM. */
size_t mcfilter_program(
	const struct mcfilter *f, struct sock_filter code[MCFILTER_MAX]);
