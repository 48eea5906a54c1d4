/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Frames for the identity test, see identity_gen.h. A flow consists of spells: for a
 * few dozen packets it keeps kind, size, TTL and so on, except for single packets that
 * differ in one respect. gen_next() takes some packets of one flow, then of another.
 */

#include "identity_gen.h"

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/inet.h"

#include <linux/virtio_net.h>
#include <string.h>

#define IP     (GEN_VNET + GEN_L2)
#define UDP    17
#define MTU    1500
#define MTU_V6 1280 /* RFC 8200 5 */
#define DF     0x4000
#define MF     0x2000
#define UNUSED 0x8000

enum kind {
	KIND_UDP,
	KIND_SUPER,
	KIND_OPTIONS, /* IPv6: extension headers */
	KIND_FRAGMENTS,
	KIND_PROTO,  /* not UDP */
	KIND_LENGTH, /* the UDP length is less than the IP length */
	KIND_PADDED, /* bytes after the packet */
};

enum csum {
	CSUM_RIGHT,
	CSUM_PARTIAL,
	CSUM_ZERO,
	CSUM_WRONG,
};

enum ids {
	IDS_IN_TURN,
	IDS_JUMP,
	IDS_STAY,
	IDS_RISE, /* a counter that other flows also use */
};

/* properties that the packets of a spell share */
struct ways {
	enum kind kind;
	enum csum csum;
	enum ids ids;
	bool any_csum, any_size;
	uint8_t ttl, tos, proto;
	uint16_t flags; /* of IPv4 */
	uint16_t size;	/* payload of UDP */
	uint32_t label;
	uint16_t port[2];
	unsigned short_each; /* one in so many is shorter; 0 if none is */
	unsigned fec_each;   /* one in so many has another port; 0 if none has */
};

struct flow {
	unsigned left; /* packets left in this spell */
	unsigned n;
	uint16_t id, frag_off;
	struct ways ways;
};

struct gen {
	struct rng rng;
	bool super_frames;
	unsigned current, left; /* flow being sent, and its packets left to send */
	struct flow flow[GEN_FLOWS];
};

static uint64_t below(struct gen *g, uint64_t n)
{
	return rng_below(&g->rng, n);
}

static bool one_of(struct gen *g, unsigned n)
{
	return below(g, n) == 0;
}

