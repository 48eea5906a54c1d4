/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Runs of datagrams, see coalesce.h; called by forward_burst() for each flow that goes
 * somewhere, behind rewrite_ttl(). The kernel cuts a super-frame by giving each piece
 * the first headers with its own length, identification and checksum (inet_gso_segment,
 * __udp_gso_segment): whatever these cannot bring back is not joined. RFC 768 for the
 * checksum that is 0, RFC 6864 for identifications, RFC 6437 for flow labels.
 */

#include "dataplane/forward/coalesce.h"

#include "base/bytes.h"
#include "dataplane/packet/rewrite.h"

#define PROTO_UDP 17
#define UDP_HLEN  8
#define IPV4_HLEN 20
#define IPV6_HLEN 40
#define IPV4_DF	  0x40

/* Of a super-frame: the link header must fit into the 64 KiB, too. */
#define IP_LEN_MAX 65500u
/* A device queue or backlog takes some hundred packets at once; more would be lost
 * behind our back. Also what the kernel lets a UDP socket send. */
#define SEGMENTS_MAX 64u

void coalesce_clear(struct coalesce *c)
{
	c->n_runs = c->n_iov = 0;
}

static uint32_t payload_len(const struct frame *f)
{
	return f->ip_len - f->l4_off - UDP_HLEN;
}

/* A frame that may be part of a run at all, but for the value of its checksum. */
static bool is_candidate(const struct frame *f)
{
	unsigned hlen = f->family == FAMILY_IPV4 ? IPV4_HLEN : IPV6_HLEN;
	const uint8_t *udp = f->ip + hlen;

	return f->proto == PROTO_UDP && !f->fragment && !f->gso_size &&
		f->l4_off == hlen && f->ip_len > hlen + UDP_HLEN &&
		get_u16be(udp + 4) == f->ip_len - hlen &&
		(f->csum_not_ready || get_u16be(udp + 6) != 0);
}

static bool follows_v4(const uint8_t *a, const uint8_t *b, enum coalesce_mode mode)
{
	bool in_turn = (uint16_t)(get_u16be(a + 4) + 1) == get_u16be(b + 4);

	/* version, length of header, TOS; flags, offset, TTL, protocol */
	return memcmp(a, b, 2) == 0 && memcmp(a + 6, b + 6, 4) == 0 &&
		(in_turn || (mode == COALESCE_ON && (a[6] & IPV4_DF)));
}

static bool follows_v6(const uint8_t *a, const uint8_t *b)
{
	/* version, traffic class, flow label; next header, hop limit */
	return memcmp(a, b, 4) == 0 && memcmp(a + 6, b + 6, 2) == 0;
}

/* May b stand right behind a? Addresses are those of the flow. */
static bool follows(
	const struct frame *a, const struct frame *b, enum coalesce_mode mode)
{
	bool ip = a->family == FAMILY_IPV4 ? follows_v4(a->ip, b->ip, mode)
					   : follows_v6(a->ip, b->ip);

	return ip && memcmp(a->ip + a->l4_off, b->ip + b->l4_off, 4) == 0;
}

static bool checksum_good(struct frame *f)
{
	return f->csum_not_ready || f->csum_valid || rewrite_verify_checksum(f);
}

static uint16_t next_frame(const struct burst *b, uint16_t i)
{
	do {
		i = (uint16_t)b->frame[i].next;
	} while (i < BURST_MAX && b->frame[i].drop);
	return i;
}

