/* SPDX-License-Identifier: GPL-2.0-or-later */

/* virtio-net headers, see vnet.h, one per message. Pure. */

#include "dataplane/packet/vnet.h"

#include "base/inet.h"
#include "dataplane/packet/rewrite.h"

#include <linux/virtio_net.h>

#define UDP_CSUM_OFFSET 6

_Static_assert(sizeof(struct virtio_net_hdr) == VNET_LEN, "ten bytes");

static void vnet_put(uint8_t *out, const struct virtio_net_hdr *h)
{
	memcpy(out, h, sizeof(*h));
}

void vnet_partial(uint8_t out[VNET_LEN], unsigned l2_len, const struct frame *f)
{
	unsigned start = l2_len + f->l4_off, offset = rewrite_partial_offset(f);
	struct virtio_net_hdr h = {
		.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
		.hdr_len = (uint16_t)(start + offset + 2),
		.csum_start = (uint16_t)start,
		.csum_offset = (uint16_t)offset,
	};

	vnet_put(out, &h);
}

void vnet_super_frame(uint8_t out[VNET_LEN], unsigned l2_len, const struct frame *f,
	uint16_t gso_size)
{
	unsigned start = l2_len + f->l4_off;
	struct virtio_net_hdr h = {
		.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
		.gso_type = VIRTIO_NET_HDR_GSO_UDP_L4,
		.hdr_len = (uint16_t)(start + UDP_HLEN),
		.gso_size = gso_size,
		.csum_start = (uint16_t)start,
		.csum_offset = UDP_CSUM_OFFSET,
	};

	vnet_put(out, &h);
}
