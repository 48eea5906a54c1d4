/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Which messages the MLD decoder accepts, refuses and notes: the rows of conformance
 * section 1.2 that a codec decides. Encoding is in test_mld.c.
 */

#include "control/proto/mld.h"
#include "mld_packet.h"

#include <arpa/inet.h>

#define ANY16	  "00000000000000000000000000000000"
#define G_A	  "ff0e0000000000000000000100020003"
#define G_B	  "ff3e0000000000000000000080000001"
#define S_1	  "20010db8000000000000000000000001"
#define S_2	  "20010db8000000000000000000000002"
#define V1_QUERY  "82000000 27100000 " ANY16
#define V2_QUERY  "82000000 27100000 " ANY16 "027d0000"
#define V1_REPORT "83000000 00000000 " G_A
#define V1_DONE	  "84000000 00000000 " G_A
#define REC_A	  "04000000" G_A     /* TO_EX({}) */
#define REC_B	  "05000001" G_B S_1 /* ALLOW({2001:db8::1}) */

#define V2(records_hex) .hex = "8f000000 0000 " records_hex, .to = "ff02::16"

static const struct gm_rules lax, strict = {.require_router_alert = true};
static struct gm_scratch scratch;
static struct mld_packet p;

static enum gm_bad decode_packet(const struct gm_rules *rules, struct gm_msg *ret)
{
	_cleanup_(freep) uint8_t *exact = malloc(p.len ? p.len : 1);

	assert_non_null(exact);
	memcpy(exact, p.b, p.len);
	return mld_decode(exact, p.len, rules, &scratch, ret);
}

static enum gm_bad decode(const struct mld_packet_spec *spec, struct gm_msg *ret)
{
	mld_packet_make(&p, spec);
	return decode_packet(&strict, ret);
}

#define DECODE(ret, ...) decode(&(struct mld_packet_spec){__VA_ARGS__}, ret)

static void assert_group(const struct gm_record *rec, const char *want)
{
	struct addr w = a(want);

	assert_true(addr_eq(&rec->group, &w));
}

static void assert_source(const struct gm_record *rec, size_t i, const char *want)
{
	struct addr w = a(want);

	assert_true(i < rec->n_src);
	assert_true(addr_eq(&rec->src[i], &w));
}

/* Every kind of message, from a link-local sender and from others. */
static void r028_r029_e24_senders(void **state)
{
	static const char *const hex[][2] = {{V1_QUERY, "ff02::1"},
		{V2_QUERY, "ff02::1"}, {V1_REPORT, "ff0e::1:2:3"}, {V1_DONE, "ff02::2"},
		{"8f000000 00000001" REC_A, "ff02::16"}};
	static const char *const bad[] = {"::", "2001:db8::1", "fec0::1", "::1",
		"ff02::2", "::ffff:a9fe:101", "fe40::1"};

	for (size_t i = 0; i < array_len(hex); i++) {
		struct gm_msg m;

		assert_int_equal(DECODE(&m, .hex = hex[i][0], .to = hex[i][1]), GM_OK);
		assert_int_equal(DECODE(&m, .hex = hex[i][0], .to = hex[i][1],
					 .from = "febf::dead:beef"),
			GM_OK);
		for (size_t k = 0; k < array_len(bad); k++) {
			DECODE(&m, .hex = hex[i][0], .to = hex[i][1]);
			assert_int_equal(inet_pton(AF_INET6, bad[k], p.b + 8), 1);
			mld_packet_seal(&p, p.len);
			assert_int_equal(decode_packet(&lax, &m), GM_BAD_SOURCE);
		}
	}
}

static void r028_r029_hop_limit(void **state)
{
	static const uint8_t bad[] = {2, 64, 255};
	struct gm_msg m;

	for (size_t i = 0; i < array_len(bad); i++) {
		assert_int_equal(
			DECODE(&m, .hex = V2_QUERY, .hop_limit = bad[i]), GM_BAD_TTL);
		assert_int_equal(decode_packet(&lax, &m), GM_BAD_TTL);
		assert_int_equal(
			DECODE(&m, V2("0001" REC_A), .hop_limit = bad[i]), GM_BAD_TTL);
	}
	DECODE(&m, .hex = V2_QUERY);
	p.b[7] = 0;
	assert_int_equal(decode_packet(&strict, &m), GM_BAD_TTL);
}

