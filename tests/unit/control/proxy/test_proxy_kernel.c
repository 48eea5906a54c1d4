/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * One membership shared with the kernel (K01, K02): what programs of this host have
 * joined on the upstream, and what the kernel reports of it, merged with what the LANs
 * want. The script language is that of proxy_fixture.h.
 */

#include "proxy_fixture.h"

#define ONCE  "robustness 1\n"
#define WAN   "phyint wan upstream\n"
#define LANS  "phyint lan1 downstream\nphyint lan2 downstream\n"
#define PLAIN ONCE WAN LANS
#define QUICK "quickleave\n" PLAIN
#define OLDER ONCE "phyint wan upstream igmp-version 2 mld-version 1\n" LANS

static const struct proxy_case says_cases[] = {
	{"K01 a leave of the kernel's is followed by what the LANs want",
		"lan1 to_ex G > *G=lan1 | wan: to_ex G{};"
		"kernel G all; says to_ex G;"
		"kernel G none; says to_in G > wan: to_ex G{}",
		{PLAIN}},
	{"K01 the program was there first",
		"kernel G all; says to_ex G;"
		"lan1 to_ex G > *G=lan1 | wan: to_ex G{};"
		"kernel G none; says to_in G > wan: to_ex G{}",
		{PLAIN}},
	{"K01 each time that the kernel repeats it",
		"lan1 to_ex G > *G=lan1 | wan: to_ex G{};"
		"says to_in G > wan: to_ex G{}; says to_in G > wan: to_ex G{}",
		{PLAIN}},
	{"K01 a program that names a source, a LAN that wants all",
		"lan1 to_ex G > *G=lan1 | wan: to_ex G{};"
		"kernel G A; says allow G A; says to_in G A > wan: to_ex G{};"
		"kernel G none; says block G A > wan: to_ex G{}",
		{PLAIN}},
	{"K01 a program that wants all, a LAN that names a source",
		"lan1 allow G A > A,G=lan1 | *G= | wan: allow G{A};"
		"kernel G all > wan: to_ex G{}; says to_ex G;"
		"kernel G none > wan: to_in G{A}; says to_in G > wan: allow G{A}",
		{PLAIN}},
	{"K01 other groups, and what takes nothing away, are not answered",
		"lan1 to_ex G > *G=lan1 | wan: to_ex G{};"
		"says to_in H; says is_in G A; says is_ex G; says allow G A;"
		"says to_ex G",
		{PLAIN}},
	{"K01 a version that knows joins and leaves alone",
		"lan1 to_ex G > *G=lan1 | wan: v2 is_ex G{};"
		"kernel G all; kernel G none; says to_in G > wan: v2 is_ex G{}",
		{OLDER}},
};

static const struct proxy_case holds_cases[] = {
	{"K02 nothing that the kernel holds is left",
		"lan1 to_ex G > *G=lan1 | wan: to_ex G{};"
		"kernel G all;"
		"lan1 to_in G > lan1: ? G{} | *G=gone;"
		"+10000;"
		"kernel G none > wan: to_in G{}",
		{QUICK}},
	{"K02 what the kernel alone holds is not reported",
		"kernel G all; +10000; kernel G none; +10000", {PLAIN}},
	{"K02 sources of both are added",
		"lan1 allow G A > A,G=lan1 | *G= | wan: allow G{A};"
		"kernel G B > wan: allow G{B};"
		"lan1 block G A > lan1: ? G{A} | *G=gone | A,G=gone | wan: block G{A};"
		"kernel G none > wan: block G{B}",
		{QUICK}},
	{"K02 a source that a LAN blocks and a program wants",
		"kernel G A;"
		"lan1 to_ex G AB > A,G= | B,G= | *G=lan1 | wan: to_ex G{B};"
		"kernel G none > wan: block G{A}",
		{PLAIN}},
	{"K02 the end of the daemon goes down to what the kernel holds",
		"lan1 to_ex G > *G=lan1 | wan: to_ex G{};"
		"lan1 to_ex H > *H=lan1 | wan: to_ex H{};"
		"lan1 to_ex I > *I=lan1 | wan: to_ex I{};"
		"kernel G all; kernel H A;"
		"stop > wan: to_in I{} to_in H{A}",
		{PLAIN}},
	{"K02 an upstream that a reload removes",
		"lan1 to_ex G > *G=lan1 | wan: to_ex G{};"
		"kernel G all;"
		"reload 1 > lan3: to_ex G{}",
		{PLAIN, ONCE "phyint wan disabled\nphyint lan3 upstream\n" LANS}},
	{"K02 answers say what both want",
		"lan1 allow G A > A,G=lan1 | *G= | wan: allow G{A};"
		"kernel G B > wan: allow G{B};"
		"wan ?3; +10000 > wan: is_in G{AB}",
		{PLAIN}},
	{"K02 a version that knows joins and leaves alone",
		"lan1 to_ex G > *G=lan1 | wan: v2 is_ex G{};"
		"kernel G A;"
		"lan1 to_in G > lan1: ? G{} | *G=gone;"
		"+10000; kernel G none > wan: v2 to_in G{}",
		{"quickleave\n" OLDER}},
};

static void kernel_says(void **state)
{
	(void)state;
	px_cases(says_cases, array_len(says_cases));
}

static void kernel_holds(void **state)
{
	(void)state;
	px_cases(holds_cases, array_len(holds_cases));
}

static void k01_routed_messages_are_not_the_kernels(void **state)
{
	static const char *const text[] = {PLAIN};
	struct proxy_fixture t;
	struct gm_msg msg = {.kind = GM_REPORT, .family = FAMILY_IPV4};
	struct proxy_port *wan;

	(void)state;
	px_init(&t, FAMILY_IPV4, text);
	px_sync(&t);
	wan = px_port(&t, "wan");
	msg.from = wan->link.own[FAMILY_IPV4];
	assert_true(proxy_kernel_sent(wan, &msg));
	msg.notes = GM_NOTE_UNICAST;
	assert_false(proxy_kernel_sent(wan, &msg));
	msg.notes = GM_NOTE_TTL;
	assert_false(proxy_kernel_sent(wan, &msg));
	msg.notes = 0;
	msg.from = px_addr(FAMILY_IPV4, "lan1", 7);
	assert_false(proxy_kernel_sent(wan, &msg));
	wan->n_report_addr = 0; /* the kernel borrows an address */
	assert_true(proxy_kernel_sent(wan, &msg));
	px_deinit(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kernel_says),
		cmocka_unit_test(kernel_holds),
		cmocka_unit_test(k01_routed_messages_are_not_the_kernels),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
