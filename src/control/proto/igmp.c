/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * IGMP codec: whole IPv4 packets <-> gm_msg, see igmp.h. Message formats: RFC 1112 App.
 * I (version 1), RFC 2236 2 (version 2), RFC 9776 4 (version 3); the IP header is RFC
 * 791 with the Router Alert option of RFC 2113.
 *
 * Decoding proceeds from the outside in: IP header, checksums, type, sender, then the
 * message. A report that is cut short counts as far as it is complete. Pure.
 */

#include "control/proto/igmp.h"

#include "base/bytes.h"
#include "base/inet.h"
#include "base/minmax.h"
#include "control/proto/gm_wire.h"

#include <errno.h>

#define IP_MAX_TOTAL   65535
#define IP_TOS_CONTROL 0xc0 /* internetwork control */

#define OPT_END		       0
#define OPT_NOP		       1
#define OPT_ROUTER_ALERT       0x94
#define OPT_ROUTER_ALERT_WORDS 0x94040000u

#define TYPE_QUERY     0x11
#define TYPE_V1_REPORT 0x12
#define TYPE_V2_REPORT 0x16
#define TYPE_V2_LEAVE  0x17
#define TYPE_V3_REPORT 0x22

#define MESSAGE_MIN_LEN	 8
#define V3_QUERY_LEN	 12
#define V1_MAX_RESPONSE	 10000 /* ms; RFC 2236 4 */
#define RESPONSE_UNIT_MS 100

static const struct addr all_hosts = ADDR_V4(224, 0, 0, 1);

static bool igmp_is_group(const struct addr *a)
{
	/* nobody joins or leaves 224.0.0.1 (RFC 1112 4) */
	return addr_is_multicast(a) && !addr_eq(a, &all_hosts);
}

static const struct gm_wire wire = {
	.addr_len = 4,
	.everybody = ADDR_V4(224, 0, 0, 1),
	.routers = ADDR_V4(224, 0, 0, 2),
	.reports = ADDR_V4(224, 0, 0, 22),
	.is_group = igmp_is_group,
	.is_source = addr_is_usable_source,
};

/* RFC 791 3.1: options are a type octet alone, or type, length, data */
static enum gm_bad igmp_walk_options(struct rd options, bool *ret_router_alert)
{
	bool found = false;

	while (rd_left(&options) > 0) {
		uint8_t type = rd_u8(&options), len;
		const uint8_t *data;

		if (type == OPT_END)
			break;
		if (type == OPT_NOP)
			continue;
		len = rd_u8(&options);
		if (options.bad)
			return GM_BAD_SHORT;
		if (len < 2)
			return GM_BAD_HEADER;
		data = rd_take(&options, len - 2u);
		if (!data)
			return GM_BAD_SHORT;
		/* other values than 0 have no meaning here (RFC 2113 2.1) */
		if (type == OPT_ROUTER_ALERT && len == 4 && !data[0] && !data[1])
			found = true;
	}
	*ret_router_alert = found;
	return GM_OK;
}

struct ip_header {
	struct addr from, to;
	uint8_t ttl;
	bool router_alert;
};

/* The IP header; *ret_payload is what follows it within the total length (R003,
 * R004). */
static enum gm_bad read_ip_header(
	const void *packet, size_t len, struct ip_header *ret, struct rd *ret_payload)
{
	struct rd r = rd_init(packet, len);
	struct ip_header ip;
	uint8_t version_ihl, protocol;
	uint16_t total, fragment;
	size_t header_len;
	enum gm_bad bad;

	if (len < IPV4_HLEN)
		return GM_BAD_SHORT;
	version_ihl = rd_u8(&r);
	rd_u8(&r); /* type of service */
	total = rd_u16be(&r);
	rd_u16be(&r); /* identification */
	fragment = rd_u16be(&r);
	ip.ttl = rd_u8(&r);
	protocol = rd_u8(&r);
	rd_u16be(&r); /* checksum */
	ip.from = gm_wire_read_addr(&wire, &r);
	ip.to = gm_wire_read_addr(&wire, &r);

	header_len = (version_ihl & 0x0fu) * 4;
	if (version_ihl >> 4 != 4 || header_len < IPV4_HLEN)
		return GM_BAD_HEADER;
	if (header_len > total || total > len)
		return GM_BAD_SHORT;
	if (inet_fold(inet_sum(packet, header_len, 0)) != 0)
		return GM_BAD_CHECKSUM;
	if (protocol != PROTO_IGMP)
		return GM_BAD_HEADER;
	if (fragment & (IPV4_MF | IPV4_OFF_MASK))
		return GM_BAD_FRAGMENT;

	bad = igmp_walk_options(rd_init(r.p, header_len - IPV4_HLEN), &ip.router_alert);
	if (bad)
		return bad;
	*ret = ip;
	*ret_payload =
		rd_init((const uint8_t *)packet + header_len, total - header_len);
	return GM_OK;
}

