/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The proxy as a whole: the effect of a report on one LAN on the provider's side and on
 * the forwarding table (RFC 4605 4.1 and 4.2), what is refused, and that both families
 * behave the same. Robustness is 1 in most cases, so no message is repeated.
 */

#include "control/member/policy.h"
#include "proxy_fixture.h"

#define ONCE  "robustness 1 last-member-query-interval 1\n"
#define WAN   "phyint wan upstream\n"
#define LANS  "phyint lan1 downstream\nphyint lan2 downstream\nphyint lan3 disabled\n"
#define PLAIN ONCE WAN LANS

#define LIMIT2	   ONCE WAN "phyint lan1 downstream max-groups 2\nphyint lan2 downstream\n"
#define LANS2	   "phyint lan1 downstream\nphyint lan2 downstream\n"
#define BLACK	   "blacklist 239.1.0.2 blacklist ff0e::2\n"
#define WHITE	   "whitelist 239.1.0.2 whitelist ff0e::2\n"
#define LAN2	   "phyint lan2 downstream\nphyint lan3 disabled\n"
#define BLACK_LAN1 ONCE WAN "phyint lan1 downstream " BLACK LAN2
#define WHITE_LAN1 ONCE WAN "phyint lan1 downstream " WHITE LAN2
#define BLACK_WAN  ONCE "phyint wan upstream " BLACK LANS
#define WHITE_WAN  ONCE "phyint wan upstream " WHITE LANS
#define SSDP                                                                           \
	ONCE "phyint wan upstream blacklist 239.255.255.250 blacklist ff05::c\n" LANS
#define QUICK	      "quickleave\n" PLAIN
#define FAST_LAN1     ONCE WAN "phyint lan1 downstream fast-leave\n" LAN2
#define STRICT	      "forwarding querier\n" PLAIN
#define STRICT_ALWAYS "forwarding querier\n" ALWAYS
#define ALWAYS	      ONCE WAN "phyint lan1 downstream always-querier\n" LAN2
#define WAN_V2	      ONCE "phyint wan upstream igmp-version 2 mld-version 1\n" LANS
#define LAN1_V2	      ONCE WAN "phyint lan1 downstream igmp-version 2 mld-version 1\n" LAN2
#define TWO	      ONCE WAN LANS2 "phyint lan3 upstream\n"
#define REFRESH	      "refresh-interval 10\n" PLAIN
#define SSM_RANGE     "ssm-range default\n" PLAIN

static const struct proxy_case merge_cases[] = {
	{"R134 a second member says nothing new",
		"lan1 to_ex G > *G=lan1 | wan: to_ex G{};"
		"lan1#2 to_ex G;"
		"lan2 to_ex G > *G=lan1+lan2;"
		"lan1 is_ex G",
		{PLAIN}},
	{"R134 a second source is told alone",
		"lan1 allow G A > A,G=lan1 | *G= | wan: allow G{A};"
		"lan2 allow G AB > A,G=lan1+lan2 | B,G=lan2 | wan: allow G{B}",
		{PLAIN}},
	{"R133 EX({A,B}) and EX({B,C}) are EX({B})",
		"lan1 to_ex G AB > A,G= | B,G= | *G=lan1 | wan: to_ex G{AB};"
		"lan2 to_ex G BC > A,G=lan2 | C,G=lan1 | *G=lan1+lan2 | "
		"wan: allow G{A}",
		{PLAIN}},
	{"R133 any-source member and an include list",
		"lan1 v2 G > *G=lan1 | wan: to_ex G{};"
		"lan2 allow G A > A,G=lan1+lan2",
		{PLAIN}},
	{"R135 R091 last member of one LAN",
		"lan1 to_ex G > *G=lan1 | wan: to_ex G{};"
		"lan2 to_ex G > *G=lan1+lan2;"
		"lan1 to_in G > lan1: ? G{};"
		"+999;"
		"+1 > *G=lan2;"
		"lan2 to_in G > lan2: ? G{};"
		"+1000 > *G=gone | wan: to_in G{}",
		{PLAIN}},
	{"R136 (S,G) under (*,G), the source list leaves first",
		"lan1 allow G A > A,G=lan1 | *G= | wan: allow G{A};"
		"lan2 to_ex G > A,G=lan1+lan2 | *G=lan2 | wan: to_ex G{};"
		"lan1 block G A > lan1: ? G{A};"
		"+1000 > A,G=gone;"
		"lan2 to_in G > lan2: ? G{};"
		"+1000 > *G=gone | wan: to_in G{}",
		{PLAIN}},
	{"R136 (S,G) under (*,G), the group leaves first",
		"lan1 allow G A > A,G=lan1 | *G= | wan: allow G{A};"
		"lan2 to_ex G > A,G=lan1+lan2 | *G=lan2 | wan: to_ex G{};"
		"lan2 to_in G > lan2: ? G{};"
		"+1000 > A,G=lan1 | *G= | wan: to_in G{A};"
		"lan1 block G A > lan1: ? G{A};"
		"+1000 > *G=gone | A,G=gone | wan: block G{A}",
		{PLAIN}},
	{"R080 state of its own on each LAN",
		"lan1 to_ex G > *G=lan1 | wan: to_ex G{};"
		"+100000;"
		"lan2 to_ex G > *G=lan1+lan2;"
		"+45000 > *G=lan2;"
		"+99999;"
		"+1 > *G=gone | wan: to_in G{}",
		{PLAIN}},
	{"R079 any-source member leaves, the source list stays",
		"lan1 to_ex G > *G=lan1 | wan: to_ex G{};"
		"lan1#2 is_in G A;"
		"lan1 to_in G > lan1: ? G{A} | lan1: ? G{};"
		"lan1#2 is_in G A;"
		"+1000 > A,G=lan1 | *G= | wan: to_in G{A}",
		{PLAIN}},
};

