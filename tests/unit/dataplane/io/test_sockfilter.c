/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The programs of receive sockets, on hand-made frames, in an interpreter of the
 * instructions that they use. tests/kernel/test_dataplane.c tries the filter on real
 * sockets.
 */

#include "dataplane/io/sockfilter.h"

#include "test.h"

#include <linux/if_ether.h>
#include <linux/if_packet.h>

struct packet_case {
	const char *name;
	const char *dst;
	uint8_t next; /* protocol or next header */
	uint8_t payload[16];
	bool accept;
};

static const struct packet_case v4_cases[] = {
	{"UDP to a group", "239.1.2.3", 17, {0}, true},
	{"lowest group beyond the link", "224.0.1.0", 17, {0}, true},
	{"highest group", "239.255.255.255", 17, {0}, true},
	{"other protocols are data too", "232.1.1.1", 47, {0}, true},
	{"R159 link-local group", "224.0.0.251", 17, {0}, false},
	{"R169 unicast", "192.0.2.1", 17, {0}, false},
	{"R169 class E", "240.0.0.1", 17, {0}, false},
	{"broadcast", "255.255.255.255", 17, {0}, false},
	{"R175 IGMP report to its group", "239.1.2.3", 2, {0x16}, false},
};

static const struct packet_case v6_cases[] = {
	{"UDP to a global group", "ff0e::1:2:3", 17, {0}, true},
	{"site-local, with flags", "ff35::1", 17, {0}, true},
	{"realm-local", "ff03::1", 17, {0}, true},
	{"R160 scope 2", "ff02::fb", 17, {0}, false},
	{"R160 scope 2 with flags", "ff32::1", 17, {0}, false},
	{"R160 scope 1", "ff01::1", 17, {0}, false},
	{"scope 0", "ff00::1", 17, {0}, false},
	{"R169 unicast", "2001:db8::1", 17, {0}, false},
	{"R175 MLDv1 report", "ff05::1", 0, {58, 0, 5, 2, 0, 0, 1, 0, 131}, false},
	{"R175 MLDv1 query", "ff05::1", 0, {58, 0, 5, 2, 0, 0, 1, 0, 130}, false},
	{"R175 Done", "ff05::1", 0, {58, 0, 5, 2, 0, 0, 1, 0, 132}, false},
	{"R175 MLDv2 report", "ff05::1", 0, {58, 0, 5, 2, 0, 0, 1, 0, 143}, false},
	{"R175 MLD without hop-by-hop", "ff05::1", 58, {131}, false},
	{"echo request is data", "ff05::1", 58, {128}, true},
	{"echo request behind hop-by-hop", "ff05::1", 0, {58, 0, 1, 4, 0, 0, 0, 0, 128},
		true},
	{"UDP behind hop-by-hop", "ff05::1", 0, {17, 0, 1, 4, 0, 0, 0, 0, 131}, true},
};

/* What the kernel passes to a program. */
struct packet {
	uint8_t frame[128];
	size_t len, ip; /* the length, and where the IP header begins */
	uint32_t type, tag_present, tag, protocol, random;
};

static struct packet build(enum family family, bool has_l2, const struct packet_case *c)
{
	struct addr dst = a(c->dst);
	bool v4 = family == FAMILY_IPV4;
	size_t hlen = v4 ? 20 : 40;
	struct packet p = {
		.len = (has_l2 ? ETH_HLEN : 0) + hlen + sizeof(c->payload),
		.ip = has_l2 ? ETH_HLEN : 0,
		.type = PACKET_MULTICAST,
		.protocol = v4 ? ETH_P_IP : ETH_P_IPV6,
	};
	uint8_t *ip = p.frame + p.ip;

	ip[0] = v4 ? 0x45 : 0x60;
	ip[v4 ? 9 : 6] = c->next;
	memcpy(ip + (v4 ? 16 : 24), v4 ? addr_v4_bytes(&dst) : dst.b, v4 ? 4 : 16);
	memcpy(ip + hlen, c->payload, sizeof(c->payload));
	return p;
}

