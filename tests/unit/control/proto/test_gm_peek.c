/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The work that a message is charged before decoding, and decoding within what was
 * granted (F2): the estimate is never below the work of the records, and if a report
 * asks for too much its first records are decoded.
 */

#include "control/proto/gm_peek.h"

#include "base/bytes.h"
#include "control/proto/igmp.h"
#include "control/proto/mld.h"
#include "test.h"

#include <string.h>

#define MAX_PACKET 65000

static uint8_t packet[MAX_PACKET];
static struct gm_scratch scratch;

/* A report of n records with n_src sources each. */
static size_t make_report(enum family family, size_t n, size_t n_src)
{
	static struct gm_record rec[2000];
	static struct addr src[4000];
	struct addr from = family == FAMILY_IPV4 ? a("10.0.0.2") : a("fe80::2");
	int len;

	for (size_t i = 0; i < n_src; i++) {
		src[i] = family == FAMILY_IPV4 ? a("192.0.2.0") : a("2001:db8::");
		src[i].b[14] = (uint8_t)(i >> 8);
		src[i].b[15] = (uint8_t)(1 + i);
	}
	for (size_t i = 0; i < n; i++) {
		rec[i] = (struct gm_record){.type = GM_IS_EX,
			.group = family == FAMILY_IPV4 ? a("239.1.0.0") : a("ff15::"),
			.src = src,
			.n_src = n_src};
		rec[i].group.b[14] = (uint8_t)(i >> 8);
		rec[i].group.b[15] = (uint8_t)i;
	}
	len = (family == FAMILY_IPV4 ? igmp_encode_report : mld_encode_report)(
		packet, sizeof(packet), GM_V3, &from, rec, n);
	assert_true(len > 0);
	return (size_t)len;
}

static enum gm_bad decode(
	enum family family, size_t len, uint32_t max_work, struct gm_msg *ret)
{
	const struct gm_rules rules = {.max_work = max_work};

	return (family == FAMILY_IPV4 ? igmp_decode : mld_decode)(
		packet, len, &rules, &scratch, ret);
}

static void f2_work_of_reports(void **state)
{
	static const struct {
		size_t records, sources;
		uint32_t work;
	} rows[] = {
		{1, 0, 2},
		{182, 0, 183},
		{1, 1, 2},
		{8, 1, 10}, /* eight sources in all */
		{1, 342, 2 + 42},
		{120, 1, 1 + 120 + 15},
		{1120, 0, 1121},
	};

	for (unsigned family = 0; family < _FAMILY_N; family++) {
		for (size_t i = 0; i < array_len(rows); i++) {
			size_t len =
				make_report(family, rows[i].records, rows[i].sources);
			struct gm_peek p;

			assert_true(gm_peek(family, packet, len, &p));
			assert_int_equal(p.work, rows[i].work);
			assert_int_equal(p.records, rows[i].records);
			assert_true(p.message + p.len == packet + len);
		}
	}
}

/* Decoding takes as much as was granted, the first records first, and counts the
 * rest. */
static void f2_the_first_records_are_taken(void **state)
{
	for (unsigned family = 0; family < _FAMILY_N; family++) {
		for (size_t n_src = 0; n_src < 40; n_src += 13) {
			size_t len = make_report(family, 60, n_src), last = 0;
			struct gm_peek p;
			struct gm_msg m;

			assert_true(gm_peek(family, packet, len, &p));
			for (uint32_t work = 1; work <= p.work; work++) {
				assert_int_equal(decode(family, len, work, &m), GM_OK);
				assert_int_equal(m.n_rec + m.n_left, 60);
				assert_int_equal(m.n_rec,
					(work - 1) / (1 + n_src / 8) < 60
						? (work - 1) / (1 + n_src / 8)
						: 60);
				assert_true(m.n_rec >= last);
				last = m.n_rec;
			}
			assert_int_equal(m.n_left, 0);
			assert_int_equal(decode(family, len, 0, &m), GM_OK);
			assert_int_equal(m.n_rec, 60);
		}
	}
}

/* A wrong record count makes a message no cheaper, and is not counted as records left
 * out. */
static void f2_counts_that_lie(void **state)
{
	size_t len = make_report(FAMILY_IPV4, 100, 0);
	uint8_t *count = packet + IGMP_IP_HEADER_LEN + 6;
	struct gm_peek p;

	memset(count, 0, 2);
	assert_true(gm_peek(FAMILY_IPV4, packet, len, &p));
	assert_int_equal(p.work, 1 + 200 / 8);
	assert_int_equal(p.records, 0);
	memset(count, 255, 2);
	assert_true(gm_peek(FAMILY_IPV4, packet, len, &p));
	assert_int_equal(p.work, 101);
	assert_int_equal(p.records, 100);
}