static const struct proxy_case refusals_cases[] = {
	{"R060 R115 reports upstream are nobody's business",
		"wan v2 G > (role);"
		"wan to_ex G > (role);"
		"wan v2 leave G > (role);"
		"lan1 to_ex G > *G=lan1 | wan: to_ex G{};"
		"wan v2 leave G > (role);"
		"wan to_in G > (role)",
		{PLAIN}},
	{"R060 a query upstream is answered, not contested",
		"wan ?3 low;"
		"wan ?3 high;"
		"+31000;"
		"lan1 to_ex G > *G=lan1 | wan: to_ex G{};"
		"wan ?3;"
		"+1000 > wan: is_ex G{}",
		{PLAIN}},
	{"R117 a query on a LAN makes nobody report",
		"lan1 to_ex G > *G=lan1 | wan: to_ex G{};"
		"lan1 ?3 low > lan1! lost | *G=;"
		"+10000;"
		"lan1 ?3 high;"
		"+10000",
		{STRICT}},
	{"R021 a sender of another subnet",
		"lan1#x to_ex G > (foreign) | lan1! foreign;"
		"lan2 to_ex G > *G=lan2 | wan: to_ex G{}",
		{STRICT}},
	{"R026 our own query comes back",
		"lan1 to_ex G > *G=lan1 | wan: to_ex G{};"
		"lan1 ?3 self > (own);"
		"wan ?3 self > (own);"
		"+10000",
		{PLAIN}},
	{"R022 R112 local groups",
		"lan1 to_ex L;"
		"lan1 allow L A;"
		"lan1 v2 L;"
		"lan1 to_ex G > *G=lan1 | wan: to_ex G{}",
		{PLAIN}},
	{"R148 R149 any-source joins for source-specific groups",
		"lan1 v2 S > (filtered) | lan1! ssm;"
		"lan1 to_ex S > (filtered) | lan1! ssm;"
		"lan1 is_ex S A > (filtered) | lan1! ssm;"
		"lan1 v2 leave S > (filtered) | lan1! ssm;"
		"lan1 allow S A > A,S=lan1 | *S= | wan: allow S{A}",
		{SSM_RANGE}},
	{"R117 a query is answered where it was asked",
		"lan1 to_ex G > *G=lan1 | wan: to_ex G{} | lan3: to_ex G{};"
		"wan ?3;"
		"+1000 > wan: is_ex G{};"
		"lan3 ?3;"
		"+1000 > lan3: is_ex G{};"
		"lan1 to_in G > lan1: ? G{};"
		"+1000 > *G=gone | wan: to_in G{} | lan3: to_in G{}",
		{TWO}},
	{"R151 R153 upstream hears INCLUDE only",
		"lan1 allow S A > A,S=lan1 | *S= | wan: allow S{A};"
		"lan2 allow S B > B,S=lan2 | wan: allow S{B};"
		"lan1 to_in S > lan1: ? S{A};"
		"+1000 > A,S=gone | wan: block S{A};"
		"lan2 block S B > lan2: ? S{B};"
		"+1000 > *S=gone | B,S=gone | wan: block S{B}",
		{PLAIN}},
	{"R082 the third group is refused",
		"lan1 to_ex G > *G=lan1 | wan: to_ex G{};"
		"lan1 to_ex H > *H=lan1 | wan: to_ex H{};"
		"lan1 to_ex I > (limit) | lan1! limit;"
		"lan2 to_ex I > *I=lan2 | wan: to_ex I{};"
		"lan1 to_in H > lan1: ? H{};"
		"+1000 > *H=gone | wan: to_in H{};"
		"lan1 to_ex I > *I=lan1+lan2",
		{LIMIT2}},
};

