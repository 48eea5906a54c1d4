/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Shared by the targets of both membership codecs, fuzz_igmp.c and fuzz_mld.c. One byte
 * of the input selects the operation:
 *
 *   decode a packet, whose checksums are corrected unless the byte says otherwise: the
 *   message keeps the promises of its header, encodes again, and decodes to the same;
 *   with less work granted, its first records are decoded;
 *   encode a message that the input describes: it decodes to that message.
 */

#include "control/proto/gm_msg.h"
#include "control/proto/gm_peek.h"
#include "fuzz.h"

#include <errno.h>

struct fuzz_codec {
	enum family family;
	enum gm_bad (*decode)(const uint8_t *packet, size_t len, bool strict,
		uint32_t max_work, struct gm_scratch *scratch, struct gm_msg *ret);
	int (*encode_query)(void *buf, size_t size, enum gm_version version,
		const struct addr *from, const struct gm_query *query);
	int (*encode_report)(void *buf, size_t size, enum gm_version version,
		const struct addr *from, const struct gm_record *rec, size_t n_rec);
	void (*seal)(uint8_t *packet, size_t len); /* corrects the checksums */
	bool (*is_group)(const struct addr *a);
	bool (*is_sender)(const struct addr *a);
};

#define FUZZ_STRICT 1u
#define FUZZ_SPOILT 2u /* keeps wrong checksums */
#define FUZZ_ENCODE 4u

static struct gm_scratch fuzz_first, fuzz_second;
static uint8_t fuzz_packet[70000];

static inline bool fuzz_same_sources(
	const struct addr *a, const struct addr *b, size_t n)
{
	return n == 0 || memcmp(a, b, n * sizeof(*a)) == 0;
}

static inline void fuzz_same(const struct gm_msg *a, const struct gm_msg *b)
{
	fuzz_assert(a->kind == b->kind && a->version == b->version);
	fuzz_assert(a->family == b->family && addr_eq(&a->from, &b->from));
	fuzz_assert(a->n_rec == b->n_rec);
	fuzz_assert(addr_eq(&a->query.group, &b->query.group));
	fuzz_assert(a->query.max_resp_ms == b->query.max_resp_ms);
	fuzz_assert(a->query.qrv == b->query.qrv);
	fuzz_assert(a->query.qqi_ms == b->query.qqi_ms);
	fuzz_assert(a->query.suppress == b->query.suppress);
	fuzz_assert(a->query.n_src == b->query.n_src);
	fuzz_assert(fuzz_same_sources(a->query.src, b->query.src, a->query.n_src));
	for (size_t i = 0; i < a->n_rec; i++) {
		fuzz_assert(a->rec[i].type == b->rec[i].type);
		fuzz_assert(addr_eq(&a->rec[i].group, &b->rec[i].group));
		fuzz_assert(a->rec[i].n_src == b->rec[i].n_src);
		fuzz_assert(fuzz_same_sources(
			a->rec[i].src, b->rec[i].src, a->rec[i].n_src));
	}
}

/* Properties that every user of the decoder relies on. */
static inline void fuzz_check_message(
	const struct fuzz_codec *c, const struct gm_msg *m, bool strict)
{
	size_t n_src = 0;

	fuzz_assert(m->family == c->family);
	fuzz_assert(m->version >= GM_V1 && m->version <= GM_V3);
	fuzz_assert(c->is_sender(&m->from) || addr_is_any(&m->from));
	fuzz_assert(addr_family(&m->from) == c->family);
	fuzz_assert(!strict || !(m->notes & GM_NOTE_NO_ROUTER_ALERT));
	fuzz_assert(m->kind == GM_QUERY || m->kind == GM_REPORT);
	fuzz_assert(m->kind == GM_REPORT || m->n_rec == 0);
	fuzz_assert(m->n_rec <= GM_MAX_RECORDS);
	fuzz_assert(m->version == GM_V3 || m->n_rec <= 1);
	for (size_t i = 0; i < m->n_rec; i++) {
		const struct gm_record *rec = &m->rec[i];

		fuzz_assert(rec->type >= GM_IS_IN && rec->type <= GM_BLOCK);
		fuzz_assert(c->is_group(&rec->group));
		n_src += rec->n_src;
		for (size_t k = 0; k < rec->n_src; k++)
			fuzz_assert(addr_is_usable_source(&rec->src[k]) &&
				addr_family(&rec->src[k]) == c->family);
	}
	fuzz_assert(n_src <= GM_MAX_SOURCES && m->query.n_src <= GM_MAX_SOURCES);
	fuzz_assert(addr_is_any(&m->query.group) || c->is_group(&m->query.group));
	fuzz_assert(m->kind == GM_REPORT || m->version == GM_V3 || !m->query.n_src);
}

