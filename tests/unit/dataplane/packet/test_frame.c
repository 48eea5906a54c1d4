/* SPDX-License-Identifier: GPL-2.0-or-later */

/* frame_parse(): the rows of the forwarder table that depend on one frame, every
 * truncation of a packet, and random damage. */

#include "dataplane/packet/frame.h"
#include "packet.h"

#define SRC4 "10.0.0.9"
#define GRP4 "239.1.2.3"
#define SRC6 "2001:db8::9"
#define GRP6 "ff0e::1:2:3"
#define MTU  1500

static struct packet p;

static enum verdict parse(const struct frame_meta *m, struct frame *f)
{
	return frame_parse(m, MTU, f);
}

static enum verdict verdict_of_p(void)
{
	struct frame_meta m = packet_meta(&p);
	struct frame f;

	return parse(&m, &f);
}

static void good(bool v6)
{
	if (v6)
		packet_v6(&p, SRC6, GRP6, 100);
	else
		packet_v4(&p, SRC4, GRP4, 100);
}

static void fields_of_a_good_frame(void **state)
{
	struct frame f;
	struct addr x;

	good(false);
	f = packet_frame(&p);
	assert_ptr_equal(f.ip, p.b);
	assert_int_equal(f.ip_len, 128);
	assert_int_equal(f.ip_hlen, 20);
	assert_int_equal(f.family, FAMILY_IPV4);
	assert_int_equal(f.ttl, 64);
	assert_int_equal(f.proto, 17);
	assert_int_equal(f.l4_off, 20);
	assert_false(f.fragment || f.df || f.csum_not_ready);
	assert_true(f.csum_valid);
	x = a(SRC4);
	assert_true(addr_eq(&f.src, &x));
	x = a(GRP4);
	assert_true(addr_eq(&f.group, &x));

	good(true);
	f = packet_frame(&p);
	assert_int_equal(f.ip_len, 148);
	assert_int_equal(f.ip_hlen, 40);
	assert_int_equal(f.family, FAMILY_IPV6);
	assert_int_equal(f.ttl, 64);
	assert_int_equal(f.l4_off, 40);
	assert_true(f.df && !f.fragment);
	x = a(SRC6);
	assert_true(addr_eq(&f.src, &x));
}

static void r158_version(void **state)
{
	for (int v6 = 0; v6 <= 1; v6++) {
		struct frame_meta m;
		struct frame f;

		good(v6);
		m = packet_meta(&p);
		m.ethertype = v6 ? 0x0800 : 0x86dd;
		assert_int_equal(parse(&m, &f), VERDICT_BAD_VERSION);
		m.ethertype = 0x0806;
		assert_int_equal(parse(&m, &f), VERDICT_BAD_VERSION);
		m.ethertype = v6 ? 0x86dd : 0x0800;
		p.b[0] = (uint8_t)(0x50 | (p.b[0] & 15));
		assert_int_equal(parse(&m, &f), VERDICT_BAD_VERSION);
	}
}

static void r158_header_length(void **state)
{
	for (unsigned ihl = 0; ihl < 5; ihl++) {
		good(false);
		p.b[0] = (uint8_t)(0x40 | ihl);
		assert_int_equal(verdict_of_p(), VERDICT_BAD_IHL);
	}
}

static void r158_total_length(void **state)
{
	static const unsigned bad[] = {0, 19, 129, 0xffff};

	for (size_t i = 0; i < array_len(bad); i++) {
		good(false);
		packet_put16(&p, 2, bad[i]);
		packet_seal(&p);
		assert_int_equal(verdict_of_p(), VERDICT_BAD_LENGTH);
	}
	good(false);
	p.b[0] = 0x4f; /* header of 60 bytes, packet of 40 */
	packet_put16(&p, 2, 40);
	assert_int_equal(verdict_of_p(), VERDICT_BAD_LENGTH);
}

static void r158_payload_length(void **state)
{
	static const unsigned bad[] = {0 /* jumbo */, 109, 0xffff};

	for (size_t i = 0; i < array_len(bad); i++) {
		good(true);
		packet_put16(&p, 4, bad[i]);
		assert_int_equal(verdict_of_p(), VERDICT_BAD_LENGTH);
	}
}

