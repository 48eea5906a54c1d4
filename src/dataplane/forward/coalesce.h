/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Finds the runs of a burst: consecutive datagrams of a flow that may leave as one
 * super-frame, because cutting it again gives exactly the datagrams that were joined.
 * Once per burst, for all ports. Pure.
 *
 * Joined are whole UDP datagrams without IP options or extension headers, with equal
 * ports, TTL, TOS, DF or flow label, of equal length (the last may be shorter), whose
 * checksum is there and good. Identifications of IPv4 rise by one from datagram to
 * datagram, as they will again when the kernel cuts; where DF is set they mean nothing
 * (RFC 6864 4.1) and may differ, unless COALESCE_EXACT is asked for.
 */

#include "dataplane/forward/burst.h"

#include <sys/uio.h>

enum coalesce_mode {
	COALESCE_OFF = 1,
	COALESCE_EXACT, /* identifications of atomic datagrams, too, stay as they are */
	COALESCE_ON,
};

#define COALESCE_HEAD_MAX 48 /* IPv6 and UDP */

/* One datagram, or several that may be sent as one. */
struct run {
	uint16_t first;	   /* frame of the burst; the others follow by `next` */
	uint16_t n;	   /* frames that are not dropped */
	uint16_t gso_size; /* payload of each datagram but the last; 0: one datagram */
	uint16_t n_iov;
	uint32_t bytes;	   /* of all IP packets */
	struct iovec *iov; /* the packet, without link header */
};

struct coalesce {
	unsigned n_runs, n_iov;
	struct run run[BURST_MAX];
	struct iovec iov[2 * BURST_MAX];
	uint8_t head[BURST_MAX][COALESCE_HEAD_MAX];
};

void coalesce_clear(struct coalesce *c);
/* The frames of a flow that are not dropped, as runs in order of arrival; returns how
 * many were appended. May verify transport checksums and note the result in the
 * frames. */
unsigned coalesce_flow(struct coalesce *c, struct burst *b, const struct burst_flow *fl,
	enum coalesce_mode mode);
