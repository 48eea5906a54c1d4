/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Messages in IP fragments (R004, K13) under virtual time: which packets are fragments
 * of one message, what a sequence of fragments gives, and how much is kept for how
 * long.
 */

#include "control/proto/reassemble.h"
#include "igmp_packet.h"

#include <stdlib.h>

static struct reassemble r;

static int tear_down(void **state)
{
	reassemble_deinit(&r);
	r = (struct reassemble){0};
	return 0;
}

/* ---- what counts as a fragment ---- */

/* A fragment of an IGMP message: 24 bytes of IP header. */
static size_t fragment4(uint8_t *p, uint16_t id, uint16_t field, size_t len)
{
	static struct igmp_packet packet;

	igmp_packet_make(&packet,
		&(struct igmp_packet_spec){.hex = "22000000 00000000",
			.to = "224.0.0.22",
			.fragment = field});
	memcpy(p, packet.b, packet.header_len);
	for (size_t i = 0; i < len; i++)
		p[packet.header_len + i] = (uint8_t)((field & 0x1fff) * 8 + i);
	put_u16be(p + 2, (unsigned)(packet.header_len + len));
	put_u16be(p + 4, id);
	put_u16be(p + 10, 0);
	put_u16be(p + 10, inet_fold(inet_sum(p, packet.header_len, 0)));
	return packet.header_len + len;
}

static void r004_ipv4_pieces(void **state)
{
	static const struct {
		const char *what;
		uint16_t field;
		size_t len;
		bool piece;
	} rows[] = {
		{"whole", 0, 16, false},
		{"whole, not to be cut", 0x4000, 16, false},
		{"first", 0x2000, 16, true},
		{"in the middle", 0x2002, 16, true},
		{"last", 0x0002, 16, true},
		{"last, no multiple of eight", 0x0002, 3, true},
		{"not last, no multiple of eight", 0x2002, 15, false},
		{"empty", 0x2000, 0, false},
		{"empty and last", 0x0002, 0, false},
	};
	struct addr from = ADDR_V4(10, 0, 0, 1), to = ADDR_V4(224, 0, 0, 22);
	struct reassemble_piece p;
	uint8_t buf[256];

	for (size_t i = 0; i < array_len(rows); i++) {
		size_t len = fragment4(buf, 7, rows[i].field, rows[i].len);

		if (reassemble_parse(FAMILY_IPV4, buf, len, &p) != rows[i].piece)
			fail_msg("%s", rows[i].what);
	}
	/* the decoder reports what is wrong with the others */
	assert_true(
		reassemble_parse(FAMILY_IPV4, buf, fragment4(buf, 7, 0x2000, 16), &p));
	assert_int_equal(p.id, 7);
	assert_true(addr_eq(&p.host.from, &from));
	assert_true(addr_eq(&p.to, &to));
	assert_false(reassemble_parse(FAMILY_IPV4, buf, 39, &p)); /* cut short */
	assert_false(reassemble_parse(FAMILY_IPV4, buf, 19, &p));
	assert_true(reassemble_parse(FAMILY_IPV4, buf, 60, &p)); /* padded */
	assert_int_equal(p.len, 16);
	buf[9] = 17;
	assert_false(reassemble_parse(FAMILY_IPV4, buf, 40, &p));
	buf[9] = 2;
	buf[10] ^= 1;
	assert_false(reassemble_parse(FAMILY_IPV4, buf, 40, &p));
}

/* A fragment after hop-by-hop options of `units` times eight bytes. */
static size_t fragment6(
	uint8_t *p, uint32_t id, uint16_t field, size_t len, uint8_t units)
{
	struct wr w = wr_init(p, 512);
	struct addr from = a("fe80::7"), to = a("ff02::16");

	wr_u32be(&w, 0x60000000);
	wr_u16be(&w, (uint16_t)(units * 8 + 8 + len));
	wr_u8(&w, 0);
	wr_u8(&w, 1);
	wr_bytes(&w, from.b, 16);
	wr_bytes(&w, to.b, 16);
	wr_u8(&w, 44);
	wr_u8(&w, units - 1);
	wr_u32be(&w, 0x05020000);
	wr_u16be(&w, 0x0100);
	for (unsigned i = 1; i < units; i++) {
		wr_u32be(&w, 0);
		wr_u32be(&w, 0);
	}
	wr_u8(&w, 58);
	wr_u8(&w, 0);
	wr_u16be(&w, field);
	wr_u32be(&w, id);
	for (size_t i = 0; i < len; i++)
		wr_u8(&w, (uint8_t)((field & ~7u) + i));
	assert_false(w.bad);
	return wr_len(&w);
}