/* Every single-bit error in the header is found by some check. */
static void r158_checksum(void **state)
{
	for (unsigned bit = 0; bit < 160; bit++) {
		enum verdict v;

		good(false);
		p.b[bit / 8] ^= (uint8_t)(1u << bit % 8);
		v = verdict_of_p();
		if (bit >= 32) /* version, TOS and lengths are checked first */
			assert_int_equal(v, VERDICT_BAD_CHECKSUM);
		else
			assert_int_not_equal(v, VERDICT_FORWARDED);
	}
}

static void r158_padding_is_cut_off(void **state)
{
	for (int v6 = 0; v6 <= 1; v6++) {
		size_t len;

		good(v6);
		len = p.len;
		packet_fill(&p, len, 18);
		assert_int_equal(packet_frame(&p).ip_len, len);
	}
}

static void destinations(
	const char *src, const char *const *dst, size_t n, enum verdict want)
{
	for (size_t i = 0; i < n; i++) {
		if (strchr(dst[i], ':'))
			packet_v6(&p, src, dst[i], 10);
		else
			packet_v4(&p, src, dst[i], 10);
		assert_int_equal(verdict_of_p(), want);
	}
}

static void r159_local_network_control_block(void **state)
{
	static const char *const no[] = {
		"224.0.0.1", "224.0.0.5", "224.0.0.18", "224.0.0.251", "224.0.0.255"};
	static const char *const yes[] = {
		"224.0.1.0", "232.1.2.3", "239.255.255.250", "239.255.255.255"};

	destinations(SRC4, no, array_len(no), VERDICT_LINK_LOCAL_GROUP);
	destinations(SRC4, yes, array_len(yes), VERDICT_FORWARDED);
}

static void r160_ipv6_scopes(void **state)
{
	static const char *const no[] = {
		"ff00::1", "ff01::1", "ff02::fb", "ff12::1", "ff32::8000:1"};
	static const char *const yes[] = {"ff03::1", "ff04::1", "ff05::1", "ff08::1",
		"ff0e::1", "ff0f::1", "ff3e::8000:1"};

	destinations(SRC6, no, array_len(no), VERDICT_LINK_LOCAL_GROUP);
	destinations(SRC6, yes, array_len(yes), VERDICT_FORWARDED);
}

static void sources(
	const char *dst, const char *const *src, size_t n, enum verdict want)
{
	for (size_t i = 0; i < n; i++)
		destinations(src[i], &dst, 1, want);
}

static void r162_ipv4_sources(void **state)
{
	static const char *const no[] = {"0.0.0.0", "127.0.0.1", "224.1.1.1",
		"239.1.2.3", "240.0.0.1", "255.255.255.255"};

	sources(GRP4, no, array_len(no), VERDICT_MARTIAN_SOURCE);
}

static void r163_link_local_sources(void **state)
{
	static const char *const no4[] = {"169.254.0.1", "169.254.255.254"};
	static const char *const no6[] = {"fe80::1", "febf::1"};
	static const char *const yes4[] = {"169.253.0.1", "169.255.0.1"};

	sources(GRP4, no4, array_len(no4), VERDICT_MARTIAN_SOURCE);
	sources(GRP6, no6, array_len(no6), VERDICT_MARTIAN_SOURCE);
	sources(GRP4, yes4, array_len(yes4), VERDICT_FORWARDED);
}

static void r164_ipv6_sources(void **state)
{
	static const char *const no[] = {"::", "::1", "ff0e::1"};

	sources(GRP6, no, array_len(no), VERDICT_MARTIAN_SOURCE);
	/* an IPv4 address in an IPv6 header must not change the family */
	good(true);
	memcpy(p.b + 8, a("10.0.0.9").b, 16);
	assert_int_equal(verdict_of_p(), VERDICT_MARTIAN_SOURCE);
	good(true);
	memcpy(p.b + 24, a("239.1.2.3").b, 16);
	assert_int_equal(verdict_of_p(), VERDICT_NOT_MULTICAST);
}