static const struct proxy_case filters_cases[] = {
	{"R144 blacklist on a downstream",
		"lan1 to_ex H > (filtered) | lan1! denied;"
		"lan1 allow H A > (filtered) | lan1! denied;"
		"lan1 to_ex G > *G=lan1 | wan: to_ex G{};"
		"lan2 to_ex H > *H=lan2 | wan: to_ex H{}",
		{BLACK_LAN1}},
	{"R144 whitelist on a downstream",
		"lan1 to_ex G > (filtered) | lan1! denied;"
		"lan1 to_ex H > *H=lan1 | wan: to_ex H{};"
		"lan2 to_ex G > *G=lan2 | wan: to_ex G{}",
		{WHITE_LAN1}},
	{"R144 blacklist on the upstream",
		"lan1 to_ex H > *H=lan1;"
		"lan2 to_ex H > *H=lan1+lan2;"
		"lan1 to_ex G > *G=lan1 | wan: to_ex G{};"
		"wan ?3;"
		"+1000 > wan: is_ex G{}",
		{BLACK_WAN}},
	{"R144 whitelist on the upstream",
		"lan1 to_ex H > *H=lan1 | wan: to_ex H{};"
		"lan1 to_ex G > *G=lan1",
		{WHITE_WAN}},
	{"E15 SSDP stays in the house",
		"lan1 v2 P > *P=lan1;"
		"wan ?3;"
		"+1000",
		{SSDP}},
	{"R144 a reload refuses members that are there",
		"lan1 to_ex G > *G=lan1 | wan: to_ex G{};"
		"lan1 to_ex H > *H=lan1 | wan: to_ex H{};"
		"lan2 to_ex H > *H=lan1+lan2;"
		"reload 1 > lan1! denied | *H=lan2;"
		"reload 0;"
		"lan1 to_ex H > *H=lan1+lan2",
		{PLAIN, BLACK_LAN1}},
	{"R144 a reload ends reports upstream",
		"lan1 to_ex G > *G=lan1 | wan: to_ex G{};"
		"lan1 to_ex H > *H=lan1 | wan: to_ex H{};"
		"reload 1 > wan: to_in H{};"
		"reload 0 > wan: to_ex H{}",
		{PLAIN, BLACK_WAN}},
};

