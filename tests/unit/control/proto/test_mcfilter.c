/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The kernel filters for membership messages, run by libpcap's interpreter over whole
 * frames: which frames pass, and which hosts are sampled.
 */

#include "control/proto/mcfilter.h"

#include "test.h"

#include <linux/if_packet.h>
#include <pcap/pcap.h>
#include <string.h>

#define ETH 14

static const uint8_t mac_a[6] = {2, 0, 0, 0, 0, 1}, mac_b[6] = {2, 0, 0, 0, 0, 2};

/* a frame as the socket gets it */
struct frame {
	uint8_t type; /* PACKET_HOST ... */
	uint8_t vlan; /* 0 means no tag, or a priority tag */
	uint8_t byte[128], len;
};

static struct frame frame4(uint8_t protocol, const uint8_t mac[6], const char *from)
{
	struct frame f = {.type = PACKET_MULTICAST, .len = ETH + 32};
	struct addr src = a(from);

	memcpy(f.byte + 6, mac, 6);
	f.byte[ETH] = 0x46;
	f.byte[ETH + 9] = protocol;
	memcpy(f.byte + ETH + 12, src.b + 12, 4);
	return f;
}

/* next_header is the one of the fixed header. If `units` is not 0, an extension header
 * of `units` times 8 bytes follows, whose next header is `then`. */
static struct frame frame6(uint8_t next_header, uint8_t then, uint8_t units,
	uint8_t icmp_type, const uint8_t mac[6], const char *from)
{
	struct frame f = {.type = PACKET_MULTICAST, .len = ETH + 40 + 32};
	struct addr src = a(from);

	memcpy(f.byte + 6, mac, 6);
	f.byte[ETH] = 0x60;
	f.byte[ETH + 6] = next_header;
	memcpy(f.byte + ETH + 8, src.b, 16);
	if (units) {
		f.byte[ETH + 40] = then;
		f.byte[ETH + 41] = units - 1;
	}
	f.byte[ETH + 40 + 8 * units] = icmp_type;
	return f;
}

/*
 * The kernel's special offsets become real ones: the link header, which comes before
 * the packet here, and the type of the packet and the random number, which follow it as
 * four bytes each.
 */
static bool hears_by_chance(
	const struct mcfilter *filter, struct frame f, uint32_t random)
{
	struct sock_filter code[MCFILTER_MAX];
	struct bpf_insn insn[MCFILTER_MAX];
	size_t n = mcfilter_program(filter, code);

	assert_true(n > 0 && n <= MCFILTER_MAX);
	for (size_t i = 0; i < n; i++) {
		insn[i] = (struct bpf_insn){
			code[i].code, code[i].jt, code[i].jf, code[i].k};
		if (code[i].code == (BPF_LDX | BPF_B | BPF_MSH))
			insn[i].k += ETH;
		if (BPF_CLASS(code[i].code) != BPF_LD ||
			BPF_MODE(code[i].code) == BPF_IMM)
			continue;
		if (insn[i].k == (uint32_t)(SKF_AD_OFF + SKF_AD_PKTTYPE))
			insn[i].k = f.len;
		else if (insn[i].k == (uint32_t)(SKF_AD_OFF + SKF_AD_RANDOM))
			insn[i].k = f.len + 4u;
		else if (insn[i].k == (uint32_t)(SKF_AD_OFF + SKF_AD_PROTOCOL))
			insn[i].k = f.len + 8u;
		else if (insn[i].k == (uint32_t)(SKF_AD_OFF + SKF_AD_VLAN_TAG))
			insn[i].k = f.len + 12u;
		else if (insn[i].k >= (uint32_t)SKF_LL_OFF)
			insn[i].k -= (uint32_t)SKF_LL_OFF;
		else
			insn[i].k += ETH;
	}
	assert_true(bpf_validate(insn, (int)n));
	assert_true(f.len + 16u <= sizeof(f.byte));
	memcpy(f.byte + f.len,
		(uint8_t[16]){0, 0, 0, f.type, (uint8_t)(random >> 24),
			(uint8_t)(random >> 16), (uint8_t)(random >> 8),
			(uint8_t)random, 0, 0, f.byte[ETH] >> 4 == 4 ? 0x08 : 0x86,
			f.byte[ETH] >> 4 == 4 ? 0x00 : 0xdd, 0, 0, 0xe0, f.vlan},
		16);
	return bpf_filter(insn, f.byte, f.len + 16u, f.len + 16u) != 0;
}

