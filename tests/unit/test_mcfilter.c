/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The programs that the kernel is given for membership messages, run by libpcap's
 * machine over whole frames: what is let in, and whom it does not hear.
 */

#include "control/mcfilter.h"

#include "test.h"

#include <linux/if_packet.h>
#include <pcap/pcap.h>
#include <string.h>

#define ETH 14

static const uint8_t mac_a[6] = {2, 0, 0, 0, 0, 1}, mac_b[6] = {2, 0, 0, 0, 0, 2};

/* a frame as the socket gets it */
struct frame {
	uint8_t type; /* PACKET_HOST ... */
	uint8_t octet[128], len;
};

static struct frame frame4(uint8_t protocol, const uint8_t mac[6], const char *from)
{
	struct frame f = {.type = PACKET_MULTICAST, .len = ETH + 32};
	struct addr src = a(from);

	memcpy(f.octet + 6, mac, 6);
	f.octet[ETH] = 0x46;
	f.octet[ETH + 9] = protocol;
	memcpy(f.octet + ETH + 12, src.b + 12, 4);
	return f;
}

/* next_header: what stands at the fixed header; `option` of `units` times 8 octets
 * behind it says that `then` follows; 0 units: there is none. */
static struct frame frame6(uint8_t next_header, uint8_t then, uint8_t units,
	uint8_t icmp_type, const uint8_t mac[6], const char *from)
{
	struct frame f = {.type = PACKET_MULTICAST, .len = ETH + 40 + 32};
	struct addr src = a(from);

	memcpy(f.octet + 6, mac, 6);
	f.octet[ETH] = 0x60;
	f.octet[ETH + 6] = next_header;
	memcpy(f.octet + ETH + 8, src.b, 16);
	if (units) {
		f.octet[ETH + 40] = then;
		f.octet[ETH + 41] = units - 1;
	}
	f.octet[ETH + 40 + 8 * units] = icmp_type;
	return f;
}

/*
 * The kernel's special offsets become real ones: the link header, which stands before
 * the packet here, and the type of the packet, which follows it as four octets.
 */
