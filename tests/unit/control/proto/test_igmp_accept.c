/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Which messages the IGMP decoder accepts, refuses and notes: the rows of conformance
 * section 1.1 that a codec decides. Encoding is in test_igmp.c.
 */

#include "control/proto/igmp.h"
#include "igmp_packet.h"

#define V2_QUERY  "1164 0000 00000000"
#define V2_REPORT "1600 0000 ef010203"
#define V3_QUERY  "1164 0000 00000000 027d 0000"
#define REC_A	  "04000000 ef010203"	       /* TO_EX({}) 239.1.2.3 */
#define REC_B	  "05000001 e8010203 0a000001" /* ALLOW({10.0.0.1}) 232.1.2.3 */

static const struct gm_rules lax;
static struct gm_scratch scratch;
static struct igmp_packet p;

static enum gm_bad decode_packet(const struct gm_rules *rules, struct gm_msg *ret)
{
	_cleanup_(freep) uint8_t *exact = malloc(p.len ? p.len : 1);

	assert_non_null(exact);
	memcpy(exact, p.b, p.len);
	return igmp_decode(exact, p.len, rules, &scratch, ret);
}

static enum gm_bad decode(const struct igmp_packet_spec *spec, struct gm_msg *ret)
{
	igmp_packet_make(&p, spec);
	return decode_packet(&lax, ret);
}

#define DECODE(ret, ...) decode(&(struct igmp_packet_spec){__VA_ARGS__}, ret)

#define V3(records_hex) .hex = "2200 0000 0000 " records_hex, .to = "224.0.0.22"

static void assert_source(const struct gm_record *rec, size_t i, const char *want)
{
	struct addr w = a(want);

	assert_true(i < rec->n_src);
	assert_true(addr_eq(&rec->src[i], &w));
}

static void assert_group(const struct gm_record *rec, const char *want)
{
	struct addr w = a(want);

	assert_true(addr_eq(&rec->group, &w));
}

static void r002_checksum_covers_the_whole_payload(void **state)
{
	struct gm_msg m, untouched;
	uint8_t *msg;

	memset(&m, 0x5a, sizeof(m));
	memcpy(&untouched, &m, sizeof(m));
	assert_int_equal(
		DECODE(&m, .hex = V2_REPORT, .to = "239.1.2.3", .checksum_add = 1),
		GM_BAD_CHECKSUM);
	assert_memory_equal(&m, &untouched, sizeof(m));
	assert_int_equal(DECODE(&m, .hex = V2_REPORT, .to = "239.1.2.3"), GM_OK);

	/* right for the first 16 bytes, wrong with the bytes after them */
	igmp_packet_make(&p, &(struct igmp_packet_spec){V3("0001" REC_A)});
	msg = p.b + p.header_len;
	memcpy(msg + 16, "\1\2\3\4", 4);
	igmp_packet_put16(p.b + 2, p.len + 4);
	igmp_packet_put16(p.b + 10, 0);
	igmp_packet_put16(p.b + 10, inet_fold(inet_sum(p.b, p.header_len, 0)));
	p.len += 4;
	assert_int_equal(decode_packet(&lax, &m), GM_BAD_CHECKSUM);
	igmp_packet_seal(&p, p.len);
	assert_int_equal(decode_packet(&lax, &m), GM_OK);

	/* the checksum of the IP header */
	p.b[10] ^= 1;
	assert_int_equal(decode_packet(&lax, &m), GM_BAD_CHECKSUM);
}

static void r003_total_length_rules(void **state)
{
	for (int pad = 0; pad <= 0xff; pad += 0xff) {
		struct gm_msg m;

		assert_int_equal(DECODE(&m, .hex = V2_QUERY, .frame_pad = 18,
					 .pad_with = (uint8_t)pad),
			GM_OK);
		assert_int_equal(m.version, GM_V2);
		assert_int_equal(m.query.max_resp_ms, 10000);
	}
}