static const struct proxy_case leaving_cases[] = {
	{"R083 a leave asks, then ends",
		"lan1 to_ex G > *G=lan1 | wan: to_ex G{};"
		"lan1 to_in G > lan1: ? G{};"
		"+999;"
		"+1 > *G=gone | wan: to_in G{}",
		{PLAIN}},
	{"R090 leave of an unknown group",
		"lan1 v2 leave G;"
		"lan1 to_in G",
		{PLAIN}},
	{"R092 quickleave ends with the last tracked host",
		"lan1 to_ex G > *G=lan1 | wan: to_ex G{};"
		"lan1#2 to_ex G;"
		"lan1 to_in G;"
		"lan1#2 to_in G > lan1: ? G{} | *G=gone | wan: to_in G{}",
		{QUICK}},
	{"R092 fast-leave holds for its interface",
		"lan1 to_ex G > *G=lan1 | wan: to_ex G{};"
		"lan2 to_ex G > *G=lan1+lan2;"
		"lan1 to_in G > lan1: ? G{} | *G=lan2;"
		"lan2 to_in G > lan2: ? G{};"
		"+1000 > *G=gone | wan: to_in G{}",
		{FAST_LAN1}},
	{"R092 E13 quickleave asks where an older host is",
		"lan1 v2 G > *G=lan1 | wan: to_ex G{};"
		"lan1#2 to_ex G;"
		"lan1#2 to_in G > lan1: ? G{};"
		"lan1 v2 leave G;"
		"+1000 > *G=gone | wan: to_in G{}",
		{QUICK}},
	{"R092 quickleave by sources",
		"lan1 allow G A > A,G=lan1 | *G= | wan: allow G{A};"
		"lan1#2 allow G AB > B,G=lan1 | wan: allow G{B};"
		"lan1#2 block G AB > lan1: ? G{B} | B,G=gone | wan: block G{B};"
		"+1000;"
		"lan1 block G A > lan1: ? G{A} | *G=gone | A,G=gone | wan: block G{A}",
		{QUICK}},
	{"R119 orderly stop",
		"lan1 to_ex G > *G=lan1 | wan: to_ex G{};"
		"stop > wan: to_in G{};"
		"+10000",
		{PLAIN}},
	{"R119 orderly stop, source list",
		"lan2 allow G AB > A,G=lan2 | B,G=lan2 | *G= | wan: allow G{AB};"
		"stop > wan: block G{AB};"
		"+10000",
		{PLAIN}},
	{"R103 R119 robustness times",
		"lan1 to_ex G > *G=lan1 | wan: to_ex G{};"
		"+1000 > wan: to_ex G{};"
		"stop > wan: to_in G{} | wan: to_in G{}",
		{WAN LANS}},
};

static const struct proxy_case roles_cases[] = {
	{"R137 R140 R141 another querier",
		"lan1 to_ex G > *G=lan1 | wan: to_ex G{};"
		"lan2 to_ex G > *G=lan1+lan2;"
		"lan1 ?3 low > lan1! lost | *G=lan2;"
		"lan1 to_ex H > *H= | wan: to_ex H{};"
		"+124999;"
		"+1 > lan1! won | *H=lan1 | *G=lan1+lan2",
		{STRICT}},
	{"R140 regained while members are known",
		"lan1 to_ex G > *G=lan1 | wan: to_ex G{};"
		"lan1 ?3 low > lan1! lost | *G=;"
		"+100000;"
		"lan1 is_ex G;"
		"+24999;"
		"+1 > lan1! won | *G=lan1",
		{STRICT}},
	{"K04 another querier: we stop asking, not forwarding",
		"lan1 to_ex G > *G=lan1 | wan: to_ex G{};"
		"lan1 ?3 low > lan1! lost;"
		"lan1 to_ex H > *H=lan1 | wan: to_ex H{};"
		"lan1 ?3 low;"
		"lan1#2 to_in G;" /* the querier asks for other members */
		"+100000;"
		"lan1 ?3 low;"
		"lan1 is_ex G;"
		"lan1 is_ex H;"
		"reload 1 > *H= | *G=;"
		"reload 0 > *H=lan1 | *G=lan1",
		{PLAIN, STRICT}},
	{"K05 a lower address of no subnet",
		"lan1 to_ex G > *G=lan1 | wan: to_ex G{};"
		"lan1 ?3 stranger > lan1! stranger;"
		"lan1 ?3 stranger > lan1! stranger;"
		"lan1 ?3 low > lan1! lost | *G=;"
		"+124999;"
		"+1 > lan1! won | *G=lan1",
		{STRICT}},
	{"R047 a higher address",
		"lan1 to_ex G > *G=lan1 | wan: to_ex G{};"
		"lan1 ?3 high",
		{STRICT}},
	{"R049 E06 a query from nowhere",
		"lan1 to_ex G > *G=lan1 | wan: to_ex G{};"
		"lan1 ?3 zero;"
		"wan ?3 zero;"
		"+1000 > wan: is_ex G{}",
		{PLAIN}, true},
	{"R015 E11 a query by unicast",
		"lan1 to_ex G > *G=lan1 | wan: to_ex G{};"
		"lan1 ?3 unicast > lan1! unicast;"
		"wan ?3 unicast;"
		"+1000 > wan: is_ex G{}",
		{PLAIN}},
	{"R015 a query by unicast is answered and teaches nothing",
		"lan1 to_ex G > *G=lan1 | wan: to_ex G{};"
		"wan ?2 unicast;"
		"+1000 > wan: is_ex G{}",
		{PLAIN}},
	{"R015 a query for another's unicast address is none",
		"lan1 to_ex G > *G=lan1 | wan: to_ex G{};"
		"wan ?2 other > (destination);"
		"lan1 ?3 other > (destination);"
		"+10000",
		{PLAIN}},
	{"R006 a query with another TTL is answered and teaches nothing",
		"lan1 to_ex G > *G=lan1 | wan: to_ex G{};"
		"wan ?2 ttl;"
		"+1000 > wan: is_ex G{}",
		{PLAIN}},
	{"R189 always-querier",
		"lan1 to_ex G > *G=lan1 | wan: to_ex G{};"
		"lan1 ?3 low;"
		"lan2 ?3 low > lan2! lost",
		{ALWAYS}},
	{"R140 R189 always-querier by reload",
		"lan1 to_ex G > *G=lan1 | wan: to_ex G{};"
		"lan2 to_ex G > *G=lan1+lan2;"
		"lan1 ?3 low > lan1! lost | *G=lan2;"
		"reload 1 > lan1! won | *G=lan1+lan2;"
		"reload 0;"
		"lan1 ?3 low > lan1! lost | *G=lan2",
		{STRICT, STRICT_ALWAYS}},
	{"R054 not querier: nobody is asked",
		"lan1 ?3 low > lan1! lost;"
		"lan1 to_ex G > *G= | wan: to_ex G{};"
		"lan1 to_in G;"
		"+1000",
		{STRICT}},
	{"R057 an older querier of a higher address", "lan1 ?2 high > lan1! older",
		{PLAIN}},
};