static void r028_r029_router_alert(void **state)
{
	struct gm_msg m;

	for (int report = 0; report < 2; report++) {
		const char *hex = report ? V1_REPORT : V2_QUERY;
		const char *to = report ? "ff0e::1:2:3" : "ff02::1";

		assert_int_equal(DECODE(&m, .hex = hex, .to = to), GM_OK);
		assert_int_equal(m.notes, 0);
		assert_int_equal(DECODE(&m, .hex = hex, .to = to, .bare = true),
			GM_BAD_ROUTER_ALERT);
		/* Router Alert is optional here */
		assert_int_equal(decode_packet(&lax, &m), GM_OK);
		assert_int_equal(m.notes, GM_NOTE_NO_ROUTER_ALERT);
	}
}

static void r030_checksum_covers_everything(void **state)
{
	struct gm_msg m, untouched;

	memset(&m, 0x5a, sizeof(m));
	memcpy(&untouched, &m, sizeof(m));
	assert_int_equal(
		DECODE(&m, .hex = V2_QUERY, .checksum_add = 1), GM_BAD_CHECKSUM);
	assert_memory_equal(&m, &untouched, sizeof(m));

	/* bytes after the last record are part of the checksum and ignored */
	assert_int_equal(DECODE(&m, V2("0001" REC_A "0102030405")), GM_OK);
	assert_int_equal(m.n_rec, 1);
	assert_int_equal(m.notes, 0);
	p.b[p.len - 1] ^= 1;
	assert_int_equal(decode_packet(&strict, &m), GM_BAD_CHECKSUM);

	/* the checksum covers both addresses */
	DECODE(&m, .hex = V2_QUERY);
	p.b[23] ^= 2;
	assert_int_equal(decode_packet(&strict, &m), GM_BAD_CHECKSUM);
	DECODE(&m, .hex = V2_QUERY);
	p.b[39] ^= 2;
	assert_int_equal(decode_packet(&strict, &m), GM_BAD_CHECKSUM);
}

static void r031_version_by_length(void **state)
{
	static const struct {
		size_t len;
		enum gm_bad bad;
		enum gm_version version;
	} t[] = {{0, GM_BAD_SHORT}, {7, GM_BAD_SHORT}, {8, GM_BAD_SHORT},
		{20, GM_BAD_SHORT}, {23, GM_BAD_SHORT}, {24, GM_OK, GM_V2},
		{25, GM_BAD_LENGTH}, {26, GM_BAD_LENGTH}, {27, GM_BAD_LENGTH},
		{28, GM_OK, GM_V3}, {44, GM_OK, GM_V3}};
	struct gm_msg m;

	for (size_t i = 0; i < array_len(t); i++) {
		DECODE(&m, .hex = V2_QUERY ANY16);
		assert_int_equal(p.len, p.header_len + 44);
		p.len = p.header_len + t[i].len;
		mld_packet_seal(&p, p.len);
		assert_int_equal(decode_packet(&strict, &m), t[i].bad);
		if (!t[i].bad)
			assert_int_equal(m.version, t[i].version);
	}
	/* reports of version 1: the first 24 bytes count */
	assert_int_equal(
		DECODE(&m, .hex = V1_REPORT "ffffffff", .to = "ff0e::1:2:3"), GM_OK);
	assert_int_equal(m.version, GM_V2);
	assert_int_equal(m.n_rec, 1);
	assert_int_equal(DECODE(&m, .hex = V1_DONE "00", .to = "ff02::2"), GM_OK);
	assert_int_equal(m.rec[0].type, GM_TO_IN);
	DECODE(&m, .hex = V1_REPORT, .to = "ff0e::1:2:3");
	p.len--;
	mld_packet_seal(&p, p.len);
	assert_int_equal(decode_packet(&strict, &m), GM_BAD_SHORT);
}

