/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Lines of "ringcastctl capture", see packet_text.h: membership messages decoded with
 * the daemon's own decoders (so that a line shows what the daemon has understood), data
 * frames with addresses and ports.
 */

#include "tools/ctl/packet_text.h"

#include "base/bytes.h"
#include "control/proto/igmp.h"
#include "control/proto/mld.h"

#include <inttypes.h>
#include <netinet/in.h>
#include <string.h>
#include <time.h>

/* a packet from its IP header on */
struct ip {
	const uint8_t *data;
	uint32_t caplen;
	enum family family;
	struct addr from, to;
	uint8_t ttl, proto;
	uint32_t payload; /* where it begins */
	uint32_t len;	  /* as the header says */
};

/* Skips Ethernet header and VLAN tags. Returns false if no IP follows. */
static bool find_ip(const struct packet_text *t, const struct pcapng_packet *p,
	const uint8_t **ret, uint32_t *ret_caplen)
{
	const uint8_t *data = p->data;
	uint32_t at = 12;

	if (t->link == PCAPNG_RAW_IP) {
		*ret = data;
		*ret_caplen = p->caplen;
		return p->caplen > 0;
	}
	while (at + 4 < p->caplen && get_u16be(data + at) == 0x8100)
		at += 4;
	if (at + 2 >= p->caplen ||
		(get_u16be(data + at) != 0x0800 && get_u16be(data + at) != 0x86dd))
		return false;
	*ret = data + at + 2;
	*ret_caplen = p->caplen - at - 2;
	return true;
}

/* Returns false if it is too short, or no IP. */
static bool parse_ip(
	const struct packet_text *t, const struct pcapng_packet *p, struct ip *ip)
{
	const uint8_t *d;

	if (!find_ip(t, p, &d, &ip->caplen))
		return false;
	ip->data = d;
	ip->family = d[0] >> 4 == 6 ? FAMILY_IPV6 : FAMILY_IPV4;
	if (ip->family == FAMILY_IPV4) {
		if (d[0] >> 4 != 4 || ip->caplen < 20)
			return false;
		ip->from = addr_from_v4(d + 12);
		ip->to = addr_from_v4(d + 16);
		ip->ttl = d[8];
		ip->proto = d[9];
		ip->payload = (d[0] & 15u) * 4;
		ip->len = get_u16be(d + 2);
		return true;
	}
	if (ip->caplen < 40)
		return false;
	memcpy(ip->from.b, d + 8, 16);
	memcpy(ip->to.b, d + 24, 16);
	ip->ttl = d[7];
	ip->proto = d[6];
	ip->payload = 40;
	ip->len = 40 + get_u16be(d + 4);
	/* where the Router Alert option is */
	if (ip->proto == IPPROTO_HOPOPTS && ip->caplen >= 42) {
		ip->proto = d[40];
		ip->payload += (d[41] + 1u) * 8;
	}
	return true;
}

/* ---- membership messages ---- */

static bool is_membership(const struct ip *ip)
{
	uint8_t type;

	if (ip->family == FAMILY_IPV4)
		return ip->proto == IPPROTO_IGMP;
	if (ip->proto != IPPROTO_ICMPV6 || ip->payload >= ip->caplen)
		return false;
	type = ip->data[ip->payload];
	return (type >= 130 && type <= 132) || type == 143;
}

static enum gm_bad decode(
	const struct ip *ip, struct gm_scratch *scratch, struct gm_msg *ret)
{
	const struct gm_rules lax = {0};

	return (ip->family == FAMILY_IPV4 ? igmp_decode : mld_decode)(
		ip->data, ip->caplen, &lax, scratch, ret);
}

static const char *protocol(const struct ip *ip)
{
	return ip->family == FAMILY_IPV4 ? "igmp" : "mld";
}

static const char *record_name(enum gm_record_type type)
{
	static const char *const name[] = {
		[GM_IS_IN] = "is_in",
		[GM_IS_EX] = "is_ex",
		[GM_TO_IN] = "to_in",
		[GM_TO_EX] = "to_ex",
		[GM_ALLOW] = "allow",
		[GM_BLOCK] = "block",
	};

	return name[type];
}

