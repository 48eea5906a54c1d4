/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Finds the runs of a burst, once for all ports. A run is a sequence of datagrams of a
 * flow that may leave as one super-frame, because cutting the super-frame again gives
 * exactly the datagrams that were joined. Pure.
 *
 * Only whole UDP datagrams with a correct checksum and without IP options or extension
 * headers are joined. They must have equal ports, TTL, TOS, DF or flow label, and equal
 * length, but the last one may be shorter.
 *
 * COALESCE_EXACT changes nothing at all. COALESCE_ON, the default, also joins datagrams
 * where a receiver can see one of these differences:
 *
 * - An IPv4 datagram without a checksum (0, RFC 768) gets a correct one when the
 *   super-frame is cut.
 * - The identifications of IPv4 rise by one from datagram to datagram when the kernel
 *   cuts. Where DF is set they mean nothing (RFC 6864 4.1) and may differ. Where it is
 *   not set they must differ among the datagrams of one source, group and protocol (RFC
 *   791 3.2, RFC 6864 4.2): see look_at_ids().
 * - Datagrams of other ports of the same flow may be between those of a run; they leave
 *   before or after it. Datagrams of the same ports never change their order, and
 *   nothing overtakes a packet without readable ports, such as a fragment.
 */

#include "base/joined.h"
#include "dataplane/forward/burst.h"

#include <sys/uio.h>

enum coalesce_mode {
	COALESCE_OFF = 1,
	COALESCE_EXACT, /* every byte and the order stay as they came */
	COALESCE_ON,
};

#define COALESCE_HEAD_MAX 48 /* IPv6 and UDP */

/* One datagram, or several that may be sent as one. */
struct run {
	/* its first and last frame in the burst; coalesce.next leads from one to the
	 * next */
	uint16_t first, last;
	uint16_t n; /* number of its frames */
	/* bytes of payload in each datagram except the last; 0 for a single datagram */
	uint16_t gso_size;
	uint16_t n_iov;
	uint32_t bytes;	   /* of all its IP packets */
	struct iovec *iov; /* the packet, without link header */
	enum joined_end end;
};

struct coalesce {
	unsigned n_runs, n_iov;
	struct run run[BURST_MAX];
	uint16_t next[BURST_MAX]; /* next frame of the same run, or BURST_MAX */
	struct iovec iov[2 * BURST_MAX];
	uint8_t head[BURST_MAX][COALESCE_HEAD_MAX];
};

void coalesce_clear(struct coalesce *c);
/* Appends the frames of a flow that are not dropped, as runs in the order of their
 * first frames. Returns the number of runs. May verify transport checksums and note the
 * result in the frames. May change identifications in the packets, see above. */
unsigned coalesce_flow(struct coalesce *c, struct burst *b, const struct burst_flow *fl,
	enum coalesce_mode mode);