static void r003_payload_length_rules(void **state)
{
	struct gm_msg m;

	for (int pad = 0; pad <= 0xff; pad += 0xff) {
		assert_int_equal(DECODE(&m, .hex = V1_QUERY, .frame_pad = 18,
					 .pad_with = (uint8_t)pad),
			GM_OK);
		assert_int_equal(m.version, GM_V2);
		assert_int_equal(m.query.max_resp_ms, 10000);
	}
	DECODE(&m, .hex = V2_QUERY);
	p.len--; /* captured fewer bytes than the payload length */
	assert_int_equal(decode_packet(&strict, &m), GM_BAD_SHORT);
	for (p.len = 0; p.len < 40; p.len++)
		assert_int_equal(decode_packet(&strict, &m), GM_BAD_SHORT);
}

/* A jumbogram has a payload length of 0 and the real one in an option. */
static void jumbograms_are_refused(void **state)
{
	struct gm_msg m;

	DECODE(&m, .hex = V2_QUERY);
	p.b[4] = p.b[5] = 0;
	assert_int_equal(decode_packet(&strict, &m), GM_BAD_SHORT);
	assert_int_equal(DECODE(&m, .hex = V2_QUERY,
				 .ext = {{0, "01 0502 0000 c204 00010000 01020000"}}),
		GM_BAD_HEADER);
}

static void r032_r033_times_of_queries(void **state)
{
	static const struct {
		const char *code;
		uint32_t v1_ms, v2_ms;
	} t[] = {{"0000", 0, 0}, {"7fff", 32767, 32767}, {"8000", 32768, 32768},
		{"8001", 32769, 32776}, {"9000", 36864, 65536},
		{"ffff", 65535, 8387584}};
	struct gm_msg m;
	char hex[128];

	for (size_t i = 0; i < array_len(t); i++) {
		snprintf(hex, sizeof(hex), "82000000 %s0000" ANY16, t[i].code);
		assert_int_equal(DECODE(&m, .hex = hex), GM_OK);
		assert_int_equal(m.query.max_resp_ms, t[i].v1_ms);
		assert_int_equal(m.query.qrv, 0);
		assert_int_equal(m.query.qqi_ms, 0);
		snprintf(hex, sizeof(hex), "82000000 %s0000" ANY16 "0a810000",
			t[i].code);
		assert_int_equal(DECODE(&m, .hex = hex), GM_OK);
		assert_int_equal(m.query.max_resp_ms, t[i].v2_ms);
		assert_int_equal(m.query.qrv, 2);
		assert_true(m.query.suppress);
		assert_int_equal(m.query.qqi_ms, 136000);
	}
}

static void r034_query_sources_must_fit(void **state)
{
	struct gm_msg m;

	assert_int_equal(DECODE(&m, .hex = "82000000 03e80000" G_A "027d0002" S_1,
				 .to = "ff0e::1:2:3"),
		GM_BAD_LENGTH);
	assert_int_equal(DECODE(&m, .hex = "82000000 03e80000" G_A "027dffff" S_1,
				 .to = "ff0e::1:2:3"),
		GM_BAD_LENGTH);
	assert_int_equal(DECODE(&m, .hex = "82000000 03e80000" G_A "027d0002" S_1 S_2,
				 .to = "ff0e::1:2:3"),
		GM_OK);
	assert_int_equal(m.query.n_src, 2);
	assert_int_equal(
		DECODE(&m, .hex = "82000000 03e80000" G_A "027d0001" S_1 "0001abcdef",
			.to = "ff0e::1:2:3"),
		GM_OK);
	assert_int_equal(m.query.n_src, 1);
	/* sources of no group */
	assert_int_equal(DECODE(&m, .hex = "82000000 03e80000" ANY16 "027d0001" S_1),
		GM_BAD_LENGTH);
}

