/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The changes that a forwarder makes: TTL and header checksum (once per received frame,
 * in place), a partial transport checksum (completed once), the link header (one per
 * message), and, where an IPv4 packet is larger than a port's MTU, fragments.
 * Everything else stays as received (R176). Pure.
 */

#include "dataplane/packet/frame.h"

/* Lower TTL or hop limit by one; IPv4 checksum by RFC 1624 eqn. 3 (R154, R157). */
void rewrite_ttl(struct frame *f);

/* RFC 1624: new checksum field from the old one and one changed 16-bit word. */
uint16_t rewrite_csum16(uint16_t csum, uint16_t from, uint16_t to);

/* Complete a partial UDP or TCP checksum over the whole packet (R182). False when the
 * transport is another one or the headers are cut off: then the frame cannot be sent.
 */
bool rewrite_complete_checksum(struct frame *f);
/* For a partial checksum: the bytes from the transport header to the checksum, for code
 * that completes it later and sums up to the end of the packet. Returns 0 if that would
 * be wrong, or if it cannot be completed. */
unsigned rewrite_partial_offset(const struct frame *f);
/* Sets the UDP checksum of a super-frame, whatever it was, to the partial one that each
 * datagram needs. Returns false if the headers are not complete. */
bool rewrite_make_partial(struct frame *f);
/* Is the checksum of a whole UDP datagram right? Notes it in f->csum_valid. */
bool rewrite_verify_checksum(struct frame *f);
/* Sum over the pseudo header (RFC 768, RFC 8200 8.1) of f's addresses and protocol. */
uint32_t rewrite_pseudo_sum(const struct frame *f, uint32_t l4_len);

/* Ethernet header for a group: 01:00:5e + 23 bits or 33:33 + 32 bits (RFC 1112 6.4, RFC
 * 2464 7), source MAC of the port (R171). */
#define REWRITE_L2_LEN 14
void rewrite_l2(uint8_t out[REWRITE_L2_LEN], const struct addr *group,
	const uint8_t src_mac[6]);

/* Cut an IPv4 packet into fragments of at most mtu bytes (RFC 791 3.2, R166): writes
 * each fragment (header + data) into `out` one after the other and its length into
 * frag_len. Returns the number of fragments, or -EMSGSIZE when the space, max_frags or
 * the MTU does not allow it. Options with the copied flag are copied into every
 * fragment. */
int rewrite_fragment(const struct frame *f, uint32_t mtu, uint8_t *out, size_t out_size,
	uint16_t *frag_len, unsigned max_frags);

/* Datagram number i (from 0) of a UDP super-frame (frame_n_packets() of them), as the
 * kernel would cut it: own length, identification i higher, whole checksum. Writes
 * rewrite_piece_len() bytes; *ret_piece describes them. */
uint32_t rewrite_piece_len(const struct frame *f, unsigned i);
void rewrite_piece(
	const struct frame *f, unsigned i, uint8_t *out, struct frame *ret_piece);