static inline int fuzz_encode(const struct fuzz_codec *c, const struct gm_msg *m)
{
	if (m->kind == GM_QUERY)
		return c->encode_query(fuzz_packet, sizeof(fuzz_packet), m->version,
			&m->from, &m->query);
	return c->encode_report(fuzz_packet, sizeof(fuzz_packet), m->version, &m->from,
		m->rec, m->n_rec);
}

/* The estimated work is enough, and with less granted fewer records are decoded. MLD
 * after unusual headers is charged by its length, and may be cut. */
static inline void fuzz_work(const struct fuzz_codec *c, const uint8_t *packet,
	size_t len, bool strict, const struct gm_msg *m)
{
	struct gm_peek peek;
	struct gm_msg part;

	fuzz_assert(gm_peek(c->family, packet, len, &peek) && peek.work > 0);
	for (uint32_t work = peek.work; work > 0; work /= 2) {
		fuzz_assert(c->decode(packet, len, strict, work, &fuzz_second, &part) ==
			GM_OK);
		fuzz_assert(part.n_rec <= m->n_rec && part.n_rec < work + 1);
		fuzz_assert(part.query.n_src + part.query.n_left == m->query.n_src &&
			part.query.n_src <= (size_t)work * GM_WORK_ADDRESSES);
		for (size_t i = 0; i < part.n_rec; i++)
			fuzz_assert(addr_eq(&part.rec[i].group, &m->rec[i].group) &&
				part.rec[i].n_src == m->rec[i].n_src);
		if (work == peek.work && c->family == FAMILY_IPV4)
			fuzz_assert(part.n_rec == m->n_rec && part.n_left == 0 &&
				part.query.n_left == 0);
	}
}

static inline void fuzz_decode(const struct fuzz_codec *c, struct rd *r, unsigned what)
{
	static const struct gm_msg untouched = {.notes = 0x5a5a};
	struct gm_msg m = untouched, again;
	bool strict = what & FUZZ_STRICT;
	size_t len;
	uint8_t *packet = fuzz_rest(r, &len);
	enum gm_bad bad;
	int n;

	if (!(what & FUZZ_SPOILT))
		c->seal(packet, len);
	bad = c->decode(packet, len, strict, 0, &fuzz_first, &m);
	if (bad == GM_OK)
		fuzz_work(c, packet, len, strict, &m);
	free(packet);
	fuzz_assert(bad < GM_BAD_FOREIGN);
	if (bad != GM_OK) {
		fuzz_assert(memcmp(&m, &untouched, sizeof(m)) == 0);
		return;
	}
	fuzz_check_message(c, &m, strict);
	/* a report that lost all its records is not encoded */
	if (m.kind == GM_REPORT && m.n_rec == 0)
		return;
	n = fuzz_encode(c, &m);
	/* with Router Alert a message may become too long; queries without a source
	 * address are decoded but never encoded */
	if (n == -EMSGSIZE && len > 65000)
		return;
	if (n == -EINVAL && m.kind == GM_QUERY && !c->is_sender(&m.from))
		return;
	fuzz_assert(n > 0);
	fuzz_assert(c->decode(fuzz_packet, (size_t)n, true, 0, &fuzz_second, &again) ==
		GM_OK);
	fuzz_assert(again.notes == 0);
	fuzz_same(&m, &again);
}

