/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * MLD codec: whole IPv6 packets <-> gm_msg, see mld.h. Message formats: RFC 2710 3
 * (version 1), RFC 9777 5 (version 2); headers and options are RFC 8200 3 and 4, the
 * Router Alert option RFC 2711, the checksum RFC 4443 2.3.
 *
 * Decoding proceeds from the outside in: IP header, extension headers, checksum, type,
 * sender, then the message. A report that is cut short counts as far as it is complete.
 * Pure.
 */

#include "control/proto/mld.h"

#include "base/bytes.h"
#include "base/inet.h"
#include "base/minmax.h"
#include "control/proto/gm_wire.h"

#include <errno.h>

#define IP_MAX_PAYLOAD	65535
#define IP_VERSION_WORD 0x60000000u

#define OPT_PAD1	 0
#define OPT_PADN	 1
#define OPT_ROUTER_ALERT 5
#define OPT_MUST_KNOW	 0xc0 /* nodes that do not know the option drop it */

#define TYPE_QUERY     130
#define TYPE_V1_REPORT 131
#define TYPE_V1_DONE   132
#define TYPE_V2_REPORT 143

#define MESSAGE_MIN_LEN 8
#define V1_LEN		24
#define V2_QUERY_LEN	28

static const struct addr none;
static const struct addr all_nodes = {{0xff, 0x02, [15] = 0x01}};

/* A v4-mapped address on the wire must not be taken for an IPv4 address later. */
static bool mld_is_group(const struct addr *a)
{
	/* scopes 0 and 1 never leave a node, nobody joins or leaves ff02::1 (R038) */
	return !addr_is_v4(a) && addr_is_multicast(a) && (a->b[1] & 0x0f) > 1 &&
		!addr_eq(a, &all_nodes);
}

static bool is_host(const struct addr *a)
{
	return !addr_is_v4(a) && addr_is_usable_source(a);
}

static const struct gm_wire wire = {
	.addr_len = 16,
	.everybody = {{0xff, 0x02, [15] = 0x01}},
	.routers = {{0xff, 0x02, [15] = 0x02}},
	.reports = {{0xff, 0x02, [15] = 0x16}},
	.is_group = mld_is_group,
	.is_source = is_host,
};

static bool is_link_local(const struct addr *a)
{
	return !addr_is_v4(a) && addr_is_link_local(a);
}

/* RFC 8200 4.2: a padding octet, or type, length, data */
static enum gm_bad mld_walk_options(struct rd options, bool *router_alert)
{
	while (rd_left(&options) > 0) {
		uint8_t type = rd_u8(&options), len;
		const uint8_t *data;

		if (type == OPT_PAD1)
			continue;
		len = rd_u8(&options);
		data = rd_take(&options, len);
		if (options.bad)
			return GM_BAD_SHORT;
		if (type == OPT_ROUTER_ALERT) {
			/* 0 is MLD, other values are not ours (RFC 2711 2.1) */
			if (len == 2 && !data[0] && !data[1])
				*router_alert = true;
		} else if (type & OPT_MUST_KNOW) {
			return GM_BAD_HEADER;
		}
	}
	return GM_OK;
}

struct ip_header {
	struct addr from, to;
	uint8_t hop_limit;
	bool router_alert;
};

/* Reads the extension header that the next-header value `kind` announces; *kind becomes
 * the next one. */
static enum gm_bad read_extension(
	struct rd *r, uint8_t *kind, bool first, struct ip_header *ip)
{
	const uint8_t *h = r->p;
	bool is_alert_place = *kind == PROTO_HOPOPTS, ignored = false;
	size_t len;

	if (*kind == PROTO_FRAGMENT)
		return GM_BAD_FRAGMENT;
	if (*kind != PROTO_HOPOPTS && *kind != PROTO_ROUTING && *kind != PROTO_AH &&
		*kind != PROTO_DSTOPTS)
		return GM_BAD_HEADER;
	/* RFC 8200 4.1: hop-by-hop options directly follow the IP header */
	if (is_alert_place && !first)
		return GM_BAD_HEADER;
	if (rd_left(r) < 8)
		return GM_BAD_SHORT;
	len = *kind == PROTO_AH ? (h[1] + 2u) * 4 : (h[1] + 1u) * 8;
	if (!rd_take(r, len))
		return GM_BAD_SHORT;
	/* another node is the destination while segments are left */
	if (*kind == PROTO_ROUTING && h[3] != 0)
		return GM_BAD_HEADER;
	if (*kind == PROTO_HOPOPTS || *kind == PROTO_DSTOPTS) {
		enum gm_bad bad = mld_walk_options(rd_init(h + 2, len - 2),
			is_alert_place ? &ip->router_alert : &ignored);

		if (bad)
			return bad;
	}
	*kind = h[0];
	return GM_OK;
}

static enum gm_bad read_extensions(struct rd *r, uint8_t kind, struct ip_header *ip)
{
	enum gm_bad bad = GM_OK;