static uint32_t load_ancillary(const struct packet *p, uint32_t field)
{
	switch (field) {
	case SKF_AD_PKTTYPE:
		return p->type;
	case SKF_AD_VLAN_TAG_PRESENT:
		return p->tag_present;
	case SKF_AD_VLAN_TAG:
		return p->tag;
	case SKF_AD_PROTOCOL:
		return p->protocol;
	case SKF_AD_RANDOM:
		return p->random;
	default:
		fail_msg("field %u", field);
		return 0;
	}
}

/* Returns false if the packet is too short. */
static bool load(const struct packet *p, const struct sock_filter *f, uint32_t *ret)
{
	size_t n = BPF_SIZE(f->code) == BPF_W ? 4 : BPF_SIZE(f->code) == BPF_H ? 2 : 1;
	uint32_t at = f->k;

	if (at >= (uint32_t)SKF_AD_OFF) {
		*ret = load_ancillary(p, at - (uint32_t)SKF_AD_OFF);
		return true;
	}
	if (at >= (uint32_t)SKF_NET_OFF)
		at = at - (uint32_t)SKF_NET_OFF + (uint32_t)p->ip;
	if (at + n > p->len)
		return false;
	*ret = 0;
	for (size_t i = 0; i < n; i++)
		*ret = *ret << 8 | p->frame[at + i];
	return true;
}

static bool jumps(const struct sock_filter *f, uint32_t a)
{
	switch (BPF_OP(f->code)) {
	case BPF_JEQ:
		return a == f->k;
	case BPF_JGT:
		return a > f->k;
	case BPF_JGE:
		return a >= f->k;
	default:
		fail_msg("jump %#x", f->code);
		return false;
	}
}

static uint32_t calculate(const struct sock_filter *f, uint32_t a, uint32_t x)
{
	uint32_t by = BPF_SRC(f->code) == BPF_X ? x : f->k;

	switch (BPF_OP(f->code)) {
	case BPF_AND:
		return a & by;
	case BPF_XOR:
		return a ^ by;
	case BPF_MUL:
		return a * by;
	case BPF_RSH:
		return a >> by;
	case BPF_MOD:
		return a % by;
	default:
		fail_msg("operation %#x", f->code);
		return 0;
	}
}

/* Runs a program as the kernel does. */
static uint32_t run(const struct sock_fprog *prog, const struct packet *p)
{
	uint32_t a = 0, x = 0;

	for (unsigned i = 0; i < prog->len; i++) {
		const struct sock_filter *f = &prog->filter[i];

		if (BPF_CLASS(f->code) == BPF_RET)
			return BPF_RVAL(f->code) == BPF_A ? a : f->k;
		else if (BPF_CLASS(f->code) == BPF_ALU)
			a = calculate(f, a, x);
		else if (f->code == (BPF_MISC | BPF_TAX))
			x = a;
		else if (f->code == (BPF_JMP | BPF_JA))
			i += f->k;
		else if (BPF_CLASS(f->code) == BPF_JMP)
			i += jumps(f, a) ? f->jt : f->jf;
		else if (!load(p, f, &a))
			return 0;
	}
	fail_msg("no result");
	return 0;
}

static bool accepts(bool has_l2, const struct packet *p)
{
	struct sockfilter f;
	uint32_t n;

	sockfilter_data(has_l2, &f);
	n = run(&f.prog, p);
	assert_true(n == 0 || n >= 65536 + ETH_HLEN);
	return n > 0;
}

static void check(enum family family, const struct packet_case *v, size_t n)
{
	for (int has_l2 = 0; has_l2 < 2; has_l2++)
		for (size_t i = 0; i < n; i++) {
			struct packet p = build(family, has_l2, &v[i]);

			if (accepts(has_l2, &p) != v[i].accept)
				fail_msg("%s (header: %d)", v[i].name, has_l2);
		}
}

static void test_ipv4(void **state)
{
	check(FAMILY_IPV4, v4_cases, array_len(v4_cases));
}

static void test_ipv6(void **state)
{
	check(FAMILY_IPV6, v6_cases, array_len(v6_cases));
}

static void test_other_protocols_are_refused(void **state)
{
	struct packet p = build(FAMILY_IPV4, true, &v4_cases[0]);

	assert_true(accepts(true, &p));
	p.protocol = ETH_P_ARP;
	assert_false(accepts(true, &p));
	p.protocol = ETH_P_IPV6; /* the address is not an IPv6 group */
	assert_false(accepts(true, &p));
}