static void r004_ipv6_pieces(void **state)
{
	static const struct {
		const char *what;
		uint16_t field;
		size_t len;
		uint8_t units;
		bool piece;
	} rows[] = {
		{"whole, in one fragment", 0, 16, 1, false},
		{"first", 1, 16, 1, true},
		{"last", 16, 5, 1, true},
		{"behind longer options", 16, 5, 2, true},
		{"behind options that are too long", 16, 5, 12, false},
		{"not last, no multiple of eight", 17, 5, 1, false},
	};
	struct reassemble_piece p;
	uint8_t buf[512];

	for (size_t i = 0; i < array_len(rows); i++) {
		size_t len = fragment6(
			buf, 0x12345678, rows[i].field, rows[i].len, rows[i].units);

		if (reassemble_parse(FAMILY_IPV6, buf, len, &p) != rows[i].piece)
			fail_msg("%s", rows[i].what);
	}
	assert_true(reassemble_parse(
		FAMILY_IPV6, buf, fragment6(buf, 0x12345678, 1, 16, 1), &p));
	assert_int_equal(p.id, 0x12345678);
	assert_false(reassemble_parse(FAMILY_IPV6, buf, 71, &p)); /* cut short */
	buf[48] = 17;
	assert_false(
		reassemble_parse(FAMILY_IPV6, buf, 72, &p)); /* not of an MLD message */
	buf[48] = 58;
	buf[6] = 44; /* without hop-by-hop options there is no Router Alert */
	assert_false(reassemble_parse(FAMILY_IPV6, buf, 72, &p));
}

/* ---- sequences ---- */

struct step {
	int ms;
	uint8_t mac, from, id; /* mac 0 means a link without MAC addresses */
	unsigned offset, len;
	bool last;
	uint8_t salt; /* changes the bytes */
	enum reassemble_result is;
};

static uint8_t byte_at(size_t i)
{
	return (uint8_t)(i * 7 + i / 256);
}

static enum reassemble_result add(const struct step *s, uint8_t **whole, size_t *len)
{
	static const uint8_t header[20] = {0x45, 0, 0, 0, 0, 0, 0x20, 0, 1, 2};
	uint8_t data[32768];
	struct reassemble_piece p = {
		.host = {.has_mac = s->mac, .from = ADDR_V4(10, 0, 0, s->from)},
		.to = ADDR_V4(224, 0, 0, 22),
		.id = s->id,
		.last = s->last,
		.data = data,
		.offset = s->offset,
		.len = s->len,
		.header = header,
		.header_len = sizeof(header)};

	p.host.mac.byte[5] = s->mac;
	for (size_t i = 0; i < s->len; i++)
		data[i] = byte_at(s->offset + i) ^ s->salt;
	return reassemble_add(&r, mono_from_ms(s->ms + 1), &p, whole, len);
}

static void check_whole(
	const char *what, size_t at, const uint8_t *p, size_t len, size_t end)
{
	if (len != 20 + end || get_u16be(p + 2) != len || get_u16be(p + 6) != 0 ||
		inet_fold(inet_sum(p, 20, 0)) != 0)
		fail_msg("%s, step %zu: header or length", what, at);
	for (size_t i = 0; i < end; i++)
		if (p[20 + i] != byte_at(i))
			fail_msg("%s, step %zu: byte %zu", what, at, i);
}

#define WAIT	 REASSEMBLE_WAIT
#define WHOLE	 REASSEMBLE_WHOLE
#define REPEATED REASSEMBLE_REPEATED
#define OVERLAP	 REASSEMBLE_OVERLAP
#define LARGE	 REASSEMBLE_LARGE