static void r034_truncated_report(void **state)
{
	struct gm_msg m;

	assert_int_equal(DECODE(&m, V2("0002" REC_A)), GM_OK);
	assert_int_equal(m.n_rec, 1);
	assert_int_equal(m.notes, GM_NOTE_TRUNCATED);
	assert_group(&m.rec[0], "ff0e::1:2:3");
	assert_int_equal(DECODE(&m, V2("ffff" REC_A REC_B)), GM_OK);
	assert_int_equal(m.n_rec, 2);
	assert_int_equal(m.notes, GM_NOTE_TRUNCATED);

	/* a source count, then auxiliary data, beyond the end */
	assert_int_equal(DECODE(&m, V2("0002" REC_A "0500ffff" G_B S_1)), GM_OK);
	assert_int_equal(m.n_rec, 1);
	assert_int_equal(m.notes, GM_NOTE_TRUNCATED);
	assert_int_equal(DECODE(&m, V2("0002" REC_A "04ff0000" G_B)), GM_OK);
	assert_int_equal(m.n_rec, 1);
	assert_int_equal(m.notes, GM_NOTE_TRUNCATED);
	/* the second record, cut at each byte */
	for (size_t cut = 1; cut <= 36; cut++) {
		DECODE(&m, V2("0002" REC_A REC_B));
		p.len -= cut;
		mld_packet_seal(&p, p.len);
		assert_int_equal(decode_packet(&strict, &m), GM_OK);
		assert_int_equal(m.n_rec, 1);
		assert_int_equal(m.notes, GM_NOTE_TRUNCATED);
	}
}

/* auxiliary data that looks like a record is not decoded */
static void r034_aux_data_is_skipped(void **state)
{
	struct gm_msg m;

	assert_int_equal(
		DECODE(&m, V2("0002 04050000" G_A "04000000" G_B REC_B)), GM_OK);
	assert_int_equal(m.n_rec, 2);
	assert_int_equal(m.notes, 0);
	assert_group(&m.rec[0], "ff0e::1:2:3");
	assert_group(&m.rec[1], "ff3e::8000:1");
	assert_source(&m.rec[1], 0, "2001:db8::1");
}

static void r034_unknown_record_types(void **state)
{
	static const char *const type[] = {"00", "07", "ff"};

	for (size_t i = 0; i < array_len(type); i++) {
		struct gm_msg m;
		char hex[300];

		snprintf(hex, sizeof(hex),
			"8f000000 00000003" REC_A "%s010001" G_B S_1 "deadbeef" REC_B,
			type[i]);
		assert_int_equal(DECODE(&m, .hex = hex, .to = "ff02::16"), GM_OK);
		assert_int_equal(m.n_rec, 2);
		assert_int_equal(m.notes, GM_NOTE_UNKNOWN_RECORD);
		assert_group(&m.rec[0], "ff0e::1:2:3");
		assert_group(&m.rec[1], "ff3e::8000:1");
	}
}

static void r035_code_and_reserved_are_ignored(void **state)
{
	struct gm_msg m;

	assert_int_equal(
		DECODE(&m, .hex = "82070000 2710ffff" ANY16 "f27d0000"), GM_OK);
	assert_int_equal(m.query.qrv, 2);
	assert_false(m.query.suppress);
	assert_int_equal(DECODE(&m, .hex = "82ff0000 2710ffff" ANY16), GM_OK);
	assert_int_equal(
		DECODE(&m, .hex = "83ff0000 ffffffff" G_A, .to = "ff0e::1:2:3"), GM_OK);
	assert_int_equal(
		DECODE(&m, .hex = "8fff0000 ffff0001" REC_A, .to = "ff02::16"), GM_OK);
	assert_int_equal(m.n_rec, 1);
}

