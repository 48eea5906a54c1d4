/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * MLD codec: golden messages both ways, tables of codes and sizes, encoder refusals,
 * decode(encode(x)) = x, and random damage. What is accepted and why not: see
 * test_mld_accept.c.
 */

#include "base/rng.h"
#include "control/proto/gm_wire.h"
#include "control/proto/mld.h"
#include "mld_packet.h"

#include <errno.h>

#define QUERIER "fe80::1"
#define HOST	"fe80::2"
#define SEED	20260716

#define G6   ((struct addr){{0xff, 0x0e, [11] = 1, [13] = 2, [15] = 3}})
#define SSM6 ((struct addr){{0xff, 0x3e, [12] = 0x80, [15] = 1}})
#define ANY  ((struct addr){{0}})

static const struct gm_rules lax, strict = {.require_router_alert = true};
static struct gm_scratch scratch;

struct golden {
	const char *name, *hex, *from, *to;
	enum gm_version version;
	enum gm_kind kind;
	struct gm_query query;
	struct gm_record rec;
};

static const struct addr one[] = {{{0x20, 0x01, 0x0d, 0xb8, [15] = 1}}};

static const struct golden golden[] = {
	{"v1 general query", "820059172710000000000000000000000000000000000000",
		QUERIER, "ff02::1", GM_V2, GM_QUERY,
		.query = {.group = ANY, .max_resp_ms = 10000}},
	{"v2 general query", "820056962710000000000000000000000000000000000000027d0000",
		QUERIER, "ff02::1", GM_V3, GM_QUERY,
		.query = {.group = ANY,
			.max_resp_ms = 10000,
			.qrv = 2,
			.qqi_ms = 125000}},
	{"v1 report", "8300800000000000ff0e0000000000000000000100020003", HOST,
		"ff0e::1:2:3", GM_V2, GM_REPORT, .rec = {GM_IS_EX, G6}},
	{"v1 Done", "84007f1000000000ff0e0000000000000000000100020003", HOST, "ff02::2",
		GM_V2, GM_REPORT, .rec = {GM_TO_IN, G6}},
	{"v2 TO_EX({})", "8f006ff70000000104000000ff0e0000000000000000000100020003",
		HOST, "ff02::16", GM_V3, GM_REPORT, .rec = {GM_TO_EX, G6}},
	{"v2 ALLOW({2001:db8::1})",
		"8f00c1000000000105000001ff3e0000000000000000000080000001"
		"20010db8000000000000000000000001",
		HOST, "ff02::16", GM_V3, GM_REPORT, .rec = {GM_ALLOW, SSM6, one, 1}},
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

/* R027: every field of the headers that we send */
static void assert_headers(
	const uint8_t *b, size_t len, const char *from, const char *to)
{
	struct addr src = a(from), dst = a(to), dst_seen = gm_packet_destination(FAMILY_IPV6, b);

	assert_memory_equal(b, "\x60\0\0\0", 4);
	assert_int_equal(b[4] << 8 | b[5], len - 40);
	assert_int_equal(b[6], 0);
	assert_int_equal(b[7], 1);
	assert_memory_equal(b + 8, src.b, 16);
	assert_memory_equal(b + 24, dst.b, 16);
	assert_memory_equal(b + 40, "\x3a\0\5\2\0\0\1\0", 8);
	assert_int_equal(
		mld_packet_sum(b, b + MLD_IP_HEADER_LEN, len - MLD_IP_HEADER_LEN), 0);
	assert_true(addr_eq(&dst_seen, &dst));
}

static int encode_golden(
	const struct golden *g, const char *from, uint8_t *buf, size_t n)
{
	struct addr src = a(from);

	if (g->kind == GM_QUERY)
		return mld_encode_query(buf, n, g->version, &src, &g->query);
	return mld_encode_report(buf, n, g->version, &src, &g->rec, 1);
}

static void r027_golden_encode(void **state)
{
	for (size_t i = 0; i < array_len(golden); i++) {
		const struct golden *g = &golden[i];
		uint8_t want[64], buf[160];
		size_t n = mld_unhex(g->hex, want);
		int r;

		print_message("  %s\n", g->name);
		memset(buf, 0xee, sizeof(buf));
		r = encode_golden(g, g->from, buf, sizeof(buf));
		assert_int_equal(r, MLD_IP_HEADER_LEN + n);
		assert_headers(buf, (size_t)r, g->from, g->to);
		assert_memory_equal(buf + MLD_IP_HEADER_LEN, want, n);
		assert_int_equal(buf[r], 0xee); /* nothing extra */
	}
}

/* Queries to a group and its sources have no golden message. */
static void r027_group_queries(void **state)
{
	struct addr from = a(QUERIER);
	struct gm_query q = {.group = G6,
		.max_resp_ms = 1000,
		.qrv = 2,
		.qqi_ms = 125000,
		.suppress = true,
		.src = one,
		.n_src = 1};
	uint8_t buf[160];
	int r = mld_encode_query(buf, sizeof(buf), GM_V3, &from, &q);

	assert_int_equal(r, MLD_IP_HEADER_LEN + 28 + 16);
	assert_headers(buf, (size_t)r, QUERIER, "ff0e::1:2:3");
	assert_memory_equal(buf + 52, "\x03\xe8\0\0", 4);
	assert_memory_equal(buf + 56, q.group.b, 16);
	assert_memory_equal(buf + 72, "\x0a\x7d\0\1", 4);
	assert_memory_equal(buf + 76, one[0].b, 16);

	q.n_src = 0;
	r = mld_encode_query(buf, sizeof(buf), GM_V2, &from, &q);
	assert_int_equal(r, MLD_IP_HEADER_LEN + 24);
	assert_headers(buf, (size_t)r, QUERIER, "ff0e::1:2:3");
}

static void golden_decode(void **state)
{
	static struct mld_packet p;

	for (size_t i = 0; i < array_len(golden); i++) {
		const struct golden *g = &golden[i];
		struct addr from = a(g->from), to = a(g->to);
		uint8_t raw[64];
		struct gm_msg m;

		print_message("  %s\n", g->name);
		mld_packet_make(&p,
			&(struct mld_packet_spec){
				.hex = g->hex, .from = g->from, .to = g->to});
		/* the builder's checksum is the one of the table */
		assert_memory_equal(p.b + p.header_len, raw, mld_unhex(g->hex, raw));
		assert_int_equal(mld_decode(p.b, p.len, &strict, &scratch, &m), GM_OK);
		assert_int_equal(m.kind, g->kind);
		assert_int_equal(m.family, FAMILY_IPV6);
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

static void r032_codes_decode(void **state)
{
	static const struct {
		uint16_t code;
		uint32_t value;
	} t[] = {{0, 0}, {1, 1}, {0x7fff, 32767}, {0x8000, 32768}, {0x8001, 32776},
		{0x9000, 65536}, {0xffff, 8387584}};

	for (size_t i = 0; i < array_len(t); i++)
		assert_int_equal(
			gm_wire_code_decode(t[i].code, GM_WIRE_CODE_16), t[i].value);
}

/* The code of a value is the largest one that does not exceed it. */
static void r012_r032_codes_encode(void **state)
{
	uint32_t best = 0;

	for (uint32_t v = 0; v < 8500000; v++) {
		while (best < 0xffff &&
			gm_wire_code_decode(best + 1, GM_WIRE_CODE_16) <= v)
			best++;
		if (gm_wire_code_encode(v, GM_WIRE_CODE_16) != best)
			fail_msg("%u: %#x", v, gm_wire_code_encode(v, GM_WIRE_CODE_16));
	}
	assert_int_equal(gm_wire_code_encode(UINT32_MAX, GM_WIRE_CODE_16), 0xffff);
}

static unsigned code_of(enum gm_version version, uint32_t max_resp_ms)
{
	struct gm_query q = {.group = ANY, .max_resp_ms = max_resp_ms};
	struct addr from = a(QUERIER);
	uint8_t b[128];

	assert_true(mld_encode_query(b, sizeof(b), version, &from, &q) > 0);
	return (unsigned)b[52] << 8 | b[53];
}

static void r032_r033_times_in_queries(void **state)
{
	struct gm_query q = {.group = ANY, .qrv = 8, .qqi_ms = 400};
	struct addr from = a(QUERIER);
	uint8_t b[128];

	assert_int_equal(code_of(GM_V3, 10000), 0x2710);
	assert_int_equal(code_of(GM_V3, 40000), 0x8388); /* 40000 = 0x1388 << 3 */
	assert_int_equal(code_of(GM_V2, 40000), 40000);
	assert_int_equal(code_of(GM_V2, 65535), 65535);
	assert_int_equal(code_of(GM_V2, 65536), 65535);
	assert_int_equal(code_of(GM_V3, UINT32_MAX), 0xffff);

	/* R043 and the coding of QQIC */
	assert_int_equal(mld_encode_query(b, sizeof(b), GM_V3, &from, &q), 76);
	assert_int_equal(b[72], 0);
	assert_int_equal(b[73], 1); /* 0.4 s is not "default" */
	q.qrv = 7;
	q.qqi_ms = 130000;
	assert_int_equal(mld_encode_query(b, sizeof(b), GM_V3, &from, &q), 76);
	assert_int_equal(b[72], 7);
	assert_int_equal(b[73], 0x80);
}

/* conformance table 0.2 */
static void sizes_at_an_mtu(void **state)
{
	static const struct {
		uint32_t mtu;
		size_t query, record, empty;
	} t[] = {{1500, 89, 89, 72}, {1492, 88, 88, 71}, {1280, 75, 75, 61},
		{76, 0, 0, 1}, {92, 1, 1, 1}, {56, 0, 0, 0}, {0, 0, 0, 0}};
	static uint8_t buf[1600];
	static struct addr src[100];
	static struct gm_record rec[100];
	struct addr from = a(HOST);

	for (size_t i = 0; i < array_len(src); i++) {
		src[i] = one[0];
		src[i].b[15] = (uint8_t)i;
	}
	for (size_t i = 0; i < array_len(rec); i++)
		rec[i] = (struct gm_record){GM_TO_EX, G6};
	for (size_t i = 0; i < array_len(t); i++) {
		size_t space = gm_report_space(FAMILY_IPV6, t[i].mtu), mtu = t[i].mtu;
		struct gm_record full = {GM_ALLOW, SSM6, src, t[i].record};
		struct gm_query q = {.group = G6, .src = src, .n_src = t[i].query};
		int n;

		assert_int_equal(
			gm_query_max_sources(FAMILY_IPV6, t[i].mtu), t[i].query);
		assert_int_equal(space / 20, t[i].empty);
		assert_int_equal(space < 20 ? 0 : (space - 20) / 16, t[i].record);
		if (mtu < 100)
			continue;
		/* as many sources as the table says fit, and one more does not */
		n = mld_encode_query(buf, mtu, GM_V3, &from, &q);
		assert_in_range(n, 1, mtu);
		q.n_src++;
		n = mld_encode_query(buf, mtu, GM_V3, &from, &q);
		assert_int_equal(n, -EMSGSIZE);
		n = mld_encode_report(buf, mtu, GM_V3, &from, &full, 1);
		assert_in_range(n, 1, mtu);
		full.n_src++;
		n = mld_encode_report(buf, mtu, GM_V3, &from, &full, 1);
		assert_int_equal(n, -EMSGSIZE);
		n = mld_encode_report(buf, mtu, GM_V3, &from, rec, t[i].empty);
		assert_in_range(n, 1, mtu);
		n = mld_encode_report(buf, mtu, GM_V3, &from, rec, t[i].empty + 1);
		assert_int_equal(n, -EMSGSIZE);
	}
}

/* R038: groups that MLD never names, in any message */
static void r038_groups_never_sent(void **state)
{
	struct addr bad[] = {a("ff02::1"), a("ff00::5"), a("ff01::5"), a("ff11::5"),
		a("2001:db8::1"), a("fe80::1"), a("239.1.2.3")};
	struct addr good[] = {a("ff02::fb"), a("ff03::1"), a("ff05::1"), a("ff0e::1")};
	struct addr from = a(HOST);
	uint8_t b[256];
	size_t n = sizeof(b);

	for (size_t i = 0; i < array_len(bad) + array_len(good); i++) {
		bool ok = i >= array_len(bad);
		struct addr group = ok ? good[i - array_len(bad)] : bad[i];
		struct gm_query q = {.group = group};
		struct gm_record join[] = {{GM_TO_EX, G6}, {GM_IS_EX, group}};
		struct gm_record done = {GM_TO_IN, group};
		int r[] = {
			mld_encode_query(b, n, GM_V2, &from, &q),
			mld_encode_query(b, n, GM_V3, &from, &q),
			mld_encode_report(b, n, GM_V2, &from, &join[1], 1),
			mld_encode_report(b, n, GM_V2, &from, &done, 1),
			mld_encode_report(b, n, GM_V3, &from, join, 2),
		};

		for (size_t k = 0; k < array_len(r); k++)
			assert_true(ok ? r[k] > 0 : r[k] == -EINVAL);
	}
}

/* E24, R039: peers ignore other senders */
static void r027_r039_senders(void **state)
{
	static const struct {
		const char *from;
		bool query, report;
	} t[] = {{"fe80::1", true, true}, {"febf::1", true, true}, {"::", false, true},
		{"2001:db8::1", false, false}, {"fec0::1", false, false},
		{"::1", false, false}, {"ff02::1", false, false},
		{"169.254.1.1", false, false}, {"0.0.0.0", false, false}};
	uint8_t b[128];

	for (size_t i = 0; i < array_len(t); i++)
		for (size_t k = 0; k < array_len(golden); k++) {
			bool ok = golden[k].kind == GM_QUERY ? t[i].query : t[i].report;
			int r = encode_golden(&golden[k], t[i].from, b, sizeof(b));

			assert_true(ok ? r > 0 : r == -EINVAL);
		}
}

/* messages that a version cannot express or a buffer cannot hold */
static void encoder_refuses(void **state)
{
	struct addr from = a(HOST);
	struct gm_query general = {.group = ANY}, group = {.group = G6};
	struct gm_query sources = {.group = G6, .src = one, .n_src = 1};
	struct gm_query nonsense = {.group = ANY, .src = one, .n_src = 1};
	struct gm_record join = {GM_IS_EX, G6}, leave = {GM_TO_IN, G6};
	struct gm_record both[] = {join, leave}, ssm = {GM_IS_IN, SSM6, one, 1};
	struct gm_record allow = {GM_ALLOW, SSM6, one, 1},
			 block = {GM_BLOCK, SSM6, one, 1};
	uint8_t b[128];
	size_t n = sizeof(b);

	assert_int_equal(mld_encode_query(b, n, GM_V1, &from, &general), -EINVAL);
	assert_int_equal(mld_encode_query(b, n, GM_V2, &from, &sources), -EINVAL);
	assert_int_equal(mld_encode_query(b, n, GM_V3, &from, &nonsense), -EINVAL);
	assert_int_equal(mld_encode_query(b, 75, GM_V3, &from, &general), -EMSGSIZE);
	assert_int_equal(mld_encode_query(b, 71, GM_V2, &from, &group), -EMSGSIZE);
	assert_int_equal(mld_encode_query(b, 0, GM_V3, &from, &general), -EMSGSIZE);

	assert_int_equal(mld_encode_report(b, n, GM_V1, &from, &join, 1), -EINVAL);
	assert_int_equal(mld_encode_report(b, n, GM_V2, &from, both, 2), -EINVAL);
	assert_int_equal(mld_encode_report(b, n, GM_V2, &from, &ssm, 1), -EINVAL);
	assert_int_equal(mld_encode_report(b, n, GM_V2, &from, &allow, 1), -EINVAL);
	assert_int_equal(mld_encode_report(b, n, GM_V2, &from, &block, 1), -EINVAL);
	assert_int_equal(mld_encode_report(b, n, GM_V2, &from, both, 0), -EINVAL);
	assert_int_equal(mld_encode_report(b, n, GM_V3, &from, both, 0), -EINVAL);

	/* a general query may be named by either family's unspecified address */
	general.group = addr_any(FAMILY_IPV4);
	assert_int_equal(mld_encode_query(b, n, GM_V3, &from, &general), 76);
	assert_memory_equal(b + 56, &ANY, 16);
}

static struct addr random_addr(struct rng *rng, uint8_t first, uint8_t second)
{
	struct addr addr = {{first, second}};

	for (int i = 2; i < 16; i++)
		addr.b[i] = (uint8_t)rng_next(rng);
	return addr;
}

static struct addr random_group(struct rng *rng)
{
	return random_addr(rng, 0xff, (uint8_t)(0x03 + rng_below(rng, 13)));
}

#define MAX_REC 20
#define MAX_SRC 200

struct random_parts {
	struct gm_record rec[MAX_REC];
	struct addr src[MAX_SRC];
};

static size_t random_records(struct rng *rng, struct random_parts *p)
{
	size_t n_rec = 1 + rng_below(rng, MAX_REC), used = 0;

	for (size_t i = 0; i < n_rec; i++) {
		size_t n = rng_below(rng, 3) ? rng_below(rng, 5) : 0;

		p->rec[i] = (struct gm_record){
			.type = (enum gm_record_type)(1 + rng_below(rng, 6)),
			.group = random_group(rng),
			.src = p->src + used,
			.n_src = n,
		};
		for (size_t k = 0; k < n; k++)
			p->src[used++] = random_addr(rng, 0x20, 0x01);
	}
	return n_rec;
}

static void random_query(struct rng *rng, struct random_parts *p, struct gm_query *q)
{
	*q = (struct gm_query){
		.group = rng_below(rng, 2) ? random_group(rng) : ANY,
		.max_resp_ms =
			gm_wire_code_decode((uint16_t)rng_next(rng), GM_WIRE_CODE_16),
		.qrv = (uint8_t)rng_below(rng, 8),
		.qqi_ms = rng_below(rng, 128) * 1000,
		.suppress = rng_below(rng, 2),
		.src = p->src,
	};
	if (!addr_is_any(&q->group))
		q->n_src = rng_below(rng, 85);
	for (size_t i = 0; i < q->n_src; i++)
		p->src[i] = random_addr(rng, 0x20, 0x01);
}

static void decode_of_encode_is_the_same(void **state)
{
	static struct random_parts p;
	static uint8_t buf[3000];
	struct gm_msg m;
	struct gm_query q;
	struct rng rng;

	print_message("seed %d\n", SEED);
	rng_seed(&rng, SEED);
	for (int round = 0; round < ROUNDS(20000); round++) {
		struct addr from = random_addr(&rng, 0xfe, 0x80);
		bool report = rng_below(&rng, 2);
		size_t n_rec = 0;
		int r;

		if (report) {
			n_rec = random_records(&rng, &p);
			r = mld_encode_report(
				buf, sizeof(buf), GM_V3, &from, p.rec, n_rec);
		} else {
			random_query(&rng, &p, &q);
			r = mld_encode_query(buf, sizeof(buf), GM_V3, &from, &q);
		}
		assert_true(r > 0);
		assert_int_equal(
			mld_decode(buf, (size_t)r, &strict, &scratch, &m), GM_OK);
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
	assert_int_equal(m->family, FAMILY_IPV6);
	assert_in_range(m->version, GM_V2, GM_V3);
	assert_true(addr_is_link_local(&m->from) && !addr_is_v4(&m->from));
	if (m->kind == GM_QUERY) {
		assert_int_equal(m->n_rec, 0);
		assert_true(inside_sources(m->query.src, m->query.n_src));
		assert_true(m->query.n_src * 16 <= len);
		return;
	}
	assert_int_equal(m->kind, GM_REPORT);
	assert_true(m->n_rec * 20 <= len);
	assert_true(m->n_rec == 0 || m->rec == scratch.rec);
	for (size_t i = 0; i < m->n_rec; i++) {
		const struct gm_record *r = &m->rec[i];

		assert_in_range(r->type, GM_IS_IN, GM_BLOCK);
		assert_true(!addr_is_v4(&r->group) && addr_is_multicast(&r->group));
		assert_true(inside_sources(r->src, r->n_src));
		for (size_t k = 0; k < r->n_src; k++)
			assert_true(addr_is_usable_source(&r->src[k]) &&
				!addr_is_v4(&r->src[k]));
	}
}

static size_t random_message(struct rng *rng, struct mld_packet *p)
{
	static struct random_parts parts;
	struct addr from = random_addr(rng, 0xfe, 0x80);
	size_t size = sizeof(p->b), n;
	struct gm_query q;
	int r;

	if (rng_below(rng, 3) == 0) {
		random_query(rng, &parts, &q);
		r = mld_encode_query(p->b, size, GM_V3, &from, &q);
	} else {
		n = random_records(rng, &parts);
		r = mld_encode_report(p->b, size, GM_V3, &from, parts.rec, n);
	}
	assert_true(r > 0);
	p->header_len = MLD_IP_HEADER_LEN;
	return (size_t)r;
}

/* one more extension header after the hop-by-hop one, with random contents */
static size_t insert_extension(struct rng *rng, struct mld_packet *p, size_t len)
{
	static const uint8_t kind[] = {0, 43, 44, 51, 60, 60, 60, 99};
	uint8_t *at = p->b + MLD_IP_HEADER_LEN;

	memmove(at + 8, at, len - MLD_IP_HEADER_LEN);
	for (int i = 1; i < 8; i++)
		at[i] = rng_below(rng, 2) ? (uint8_t)rng_below(rng, 6) : 0;
	at[0] = 58;
	if (rng_below(rng, 4))
		at[1] = 0;
	p->b[40] = kind[rng_below(rng, sizeof(kind))];
	p->header_len += 8;
	return len + 8;
}

/* Damage of all kinds; for most packets the checksums are made good again, so that the
 * damage gets past them. The packet is at the end of its own memory block, so the
 * address sanitizer finds every byte that is read too far. */
static void r034_r036_r194_mutations(void **state)
{
	static struct mld_packet p;
	size_t n_ok = 0, n_bad[_GM_BAD_N] = {0};
	struct rng rng;

	print_message("seed %d\n", SEED);
	rng_seed(&rng, SEED);
	for (int round = 0; round < ROUNDS(200000); round++) {
		size_t len = random_message(&rng, &p), n_hits = rng_below(&rng, 6);
		_cleanup_(freep) uint8_t *exact = NULL;
		struct gm_msg m;
		enum gm_bad bad;

		if (rng_below(&rng, 8) == 0)
			len = insert_extension(&rng, &p, len);
		for (size_t i = 0; i < n_hits; i++) {
			size_t span = rng_below(&rng, 2) ? len : 80;

			p.b[rng_below(&rng, span < len ? span : len)] =
				(uint8_t)rng_next(&rng);
		}
		if (rng_below(&rng, 8) == 0)
			len = rng_below(&rng, len + 1);
		if (rng_below(&rng, 8) && len >= p.header_len)
			mld_packet_seal(&p, len);

		exact = malloc(len ? len : 1);
		assert_non_null(exact);
		memcpy(exact, p.b, len);
		bad = mld_decode(
			exact, len, rng_below(&rng, 2) ? &lax : &strict, &scratch, &m);
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
	static struct mld_packet p;
	struct gm_msg m;
	size_t n = (65535 - 8 - 8) / 20, total = 40 + 65535;

	mld_packet_make(&p,
		&(struct mld_packet_spec){.hex = "8f00000000000000", .to = "ff02::16"});
	mld_packet_put16(p.b + 54, n + 5);
	for (size_t i = 0; i < n; i++) {
		uint8_t *rec = p.b + 56 + 20 * i;

		memcpy(rec, "\4\0\0\0", 4);
		memcpy(rec + 4, G6.b, 16);
	}
	mld_packet_seal(&p, total);
	assert_int_equal(mld_decode(p.b, total, &strict, &scratch, &m), GM_OK);
	assert_int_equal(m.n_rec, n);
	assert_int_equal(m.notes, GM_NOTE_TRUNCATED);

	n = (65535 - 8 - 28) / 16;
	mld_packet_put16(p.b + 54, 1);
	mld_packet_put16(p.b + 58, n);
	memset(p.b + 76, 0x20, 16 * n);
	mld_packet_seal(&p, total);
	assert_int_equal(mld_decode(p.b, total, &strict, &scratch, &m), GM_OK);
	assert_int_equal(m.n_rec, 1);
	assert_int_equal(m.rec[0].n_src, n);
	assert_int_equal(m.notes, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(r027_golden_encode),
		cmocka_unit_test(r027_group_queries),
		cmocka_unit_test(r027_r039_senders),
		cmocka_unit_test(golden_decode),
		cmocka_unit_test(r032_codes_decode),
		cmocka_unit_test(r012_r032_codes_encode),
		cmocka_unit_test(r032_r033_times_in_queries),
		cmocka_unit_test(sizes_at_an_mtu),
		cmocka_unit_test(r038_groups_never_sent),
		cmocka_unit_test(encoder_refuses),
		cmocka_unit_test(decode_of_encode_is_the_same),
		cmocka_unit_test(r034_r036_r194_mutations),
		cmocka_unit_test(largest_packets_fit_the_scratch),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
