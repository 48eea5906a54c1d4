/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Makes a frame that can be looked up of ring memory: link checks, then the header
 * checks that RFC 1812 5.2.2 requires, then checks for packets that a multicast
 * forwarder must not touch (link-local groups, control protocols, impossible sources).
 * The checks run in the order of enum verdict, so that a frame with several faults is
 * always counted the same way. Pure.
 *
 * RFC 791 3.1 and RFC 8200 3, 4 for the headers; RFC 1812 5.3.7, RFC 3927 2.7 and
 * RFC 4291 2.5, 2.7 for addresses; RFC 5095 for the routing header of type 0.
 */

#include "dataplane/packet/frame.h"

#include "base/bytes.h"
#include "base/inet.h"

#include <linux/if_ether.h>
#include <linux/if_packet.h>

#define VLAN_VID_MASK 0x0fff

/* IPv4 options (RFC 791 3.1) */
#define OPT_END	 0
#define OPT_NOP	 1
#define OPT_LSRR 131
#define OPT_SSRR 137

/* RFC 8200 4.1 lists seven extension headers in a regular packet; a longer chain only
 * serves to hide something or to waste time. */
#define EXT_HEADERS_MAX 8

/* what the header walk finds and a later check decides on */
struct findings {
	bool source_route;
	bool control;
};

static enum verdict check_link(const struct frame_meta *m)
{
	if (m->l3_caplen < m->l3_len)
		return VERDICT_TRUNCATED;
	/* multicast is for no single station, so the kernel says this of it only if it
	 * has a VLAN tag that no interface has */
	if (m->pkttype == PACKET_OTHERHOST)
		return m->l2 && m->l2[0] & 1 ? VERDICT_VLAN_MISMATCH
					     : VERDICT_OTHERHOST;
	if (m->pkttype == PACKET_OUTGOING || m->pkttype == PACKET_LOOPBACK)
		return VERDICT_OWN_MAC;
	/* VID 0 is a priority tag, the frame belongs to the untagged interface */
	if (m->vlan_valid && (m->vlan_tci & VLAN_VID_MASK) != 0)
		return VERDICT_VLAN_MISMATCH;
	return VERDICT_FORWARDED;
}

/* false: an option does not fit into the header */
static bool frame_walk_options(
	const uint8_t *p, const uint8_t *end, struct findings *found)
{
	while (p < end && *p != OPT_END) {
		if (*p == OPT_NOP) {
			p++;
			continue;
		}
		if (end - p < 2 || p[1] < 2 || p[1] > end - p)
			return false;
		if (*p == OPT_LSRR || *p == OPT_SSRR)
			found->source_route = true;
		p += p[1];
	}
	return true;
}

static enum verdict parse_ipv4(
	const struct frame_meta *m, struct frame *f, struct findings *found)
{
	const uint8_t *ip = m->l3;
	unsigned hlen, len, off;

	if (m->l3_caplen < 1)
		return VERDICT_BAD_LENGTH;
	if (ip[0] >> 4 != 4)
		return VERDICT_BAD_VERSION;
	hlen = (ip[0] & 0x0fu) * 4;
	if (hlen < IPV4_HLEN)
		return VERDICT_BAD_IHL;
	if (m->l3_caplen < IPV4_HLEN)
		return VERDICT_BAD_LENGTH;
	len = get_u16be(ip + 2);
	if (len == 0 && m->gso_size) /* more than the field can express */
		len = m->l3_caplen;
	if (len < hlen || len > m->l3_caplen)
		return VERDICT_BAD_LENGTH;
	if (!frame_walk_options(ip + IPV4_HLEN, ip + hlen, found))
		return VERDICT_BAD_LENGTH;
	if (!inet_header_good(ip, hlen))
		return VERDICT_BAD_CHECKSUM;

	off = get_u16be(ip + 6);
	f->family = FAMILY_IPV4;
	f->ip_len = len;
	f->ip_hlen = (uint16_t)hlen;
	f->ttl = ip[8];
	f->proto = ip[9];
	f->df = off & IPV4_DF;
	f->fragment = off & (IPV4_MF | IPV4_OFF_MASK);
	f->l4_off = (uint16_t)(off & IPV4_OFF_MASK ? 0 : hlen);
	f->src = addr_from_v4(ip + 12);
	f->group = addr_from_v4(ip + 16);
	found->control = f->proto == PROTO_IGMP || f->proto == PROTO_PIM;
	return VERDICT_FORWARDED;
}