static void r036_hop_by_hop_options(void **state)
{
	static const struct {
		const char *hex;
		bool alert;
		enum gm_bad lax;
	} t[] = {
		{"00 05020000 0100", true},
		{"00 0100 05020000", true},
		{"00 00 05020000 00", true},
		{"01 0104 00000000 05020000 0102 0000", true},
		{"01 1e03 aabbcc 05020000 0103 000000", true}, /* unknown, skipped */
		{"01 0502 0001 05020000 0104 00000000", true}, /* another value first */
		{"00 05020001 0100", false},		       /* the value for RSVP */
		{"00 0501 00 010100", false},		       /* wrong length */
		{"00 0104 05020000", false},		       /* inside padding */
		{"00 01 04 00000000", false},
		{"00 05020000 01 01", false, GM_BAD_SHORT}, /* beyond the end */
		{"00 0505 00000000", false, GM_BAD_SHORT},
		{"00 05020000 00 01", false, GM_BAD_SHORT}, /* no length */
		{"ff 05020000 0100", false, GM_BAD_SHORT},  /* header beyond the end */
		{"00 05020000 4500", false, GM_BAD_HEADER}, /* must be understood */
		{"00 8500 05020000", false, GM_BAD_HEADER},
		{"00 c500 05020000", false, GM_BAD_HEADER},
	};

	for (size_t i = 0; i < array_len(t); i++) {
		struct gm_msg m;
		enum gm_bad bad = DECODE(&m, .hex = V2_QUERY, .ext = {{0, t[i].hex}});

		print_message("  %s\n", t[i].hex);
		assert_int_equal(bad,
			t[i].lax	     ? t[i].lax
				: t[i].alert ? GM_OK
					     : GM_BAD_ROUTER_ALERT);
		assert_int_equal(decode_packet(&lax, &m), t[i].lax);
		if (!t[i].lax)
			assert_int_equal(
				m.notes, t[i].alert ? 0 : GM_NOTE_NO_ROUTER_ALERT);
	}
}

static void r036_extension_headers(void **state)
{
	static const struct {
		struct mld_extension ext[4];
		enum gm_bad bad;
	} t[] = {
		{{{0, MLD_ALERT}, {60, "00 0104 00000000"}}},
		{{{0, MLD_ALERT}, {43, "02 0000 00000000" ANY16}}}, /* no route left */
		{{{0, MLD_ALERT}, {51, "01 0000 00000001 00000001"}}},
		{{{0, MLD_ALERT}, {60, "00 0104 00000000"}, {60, "00 0104 00000000"}}},
		{{{0, MLD_ALERT}, {43, "02 0001 00000000" ANY16}}, GM_BAD_HEADER},
		{{{0, MLD_ALERT}, {44, "00 0000 00000001"}}, GM_BAD_FRAGMENT},
		{{{0, MLD_ALERT}, {44, "00 0001 00000001"}}, GM_BAD_FRAGMENT},
		{{{44, "00 0000 00000001"}}, GM_BAD_FRAGMENT},
		{{{0, MLD_ALERT}, {0, MLD_ALERT}}, GM_BAD_HEADER}, /* not first */
		{{{60, "00 0104 00000000"}, {0, MLD_ALERT}}, GM_BAD_HEADER},
		{{{60, MLD_ALERT}}, GM_BAD_ROUTER_ALERT}, /* alert in the wrong place */
		{{{0, MLD_ALERT}, {60, "00 8400 01020000"}}, GM_BAD_HEADER},
		{{{0, MLD_ALERT}, {60, "20 0104 00000000"}}, GM_BAD_SHORT},
		{{{0, MLD_ALERT}, {50, "00000000000000"}}, GM_BAD_HEADER},
		{{{0, MLD_ALERT}, {59, "00000000000000"}}, GM_BAD_HEADER},
	};
	struct gm_msg m;

	for (size_t i = 0; i < array_len(t); i++) {
		struct mld_packet_spec spec = {.hex = V2_QUERY};

		memcpy(spec.ext, t[i].ext, sizeof(spec.ext));
		print_message("  case %zu\n", i);
		assert_int_equal(decode(&spec, &m), t[i].bad);
	}
	/* headers that end before the message begins */
	DECODE(&m, .hex = V2_QUERY);
	p.len = 48;
	mld_packet_put16(p.b + 4, 8);
	assert_int_equal(decode_packet(&strict, &m), GM_BAD_SHORT);
	p.len = 44;
	mld_packet_put16(p.b + 4, 4);
	assert_int_equal(decode_packet(&strict, &m), GM_BAD_SHORT);
	/* another version, another protocol */
	DECODE(&m, .hex = V2_QUERY);
	p.b[0] = 0x45;
	assert_int_equal(decode_packet(&strict, &m), GM_BAD_HEADER);
	DECODE(&m, .hex = V2_QUERY);
	p.b[40] = 17;
	assert_int_equal(decode_packet(&strict, &m), GM_BAD_HEADER);
}

