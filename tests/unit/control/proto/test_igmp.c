/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * IGMP codec: golden messages both ways, tables of codes and sizes, encoder refusals,
 * decode(encode(x)) = x, and random damage. What is accepted and why not: see
 * test_igmp_accept.c.
 */

#include "base/rng.h"
#include "control/proto/gm_wire.h"
#include "control/proto/igmp.h"
#include "igmp_packet.h"

#include <errno.h>

#define QUERIER "10.0.0.254"
#define HOST	"10.0.0.7"
#define SEED	20260715

static const struct gm_rules lax;
static struct gm_scratch scratch;

struct golden {
	const char *name, *hex, *from, *to;
	enum gm_version version;
	enum gm_kind kind;
	struct gm_query query;
	struct gm_record rec;
};

static const struct addr one[] = {ADDR_V4(10, 0, 0, 1)};

#define G239 ADDR_V4(239, 1, 2, 3)
#define G232 ADDR_V4(232, 1, 2, 3)
#define ANY  ADDR_V4(0, 0, 0, 0)

static const struct golden golden[] = {
	{"v1 general query", "1100eeff00000000", QUERIER, "224.0.0.1", GM_V1, GM_QUERY,
		.query = {.group = ANY, .max_resp_ms = 10000}},
	{"v2 general query", "1164ee9b00000000", QUERIER, "224.0.0.1", GM_V2, GM_QUERY,
		.query = {.group = ANY, .max_resp_ms = 10000}},
	{"v2 group query", "110afdf0ef010203", QUERIER, "239.1.2.3", GM_V2, GM_QUERY,
		.query = {.group = G239, .max_resp_ms = 1000}},
	{"v3 general query", "1164ec1e00000000027d0000", QUERIER, "224.0.0.1", GM_V3,
		GM_QUERY,
		.query = {.group = ANY,
			.max_resp_ms = 10000,
			.qrv = 2,
			.qqi_ms = 125000}},
	{"v3 group query", "110afb73ef010203027d0000", QUERIER, "239.1.2.3", GM_V3,
		GM_QUERY,
		.query = {.group = G239,
			.max_resp_ms = 1000,
			.qrv = 2,
			.qqi_ms = 125000}},
	{"v3 group and source query", "110ae971ef0102030a7d00010a000001", QUERIER,
		"239.1.2.3", GM_V3, GM_QUERY,
		.query = {.group = G239,
			.max_resp_ms = 1000,
			.qrv = 2,
			.qqi_ms = 125000,
			.suppress = true,
			.src = one,
			.n_src = 1}},
	{"v1 report", "1200fcfaef010203", HOST, "239.1.2.3", GM_V1, GM_REPORT,
		.rec = {GM_IS_EX, G239}},
	{"v2 report", "1600f8faef010203", HOST, "239.1.2.3", GM_V2, GM_REPORT,
		.rec = {GM_IS_EX, G239}},
	{"v2 leave", "1700f7faef010203", HOST, "224.0.0.2", GM_V2, GM_REPORT,
		.rec = {GM_TO_IN, G239}},
	{"v3 TO_EX({})", "2200e8f90000000104000000ef010203", HOST, "224.0.0.22", GM_V3,
		GM_REPORT, .rec = {GM_TO_EX, G239}},
	{"v3 TO_IN({})", "2200e9f90000000103000000ef010203", HOST, "224.0.0.22", GM_V3,
		GM_REPORT, .rec = {GM_TO_IN, G239}},
	{"v3 ALLOW({10.0.0.1})", "2200e4f70000000105000001e80102030a000001", HOST,
		"224.0.0.22", GM_V3, GM_REPORT, .rec = {GM_ALLOW, G232, one, 1}},
};

static void assert_sources(
	const struct addr *v, size_t n, const struct addr *want, size_t n_want)
{
	assert_int_equal(n, n_want);
	if (n)
		assert_memory_equal(v, want, n * sizeof(*v));
}

static void assert_query(const struct gm_query *q, const struct gm_query *want)
{
	assert_memory_equal(&q->group, &want->group, sizeof(q->group));
	assert_int_equal(q->max_resp_ms, want->max_resp_ms);
	assert_int_equal(q->qrv, want->qrv);
	assert_int_equal(q->qqi_ms, want->qqi_ms);
	assert_int_equal(q->suppress, want->suppress);
	assert_sources(q->src, q->n_src, want->src, want->n_src);
}

