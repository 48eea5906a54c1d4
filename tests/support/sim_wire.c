/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Octets of the virtual network. IPv4 goes through the IGMP codec. IPv6 messages travel
 * as their records and sources laid out one after the other.
 */

#include "sim_wire.h"

#include "control/igmp.h"
#include "test.h"

static void put(uint8_t *buf, size_t size, size_t *at, const void *p, size_t n)
{
	assert_true(*at + n <= size);
	if (n)
		memcpy(buf + *at, p, n);
	*at += n;
}

static size_t flat(uint8_t *buf, size_t size, const struct gm_msg *msg)
{
	size_t at = 0;

	put(buf, size, &at, msg, sizeof(*msg));
	put(buf, size, &at, msg->query.src, msg->query.n_src * sizeof(struct addr));
	put(buf, size, &at, msg->rec, msg->n_rec * sizeof(*msg->rec));
	for (size_t i = 0; i < msg->n_rec; i++)
		put(buf, size, &at, msg->rec[i].src,
			msg->rec[i].n_src * sizeof(struct addr));
	return at;
}

static void take_sources(struct gm_scratch *scratch, const uint8_t **p,
	const struct addr **src, size_t n, size_t *used)
{
	if (n)
		memcpy(&scratch->src[*used], *p, n * sizeof(struct addr));
	*src = &scratch->src[*used];
	*p += n * sizeof(struct addr);
	*used += n;
}

static void unflat(const uint8_t *p, struct gm_scratch *scratch, struct gm_msg *ret)
{
	size_t used = 0;

	memcpy(ret, p, sizeof(*ret));
	p += sizeof(*ret);
	take_sources(scratch, &p, &ret->query.src, ret->query.n_src, &used);
	if (ret->n_rec)
		memcpy(scratch->rec, p, ret->n_rec * sizeof(*ret->rec));
	p += ret->n_rec * sizeof(*ret->rec);
	ret->rec = scratch->rec;
	for (size_t i = 0; i < ret->n_rec; i++)
		take_sources(scratch, &p, &scratch->rec[i].src, scratch->rec[i].n_src,
			&used);
}

size_t sim_wire_query(uint8_t *buf, size_t size, enum gm_version version,
	const struct addr *from, const struct gm_query *q)
{
	struct gm_msg msg = {
		.kind = GM_QUERY,
		.family = addr_family(&q->group),
		.version = version,
		.from = *from,
		.query = *q,
	};
	int n;

	if (msg.family == FAMILY_IPV6) {
		if (version < GM_V3) {
			msg.query.qrv = 0;
			msg.query.qqi_ms = 0;
			msg.query.suppress = false;
			msg.query.n_src = 0;
		}
		return flat(buf, size, &msg);
	}
	n = igmp_encode_query(buf, size, version, from, q);
	assert_true(n > 0);
	return (size_t)n;
}

size_t sim_wire_report(uint8_t *buf, size_t size, enum gm_version version,
	const struct addr *from, const struct gm_record *rec, size_t n_rec)
{
	struct gm_msg msg = {
		.kind = GM_REPORT,
		.family = addr_family(&rec->group),
		.version = version,
		.from = *from,
		.rec = rec,
		.n_rec = n_rec,
	};
	struct gm_record old = {.group = rec->group};
	int n;

	if (msg.family == FAMILY_IPV6) {
		old.type = rec->type == GM_IS_EX || rec->type == GM_TO_EX ? GM_IS_EX
									  : GM_TO_IN;
		if (version < GM_V3)
			msg.rec = &old;
		return flat(buf, size, &msg);
	}
	n = igmp_encode_report(buf, size, version, from, rec, n_rec);
	assert_true(n > 0);
	return (size_t)n;
}

bool sim_wire_decode(enum family family, const uint8_t *packet, size_t len,
	struct gm_scratch *scratch, struct gm_msg *ret)
{
	static const struct igmp_rules strict = {
		.require_router_alert = true, .require_ttl_1 = true};

	if (family == FAMILY_IPV4)
		return igmp_decode(packet, len, &strict, scratch, ret) == GM_OK;
	unflat(packet, scratch, ret);
	return true;
}