static void r168_fragments_pass(void **state)
{
	static const struct {
		unsigned field;
		bool fragment, df;
		unsigned l4_off;
	} c[] = {
		{0x0000, false, false, 20}, {0x4000, false, true, 20},
		{0x2000, true, false, 20}, {0x2010, true, false, 0},
		{0x0010, true, false, 0}, {0x8000, false, false, 20}, /* reserved bit */
	};

	for (size_t i = 0; i < array_len(c); i++) {
		struct frame f;

		good(false);
		packet_put16(&p, 6, c[i].field);
		packet_seal(&p);
		f = packet_frame(&p);
		assert_int_equal(f.fragment, c[i].fragment);
		assert_int_equal(f.df, c[i].df);
		assert_int_equal(f.l4_off, c[i].l4_off);
	}
}

static void r168_ipv6_fragments_pass(void **state)
{
	uint8_t ext[8] = {17, 0, 0, 1, 0, 0, 0, 9};
	struct frame f;

	packet_v6_ext(&p, SRC6, GRP6, 44, ext, 8, 16);
	f = packet_frame(&p);
	assert_true(f.fragment);
	assert_int_equal(f.proto, 17);
	assert_int_equal(f.l4_off, 48);

	ext[3] = 0x08; /* the last fragment */
	packet_v6_ext(&p, SRC6, GRP6, 44, ext, 8, 16);
	f = packet_frame(&p);
	assert_true(f.fragment);
	assert_int_equal(f.proto, 17);
	assert_int_equal(f.l4_off, 0);
}

static void r169_broadcast_and_unicast(void **state)
{
	static const char *const no[] = {"255.255.255.255", "10.0.0.255", "192.0.2.1",
		"223.255.255.255", "240.0.0.1", "0.0.0.0"};
	static const char *const no6[] = {"2001:db8::1", "fe80::1", "::", "fe00::1"};

	destinations(SRC4, no, array_len(no), VERDICT_NOT_MULTICAST);
	destinations(SRC6, no6, array_len(no6), VERDICT_NOT_MULTICAST);
}

static void r170_options(void **state)
{
	static const struct {
		uint8_t opt[12];
		size_t len;
		enum verdict want;
	} c[] = {
		{{1, 1, 1, 0}, 4, VERDICT_FORWARDED},			 /* NOP, END */
		{{7, 7, 4, 0, 0, 0, 0, 0}, 8, VERDICT_FORWARDED},	 /* RR */
		{{148, 4, 0, 0}, 4, VERDICT_FORWARDED},			 /* RA */
		{{131, 7, 4, 10, 0, 0, 1, 0}, 8, VERDICT_SOURCE_ROUTE},	 /* LSRR */
		{{137, 7, 4, 10, 0, 0, 1, 0}, 8, VERDICT_SOURCE_ROUTE},	 /* SSRR */
		{{1, 148, 4, 0, 0, 131, 3, 4}, 8, VERDICT_SOURCE_ROUTE}, /* after RA */
		{{0, 131, 3, 4}, 4, VERDICT_FORWARDED},			 /* after END */
		{{7, 1, 0, 0}, 4, VERDICT_BAD_LENGTH},			 /* length 1 */
		{{7, 0, 0, 0}, 4, VERDICT_BAD_LENGTH},			 /* length 0 */
		{{7, 5, 4, 0}, 4, VERDICT_BAD_LENGTH},			 /* too long */
		{{1, 1, 1, 7}, 4, VERDICT_BAD_LENGTH},			 /* no length */
	};

	for (size_t i = 0; i < array_len(c); i++) {
		packet_v4_opt(&p, SRC4, GRP4, c[i].opt, c[i].len, 20);
		assert_int_equal(verdict_of_p(), c[i].want);
		if (c[i].want == VERDICT_FORWARDED)
			assert_int_equal(packet_frame(&p).l4_off, 20 + c[i].len);
	}
}

static void r173_link_layer_type(void **state)
{
	static const struct {
		uint8_t type;
		enum verdict want;
	} c[] = {
		{PACKET_HOST, VERDICT_FORWARDED},
		{PACKET_BROADCAST, VERDICT_FORWARDED},
		{PACKET_MULTICAST, VERDICT_FORWARDED},
		{PACKET_OTHERHOST, VERDICT_OTHERHOST},
	};

	for (size_t i = 0; i < array_len(c); i++) {
		struct frame_meta m;
		struct frame f;

		good(false);
		m = packet_meta(&p);
		m.pkttype = c[i].type;
		assert_int_equal(parse(&m, &f), c[i].want);
	}
}