static const char *kind_name(const struct gm_msg *m)
{
	bool older = m->version != GM_V3;

	if (m->kind == GM_QUERY)
		return "query";
	if (!older || m->n_rec == 0 || m->rec[0].type != GM_TO_IN)
		return "report";
	return m->family == FAMILY_IPV4 ? "leave" : "done";
}

static void print_sources(const struct addr *v, size_t n, FILE *out)
{
	char text[ADDR_STRLEN];

	fputs(" {", out);
	for (size_t i = 0; i < n; i++)
		fprintf(out, "%s%s", i ? " " : "", addr_format(&v[i], text));
	fputs("}", out);
}

static void print_query(const struct gm_msg *m, FILE *out)
{
	const struct gm_query *q = &m->query;
	char group[ADDR_STRLEN];

	if (!addr_is_any(&q->group))
		fprintf(out, " %s", addr_format(&q->group, group));
	if (q->n_src)
		print_sources(q->src, q->n_src, out);
	fprintf(out, " [max resp %g s", q->max_resp_ms / 1000.0);
	if (m->version == GM_V3)
		fprintf(out, ", robustness %u, interval %g s%s", q->qrv,
			q->qqi_ms / 1000.0, q->suppress ? ", suppress" : "");
	fputs("]", out);
}

static void print_report(const struct gm_msg *m, FILE *out)
{
	char group[ADDR_STRLEN];

	if (m->version != GM_V3) {
		if (m->n_rec)
			fprintf(out, " %s", addr_format(&m->rec[0].group, group));
		return;
	}
	fprintf(out, ", %zu record%s", m->n_rec, m->n_rec == 1 ? "" : "s");
	for (size_t i = 0; i < m->n_rec; i++) {
		const struct gm_record *r = &m->rec[i];

		fprintf(out, " [%s %s", addr_format(&r->group, group),
			record_name(r->type));
		print_sources(r->src, r->n_src, out);
		fputs("]", out);
	}
}

static void print_membership(
	const struct packet_text *t, const struct ip *ip, FILE *out)
{
	struct gm_msg m;
	enum gm_bad bad = decode(ip, t->scratch, &m);

	if (bad != GM_OK) {
		fprintf(out, "%s, bad: %s", protocol(ip), gm_bad_name(bad));
		return;
	}
	fprintf(out, "%s v%u %s", protocol(ip), gm_version_number(m.family, m.version),
		kind_name(&m));
	if (m.kind == GM_QUERY)
		print_query(&m, out);
	else
		print_report(&m, out);
}

/* ---- lines ---- */

static void print_time(uint64_t ns, FILE *out)
{
	time_t s = (time_t)(ns / 1000000000);
	char text[16] = "?";
	struct tm tm;

	if (localtime_r(&s, &tm))
		strftime(text, sizeof(text), "%H:%M:%S", &tm);
	fprintf(out, "%s.%06u ", text, (unsigned)(ns % 1000000000 / 1000));
}

static bool udp_ports(const struct ip *ip, unsigned *ret_from, unsigned *ret_to)
{
	if (ip->proto != IPPROTO_UDP || ip->payload + 8 > ip->caplen ||
		(ip->family == FAMILY_IPV4 && get_u16be(ip->data + 6) & 0x1fff))
		return false;
	*ret_from = get_u16be(ip->data + ip->payload);
	*ret_to = get_u16be(ip->data + ip->payload + 2);
	return true;
}

static uint32_t payload_len(const struct ip *ip)
{
	return ip->len > ip->payload ? ip->len - ip->payload : 0;
}

static void print_data(const struct ip *ip, FILE *out)
{
	char from[ADDR_STRLEN], to[ADDR_STRLEN];
	unsigned sport, dport;

	addr_format(&ip->from, from);
	addr_format(&ip->to, to);
	if (udp_ports(ip, &sport, &dport))
		fprintf(out, "%s.%u > %s.%u: UDP, length %" PRIu32 ", ttl %u", from,
			sport, to, dport, payload_len(ip) > 8 ? payload_len(ip) - 8 : 0,
			ip->ttl);
	else
		fprintf(out, "%s > %s: protocol %u, length %" PRIu32 ", ttl %u", from,
			to, ip->proto, payload_len(ip), ip->ttl);
}