static void r007_other_types_are_ignored(void **state)
{
	size_t n_known = 0;

	for (unsigned type = 0; type < 256; type++) {
		struct gm_msg m;
		char hex[64];

		snprintf(hex, sizeof(hex), "%02x000000 00000000" G_A, type);
		if (DECODE(&m, .hex = hex, .to = "ff0e::1:2:3") != GM_BAD_TYPE)
			n_known++;
	}
	assert_int_equal(n_known, 4); /* 130, 131, 132, 143 */
}

static void r037_destinations(void **state)
{
	static const char v2r[] = "8f000000 00000001" REC_A;
	static const char gsq[] = "82000000 03e80000" G_A "027d0000";
	static const struct {
		const char *hex, *to;
		enum gm_bad bad;
		bool unicast;
	} t[] = {
		{V1_QUERY, "ff02::1"},
		{V1_QUERY, "fe80::9", .unicast = true},
		{V1_QUERY, "ff02::2", GM_BAD_DESTINATION},
		{V2_QUERY, "ff02::1"},
		{V2_QUERY, "fe80::9", .unicast = true},
		{V2_QUERY, "2001:db8::9", .unicast = true},
		{V2_QUERY, "ff0e::1:2:3", GM_BAD_DESTINATION},
		{V2_QUERY, "::", GM_BAD_DESTINATION},
		{gsq, "ff0e::1:2:3"},
		{gsq, "ff02::1"},
		{gsq, "fe80::9", .unicast = true},
		{gsq, "ff0e::1:2:4", GM_BAD_DESTINATION},
		{V1_REPORT, "ff0e::1:2:3"},
		{V1_REPORT, "fe80::9", .unicast = true},
		{V1_REPORT, "ff02::16", GM_BAD_DESTINATION},
		{V1_DONE, "ff02::2"},
		{V1_DONE, "ff0e::1:2:3"},
		{V1_DONE, "fe80::9", .unicast = true},
		{V1_DONE, "ff02::1", GM_BAD_DESTINATION},
		{v2r, "ff02::16"},
		{v2r, "fe80::9", .unicast = true},
		{v2r, "ff0e::1:2:3", GM_BAD_DESTINATION},
		{v2r, "ff02::2", GM_BAD_DESTINATION},
	};

	for (size_t i = 0; i < array_len(t); i++) {
		struct gm_msg m;

		assert_int_equal(DECODE(&m, .hex = t[i].hex, .to = t[i].to), t[i].bad);
		if (!t[i].bad)
			assert_int_equal(m.notes, t[i].unicast ? GM_NOTE_UNICAST : 0);
	}
}

static void r014_r038_groups(void **state)
{
	static const char *const bad[] = {"ff020000000000000000000000000001",
		"ff010000000000000000000000000005", "ff000000000000000000000000000005",
		S_1, "00000000000000000000ffffef010203",
		"00000000000000000000ffff00000000"};
	struct gm_msg m;
	char hex[300];

	for (size_t i = 0; i < array_len(bad); i++) {
		snprintf(hex, sizeof(hex), "82000000 03e80000 %s", bad[i]);
		assert_int_equal(DECODE(&m, .hex = hex), GM_BAD_GROUP);
		snprintf(hex, sizeof(hex), "82000000 03e80000 %s 027d0000", bad[i]);
		assert_int_equal(DECODE(&m, .hex = hex), GM_BAD_GROUP);
		snprintf(hex, sizeof(hex), "83000000 00000000 %s", bad[i]);
		assert_int_equal(DECODE(&m, .hex = hex, .to = "fe80::9"), GM_BAD_GROUP);
		snprintf(hex, sizeof(hex), "84000000 00000000 %s", bad[i]);
		assert_int_equal(DECODE(&m, .hex = hex, .to = "ff02::2"), GM_BAD_GROUP);
		snprintf(hex, sizeof(hex), "8f000000 00000002 04000000 %s" REC_B,
			bad[i]);
		assert_int_equal(DECODE(&m, .hex = hex, .to = "ff02::16"), GM_OK);
		assert_int_equal(m.notes, GM_NOTE_BAD_GROUP);
		assert_int_equal(m.n_rec, 1);
		assert_group(&m.rec[0], "ff3e::8000:1");
	}
	/* no host joins :: */
	assert_int_equal(DECODE(&m, .hex = "83000000 00000000" ANY16, .to = "fe80::9"),
		GM_BAD_GROUP);
	/* policy decides about the rest of scope 2 */
	assert_int_equal(
		DECODE(&m, .hex = "83000000 00000000 ff0200000000000000000000000000fb",
			.to = "ff02::fb"),
		GM_OK);
}