static void r004_ip_header_lengths(void **state)
{
	struct gm_msg m;

	/* headers of 5 to 15 words are accepted */
	assert_int_equal(DECODE(&m, .hex = V2_QUERY, .options = ""), GM_OK);
	assert_int_equal(
		DECODE(&m, .hex = V2_QUERY,
			.options =
				"01010101 01010101 01010101"
				"01010101 01010101 01010101 01010101 01010101 01010101 94040000"),
		GM_OK);
	assert_int_equal(m.notes, 0);

	assert_int_equal(DECODE(&m, .hex = V2_QUERY), GM_OK);
	p.b[0] = 0x44;
	assert_int_equal(decode_packet(&lax, &m), GM_BAD_HEADER);
	p.b[0] = 0x66;
	assert_int_equal(decode_packet(&lax, &m), GM_BAD_HEADER);
	p.b[0] = 0x49; /* 36 bytes of 32 */
	assert_int_equal(decode_packet(&lax, &m), GM_BAD_SHORT);

	DECODE(&m, .hex = V2_QUERY);
	p.len--; /* captured fewer bytes than the total length */
	assert_int_equal(decode_packet(&lax, &m), GM_BAD_SHORT);
	for (p.len = 0; p.len < 20; p.len++)
		assert_int_equal(decode_packet(&lax, &m), GM_BAD_SHORT);

	DECODE(&m, .hex = V2_QUERY);
	p.b[9] = 17;
	igmp_packet_seal(&p, p.len);
	assert_int_equal(decode_packet(&lax, &m), GM_BAD_HEADER);
}

static void r004_fragments_are_refused(void **state)
{
	struct gm_msg m;

	assert_int_equal(
		DECODE(&m, .hex = V2_QUERY, .fragment = 0x2000), GM_BAD_FRAGMENT);
	assert_int_equal(
		DECODE(&m, .hex = V2_QUERY, .fragment = 0x0001), GM_BAD_FRAGMENT);
	assert_int_equal(
		DECODE(&m, .hex = V2_QUERY, .fragment = 0x1fff), GM_BAD_FRAGMENT);
	assert_int_equal(DECODE(&m, .hex = V2_QUERY, .fragment = 0x4000), GM_OK);
}

static void r005_router_alert(void **state)
{
	static const struct {
		const char *options;
		bool alert;
		enum gm_bad lax;
	} t[] = {
		{"94040000", true, GM_OK},
		{"", false, GM_OK},
		{"01010101 94040000", true, GM_OK},
		{"8203aa01 94040000", true, GM_OK},  /* after another option */
		{"00000000 94040000", false, GM_OK}, /* after the end of options */
		{"94040001", false, GM_OK},	     /* reserved value */
		{"8a089404 00000000", false, GM_OK}, /* inside another option */
		{"94030001", false, GM_OK},	     /* wrong length */
		{"01010194", false, GM_BAD_SHORT},   /* no length */
		{"94050000", false, GM_BAD_SHORT},   /* beyond the end */
		{"07000000", false, GM_BAD_HEADER},  /* would never end */
		{"07010000", false, GM_BAD_HEADER},
	};
	const struct gm_rules strict = {.require_router_alert = true};

	for (size_t i = 0; i < array_len(t); i++) {
		unsigned note = t[i].alert ? 0 : GM_NOTE_NO_ROUTER_ALERT;
		struct gm_msg m;

		for (int report = 0; report < 2; report++) {
			enum gm_bad bad =
				DECODE(&m, .hex = report ? V2_REPORT : V3_QUERY,
					.to = report ? "239.1.2.3" : NULL,
					.options = t[i].options);

			assert_int_equal(bad, t[i].lax);
			if (!bad)
				assert_int_equal(m.notes, note);
			assert_int_equal(decode_packet(&strict, &m),
				bad		     ? bad
					: t[i].alert ? GM_OK
						     : GM_BAD_ROUTER_ALERT);
		}
	}
}