static void r175_control_ipv4(void **state)
{
	static const uint8_t protos[] = {2, 103};

	for (size_t i = 0; i < array_len(protos); i++) {
		good(false);
		p.b[9] = protos[i];
		packet_put16(&p, 6, 0x2010); /* also as a fragment */
		packet_seal(&p);
		assert_int_equal(verdict_of_p(), VERDICT_CONTROL);
		packet_put16(&p, 6, 0);
		packet_seal(&p);
		assert_int_equal(verdict_of_p(), VERDICT_CONTROL);
	}
}

static void r175_control_ipv6(void **state)
{
	static const uint8_t mld[] = {130, 131, 132, 143, 151, 152, 153};
	static const uint8_t other[] = {1, 128, 129, 133, 142, 144};
	static const uint8_t ra[8] = {58, 0, 5, 2, 0, 0, 1, 0};
	static const uint8_t first[8] = {58, 0, 0, 1, 0, 0, 0, 1};

	for (size_t i = 0; i < array_len(mld); i++) {
		packet_v6_ext(&p, SRC6, GRP6, 58, NULL, 0, 16);
		p.b[40] = mld[i];
		assert_int_equal(verdict_of_p(), VERDICT_CONTROL);
		packet_v6_ext(&p, SRC6, GRP6, 0, ra, 8, 16);
		p.b[48] = mld[i];
		assert_int_equal(verdict_of_p(), VERDICT_CONTROL);
		packet_v6_ext(&p, SRC6, GRP6, 44, first, 8, 16);
		p.b[48] = mld[i];
		assert_int_equal(verdict_of_p(), VERDICT_CONTROL);
	}
	for (size_t i = 0; i < array_len(other); i++) {
		packet_v6_ext(&p, SRC6, GRP6, 58, NULL, 0, 16);
		p.b[40] = other[i];
		assert_int_equal(verdict_of_p(), VERDICT_FORWARDED);
	}
	packet_v6_ext(&p, SRC6, GRP6, 103, NULL, 0, 16);
	assert_int_equal(verdict_of_p(), VERDICT_CONTROL);
}

static void extension_headers(void **state)
{
	static const struct {
		const char *what;
		uint8_t first;
		uint8_t ext[80];
		size_t len;
		enum verdict want;
		unsigned proto;
	} c[] = {
		{"hop-by-hop", 0, {17, 0, 1, 4}, 8, VERDICT_FORWARDED, 17},
		{"two options headers", 60, {60, 0, 1, 4, 0, 0, 0, 0, 17, 1}, 24,
			VERDICT_FORWARDED, 17},
		{"segment routing", 43, {17, 0, 4, 0}, 8, VERDICT_FORWARDED, 17},
		{"routing type 0", 43, {17, 0, 0, 1}, 8, VERDICT_SOURCE_ROUTE, 0},
		{"authentication", 51, {17, 1}, 12, VERDICT_FORWARDED, 17},
		{"no next header", 0, {59}, 8, VERDICT_FORWARDED, 59},
		{"length beyond the packet", 0, {17, 200}, 8, VERDICT_BAD_LENGTH, 0},
		{"nine in a row", 60,
			{60, 0, 0, 0, 0, 0, 0, 0, 60, 0, 0, 0, 0, 0, 0, 0, 60, 0, 0, 0,
				0, 0, 0, 0, 60, 0, 0, 0, 0, 0, 0, 0, 60, 0, 0, 0, 0, 0,
				0, 0, 60, 0, 0, 0, 0, 0, 0, 0, 60, 0, 0, 0, 0, 0, 0, 0,
				60, 0, 0, 0, 0, 0, 0, 0, 17},
			72, VERDICT_BAD_LENGTH, 0},
	};

	for (size_t i = 0; i < array_len(c); i++) {
		packet_v6_ext(&p, SRC6, GRP6, c[i].first, c[i].ext, c[i].len, 30);
		if (verdict_of_p() != c[i].want)
			fail_msg("%s: %s", c[i].what, verdict_name(verdict_of_p()));
		if (c[i].want != VERDICT_FORWARDED)
			continue;
		assert_int_equal(packet_frame(&p).proto, c[i].proto);
		assert_int_equal(packet_frame(&p).l4_off, 40 + c[i].len);
	}
}