static inline struct addr fuzz_address(enum family family, struct rd *r, bool group)
{
	struct addr a = addr_any(family);
	uint8_t shape = rd_u8(r), number = rd_u8(r);

	if (family == FAMILY_IPV4) {
		a = group ? ADDR_V4((uint8_t)(224 + shape % 16), shape, 1, number)
			  : ADDR_V4(shape, 1, 2, number);
	} else {
		a.b[0] = group ? 0xff : shape & 1 ? 0xfe : 0x20;
		a.b[1] = group ? shape & 15 : shape & 1 ? 0x80 : 0x01;
		a.b[15] = number;
	}
	return a;
}

static inline size_t fuzz_sources(
	enum family family, struct rd *r, size_t *used, struct addr **ret)
{
	size_t n = fuzz_below(r, 24);

	*ret = fuzz_first.src + *used;
	for (size_t i = 0; i < n; i++)
		(*ret)[i] = fuzz_address(family, r, false);
	*used += n;
	return n;
}

static inline void fuzz_describe(enum family family, struct rd *r, struct gm_msg *m)
{
	struct addr *src;
	size_t used = 0;

	m->family = family;
	m->version = (enum gm_version)(GM_V1 + fuzz_below(r, 3));
	m->from = fuzz_address(family, r, false);
	m->query.group = addr_any(FAMILY_IPV6);
	if (fuzz_below(r, 2)) {
		m->kind = GM_QUERY;
		m->query.group = fuzz_below(r, 4) ? fuzz_address(family, r, true)
						  : addr_any(family);
		m->query.max_resp_ms = rd_u32be(r);
		m->query.qrv = rd_u8(r);
		m->query.qqi_ms = rd_u32be(r);
		m->query.suppress = fuzz_below(r, 2);
		m->query.n_src = fuzz_sources(family, r, &used, &src);
		m->query.src = src;
		return;
	}
	m->kind = GM_REPORT;
	m->rec = fuzz_first.rec;
	while (fuzz_more(r) && m->n_rec < 256) {
		struct gm_record *rec = &fuzz_first.rec[m->n_rec++];

		rec->type = (enum gm_record_type)(GM_IS_IN + fuzz_below(r, 6));
		rec->group = fuzz_address(family, r, true);
		rec->n_src = fuzz_sources(family, r, &used, &src);
		rec->src = src;
	}
}

/* Encoding loses what the format cannot express; for example, times are rounded down to
 * the next code. A second encoding loses nothing more. */
static inline void fuzz_round_trip(const struct fuzz_codec *c, struct rd *r)
{
	struct gm_msg m = {0}, back, again;
	int n;

	fuzz_describe(c->family, r, &m);
	n = fuzz_encode(c, &m);
	if (n < 0) {
		fuzz_assert(n == -EINVAL || n == -EMSGSIZE);
		return;
	}
	/* unacceptable senders and sources are still encoded */
	if (c->decode(fuzz_packet, (size_t)n, true, 0, &fuzz_second, &back) != GM_OK)
		return;
	fuzz_check_message(c, &back, true);
	if (!(back.notes & GM_NOTE_BAD_SOURCE) && m.kind == GM_REPORT &&
		m.version == GM_V3)
		fuzz_same(&m, &back);
	if (back.kind == GM_QUERY) {
		fuzz_assert(back.query.n_src == m.query.n_src);
		fuzz_assert(addr_is_any(&m.query.group) ||
			addr_eq(&back.query.group, &m.query.group));
		fuzz_assert(back.version == m.version);
		fuzz_assert(back.version != GM_V3 || m.query.max_resp_ms < 100 ||
			back.query.max_resp_ms <= m.query.max_resp_ms);
	}
	if (back.kind == GM_REPORT && back.n_rec == 0)
		return;
	n = fuzz_encode(c, &back);
	fuzz_assert(n > 0);
	fuzz_assert(c->decode(fuzz_packet, (size_t)n, true, 0, &fuzz_first, &again) ==
		GM_OK);
	fuzz_same(&back, &again);
}

static inline int fuzz_codec_input(
	const struct fuzz_codec *c, const uint8_t *data, size_t size)
{
	struct rd r = rd_init(data, size);
	unsigned what = rd_u8(&r);

	if (what & FUZZ_ENCODE)
		fuzz_round_trip(c, &r);
	else
		fuzz_decode(c, &r, what);
	return 0;
}