	for (bool first = true; !bad && kind != PROTO_ICMPV6; first = false)
		bad = read_extension(r, &kind, first, ip);
	return bad;
}

/* The headers; *ret_payload is what follows them within the payload length. That length
 * is 0 in a jumbogram, which therefore has no payload here. */
static enum gm_bad read_headers(
	const void *packet, size_t len, struct ip_header *ret, struct rd *ret_payload)
{
	struct rd r = rd_init(packet, len);
	struct ip_header ip = {.router_alert = false};
	uint16_t payload;
	uint8_t kind;
	enum gm_bad bad;

	if (len < IPV6_HLEN)
		return GM_BAD_SHORT;
	if (rd_u32be(&r) >> 28 != 6)
		return GM_BAD_HEADER;
	payload = rd_u16be(&r);
	kind = rd_u8(&r);
	ip.hop_limit = rd_u8(&r);
	ip.from = gm_wire_read_addr(&wire, &r);
	ip.to = gm_wire_read_addr(&wire, &r);
	if (payload > rd_left(&r))
		return GM_BAD_SHORT;
	r.end = r.p + payload;
	bad = read_extensions(&r, kind, &ip);
	if (bad)
		return bad;
	*ret = ip;
	*ret_payload = r;
	return GM_OK;
}

/* RFC 8200 8.1: it also covers addresses, length and protocol */
static uint16_t mld_checksum(const uint8_t *from_to, const void *message, size_t len)
{
	uint32_t sum = inet_sum(from_to, 32, (uint32_t)len + PROTO_ICMPV6);

	return inet_fold(inet_sum(message, len, sum));
}

/* R028, R029: the signs that the message comes from this link */
static enum gm_bad mld_check_sender(
	const struct ip_header *ip, const struct gm_rules *rules, unsigned *notes)
{
	if (!is_link_local(&ip->from))
		return GM_BAD_SOURCE;
	if (ip->hop_limit != 1)
		return GM_BAD_TTL;
	if (!ip->router_alert) {
		if (rules->require_router_alert)
			return GM_BAD_ROUTER_ALERT;
		*notes |= GM_NOTE_NO_ROUTER_ALERT;
	}
	if (is_host(&ip->to))
		*notes |= GM_NOTE_UNICAST;
	return GM_OK;
}

/* `r` is after the checksum field. The version follows from the length (R031). */
static enum gm_bad mld_decode_query(struct rd r, size_t len, uint32_t max_work,
	struct gm_scratch *scratch, struct gm_msg *msg)
{
	struct gm_query *q = &msg->query;
	uint16_t code = rd_u16be(&r);
	enum gm_bad bad;
	bool general;

	rd_u16be(&r); /* reserved */
	q->group = gm_wire_read_addr(&wire, &r);
	if (len < V1_LEN)
		return GM_BAD_SHORT;
	if (len != V1_LEN && len < V2_QUERY_LEN)
		return GM_BAD_LENGTH;
	/* ::ffff:0.0.0.0 is also "any", of the other family */
	general = addr_eq(&q->group, &none);
	if (!general && !mld_is_group(&q->group))
		return GM_BAD_GROUP;

	msg->kind = GM_QUERY;
	if (len >= V2_QUERY_LEN) {
		bad = gm_wire_read_query(&wire, &r, max_work, scratch, q);
		if (bad)
			return bad;
		msg->version = GM_V3;
		q->max_resp_ms = gm_wire_code_decode(code, GM_WIRE_CODE_16);
	} else {
		msg->version = GM_V2;
		q->max_resp_ms = code; /* linear (R033) */
	}
	return gm_wire_query_arrived(&wire, msg) ? GM_OK : GM_BAD_DESTINATION;
}

/* version 1: one group, expressed as a record (RFC 9777 8.3.2) */
static enum gm_bad decode_v1(struct rd r, size_t len, uint8_t type,
	struct gm_scratch *scratch, struct gm_msg *msg)
{
	if (len < V1_LEN)
		return GM_BAD_SHORT;
	rd_u32be(&r); /* maximum response delay, reserved */
	msg->version = GM_V2;
	return gm_wire_old_record(&wire, &r, type == TYPE_V1_DONE, scratch, msg);
}

enum gm_bad mld_decode(const void *packet, size_t len, const struct gm_rules *rules,
	struct gm_scratch *scratch, struct gm_msg *ret)
{
	struct gm_msg msg = {.family = FAMILY_IPV6};
	struct ip_header ip;
	struct rd r;
	uint8_t type;
	size_t message_len;
	enum gm_bad bad;

	bad = read_headers(packet, len, &ip, &r);
	if (bad)
		return bad;
	message_len = rd_left(&r);
	if (message_len < MESSAGE_MIN_LEN)
		return GM_BAD_SHORT;
	/* over everything that came, also beyond the known fields (R030) */
	if (mld_checksum((const uint8_t *)packet + 8, r.p, message_len) != 0)
		return GM_BAD_CHECKSUM;

