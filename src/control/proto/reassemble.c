/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Fragments of membership messages, see reassemble.h. A message is collected after room
 * for its IP headers, which are those of its first fragment. There is a bit for every
 * eight octets that are there: fragments begin and end at multiples of eight, except
 * the end of the last one.
 */

#include "control/proto/reassemble.h"

#include "base/bytes.h"
#include "base/inet.h"

#include <stdlib.h>
#include <string.h>

#define UNIT 8

#define IPV6_MORE     0x0001
#define IPV6_FRAGMENT 8 /* bytes of a fragment header */

const char *reassemble_name(enum reassemble_result result)
{
	static const char name[_REASSEMBLE_N][12] = {
		[REASSEMBLE_WAIT] = "wait",
		[REASSEMBLE_WHOLE] = "whole",
		[REASSEMBLE_REPEATED] = "repeated",
		[REASSEMBLE_OVERLAP] = "overlap",
		[REASSEMBLE_LARGE] = "large",
		[REASSEMBLE_MEMORY] = "memory",
		[REASSEMBLE_TIMEOUT] = "timeout",
		[REASSEMBLE_ROOM] = "room",
	};

	return name[result];
}

/* ---- parsing ---- */

/* Datagrams that are whole are not fragments, even if they have a fragment header (RFC
 * 8021). */
static bool is_piece(const struct reassemble_piece *p)
{
	return p->len > 0 && (p->last ? p->offset > 0 : p->len % UNIT == 0);
}

static bool parse_ipv4_piece(const uint8_t *p, size_t len, struct reassemble_piece *ret)
{
	size_t header = len < IPV4_HLEN ? 0 : (p[0] & 0x0fu) * 4, total;
	uint16_t fragment;

	if (header < IPV4_HLEN || p[0] >> 4 != 4 || p[9] != PROTO_IGMP)
		return false;
	total = get_u16be(p + 2);
	if (total < header || total > len || inet_fold(inet_sum(p, header, 0)) != 0)
		return false;
	fragment = get_u16be(p + 6);
	*ret = (struct reassemble_piece){
		.host.from = addr_from_v4(p + 12),
		.to = addr_from_v4(p + 16),
		.id = get_u16be(p + 4),
		.last = !(fragment & IPV4_MF),
		.data = p + header,
		.offset = (size_t)(fragment & IPV4_OFF_MASK) * UNIT,
		.len = total - header,
		.header = p,
		.header_len = header,
	};
	return is_piece(ret);
}

/* Looks only after hop-by-hop options, where every legal message has its Router Alert.
 * They are in each fragment. */
static bool parse_ipv6_piece(const uint8_t *p, size_t len, struct reassemble_piece *ret)
{
	const uint8_t *f;
	size_t header, total;

	if (len < IPV6_HLEN + UNIT || p[0] >> 4 != 6 || p[6] != PROTO_HOPOPTS ||
		p[IPV6_HLEN] != PROTO_FRAGMENT)
		return false;
	header = IPV6_HLEN + (p[IPV6_HLEN + 1] + 1u) * UNIT;
	total = IPV6_HLEN + (size_t)get_u16be(p + 4);
	if (header > REASSEMBLE_HEADERS || total > len ||
		total < header + IPV6_FRAGMENT)
		return false;
	f = p + header;
	if (f[0] != PROTO_ICMPV6)
		return false;
	*ret = (struct reassemble_piece){
		.id = (uint32_t)get_u16be(f + 4) << 16 | get_u16be(f + 6),
		.last = !(get_u16be(f + 2) & IPV6_MORE),
		.data = f + IPV6_FRAGMENT,
		.offset = get_u16be(f + 2) & ~(UNIT - 1u),
		.len = total - header - IPV6_FRAGMENT,
		.header = p,
		.header_len = header,
	};
	memcpy(ret->host.from.b, p + 8, sizeof(ret->host.from.b));
	memcpy(ret->to.b, p + 24, sizeof(ret->to.b));
	return is_piece(ret);
}