/* A truncated report is noted as truncated, also when its last record announces more
 * sources than the message was granted work for. */
static void r016_a_cut_is_not_a_limit(void **state)
{
	size_t len = make_report(FAMILY_IPV4, 2, 20);
	uint8_t *message = packet + IGMP_IP_HEADER_LEN;
	struct gm_peek p;
	struct gm_msg m;

	/* the sources of the second record: 1,044 */
	message[8 + 8 + 80 + 2] = 4;
	memset(message + 2, 0, 2);
	put_u16be(
		message + 2, inet_fold(inet_sum(message, len - IGMP_IP_HEADER_LEN, 0)));
	assert_true(gm_peek(FAMILY_IPV4, packet, len, &p));
	assert_int_equal(decode(FAMILY_IPV4, len, p.work, &m), GM_OK);
	assert_int_equal(m.n_rec, 1);
	assert_int_equal(m.n_left, 0);
	assert_true(m.notes & GM_NOTE_TRUNCATED);
}

/* The first sources of a query are read, and the number of the others is reported. The
 * work that a query asks for covers all its sources. */
static void f9_the_first_sources_of_a_query(void **state)
{
	static struct addr src[1400];

	for (unsigned family = 0; family < _FAMILY_N; family++) {
		bool v4 = family == FAMILY_IPV4;

		for (unsigned i = 0; i < array_len(src); i++) {
			src[i] = v4 ? ADDR_V4(10, 1, 0, 0) : a("2001:db8::");
			src[i].b[14] = (uint8_t)(i >> 8);
			src[i].b[15] = (uint8_t)i;
		}
		for (size_t n = 0; n <= array_len(src); n += n < 20 ? 1 : 115) {
			struct addr from = v4 ? a("10.0.0.1") : a("fe80::1");
			struct gm_query q = {
				.group = v4 ? a("239.1.2.3") : a("ff0e::1"),
				.max_resp_ms = 1000,
				.src = src,
				.n_src = n};
			int len = (v4 ? igmp_encode_query : mld_encode_query)(
				packet, sizeof(packet), GM_V3, &from, &q);
			struct gm_peek p;
			struct gm_msg m;

			assert_true(len > 0);
			assert_true(gm_peek(family, packet, (size_t)len, &p));
			assert_true(p.query && p.records == 0);
			assert_in_range(p.work, 1 + n / 8, 2 + (n + 1) / 8);
			for (uint32_t work = 1; work <= p.work; work++) {
				size_t most = work * GM_WORK_ADDRESSES;

				assert_int_equal(
					decode(family, (size_t)len, work, &m), GM_OK);
				assert_int_equal(m.query.n_src, most < n ? most : n);
				assert_int_equal(m.query.n_src + m.query.n_left, n);
				assert_memory_equal(
					m.query.src, src, m.query.n_src * sizeof(*src));
			}
			assert_int_equal(m.query.n_left, 0);
			assert_int_equal(decode(family, (size_t)len, 0, &m), GM_OK);
			assert_int_equal(m.query.n_src, n);
		}
	}
}

static void f2_not_a_report(void **state)
{
	struct addr from = a("10.0.0.2");
	struct gm_query q = {.group = a("239.1.2.3"), .max_resp_ms = 1000};
	struct gm_peek p;
	int len = igmp_encode_query(packet, sizeof(packet), GM_V3, &from, &q);

	assert_true(gm_peek(FAMILY_IPV4, packet, (size_t)len, &p));
	assert_int_equal(p.work, 1);
	assert_true(addr_eq(&p.from, &from));
	/* bytes after the length in the IP header are padding */
	assert_true(gm_peek(FAMILY_IPV4, packet, 2000, &p));
	assert_int_equal(p.work, 1);
	for (size_t i = 0; i < IGMP_IP_HEADER_LEN + 8; i++) {
		assert_false(gm_peek(FAMILY_IPV4, packet, i, &p));
		assert_int_equal(p.work, 1);
	}
	len = (int)make_report(FAMILY_IPV6, 1, 0);
	for (size_t i = 0; i < MLD_IP_HEADER_LEN + 8; i++) {
		assert_false(gm_peek(FAMILY_IPV6, packet, i, &p));
		assert_int_equal(p.work, 1);
	}
	packet[0] = 0x41; /* an IP header of four bytes */
	assert_false(gm_peek(FAMILY_IPV4, packet, 100, &p));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(f2_work_of_reports),
		cmocka_unit_test(f2_the_first_records_are_taken),
		cmocka_unit_test(f2_counts_that_lie),
		cmocka_unit_test(r016_a_cut_is_not_a_limit),
		cmocka_unit_test(f9_the_first_sources_of_a_query),
		cmocka_unit_test(f2_not_a_report),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
