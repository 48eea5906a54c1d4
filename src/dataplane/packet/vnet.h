/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * virtio-net headers as AF_PACKET requires them with PACKET_VNET_HDR: the legacy layout
 * of ten bytes with fields in host order (virtio 1.2 section 5.1.6,
 * linux/virtio_net.h). All zero is the header of a packet that needs no processing.
 * `l2_len` is the length of the link header that follows. Pure.
 */

#include "dataplane/packet/frame.h"
#include "dataplane/packet/tx.h"

/* Writes the header of a packet with a partial transport checksum, for which
 * rewrite_partial_offset() is not 0. */
void vnet_partial(uint8_t out[VNET_LEN], unsigned l2_len, const struct frame *f);
/* Writes the header of a super-frame of UDP datagrams with gso_size bytes of payload
 * each and the headers of f. */
void vnet_super_frame(uint8_t out[VNET_LEN], unsigned l2_len, const struct frame *f,
	uint16_t gso_size);