static void assert_record(const struct gm_record *r, const struct gm_record *want)
{
	assert_int_equal(r->type, want->type);
	assert_memory_equal(&r->group, &want->group, sizeof(r->group));
	assert_sources(r->src, r->n_src, want->src, want->n_src);
}

/* R001: every field of the header that we send */
static void assert_ip_header(
	const uint8_t *b, size_t len, const char *from, const char *to)
{
	struct addr src = a(from), dst = a(to), dst_seen = gm_packet_destination(FAMILY_IPV4, b);

	assert_int_equal(b[0], 0x46);
	assert_int_equal(b[1], 0xc0);
	assert_int_equal(b[2] << 8 | b[3], len);
	assert_int_equal(b[4] << 8 | b[5], 0);
	assert_int_equal(b[6] << 8 | b[7], 0x4000);
	assert_int_equal(b[8], 1);
	assert_int_equal(b[9], 2);
	assert_int_equal(inet_fold(inet_sum(b, IGMP_IP_HEADER_LEN, 0)), 0);
	assert_memory_equal(b + 12, addr_v4_bytes(&src), 4);
	assert_memory_equal(b + 16, addr_v4_bytes(&dst), 4);
	assert_memory_equal(b + 20, "\x94\x04\0\0", 4);
	assert_true(addr_eq(&dst_seen, &dst));
}

static void r001_r025_golden_encode(void **state)
{
	for (size_t i = 0; i < array_len(golden); i++) {
		const struct golden *g = &golden[i];
		struct addr from = a(g->from);
		uint8_t want[64], buf[128];
		size_t n = unhex(g->hex, want);
		int r;

		print_message("  %s\n", g->name);
		memset(buf, 0xee, sizeof(buf));
		if (g->kind == GM_QUERY)
			r = igmp_encode_query(
				buf, sizeof(buf), g->version, &from, &g->query);
		else
			r = igmp_encode_report(
				buf, sizeof(buf), g->version, &from, &g->rec, 1);
		assert_int_equal(r, IGMP_IP_HEADER_LEN + n);
		assert_ip_header(buf, (size_t)r, g->from, g->to);
		assert_memory_equal(buf + IGMP_IP_HEADER_LEN, want, n);
		assert_int_equal(buf[r], 0xee); /* nothing extra */
	}
}

static void golden_decode(void **state)
{
	static struct igmp_packet p;

	for (size_t i = 0; i < array_len(golden); i++) {
		const struct golden *g = &golden[i];
		struct addr from = a(g->from), to = a(g->to);
		uint8_t raw[64];
		struct gm_msg m;

		print_message("  %s\n", g->name);
		igmp_packet_make(&p,
			&(struct igmp_packet_spec){
				.hex = g->hex, .from = g->from, .to = g->to});
		/* the builder's checksum is the one of the table */
		assert_memory_equal(p.b + p.header_len, raw, unhex(g->hex, raw));
		assert_int_equal(igmp_decode(p.b, p.len, &lax, &scratch, &m), GM_OK);
		assert_int_equal(m.kind, g->kind);
		assert_int_equal(m.family, FAMILY_IPV4);
		assert_int_equal(m.version, g->version);
		assert_int_equal(m.notes, 0);
		assert_true(addr_eq(&m.from, &from));
		assert_true(addr_eq(&m.to, &to));
		if (g->kind == GM_QUERY) {
			assert_query(&m.query, &g->query);
			assert_int_equal(m.n_rec, 0);
		} else {
			assert_int_equal(m.n_rec, 1);
			assert_record(m.rec, &g->rec);
		}
	}
}

static void r011_codes_decode(void **state)
{
	static const struct {
		uint8_t code;
		uint32_t value;
	} t[] = {{0, 0}, {1, 1}, {0x7f, 127}, {0x80, 128}, {0x81, 136}, {0x8a, 208},
		{0x9a, 416}, {0xff, 31744}};

	for (size_t i = 0; i < array_len(t); i++)
		assert_int_equal(
			gm_wire_code_decode(t[i].code, GM_WIRE_CODE_8), t[i].value);
}

/* The code of a value is the largest one that does not exceed it. */
static void r012_codes_encode(void **state)
{
	uint32_t best = 0;

	assert_int_equal(gm_wire_code_encode(130, GM_WIRE_CODE_8), 0x80);
	assert_int_equal(gm_wire_code_encode(125, GM_WIRE_CODE_8), 0x7d);
	for (uint32_t v = 0; v < 40000; v++) {
		while (best < 255 && gm_wire_code_decode(best + 1, GM_WIRE_CODE_8) <= v)
			best++;
		assert_int_equal(gm_wire_code_encode(v, GM_WIRE_CODE_8), best);
	}
	assert_int_equal(gm_wire_code_encode(UINT32_MAX, GM_WIRE_CODE_8), 0xff);
}

