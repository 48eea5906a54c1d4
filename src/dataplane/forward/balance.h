/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The conservation rule of the data plane, checked while it runs:
 *
 *   ring packets = ring drops + forwarded + dropped by reason + abandoned + waiting
 *   copies due + fragments = sent + refused by reason + under way
 *
 * Frames wait in the rings and copies are under way for some milliseconds. Frames and
 * copies that are still not accounted for after a second are missing. Pure.
 */

#include "base/mono.h"

/* Sums over all ports and threads, since the start. */
struct balance_sums {
	uint64_t ring_packets, ring_drops; /* packets include drops */
	uint64_t abandoned;		   /* frames in rings that were closed */
	uint64_t forwarded, dropped;	   /* frames */
	uint64_t due;			   /* copies: each datagram, for each port */
	uint64_t fragments;		   /* packets that fragmentation has added */
	uint64_t sent, refused;		   /* packets */
	bool closing; /* some rings are being closed, and not yet counted */
};

/* The sums of begun work at two earlier times. All zero at the beginning. */
struct balance_mark {
	mono_t at;
	uint64_t frames, copies;
};

struct balance {
	struct balance_mark mark[2]; /* the older one is at least a second old */
};

struct balance_result {
	bool ok;
	int64_t waiting, under_way; /* negative if counted more than once */
	/* begun a second ago and not accounted for; 0 unless something is wrong */
	uint64_t frames_missing, copies_missing;
};

/* Returns false if more frames or copies were handled than were begun. */
bool balance_plausible(const struct balance_sums *sums);

struct balance_result balance_check(
	struct balance *b, mono_t now, const struct balance_sums *sums);

#define BALANCE_TEXT_LEN 256
/* Writes "ok", "ok (3 frames wait, 2 copies are under way)", or what is missing.
 * Returns buf. */
const char *balance_format(const struct balance_sums *sums,
	const struct balance_result *r, char buf[BALANCE_TEXT_LEN]);