bool reassemble_parse(enum family family, const uint8_t *packet, size_t len,
	struct reassemble_piece *ret)
{
	return (family == FAMILY_IPV4 ? parse_ipv4_piece : parse_ipv6_piece)(
		packet, len, ret);
}

/* ---- messages ---- */

static void reassemble_forget(struct reassemble_message *m)
{
	free(m->packet);
	*m = (struct reassemble_message){0};
}

void reassemble_deinit(struct reassemble *r)
{
	for (unsigned i = 0; i < REASSEMBLE_MESSAGES; i++)
		reassemble_forget(&r->message[i]);
}

static bool same_sender(const struct admission_host *a, const struct admission_host *b)
{
	if (a->has_mac != b->has_mac)
		return false;
	return a->has_mac ? gm_mac_eq(&a->mac, &b->mac) : addr_eq(&a->from, &b->from);
}

static struct reassemble_message *reassemble_find(
	struct reassemble *r, const struct reassemble_piece *p)
{
	for (unsigned i = 0; i < REASSEMBLE_MESSAGES; i++) {
		struct reassemble_message *m = &r->message[i];

		if (m->used && m->id == p->id && addr_eq(&m->to, &p->to) &&
			addr_eq(&m->host.from, &p->host.from) &&
			same_sender(&m->host, &p->host))
			return m;
	}
	return NULL;
}

static struct reassemble_message *older(
	struct reassemble_message *a, struct reassemble_message *b)
{
	return a && a->number < b->number ? a : b;
}

/* A free place. If there is none, the oldest message of all; if the sender has its
 * share already, its oldest message. */
static struct reassemble_message *place_for(
	struct reassemble *r, const struct admission_host *host)
{
	struct reassemble_message *its = NULL, *any = NULL, *empty = NULL;
	unsigned n = 0;

	for (unsigned i = 0; i < REASSEMBLE_MESSAGES; i++) {
		struct reassemble_message *m = &r->message[i];

		if (!m->used) {
			empty = m;
			continue;
		}
		any = older(any, m);
		if (!same_sender(&m->host, host))
			continue;
		its = older(its, m);
		n++;
	}
	if (n >= REASSEMBLE_OF_SENDER)
		return its;
	return empty ? empty : any;
}

static struct reassemble_message *reassemble_begin(
	struct reassemble *r, mono_t now, const struct reassemble_piece *p)
{
	struct reassemble_message *m = place_for(r, &p->host);

	r->n[REASSEMBLE_ROOM] += m->packet != NULL;
	reassemble_forget(m);
	m->packet = malloc(REASSEMBLE_HEADERS + REASSEMBLE_SIZE);
	if (!m->packet)
		return NULL;
	m->used = true;
	m->host = p->host;
	m->to = p->to;
	m->id = p->id;
	m->number = r->n_begun++;
	m->until = mono_add_ms(now, REASSEMBLE_MS);
	return m;
}

/* ---- pieces ---- */

static bool has_unit(const struct reassemble_message *m, size_t i)
{
	return m->unit[i / 64] >> i % 64 & 1;
}

/* Returns how many of these units have arrived. */
static size_t count_units(const struct reassemble_message *m, size_t from, size_t to)
{
	size_t n = 0;

	for (size_t i = from; i < to; i++)
		n += has_unit(m, i);
	return n;
}

/* Does the piece agree with the end of the message? Only the last fragment reaches
 * it. */
static bool fits_end(
	const struct reassemble_message *m, const struct reassemble_piece *p)
{
	size_t end = p->offset + p->len;

	if (p->last)
		return m->end ? end == m->end : end >= m->top;
	return !m->end || end < m->end;
}

static enum reassemble_result reassemble_put(
	struct reassemble_message *m, const struct reassemble_piece *p)
{
	uint8_t *at = m->packet + REASSEMBLE_HEADERS + p->offset;
	size_t end = p->offset + p->len;
	size_t from = p->offset / UNIT, to = (end + UNIT - 1) / UNIT, n;

