/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The kernel's filter for membership messages of one interface and family. It accepts
 * IGMP, or ICMPv6 of MLD, and refuses what this host sends unless that is asked for. If
 * only queries are useful, it accepts nothing else from others, so that no flood of
 * reports fills the buffer or uses up the budget of queries. If a host sends more than
 * is cheap to refuse, the kernel admits a random part of its messages for a while. It
 * does not refuse all of them, because the addresses may be forged and the real owner
 * must still be heard. This module makes programs and does not attach them. Pure.
 */

#include "control/proto/admission.h"

#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>

#define MCFILTER_HOSTS 16  /* hosts sampled at once; one more replaces the oldest */
#define MCFILTER_MAX   297 /* instructions of a program */

/* A host is sampled for MCFILTER_MS. If it must be sampled again within
 * MCFILTER_SOON_MS, that lasts twice as long, up to MCFILTER_MAX_MS. */
#define MCFILTER_MS	 1000
#define MCFILTER_MAX_MS	 8000
#define MCFILTER_SOON_MS 10000

struct mcfilter {
	enum family family;
	/* The socket gets every protocol and what this host sends, and admits
	 * membership messages of this host. */
	bool own;
	bool queries; /* from others, accept only queries that are not fragments */
	unsigned n;
	struct mcfilter_host {
		struct admission_host who;
		uint32_t share; /* the part of 2^32 that is admitted */
		bool on;	/* it is sampled now; if false, it was sampled before */
		mono_t until;	/* end of the sampling, or when it is forgotten */
		int64_t ms;	/* duration of this sampling, or of the last one */
	} host[MCFILTER_HOSTS];
};

/* Admits every second message of this host, or half as many as before. */
void mcfilter_sample(struct mcfilter *f, mono_t now, const struct admission_host *who);
/* Returns true if some hosts are no longer sampled, so that the program has changed. */
bool mcfilter_expire(struct mcfilter *f, mono_t now);
/* Returns when to call mcfilter_expire() next, or MONO_NEVER. */
mono_t mcfilter_deadline(const struct mcfilter *f);

/* Writes the program and returns its number of instructions. Offsets count from the IP
 * header, as for SOCK_DGRAM. */
size_t mcfilter_program(
	const struct mcfilter *f, struct sock_filter code[MCFILTER_MAX]);
