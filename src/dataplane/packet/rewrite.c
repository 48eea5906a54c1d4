/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The few bytes that a forwarder changes, see rewrite.h. RFC 1624 for checksum updates,
 * RFC 768, 9293 3.1 and 8200 8.1 for transport checksums, RFC 791 3.2 for
 * fragmentation. Super-frames are cut as Linux does it (inet_gso_segment,
 * __udp_gso_segment). Pure.
 */

#include "dataplane/packet/rewrite.h"

#include "base/bytes.h"
#include "base/inet.h"
#include "base/minmax.h"

#include <errno.h>

uint16_t rewrite_csum16(uint16_t csum, uint16_t from, uint16_t to)
{
	/* HC' = ~(~HC + ~m + m'), eqn. 3 */
	return inet_fold((uint32_t)(uint16_t)~csum + (uint16_t)~from + to);
}

void rewrite_ttl(struct frame *f)
{
	uint16_t from;

	if (f->family == FAMILY_IPV6) {
		f->ip[7]--;
		return;
	}
	from = get_u16be(f->ip + 8);
	f->ip[8]--;
	put_u16be(f->ip + 10,
		rewrite_csum16(get_u16be(f->ip + 10), from, get_u16be(f->ip + 8)));
}

uint32_t rewrite_pseudo_sum(const struct frame *f, uint32_t l4_len)
{
	uint32_t sum = f->proto + (l4_len >> 16) + (l4_len & 0xffff);

	if (f->family == FAMILY_IPV4)
		return inet_sum(f->ip + 12, 8, sum);
	return inet_sum(f->ip + 8, 32, sum);
}

bool rewrite_verify_checksum(struct frame *f)
{
	uint32_t len = f->ip_len - f->l4_off;

	f->csum_valid = inet_fold(inet_sum(f->ip + f->l4_off, len,
				rewrite_pseudo_sum(f, len))) == 0;
	return f->csum_valid;
}

/* The place of the transport checksum, or NULL if it cannot be completed; *ret_len is
 * the length that it covers. */
static uint8_t *partial_field(const struct frame *f, uint32_t *ret_len)
{
	uint32_t len = f->ip_len - f->l4_off;
	uint8_t *l4 = f->ip + f->l4_off;

	/* the checksum of a fragmented datagram covers bytes that are elsewhere */
	if (f->fragment || f->l4_off == 0 || f->l4_off > f->ip_len)
		return NULL;
	*ret_len = len;
	if (f->proto == PROTO_TCP)
		return len < 20 ? NULL : l4 + 16;
	if (f->proto != PROTO_UDP || len < 8 || get_u16be(l4 + 4) < 8 ||
		get_u16be(l4 + 4) > len)
		return NULL;
	*ret_len = get_u16be(l4 + 4);
	return l4 + 6;
}

unsigned rewrite_partial_offset(const struct frame *f)
{
	uint32_t len;
	const uint8_t *field = partial_field(f, &len);

	if (!field || len != f->ip_len - f->l4_off)
		return 0;
	return (unsigned)(field - (f->ip + f->l4_off));
}

bool rewrite_complete_checksum(struct frame *f)
{
	uint32_t len;
	uint8_t *field = partial_field(f, &len);
	uint16_t csum;

	if (!field)
		return false;
	put_u16be(field, 0);
	csum = inet_fold(inet_sum(f->ip + f->l4_off, len, rewrite_pseudo_sum(f, len)));
	if (csum == 0 && f->proto == PROTO_UDP)
		csum = 0xffff; /* 0 says "none" (RFC 768) */
	put_u16be(field, csum);
	f->csum_not_ready = false;
	f->csum_valid = true;
	return true;
}

bool rewrite_make_partial(struct frame *f)
{
	uint32_t len = f->ip_len - f->l4_off;

	if (f->proto != PROTO_UDP || !partial_field(f, &len))
		return false;
	put_u16be(f->ip + f->l4_off + 6,
		(uint16_t)~inet_fold(rewrite_pseudo_sum(f, f->ip_len - f->l4_off)));
	f->csum_not_ready = true;
	f->csum_valid = false;
	return true;
}

/* Super-frames */