static const struct {
	const char *what;
	unsigned end; /* length of the message */
	struct step step[14];
} sequences[] = {
	{"in order", 2408,
		{{0, 1, 1, 1, 0, 1472, false, 0, WAIT},
			{0, 1, 1, 1, 1472, 936, true, 0, WHOLE}}},
	{"the other way round", 2408,
		{{0, 1, 1, 1, 1472, 936, true, 0, WAIT},
			{0, 1, 1, 1, 0, 1472, false, 0, WHOLE}}},
	{"three, the middle last", 24,
		{{0, 1, 1, 1, 0, 8, false, 0, WAIT}, {0, 1, 1, 1, 16, 8, true, 0, WAIT},
			{0, 1, 1, 1, 8, 8, false, 0, WHOLE}}},
	{"repeated", 20,
		{{0, 1, 1, 1, 8, 8, false, 0, WAIT},
			{0, 1, 1, 1, 8, 8, false, 0, REPEATED},
			{0, 1, 1, 1, 16, 4, true, 0, WAIT},
			{0, 1, 1, 1, 16, 4, true, 0, REPEATED},
			{0, 1, 1, 1, 0, 8, false, 0, WHOLE},
			/* the message is complete, so this begins another one */
			{0, 1, 1, 1, 0, 8, false, 0, WAIT}}},
	{"the largest", REASSEMBLE_SIZE,
		{{0, 1, 1, 1, 0, REASSEMBLE_SIZE - 8, false, 0, WAIT},
			{0, 1, 1, 1, REASSEMBLE_SIZE - 8, 8, true, 0, WHOLE}}},
	{"too large, and what else comes of it", 0,
		{{0, 1, 1, 1, 0, 8, false, 0, WAIT},
			{0, 1, 1, 1, REASSEMBLE_SIZE, 8, true, 0, LARGE},
			{0, 1, 1, 1, 8, 8, true, 0, OVERLAP}}},
	{"the same bytes with other values", 0,
		{{0, 1, 1, 1, 0, 16, false, 0, WAIT},
			{0, 1, 1, 1, 0, 16, false, 1, OVERLAP},
			{0, 1, 1, 1, 16, 8, true, 0, OVERLAP}}},
	{"a part of the same bytes", 0,
		{{0, 1, 1, 1, 0, 16, false, 0, WAIT},
			{0, 1, 1, 1, 8, 16, true, 0, OVERLAP}}},
	{"around what is there", 0,
		{{0, 1, 1, 1, 8, 8, false, 0, WAIT},
			{0, 1, 1, 1, 0, 24, false, 0, OVERLAP}}},
	{"two ends", 0,
		{{0, 1, 1, 1, 16, 8, true, 0, WAIT},
			{0, 1, 1, 1, 8, 4, true, 0, OVERLAP}}},
	{"beyond the end", 0,
		{{0, 1, 1, 1, 16, 8, true, 0, WAIT},
			{0, 1, 1, 1, 24, 8, false, 0, OVERLAP}}},
	{"an end before what is there", 0,
		{{0, 1, 1, 1, 16, 8, false, 0, WAIT},
			{0, 1, 1, 1, 8, 8, true, 0, OVERLAP}}},
	{"in time", 16,
		{{0, 1, 1, 1, 0, 8, false, 0, WAIT},
			{REASSEMBLE_MS - 1, 1, 1, 1, 8, 8, true, 0, WHOLE}}},
	{"too late", 16,
		{{0, 1, 1, 1, 0, 8, false, 0, WAIT},
			{REASSEMBLE_MS, 1, 1, 1, 8, 8, true, 0, WAIT},
			{REASSEMBLE_MS, 1, 1, 1, 0, 8, false, 0, WHOLE}}},
	{"refused ones are forgotten with time", 16,
		{{0, 1, 1, 1, 0, 8, false, 0, WAIT},
			{0, 1, 1, 1, 0, 8, false, 1, OVERLAP},
			{REASSEMBLE_MS, 1, 1, 1, 0, 8, false, 0, WAIT},
			{REASSEMBLE_MS, 1, 1, 1, 8, 8, true, 0, WHOLE}}},
	{"interleaved: identification, address and MAC tell messages apart", 16,
		{{0, 1, 1, 1, 0, 8, false, 0, WAIT}, {0, 1, 1, 2, 8, 8, true, 0, WAIT},
			{0, 2, 1, 1, 8, 8, true, 1, WAIT},
			{0, 3, 3, 1, 0, 8, false, 1, WAIT},
			{0, 1, 1, 1, 8, 8, true, 0, WHOLE},
			{0, 1, 1, 2, 0, 8, false, 0, WHOLE}}},
	{"a third of one sender takes the place of its first", 16,
		{{0, 2, 9, 9, 0, 8, false, 0, WAIT}, {1, 1, 1, 1, 0, 8, false, 0, WAIT},
			{2, 1, 1, 2, 0, 8, false, 0, WAIT},
			{3, 1, 7, 3, 0, 8, false, 0, WAIT},
			{4, 1, 1, 2, 8, 8, true, 0, WHOLE},
			{4, 1, 7, 3, 8, 8, true, 0, WHOLE},
			{4, 2, 9, 9, 8, 8, true, 0, WHOLE},
			{4, 1, 1, 1, 8, 8, true, 0, WAIT}}},
	{"without MACs the address is the sender", 16,
		{{1, 0, 1, 1, 0, 8, false, 0, WAIT}, {2, 0, 1, 2, 0, 8, false, 0, WAIT},
			{3, 0, 1, 3, 0, 8, false, 0, WAIT},
			{3, 0, 2, 1, 0, 8, false, 0, WAIT},
			{4, 0, 1, 1, 8, 8, true, 0, WAIT},
			{4, 0, 1, 3, 8, 8, true, 0, WHOLE},
			{4, 0, 2, 1, 8, 8, true, 0, WHOLE}}},
	{"seven strangers leave everybody his message, the eighth takes the oldest", 16,
		{{0, 1, 1, 1, 0, 8, false, 0, WAIT}, {1, 2, 1, 1, 0, 8, false, 0, WAIT},
			{2, 3, 1, 1, 0, 8, false, 0, WAIT},
			{3, 4, 1, 1, 0, 8, false, 0, WAIT},
			{4, 5, 1, 1, 0, 8, false, 0, WAIT},
			{5, 6, 1, 1, 0, 8, false, 0, WAIT},
			{6, 7, 1, 1, 0, 8, false, 0, WAIT},
			{7, 8, 1, 1, 0, 8, false, 0, WAIT},
			{8, 9, 1, 1, 0, 8, false, 0, WAIT},
			{9, 2, 1, 1, 8, 8, true, 0, WHOLE},
			{9, 9, 1, 1, 8, 8, true, 0, WHOLE},
			{9, 1, 1, 1, 8, 8, true, 0, WAIT}}},
};