static void r023_illegal_sources_are_left_out(void **state)
{
	static const char *const include[] = {"01", "03", "05", "06"};
	static const char one6[] = "00000000000000000000000000000001",
			  mapped[] = "00000000000000000000ffff0a000001";
	struct gm_msg m;
	char hex[400];

	snprintf(hex, sizeof(hex), "8f000000 00000001 05000004" G_B ANY16 "%s" G_A S_1,
		mapped);
	assert_int_equal(DECODE(&m, .hex = hex, .to = "ff02::16"), GM_OK);
	assert_int_equal(m.notes, GM_NOTE_BAD_SOURCE);
	assert_int_equal(m.n_rec, 1);
	assert_int_equal(m.rec[0].n_src, 1);
	assert_source(&m.rec[0], 0, "2001:db8::1");

	for (size_t i = 0; i < array_len(include); i++) {
		/* a record that loses all its sources is dropped */
		snprintf(hex, sizeof(hex),
			"8f000000 00000002 %s000002" G_B "%s" ANY16 REC_A, include[i],
			one6);
		assert_int_equal(DECODE(&m, .hex = hex, .to = "ff02::16"), GM_OK);
		assert_int_equal(m.notes, GM_NOTE_BAD_SOURCE);
		assert_int_equal(m.n_rec, 1);
		assert_group(&m.rec[0], "ff0e::1:2:3");
		/* a record without sources keeps its meaning */
		snprintf(
			hex, sizeof(hex), "8f000000 00000001 %s000000" G_B, include[i]);
		assert_int_equal(DECODE(&m, .hex = hex, .to = "ff02::16"), GM_OK);
		assert_int_equal(m.notes, 0);
		assert_int_equal(m.n_rec, 1);
	}
	/* EXCLUDE without sources is still a join */
	assert_int_equal(DECODE(&m, V2("0001 04000001" G_A ANY16)), GM_OK);
	assert_int_equal(m.notes, GM_NOTE_BAD_SOURCE);
	assert_int_equal(m.n_rec, 1);
	assert_int_equal(m.rec[0].n_src, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(r003_payload_length_rules),
		cmocka_unit_test(jumbograms_are_refused),
		cmocka_unit_test(r007_other_types_are_ignored),
		cmocka_unit_test(r014_r038_groups),
		cmocka_unit_test(r023_illegal_sources_are_left_out),
		cmocka_unit_test(r028_r029_e24_senders),
		cmocka_unit_test(r028_r029_hop_limit),
		cmocka_unit_test(r028_r029_router_alert),
		cmocka_unit_test(r030_checksum_covers_everything),
		cmocka_unit_test(r031_version_by_length),
		cmocka_unit_test(r032_r033_times_of_queries),
		cmocka_unit_test(r034_query_sources_must_fit),
		cmocka_unit_test(r034_truncated_report),
		cmocka_unit_test(r034_aux_data_is_skipped),
		cmocka_unit_test(r034_unknown_record_types),
		cmocka_unit_test(r035_code_and_reserved_are_ignored),
		cmocka_unit_test(r036_hop_by_hop_options),
		cmocka_unit_test(r036_extension_headers),
		cmocka_unit_test(r037_destinations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