static const struct proxy_case versions_cases[] = {
	{"R121 R128 E04 an IGMPv2 provider",
		"wan ?2 > wan! version;"
		"lan1 to_ex G A > A,G= | *G=lan1 | wan: v2 is_ex G{};"
		"lan1 allow G A > A,G=gone;"
		"lan2 allow H A > A,H=lan2 | *H= | wan: v2 is_ex H{};"
		"+1000;"
		"lan2 block H A > lan2: ? H{A};"
		"+1000 > *H=gone | A,H=gone | wan: v2 to_in H{};"
		"stop > wan: v2 to_in G{}",
		{PLAIN}},
	{"R129 E04 the LAN keeps its source filter",
		"wan ?2 > wan! version;"
		"lan1 allow G A > A,G=lan1 | *G= | wan: v2 is_ex G{};"
		"lan2 allow G B > B,G=lan2",
		{PLAIN}},
	{"R146 version 2 upstream by configuration",
		"lan1 to_ex G > *G=lan1 | wan: v2 is_ex G{};"
		"wan ?3;"
		"+1000 > wan: v2 is_ex G{};"
		"stop > wan: v2 to_in G{}",
		{WAN_V2}},
	{"R146 version 2 on a LAN, version 3 upstream",
		"lan1 v2 G > *G=lan1 | wan: to_ex G{};"
		"lan1 v2 leave G > lan1: ? G{};"
		"+1000 > *G=gone | wan: to_in G{}",
		{LAN1_V2}},
	{"R127 an IGMPv1 provider hears no leave",
		"wan ?1 > wan! version;"
		"lan1 to_ex G > *G=lan1 | wan: v1 is_ex G{};"
		"lan1 to_in G > lan1: ? G{};"
		"+1000 > *G=gone",
		{PLAIN}, true},
	{"R093 R096 a member that speaks IGMPv1",
		"lan1 v1 G > *G=lan1 | wan: to_ex G{};"
		"lan1#2 v2 G;"
		"lan1#2 v2 leave G;"
		"+144999;"
		"+1 > *G=gone | wan: to_in G{}",
		{PLAIN}, true},
	{"R133 older and newer hosts together",
		"lan1 v2 G > *G=lan1 | wan: to_ex G{};"
		"lan1#2 allow G A;"
		"lan2 to_ex G A > A,G=lan1 | *G=lan1+lan2;"
		"lan1#2 block G A",
		{PLAIN}},
};