static void k13_sequences(void **state)
{
	for (size_t i = 0; i < array_len(sequences); i++) {
		const struct step *s = sequences[i].step;

		for (size_t n = 0; n < array_len(sequences[i].step) && s[n].len; n++) {
			uint8_t *whole = NULL;
			size_t len = 0;
			enum reassemble_result is = add(&s[n], &whole, &len);

			if (is != s[n].is)
				fail_msg("%s, step %zu: %s", sequences[i].what, n,
					reassemble_name(is));
			if (is == REASSEMBLE_WHOLE)
				check_whole(sequences[i].what, n, whole, len,
					sequences[i].end);
			free(whole);
		}
		tear_down(state);
	}
}

static void k13_counters_and_timer(void **state)
{
	static const struct step step[] = {
		{0, 1, 1, 1, 0, 8, false, 0, WAIT},
		{0, 1, 1, 1, 0, 8, false, 0, REPEATED},
		{1000, 1, 1, 2, 0, 8, false, 0, WAIT},
		{1000, 1, 1, 3, 0, 8, false, 0, WAIT}, /* displaces the first */
		{1000, 2, 1, 1, 0, 8, false, 0, WAIT},
		{1000, 2, 1, 1, 0, 8, false, 1, OVERLAP},
	};
	uint8_t *whole;
	size_t len;

	assert_int_equal(reassemble_tick(&r, mono_from_ms(0)).ns, MONO_NEVER.ns);
	for (size_t i = 0; i < array_len(step); i++)
		assert_int_equal(add(&step[i], &whole, &len), step[i].is);
	assert_int_equal(r.n[REASSEMBLE_WAIT], 4);
	assert_int_equal(r.n[REASSEMBLE_REPEATED], 1);
	assert_int_equal(r.n[REASSEMBLE_ROOM], 1);
	assert_int_equal(r.n[REASSEMBLE_OVERLAP], 1);
	assert_int_equal(reassemble_tick(&r, mono_from_ms(1001)).ns,
		mono_from_ms(1001 + REASSEMBLE_MS).ns);
	assert_int_equal(r.n[REASSEMBLE_TIMEOUT], 0);
	assert_int_equal(reassemble_tick(&r, mono_from_ms(1001 + REASSEMBLE_MS)).ns,
		MONO_NEVER.ns);
	/* the refused one was already counted */
	assert_int_equal(r.n[REASSEMBLE_TIMEOUT], 2);
}

static void r004_ipv6_headers_are_mended(void **state)
{
	struct reassemble_piece p;
	uint8_t buf[512], *whole = NULL;
	size_t len, n;

	n = fragment6(buf, 5, 1, 16, 1);
	assert_true(reassemble_parse(FAMILY_IPV6, buf, n, &p));
	assert_int_equal(
		reassemble_add(&r, mono_from_ms(1), &p, &whole, &len), REASSEMBLE_WAIT);
	n = fragment6(buf, 5, 16, 5, 1);
	assert_true(reassemble_parse(FAMILY_IPV6, buf, n, &p));
	assert_int_equal(reassemble_add(&r, mono_from_ms(1), &p, &whole, &len),
		REASSEMBLE_WHOLE);
	assert_int_equal(len, 40 + 8 + 21);
	assert_int_equal(get_u16be(whole + 4), 8 + 21);
	assert_int_equal(whole[6], 0);
	assert_int_equal(whole[40], 58);
	for (uint8_t i = 0; i < 21; i++)
		assert_int_equal(whole[48 + i], i);
	free(whole);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(r004_ipv4_pieces),
		cmocka_unit_test(r004_ipv6_pieces),
		cmocka_unit_test_teardown(k13_sequences, tear_down),
		cmocka_unit_test_teardown(k13_counters_and_timer, tear_down),
		cmocka_unit_test_teardown(r004_ipv6_headers_are_mended, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