	if (end > REASSEMBLE_SIZE)
		return REASSEMBLE_LARGE;
	if (!fits_end(m, p))
		return REASSEMBLE_OVERLAP;
	n = count_units(m, from, to);
	if (n > 0 && (n < to - from || memcmp(at, p->data, p->len) != 0))
		return REASSEMBLE_OVERLAP;
	if (n > 0)
		return REASSEMBLE_REPEATED;
	memcpy(at, p->data, p->len);
	for (size_t i = from; i < to; i++)
		m->unit[i / 64] |= UINT64_C(1) << i % 64;
	m->n_units += to - from;
	if (end > m->top)
		m->top = end;
	if (p->last)
		m->end = end;
	if (p->offset == 0) {
		memcpy(m->packet + REASSEMBLE_HEADERS - p->header_len, p->header,
			p->header_len);
		m->header_len = p->header_len;
	}
	return m->end && m->n_units == (m->end + UNIT - 1) / UNIT ? REASSEMBLE_WHOLE
								  : REASSEMBLE_WAIT;
}

/* The headers as the sender would have written them without fragmentation. */
static void mend_headers(uint8_t *p, size_t header_len, size_t len)
{
	if (p[0] >> 4 == 4) {
		put_u16be(p + 2, (unsigned)len);
		put_u16be(p + 6, 0);
		put_u16be(p + 10, 0);
		put_u16be(p + 10, inet_fold(inet_sum(p, header_len, 0)));
	} else {
		put_u16be(p + 4, (unsigned)(len - IPV6_HLEN));
		p[IPV6_HLEN] = PROTO_ICMPV6;
	}
}

static void reassemble_take(
	struct reassemble_message *m, uint8_t **ret_packet, size_t *ret_len)
{
	uint8_t *packet = m->packet;

	*ret_len = m->header_len + m->end;
	memmove(packet, packet + REASSEMBLE_HEADERS - m->header_len, *ret_len);
	mend_headers(packet, m->header_len, *ret_len);
	m->packet = NULL;
	*ret_packet = packet;
	reassemble_forget(m);
}

static enum reassemble_result add_fragment(struct reassemble *r, mono_t now,
	const struct reassemble_piece *p, uint8_t **ret_packet, size_t *ret_len)
{
	struct reassemble_message *m = reassemble_find(r, p);
	enum reassemble_result result;

	if (!m)
		m = reassemble_begin(r, now, p);
	if (!m)
		return REASSEMBLE_MEMORY;
	if (!m->packet)
		return REASSEMBLE_OVERLAP;
	result = reassemble_put(m, p);
	if (result == REASSEMBLE_WHOLE)
		reassemble_take(m, ret_packet, ret_len);
	if (result == REASSEMBLE_OVERLAP || result == REASSEMBLE_LARGE) {
		free(m->packet);
		m->packet = NULL;
	}
	return result;
}

enum reassemble_result reassemble_add(struct reassemble *r, mono_t now,
	const struct reassemble_piece *piece, uint8_t **ret_packet, size_t *ret_len)
{
	enum reassemble_result result;

	reassemble_tick(r, now);
	result = add_fragment(r, now, piece, ret_packet, ret_len);
	r->n[result]++;
	return result;
}

mono_t reassemble_tick(struct reassemble *r, mono_t now)
{
	mono_t at = MONO_NEVER;

	for (unsigned i = 0; i < REASSEMBLE_MESSAGES; i++) {
		struct reassemble_message *m = &r->message[i];

		if (!m->used)
			continue;
		if (mono_due(m->until, now)) {
			r->n[REASSEMBLE_TIMEOUT] += m->packet != NULL;
			reassemble_forget(m);
		} else {
			at = mono_min(at, m->until);
		}
	}
	return at;
}