static const struct proxy_case refresh_cases[] = {
	{"R120 E01 E02 no querier upstream",
		"lan1 to_ex G > *G=lan1 | wan: to_ex G{};"
		"+9999;"
		"+1 > wan: is_ex G{};"
		"+10000 > wan: is_ex G{};"
		"wan ?3;"
		"+1000 > wan: is_ex G{};"
		"+9000;"
		"+1000 > wan: is_ex G{}",
		{REFRESH}},
	{"R120 off by default",
		"lan1 to_ex G > *G=lan1 | wan: to_ex G{};"
		"+100000",
		{STRICT}},
};

static void merge(void **state)
{
	(void)state;
	px_cases(merge_cases, array_len(merge_cases));
}

static void refusals(void **state)
{
	(void)state;
	px_cases(refusals_cases, array_len(refusals_cases));
}

static void filters(void **state)
{
	(void)state;
	px_cases(filters_cases, array_len(filters_cases));
}

static void leaving(void **state)
{
	(void)state;
	px_cases(leaving_cases, array_len(leaving_cases));
}

static void roles(void **state)
{
	(void)state;
	px_cases(roles_cases, array_len(roles_cases));
}

static void versions(void **state)
{
	(void)state;
	px_cases(versions_cases, array_len(versions_cases));
}

static void refresh(void **state)
{
	(void)state;
	px_cases(refresh_cases, array_len(refresh_cases));
}

/* ---- counters ---- */

static const char *const plain[] = {PLAIN}, *const strict[] = {STRICT},
			 *const ranged[] = {SSM_RANGE};

/* Every message increases exactly one counter of its port. */
static void each_message_is_counted_once(void **state)
{
	(void)state;
	for (enum family f = 0; f < _FAMILY_N; f++) {
		struct proxy_fixture t;
		struct proxy_port *lan1, *wan;

		px_init(&t, f, ranged);
		px_sync(&t);
		effects_clear(&t.fx);
		px_script(&t, "counters",
			"lan1 v2 G > *G=lan1 | wan: to_ex G{};"
			"lan1 to_ex G; lan1 is_ex G;"
			"lan1#x to_ex H > (foreign) | lan1! foreign;"
			"lan1 to_ex S > (filtered) | lan1! ssm;"
			"lan1 ?3 high; lan1 ?3 self > (own);"
			"lan1 bad; lan1 bad;"
			"wan ?2 > wan! version; wan to_ex G > (role)");
		lan1 = px_port(&t, "lan1");
		wan = px_port(&t, "wan");
		assert_int_equal(lan1->n_received[GM_V2][GM_REPORT - GM_QUERY], 1);
		assert_int_equal(lan1->n_received[GM_V3][GM_REPORT - GM_QUERY], 2);
		assert_int_equal(lan1->n_received[GM_V3][0], 1);
		assert_int_equal(lan1->n_bad[GM_BAD_FOREIGN], 1);
		assert_int_equal(lan1->n_bad[GM_BAD_FILTERED], 1);
		assert_int_equal(lan1->n_bad[GM_BAD_OWN], 1);
		assert_int_equal(lan1->n_bad[GM_BAD_CHECKSUM], 2);
		assert_int_equal(lan1->n_bad[GM_OK], 0);
		assert_int_equal(wan->n_received[GM_V2][0], 1);
		assert_int_equal(wan->n_bad[GM_BAD_ROLE], 1);
		px_deinit(&t);
	}
}

