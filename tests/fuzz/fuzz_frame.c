/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * One received frame: ring metadata and vnet header -> frame_parse() -> all changes of
 * a frame (TTL, checksums, pieces, fragments, vnet headers). The oracles are what RFC
 * 791, 8200, 768 and 1624 say about the result, computed here from scratch.
 */

#include "dataplane/io/ring_rx_priv.h"
#include "dataplane/packet/rewrite.h"
#include "dataplane/packet/vnet.h"
#include "fuzz.h"

#include <errno.h>
#include <linux/if_ether.h>

/* bits of the first byte */
#define HAS_L2	  1u
#define OFFLOAD	  2u
#define NOT_READY 4u
#define VALID	  8u
#define TAGGED	  16u
#define IPV6	  32u
#define SPOILT	  64u  /* keeps a wrong header checksum */
#define CUT	  128u /* the ring has captured only a part */

#define OUT_MAX (1u << 18)

static uint8_t out[OUT_MAX], copy[70000], later[70000];
static uint16_t frag_len[2048];

static unsigned get16(const uint8_t *p)
{
	return (unsigned)(p[0] << 8 | p[1]);
}

static void put16(uint8_t *p, unsigned v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static bool header_is_right(const uint8_t *ip)
{
	return inet_fold(inet_sum(ip, (ip[0] & 15u) * 4, 0)) == 0;
}

static bool transport_is_right(const struct frame *f)
{
	uint32_t len = f->ip_len - f->l4_off;
	uint32_t sum = f->family == FAMILY_IPV4 ? inet_sum(f->ip + 12, 8, 0)
						: inet_sum(f->ip + 8, 32, 0);

	if (f->proto == 17)
		len = get16(f->ip + f->l4_off + 4);
	return inet_fold(inet_sum(f->ip + f->l4_off, len, sum + f->proto + len)) == 0;
}

static void check_frame(const struct frame_meta *m, const struct frame *f, uint32_t mtu)
{
	fuzz_assert(f->ip == m->l3 && f->ip_len <= m->l3_caplen);
	fuzz_assert(f->ip_hlen >= 20 && f->ip_hlen <= 60 && f->ip_hlen <= f->ip_len);
	fuzz_assert(f->l4_off == 0 || f->l4_off >= f->ip_hlen);
	fuzz_assert(f->l4_off <= f->ip_len);
	fuzz_assert(f->gso_size || f->ip_len <= mtu);
	fuzz_assert(addr_family(&f->src) == f->family);
	fuzz_assert(addr_family(&f->group) == f->family);
	fuzz_assert(addr_is_multicast(&f->group) && !addr_is_local_group(&f->group));
	fuzz_assert(addr_is_usable_source(&f->src));
	fuzz_assert(m->pkttype != PACKET_OTHERHOST && m->pkttype != PACKET_OUTGOING);
	fuzz_assert(f->family == FAMILY_IPV6 || header_is_right(f->ip));
	if (!f->gso_size)
		return;
	fuzz_assert(f->proto == 17 && !f->fragment && f->csum_not_ready);
	fuzz_assert(f->l4_off && f->ip_len > f->l4_off + 8u + f->gso_size);
	fuzz_assert(f->l4_off + 8u + f->gso_size <= mtu);
	fuzz_assert(frame_n_packets(f) >= 2);
}

/* Parses it as another frame. Only headers that a forwarder changes may differ. */
static struct frame parse_again(uint8_t *ip, uint32_t len, uint32_t mtu)
{
	struct frame_meta m = {
		.l3 = ip,
		.l3_caplen = len,
		.l3_len = len,
		.ethertype = ip[0] >> 4 == 4 ? ETH_P_IP : ETH_P_IPV6,
		.pkttype = PACKET_MULTICAST,
	};
	struct frame f;

	fuzz_assert(frame_parse(&m, mtu, &f) == VERDICT_FORWARDED);
	return f;
}

/* Link padding after the packet has no effect. */
static void check_ttl(const struct frame *f, uint32_t caplen)
{
	struct frame g = *f, again;

	if (f->ttl <= 1 || f->gso_size || f->ip_len == 0)
		return;
	memcpy(copy, f->ip, caplen);
	g.ip = copy;
	rewrite_ttl(&g);
	again = parse_again(copy, caplen, UINT32_MAX);
	fuzz_assert(again.ttl == f->ttl - 1 && again.ip_len == f->ip_len);
	fuzz_assert(again.proto == f->proto && again.l4_off == f->l4_off);
	fuzz_assert(again.fragment == f->fragment && again.df == f->df);
	fuzz_assert(memcmp(copy + f->ip_hlen, f->ip + f->ip_hlen,
			    f->ip_len - f->ip_hlen) == 0);
}

static void check_checksum(const struct frame *f)
{
	struct frame g = *f;
	unsigned offset;

	if (f->gso_size)
		return;
	memcpy(copy, f->ip, f->ip_len);
	g.ip = copy;
	offset = rewrite_partial_offset(&g);
	fuzz_assert(!offset || f->l4_off + offset + 2u <= f->ip_len);
	if (!rewrite_complete_checksum(&g)) {
		fuzz_assert(!offset);
		fuzz_assert(memcmp(copy, f->ip, f->ip_len) == 0);
		return;
	}
	fuzz_assert(transport_is_right(&g) && !g.csum_not_ready && g.csum_valid);
	if (f->proto == 17 && get16(copy + f->l4_off + 4) == f->ip_len - f->l4_off)
		fuzz_assert(rewrite_verify_checksum(&g));
}

static void check_pieces(struct frame *f, uint32_t mtu)
{
	uint32_t head = f->l4_off + 8u, at = head;
	unsigned n = frame_n_packets(f);

	if (!f->gso_size || !rewrite_make_partial(f))
		return;
	for (unsigned i = 0; i < n; i++) {
		uint32_t len = rewrite_piece_len(f, i), part = len - head;
		struct frame piece, again;

		fuzz_assert(len > head && len <= mtu && at + part <= f->ip_len);
		fuzz_assert(i + 1 == n || part == f->gso_size);
		rewrite_piece(f, i, out, &piece);
		again = parse_again(out, len, mtu);
		fuzz_assert(again.ip_len == len && again.l4_off == f->l4_off);
		fuzz_assert(again.ttl == f->ttl && again.proto == 17);
		fuzz_assert(transport_is_right(&again));
		fuzz_assert(memcmp(out + head, f->ip + at, part) == 0);
		if (f->family == FAMILY_IPV4)
			fuzz_assert(
				get16(out + 4) == ((get16(f->ip + 4) + i) & 0xffff));
		at += part;
	}
	fuzz_assert(at == f->ip_len);
}

/* The reassembled fragments equal the packet. */
static void check_fragments(const struct frame *f, uint32_t mtu)
{
	uint32_t data = f->ip_len - f->ip_hlen, at = 0, most = mtu - mtu % 8;
	int n = rewrite_fragment(f, mtu, out, sizeof(out), frag_len, 2048);
	unsigned first = get16(f->ip + 6) & 0x1fff;
	const uint8_t *p = out;

	if (n < 0) {
		fuzz_assert(n == -EMSGSIZE);
		return;
	}
	fuzz_assert(!f->df && f->family == FAMILY_IPV4 && most);
	for (int i = 0; i < n; i++) {
		unsigned hlen = (p[0] & 15u) * 4, off = get16(p + 6);
		bool more = i + 1 < n || (get16(f->ip + 6) & 0x2000);

		fuzz_assert(frag_len[i] <= mtu && frag_len[i] == get16(p + 2));
		fuzz_assert(header_is_right(p) && hlen <= f->ip_hlen && hlen >= 20);
		fuzz_assert((off & 0x1fff) == first + at / 8);
		fuzz_assert(!!(off & 0x2000) == more && !(off & 0x4000));
		fuzz_assert(memcmp(p + 12, f->ip + 12, 8) == 0);
		fuzz_assert(at + frag_len[i] - hlen <= data);
		fuzz_assert(memcmp(p + hlen, f->ip + f->ip_hlen + at,
				    frag_len[i] - hlen) == 0);
		at += frag_len[i] - hlen;
		p += frag_len[i];
	}
	fuzz_assert(at == data);
}

static void check_vnet(const struct frame *f)
{
	uint8_t header[VNET_LEN] = {0};

	if (f->csum_not_ready && rewrite_partial_offset(f))
		vnet_partial(header, 14, f);
	if (f->gso_size)
		vnet_super_frame(header, 14, f, f->gso_size);
	fuzz_assert(get16(header + 2) == 0 || f->csum_not_ready);
	rewrite_l2(later, &f->group, header);
	fuzz_assert(later[0] & 1);
}

static void seal(uint8_t *ip, size_t len)
{
	size_t hlen = len ? (ip[0] & 15u) * 4u : 0;

	if (len && ip[0] >> 4 == 4 && hlen >= 20 && hlen <= len) {
		put16(ip + 10, 0);
		put16(ip + 10, inet_fold(inet_sum(ip, hlen, 0)));
	}
}

/* The layout of the kernel: vnet header, link header, packet. */
static struct frame_meta describe(struct rd *r, unsigned what, uint8_t **ret_buf)
{
	struct ring_rx ring = {
		.has_l2 = what & HAS_L2,
		.offload = what & OFFLOAD,
		.ethertype = what & IPV6 ? ETH_P_IPV6 : ETH_P_IP,
	};
	uint32_t l2_len = ring.has_l2 ? ETH_HLEN : 0, head;
	struct ring_frame f = {
		.vlan_tci = rd_u16be(r),
		.pkttype = what & CUT ? rd_u8(r) : PACKET_MULTICAST,
		.l2_len = l2_len,
	};
	struct frame_meta m;
	size_t len;

	if (what & NOT_READY)
		f.status |= TP_STATUS_CSUMNOTREADY;
	if (what & VALID)
		f.status |= TP_STATUS_CSUM_VALID;
	if (what & TAGGED)
		f.status |= TP_STATUS_VLAN_VALID;
	head = l2_len + (ring.offload ? VNET_LEN : 0);
	*ret_buf = fuzz_rest(r, &len);
	if (len < head) {
		free(*ret_buf);
		*ret_buf = NULL;
		return (struct frame_meta){0};
	}
	f.mac = *ret_buf + head - l2_len;
	f.caplen = (uint32_t)(len - head + l2_len);
	f.len = f.caplen + (what & CUT ? f.vlan_tci % 3 : 0);
	ring_rx_describe(&ring, &f, &m);
	fuzz_assert(m.l3 + m.l3_caplen == *ret_buf + len);
	if (!(what & SPOILT))
		seal(m.l3, m.l3_caplen);
	return m;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint32_t mtus[] = {
		1500, 1280, 576, 68, 9000, 65535, 21, UINT32_MAX};
	struct rd r = rd_init(data, size);
	unsigned what = rd_u8(&r);
	uint32_t mtu = mtus[fuzz_below(&r, array_len(mtus))];
	uint32_t narrow = mtus[fuzz_below(&r, array_len(mtus))];
	_cleanup_(freep) uint8_t *buf = NULL;
	struct frame_meta m = describe(&r, what, &buf);
	struct frame f;
	enum verdict v;

	if (!buf || m.l3_caplen > 66000)
		return 0;
	v = frame_parse(&m, mtu, &f);
	fuzz_assert(v <= VERDICT_SUPERFRAME || v == VERDICT_FORWARDED);
	if (v != VERDICT_FORWARDED)
		return 0;
	check_frame(&m, &f, mtu);
	check_ttl(&f, m.l3_caplen);
	check_checksum(&f);
	check_vnet(&f);
	if (!f.gso_size)
		check_fragments(&f, narrow);
	check_pieces(&f, mtu);
	return 0;
}