static uint8_t code_of(enum gm_version version, uint32_t max_resp_ms)
{
	struct gm_query q = {.group = ANY, .max_resp_ms = max_resp_ms};
	struct addr from = a(QUERIER);
	uint8_t buf[64];

	assert_true(igmp_encode_query(buf, sizeof(buf), version, &from, &q) > 0);
	return buf[IGMP_IP_HEADER_LEN + 1];
}

static void r012_times_in_queries(void **state)
{
	assert_int_equal(code_of(GM_V3, 13000), 0x80); /* 12.8 s */
	assert_int_equal(code_of(GM_V3, 3174400), 0xff);
	assert_int_equal(code_of(GM_V3, 0), 0);
	assert_int_equal(code_of(GM_V3, 50), 1);
	assert_int_equal(code_of(GM_V2, 13000), 130); /* linear */
	assert_int_equal(code_of(GM_V2, 25500), 255);
	assert_int_equal(code_of(GM_V2, 60000), 255);
	assert_int_equal(code_of(GM_V2, 0), 1); /* 0 would mean version 1 */
	assert_int_equal(code_of(GM_V1, 1000), 0);
}

static void r043_large_robustness_is_sent_as_0(void **state)
{
	static const uint8_t qrv[][2] = {{0, 0}, {1, 1}, {7, 7}, {8, 0}, {255, 0}};
	struct addr from = a(QUERIER);
	uint8_t buf[64];

	for (size_t i = 0; i < array_len(qrv); i++) {
		struct gm_query q = {.group = ANY, .qrv = qrv[i][0], .qqi_ms = 400};

		assert_int_equal(
			igmp_encode_query(buf, sizeof(buf), GM_V3, &from, &q), 36);
		assert_int_equal(buf[32], qrv[i][1]);
		assert_int_equal(buf[33], 1); /* 0.4 s is not "default" */
	}
}

/* conformance table 0.2 */
static void sizes_at_an_mtu(void **state)
{
	static const struct {
		uint32_t mtu;
		size_t query, record, empty;
	} t[] = {{1500, 366, 365, 183}, {1492, 364, 363, 182}, {1280, 311, 310, 156},
		{36, 0, 0, 0}, {40, 1, 0, 1}, {0, 0, 0, 0}};
	static uint8_t buf[1600];
	static struct addr src[400];
	static struct gm_record rec[200];
	struct addr from = a(HOST);

	for (size_t i = 0; i < array_len(src); i++)
		src[i] = ADDR_V4(10, 1, (uint8_t)(i >> 8), (uint8_t)i);
	for (size_t i = 0; i < array_len(rec); i++)
		rec[i] = (struct gm_record){GM_TO_EX, G239};
	for (size_t i = 0; i < array_len(t); i++) {
		size_t space = gm_report_space(FAMILY_IPV4, t[i].mtu);
		struct gm_record full = {GM_ALLOW, G232, src, t[i].record};
		struct gm_query q = {.group = G239, .src = src, .n_src = t[i].query};

		assert_int_equal(
			gm_query_max_sources(FAMILY_IPV4, t[i].mtu), t[i].query);
		assert_int_equal(space / 8, t[i].empty);
		assert_int_equal(space < 8 ? 0 : (space - 8) / 4, t[i].record);
		if (t[i].mtu < 100)
			continue;
		/* as many sources as the table says fit, and one more does not */
		assert_in_range(igmp_encode_query(buf, t[i].mtu, GM_V3, &from, &q), 1,
			t[i].mtu);
		q.n_src++;
		assert_int_equal(
			igmp_encode_query(buf, t[i].mtu, GM_V3, &from, &q), -EMSGSIZE);
		assert_in_range(
			igmp_encode_report(buf, t[i].mtu, GM_V3, &from, &full, 1), 1,
			t[i].mtu);
		full.n_src++;
		assert_int_equal(
			igmp_encode_report(buf, t[i].mtu, GM_V3, &from, &full, 1),
			-EMSGSIZE);
		assert_in_range(igmp_encode_report(
					buf, t[i].mtu, GM_V3, &from, rec, t[i].empty),
			1, t[i].mtu);
		assert_int_equal(igmp_encode_report(buf, t[i].mtu, GM_V3, &from, rec,
					 t[i].empty + 1),
			-EMSGSIZE);
	}
}