	type = rd_u8(&r);
	rd_u8(&r);    /* code */
	rd_u16be(&r); /* checksum */
	if (type != TYPE_QUERY && type != TYPE_V1_REPORT && type != TYPE_V1_DONE &&
		type != TYPE_V2_REPORT)
		return GM_BAD_TYPE;
	bad = mld_check_sender(&ip, rules, &msg.notes);
	if (bad)
		return bad;

	msg.from = ip.from;
	msg.to = ip.to;
	if (type == TYPE_QUERY)
		bad = mld_decode_query(r, message_len, rules->max_work, scratch, &msg);
	else if (type == TYPE_V2_REPORT)
		bad = gm_wire_read_records(&wire, &r, rules->max_work, scratch, &msg);
	else
		bad = decode_v1(r, message_len, type, scratch, &msg);
	if (bad)
		return bad;
	*ret = msg;
	return GM_OK;
}

/* Writes the headers without length and checksum, which mld_finish() fills in. */
static struct wr mld_begin(
	void *buf, size_t size, const struct addr *from, const struct addr *to)
{
	static const uint8_t hop_by_hop[] = {
		PROTO_ICMPV6, 0, OPT_ROUTER_ALERT, 2, 0, 0, OPT_PADN, 0};
	size_t max = IPV6_HLEN + IP_MAX_PAYLOAD;
	struct wr w = wr_init(buf, min(size, max));

	wr_u32be(&w, IP_VERSION_WORD);
	wr_u16be(&w, 0); /* payload length */
	wr_u8(&w, PROTO_HOPOPTS);
	wr_u8(&w, 1); /* hop limit */
	wr_bytes(&w, from->b, sizeof(from->b));
	wr_bytes(&w, to->b, sizeof(to->b));
	wr_bytes(&w, hop_by_hop, sizeof(hop_by_hop));
	return w;
}

static int mld_finish(struct wr *w)
{
	size_t len = wr_len(w);
	uint8_t *ip = w->start, *message = ip + MLD_IP_HEADER_LEN;

	if (w->bad)
		return -EMSGSIZE;
	put_u16be(ip + 4, (unsigned)(len - IPV6_HLEN));
	put_u16be(message + 2, mld_checksum(ip + 8, message, len - MLD_IP_HEADER_LEN));
	return (int)len;
}

static void put_v1(
	struct wr *w, uint8_t type, uint16_t max_resp, const struct addr *group)
{
	gm_wire_write_head(w, type, 0);
	wr_u16be(w, max_resp);
	wr_u16be(w, 0); /* reserved */
	gm_wire_write_addr(&wire, w, group);
}

static uint16_t mld_query_code(enum gm_version version, uint32_t max_resp_ms)
{
	if (version == GM_V3)
		return gm_wire_code_encode(max_resp_ms, GM_WIRE_CODE_16);
	return max_resp_ms > UINT16_MAX ? UINT16_MAX : (uint16_t)max_resp_ms;
}

int mld_encode_query(void *buf, size_t size, enum gm_version version,
	const struct addr *from, const struct gm_query *query)
{
	bool general = addr_is_any(&query->group);
	struct addr group = general ? addr_any(FAMILY_IPV6) : query->group;
	struct wr w;

	if (version == GM_V1 || !is_link_local(from) ||
		(!general && !mld_is_group(&group)))
		return -EINVAL;
	if (query->n_src && (general || version != GM_V3))
		return -EINVAL;

	w = mld_begin(buf, size, from, general ? &all_nodes : &group);
	put_v1(&w, TYPE_QUERY, mld_query_code(version, query->max_resp_ms), &group);
	if (version == GM_V3)
		gm_wire_write_query(&wire, &w, query);
	return mld_finish(&w);
}

static int encode_v1(
	void *buf, size_t size, const struct addr *from, const struct gm_record *rec)
{
	int done = gm_wire_is_leave(rec);
	struct wr w;

	if (done < 0)
		return -EINVAL;
	w = mld_begin(buf, size, from, done ? &wire.routers : &rec->group);
	put_v1(&w, done ? TYPE_V1_DONE : TYPE_V1_REPORT, 0, &rec->group);
	return mld_finish(&w);
}

int mld_encode_report(void *buf, size_t size, enum gm_version version,
	const struct addr *from, const struct gm_record *rec, size_t n_rec)
{
	struct addr any = addr_any(FAMILY_IPV6);
	struct wr w;

	if (version == GM_V1 || n_rec == 0)
		return -EINVAL;
	/* while the link-local address is still being checked (R039) */
	if (!is_link_local(from) && !addr_eq(from, &any))
		return -EINVAL;
	for (size_t i = 0; i < n_rec; i++)
		if (!mld_is_group(&rec[i].group))
			return -EINVAL;
	if (version != GM_V3)
		return n_rec == 1 ? encode_v1(buf, size, from, rec) : -EINVAL;

	w = mld_begin(buf, size, from, &wire.reports);
	gm_wire_write_head(&w, TYPE_V2_REPORT, 0);
	gm_wire_write_records(&wire, &w, rec, n_rec);
	return mld_finish(&w);
}
