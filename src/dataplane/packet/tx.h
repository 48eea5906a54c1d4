/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Messages that the packet path hands to a transmitter for one port. A message is one
 * datagram, or a run of datagrams of one flow as a super-frame that the kernel or the
 * device cuts again (UDP_L4 of virtio-net headers).
 */

#include "base/addr.h"
#include "dataplane/packet/verdict.h"

#include <sys/uio.h>

/* The bytes of struct virtio_net_hdr, which a port with TX_VNET expects before the link
 * header, and which a ring that describes super-frames has before each frame. Fields of
 * several bytes are in host order (AF_PACKET: legacy). */
#define VNET_LEN 10

/* A message in memory: [vnet header and link header] [packet] or, for a super-frame,
 * [vnet, link header] [IP and UDP header] [payload]... A port without either header has
 * the packet alone. iov, headers and packet are valid until tx_ops.flush returns (with
 * `copied`: until send returns), the tx_msg itself until send does. */
struct tx_msg {
	struct iovec *iov;
	unsigned n_iov;
	enum family family; /* for links without a header: sll_protocol */
	bool super_frame;
	uint16_t n_packets; /* datagrams; 1 unless super_frame */
	uint32_t bytes;	    /* of the IP packets, as they are on the wire in the end */
};

static inline unsigned tx_n_packets(const struct tx_msg *msg, unsigned n)
{
	unsigned sum = 0;

	for (unsigned i = 0; i < n; i++)
		sum += msg[i].n_packets;
	return sum;
}

/* what a port can take */
enum tx_caps {
	TX_VNET = 1,	    /* each message begins with a vnet header */
	TX_SUPER_FRAME = 2, /* UDP super-frames; with TX_VNET only */
	TX_UNTRIED = 4, /* no super-frame has been sent yet; the first one must be sent
			 * alone */
};

struct tx_ops {
	/* enum tx_caps, or-ed; changes when a super-frame is tried */
	unsigned (*caps)(void *ctx, unsigned port);
	/* Send or queue n messages on a port, and count them; must not block. Returns
	 * false if the only message is the first super-frame of the port, and the port
	 * refused it. It is not counted, and the port has lost TX_SUPER_FRAME. */
	bool (*send)(void *ctx, unsigned port, const struct tx_msg *msg, unsigned n);
	/* Everything queued is handed to the kernel when this returns. */
	void (*flush)(void *ctx);
	bool copied; /* true if flush needs nothing that was passed to send */
	void *ctx;
	/* Give one IP packet to the programs of this host that have joined its group on
	 * the interface: the header, whose TTL or hop limit is 0, and the rest. It is
	 * counted. NULL if that is not possible. */
	void (*local)(
		void *local_ctx, int ifindex, enum family family, struct iovec iov[2]);
	void *local_ctx;
};