/* Frames from `first` on that make one run; *ret_next is the frame behind it. */
static unsigned measure(const struct burst *b, uint16_t first, enum coalesce_mode mode,
	uint16_t *ret_next)
{
	const struct frame *last = &b->frame[first].f;
	uint32_t size, len = last->ip_len;
	uint16_t i = next_frame(b, first);
	unsigned n = 1;

	*ret_next = i;
	if (i == BURST_MAX || mode == COALESCE_OFF || !is_candidate(last))
		return 1;
	size = payload_len(last);
	while (i < BURST_MAX && n < SEGMENTS_MAX && payload_len(last) == size) {
		const struct frame *f = &b->frame[i].f;

		if (!is_candidate(f) || payload_len(f) > size ||
			len + payload_len(f) > IP_LEN_MAX || !follows(last, f, mode))
			break;
		len += payload_len(f);
		last = f;
		n++;
		i = next_frame(b, i);
	}
	*ret_next = i;
	return n;
}

/* The same, less what a wrong checksum takes away: such a datagram goes alone. */
static unsigned verify(struct burst *b, uint16_t first, unsigned n, uint16_t *ret_next)
{
	uint16_t i = first;

	for (unsigned k = 0; k < n; k++) {
		if (!checksum_good(&b->frame[i].f)) {
			if (k == 0)
				i = next_frame(b, i);
			*ret_next = i;
			return k == 0 ? 1 : k;
		}
		i = next_frame(b, i);
	}
	return n;
}

static void make_head(uint8_t *head, const struct frame *f, uint32_t payload)
{
	unsigned hlen = f->l4_off;
	uint8_t *udp = head + hlen;
	unsigned udp_len = UDP_HLEN + payload;

	memcpy(head, f->ip, hlen + UDP_HLEN);
	if (f->family == FAMILY_IPV4) {
		put_u16be(head + 2, hlen + udp_len);
		put_u16be(head + 10, 0);
		put_u16be(head + 10, inet_fold(inet_sum(head, hlen, 0)));
	} else {
		put_u16be(head + 4, udp_len);
	}
	put_u16be(udp + 4, udp_len);
	/* of the pseudo header; who cuts does the rest */
	put_u16be(udp + 6, (uint16_t)~inet_fold(rewrite_pseudo_sum(f, udp_len)));
}

static void add_iov(struct coalesce *c, struct run *r, void *base, size_t len)
{
	c->iov[c->n_iov++] = (struct iovec){base, len};
	r->n_iov++;
}

static void add_run(
	struct coalesce *c, const struct burst *b, uint16_t first, unsigned n)
{
	const struct frame *f = &b->frame[first].f;
	struct run *r = &c->run[c->n_runs];
	uint8_t *head = c->head[c->n_runs++];
	unsigned head_len = f->l4_off + UDP_HLEN;
	uint32_t payload = 0;
	uint16_t i = first;

	*r = (struct run){
		.first = first,
		.n = (uint16_t)n,
		.iov = &c->iov[c->n_iov],
		.bytes = f->ip_len,
	};
	if (n == 1) {
		r->gso_size = f->gso_size; /* came as a super-frame */
		r->bytes += (frame_n_packets(f) - 1) * head_len;
		add_iov(c, r, f->ip, f->ip_len);
		return;
	}
	r->bytes = 0;
	r->gso_size = (uint16_t)payload_len(f);
	add_iov(c, r, head, head_len);
	for (unsigned k = 0; k < n; k++) {
		const struct frame *p = &b->frame[i].f;

		add_iov(c, r, p->ip + head_len, payload_len(p));
		payload += payload_len(p);
		r->bytes += p->ip_len;
		i = next_frame(b, i);
	}
	make_head(head, f, payload);
}

unsigned coalesce_flow(struct coalesce *c, struct burst *b, const struct burst_flow *fl,
	enum coalesce_mode mode)
{
	uint16_t i = (uint16_t)fl->first, next;
	unsigned before = c->n_runs;

	if (i < BURST_MAX && b->frame[i].drop)
		i = next_frame(b, i);
	for (; i < BURST_MAX; i = next) {
		unsigned n = measure(b, i, mode, &next);

		if (n > 1)
			n = verify(b, i, n, &next);
		add_run(c, b, i, n);
	}
	return c->n_runs - before;
}