static void r006_ttl(void **state)
{
	const struct gm_rules strict = {.require_ttl_1 = true};
	struct gm_msg m;

	assert_int_equal(DECODE(&m, .hex = V2_QUERY, .ttl = 64), GM_OK);
	assert_int_equal(m.notes, GM_NOTE_TTL);
	assert_int_equal(decode_packet(&strict, &m), GM_BAD_TTL);
	assert_int_equal(DECODE(&m, .hex = V2_QUERY, .ttl = 1), GM_OK);
	assert_int_equal(m.notes, 0);
	assert_int_equal(decode_packet(&strict, &m), GM_OK);
}

static void r007_other_types_are_ignored(void **state)
{
	size_t n_known = 0;

	for (unsigned type = 0; type < 256; type++) {
		enum gm_bad bad;
		struct gm_msg m;
		char hex[32];

		snprintf(hex, sizeof(hex), "%02x000000 ef010203", type);
		bad = DECODE(&m, .hex = hex, .to = "239.1.2.3");
		if (bad != GM_BAD_TYPE)
			n_known++;
	}
	assert_int_equal(n_known, 5); /* 0x11, 0x12, 0x16, 0x17, 0x22 */
}

static void r008_query_version_by_length(void **state)
{
	static const struct {
		const char *hex;
		enum gm_bad bad;
		enum gm_version version;
	} t[] = {
		{"", GM_BAD_SHORT},
		{"11640000", GM_BAD_SHORT},
		{"11640000 000000", GM_BAD_SHORT},
		{"11000000 00000000", GM_OK, GM_V1},
		{"11010000 00000000", GM_OK, GM_V2},
		{"11ff0000 00000000", GM_OK, GM_V2},
		{"11640000 00000000 00", GM_BAD_LENGTH},
		{"11640000 00000000 0000", GM_BAD_LENGTH},
		{"11640000 00000000 000000", GM_BAD_LENGTH},
		{"11640000 00000000 00000000", GM_OK, GM_V3},
		{"11000000 00000000 00000000", GM_OK, GM_V3},
		{"11640000 00000000 00000000 00000000", GM_OK, GM_V3},
	};

	for (size_t i = 0; i < array_len(t); i++) {
		struct gm_msg m;

		assert_int_equal(DECODE(&m, .hex = t[i].hex), t[i].bad);
		if (!t[i].bad) {
			assert_int_equal(m.version, t[i].version);
			assert_true(addr_is_any(&m.query.group));
		}
	}
}

static void r009_query_sources_must_fit(void **state)
{
	struct gm_msg m;

	assert_int_equal(DECODE(&m, .hex = "11640000 ef010203 027d 0004 0a000001",
				 .to = "239.1.2.3"),
		GM_BAD_LENGTH);
	assert_int_equal(DECODE(&m, .hex = "11640000 ef010203 027d ffff 0a000001",
				 .to = "239.1.2.3"),
		GM_BAD_LENGTH);
	assert_int_equal(
		DECODE(&m, .hex = "11640000 ef010203 027d 0002 0a000001 0a0000",
			.to = "239.1.2.3"),
		GM_BAD_LENGTH);
	assert_int_equal(
		DECODE(&m, .hex = "11640000 ef010203 027d 0002 0a000001 0a000002",
			.to = "239.1.2.3"),
		GM_OK);
	assert_int_equal(m.query.n_src, 2);
	/* sources of no group */
	assert_int_equal(DECODE(&m, .hex = "11640000 00000000 027d 0001 0a000001"),
		GM_BAD_LENGTH);
}

