/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Incremental checksums compared with full ones, partial checksums, link headers, and
 * fragments that are reassembled. */

#include "dataplane/packet/rewrite.h"
#include "packet.h"

#include <errno.h>

static struct packet p, q;

static void r157_vectors(void **state)
{
	static const struct {
		uint16_t csum, from, to, want;
	} c[] = {
		{0xdd2f, 0x5555, 0x3285, 0x0000}, /* RFC 1624 section 4 */
		{0x0000, 0x3285, 0x5555, 0xdd2f},
		{0x1234, 0x4011, 0x4011, 0x1234},
		{0xffff, 0x0001, 0x0000, 0x0001},
	};

	for (size_t i = 0; i < array_len(c); i++)
		assert_int_equal(
			rewrite_csum16(c[i].csum, c[i].from, c[i].to), c[i].want);
}

static void r157_random_headers(void **state)
{
	struct rng rng;

	print_message("seed 5\n");
	rng_seed(&rng, 5);
	for (int i = 0; i < 65536; i++) {
		struct frame f = {.ip = p.b, .family = FAMILY_IPV4};
		unsigned hlen = 20 + 4 * (unsigned)rng_below(&rng, 11), ttl;
		unsigned sum;

		for (unsigned k = 0; k < hlen; k++)
			p.b[k] = (uint8_t)rng_next(&rng);
		p.b[0] = (uint8_t)(0x40 | hlen / 4);
		packet_seal(&p);
		ttl = p.b[8];
		rewrite_ttl(&f);
		sum = packet_get16(&p, 10);
		assert_int_equal(p.b[8], (uint8_t)(ttl - 1));
		assert_int_equal(inet_fold(inet_sum(p.b, hlen, 0)), 0);
		packet_seal(&p);
		assert_int_equal(sum, packet_get16(&p, 10));
	}
}

static void r154_ttl_falls_by_one(void **state)
{
	struct frame f;

	packet_v4(&p, "10.0.0.9", "239.1.2.3", 100);
	q = p;
	f = packet_frame(&p);
	rewrite_ttl(&f);
	assert_int_equal(p.b[8], 63);
	assert_int_equal(f.ttl, 64); /* as received, for the threshold */
	p.b[8] = 64;
	memcpy(p.b + 10, q.b + 10, 2);
	assert_memory_equal(p.b, q.b, p.len);

	packet_v6(&p, "2001:db8::9", "ff0e::1", 100);
	q = p;
	f = packet_frame(&p);
	rewrite_ttl(&f);
	assert_int_equal(p.b[7], 63);
	p.b[7] = 64;
	assert_memory_equal(p.b, q.b, p.len);
}

static void build(bool v6, size_t payload)
{
	if (v6)
		packet_v6(&p, "2001:db8::9", "ff0e::1", payload);
	else
		packet_v4(&p, "10.0.0.9", "239.1.2.3", payload);
}

static void r182_partial_udp_checksum(void **state)
{
	for (size_t payload = 0; payload < 140; payload++)
		for (int v6 = 0; v6 <= 1; v6++) {
			unsigned l4 = v6 ? 40 : 20, want;
			struct frame f;

			build(v6, payload);
			want = packet_get16(&p, l4 + 6);
			packet_put16(&p, l4 + 6, 0xabcd); /* any value will do */
			f = packet_frame(&p);
			f.csum_not_ready = true;
			f.csum_valid = false;
			assert_true(rewrite_complete_checksum(&f));
			assert_int_equal(packet_get16(&p, l4 + 6), want);
			assert_int_equal(packet_l4_check(p.b, l4, 17), 0);
			assert_true(f.csum_valid && !f.csum_not_ready);
		}
}

static void r182_zero_becomes_all_ones(void **state)
{
	for (int v6 = 0; v6 <= 1; v6++) {
		unsigned l4 = v6 ? 40 : 20;
		struct frame f;

		build(v6, 10);
		/* a payload word equal to the checksum makes the sum come out as 0 */
		packet_put16(&p, l4 + 8, 0);
		packet_put16(&p, l4 + 6, 0);
		packet_put16(&p, l4 + 8, packet_l4_check(p.b, l4, 17));
		f = packet_frame(&p);
		assert_true(rewrite_complete_checksum(&f));
		assert_int_equal(packet_get16(&p, l4 + 6), 0xffff);
	}
}

static void r182_partial_tcp_checksum(void **state)
{
	for (int v6 = 0; v6 <= 1; v6++) {
		unsigned l4 = v6 ? 40 : 20;
		struct frame f;

		build(v6, 33);
		p.b[v6 ? 6 : 9] = 6;
		if (!v6)
			packet_seal(&p);
		f = packet_frame(&p);
		assert_true(rewrite_complete_checksum(&f));
		assert_int_equal(packet_l4_check(p.b, l4, 6), 0);
	}
}