/* Heard with every random number. A sampled host is not. */
static bool hears(const struct mcfilter *filter, struct frame f)
{
	return hears_by_chance(filter, f, UINT32_MAX);
}

/* ---- what is a membership message ---- */

static void igmp_only(void **state)
{
	struct mcfilter f = {.family = FAMILY_IPV4};
	struct frame own = frame4(2, mac_a, "192.0.2.1");

	assert_true(hears(&f, frame4(2, mac_a, "192.0.2.1")));
	assert_false(hears(&f, frame4(17, mac_a, "192.0.2.1")));
	assert_false(hears(&f, frame4(1, mac_a, "192.0.2.1")));
	own.type = PACKET_OUTGOING;
	assert_false(hears(&f, own));
	own.type = PACKET_OTHERHOST;
	assert_false(hears(&f, own));
	own.type = PACKET_HOST; /* a query by unicast */
	assert_true(hears(&f, own));
}

enum { HOP = 0, TCP = 6, ROUTING = 43, FRAGMENT = 44, AH = 51, ICMP6 = 58, DEST = 60 };

static void mld_only(void **state)
{
	/* Messages that the decoder refuses by name (R021: no Router Alert; a chain of
	 * headers) pass the filter, so that they are counted. Neighbour discovery does
	 * not. */
	static const struct {
		const char *what;
		uint8_t next, then, units, type;
		bool heard;
	} rows[] = {
		{"query", HOP, ICMP6, 1, 130, true},
		{"report of version 1", HOP, ICMP6, 1, 131, true},
		{"done", HOP, ICMP6, 1, 132, true},
		{"report of version 2", HOP, ICMP6, 1, 143, true},
		{"redirect behind options", HOP, ICMP6, 1, 137, false},
		{"echo behind options", HOP, ICMP6, 1, 129, false},
		{"above the reports", HOP, ICMP6, 1, 144, false},
		{"below the redirect", HOP, ICMP6, 1, 133, false},
		{"query behind long options", HOP, ICMP6, 2, 130, true},
		{"solicitation behind long options", HOP, ICMP6, 2, 135, false},
		{"query without options", ICMP6, 0, 0, 130, true},
		{"solicitation", ICMP6, 0, 0, 135, false},
		{"more headers", HOP, DEST, 1, 0, true},
		{"routing header", HOP, ROUTING, 1, 0, true},
		{"fragment", HOP, FRAGMENT, 1, 0, true},
		{"authenticated", HOP, AH, 1, 0, true},
		{"TCP behind options", HOP, TCP, 1, 130, false},
		{"TCP", TCP, 0, 0, 130, false},
	};
	struct mcfilter f = {.family = FAMILY_IPV6};

	for (size_t i = 0; i < array_len(rows); i++) {
		struct frame in = frame6(rows[i].next, rows[i].then, rows[i].units,
			rows[i].type, mac_a, "fe80::1");

		if (hears(&f, in) != rows[i].heard)
			fail_msg("%s: heard or not, wrongly", rows[i].what);
		in.type = PACKET_OUTGOING;
		assert_false(hears(&f, in));
	}
}

/* ---- which hosts are sampled ---- */

static struct admission_host host_of(const uint8_t mac[6], const char *ip)
{
	struct admission_host h = {.from = a(ip), .has_mac = mac != NULL};

	if (mac)
		memcpy(h.mac.byte, mac, sizeof(h.mac.byte));
	return h;
}

static struct frame report6(const uint8_t mac[6], const char *from)
{
	return frame6(HOP, ICMP6, 1, 143, mac, from);
}