static void r010_extra_bytes_are_ignored(void **state)
{
	struct gm_msg m;

	assert_int_equal(DECODE(&m, .hex = V3_QUERY "ffffffffffffffffffff"), GM_OK);
	assert_int_equal(m.version, GM_V3);
	assert_int_equal(m.query.n_src, 0);
	/* RFC 9279: the E flag and an extension after the sources */
	assert_int_equal(
		DECODE(&m, .hex = "11640000 ef010203 127d 0001 0a000001 00010002abcd",
			.to = "239.1.2.3"),
		GM_OK);
	assert_int_equal(m.query.n_src, 1);
	assert_int_equal(m.query.qrv, 2);
	assert_false(m.query.suppress);

	assert_int_equal(DECODE(&m, V3("0001" REC_A "01020304050607")), GM_OK);
	assert_int_equal(m.n_rec, 1);
	assert_int_equal(m.notes, 0);
	assert_int_equal(DECODE(&m, .hex = V2_REPORT "0102", .to = "239.1.2.3"), GM_OK);
	assert_int_equal(m.n_rec, 1);
}

static void r011_times_of_a_v3_query(void **state)
{
	static const struct {
		const char *hex;
		uint32_t max_resp_ms, qqi_ms;
	} t[] = {
		{"117f0000 00000000 027f0000", 12700, 127000},
		{"11800000 00000000 02810000", 12800, 136000},
		{"11ff0000 00000000 02ff0000", 3174400, 31744000},
		{"11000000 00000000 02000000", 0, 0},
	};

	for (size_t i = 0; i < array_len(t); i++) {
		struct gm_msg m;

		assert_int_equal(DECODE(&m, .hex = t[i].hex), GM_OK);
		assert_int_equal(m.query.max_resp_ms, t[i].max_resp_ms);
		assert_int_equal(m.query.qqi_ms, t[i].qqi_ms);
	}
}

static void r013_times_of_older_queries(void **state)
{
	struct gm_msg m;

	assert_int_equal(DECODE(&m, .hex = "11ff0000 00000000"), GM_OK);
	assert_int_equal(m.query.max_resp_ms, 25500);
	assert_int_equal(m.query.qrv, 0);
	assert_int_equal(m.query.qqi_ms, 0);
	assert_int_equal(DECODE(&m, .hex = "11000000 00000000"), GM_OK);
	assert_int_equal(m.query.max_resp_ms, 10000);
}

static void r014_query_group(void **state)
{
	static const char *const bad[] = {
		"0a010101", "e0000001", "ffffffff", "f0000001", "dfffffff"};
	struct gm_msg m;
	char hex[40];

	for (size_t i = 0; i < array_len(bad); i++) {
		snprintf(hex, sizeof(hex), "11640000 %s", bad[i]);
		assert_int_equal(DECODE(&m, .hex = hex), GM_BAD_GROUP);
		snprintf(hex, sizeof(hex), "11640000 %s 027d0000", bad[i]);
		assert_int_equal(DECODE(&m, .hex = hex), GM_BAD_GROUP);
	}
	assert_int_equal(
		DECODE(&m, .hex = "11640000 efffffff", .to = "239.255.255.255"), GM_OK);
	/* version 1 has no group queries: the field is ignored */
	assert_int_equal(DECODE(&m, .hex = "11000000 ef010203"), GM_OK);
	assert_true(addr_is_any(&m.query.group));
}