/* MLD (RFC 2710, 3810) and multicast router discovery (RFC 4286) */
static bool is_control_icmpv6(uint8_t type)
{
	return (type >= 130 && type <= 132) || type == 143 ||
		(type >= 151 && type <= 153);
}

/* Moves past the extension headers. Returns false if the chain leaves the packet or
 * does not end. */
static bool walk_ext_headers(struct frame *f, struct findings *found)
{
	struct rd r = rd_init(f->ip + IPV6_HLEN, f->ip_len - IPV6_HLEN);
	uint8_t next = f->ip[6];

	for (unsigned n = 0; n <= EXT_HEADERS_MAX; n++) {
		const uint8_t *h = r.p;
		uint8_t this = next;
		size_t rest = 0;

		switch (this) {
		case PROTO_HOPOPTS:
		case PROTO_ROUTING:
		case PROTO_FRAGMENT:
		case PROTO_AH:
		case PROTO_DSTOPTS:
			break;
		default:
			f->proto = this;
			f->l4_off = (uint16_t)(h - f->ip);
			found->control = this == PROTO_PIM;
			if (this == PROTO_ICMPV6)
				found->control = is_control_icmpv6(rd_u8(&r));
			return !r.bad;
		}
		if (!rd_take(&r, 8))
			return false;
		next = h[0];
		if (this ==
			PROTO_AH) /* counts words of 32 bits, minus 2 (RFC 4302 2.2) */
			rest = h[1] * 4u;
		else if (this != PROTO_FRAGMENT)
			rest = h[1] * 8u;
		if (!rd_take(&r, rest))
			return false;
		if (this == PROTO_ROUTING && h[2] == 0)
			found->source_route = true;
		if (this != PROTO_FRAGMENT)
			continue;
		f->fragment = true;
		if (get_u16be(h + 2) &
			0xfff8) { /* the rest is payload of an earlier header */
			f->proto = next;
			found->control = next == PROTO_PIM;
			return true;
		}
	}
	return false;
}

static enum verdict parse_ipv6(
	const struct frame_meta *m, struct frame *f, struct findings *found)
{
	const uint8_t *ip = m->l3;
	unsigned payload;

	if (m->l3_caplen < 1)
		return VERDICT_BAD_LENGTH;
	if (ip[0] >> 4 != 6)
		return VERDICT_BAD_VERSION;
	if (m->l3_caplen < IPV6_HLEN)
		return VERDICT_BAD_LENGTH;
	payload = get_u16be(ip + 4);
	if (payload == 0 && m->gso_size) /* as in parse_ipv4() */
		payload = m->l3_caplen - IPV6_HLEN;
	/* 0 announces a jumbogram (RFC 2675) or an empty packet */
	if (payload == 0 || payload > m->l3_caplen - IPV6_HLEN)
		return VERDICT_BAD_LENGTH;

	f->family = FAMILY_IPV6;
	f->ip_len = IPV6_HLEN + payload;
	f->ip_hlen = IPV6_HLEN;
	f->ttl = ip[7];
	f->df = true;
	memcpy(f->src.b, ip + 8, 16);
	memcpy(f->group.b, ip + 24, 16);
	return walk_ext_headers(f, found) ? VERDICT_FORWARDED : VERDICT_BAD_LENGTH;
}

/* A v4-mapped address inside an IPv6 header would be taken for the other family. */
static bool is_of_family(const struct addr *a, enum family family)
{
	return addr_family(a) == family;
}