static void r180_own_transmissions(void **state)
{
	static const uint8_t types[] = {PACKET_OUTGOING, PACKET_LOOPBACK};

	for (size_t i = 0; i < array_len(types); i++) {
		struct frame_meta m;
		struct frame f;

		good(false);
		m = packet_meta(&p);
		m.pkttype = types[i];
		assert_int_equal(parse(&m, &f), VERDICT_OWN_MAC);
	}
}

static void r181_vlan_tag(void **state)
{
	struct frame_meta m;
	struct frame f;

	good(false);
	m = packet_meta(&p);
	m.vlan_tci = 2;
	assert_int_equal(parse(&m, &f), VERDICT_FORWARDED); /* no tag is present */
	m.vlan_valid = true;
	assert_int_equal(parse(&m, &f), VERDICT_VLAN_MISMATCH);
	m.vlan_tci = 0xe000; /* priority tag */
	assert_int_equal(parse(&m, &f), VERDICT_FORWARDED);
	m.vlan_tci = 0xe002;
	assert_int_equal(parse(&m, &f), VERDICT_VLAN_MISMATCH);
}

static void r183_super_frame(void **state)
{
	packet_v4(&p, SRC4, GRP4, MTU - 28);
	assert_int_equal(verdict_of_p(), VERDICT_FORWARDED);
	packet_v4(&p, SRC4, GRP4, MTU - 27);
	assert_int_equal(verdict_of_p(), VERDICT_SUPERFRAME);
	packet_v6(&p, SRC6, GRP6, MTU - 47);
	assert_int_equal(verdict_of_p(), VERDICT_SUPERFRAME);
	packet_v4(&p, SRC4, GRP4, 65535 - 28);
	assert_int_equal(verdict_of_p(), VERDICT_SUPERFRAME);
}

static enum verdict verdict_of_segments(uint16_t size, struct frame *f)
{
	struct frame_meta m = packet_meta(&p);

	m.gso_udp = true;
	m.gso_size = size;
	*f = (struct frame){0};
	return parse(&m, f);
}

static void r183_super_frame_of_datagrams(void **state)
{
	struct frame f;

	for (int v6 = 0; v6 <= 1; v6++) {
		const uint16_t fits = v6 ? MTU - 48 : MTU - 28;

		v6 ? packet_v6(&p, SRC6, GRP6, 40000)
		   : packet_v4(&p, SRC4, GRP4, 40000);
		assert_int_equal(verdict_of_segments(fits, &f), VERDICT_FORWARDED);
		assert_int_equal(f.gso_size, fits);
		assert_int_equal(f.ip_len, p.len);
		assert_true(f.csum_not_ready && !f.csum_valid);
		assert_int_equal(verdict_of_segments(1, &f), VERDICT_FORWARDED);
		assert_int_equal(f.gso_size, 1);
		assert_int_equal(verdict_of_segments(fits + 1, &f), VERDICT_SUPERFRAME);
		assert_int_equal(verdict_of_segments(39999, &f), VERDICT_SUPERFRAME);
	}
	/* shorter than the MTU, but several datagrams */
	packet_v4(&p, SRC4, GRP4, 1000);
	assert_int_equal(verdict_of_segments(999, &f), VERDICT_FORWARDED);
	assert_int_equal(f.gso_size, 999);
	/* a single segment is an ordinary frame */
	for (uint16_t size = 1000; size <= 1001; size++) {
		assert_int_equal(verdict_of_segments(size, &f), VERDICT_FORWARDED);
		assert_int_equal(f.gso_size, 0);
		assert_true(f.csum_valid && !f.csum_not_ready);
	}
	/* a length of 0 is refused, for several segments and for one */
	packet_put16(&p, 2, 0);
	packet_seal(&p);
	assert_int_equal(verdict_of_segments(999, &f), VERDICT_SUPERFRAME);
	assert_int_equal(verdict_of_segments(1000, &f), VERDICT_SUPERFRAME);
	packet_v6(&p, SRC6, GRP6, 1000);
	packet_put16(&p, 4, 0);
	assert_int_equal(verdict_of_segments(999, &f), VERDICT_SUPERFRAME);
	assert_int_equal(verdict_of_segments(1000, &f), VERDICT_SUPERFRAME);
}