/* F4: hosts that share only the MAC or only the IP address are not sampled. */
static void f4_both_addresses_count(void **state)
{
	struct mcfilter f = {.family = FAMILY_IPV4}, f6 = {.family = FAMILY_IPV6};
	struct admission_host who = host_of(mac_a, "192.0.2.1"),
			      who6 = host_of(mac_a, "fe80::1:2:3:4");
	static const uint8_t other_head[6] = {4, 0, 0, 0, 0, 1};

	mcfilter_sample(&f, mono_from_ms(0), &who);
	mcfilter_sample(&f6, mono_from_ms(0), &who6);
	assert_false(hears(&f, frame4(2, mac_a, "192.0.2.1")));
	assert_false(hears(&f6, report6(mac_a, "fe80::1:2:3:4")));
	/* the first and last byte of the MAC, and each part of the IP address */
	assert_true(hears(&f, frame4(2, mac_b, "192.0.2.1")));
	assert_true(hears(&f, frame4(2, other_head, "192.0.2.1")));
	assert_true(hears(&f, frame4(2, mac_a, "192.0.2.2")));
	assert_true(hears(&f, frame4(2, mac_a, "193.0.2.1")));
	assert_true(hears(&f6, report6(mac_b, "fe80::1:2:3:4")));
	assert_true(hears(&f6, report6(mac_a, "fe80::1:2:3:5")));
	assert_true(hears(&f6, report6(mac_a, "fe80::1:9:3:4")));
	assert_true(hears(&f6, report6(mac_a, "fe80:0:0:1:1:2:3:4")));
	assert_true(hears(&f6, report6(mac_a, "fe81::1:2:3:4")));
	assert_false(hears(&f6, frame6(HOP, ICMP6, 1, 135, mac_a, "fe80::1:2:3:5")));
}

static void without_link_address_by_that_of_ip(void **state)
{
	struct mcfilter f = {.family = FAMILY_IPV4}, f6 = {.family = FAMILY_IPV6};
	struct admission_host who = host_of(NULL, "192.0.2.1"),
			      who6 = host_of(NULL, "2001:db8:1:2:3:4:5:6");

	mcfilter_sample(&f, mono_from_ms(0), &who);
	mcfilter_sample(&f6, mono_from_ms(0), &who6);
	assert_false(hears(&f, frame4(2, mac_a, "192.0.2.1")));
	assert_true(hears(&f, frame4(2, mac_a, "192.0.2.9")));
	assert_false(hears(&f6, report6(mac_b, "2001:db8:1:2:3:4:5:6")));
	assert_true(hears(&f6, report6(mac_b, "2001:db8:1:2:3:4:5:9")));
}

/* F4: sampled messages pass by chance, half as many each time that this is still too
 * much. Sampling again does not prolong it. */
static void f4_a_part_is_let_through(void **state)
{
	struct mcfilter f = {.family = FAMILY_IPV4};
	struct admission_host who = host_of(mac_a, "192.0.2.1");
	struct frame frame = frame4(2, mac_a, "192.0.2.1"), udp = frame;

	for (unsigned part = 2; part <= 8; part *= 2) {
		unsigned heard = 0;

		mcfilter_sample(&f, mono_from_ms(part), &who);
		for (uint32_t i = 0; i < 1000; i++)
			heard += hears_by_chance(&f, frame, i * (UINT32_MAX / 1000));
		assert_in_range(heard, 1000 / part - 1, 1000 / part + 1);
		assert_int_equal(mcfilter_deadline(&f).ns, mono_from_ms(1002).ns);
	}
	/* only membership messages pass */
	udp.byte[ETH + 9] = 17;
	assert_false(hears_by_chance(&f, udp, 0));
	udp = frame;
	udp.type = PACKET_OUTGOING;
	assert_false(hears_by_chance(&f, udp, 0));
}