static void put16(uint8_t *p, unsigned v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static unsigned get16(const uint8_t *p)
{
	return (unsigned)p[0] << 8 | p[1];
}

static bool is_v6(unsigned flow)
{
	return flow & 1;
}

struct gen *gen_new(uint64_t seed, bool super_frames)
{
	struct gen *g = calloc(1, sizeof(*g));

	if (!g)
		return NULL;
	rng_seed(&g->rng, seed);
	g->super_frames = super_frames;
	return g;
}

struct gen *gen_free(struct gen *g)
{
	free(g);
	return NULL;
}

/* Spells */

static uint16_t any_size(struct gen *g, unsigned flow)
{
	unsigned most = MTU - (is_v6(flow) ? 48 : 28);
	const unsigned usual[] = {1316, 1328, 1200, 188, 64, most, most};

	switch (below(g, 4)) {
	case 0:
		return (uint16_t)below(g, 33);
	case 1:
		return (uint16_t)below(g, most + 1);
	default:
		return (uint16_t)usual[below(g, array_len(usual))];
	}
}

static enum kind any_kind(struct gen *g)
{
	unsigned n = (unsigned)below(g, 100);

	if (n < 72)
		return KIND_UDP;
	if (n < 77)
		return g->super_frames ? KIND_SUPER : KIND_UDP;
	if (n < 82)
		return KIND_OPTIONS;
	if (n < 89)
		return KIND_FRAGMENTS;
	if (n < 93)
		return KIND_PROTO;
	return n < 95 ? KIND_LENGTH : KIND_PADDED;
}

static enum csum any_csum(struct gen *g)
{
	unsigned n = (unsigned)below(g, 10);

	if (n < 6)
		return CSUM_RIGHT;
	if (n < 8)
		return CSUM_PARTIAL;
	return n < 9 ? CSUM_ZERO : CSUM_WRONG;
}

static uint8_t any_ttl(struct gen *g)
{
	const uint8_t ttl[] = {64, 64, 63, 255, 16, 8, 4, 3, 2, 1};

	return ttl[below(g, array_len(ttl))];
}

static uint16_t any_flags(struct gen *g)
{
	const uint16_t flags[] = {0, DF, DF, 0, DF, 0, UNUSED, UNUSED | DF};

	return flags[below(g, array_len(flags))];
}

static void begin_spell(struct gen *g, unsigned i)
{
	static const uint8_t proto[] = {1, 4, 6, 47, 50, 132, 136, 253};
	struct flow *f = &g->flow[i];

	f->left = 1 + (unsigned)below(g, one_of(g, 4) ? 400 : 60);
	f->frag_off = 0;
	if (one_of(g, 8)) /* soon wraps around */
		f->id = (uint16_t)(0xffffu - below(g, 40));
	f->ways = (struct ways){
		.kind = any_kind(g),
		.csum = any_csum(g),
		.ids = (enum ids)below(g, 4),
		.any_csum = one_of(g, 6),
		.any_size = one_of(g, 4),
		.ttl = any_ttl(g),
		.tos = one_of(g, 2) ? 0 : (uint8_t)below(g, 256),
		.proto = proto[below(g, array_len(proto))],
		.flags = any_flags(g),
		.size = any_size(g, i),
		.label = one_of(g, 2) ? 0 : (uint32_t)below(g, 1 << 20),
		.port = {(uint16_t)(4000 + below(g, 3)),
			(uint16_t)(5000 + below(g, 3))},
		.short_each = one_of(g, 3) ? 0 : 2 + (unsigned)below(g, 80),
		.fec_each = one_of(g, 2) ? 0 : 2 + (unsigned)below(g, 12),
	};
	if (f->ways.kind == KIND_SUPER) /* each packet is many datagrams */
		f->left = 1 + (unsigned)below(g, 8);
}

/* Changes one property for a single packet. */
static void deviate(struct gen *g, unsigned flow, struct ways *w)
{
	switch (below(g, 10)) {
	case 0:
		w->csum = any_csum(g);
		break;
	case 1:
		w->ttl++;
		break;
	case 2:
		w->tos ^= (uint8_t)(1u << below(g, 8));
		break;
	case 3:
		w->flags ^= one_of(g, 4) ? UNUSED : DF;
		break;
	case 4:
		w->size = any_size(g, flow);
		break;
	case 5:
		w->label ^= 1u << below(g, 20);
		break;
	case 6:
		w->port[below(g, 2)] ^= 1;
		break;
	case 7:
		w->ids = IDS_JUMP;
		break;
	case 8:
		w->size = (uint16_t)(w->size > 0 ? w->size - 1 : 1);
		break;
	case 9:
		w->kind = any_kind(g);
		break;
	}
}

/* Packets; `p` is where the next byte goes */

static uint8_t *fill(struct gen *g, uint8_t *p, size_t n)
{
	for (; n >= 8; n -= 8, p += 8) {
		uint64_t v = rng_next(&g->rng);

		memcpy(p, &v, 8);
	}
	while (n-- > 0)
		*p++ = (uint8_t)n;
	return p;
}

static uint16_t next_id(struct gen *g, struct flow *f, const struct ways *w)
{
	if (w->ids == IDS_JUMP)
		f->id = (uint16_t)below(g, 65536);
	else if (w->ids == IDS_IN_TURN)
		f->id++;
	else if (w->ids == IDS_RISE)
		f->id = (uint16_t)(f->id + 1 + below(g, 9));
	return f->id;
}

static uint8_t *put_options(struct gen *g, uint8_t *p)
{
	static const uint8_t route[7] = {7, 7, 4}, stamp[8] = {68, 8, 5},
			     alert[4] = {148, 4}, other[5] = {158, 5, 1, 2, 3};
	static const struct {
		const uint8_t *bytes;
		size_t len;
	} option[] = {{route, 7}, {stamp, 8}, {alert, 4}, {other, 5}};
	uint8_t *start = p;

	for (unsigned n = 1 + (unsigned)below(g, 4); n > 0; n--) {
		unsigned k = (unsigned)below(g, array_len(option));

		memcpy(p, option[k].bytes, option[k].len);
		p += option[k].len;
		if (one_of(g, 3))
			*p++ = 1;
	}
	while ((p - start) % 4)
		*p++ = 0;
	return p;
}

static uint8_t *put_v4(
	struct gen *g, unsigned flow, const struct ways *w, uint8_t *p, uint16_t id)
{
	uint8_t *ip = p;

	memset(p, 0, 20);
	ip[1] = w->tos;
	put16(ip + 4, id);
	put16(ip + 6, w->flags);
	ip[8] = w->ttl;
	ip[9] = w->kind == KIND_PROTO ? w->proto : UDP;
	memcpy(ip + 12, "\x0a\0\0", 3);
	ip[15] = (uint8_t)(6 + (flow >> 1 & 1));
	memcpy(ip + 16, "\xef\x4d", 2);
	put16(ip + 18, flow >> 2);
	p += 20;
	if (w->kind == KIND_OPTIONS)
		p = put_options(g, p);
	ip[0] = (uint8_t)(0x40 | (p - ip) / 4);
	return p;
}

/* Hop-by-hop and destination options, one or both, filled with PadN. */
static uint8_t *put_extensions(struct gen *g, uint8_t *p, uint8_t *next)
{
	unsigned which = 1 + (unsigned)below(g, 3);

	for (unsigned i = 0; i < 2; i++) {
		if (!(which & 1u << i))
			continue;
		*next = i == 0 ? 0 : 60;
		memset(p, 0, 16);
		p[1] = (uint8_t)below(g, 2);
		p[2] = 1;
		p[3] = (uint8_t)(p[1] ? 12 : 4);
		next = p;
		p += 8 + p[1] * 8;
	}
	*next = UDP;
	return p;
}

static uint8_t *put_v6(struct gen *g, unsigned flow, const struct ways *w, uint8_t *p)
{
	uint8_t *ip = p;

	memset(p, 0, 40);
	put16(ip, 0x6000u | (unsigned)w->tos << 4 | w->label >> 16);
	put16(ip + 2, w->label & 0xffff);
	ip[6] = w->kind == KIND_PROTO ? w->proto : UDP;
	ip[7] = w->ttl;
	memcpy(ip + 8, "\x20\x01\x0d\xb8", 4);
	ip[23] = (uint8_t)(6 + (flow >> 1 & 1));
	memcpy(ip + 24, "\xff\x0e", 2);
	ip[37] = 0x77;
	put16(ip + 38, flow >> 2);
	p += 40;
	return w->kind == KIND_OPTIONS ? put_extensions(g, p, &ip[6]) : p;
}

static uint32_t pseudo_sum(const uint8_t *ip, unsigned l4_len)
{
	uint32_t sum = UDP + l4_len;

	return ip[0] >> 4 == 4 ? inet_sum(ip + 12, 8, sum) : inet_sum(ip + 8, 32, sum);
}

static void put_checksum(
	struct gen *g, const uint8_t *ip, uint8_t *udp, size_t len, enum csum csum)
{
	uint16_t right;

	put16(udp + 6, 0);
	right = inet_fold(inet_sum(udp, len, pseudo_sum(ip, (unsigned)len)));
	if (right == 0)
		right = 0xffff;
	switch (csum) {
	case CSUM_RIGHT:
		put16(udp + 6, right);
		break;
	case CSUM_PARTIAL:
		put16(udp + 6, (uint16_t)~inet_fold(pseudo_sum(ip, (unsigned)len)));
		break;
	case CSUM_ZERO:
		break;
	case CSUM_WRONG:
		put16(udp + 6, right ^ (1u << below(g, 16)));
		break;
	}
}

static void put_vnet(uint8_t *room, const uint8_t *udp, uint16_t gso_size)
{
	struct virtio_net_hdr h = {
		.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
		.gso_type =
			gso_size ? VIRTIO_NET_HDR_GSO_UDP_L4 : VIRTIO_NET_HDR_GSO_NONE,
		.gso_size = gso_size,
		.hdr_len = (uint16_t)(udp + 8 - (room + GEN_VNET)),
		.csum_start = (uint16_t)(udp - (room + GEN_VNET)),
		.csum_offset = 6,
	};

	memcpy(room, &h, GEN_VNET);
}

static void put_link(uint8_t *room, unsigned flow)
{
	const uint8_t *ip = room + IP;
	uint8_t *l2 = room + GEN_VNET;

	memcpy(l2, is_v6(flow) ? "\x33\x33" : "\x01\x00", 2);
	memcpy(l2 + 2, is_v6(flow) ? ip + 36 : ip + 16, 4);
	if (!is_v6(flow)) {
		l2[2] = 0x5e;
		l2[3] &= 0x7f;
	}
	memcpy(l2 + 6, "\x02\0\0\0\0\x01", 6);
	put16(l2 + 12, is_v6(flow) ? 0x86dd : 0x0800);
}

/* Lengths and header checksum of the packet that ends at p. */
static void seal(uint8_t *ip, const uint8_t *p)
{
	size_t hlen = (ip[0] & 0x0fu) * 4u;

	if (ip[0] >> 4 == 6) {
		put16(ip + 4, (unsigned)(p - ip - 40));
		return;
	}
	put16(ip + 2, (unsigned)(p - ip));
	put16(ip + 10, 0);
	put16(ip + 10, inet_fold(inet_sum(ip, hlen, 0)));
}

/* A fragment, in turn: first, some in the middle, last. */
static uint8_t *put_fragment(
	struct gen *g, struct flow *f, const struct ways *w, uint8_t *ip, uint8_t *p)
{
	bool last = f->frag_off > 0 && one_of(g, 4);
	unsigned units = w->size / 8 ? w->size / 8 : 1;
	unsigned off = f->frag_off;

	if (off + units > 0x1000)
		last = true;
	if (ip[0] >> 4 == 6) {
		p[0] = UDP;
		p[1] = 0;
		put16(p + 2, off << 3 | !last);
		memset(p + 4, 0, 2);
		put16(p + 6, f->id);
		ip[6] = 44;
		p += 8;
		if (units * 8 > MTU - 48)
			units--;
	} else {
		put16(ip + 6, w->flags | (last ? 0 : MF) | off);
	}
	f->frag_off = (uint16_t)(last ? 0 : off + units);
	return fill(g, p, last ? 1 + below(g, units * 8) : units * 8);
}

static unsigned max_pieces(size_t head, unsigned size)
{
	size_t most = (65000 - head) / size;

	return most < 60 ? (unsigned)most : 60;
}

static uint8_t *put_udp(struct gen *g, const struct ways *w, uint8_t *room, uint8_t *p,
	struct gen_frame *ret)
{
	uint8_t *udp = p;
	size_t size = w->size, len;

	if (w->kind == KIND_SUPER) {
		ret->gso_size = (uint16_t)(size ? size : 1);
		ret->n_packets = 2 +
			(unsigned)below(
				g, max_pieces((size_t)(p - room), ret->gso_size) - 1);
		size = (size_t)ret->gso_size * ret->n_packets;
		size -= one_of(g, 2) ? below(g, ret->gso_size) : 0;
	}
	put16(udp, w->port[0]);
	put16(udp + 2, w->port[1]);
	p = fill(g, p + 8, size);
	len = (size_t)(p - udp);
	if (w->kind == KIND_LENGTH)
		len = 8 + below(g, size + 1);
	put16(udp + 4, (unsigned)len);
	return p;
}

/* Writes the checksum last, because it covers the addresses. Partial ones use the vnet
 * header. */
static void end_udp(struct gen *g, const struct ways *w, uint8_t *room, uint8_t *udp,
	const struct gen_frame *f)
{
	enum csum csum = w->any_csum ? any_csum(g) : w->csum;

	if (f->n_packets > 1)
		csum = CSUM_PARTIAL;
	put_checksum(g, room + IP, udp, get16(udp + 4), csum);
	if (csum == CSUM_PARTIAL)
		put_vnet(room, udp, f->gso_size);
}

static void build(struct gen *g, unsigned flow, const struct ways *w, uint8_t *room,
	struct gen_frame *ret)
{
	struct flow *f = &g->flow[flow];
	uint16_t id = next_id(g, f, w);
	uint8_t *ip = room + IP, *p, *l4;

	*ret = (struct gen_frame){.flow = flow, .n_packets = 1, .bytes = room};
	memset(room, 0, GEN_VNET);
	p = l4 = is_v6(flow) ? put_v6(g, flow, w, ip) : put_v4(g, flow, w, ip, id);
	if (w->kind == KIND_FRAGMENTS)
		p = put_fragment(g, f, w, ip, p);
	else if (w->kind == KIND_PROTO)
		p = fill(g, p, 8 + w->size);
	else
		p = put_udp(g, w, room, p, ret);
	seal(ip, p);
	if (w->kind != KIND_FRAGMENTS && w->kind != KIND_PROTO)
		end_udp(g, w, room, l4, ret);
	put_link(room, flow);
	if (w->kind == KIND_PADDED)
		p = fill(g, p, 1 + below(g, 18));
	ret->len = (size_t)(p - room);
}

/* Leaves some of the MTU for headers and padding. */
static void fit(struct ways *w)
{
	unsigned room = MTU - 48;

	if (w->kind == KIND_OPTIONS || w->kind == KIND_PADDED)
		room -= 40;
	if (w->kind != KIND_UDP && w->kind != KIND_SUPER && w->size > room)
		w->size = (uint16_t)room;
}

void gen_next(struct gen *g, uint8_t *room, struct gen_frame *ret)
{
	struct flow *f;
	struct ways w;

	if (g->left == 0) {
		g->current = (unsigned)below(g, GEN_FLOWS);
		g->left = one_of(g, 2) ? 1 + (unsigned)below(g, 4)
				       : 1 + (unsigned)below(g, 100);
	}
	g->left--;
	f = &g->flow[g->current];
	if (f->left == 0)
		begin_spell(g, g->current);
	f->left--;
	f->n++;
	w = f->ways;
	if (w.any_size)
		w.size = any_size(g, g->current);
	if (w.short_each && f->n % w.short_each == 0)
		w.size = (uint16_t)below(g, w.size + 1u);
	if (w.fec_each && f->n % w.fec_each == 0) {
		w.port[1] = (uint16_t)(w.port[1] + 2);
		w.size = (uint16_t)(w.size < 1400 ? w.size + 16 : w.size);
	}
	if (one_of(g, 20))
		deviate(g, g->current, &w);
	fit(&w);
	build(g, g->current, &w, room, ret);
}

void gen_last(struct gen *g, unsigned flow, uint8_t *room, struct gen_frame *ret)
{
	build(g, flow, &(struct ways){.ttl = 9, .size = 100, .port = {4000, 5000}},
		room, ret);
}

/* Expected result of a frame */

size_t gen_due(const struct gen_frame *f, unsigned mtu, unsigned threshold)
{
	const uint8_t *ip = f->bytes + IP;
	bool v4 = ip[0] >> 4 == 4;
	size_t hlen = v4 ? (ip[0] & 0x0fu) * 4u : 40;
	size_t left = (v4 ? get16(ip + 2) : get16(ip + 4) + 40) - hlen, due = 0;
	bool rigid = !v4 || (get16(ip + 6) & DF);

	if (ip[v4 ? 8 : 7] <= 1 || ip[v4 ? 8 : 7] <= threshold)
		return 0;
	if (!v4 && mtu < MTU_V6)
		return 0; /* the link has no IPv6 */
	if (f->n_packets == 1)
		return rigid && hlen + left > mtu ? 0 : left;
	left -= 8;
	for (unsigned i = 0; i < f->n_packets; i++) {
		size_t n = left < f->gso_size ? left : f->gso_size;

		left -= n;
		if (!rigid || hlen + 8 + n <= mtu)
			due += 8 + n;
	}
	return due;
}

unsigned gen_flow(const uint8_t *ip, size_t len)
{
	bool v4 = len >= 20 && ip[0] >> 4 == 4 && memcmp(ip + 16, "\xef\x4d", 2) == 0;
	bool v6 = len >= 40 && ip[0] >> 4 == 6 && memcmp(ip + 24, "\xff\x0e", 2) == 0;
	unsigned flow;

	if (!v4 && !v6)
		return GEN_FLOWS;
	flow = v4 ? get16(ip + 18) << 2 | (ip[15] - 6u) << 1
		  : get16(ip + 38) << 2 | (ip[23] - 6u) << 1 | 1;
	return flow < GEN_FLOWS ? flow : GEN_FLOWS;
}