/* messages that a version or IPv4 cannot express */
static void encoder_refuses(void **state)
{
	struct addr from = a(HOST), v6 = a("fe80::1");
	struct addr bad_groups[] = {a("10.1.1.1"), a("224.0.0.1"), a("ff0e::1")};
	struct gm_query general = {.group = ANY}, group = {.group = G239};
	struct gm_query sources = {.group = G239, .src = one, .n_src = 1};
	struct gm_query nonsense = {.group = ANY, .src = one, .n_src = 1};
	struct gm_record join = {GM_IS_EX, G239}, leave = {GM_TO_IN, G239};
	struct gm_record both[] = {join, leave}, ssm = {GM_IS_IN, G232, one, 1};
	struct gm_record allow = {GM_ALLOW, G232, one, 1},
			 block = {GM_BLOCK, G232, one, 1};
	uint8_t b[128];
	size_t n = sizeof(b);

	assert_int_equal(igmp_encode_query(b, n, GM_V3, &v6, &general), -EINVAL);
	assert_int_equal(igmp_encode_query(b, n, GM_V1, &from, &group), -EINVAL);
	assert_int_equal(igmp_encode_query(b, n, GM_V2, &from, &sources), -EINVAL);
	assert_int_equal(igmp_encode_query(b, n, GM_V3, &from, &nonsense), -EINVAL);
	assert_int_equal(igmp_encode_query(b, 35, GM_V3, &from, &general), -EMSGSIZE);
	assert_int_equal(igmp_encode_query(b, 0, GM_V3, &from, &general), -EMSGSIZE);

	/* R127: silence on leave in version 1 */
	assert_int_equal(igmp_encode_report(b, n, GM_V1, &from, &leave, 1), -EINVAL);
	assert_int_equal(igmp_encode_report(b, n, GM_V2, &from, both, 2), -EINVAL);
	assert_int_equal(igmp_encode_report(b, n, GM_V2, &from, &ssm, 1), -EINVAL);
	assert_int_equal(igmp_encode_report(b, n, GM_V2, &from, &allow, 1), -EINVAL);
	assert_int_equal(igmp_encode_report(b, n, GM_V2, &from, &block, 1), -EINVAL);
	assert_int_equal(igmp_encode_report(b, n, GM_V3, &from, both, 0), -EINVAL);
	assert_int_equal(igmp_encode_report(b, n, GM_V3, &v6, both, 2), -EINVAL);
	for (size_t i = 0; i < array_len(bad_groups); i++) {
		group.group = join.group = bad_groups[i];
		assert_int_equal(
			igmp_encode_query(b, n, GM_V3, &from, &group), -EINVAL);
		assert_int_equal(
			igmp_encode_report(b, n, GM_V2, &from, &join, 1), -EINVAL);
		assert_int_equal(
			igmp_encode_report(b, n, GM_V3, &from, &join, 1), -EINVAL);
	}

	/* a general query may be named by either family's unspecified address */
	general.group = addr_any(FAMILY_IPV6);
	assert_int_equal(igmp_encode_query(b, n, GM_V3, &from, &general), 36);
}

static struct addr random_unicast(struct rng *rng)
{
	return ADDR_V4((uint8_t)(1 + rng_below(rng, 126)), (uint8_t)rng_next(rng),
		(uint8_t)rng_next(rng), (uint8_t)rng_next(rng));
}

static struct addr random_group(struct rng *rng)
{
	return ADDR_V4((uint8_t)(225 + rng_below(rng, 15)), (uint8_t)rng_next(rng),
		(uint8_t)rng_next(rng), (uint8_t)rng_next(rng));
}

#define MAX_REC 40
#define MAX_SRC 400

struct random_parts {
	struct gm_record rec[MAX_REC];
	struct addr src[MAX_SRC];
};

static size_t random_records(struct rng *rng, struct random_parts *p)
{
	size_t n_rec = 1 + rng_below(rng, MAX_REC), used = 0;

	for (size_t i = 0; i < n_rec; i++) {
		size_t n = rng_below(rng, 3) ? rng_below(rng, 8) : 0;

		p->rec[i] = (struct gm_record){
			.type = (enum gm_record_type)(1 + rng_below(rng, 6)),
			.group = random_group(rng),
			.src = p->src + used,
			.n_src = n,
		};
		for (size_t k = 0; k < n; k++)
			p->src[used++] = random_unicast(rng);
	}
	return n_rec;
}