static void r182_partial_checksum_for_others(void **state)
{
	struct frame f;

	build(false, 33);
	f = packet_frame(&p);
	assert_int_equal(rewrite_partial_offset(&f), 6);
	/* the device would also sum the bytes after the datagram */
	packet_put16(&p, 24, 8 + 30);
	assert_int_equal(rewrite_partial_offset(&f), 0);
	assert_true(rewrite_complete_checksum(&f));
	f.proto = 6;
	assert_int_equal(rewrite_partial_offset(&f), 16);
	f.proto = 132;
	assert_int_equal(rewrite_partial_offset(&f), 0);
}

static void r182_unfixable(void **state)
{
	struct frame f;

	build(false, 20);
	f = packet_frame(&p);
	f.proto = 132; /* the checksum of SCTP is another one */
	assert_false(rewrite_complete_checksum(&f));
	f = packet_frame(&p);
	f.l4_off = 0;
	assert_false(rewrite_complete_checksum(&f));
	f = packet_frame(&p);
	f.fragment = true;
	assert_false(rewrite_complete_checksum(&f));
	f = packet_frame(&p);
	f.ip_len = 27; /* 7 bytes of UDP */
	assert_false(rewrite_complete_checksum(&f));
	packet_put16(&p, 24, 29); /* UDP length beyond the packet */
	f = packet_frame(&p);
	assert_false(rewrite_complete_checksum(&f));
	packet_put16(&p, 24, 7);
	f = packet_frame(&p);
	assert_false(rewrite_complete_checksum(&f));
	build(false, 11);
	p.b[9] = 6;
	packet_seal(&p);
	f = packet_frame(&p);
	assert_false(rewrite_complete_checksum(&f)); /* 19 bytes of TCP */
}

static void r171_link_header(void **state)
{
	static const uint8_t mac[6] = {2, 0x11, 0x22, 0x33, 0x44, 0x55};
	static const struct {
		const char *group;
		uint8_t dst[6], type[2];
	} c[] = {
		{"239.1.2.3", {0x01, 0x00, 0x5e, 0x01, 0x02, 0x03}, {0x08, 0x00}},
		{"225.129.2.3", {0x01, 0x00, 0x5e, 0x01, 0x02, 0x03}, {0x08, 0x00}},
		{"239.255.255.250", {0x01, 0x00, 0x5e, 0x7f, 0xff, 0xfa}, {0x08, 0x00}},
		{"ff0e::1:2:3", {0x33, 0x33, 0x00, 0x02, 0x00, 0x03}, {0x86, 0xdd}},
		{"ff3e::8765:4321", {0x33, 0x33, 0x87, 0x65, 0x43, 0x21}, {0x86, 0xdd}},
	};

	for (size_t i = 0; i < array_len(c); i++) {
		struct addr g = a(c[i].group);
		uint8_t out[REWRITE_L2_LEN];

		rewrite_l2(out, &g, mac);
		assert_memory_equal(out, c[i].dst, 6);
		assert_memory_equal(out + 6, mac, 6);
		assert_memory_equal(out + 12, c[i].type, 2);
	}
}

/* Reassemble by the offsets in the fragments and check each header. */
static void reassemble(const uint8_t *frag, const uint16_t *len, unsigned n,
	uint32_t mtu, const struct frame *f)
{
	static uint8_t data[65536];
	unsigned base = packet_get16(&p, 6) & 0x1fff;
	bool mf_last = packet_get16(&p, 6) & 0x2000;
	size_t got = 0;

	for (unsigned i = 0; i < n; i++) {
		unsigned hlen = (frag[0] & 15u) * 4;
		unsigned field = (unsigned)(frag[6] << 8 | frag[7]);
		size_t at = ((field & 0x1fff) - base) * 8;

		assert_true(len[i] <= mtu);
		assert_int_equal(frag[2] << 8 | frag[3], len[i]);
		assert_int_equal(inet_fold(inet_sum(frag, hlen, 0)), 0);
		assert_memory_equal(frag + 4, p.b + 4, 2);   /* id */
		assert_memory_equal(frag + 8, p.b + 8, 2);   /* TTL, protocol */
		assert_memory_equal(frag + 12, p.b + 12, 8); /* addresses */
		assert_int_equal(frag[1], p.b[1]);
		assert_int_equal(at, got);
		assert_int_equal(!!(field & 0x2000), i + 1 < n || mf_last);
		if (i == 0)
			assert_memory_equal(frag + 20, p.b + 20, f->ip_hlen - 20u);
		memcpy(data + at, frag + hlen, len[i] - hlen);
		got += len[i] - hlen;
		frag += len[i];
	}
	assert_int_equal(got, f->ip_len - f->ip_hlen);
	assert_memory_equal(data, p.b + f->ip_hlen, got);
}

