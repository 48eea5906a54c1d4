/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The changes that a forwarder makes. It lowers the TTL and adapts the header checksum,
 * once per received frame and in place. It completes a partial transport checksum once.
 * It writes a link header for each message, and cuts an IPv4 packet that is larger than
 * a port's MTU into fragments. Everything else stays as received (R176). Pure.
 */

#include "dataplane/packet/frame.h"

/* Lowers TTL or hop limit by one. Adapts the IPv4 checksum by RFC 1624 eqn. 3 (R154,
 * R157). */
void rewrite_ttl(struct frame *f);

/* Returns the checksum field after one 16-bit word has changed (RFC 1624). */
uint16_t rewrite_csum16(uint16_t csum, uint16_t from, uint16_t to);

/* Completes a partial UDP or TCP checksum over the whole packet (R182). Returns false
 * if the transport is another one or the headers are cut off; then the frame cannot be
 * sent. */
bool rewrite_complete_checksum(struct frame *f);
/* Returns the bytes from the transport header to a partial checksum, for code that
 * completes it later and sums up to the end of the packet. Returns 0 if that would be
 * wrong, or if the checksum cannot be completed. */
unsigned rewrite_partial_offset(const struct frame *f);
/* Sets the UDP checksum of a super-frame, whatever it was, to the partial one that each
 * datagram needs. Returns false if the headers are not complete. */
bool rewrite_make_partial(struct frame *f);
/* Is the checksum of a whole UDP datagram right? Sets f->csum_valid if it is. */
bool rewrite_verify_checksum(struct frame *f);
/* Returns the sum over the pseudo header (RFC 768, RFC 8200 8.1) of f's addresses and
 * protocol. */
uint32_t rewrite_pseudo_sum(const struct frame *f, uint32_t l4_len);

/* Writes the Ethernet header for a group (RFC 1112 6.4, RFC 2464 7), with the source
 * MAC of the port (R171). */
#define REWRITE_L2_LEN 14
void rewrite_l2(uint8_t out[REWRITE_L2_LEN], const struct addr *group,
	const uint8_t src_mac[6]);

/* Cuts an IPv4 packet into fragments of at most `mtu` bytes (RFC 791 3.2, R166). Writes
 * the fragments (header and data) into `out` one after the other, and their lengths
 * into frag_len. Options with the copied flag are copied into every fragment. Returns
 * the number of fragments, or -EMSGSIZE if out_size, max_frags or the MTU is too
 * small. */
int rewrite_fragment(const struct frame *f, uint32_t mtu, uint8_t *out, size_t out_size,
	uint16_t *frag_len, unsigned max_frags);

/* Make datagram number i of a UDP super-frame, as the kernel would cut it: with its own
 * length, an identification that is i higher, and a whole checksum. The first one is 0,
 * and frame_n_packets() is their number. rewrite_piece() writes rewrite_piece_len()
 * bytes, and *ret_piece describes them. */
uint32_t rewrite_piece_len(const struct frame *f, unsigned i);
void rewrite_piece(
	const struct frame *f, unsigned i, uint8_t *out, struct frame *ret_piece);