/* Sampling lasts a second, and twice as long each time that it is soon needed again. */
static void r082_it_is_short(void **state)
{
	struct mcfilter f = {.family = FAMILY_IPV4};
	struct admission_host who = host_of(mac_a, "192.0.2.1");
	struct frame frame = frame4(2, mac_a, "192.0.2.1");
	int64_t now = 1000;

	assert_int_equal(mcfilter_deadline(&f).ns, MONO_NEVER.ns);
	assert_false(mcfilter_expire(&f, mono_from_ms(1)));
	for (int64_t s = 1; s <= 16; s *= 2) {
		int64_t until = now + (s < 8 ? s : 8) * 1000;

		mcfilter_sample(&f, mono_from_ms(now), &who);
		assert_int_equal(mcfilter_deadline(&f).ns, mono_from_ms(until).ns);
		assert_false(mcfilter_expire(&f, mono_from_ms(until - 1)));
		assert_false(hears(&f, frame));
		assert_true(mcfilter_expire(&f, mono_from_ms(until)));
		assert_true(hears(&f, frame));
		now = until + 9999;
	}
	/* short again after the host was forgotten */
	assert_int_equal(mcfilter_deadline(&f).ns, mono_from_ms(now + 1).ns);
	assert_false(mcfilter_expire(&f, mono_from_ms(now + 1)));
	assert_int_equal(mcfilter_deadline(&f).ns, MONO_NEVER.ns);
	mcfilter_sample(&f, mono_from_ms(now + 1), &who);
	assert_int_equal(mcfilter_deadline(&f).ns, mono_from_ms(now + 1001).ns);
}

/* When all places are taken, a new host replaces the one whose sampling ends first. */
static void r082_one_too_many(void **state)
{
	struct mcfilter f = {.family = FAMILY_IPV6};
	uint8_t mac[6] = {2, 0, 0, 0, 7, 0};

	for (unsigned i = 0; i <= MCFILTER_HOSTS; i++) {
		struct admission_host who;

		/* sampling of number 3 began first */
		mac[5] = (uint8_t)i;
		who = host_of(mac, "fe80::1");
		mcfilter_sample(&f, mono_from_ms(i == 3 ? 500 : 1000 + i), &who);
	}
	for (unsigned i = 0; i <= MCFILTER_HOSTS; i++) {
		mac[5] = (uint8_t)i;
		assert_int_equal(hears(&f, report6(mac, "fe80::1")), i == 3);
	}
	assert_true(hears(&f, report6(mac_a, "fe80::1")));
}

/* This host's own messages pass despite sampling. Those of the other family do not,
 * although a socket for all protocols gets them. */
static void k01_what_this_host_says(void **state)
{
	struct mcfilter four = {.family = FAMILY_IPV4, .own = true};
	struct mcfilter six = {.family = FAMILY_IPV6, .own = true};
	uint8_t mac[6] = {2, 0, 0, 0, 0, 0};

	for (unsigned i = 0; i < MCFILTER_HOSTS; i++) {
		struct frame in4, out4, data4, in6, out6;

		mac[5] = (uint8_t)i;
		in4 = out4 = frame4(2, mac, "192.0.2.1");
		data4 = frame4(17, mac, "192.0.2.1");
		in6 = out6 = report6(mac, "fe80::1");
		out4.type = out6.type = data4.type = PACKET_OUTGOING;
		assert_true(hears(&four, in4) && hears(&six, in6));
		mcfilter_sample(&four, mono_from_ms(0),
			&(struct admission_host){.from = a("192.0.2.1"),
				.has_mac = true,
				.mac = {{2, 0, 0, 0, 0, (uint8_t)i}}});
		mcfilter_sample(&six, mono_from_ms(0),
			&(struct admission_host){.from = a("fe80::1"),
				.has_mac = true,
				.mac = {{2, 0, 0, 0, 0, (uint8_t)i}}});
		assert_false(hears(&four, in4));
		assert_false(hears(&six, in6));
		assert_true(hears(&four, out4) && hears(&six, out6));
		assert_false(hears(&four, data4));
		in4.vlan = out4.vlan = 5; /* of a VLAN interface on top of this one */
		assert_false(hears(&four, in4) || hears(&four, out4));
		assert_false(hears(&four, out6));
		assert_false(hears(&six, out4));
	}
}

/* F9: on an upstream only queries of other hosts pass, and all messages of this host,
 * with and without sampling. */
