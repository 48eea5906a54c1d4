/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Finds the runs of a burst: datagrams of a flow that may leave as one super-frame,
 * because cutting it again gives exactly the datagrams that were joined. Once per
 * burst, for all ports. Pure.
 *
 * Joined are whole UDP datagrams without IP options or extension headers, with equal
 * ports, TTL, TOS, DF or flow label, of equal length (the last may be shorter), whose
 * checksum is there and good.
 *
 * COALESCE_ON also joins where a receiver can see one of these differences.
 *
 * Checksum: an IPv4 datagram without one (0, RFC 768) gets a correct one when the
 * super-frame is cut.
 *
 * Identifications of IPv4 rise by one from datagram to datagram when the kernel cuts.
 * Where DF is set they mean nothing (RFC 6864 4.1) and may differ. Where it is not set
 * they must differ among the datagrams of one source, group and protocol (RFC 791 3.2,
 * RFC 6864 4.2): see look_at_ids().
 *
 * Order: datagrams of other ports of the same flow may be between those of a run; they
 * leave before or after it. Datagrams of the same ports never change their order, and
 * nothing overtakes a packet without readable ports, such as a fragment.
 *
 * COALESCE_EXACT changes nothing at all.
 */

#include "base/joined.h"
#include "dataplane/forward/burst.h"

#include <sys/uio.h>

enum coalesce_mode {
	COALESCE_OFF = 1,
	COALESCE_EXACT, /* no byte and no order differs from what came */
	COALESCE_ON,
};

#define COALESCE_HEAD_MAX 48 /* IPv6 and UDP */

/* One datagram, or several that may be sent as one. */
struct run {
	uint16_t first, last; /* frames of the burst; coalesce.next leads from one to
				 the next */
	uint16_t n;	      /* of its frames */
	uint16_t gso_size;    /* payload of each datagram but the last; 0 means one
			    * datagram */
	uint16_t n_iov;
	uint32_t bytes;	   /* of all IP packets */
	struct iovec *iov; /* the packet, without link header */
	enum joined_end end;
};

struct coalesce {
	unsigned n_runs, n_iov;
	struct run run[BURST_MAX];
	uint16_t next[BURST_MAX]; /* frame of the same run, BURST_MAX: none */
	struct iovec iov[2 * BURST_MAX];
	uint8_t head[BURST_MAX][COALESCE_HEAD_MAX];
};

void coalesce_clear(struct coalesce *c);
/* The frames of a flow that are not dropped, as runs in the order of their first
 * frames; returns how many were appended. May verify transport checksums and note the
 * result in the frames; may change identifications in the packets, see above. */
unsigned coalesce_flow(struct coalesce *c, struct burst *b, const struct burst_flow *fl,
	enum coalesce_mode mode);