/* R005, R006, R016: accepted, and counted as odd. */
static void r005_r006_r016_oddities_are_counted(void **state)
{
	struct proxy_fixture t;
	struct gm_msg msg = {.kind = GM_QUERY,
		.family = FAMILY_IPV4,
		.version = GM_V2,
		.from = a("10.9.0.1"),
		.notes = GM_NOTE_NO_ROUTER_ALERT | GM_NOTE_TTL};
	struct proxy_port *wan;

	(void)state;
	px_init(&t, FAMILY_IPV4, plain);
	px_sync(&t);
	wan = px_port(&t, "wan");
	msg.query.group = addr_any(FAMILY_IPV4);
	msg.query.max_resp_ms = 1000;
	assert_int_equal(proxy_input(t.proxy, t.now, wan->port, &msg, &t.fx), GM_OK);
	msg.notes = GM_NOTE_TRUNCATED;
	assert_int_equal(proxy_input(t.proxy, t.now, wan->port, &msg, &t.fx), GM_OK);
	assert_int_equal(wan->n_odd[GM_ODD_NO_ROUTER_ALERT], 1);
	assert_int_equal(wan->n_odd[GM_ODD_TTL], 1);
	assert_int_equal(wan->n_odd[GM_ODD_TRUNCATED], 1);
	/* a refused message does not count as odd */
	msg.notes = GM_NOTE_TTL;
	msg.from = wan->link.own[FAMILY_IPV4];
	assert_int_equal(
		proxy_input(t.proxy, t.now, wan->port, &msg, &t.fx), GM_BAD_OWN);
	assert_int_equal(wan->n_odd[GM_ODD_TTL], 1);
	px_deinit(&t);
}

/* A report counts as used if one of its records is. */
static void records_are_judged_one_by_one(void **state)
{
	static const char *const black[] = {"ssm-range default\n" BLACK_LAN1};

	(void)state;
	for (enum family f = 0; f < _FAMILY_N; f++) {
		struct proxy_fixture t;
		struct gm_record rec[3] = {
			{.type = GM_TO_EX, .group = px_group(f, 'H')},
			{.type = GM_TO_EX, .group = px_group(f, 'G')},
			{.type = GM_TO_EX, .group = px_group(f, 'S')},
		};
		struct gm_msg msg = {.kind = GM_REPORT,
			.family = f,
			.version = GM_V3,
			.from = px_addr(f, "lan1", 1),
			.rec = rec,
			.n_rec = 3};
		struct proxy_port *lan1;
		char got[256] = "";

		px_init(&t, f, black);
		px_sync(&t);
		effects_clear(&t.fx);
		lan1 = px_port(&t, "lan1");
		assert_int_equal(
			proxy_input(t.proxy, t.now, lan1->port, &msg, &t.fx), GM_OK);
		px_run(&t, 0);
		px_effects(&t, got, sizeof(got));
		assert_string_equal(
			got, "lan1! denied | lan1! ssm | *G=lan1 | wan: to_ex G{}");
		rec[1] = rec[0];
		assert_int_equal(proxy_input(t.proxy, t.now, lan1->port, &msg, &t.fx),
			GM_BAD_FILTERED);
		px_deinit(&t);
	}
}

/* R020, E07: a host without an address is a normal member. */
static void r020_e07_sender_without_address(void **state)
{
	struct addr nobody = addr_any(FAMILY_IPV4);
	struct proxy_fixture t;
	char got[256] = "";

	(void)state;
	px_init(&t, FAMILY_IPV4, plain);
	px_sync(&t);
	effects_clear(&t.fx);
	assert_int_equal(
		px_report(&t, "lan1", &nobody, GM_V2, GM_IS_EX, 'G', ""), GM_OK);
	px_run(&t, 0);
	px_effects(&t, got, sizeof(got));
	assert_string_equal(got, "*G=lan1 | wan: to_ex G{}");
	px_deinit(&t);
}

/* R053: the S flag concerns timers only, not election and answers. */
static void r053_the_s_flag_stops_neither_election_nor_answer(void **state)
{
	(void)state;
	for (enum family f = 0; f < _FAMILY_N; f++) {
		struct gm_msg msg = {.kind = GM_QUERY, .family = f, .version = GM_V3};
		struct proxy_fixture t;
		char got[256] = "";

		px_init(&t, f, strict);
		px_sync(&t);
		effects_clear(&t.fx);
		px_script(&t, "R053", "lan1 to_ex G > *G=lan1 | wan: to_ex G{}");
		msg.query.group = px_group(f, 'G');
		msg.query.max_resp_ms = 1000;
		msg.query.suppress = true;
		msg.from = px_addr(f, "wan", 1);
		proxy_input(t.proxy, t.now, px_port(&t, "wan")->port, &msg, &t.fx);
		px_run(&t, 1000);
		msg.from = px_addr(f, "lan1", 1);
		msg.query.group = addr_any(f);
		proxy_input(t.proxy, t.now, px_port(&t, "lan1")->port, &msg, &t.fx);
		px_effects(&t, got, sizeof(got));
		assert_string_equal(got, "wan: is_ex G{} | lan1! lost | *G=");
		/* the timers are unchanged */
		px_script(&t, "R053", "+2000");
		px_deinit(&t);
	}
}

