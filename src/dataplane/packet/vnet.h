/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * virtio-net headers as AF_PACKET requires them with PACKET_VNET_HDR: legacy layout of
 * ten bytes, fields in host order (virtio 1.2 section 5.1.6, linux/virtio_net.h). Pure.
 */

#include "dataplane/packet/frame.h"
#include "dataplane/packet/tx.h"

/* Header of a packet that needs no processing. */
void vnet_plain(uint8_t out[VNET_LEN]);
/* Header of a packet with a partial transport checksum, for which
 * rewrite_partial_offset() is not 0. `l2_len` is the length of the link header in
 * between. */
void vnet_partial(uint8_t out[VNET_LEN], unsigned l2_len, const struct frame *f);
/* Header of a super-frame: UDP datagrams of gso_size bytes of payload each, with the
 * headers of f. */
void vnet_super_frame(uint8_t out[VNET_LEN], unsigned l2_len, const struct frame *f,
	uint16_t gso_size);
