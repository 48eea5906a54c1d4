/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * A TPACKET_V3 receive ring: the frames of one protocol that arrive on one interface.
 * Control opens and closes it and reads its statistics, one data-plane thread takes
 * blocks from it. A block is the unit of ownership: everything in it may be read and
 * written from ring_rx_peek() to ring_rx_release().
 */

#include "dataplane/frame.h"

#include <linux/filter.h>

struct ring_rx;

#define RING_RX_NO_FANOUT  (-1)
#define RING_RX_NEW_FANOUT (-2)

struct ring_rx_params {
	int ifindex;
	enum family family;
	bool has_l2;
	uint32_t size; /* octets; less when the kernel has not that much */
	bool offload;  /* super-frames are described, see ring_rx_can_offload() */
	const struct sock_fprog *filter;
	int fanout; /* RING_RX_NO_FANOUT, RING_RX_NEW_FANOUT or the id of a group */
};

/* Can a ring say how a super-frame is to be cut (frame_meta.gso_size)? 0, or -errno of
 * the call that failed: -ENOPROTOOPT before Linux 6.4. */
int ring_rx_can_offload(void);

/* Open and start. 0, or -errno of the call that failed: -EPERM without CAP_NET_RAW,
 * -ENODEV, -ENOMEM, -EINVAL (fanout on an interface that is down). */
int ring_rx_open(const struct ring_rx_params *params, struct ring_rx **ret);
struct ring_rx *ring_rx_close(struct ring_rx *r); /* takes and returns NULL */

int ring_rx_fd(const struct ring_rx *r);
int ring_rx_fanout(const struct ring_rx *r); /* id of its group */
/* The socket is still attached to that interface: false after it was deleted. */
bool ring_rx_is_on(const struct ring_rx *r, int ifindex);

/* Of the kernel, since the last call; packets include drops. */
struct ring_rx_stats {
	uint32_t packets, drops, freezes;
};
void ring_rx_stats(struct ring_rx *r, struct ring_rx_stats *ret);

struct ring_block {
	uint8_t *next;	   /* frame header */
	uint32_t n_frames; /* left to walk */
	uint32_t index;
	bool timeout; /* handed over by the timer, not because it is full */
};

/* The next block that is ready, if any. Several may be held. */
bool ring_rx_peek(struct ring_rx *r, struct ring_block *ret);
/* Walk the frames of a block; false at its end. */
bool ring_rx_next(
	const struct ring_rx *r, struct ring_block *b, struct frame_meta *ret);
/* Give a block back; in the order of ring_rx_peek(). */
void ring_rx_release(struct ring_rx *r, const struct ring_block *b);

/* Fetch and clear the pending error of the socket; until then poll reports POLLERR. */
int ring_rx_clear_error(struct ring_rx *r);