static bool hears(const struct mcfilter *filter, struct frame f)
{
	struct sock_filter code[MCFILTER_MAX];
	struct bpf_insn insn[MCFILTER_MAX];
	size_t n = mcfilter_program(filter, code);

	assert_true(n > 0 && n <= MCFILTER_MAX);
	for (size_t i = 0; i < n; i++) {
		insn[i] = (struct bpf_insn){
			code[i].code, code[i].jt, code[i].jf, code[i].k};
		if (BPF_CLASS(code[i].code) != BPF_LD ||
			BPF_MODE(code[i].code) == BPF_IMM)
			continue;
		if (insn[i].k == (uint32_t)(SKF_AD_OFF + SKF_AD_PKTTYPE))
			insn[i].k = f.len;
		else if (insn[i].k >= (uint32_t)SKF_LL_OFF)
			insn[i].k -= (uint32_t)SKF_LL_OFF;
		else
			insn[i].k += ETH;
	}
	assert_true(bpf_validate(insn, (int)n));
	memcpy(f.octet + f.len, (uint8_t[4]){0, 0, 0, f.type}, 4);
	return bpf_filter(insn, f.octet, f.len + 4u, f.len + 4u) != 0;
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
	/* What the decoder refuses by name (R021: no Router Alert; a chain of headers)
	 * is let in, so that it is counted. Neighbour discovery is not for us. */
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

/* ---- who is silenced ---- */

static struct mcfilter_host host_of(const uint8_t *octet, uint8_t len)
{
	struct mcfilter_host h = {.len = len};

	memcpy(h.octet, octet, len);
	return h;
}

static void a_host_is_known_by_its_link_address(void **state)
{
	struct mcfilter f = {.family = FAMILY_IPV4}, f6 = {.family = FAMILY_IPV6};
	struct mcfilter_host who = host_of(mac_a, 6);
	static const uint8_t other_head[6] = {4, 0, 0, 0, 0, 1};

	mcfilter_silence(&f, &who, mono_from_ms(1000));
	mcfilter_silence(&f6, &who, mono_from_ms(1000));
	/* whatever it calls itself */
	assert_false(hears(&f, frame4(2, mac_a, "192.0.2.1")));
	assert_false(hears(&f, frame4(2, mac_a, "192.0.2.2")));
	assert_false(hears(&f6, frame6(HOP, ICMP6, 1, 143, mac_a, "fe80::1")));
	/* last and first octet count */
	assert_true(hears(&f, frame4(2, mac_b, "192.0.2.1")));
	assert_true(hears(&f, frame4(2, other_head, "192.0.2.1")));
	assert_true(hears(&f6, frame6(HOP, ICMP6, 1, 143, mac_b, "fe80::1")));
	assert_false(hears(&f6, frame6(HOP, ICMP6, 1, 135, mac_b, "fe80::1")));
}

static void without_link_address_by_that_of_ip(void **state)
{
	struct mcfilter f = {.family = FAMILY_IPV4}, f6 = {.family = FAMILY_IPV6};
	struct addr v4 = a("192.0.2.1"), v6 = a("2001:db8:1:2:3:4:5:6");
	struct mcfilter_host who = host_of(v4.b + 12, 4), who6 = host_of(v6.b, 16);

	mcfilter_silence(&f, &who, mono_from_ms(1000));
	mcfilter_silence(&f6, &who6, mono_from_ms(1000));
	assert_false(hears(&f, frame4(2, mac_a, "192.0.2.1")));
	assert_true(hears(&f, frame4(2, mac_a, "192.0.2.9")));
	assert_true(hears(&f, frame4(2, mac_a, "193.0.2.1")));
	assert_false(
		hears(&f6, frame6(HOP, ICMP6, 1, 143, mac_a, "2001:db8:1:2:3:4:5:6")));
	/* each quarter of the address counts */
	assert_true(
		hears(&f6, frame6(HOP, ICMP6, 1, 143, mac_a, "2001:db9:1:2:3:4:5:6")));
	assert_true(
		hears(&f6, frame6(HOP, ICMP6, 1, 143, mac_a, "2001:db8:1:9:3:4:5:6")));
	assert_true(
		hears(&f6, frame6(HOP, ICMP6, 1, 143, mac_a, "2001:db8:1:2:3:9:5:6")));
	assert_true(
		hears(&f6, frame6(HOP, ICMP6, 1, 143, mac_a, "2001:db8:1:2:3:4:5:9")));
}

static void silence_ends(void **state)
{
	struct mcfilter f = {.family = FAMILY_IPV4};
	struct mcfilter_host who = host_of(mac_a, 6), other = host_of(mac_b, 6);

	assert_int_equal(mcfilter_deadline(&f).ns, MONO_NEVER.ns);
	assert_false(mcfilter_expire(&f, mono_from_ms(1)));
	mcfilter_silence(&f, &who, mono_from_ms(2000));
	mcfilter_silence(&f, &other, mono_from_ms(1000));
	assert_int_equal(mcfilter_deadline(&f).ns, mono_from_ms(1000).ns);
	assert_false(mcfilter_expire(&f, mono_from_ms(999)));
	assert_true(mcfilter_expire(&f, mono_from_ms(1000)));
	assert_true(hears(&f, frame4(2, mac_b, "192.0.2.1")));
	assert_false(hears(&f, frame4(2, mac_a, "192.0.2.1")));
	/* once more, and so for longer */
	mcfilter_silence(&f, &who, mono_from_ms(3000));
	assert_int_equal(mcfilter_deadline(&f).ns, mono_from_ms(3000).ns);
	assert_false(mcfilter_expire(&f, mono_from_ms(2000)));
	assert_true(mcfilter_expire(&f, mono_from_ms(3000)));
	assert_true(hears(&f, frame4(2, mac_a, "192.0.2.1")));
	assert_int_equal(mcfilter_deadline(&f).ns, MONO_NEVER.ns);
}

/* One more than there is room for takes the place of who would be heard first. */
static void one_too_many(void **state)
{
	struct mcfilter f = {.family = FAMILY_IPV6};
	uint8_t mac[6] = {2, 0, 0, 0, 7, 0};
	struct mcfilter_host who;

	for (unsigned i = 0; i <= MCFILTER_HOSTS; i++) {
		/* number 3 was silenced first */
		mac[5] = (uint8_t)i;
		who = host_of(mac, 6);
		mcfilter_silence(&f, &who, mono_from_ms(i == 3 ? 500 : 1000 + i));
	}
	for (unsigned i = 0; i <= MCFILTER_HOSTS; i++) {
		mac[5] = (uint8_t)i;
		assert_int_equal(
			hears(&f, frame6(HOP, ICMP6, 1, 143, mac, "fe80::1")), i == 3);
	}
	assert_true(hears(&f, frame6(HOP, ICMP6, 1, 143, mac_a, "fe80::1")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(igmp_only),
		cmocka_unit_test(mld_only),
		cmocka_unit_test(a_host_is_known_by_its_link_address),
		cmocka_unit_test(without_link_address_by_that_of_ip),
		cmocka_unit_test(silence_ends),
		cmocka_unit_test(one_too_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