/* E23: a report whose group is not its destination */
static void r015_destinations(void **state)
{
	static const char v1r[] = "12000000 ef010203", v2r[] = V2_REPORT;
	static const char leave[] = "17000000 ef010203",
			  v3r[] = "22000000 00000001" REC_A;
	static const char gq[] = V3_QUERY, gsq[] = "110a0000 ef010203";
	static const struct {
		const char *hex, *to;
		enum gm_bad bad;
		bool unicast;
	} t[] = {
		{v1r, "239.1.2.3"},
		{v1r, "10.0.0.9", .unicast = true},
		{v1r, "239.1.2.4", GM_BAD_DESTINATION},
		{v1r, "224.0.0.2", GM_BAD_DESTINATION},
		{v2r, "239.1.2.3"},
		{v2r, "10.0.0.9", .unicast = true},
		{v2r, "239.1.2.4", GM_BAD_DESTINATION},
		{v2r, "224.0.0.22", GM_BAD_DESTINATION},
		{v2r, "255.255.255.255", GM_BAD_DESTINATION},
		{v2r, "0.0.0.0", GM_BAD_DESTINATION},
		{leave, "224.0.0.2"},
		{leave, "239.1.2.3"},
		{leave, "10.0.0.9", .unicast = true},
		{leave, "224.0.0.1", GM_BAD_DESTINATION},
		{v3r, "224.0.0.22"},
		{v3r, "10.0.0.9", .unicast = true},
		{v3r, "239.1.2.3", GM_BAD_DESTINATION},
		{v3r, "224.0.0.2", GM_BAD_DESTINATION},
		{gq, "224.0.0.1"},
		{gq, "10.0.0.9", .unicast = true},
		{gq, "239.1.2.3", GM_BAD_DESTINATION},
		{gsq, "239.1.2.3"},
		{gsq, "224.0.0.1"},
		{gsq, "10.0.0.9", .unicast = true},
		{gsq, "239.1.2.4", GM_BAD_DESTINATION},
	};

	for (size_t i = 0; i < array_len(t); i++) {
		struct gm_msg m;

		assert_int_equal(DECODE(&m, .hex = t[i].hex, .to = t[i].to), t[i].bad);
		if (!t[i].bad)
			assert_int_equal(m.notes, t[i].unicast ? GM_NOTE_UNICAST : 0);
	}
}

static void r016_truncated_report(void **state)
{
	struct gm_msg m;

	assert_int_equal(DECODE(&m, V3("0002" REC_A)), GM_OK);
	assert_int_equal(m.n_rec, 1);
	assert_int_equal(m.notes, GM_NOTE_TRUNCATED);
	assert_group(&m.rec[0], "239.1.2.3");

	assert_int_equal(DECODE(&m, V3("ffff" REC_A REC_B)), GM_OK);
	assert_int_equal(m.n_rec, 2);
	assert_int_equal(m.notes, GM_NOTE_TRUNCATED);

	/* a source count, then auxiliary data, beyond the end */
	assert_int_equal(
		DECODE(&m, V3("0002" REC_A "0500ffff e8010203 0a000001")), GM_OK);
	assert_int_equal(m.n_rec, 1);
	assert_int_equal(m.notes, GM_NOTE_TRUNCATED);
	assert_int_equal(DECODE(&m, V3("0002" REC_A "04ff0000 ef010204")), GM_OK);
	assert_int_equal(m.n_rec, 1);
	assert_int_equal(m.notes, GM_NOTE_TRUNCATED);
	/* a record header cut in each byte */
	for (size_t cut = 1; cut < 8; cut++) {
		DECODE(&m, V3("0002" REC_A REC_A));
		p.len -= cut;
		igmp_packet_seal(&p, p.len);
		assert_int_equal(decode_packet(&lax, &m), GM_OK);
		assert_int_equal(m.n_rec, 1);
		assert_int_equal(m.notes, GM_NOTE_TRUNCATED);
	}
	/* no record follows the count */
	assert_int_equal(DECODE(&m, V3("0001")), GM_OK);
	assert_int_equal(m.n_rec, 0);
	assert_int_equal(m.notes, GM_NOTE_TRUNCATED);
}

/* auxiliary data that looks like a record is not decoded */
static void r017_aux_data_is_skipped(void **state)
{
	struct gm_msg m;

	assert_int_equal(
		DECODE(&m, V3("0002 04020000 ef010203 04000000 ef010163" REC_B)),
		GM_OK);
	assert_int_equal(m.n_rec, 2);
	assert_int_equal(m.notes, 0);
	assert_group(&m.rec[0], "239.1.2.3");
	assert_group(&m.rec[1], "232.1.2.3");
	assert_source(&m.rec[1], 0, "10.0.0.1");
}