static void random_query(struct rng *rng, struct random_parts *p, struct gm_query *q)
{
	*q = (struct gm_query){
		.group = rng_below(rng, 2) ? random_group(rng) : ANY,
		.max_resp_ms =
			gm_wire_code_decode((uint8_t)rng_next(rng), GM_WIRE_CODE_8) *
			100,
		.qrv = (uint8_t)rng_below(rng, 8),
		.qqi_ms = gm_wire_code_decode((uint8_t)rng_next(rng), GM_WIRE_CODE_8) *
			1000,
		.suppress = rng_below(rng, 2),
		.src = p->src,
	};
	if (!addr_is_any(&q->group))
		q->n_src = rng_below(rng, 300);
	for (size_t i = 0; i < q->n_src; i++)
		p->src[i] = random_unicast(rng);
}

static void decode_of_encode_is_the_same(void **state)
{
	static struct random_parts p;
	static uint8_t buf[1500];
	const struct gm_rules strict = {true, true};
	struct gm_msg m;
	struct gm_query q;
	struct rng rng;

	print_message("seed %d\n", SEED);
	rng_seed(&rng, SEED);
	for (int round = 0; round < ROUNDS(20000); round++) {
		struct addr from = random_unicast(&rng);
		bool report = rng_below(&rng, 2);
		size_t n_rec = 0;
		int r;

		if (report) {
			n_rec = random_records(&rng, &p);
			r = igmp_encode_report(
				buf, sizeof(buf), GM_V3, &from, p.rec, n_rec);
		} else {
			random_query(&rng, &p, &q);
			r = igmp_encode_query(buf, sizeof(buf), GM_V3, &from, &q);
		}
		assert_true(r > 0);
		assert_int_equal(
			igmp_decode(buf, (size_t)r, &strict, &scratch, &m), GM_OK);
		assert_int_equal(m.notes, 0);
		assert_int_equal(m.version, GM_V3);
		assert_true(addr_eq(&m.from, &from));
		assert_int_equal(m.kind, report ? GM_REPORT : GM_QUERY);
		assert_int_equal(m.n_rec, n_rec);
		for (size_t i = 0; i < n_rec; i++)
			assert_record(&m.rec[i], &p.rec[i]);
		if (!report)
			assert_query(&m.query, &q);
	}
}

static bool inside_sources(const struct addr *src, size_t n)
{
	return n == 0 ||
		(src >= scratch.src && n <= GM_MAX_SOURCES &&
			src + n <= scratch.src + GM_MAX_SOURCES);
}

static void assert_invariants(const struct gm_msg *m, size_t len)
{
	assert_int_equal(m->family, FAMILY_IPV4);
	assert_in_range(m->version, GM_V1, GM_V3);
	if (m->kind == GM_QUERY) {
		assert_int_equal(m->n_rec, 0);
		assert_true(inside_sources(m->query.src, m->query.n_src));
		assert_true(m->query.n_src * 4 <= len);
		return;
	}
	assert_int_equal(m->kind, GM_REPORT);
	assert_true(m->n_rec * 8 <= len);
	assert_true(m->n_rec == 0 || m->rec == scratch.rec);
	for (size_t i = 0; i < m->n_rec; i++) {
		const struct gm_record *r = &m->rec[i];

		assert_in_range(r->type, GM_IS_IN, GM_BLOCK);
		assert_true(addr_is_v4(&r->group) && addr_is_multicast(&r->group));
		assert_true(inside_sources(r->src, r->n_src));
		for (size_t k = 0; k < r->n_src; k++)
			assert_true(addr_is_usable_source(&r->src[k]));
	}
}

static size_t random_message(struct rng *rng, uint8_t *buf, size_t size)
{
	static struct random_parts p;
	struct addr from = random_unicast(rng);
	struct gm_query q;
	int r;

	if (rng_below(rng, 3) == 0) {
		random_query(rng, &p, &q);
		r = igmp_encode_query(buf, size, GM_V3, &from, &q);
	} else {
		size_t n = random_records(rng, &p);

		r = igmp_encode_report(buf, size, GM_V3, &from, p.rec, n);
	}
	assert_true(r > 0);
	return (size_t)r;
}

/* Damage of all kinds; for most packets the checksums are made good again, so that the
 * damage gets past them. The packet is at the end of its own memory block, so the
 * address sanitizer finds every byte that is read too far. */