static enum gm_bad igmp_check_sender(
	const struct ip_header *ip, const struct gm_rules *rules, unsigned *notes)
{
	/* a host without an address reports from 0.0.0.0 (R020) */
	if (addr_is_multicast(&ip->from) || addr_is_broadcast(&ip->from) ||
		addr_is_loopback(&ip->from))
		return GM_BAD_SOURCE;
	if (ip->ttl != 1) {
		if (rules->require_ttl_1)
			return GM_BAD_TTL;
		*notes |= GM_NOTE_TTL;
	}
	if (!ip->router_alert) {
		if (rules->require_router_alert)
			return GM_BAD_ROUTER_ALERT;
		*notes |= GM_NOTE_NO_ROUTER_ALERT;
	}
	if (addr_is_usable_source(&ip->to))
		*notes |= GM_NOTE_UNICAST;
	return GM_OK;
}

/* `r` is after the checksum field. The version follows from the length (R008). */
static enum gm_bad igmp_decode_query(struct rd r, size_t len, uint8_t code,
	uint32_t max_work, struct gm_scratch *scratch, struct gm_msg *msg)
{
	struct gm_query *q = &msg->query;
	enum gm_bad bad;

	msg->kind = GM_QUERY;
	q->group = gm_wire_read_addr(&wire, &r);
	if (len != MESSAGE_MIN_LEN && len < V3_QUERY_LEN)
		return GM_BAD_LENGTH;
	if (!addr_is_any(&q->group) && !igmp_is_group(&q->group))
		return GM_BAD_GROUP;

	if (len >= V3_QUERY_LEN) {
		bad = gm_wire_read_query(&wire, &r, max_work, scratch, q);
		if (bad)
			return bad;
		msg->version = GM_V3;
		q->max_resp_ms =
			gm_wire_code_decode(code, GM_WIRE_CODE_8) * RESPONSE_UNIT_MS;
	} else if (code == 0) {
		/* the group field of version 1 is ignored (RFC 1112 App. I) */
		msg->version = GM_V1;
		q->group = addr_any(FAMILY_IPV4);
		q->max_resp_ms = V1_MAX_RESPONSE;
	} else {
		msg->version = GM_V2;
		q->max_resp_ms = (uint32_t)code * RESPONSE_UNIT_MS; /* R013 */
	}

	return gm_wire_query_arrived(&wire, msg) ? GM_OK : GM_BAD_DESTINATION;
}

enum gm_bad igmp_decode(const void *packet, size_t len, const struct gm_rules *rules,
	struct gm_scratch *scratch, struct gm_msg *ret)
{
	struct gm_msg msg = {.family = FAMILY_IPV4};
	struct ip_header ip;
	struct rd r;
	uint8_t type, code;
	size_t message_len;
	enum gm_bad bad;

	bad = read_ip_header(packet, len, &ip, &r);
	if (bad)
		return bad;
	message_len = rd_left(&r);
	if (message_len < MESSAGE_MIN_LEN)
		return GM_BAD_SHORT;
	/* over everything that came, also beyond the known fields (R002) */
	if (inet_fold(inet_sum(r.p, message_len, 0)) != 0)
		return GM_BAD_CHECKSUM;

	type = rd_u8(&r);
	code = rd_u8(&r);
	rd_u16be(&r); /* checksum */
	if (type != TYPE_QUERY && type != TYPE_V1_REPORT && type != TYPE_V2_REPORT &&
		type != TYPE_V2_LEAVE && type != TYPE_V3_REPORT)
		return GM_BAD_TYPE;
	bad = igmp_check_sender(&ip, rules, &msg.notes);
	if (bad)
		return bad;

	msg.from = ip.from;
	msg.to = ip.to;
	if (type == TYPE_QUERY)
		bad = igmp_decode_query(
			r, message_len, code, rules->max_work, scratch, &msg);
	else if (type == TYPE_V3_REPORT)
		bad = gm_wire_read_records(&wire, &r, rules->max_work, scratch, &msg);
	else /* version 1 or 2: one group, expressed as a record (RFC 9776 7.3.2) */
		bad = gm_wire_old_record(
			&wire, &r, type == TYPE_V2_LEAVE, scratch, &msg);
	if (type == TYPE_V1_REPORT || type == TYPE_V2_REPORT || type == TYPE_V2_LEAVE)
		msg.version = type == TYPE_V1_REPORT ? GM_V1 : GM_V2;
	if (bad)
		return bad;
	*ret = msg;
	return GM_OK;
}