static void r018_unknown_record_types(void **state)
{
	static const char *const type[] = {"00", "07", "ff"};

	for (size_t i = 0; i < array_len(type); i++) {
		struct gm_msg m;
		char hex[160];

		snprintf(hex, sizeof(hex),
			"22000000 00000003" REC_A
			"%s010001 ef010209 0a000009 deadbeef" REC_B,
			type[i]);
		assert_int_equal(DECODE(&m, .hex = hex, .to = "224.0.0.22"), GM_OK);
		assert_int_equal(m.n_rec, 2);
		assert_int_equal(m.notes, GM_NOTE_UNKNOWN_RECORD);
		assert_group(&m.rec[0], "239.1.2.3");
		assert_group(&m.rec[1], "232.1.2.3");
		assert_source(&m.rec[1], 0, "10.0.0.1");
	}
}

static void r019_reserved_bits_are_ignored(void **state)
{
	struct gm_msg m;

	assert_int_equal(DECODE(&m, .hex = "11640000 00000000 f27d0000"), GM_OK);
	assert_int_equal(m.query.qrv, 2);
	assert_false(m.query.suppress);
	assert_int_equal(DECODE(&m, .hex = "11640000 00000000 fa7d0000"), GM_OK);
	assert_true(m.query.suppress);
	assert_int_equal(
		DECODE(&m, .hex = "22ff0000 ffff0001" REC_A, .to = "224.0.0.22"),
		GM_OK);
	assert_int_equal(m.n_rec, 1);
	assert_int_equal(
		DECODE(&m, .hex = "16ff0000 ef010203", .to = "239.1.2.3"), GM_OK);
	assert_int_equal(m.version, GM_V2);
}

static void r020_sender_addresses(void **state)
{
	static const char *const bad[] = {
		"224.0.0.1", "239.1.2.3", "255.255.255.255", "127.0.0.1"};
	struct gm_msg m;

	assert_int_equal(DECODE(&m, .hex = "12000000 ef010203", .from = "0.0.0.0",
				 .to = "239.1.2.3"),
		GM_OK);
	assert_int_equal(
		DECODE(&m, .hex = V2_REPORT, .from = "0.0.0.0", .to = "239.1.2.3"),
		GM_OK);
	assert_int_equal(DECODE(&m, V3("0001" REC_A), .from = "0.0.0.0"), GM_OK);
	assert_true(addr_is_any(&m.from));
	assert_int_equal(m.n_rec, 1);
	for (size_t i = 0; i < array_len(bad); i++) {
		assert_int_equal(
			DECODE(&m, V3("0001" REC_A), .from = bad[i]), GM_BAD_SOURCE);
		assert_int_equal(
			DECODE(&m, .hex = V3_QUERY, .from = bad[i]), GM_BAD_SOURCE);
	}
}

static void r022_groups_of_reports(void **state)
{
	struct gm_msg m;

	assert_int_equal(
		DECODE(&m, .hex = "16000000 0a010101", .to = "10.1.1.1"), GM_BAD_GROUP);
	assert_int_equal(DECODE(&m, .hex = "16000000 e0000001"), GM_BAD_GROUP);
	assert_int_equal(DECODE(&m, .hex = "12000000 00000000"), GM_BAD_GROUP);
	assert_int_equal(DECODE(&m, .hex = "17000000 00000000", .to = "224.0.0.2"),
		GM_BAD_GROUP);
	/* policy decides about the rest of 224.0.0.0/24 */
	assert_int_equal(
		DECODE(&m, .hex = "16000000 e00000fb", .to = "224.0.0.251"), GM_OK);

	assert_int_equal(
		DECODE(&m,
			V3("0005"
			   "04000000 0a010101 04000000 e0000001 04000000 e0000016 04000000 f0000001" REC_A)),
		GM_OK);
	assert_int_equal(m.notes, GM_NOTE_BAD_GROUP);
	assert_int_equal(m.n_rec, 2);
	assert_group(&m.rec[0], "224.0.0.22");
	assert_group(&m.rec[1], "239.1.2.3");
}