static void f9_queries_alone(void **state)
{
	static const struct {
		const char *what;
		uint8_t type;
		uint16_t fragment;
		uint8_t header; /* header length in words */
		bool heard;
	} rows[] = {
		{"query", 0x11, 0, 6, true},
		{"query without options", 0x11, 0, 5, true},
		{"query, not to be cut", 0x11, 0x4000, 6, true},
		{"report of version 1", 0x12, 0, 6, false},
		{"report of version 2", 0x16, 0, 6, false},
		{"leave", 0x17, 0, 6, false},
		{"report of version 3", 0x22, 0, 6, false},
		{"unknown", 0x13, 0, 6, false},
		{"first fragment of a query", 0x11, 0x2000, 6, false},
		{"later fragment", 0x11, 0x2010, 6, false},
		{"last fragment", 0x11, 0x0010, 6, false},
	};
	struct admission_host loud = host_of(mac_b, "192.0.2.2");

	for (unsigned own = 0; own < 4; own++) {
		struct mcfilter f = {
			.family = FAMILY_IPV4, .queries = true, .own = own & 1};

		if (own & 2)
			mcfilter_sample(&f, mono_from_ms(0), &loud);
		for (size_t i = 0; i < array_len(rows); i++) {
			struct frame in = frame4(2, mac_a, "192.0.2.1");

			in.byte[ETH] = 0x40 | rows[i].header;
			in.byte[ETH + 6] = (uint8_t)(rows[i].fragment >> 8);
			in.byte[ETH + 7] = (uint8_t)rows[i].fragment;
			in.byte[ETH + 4 * rows[i].header] = rows[i].type;
			if (hears(&f, in) != rows[i].heard)
				fail_msg("%s: heard or not, wrongly", rows[i].what);
			in.type = PACKET_OUTGOING;
			assert_int_equal(hears(&f, in), own & 1);
			in.byte[ETH + 9] = 17;
			assert_false(hears(&f, in));
		}
	}
}

static void f9_queries_alone_mld(void **state)
{
	static const struct {
		const char *what;
		uint8_t next, then, units, type;
		bool heard, own;
	} rows[] = {
		{"query", HOP, ICMP6, 1, 130, true, true},
		{"query behind long options", HOP, ICMP6, 2, 130, true, true},
		{"query without options", ICMP6, 0, 0, 130, true, true},
		{"report of version 1", HOP, ICMP6, 1, 131, false, true},
		{"done", HOP, ICMP6, 1, 132, false, true},
		{"report of version 2", HOP, ICMP6, 1, 143, false, true},
		{"report without options", ICMP6, 0, 0, 143, false, true},
		{"below the reports", HOP, ICMP6, 1, 133, false, false},
		{"above the reports", HOP, ICMP6, 1, 144, false, false},
		{"more headers", HOP, DEST, 1, 130, false, false},
		{"fragment", HOP, FRAGMENT, 1, 130, false, false},
		{"fragment alone", FRAGMENT, ICMP6, 1, 130, false, false},
		{"TCP", TCP, 0, 0, 130, false, false},
	};

	for (unsigned own = 0; own < 2; own++) {
		struct mcfilter f = {
			.family = FAMILY_IPV6, .queries = true, .own = own};

		for (size_t i = 0; i < array_len(rows); i++) {
			struct frame in = frame6(rows[i].next, rows[i].then,
				rows[i].units, rows[i].type, mac_a, "fe80::1");

			if (hears(&f, in) != rows[i].heard)
				fail_msg("%s: heard or not, wrongly", rows[i].what);
			in.type = PACKET_OUTGOING;
			if (hears(&f, in) != (own && rows[i].own))
				fail_msg("%s: of this host", rows[i].what);
			in.type = PACKET_OTHERHOST;
			assert_false(hears(&f, in));
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(igmp_only),
		cmocka_unit_test(mld_only),
		cmocka_unit_test(f4_both_addresses_count),
		cmocka_unit_test(without_link_address_by_that_of_ip),
		cmocka_unit_test(f4_a_part_is_let_through),
		cmocka_unit_test(r082_it_is_short),
		cmocka_unit_test(r082_one_too_many),
		cmocka_unit_test(k01_what_this_host_says),
		cmocka_unit_test(f9_queries_alone),
		cmocka_unit_test(f9_queries_alone_mld),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