static void r004_r016_r194_mutations(void **state)
{
	static struct igmp_packet p;
	const struct gm_rules strict = {true, true};
	size_t n_ok = 0, n_bad[_GM_BAD_N] = {0};
	struct rng rng;

	print_message("seed %d\n", SEED);
	rng_seed(&rng, SEED);
	for (int round = 0; round < ROUNDS(200000); round++) {
		size_t len = random_message(&rng, p.b, 1500),
		       n_hits = rng_below(&rng, 6);
		_cleanup_(freep) uint8_t *exact = NULL;
		struct gm_msg m;
		enum gm_bad bad;

		for (size_t i = 0; i < n_hits; i++) {
			size_t span = rng_below(&rng, 2) ? len : 48;

			p.b[rng_below(&rng, span)] = (uint8_t)rng_next(&rng);
		}
		p.header_len = (p.b[0] & 0x0fu) * 4;
		if (rng_below(&rng, 8) == 0)
			len = rng_below(&rng, len + 1);
		if (rng_below(&rng, 8) && p.header_len >= 20 && len >= p.header_len)
			igmp_packet_seal(&p, len);

		exact = malloc(len ? len : 1);
		assert_non_null(exact);
		memcpy(exact, p.b, len);
		bad = igmp_decode(
			exact, len, rng_below(&rng, 9) ? &lax : &strict, &scratch, &m);
		assert_in_range(bad, GM_OK, _GM_BAD_N - 1);
		n_bad[bad]++;
		if (bad)
			continue;
		assert_invariants(&m, len);
		n_ok++;
	}
	/* the damage reached the parsers after the checksums, and every refusal */
	assert_in_range(n_ok, ROUNDS(40000), ROUNDS(190000));
	for (int i = GM_BAD_SHORT; i <= GM_BAD_SOURCE; i++) {
		print_message("  %-12s %zu\n", gm_bad_name((enum gm_bad)i), n_bad[i]);
		assert_true(n_bad[i] > 0);
	}
}

/* the largest packets: with the smallest records, and with the most sources */
static void largest_packets_fit_the_scratch(void **state)
{
	static struct igmp_packet p;
	struct gm_msg m;
	size_t n = (65535 - 24 - 8) / 8;

	igmp_packet_make(&p,
		&(struct igmp_packet_spec){
			.hex = "2200000000000000", .to = "224.0.0.22"});
	igmp_packet_put16(p.b + 30, n + 5);
	for (size_t i = 0; i < n; i++)
		memcpy(p.b + 32 + 8 * i, "\4\0\0\0\357\1\2\3", 8);
	igmp_packet_seal(&p, 65535);
	assert_int_equal(igmp_decode(p.b, 65535, &lax, &scratch, &m), GM_OK);
	assert_int_equal(m.n_rec, n);
	assert_int_equal(m.notes, GM_NOTE_TRUNCATED);

	n = (65535 - 24 - 16) / 4;
	igmp_packet_put16(p.b + 30, 1);
	igmp_packet_put16(p.b + 34, n);
	memset(p.b + 40, 10, 4 * n);
	igmp_packet_seal(&p, 65535);
	assert_int_equal(igmp_decode(p.b, 65535, &lax, &scratch, &m), GM_OK);
	assert_int_equal(m.n_rec, 1);
	assert_int_equal(m.rec[0].n_src, n);
	assert_int_equal(m.notes, 0);
}

static void names_of_refusals_are_distinct(void **state)
{
	for (int i = 0; i < _GM_BAD_N; i++) {
		assert_string_not_equal(gm_bad_name((enum gm_bad)i), "unknown");
		for (int k = 0; k < i; k++)
			assert_string_not_equal(gm_bad_name((enum gm_bad)i),
				gm_bad_name((enum gm_bad)k));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(r001_r025_golden_encode),
		cmocka_unit_test(golden_decode),
		cmocka_unit_test(r011_codes_decode),
		cmocka_unit_test(r012_codes_encode),
		cmocka_unit_test(r012_times_in_queries),
		cmocka_unit_test(r043_large_robustness_is_sent_as_0),
		cmocka_unit_test(sizes_at_an_mtu),
		cmocka_unit_test(encoder_refuses),
		cmocka_unit_test(decode_of_encode_is_the_same),
		cmocka_unit_test(r004_r016_r194_mutations),
		cmocka_unit_test(largest_packets_fit_the_scratch),
		cmocka_unit_test(names_of_refusals_are_distinct),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