static void r023_illegal_sources_are_left_out(void **state)
{
	static const char *const include[] = {"01", "03", "05", "06"};
	struct gm_msg m;
	char hex[160];

	assert_int_equal(
		DECODE(&m, V3("0001 05000003 e8010203 00000000 e0010101 0a000001")),
		GM_OK);
	assert_int_equal(m.notes, GM_NOTE_BAD_SOURCE);
	assert_int_equal(m.n_rec, 1);
	assert_int_equal(m.rec[0].n_src, 1);
	assert_source(&m.rec[0], 0, "10.0.0.1");

	for (size_t i = 0; i < array_len(include); i++) {
		/* a record that loses all its sources is dropped */
		snprintf(hex, sizeof(hex),
			"22000000 00000002 %s000002 e8010203 7f000001 ffffffff" REC_A,
			include[i]);
		assert_int_equal(DECODE(&m, .hex = hex, .to = "224.0.0.22"), GM_OK);
		assert_int_equal(m.notes, GM_NOTE_BAD_SOURCE);
		assert_int_equal(m.n_rec, 1);
		assert_group(&m.rec[0], "239.1.2.3");
		/* a record without sources keeps its meaning: TO_IN({}) is a leave */
		snprintf(hex, sizeof(hex), "22000000 00000001 %s000000 e8010203",
			include[i]);
		assert_int_equal(DECODE(&m, .hex = hex, .to = "224.0.0.22"), GM_OK);
		assert_int_equal(m.notes, 0);
		assert_int_equal(m.n_rec, 1);
		assert_int_equal(m.rec[0].n_src, 0);
	}
	/* EXCLUDE without sources is still a join */
	assert_int_equal(DECODE(&m, V3("0001 04000001 ef010203 00000000")), GM_OK);
	assert_int_equal(m.notes, GM_NOTE_BAD_SOURCE);
	assert_int_equal(m.n_rec, 1);
	assert_int_equal(m.rec[0].type, GM_TO_EX);
	assert_int_equal(m.rec[0].n_src, 0);
}

/* Lists and records keep their order, with duplicates; the group state makes sets of
 * them. */
static void r024_duplicates_keep_their_order(void **state)
{
	struct gm_msg m;

	assert_int_equal(DECODE(&m,
				 V3("0003"
				    "05000002 e8010203 0a000001 0a000001" REC_B
				    "03000000 e8010203")),
		GM_OK);
	assert_int_equal(m.n_rec, 3);
	assert_int_equal(m.rec[0].n_src, 2);
	assert_source(&m.rec[0], 0, "10.0.0.1");
	assert_source(&m.rec[0], 1, "10.0.0.1");
	assert_source(&m.rec[1], 0, "10.0.0.1");
	assert_int_equal(m.rec[1].type, GM_ALLOW);
	assert_int_equal(m.rec[2].type, GM_TO_IN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(r002_checksum_covers_the_whole_payload),
		cmocka_unit_test(r003_total_length_rules),
		cmocka_unit_test(r004_ip_header_lengths),
		cmocka_unit_test(r004_fragments_are_refused),
		cmocka_unit_test(r005_router_alert),
		cmocka_unit_test(r006_ttl),
		cmocka_unit_test(r007_other_types_are_ignored),
		cmocka_unit_test(r008_query_version_by_length),
		cmocka_unit_test(r009_query_sources_must_fit),
		cmocka_unit_test(r010_extra_bytes_are_ignored),
		cmocka_unit_test(r011_times_of_a_v3_query),
		cmocka_unit_test(r013_times_of_older_queries),
		cmocka_unit_test(r014_query_group),
		cmocka_unit_test(r015_destinations),
		cmocka_unit_test(r016_truncated_report),
		cmocka_unit_test(r017_aux_data_is_skipped),
		cmocka_unit_test(r018_unknown_record_types),
		cmocka_unit_test(r019_reserved_bits_are_ignored),
		cmocka_unit_test(r020_sender_addresses),
		cmocka_unit_test(r022_groups_of_reports),
		cmocka_unit_test(r023_illegal_sources_are_left_out),
		cmocka_unit_test(r024_duplicates_keep_their_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
