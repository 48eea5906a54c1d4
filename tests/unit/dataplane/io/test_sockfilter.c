/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The compiled part of the receive filters, on hand-made frames. libpcap's interpreter
 * does not know the kernel's ancillary loads. The instructions that use them come first
 * and are tested on real sockets (tests/kernel/test_dataplane.c).
 */

#include "dataplane/io/sockfilter.h"

#include "test.h"

#include <pcap/pcap.h>

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

static size_t build(
	uint8_t *out, enum family family, bool has_l2, const struct packet_case *c)
{
	struct addr dst = a(c->dst);
	bool v4 = family == FAMILY_IPV4;
	size_t hlen = v4 ? 20 : 40, l2 = has_l2 ? 14 : 0;
	uint8_t *ip = out + l2;

	memset(out, 0, 128);
	if (has_l2)
		memcpy(out + 12, v4 ? "\x08\x00" : "\x86\xdd", 2);
	ip[0] = v4 ? 0x45 : 0x60;
	ip[v4 ? 9 : 6] = c->next;
	memcpy(ip + (v4 ? 16 : 24), v4 ? addr_v4_bytes(&dst) : dst.b, v4 ? 4 : 16);
	memcpy(ip + hlen, c->payload, sizeof(c->payload));
	return l2 + hlen + sizeof(c->payload);
}

static bool accepts(const struct sock_fprog *prog, const uint8_t *frame, size_t len)
{
	struct bpf_insn insn[256];
	unsigned n = prog->len - SOCKFILTER_PRELUDE;

	assert_true(prog->len > SOCKFILTER_PRELUDE && n < 256);
	for (unsigned i = 0; i < n; i++) {
		const struct sock_filter *f = &prog->filter[SOCKFILTER_PRELUDE + i];

		insn[i] = (struct bpf_insn){f->code, f->jt, f->jf, f->k};
	}
	return bpf_filter(insn, frame, (unsigned)len, (unsigned)len) >= len;
}

static void check(enum family family, const struct packet_case *v, size_t n)
{
	for (int has_l2 = 0; has_l2 < 2; has_l2++) {
		struct sock_fprog prog;
		uint8_t frame[128];

		assert_int_equal(sockfilter_data(family, has_l2, &prog), 0);
		for (size_t i = 0; i < n; i++) {
			size_t len = build(frame, family, has_l2, &v[i]);

			if (accepts(&prog, frame, len) != v[i].accept)
				fail_msg("%s (header: %d)", v[i].name, has_l2);
		}
		sockfilter_deinit(&prog);
		assert_null(prog.filter);
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

static void test_other_family_is_refused(void **state)
{
	for (enum family f = 0; f < _FAMILY_N; f++) {
		enum family other = f == FAMILY_IPV4 ? FAMILY_IPV6 : FAMILY_IPV4;
		struct sock_fprog prog;
		uint8_t frame[128];
		size_t len = build(frame, other, true,
			other == FAMILY_IPV4 ? &v4_cases[0] : &v6_cases[0]);

		assert_int_equal(sockfilter_data(f, true, &prog), 0);
		assert_false(accepts(&prog, frame, len));
		sockfilter_deinit(&prog);
	}
}

/* Every jump of the prelude stays in it or leads to the start of the expression. */
static void test_prelude_jumps(void **state)
{
	struct sock_fprog prog;

	assert_int_equal(sockfilter_data(FAMILY_IPV4, true, &prog), 0);
	for (unsigned i = 0; i < SOCKFILTER_PRELUDE; i++) {
		const struct sock_filter *f = &prog.filter[i];

		if (BPF_CLASS(f->code) != BPF_JMP)
			continue;
		assert_true(i + 1 + f->jt <= SOCKFILTER_PRELUDE);
		assert_true(i + 1 + f->jf <= SOCKFILTER_PRELUDE);
	}
	assert_int_equal(prog.filter[SOCKFILTER_PRELUDE - 1].code, BPF_RET | BPF_K);
	assert_int_equal(prog.filter[SOCKFILTER_PRELUDE - 1].k, 0);
	sockfilter_deinit(&prog);
}

/* As the kernel runs the programs that spread flows; the packet begins with IP. */
static uint32_t run_fanout(const struct sock_fprog *prog, const uint8_t *ip)
{
	uint32_t a = 0, x = 0;

	for (unsigned i = 0; i < prog->len; i++) {
		const struct sock_filter *f = &prog->filter[i];
		const uint8_t *p = ip + (f->k - (uint32_t)SKF_NET_OFF);

		switch (f->code) {
		case BPF_LD | BPF_W | BPF_ABS:
			a = (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
				(uint32_t)p[2] << 8 | p[3];
			break;
		case BPF_MISC | BPF_TAX:
			x = a;
			break;
		case BPF_ALU | BPF_XOR | BPF_X:
			a ^= x;
			break;
		case BPF_ALU | BPF_MUL | BPF_K:
			a *= f->k;
			break;
		case BPF_ALU | BPF_RSH | BPF_K:
			a >>= f->k;
			break;
		case BPF_ALU | BPF_MOD | BPF_K:
			a %= f->k;
			break;
		case BPF_RET | BPF_A:
			return a;
		default:
			fail_msg("instruction %#x", f->code);
		}
	}
	fail_msg("no result");
	return 0;
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
			struct sockfilter_fanout f;
			uint8_t ip[40] = {0};

			memcpy(ip + (v4 ? 12 : 8), v4 ? s.b + 12 : s.b, v4 ? 4 : 16);
			memcpy(ip + (v4 ? 16 : 24), v4 ? g.b + 12 : g.b, v4 ? 4 : 16);
			sockfilter_spread(family, n, &f);
			assert_int_equal(
				sockfilter_member(&s, &g, n), run_fanout(&f.prog, ip));
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
		cmocka_unit_test(test_other_family_is_refused),
		cmocka_unit_test(test_prelude_jumps),
		cmocka_unit_test(test_member_of_a_flow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