/* Writes the header without length and checksums, which igmp_finish() fills in. */
static struct wr igmp_begin(
	void *buf, size_t size, const struct addr *from, const struct addr *to)
{
	struct wr w = wr_init(buf, min(size, IP_MAX_TOTAL));

	wr_u8(&w, 0x40 | IGMP_IP_HEADER_LEN / 4);
	wr_u8(&w, IP_TOS_CONTROL);
	wr_u16be(&w, 0); /* total length */
	wr_u16be(&w, 0); /* identification: none is needed with DF (RFC 6864 4.1) */
	wr_u16be(&w, IPV4_DF);
	wr_u8(&w, 1); /* TTL */
	wr_u8(&w, PROTO_IGMP);
	wr_u16be(&w, 0); /* checksum */
	gm_wire_write_addr(&wire, &w, from);
	gm_wire_write_addr(&wire, &w, to);
	wr_u32be(&w, OPT_ROUTER_ALERT_WORDS);
	return w;
}

static int igmp_finish(struct wr *w)
{
	size_t len = wr_len(w);
	uint8_t *ip = w->start, *message = ip + IGMP_IP_HEADER_LEN;

	if (w->bad)
		return -EMSGSIZE;
	put_u16be(ip + 2, (unsigned)len);
	put_u16be(ip + 10, inet_fold(inet_sum(ip, IGMP_IP_HEADER_LEN, 0)));
	put_u16be(
		message + 2, inet_fold(inet_sum(message, len - IGMP_IP_HEADER_LEN, 0)));
	return (int)len;
}

static uint8_t igmp_query_code(enum gm_version version, uint32_t max_resp_ms)
{
	uint32_t units = gm_wire_units(max_resp_ms, RESPONSE_UNIT_MS);

	switch (version) {
	case GM_V1:
		return 0;
	case GM_V2: /* linear, and 0 would make it a version 1 query */
		return (uint8_t)(units < 1 ? 1 : units > 255 ? 255 : units);
	case GM_V3:
		break;
	}
	return (uint8_t)gm_wire_code_encode(units, GM_WIRE_CODE_8);
}

int igmp_encode_query(void *buf, size_t size, enum gm_version version,
	const struct addr *from, const struct gm_query *query)
{
	bool general = addr_is_any(&query->group);
	struct addr group = general ? addr_any(FAMILY_IPV4) : query->group;
	struct wr w;

	if (!addr_is_v4(from) || !addr_is_v4(&group) ||
		(!general && !igmp_is_group(&group)))
		return -EINVAL;
	if ((general && query->n_src) || (version != GM_V3 && query->n_src))
		return -EINVAL;
	if (version == GM_V1 && !general)
		return -EINVAL;

	w = igmp_begin(buf, size, from, general ? &all_hosts : &group);
	gm_wire_write_head(
		&w, TYPE_QUERY, igmp_query_code(version, query->max_resp_ms));
	gm_wire_write_addr(&wire, &w, &group);
	if (version == GM_V3)
		gm_wire_write_query(&wire, &w, query);
	return igmp_finish(&w);
}

static int encode_old(void *buf, size_t size, enum gm_version version,
	const struct addr *from, const struct gm_record *rec)
{
	uint8_t type = version == GM_V1 ? TYPE_V1_REPORT : TYPE_V2_REPORT;
	int leave = gm_wire_is_leave(rec);
	struct wr w;

	if (leave < 0 || (leave && version == GM_V1)) /* version 1 has no leave
						       * (R127) */
		return -EINVAL;
	if (leave)
		type = TYPE_V2_LEAVE;
	w = igmp_begin(buf, size, from, leave ? &wire.routers : &rec->group);
	gm_wire_write_head(&w, type, 0);
	gm_wire_write_addr(&wire, &w, &rec->group);
	return igmp_finish(&w);
}

int igmp_encode_report(void *buf, size_t size, enum gm_version version,
	const struct addr *from, const struct gm_record *rec, size_t n_rec)
{
	struct wr w;

	if (!addr_is_v4(from) || n_rec == 0)
		return -EINVAL;
	for (size_t i = 0; i < n_rec; i++)
		if (!addr_is_v4(&rec[i].group) || !igmp_is_group(&rec[i].group))
			return -EINVAL;
	if (version != GM_V3)
		return n_rec == 1 ? encode_old(buf, size, version, from, rec) : -EINVAL;

	w = igmp_begin(buf, size, from, &wire.reports);
	gm_wire_write_head(&w, TYPE_V3_REPORT, 0);
	gm_wire_write_records(&wire, &w, rec, n_rec);
	return igmp_finish(&w);
}
