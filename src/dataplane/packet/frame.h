/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * A received frame as offsets into ring memory. Parsing never copies and never reads
 * past the captured length. The link header of the input is not used for output: every
 * copy gets a fresh one (rewrite.h), so that links without one and frames sent to
 * unicast MAC addresses need no special case. Pure.
 */

#include "base/addr.h"
#include "dataplane/packet/verdict.h"

/* what the receive ring says about a frame */
struct frame_meta {
	const uint8_t *l2;  /* link header, NULL when the link has none */
	uint8_t *l3;	    /* IP header; writable ring memory */
	uint32_t l3_caplen; /* captured bytes from l3 on */
	uint32_t l3_len;    /* bytes of the frame on the wire from l3 on */
	uint16_t ethertype; /* host order: 0x0800 or 0x86dd */
	uint16_t vlan_tci;  /* when vlan_valid */
	bool vlan_valid;
	bool csum_not_ready; /* transport checksum is partial (R182) */
	bool csum_valid;     /* transport checksum known good */
	bool gso_udp;	     /* gso_size cuts UDP payload into datagrams */
	uint16_t gso_size;   /* bytes of payload in each segment; 0 means plain frame */
	uint8_t pkttype;     /* PACKET_HOST, PACKET_MULTICAST, ... */
	uint64_t stamp;	     /* when it was received, see latency.h */
};

struct frame {
	uint8_t *ip;	  /* IP header */
	uint32_t ip_len;  /* IP total length: link padding is cut off */
	uint16_t ip_hlen; /* IPv4 header, or IPv6 fixed header */
	enum family family;
	uint8_t ttl;	 /* as received */
	uint8_t proto;	 /* transport protocol; IPv6: after extension headers */
	uint16_t l4_off; /* transport header from ip; 0 means unknown or later
			  * fragment */
	bool fragment;	 /* any fragment */
	bool df;	 /* IPv4 DF; always true for IPv6 */
	bool csum_not_ready;
	bool csum_valid;
	/* If not 0, this is a super-frame of UDP datagrams with that much payload each,
	 * the last one possibly with less. Its checksum field means nothing:
	 * csum_not_ready is set. */
	uint16_t gso_size;
	struct addr src, group;
	uint64_t stamp; /* of frame_meta */
};

/* datagrams in it: 1 unless it is a super-frame */
static inline unsigned frame_n_packets(const struct frame *f)
{
	return f->gso_size
		? (f->ip_len - f->l4_off - 8u + f->gso_size - 1) / f->gso_size
		: 1;
}

/* Source and group of a frame that was refused before they were read. Returns false if
 * the frame is cut off, or if its group is link-local. */
bool frame_peek(
	const struct frame_meta *meta, struct addr *ret_src, struct addr *ret_group);

/* VERDICT_FORWARDED if the frame may be forwarded, else the reason. `mtu` is that of
 * the input link: longer packets are super-frames, and pass only when they can be cut
 * into UDP datagrams that fit. Checks up to and including VERDICT_SUPERFRAME, without
 * own-MAC (the worker knows the MACs). */
enum verdict frame_parse(
	const struct frame_meta *meta, uint32_t mtu, struct frame *ret);