static enum verdict check_addresses(const struct frame *f, const struct findings *found)
{
	if (!is_of_family(&f->group, f->family) || !addr_is_multicast(&f->group))
		return VERDICT_NOT_MULTICAST;
	if (addr_is_local_group(&f->group))
		return VERDICT_LINK_LOCAL_GROUP;
	if (found->control)
		return VERDICT_CONTROL;
	if (!is_of_family(&f->src, f->family) || !addr_is_usable_source(&f->src) ||
		addr_is_link_local(&f->src))
		return VERDICT_MARTIAN_SOURCE;
	if (found->source_route)
		return VERDICT_SOURCE_ROUTE;
	return VERDICT_FORWARDED;
}

/* Does the length field of the IP header say how long the packet is? */
static bool says_its_length(const struct frame *f)
{
	if (f->family == FAMILY_IPV4)
		return get_u16be(f->ip + 2) == f->ip_len;
	return get_u16be(f->ip + 4) + (uint32_t)IPV6_HLEN == f->ip_len;
}

/* Datagrams of one UDP flow that GRO or the sender has joined (R183). */
static enum verdict check_segments(
	const struct frame_meta *m, uint32_t mtu, struct frame *f)
{
	uint32_t headers = f->l4_off + UDP_HLEN;

	if (!m->gso_udp || f->proto != PROTO_UDP || f->fragment)
		return VERDICT_SUPERFRAME;
	if (f->ip_len <= headers || headers + m->gso_size > mtu)
		return VERDICT_SUPERFRAME;
	/* a port may pass it on whole, and a receiver would refuse another length */
	if (get_u16be(f->ip + f->l4_off + 4) != f->ip_len - f->l4_off ||
		!says_its_length(f))
		return VERDICT_SUPERFRAME;
	if (f->ip_len - headers <= m->gso_size) /* only one */
		return VERDICT_FORWARDED;
	f->gso_size = m->gso_size;
	f->csum_not_ready = true;
	f->csum_valid = false;
	return VERDICT_FORWARDED;
}

enum verdict frame_parse(const struct frame_meta *meta, uint32_t mtu, struct frame *ret)
{
	struct frame f = {
		.ip = meta->l3,
		.csum_not_ready = meta->csum_not_ready,
		.csum_valid = meta->csum_valid,
		.stamp = meta->stamp,
	};
	struct findings found = {0};
	enum verdict v;

	v = check_link(meta);
	if (v != VERDICT_FORWARDED)
		return v;
	if (meta->ethertype == ETH_P_IP)
		v = parse_ipv4(meta, &f, &found);
	else if (meta->ethertype == ETH_P_IPV6)
		v = parse_ipv6(meta, &f, &found);
	else
		v = VERDICT_BAD_VERSION;
	if (v != VERDICT_FORWARDED)
		return v;
	v = check_addresses(&f, &found);
	if (v != VERDICT_FORWARDED)
		return v;
	if (meta->gso_size)
		v = check_segments(meta, mtu, &f);
	else if (f.ip_len > mtu)
		v = VERDICT_SUPERFRAME;
	if (v == VERDICT_FORWARDED)
		*ret = f;
	return v;
}

bool frame_peek(
	const struct frame_meta *meta, struct addr *ret_src, struct addr *ret_group)
{
	const uint8_t *ip = meta->l3;

	if (meta->ethertype == ETH_P_IP && meta->l3_caplen >= IPV4_HLEN) {
		*ret_src = addr_from_v4(ip + 12);
		*ret_group = addr_from_v4(ip + 16);
	} else if (meta->ethertype == ETH_P_IPV6 && meta->l3_caplen >= IPV6_HLEN) {
		memcpy(ret_src->b, ip + 8, 16);
		memcpy(ret_group->b, ip + 24, 16);
	} else {
		return false;
	}
	return addr_is_multicast(ret_group) && !addr_is_local_group(ret_group);
}