static void r183_super_frame_of_something_else(void **state)
{
	static const uint8_t fragment[] = {17, 0, 0, 1, 0, 0, 0, 9};
	struct frame_meta m;
	struct frame f;

	packet_v4(&p, SRC4, GRP4, 1000);
	m = packet_meta(&p);
	m.gso_size = 500;
	assert_int_equal(parse(&m, &f), VERDICT_SUPERFRAME); /* TCP by vnet header */
	p.b[9] = 6;					     /* TCP by the packet */
	packet_seal(&p);
	assert_int_equal(verdict_of_segments(500, &f), VERDICT_SUPERFRAME);
	packet_v4(&p, SRC4, GRP4, 1000);
	packet_put16(&p, 6, 0x2000); /* more fragments follow */
	packet_seal(&p);
	assert_int_equal(verdict_of_segments(500, &f), VERDICT_SUPERFRAME);
	packet_put16(&p, 6, 0x0001); /* a later fragment */
	packet_seal(&p);
	assert_int_equal(verdict_of_segments(500, &f), VERDICT_SUPERFRAME);
	packet_v6_ext(&p, SRC6, GRP6, 44, fragment, 8, 1000);
	assert_int_equal(verdict_of_segments(500, &f), VERDICT_SUPERFRAME);
}

static void r183_super_frame_with_wrong_lengths(void **state)
{
	struct frame f;

	for (int off = -1; off <= 1; off += 2) {
		packet_v4(&p, SRC4, GRP4, 1000);
		packet_put16(&p, 24, (unsigned)(1008 + off));
		assert_int_equal(verdict_of_segments(500, &f), VERDICT_SUPERFRAME);
	}
	/* no payload, or an incomplete header */
	packet_v4(&p, SRC4, GRP4, 0);
	assert_int_equal(verdict_of_segments(500, &f), VERDICT_SUPERFRAME);
	packet_put16(&p, 2, 24);
	packet_seal(&p);
	assert_int_equal(verdict_of_segments(500, &f), VERDICT_SUPERFRAME);
	/* lengths that do not fit into the fields are written as 0 */
	packet_v4(&p, SRC4, GRP4, 65500);
	packet_put16(&p, 2, 0);
	packet_put16(&p, 24, 0);
	packet_seal(&p);
	assert_int_equal(verdict_of_segments(500, &f), VERDICT_SUPERFRAME);
	packet_v6(&p, SRC6, GRP6, 65500);
	packet_put16(&p, 4, 0);
	packet_put16(&p, 44, 0);
	assert_int_equal(verdict_of_segments(500, &f), VERDICT_SUPERFRAME);
}

static void r184_cut_by_the_ring(void **state)
{
	struct frame_meta m;
	struct frame f;

	good(false);
	m = packet_meta(&p);
	m.l3_len++;
	assert_int_equal(parse(&m, &f), VERDICT_TRUNCATED);
}