uint32_t rewrite_piece_len(const struct frame *f, unsigned i)
{
	uint32_t head = f->l4_off + UDP_HLEN, left = f->ip_len - head - i * f->gso_size;

	return head + min(left, f->gso_size);
}

void rewrite_piece(
	const struct frame *f, unsigned i, uint8_t *out, struct frame *ret_piece)
{
	uint32_t len = rewrite_piece_len(f, i), head = f->l4_off + UDP_HLEN;

	memcpy(out, f->ip, head);
	memcpy(out + head, f->ip + head + (size_t)i * f->gso_size, len - head);
	if (f->family == FAMILY_IPV4) {
		put_u16be(out + 2, (uint16_t)len);
		put_u16be(out + 4, (uint16_t)(get_u16be(out + 4) + i));
		put_u16be(out + 10, 0);
		put_u16be(out + 10, inet_fold(inet_sum(out, f->ip_hlen, 0)));
	} else {
		put_u16be(out + 4, (uint16_t)(len - IPV6_HLEN));
	}
	put_u16be(out + f->l4_off + 4, (uint16_t)(len - f->l4_off));
	*ret_piece = *f;
	ret_piece->ip = out;
	ret_piece->ip_len = len;
	ret_piece->gso_size = 0;
	(void)rewrite_complete_checksum(ret_piece);
}

void rewrite_l2(
	uint8_t out[REWRITE_L2_LEN], const struct addr *group, const uint8_t src_mac[6])
{
	bool v4 = addr_is_v4(group);

	addr_group_mac(group, out);
	memcpy(out + 6, src_mac, 6);
	put_u16be(out + 12, v4 ? 0x0800 : 0x86dd);
}

/* Header of the second and later fragments: options with the copied flag only, padded
 * with "end of options". Returns its length. */
static unsigned later_header(const struct frame *f, uint8_t out[60])
{
	const uint8_t *p = f->ip + IPV4_HLEN, *end = f->ip + f->ip_hlen;
	unsigned hlen = IPV4_HLEN;

	memcpy(out, f->ip, IPV4_HLEN);
	while (p < end && *p != 0) {
		unsigned n = *p == 1 ? 1 : p[1];

		if (*p & 0x80) {
			memcpy(out + hlen, p, n);
			hlen += n;
		}
		p += n;
	}
	while (hlen % 4)
		out[hlen++] = 0;
	out[0] = (uint8_t)(0x40 | hlen / 4);
	return hlen;
}

static void seal_fragment(uint8_t *ip, unsigned hlen, unsigned len, uint16_t off)
{
	put_u16be(ip + 2, (uint16_t)len);
	put_u16be(ip + 6, off);
	put_u16be(ip + 10, 0);
	put_u16be(ip + 10, inet_fold(inet_sum(ip, hlen, 0)));
}

int rewrite_fragment(const struct frame *f, uint32_t mtu, uint8_t *out, size_t out_size,
	uint16_t *frag_len, unsigned max_frags)
{
	uint8_t later[60];
	const uint8_t *data = f->ip + f->ip_hlen;
	uint32_t left = f->ip_len - f->ip_hlen;
	uint16_t flags = get_u16be(f->ip + 6);
	unsigned units = flags & IPV4_OFF_MASK;
	const uint8_t *header = f->ip;
	unsigned hlen = f->ip_hlen, n = 0;

	if (f->family != FAMILY_IPV4 || f->df)
		return -EMSGSIZE;
	while (left > 0) {
		uint32_t room = mtu > hlen ? mtu - hlen : 0;
		uint32_t take = left <= room ? left : room & ~7u;
		bool more = take < left || (flags & IPV4_MF);

		/* a unit beyond 13 bits: the datagram would be larger than 64 KiB */
		if (take == 0 || n == max_frags || out_size < hlen + take ||
			units > IPV4_OFF_MASK)
			return -EMSGSIZE;
		memcpy(out, header, hlen);
		memcpy(out + hlen, data, take);
		seal_fragment(out, hlen, hlen + take,
			(uint16_t)(units | (more ? IPV4_MF : 0)));
		frag_len[n++] = (uint16_t)(hlen + take);
		out += hlen + take;
		out_size -= hlen + take;
		data += take;
		left -= take;
		units += take / 8;
		if (n == 1) {
			hlen = later_header(f, later);
			header = later;
		}
	}
	return (int)n;
}
