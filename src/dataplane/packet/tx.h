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
 * several bytes are in host order, because AF_PACKET uses the legacy form. */
#define VNET_LEN 10

/* A message in memory: [vnet header and link header] [packet] or, for a super-frame,
 * [vnet, link header] [IP and UDP header] [payload]... A port without either header has
 * the packet alone. The tx_msg itself is valid until tx_ops.send() returns. iov,
 * headers and packet are valid until tx_ops.flush() returns, or with tx_ops.copied
 * until send() returns. */
struct tx_msg {
	struct iovec *iov;
	unsigned n_iov;
	enum family family; /* gives sll_protocol for links without a header */
	bool super_frame;
	uint16_t n_packets; /* number of datagrams; 1 unless super_frame */
	uint32_t bytes;	    /* of the IP packets that it becomes on the wire */
};

static inline unsigned tx_n_packets(const struct tx_msg *msg, unsigned n)
{
	unsigned sum = 0;

	for (unsigned i = 0; i < n; i++)
		sum += msg[i].n_packets;
	return sum;
}

/* What a port can take. */
enum tx_caps {
	TX_VNET = 1,	    /* each message begins with a vnet header */
	TX_SUPER_FRAME = 2, /* UDP super-frames; only together with TX_VNET */
	TX_UNTRIED = 4,	    /* no super-frame was sent yet; send the first one alone */
};

struct tx_ops {
	/* Returns enum tx_caps, or-ed. They change when a super-frame is tried. */
	unsigned (*caps)(void *ctx, unsigned port);
	/* Sends or queues n messages on a port, and counts them. Must not block.
	 * Returns false if the only message was the first super-frame of the port, and
	 * the port has refused it. The message is then not counted, and the port has
	 * lost TX_SUPER_FRAME. */
	bool (*send)(void *ctx, unsigned port, const struct tx_msg *msg, unsigned n);
	/* Hands everything that was queued to the kernel before it returns. */
	void (*flush)(void *ctx);
	bool copied; /* flush() needs nothing that was passed to send() */
	void *ctx;
	/* Gives one IP packet to the programs of this host that have joined its group
	 * on the interface, and counts it. iov[0] is the header, whose TTL or hop limit
	 * must be 0, and iov[1] is the rest. NULL if that is not possible. */
	void (*local)(
		void *local_ctx, int ifindex, enum family family, struct iovec iov[2]);
	void *local_ctx;
};