/* Faults are removed one by one, and each time the next verdict appears. */
static void checks_run_in_the_order_of_the_enum(void **state)
{
	static const uint8_t lsrr[] = {131, 3, 4, 0};
	struct frame_meta m;
	struct frame f;

	packet_v4_opt(&p, "127.0.0.1", "192.0.2.1", lsrr, 4, MTU);
	m = packet_meta(&p);
	p.b[0] = 0x54;
	packet_put16(&p, 2, 5);
	p.b[9] = 2;
	m.l3_len++;
	m.pkttype = PACKET_OTHERHOST;
	m.vlan_valid = true;
	m.vlan_tci = 7;
	m.ethertype = 0x0800;

	assert_int_equal(parse(&m, &f), VERDICT_TRUNCATED);
	m.l3_len--;
	assert_int_equal(parse(&m, &f), VERDICT_OTHERHOST);
	m.pkttype = PACKET_OUTGOING;
	assert_int_equal(parse(&m, &f), VERDICT_OWN_MAC);
	m.pkttype = PACKET_MULTICAST;
	assert_int_equal(parse(&m, &f), VERDICT_VLAN_MISMATCH);
	m.vlan_valid = false;
	assert_int_equal(parse(&m, &f), VERDICT_BAD_VERSION);
	p.b[0] = 0x44;
	assert_int_equal(parse(&m, &f), VERDICT_BAD_IHL);
	p.b[0] = 0x46;
	assert_int_equal(parse(&m, &f), VERDICT_BAD_LENGTH);
	packet_put16(&p, 2, (unsigned)p.len);
	assert_int_equal(parse(&m, &f), VERDICT_BAD_CHECKSUM);
	packet_seal(&p);
	assert_int_equal(parse(&m, &f), VERDICT_NOT_MULTICAST);
	memcpy(p.b + 16, "\xe0\x00\x00\x01", 4);
	packet_seal(&p);
	assert_int_equal(parse(&m, &f), VERDICT_LINK_LOCAL_GROUP);
	p.b[18] = 1;
	packet_seal(&p);
	assert_int_equal(parse(&m, &f), VERDICT_CONTROL);
	p.b[9] = 17;
	packet_seal(&p);
	assert_int_equal(parse(&m, &f), VERDICT_MARTIAN_SOURCE);
	p.b[12] = 10;
	packet_seal(&p);
	assert_int_equal(parse(&m, &f), VERDICT_SOURCE_ROUTE);
	p.b[20] = 7;
	packet_seal(&p);
	assert_int_equal(parse(&m, &f), VERDICT_SUPERFRAME);
}

/* The packet is in a heap block of exactly its size, so that the sanitizer finds reads
 * past the captured length. */
static enum verdict parse_exact(
	const uint8_t *bytes, size_t len, uint16_t ethertype, struct frame *f)
{
	_cleanup_(freep) uint8_t *copy = malloc(len ? len : 1);
	struct frame_meta m = {
		.l3 = copy + (len ? 0 : 1),
		.l3_caplen = (uint32_t)len,
		.l3_len = (uint32_t)len,
		.ethertype = ethertype,
		.pkttype = PACKET_MULTICAST,
	};

	assert_non_null(copy);
	memcpy(m.l3, bytes, len);
	return parse(&m, f);
}

static void corpus(unsigned i)
{
	static const uint8_t opt[] = {148, 4, 0, 0, 7, 7, 4, 0, 0, 0, 0, 0};
	static const uint8_t ext[] = {60, 0, 1, 4, 0, 0, 0, 0, 44, 1, 0, 0, 0, 0, 0, 0,
		0, 0, 0, 0, 0, 0, 0, 0, 58, 0, 0, 1, 0, 0, 0, 1};

	switch (i) {
	case 0:
		packet_v4(&p, SRC4, GRP4, 40);
		break;
	case 1:
		packet_v4_opt(&p, SRC4, GRP4, opt, sizeof(opt), 10);
		break;
	case 2:
		packet_v6(&p, SRC6, GRP6, 40);
		break;
	case 3:
		packet_v6_ext(&p, SRC6, GRP6, 0, ext, sizeof(ext), 16);
		break;
	}
}

#define N_CORPUS 4

static void truncation_at_every_length(void **state)
{
	for (unsigned i = 0; i < N_CORPUS; i++) {
		corpus(i);
		for (size_t len = 0; len < p.len; len++) {
			struct frame_meta m = packet_meta(&p);
			struct frame f;
			enum verdict v;

			v = parse_exact(p.b, len, m.ethertype, &f);
			assert_int_equal(v, VERDICT_BAD_LENGTH);
			m.l3_caplen = (uint32_t)len;
			assert_int_equal(parse(&m, &f), VERDICT_TRUNCATED);
		}
	}
}

