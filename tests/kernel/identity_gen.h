/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Traffic for test_identity.py: many multicast flows that change from time to time, so
 * that everything a forwarder can or cannot join occurs, in runs and interleaved. The
 * same seed gives the same frames.
 */

#include "base/rng.h"

#include <stdbool.h>
#include <stddef.h>

#define GEN_FLOWS     128 /* half of them IPv6; two sources for each group */
#define GEN_L2	      14
#define GEN_VNET      10
#define GEN_FRAME_MAX (GEN_VNET + GEN_L2 + 65535)

struct gen;

/* Without `super_frames` there are none, for a kernel that does not take them. */
struct gen *gen_new(uint64_t seed, bool super_frames);
struct gen *gen_free(struct gen *g);

struct gen_frame {
	unsigned flow;
	unsigned n_packets; /* a super-frame if more than 1 */
	uint16_t gso_size;
	size_t len;
	uint8_t *bytes; /* vnet header, link header, packet; borrowed */
};

/* Writes the next frame to `room`, which has GEN_FRAME_MAX bytes. */
void gen_next(struct gen *g, uint8_t *room, struct gen_frame *ret);
/* Makes a plain datagram of that flow. */
void gen_last(struct gen *g, unsigned flow, uint8_t *room, struct gen_frame *ret);

/* Bytes after the IP header that a port sends for the frame, whole or in fragments. */
size_t gen_due(const struct gen_frame *f, unsigned mtu, unsigned threshold);
/* Flow of an IP packet, or GEN_FLOWS if it is not one of ours. */
unsigned gen_flow(const uint8_t *ip, size_t len);