/* K05, F3: which queries count on a LAN. */
static void k05_queries_from_a_subnet_of_the_interface(void **state)
{
	static const struct {
		const char *subnet, *from;
		bool counts;
	} v[] = {
		{"192.168.1.0/24", "192.168.1.2", true},
		{"192.168.1.0/24", "10.10.10.10", false},
		{"192.168.1.0/24", "169.254.0.1", false},
		{"192.168.1.0/24", "0.0.0.1", false},
		{"192.168.1.0/24", "192.168.1.255", false},
		{"192.168.1.0/24", "224.0.0.1", false},
		{"169.254.0.0/16", "169.254.0.1", true},
		{"10.9.0.0/31", "10.9.0.1", true},
		{"10.9.0.1/32", "10.9.0.1", true},
		{"0.0.0.0/0", "0.0.0.1", false},
		{NULL, "10.10.10.10", true}, /* we have no address to compare with */
		{NULL, "0.0.0.1", false},
		{NULL, "127.0.0.1", false},
		{NULL, "255.255.255.255", false},
		{"2001:db8::/64", "fe80::1", true},
		{"2001:db8::/64", "fe80::", false},
		{"2001:db8::/64", "2001:db8::1", false},
		{NULL, "fe80::1", true},
		{NULL, "::", false},
	};

	(void)state;
	for (size_t i = 0; i < array_len(v); i++) {
		struct addr from = a(v[i].from);
		struct prefix p;

		if (v[i].subnet)
			assert_int_equal(prefix_parse(v[i].subnet, &p, NULL), 0);
		if (policy_querier(&p, v[i].subnet != NULL, &from) != v[i].counts)
			fail_msg("%s in %s", v[i].from, v[i].subnet);
	}
}

/* R021: altnet also admits senders. */
static void r021_altnet_admits_senders(void **state)
{
	static const char *const text[] = {
		WAN "phyint lan1 downstream altnet 192.0.2.0/24\n" LAN2};
	struct addr from = a("192.0.2.9"), other = a("192.0.3.9");
	struct proxy_fixture t;

	(void)state;
	px_init(&t, FAMILY_IPV4, text);
	px_sync(&t);
	assert_int_equal(px_report(&t, "lan1", &from, GM_V3, GM_TO_EX, 'G', ""), GM_OK);
	assert_int_equal(px_report(&t, "lan1", &other, GM_V3, GM_TO_EX, 'H', ""),
		GM_BAD_FOREIGN);
	assert_int_equal(
		px_report(&t, "lan2", &from, GM_V3, GM_TO_EX, 'G', ""), GM_BAD_FOREIGN);
	px_deinit(&t);
}

/* R060: a day of queries on the LANs and none on the upstream. */
static void r060_no_query_ever_upstream(void **state)
{
	(void)state;
	for (enum family f = 0; f < _FAMILY_N; f++) {
		struct proxy_fixture t;
		char got[256] = "";

		px_init(&t, f, plain);
		px_sync(&t);
		px_run(&t, 86400000);
		px_effects(&t, got, sizeof(got));
		/* 2 LANs, 2 families, every 125 s, and the first */
		assert_int_equal(t.n_general, 4 * (86400 / 125 + 1));
		assert_int_equal(t.n_upstream_queries, 0);
		px_deinit(&t);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(merge),
		cmocka_unit_test(refusals),
		cmocka_unit_test(filters),
		cmocka_unit_test(leaving),
		cmocka_unit_test(roles),
		cmocka_unit_test(versions),
		cmocka_unit_test(refresh),
		cmocka_unit_test(each_message_is_counted_once),
		cmocka_unit_test(r005_r006_r016_oddities_are_counted),
		cmocka_unit_test(records_are_judged_one_by_one),
		cmocka_unit_test(r020_e07_sender_without_address),
		cmocka_unit_test(r053_the_s_flag_stops_neither_election_nor_answer),
		cmocka_unit_test(k05_queries_from_a_subnet_of_the_interface),
		cmocka_unit_test(r021_altnet_admits_senders),
		cmocka_unit_test(r060_no_query_ever_upstream),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