/* No field of the IP header may be missing. Other packets of IPv6 pass without what is
 * only in MLD. */
static void test_short_packets(void **state)
{
	static const struct packet_case mld = {
		"", "ff05::1", 0, {58, 0, 5, 2, 0, 0, 1, 0, 128}, true};
	struct packet v4 = build(FAMILY_IPV4, true, &v4_cases[0]);
	struct packet v6 = build(FAMILY_IPV6, true, &v6_cases[0]);
	struct packet hop = build(FAMILY_IPV6, true, &mld);

	for (; v4.len > 0; v4.len--)
		assert_int_equal(accepts(true, &v4), v4.len >= ETH_HLEN + 20);
	for (; v6.len > 0; v6.len--)
		assert_int_equal(accepts(true, &v6), v6.len >= ETH_HLEN + 26);
	for (; hop.len > 0; hop.len--)
		assert_int_equal(accepts(true, &hop), hop.len >= ETH_HLEN + 49);
}

static void test_station_and_tag(void **state)
{
	static const struct {
		uint32_t type, tag_present, tag, random;
		bool accept;
	} t[] = {
		{PACKET_HOST, 0, 0, 1, true},
		{PACKET_BROADCAST, 0, 0, 1, true},
		{PACKET_MULTICAST, 0, 0, 1, true},
		{PACKET_OUTGOING, 0, 0, 0, false},
		{PACKET_LOOPBACK, 0, 0, 0, false},
		{PACKET_OTHERHOST, 0, 0, 1, false},
		{PACKET_OTHERHOST, 0, 0, SOCKFILTER_ONE_OF - 1, false},
		{PACKET_OTHERHOST, 0, 0, SOCKFILTER_ONE_OF, true},
		{PACKET_MULTICAST, 1, 0, 1, true}, /* only a priority */
		{PACKET_MULTICAST, 1, 0xe000, 1, true},
		{PACKET_MULTICAST, 1, 7, 1, false},
		{PACKET_MULTICAST, 1, 0xefff, 1, false},
		{PACKET_MULTICAST, 1, 7, 5 * SOCKFILTER_ONE_OF, true},
	};

	for (size_t i = 0; i < array_len(t); i++) {
		struct packet p = build(FAMILY_IPV4, true, &v4_cases[0]);

		p.type = t[i].type;
		p.tag_present = t[i].tag_present;
		p.tag = t[i].tag;
		p.random = t[i].random;
		if (accepts(true, &p) != t[i].accept)
			fail_msg("case %zu", i);
	}
}

static void test_member_of_a_flow(void **state)
{
	static const struct {
		const char *source, *group;
	} t[] = {{"10.0.0.1", "239.1.2.3"}, {"10.0.0.2", "239.1.2.3"},
		{"10.0.0.1", "239.1.2.4"}, {"203.0.113.9", "232.255.0.1"},
		{"2001:db8::1", "ff0e::1:2:3"}, {"2001:db8::2", "ff0e::1:2:3"},
		{"fd00::1:2:3:4", "ff35:30:2001:db8::99"}};
	unsigned hits[2] = {0};

	for (size_t i = 0; i < array_len(t); i++)
		for (unsigned n = 1; n < 9; n++) {
			struct addr s = a(t[i].source), g = a(t[i].group);
			enum family family = addr_family(&g);
			bool v4 = family == FAMILY_IPV4;
			struct packet p = {.len = 40};
			uint8_t *ip = p.frame;
			struct sockfilter f;

			memcpy(ip + (v4 ? 12 : 8), v4 ? s.b + 12 : s.b, v4 ? 4 : 16);
			memcpy(ip + (v4 ? 16 : 24), v4 ? g.b + 12 : g.b, v4 ? 4 : 16);
			sockfilter_spread(family, n, &f);
			assert_int_equal(
				sockfilter_member(&s, &g, n), run(&f.prog, &p));
			if (n == 2)
				hits[sockfilter_member(&s, &g, n)]++;
		}
	assert_true(hits[0] && hits[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ipv4),
		cmocka_unit_test(test_ipv6),
		cmocka_unit_test(test_other_protocols_are_refused),
		cmocka_unit_test(test_short_packets),
		cmocka_unit_test(test_station_and_tag),
		cmocka_unit_test(test_member_of_a_flow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