/* The inner lengths shrink with the packet, so that parsing headers reaches its end. */
static void truncation_with_fitting_length(void **state)
{
	for (unsigned i = 0; i < N_CORPUS; i++) {
		size_t min;

		corpus(i);
		min = p.b[0] >> 4 == 6 ? 41 : (p.b[0] & 15u) * 4;
		for (size_t len = p.len; len >= min; len--) {
			struct frame f;

			if (min == 41)
				packet_put16(&p, 4, (unsigned)(len - 40));
			else
				packet_put16(&p, 2, (unsigned)len);
			if (min != 41)
				packet_seal(&p);
			if (parse_exact(p.b, len, min == 41 ? 0x86dd : 0x0800, &f) ==
				VERDICT_FORWARDED) {
				assert_int_equal(f.ip_len, len);
				assert_in_range(f.l4_off, 0, len);
			} else {
				assert_int_equal(min, 41);
			}
		}
	}
}

static void random_mutations(void **state)
{
	struct rng rng;
	unsigned n_forwarded = 0;

	print_message("seed 1\n");
	rng_seed(&rng, 1);
	for (int round = 0; round < 200000; round++) {
		uint16_t type;
		size_t len;
		struct frame f;

		corpus((unsigned)rng_below(&rng, N_CORPUS));
		type = packet_meta(&p).ethertype;
		len = rng_below(&rng, 4) ? p.len : rng_below(&rng, p.len + 1);
		for (uint64_t n = rng_below(&rng, 4); n > 0; n--)
			p.b[rng_below(&rng, p.len)] = (uint8_t)rng_next(&rng);
		if (type == 0x0800 && rng_below(&rng, 4) && (p.b[0] & 15) >= 5)
			packet_seal(&p);
		if (parse_exact(p.b, len, type, &f) != VERDICT_FORWARDED)
			continue;
		n_forwarded++;
		assert_in_range(f.ip_len, f.ip_hlen, len);
		assert_in_range(f.l4_off, 0, f.ip_len);
		assert_true(addr_is_multicast(&f.group));
		assert_false(addr_is_local_group(&f.group));
		assert_true(addr_is_usable_source(&f.src));
		assert_int_equal(addr_family(&f.src), f.family);
		assert_int_equal(addr_family(&f.group), f.family);
	}
	assert_in_range(n_forwarded, 10000, 190000);
}

static void every_verdict_has_a_name(void **state)
{
	for (unsigned v = 0; v < _VERDICT_N; v++) {
		assert_true(*verdict_name(v));
		for (unsigned w = 0; w < v; w++)
			assert_string_not_equal(verdict_name(v), verdict_name(w));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields_of_a_good_frame),
		cmocka_unit_test(r158_version),
		cmocka_unit_test(r158_header_length),
		cmocka_unit_test(r158_total_length),
		cmocka_unit_test(r158_payload_length),
		cmocka_unit_test(r158_checksum),
		cmocka_unit_test(r158_padding_is_cut_off),
		cmocka_unit_test(r159_local_network_control_block),
		cmocka_unit_test(r160_ipv6_scopes),
		cmocka_unit_test(r162_ipv4_sources),
		cmocka_unit_test(r163_link_local_sources),
		cmocka_unit_test(r164_ipv6_sources),
		cmocka_unit_test(r168_fragments_pass),
		cmocka_unit_test(r168_ipv6_fragments_pass),
		cmocka_unit_test(r169_broadcast_and_unicast),
		cmocka_unit_test(r170_options),
		cmocka_unit_test(r173_link_layer_type),
		cmocka_unit_test(r175_control_ipv4),
		cmocka_unit_test(r175_control_ipv6),
		cmocka_unit_test(extension_headers),
		cmocka_unit_test(r180_own_transmissions),
		cmocka_unit_test(r181_vlan_tag),
		cmocka_unit_test(r183_super_frame),
		cmocka_unit_test(r183_super_frame_of_datagrams),
		cmocka_unit_test(r183_super_frame_of_something_else),
		cmocka_unit_test(r183_super_frame_with_wrong_lengths),
		cmocka_unit_test(r184_cut_by_the_ring),
		cmocka_unit_test(checks_run_in_the_order_of_the_enum),
		cmocka_unit_test(truncation_at_every_length),
		cmocka_unit_test(truncation_with_fitting_length),
		cmocka_unit_test(random_mutations),
		cmocka_unit_test(every_verdict_has_a_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
