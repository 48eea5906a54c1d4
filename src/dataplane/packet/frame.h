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

/* What the receive ring says about a frame. */
struct frame_meta {
	const uint8_t *l2;  /* link header, or NULL if the link has none */
	uint8_t *l3;	    /* IP header, in ring memory that may be written */
	uint32_t l3_caplen; /* captured bytes from l3 on */
	uint32_t l3_len;    /* bytes of the frame on the wire from l3 on */
	uint16_t ethertype; /* in host order: 0x0800 or 0x86dd */
	uint16_t vlan_tci;  /* if vlan_valid */
	bool vlan_valid;
	bool csum_not_ready; /* the transport checksum is partial (R182) */
	bool csum_valid;     /* the transport checksum is known to be good */
	bool gso_udp;	     /* the segments of gso_size are UDP datagrams */
	uint16_t gso_size;   /* bytes of payload in each segment; 0 if not segmented */
	uint8_t pkttype;     /* PACKET_HOST, PACKET_MULTICAST, ... */
	uint64_t stamp;	     /* when it was received, see latency.h */
};

struct frame {
	uint8_t *ip;	  /* IP header */
	uint32_t ip_len;  /* total length of the IP packet; excludes link padding */
	uint16_t ip_hlen; /* length of the IPv4 header, or of the fixed IPv6 header */
	enum family family;
	uint8_t ttl;   /* as received */
	uint8_t proto; /* transport protocol, after IPv6 extension headers */
	/* from `ip` to the transport header; 0 if unknown, or in a later fragment */
	uint16_t l4_off;
	bool fragment; /* it is a fragment, also if it is the first one */
	bool df;       /* DF of IPv4; always true for IPv6 */
	bool csum_not_ready;
	bool csum_valid;
	/* If not 0, this is a super-frame of UDP datagrams with that much payload each,
	 * the last one possibly with less. Its checksum field means nothing:
	 * csum_not_ready is set. */
	uint16_t gso_size;
	struct addr src, group;
	uint64_t stamp; /* of frame_meta */
};

/* Returns the number of datagrams in the frame; 1 unless it is a super-frame. */
static inline unsigned frame_n_packets(const struct frame *f)
{
	return f->gso_size
		? (f->ip_len - f->l4_off - 8u + f->gso_size - 1) / f->gso_size
		: 1;
}

/* Reads source and group of a frame that frame_parse() has refused. Returns false if
 * the frame is cut off, or if its group is link-local. */
bool frame_peek(
	const struct frame_meta *meta, struct addr *ret_src, struct addr *ret_group);

/* Parses a frame. Returns VERDICT_FORWARDED if it may be forwarded, else the reason why
 * not. `mtu` is that of the input link. Longer packets are super-frames, and pass only
 * if they can be cut into UDP datagrams that fit. Checks everything up to
 * VERDICT_SUPERFRAME, except VERDICT_OWN_MAC, because it does not know the MACs. */
enum verdict frame_parse(
	const struct frame_meta *meta, uint32_t mtu, struct frame *ret);