static uint8_t out[200000];
static uint16_t frag_len[1400];

static int cut(const struct frame *f, uint32_t mtu)
{
	return rewrite_fragment(
		f, mtu, out, sizeof(out), frag_len, array_len(frag_len));
}

static void r166_fragments_reassemble(void **state)
{
	/* NOP, Router Alert (copied), record route (not copied), END */
	static const uint8_t opt[] = {1, 148, 4, 0, 0, 7, 7, 4, 0, 0, 0, 0};
	struct rng rng;

	print_message("seed 9\n");
	rng_seed(&rng, 9);
	for (int i = 0; i < 3000; i++) {
		size_t payload = rng_below(&rng, i % 10 ? 3000 : 65400);
		unsigned field = 0;
		uint32_t mtu = 68 + (uint32_t)rng_below(&rng, 1500);
		struct frame f;
		int n;

		packet_v4_opt(&p, "10.0.0.9", "239.1.2.3", opt, i % 2 ? sizeof(opt) : 0,
			payload);
		if (i % 3 == 0) /* itself a fragment, in the middle or the last */
			field = 100 | (i % 2 ? 0x2000 : 0);
		packet_put16(&p, 6, field);
		packet_seal(&p);
		f = packet_frame(&p);
		n = cut(&f, mtu);
		if (payload + 800 > 65535 && field)
			continue;
		assert_true(n > 0);
		reassemble(out, frag_len, (unsigned)n, mtu, &f);
	}
}

static void r166_copied_options(void **state)
{
	static const uint8_t opt[] = {1, 148, 4, 0, 0, 7, 7, 4, 0, 0, 0, 0};
	static const uint8_t want[] = {148, 4, 0, 0};
	struct frame f;

	packet_v4_opt(&p, "10.0.0.9", "239.1.2.3", opt, sizeof(opt), 500);
	f = packet_frame(&p);
	assert_int_equal(cut(&f, 300), 2);
	assert_memory_equal(out + 20, opt, sizeof(opt));
	assert_int_equal(out[frag_len[0]], 0x46);
	assert_memory_equal(out + frag_len[0] + 20, want, sizeof(want));
}

static void r166_exact_sizes(void **state)
{
	struct frame f;

	packet_v4(&p, "10.0.0.9", "239.1.2.3", 1472);
	f = packet_frame(&p);
	assert_int_equal(cut(&f, 1500), 1);
	assert_int_equal(frag_len[0], 1500);
	assert_int_equal(cut(&f, 1499), 2);
	assert_int_equal(frag_len[0], 1492); /* 1472 is the largest multiple of 8 */
	assert_int_equal(frag_len[1], 28);
	assert_int_equal(cut(&f, 28), 185);
}

static void r166_refusals(void **state)
{
	struct frame f;

	packet_v4(&p, "10.0.0.9", "239.1.2.3", 1000);
	f = packet_frame(&p);
	assert_int_equal(cut(&f, 27), -EMSGSIZE);
	assert_int_equal(cut(&f, 0), -EMSGSIZE);
	assert_int_equal(rewrite_fragment(&f, 500, out, 1067, frag_len, 9), -EMSGSIZE);
	assert_int_equal(rewrite_fragment(&f, 500, out, 1068, frag_len, 9), 3);
	assert_int_equal(rewrite_fragment(&f, 500, out, 1068, frag_len, 2), -EMSGSIZE);
	f.df = true;
	assert_int_equal(cut(&f, 500), -EMSGSIZE);
	packet_put16(&p, 6, 8180); /* would end beyond 64 KiB */
	packet_seal(&p);
	f = packet_frame(&p);
	assert_int_equal(cut(&f, 100), -EMSGSIZE);
	packet_v6(&p, "2001:db8::9", "ff0e::1", 1000);
	f = packet_frame(&p);
	assert_int_equal(cut(&f, 500), -EMSGSIZE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(r157_vectors),
		cmocka_unit_test(r157_random_headers),
		cmocka_unit_test(r154_ttl_falls_by_one),
		cmocka_unit_test(r182_partial_udp_checksum),
		cmocka_unit_test(r182_zero_becomes_all_ones),
		cmocka_unit_test(r182_partial_tcp_checksum),
		cmocka_unit_test(r182_partial_checksum_for_others),
		cmocka_unit_test(r182_unfixable),
		cmocka_unit_test(r171_link_header),
		cmocka_unit_test(r166_fragments_reassemble),
		cmocka_unit_test(r166_copied_options),
		cmocka_unit_test(r166_exact_sizes),
		cmocka_unit_test(r166_refusals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