void packet_text_print(
	const struct packet_text *t, const struct pcapng_packet *p, FILE *out)
{
	char from[ADDR_STRLEN], to[ADDR_STRLEN];
	struct ip ip;

	print_time(p->time_ns, out);
	fputs(t->interface, out);
	fputs(p->direction == PCAPNG_OUTBOUND ? " out " : " in  ", out);
	if (!parse_ip(t, p, &ip)) {
		fprintf(out, "no IP packet, %" PRIu32 " bytes", p->len);
	} else if (is_membership(&ip)) {
		fprintf(out, "%s > %s: ", addr_format(&ip.from, from),
			addr_format(&ip.to, to));
		print_membership(t, &ip, out);
	} else {
		print_data(&ip, out);
	}
	fputc('\n', out);
}

/* ---- the same as JSON ---- */

static json_t *json_addr(const struct addr *a)
{
	char text[ADDR_STRLEN];

	return json_string(addr_format(a, text));
}

static json_t *json_sources(const struct addr *v, size_t n)
{
	json_t *list = json_array();

	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, json_addr(&v[i]));
	return list;
}

static void json_query(json_t *o, const struct gm_msg *m)
{
	const struct gm_query *q = &m->query;

	json_object_set_new(o, "group",
		addr_is_any(&q->group) ? json_null() : json_addr(&q->group));
	json_object_set_new(o, "sources", json_sources(q->src, q->n_src));
	json_object_set_new(o, "max_response_ms", json_integer(q->max_resp_ms));
	if (m->version != GM_V3)
		return;
	json_object_set_new(o, "robustness", json_integer(q->qrv));
	json_object_set_new(o, "query_interval_ms", json_integer(q->qqi_ms));
	json_object_set_new(o, "suppress", json_boolean(q->suppress));
}

static void json_report(json_t *o, const struct gm_msg *m)
{
	json_t *list = json_array();

	for (size_t i = 0; i < m->n_rec; i++)
		json_array_append_new(list,
			json_pack("{so ss so}", "group", json_addr(&m->rec[i].group),
				"type", record_name(m->rec[i].type), "sources",
				json_sources(m->rec[i].src, m->rec[i].n_src)));
	json_object_set_new(o, "records", list);
}

static void json_membership(json_t *o, const struct packet_text *t, const struct ip *ip)
{
	struct gm_msg m;
	enum gm_bad bad = decode(ip, t->scratch, &m);

	json_object_set_new(o, "protocol", json_string(protocol(ip)));
	if (bad != GM_OK) {
		json_object_set_new(o, "bad", json_string(gm_bad_name(bad)));
		return;
	}
	json_object_set_new(
		o, "version", json_integer(gm_version_number(m.family, m.version)));
	json_object_set_new(o, "type", json_string(kind_name(&m)));
	if (m.kind == GM_QUERY)
		json_query(o, &m);
	else
		json_report(o, &m);
}

json_t *packet_text_json(const struct packet_text *t, const struct pcapng_packet *p)
{
	json_t *o = json_pack("{sI ss ss si}", "time_ns", (json_int_t)p->time_ns,
		"interface", t->interface, "direction",
		p->direction == PCAPNG_OUTBOUND ? "out" : "in", "length", (int)p->len);
	unsigned sport, dport;
	struct ip ip;

	if (!o || !parse_ip(t, p, &ip))
		return o;
	json_object_set_new(o, "source", json_addr(&ip.from));
	json_object_set_new(o, "destination", json_addr(&ip.to));
	json_object_set_new(o, "ttl", json_integer(ip.ttl));
	if (is_membership(&ip)) {
		json_membership(o, t, &ip);
	} else if (udp_ports(&ip, &sport, &dport)) {
		json_object_set_new(o, "protocol", json_string("udp"));
		json_object_set_new(o, "source_port", json_integer(sport));
		json_object_set_new(o, "destination_port", json_integer(dport));
	} else {
		json_object_set_new(o, "protocol", json_integer(ip.proto));
	}
	return o;
}
