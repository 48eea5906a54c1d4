/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Captured packets to streams, see quality_streams.h. */

#include "tools/replay/quality_streams.h"

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/inet.h"

#include <errno.h>
#include <stdlib.h>

#define EXT_HEADERS_MAX 8
/* More than a frame of 1,500 bytes carries: the kernel has joined datagrams. */
#define PAYLOAD_MAX 1472u

struct udp {
	struct addr source, group;
	const uint8_t *payload;
	size_t captured, len;
	uint16_t port;
	bool fragment;
};

void quality_streams_init(struct quality_streams *s)
{
	*s = (struct quality_streams){0};
	table_init(&s->table, 1); /* the same output every time */
}

void quality_streams_deinit(struct quality_streams *s)
{
	for (size_t i = 0; i < s->n; i++)
		free(s->stream[i]);
	free(s->stream);
	table_deinit(&s->table);
}

/* ---- packets ---- */

/* Returns false if it is not UDP. `at` is the UDP header, up to `end` of the packet. */
static bool parse_udp(
	const struct capture_packet *p, size_t at, size_t end, struct udp *u)
{
	const uint8_t *ip = p->ip;
	size_t len;

	if (end > p->wire_len)
		end = p->wire_len;
	if (at + UDP_HLEN > p->len || at + UDP_HLEN > end)
		return false;
	len = get_u16be(ip + at + 4);
	/* a super-frame may be longer than its field says */
	if (len < UDP_HLEN || at + len > end)
		len = end - at;
	u->port = get_u16be(ip + at + 2);
	u->payload = ip + at + UDP_HLEN;
	u->len = len - UDP_HLEN;
	u->captured = p->len - at - UDP_HLEN;
	if (u->captured > u->len)
		u->captured = u->len;
	return true;
}

static bool parse_ipv4(const struct capture_packet *p, struct udp *u)
{
	const uint8_t *ip = p->ip;
	size_t hlen, end;

	if (p->len < IPV4_HLEN)
		return false;
	hlen = (ip[0] & 15u) * 4;
	end = get_u16be(ip + 2);
	if (hlen < IPV4_HLEN || ip[9] != PROTO_UDP)
		return false;
	u->source = addr_from_v4(ip + 12);
	u->group = addr_from_v4(ip + 16);
	u->fragment = get_u16be(ip + 6) & (IPV4_MF | IPV4_OFF_MASK);
	if (u->fragment)
		return true;
	return parse_udp(p, hlen, end ? end : p->wire_len, u);
}

static bool parse_ipv6(const struct capture_packet *p, struct udp *u)
{
	const uint8_t *ip = p->ip;
	size_t at = IPV6_HLEN, end;
	uint8_t next;

	if (p->len < IPV6_HLEN)
		return false;
	memcpy(u->source.b, ip + 8, 16);
	memcpy(u->group.b, ip + 24, 16);
	end = get_u16be(ip + 4);
	end = end ? IPV6_HLEN + end : p->wire_len;
	next = ip[6];
	for (unsigned n = 0; n < EXT_HEADERS_MAX && next != PROTO_UDP; n++) {
		if (next == PROTO_FRAGMENT)
			u->fragment = true;
		if (u->fragment)
			return true;
		if ((next != PROTO_HOPOPTS && next != PROTO_ROUTING &&
			    next != PROTO_DSTOPTS) ||
			at + 8 > p->len)
			return false;
		next = ip[at];
		at += ip[at + 1] * 8u + 8;
	}
	return next == PROTO_UDP && parse_udp(p, at, end, u);
}

/* ---- super-frames ---- */

/* Is the RTP header at `at` the one that comes `n` datagrams after the first? */
static bool follows(const struct udp *u, size_t at, unsigned n)
{
	const uint8_t *a = u->payload, *b = u->payload + at;

	return at + 12 <= u->captured && b[0] >> 6 == 2 &&
		(a[1] & 127) == (b[1] & 127) &&
		get_u16be(b + 2) == ((get_u16be(a + 2) + n) & 0xffff) &&
		memcmp(a + 8, b + 8, 4) == 0;
}

/* Bytes of payload in each datagram of it. */
static size_t segment(const struct udp *u)
{
	const uint8_t *p = u->payload;

	if (u->len <= PAYLOAD_MAX || u->captured < 13)
		return u->len;
	for (size_t ts = 188; ts <= 204; ts += 16)
		if (u->len % (7 * ts) == 0 && u->captured > ts && p[0] == 0x47 &&
			p[ts] == 0x47)
			return 7 * ts;
	for (size_t size = 13; p[0] >> 6 == 2 && size <= PAYLOAD_MAX; size++) {
		unsigned n = 1;

		while (n * size < u->len && follows(u, n * size, n))
			n++;
		if (n * size >= u->len)
			return size;
	}
	return u->len;
}

/* ---- streams ---- */

static uint64_t hash_of(const struct quality_streams *s, const struct udp *u)
{
	uint8_t key[34];

	memcpy(key, u->source.b, 16);
	memcpy(key + 16, u->group.b, 16);
	put_u16be(key + 32, u->port);
	return table_hash(&s->table, key, sizeof(key));
}

static bool is_of(const struct quality_stream *st, const struct udp *u)
{
	return addr_eq(&st->source, &u->source) && addr_eq(&st->group, &u->group) &&
		st->port == u->port;
}

static int add(struct quality_streams *s, const struct udp *u, uint64_t hash,
	struct quality_stream **ret)
{
	struct quality_stream *st = malloc(sizeof(*st));

	if (!st || array_reserve(s->stream, s->cap, s->n + 1, 16) < 0 ||
		table_insert(&s->table, &st->node, hash) < 0) {
		free(st);
		return -ENOMEM;
	}
	st->source = u->source;
	st->group = u->group;
	st->port = u->port;
	st->super_frames = 0;
	quality_init(&st->q);
	s->stream[s->n++] = *ret = st;
	return 0;
}

static int find(
	struct quality_streams *s, const struct udp *u, struct quality_stream **ret)
{
	uint64_t hash = hash_of(s, u);
	struct table_node *n;

	for (n = table_find(&s->table, hash); n; n = table_next(n)) {
		*ret = container_of(n, struct quality_stream, node);
		if (is_of(*ret, u))
			return 0;
	}
	*ret = NULL;
	if (s->n < STREAMS_MAX)
		return add(s, u, hash, ret);
	s->other++;
	return 0;
}

int quality_streams_put(struct quality_streams *s, const struct capture_packet *p)
{
	struct quality_stream *st;
	struct udp u = {0};
	size_t size, at = 0;
	int e;

	if (!p->ip ||
		!(p->family == FAMILY_IPV4 ? parse_ipv4(p, &u) : parse_ipv6(p, &u)) ||
		!addr_is_multicast(&u.group) || addr_is_local_group(&u.group))
		return 0;
	s->fragments += u.fragment;
	if (u.fragment)
		return 0;
	e = find(s, &u, &st);
	if (e < 0 || !st)
		return e;
	size = segment(&u);
	st->super_frames += size < u.len;
	do {
		size_t len = u.len - at < size ? u.len - at : size;
		size_t captured = at < u.captured ? u.captured - at : 0;

		quality_datagram(&st->q, u.payload + (captured ? at : 0),
			captured < len ? captured : len, len, p->at);
		at += size;
	} while (at < u.len);
	return 0;
}

void quality_streams_end(struct quality_streams *s)
{
	for (size_t i = 0; i < s->n; i++)
		quality_until(&s->stream[i]->q, s->stream[i]->q.arrival.last);
}
