/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * A first look at an IP packet that should hold a membership message: where the message
 * is, and how much work it asks for. It costs the same for every packet, so that a
 * message can be refused without decoding it. Pure.
 */

#include "base/addr.h"

#include <stddef.h>
#include <stdint.h>

/* Work is counted in units: one for the message, one for each record, and one for every
 * eight addresses in its lists. The first eight of a query are part of the message's
 * unit. */
#define GM_WORK_ADDRESSES 8

struct gm_peek {
	struct addr from;
	const uint8_t *message; /* borrowed from the packet; after the IP headers */
	size_t len;
	uint32_t work; /* at least 1, and never less than decoding will find */
	bool query;
	uint32_t records; /* their number, but not more than fit into the length */
};

/* Returns false if the packet is too short for its IP header, or for a message. Checks
 * nothing else. */
bool gm_peek(enum family family, const void *packet, size_t len, struct gm_peek *ret);
