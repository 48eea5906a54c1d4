/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The life cycle of a proxy's ports: interfaces that disappear, return, or change
 * address or role; reloads; more interfaces than ports; and lack of memory.
 */

#include "fail_alloc.h"
#include "proxy_fixture.h"

#define ONCE	     "robustness 1 last-member-query-interval 1\n"
#define WAN	     "phyint wan upstream\n"
#define LANS	     "phyint lan1 downstream\nphyint lan2 downstream\nphyint lan3 disabled\n"
#define PLAIN	     ONCE WAN LANS
#define WITHOUT_LAN2 ONCE WAN "phyint lan1 downstream\n"
#define WITH_LAN3    PLAIN_LAN "phyint lan3 downstream\n"
#define PLAIN_LAN    ONCE WAN "phyint lan1 downstream\nphyint lan2 downstream\n"
#define SWAPPED                                                                        \
	ONCE "phyint wan downstream\nphyint lan1 upstream\nphyint lan2 downstream\n"
#define SLOWER "query-interval 300 timers rfc3376\n" PLAIN
#define TWO_UP ONCE WAN "phyint lan1 downstream\nphyint lan2 upstream\n"
#define V2_UP  ONCE "phyint wan upstream igmp-version 2 mld-version 1\n" LANS
#define OFF_LAN1                                                                       \
	ONCE WAN "phyint lan1 downstream ipv4 off ipv6 off\nphyint lan2 downstream\n"
#define OFF_WAN ONCE "phyint wan upstream ipv4 off ipv6 off\n" LANS

static const struct proxy_case downstream_cases[] = {
	{"R145 a LAN goes down",
		"lan1 allow G A > A,G=lan1 | *G= | wan: allow G{A};"
		"lan2 allow G AB > A,G=lan1+lan2 | B,G=lan2 | wan: allow G{B};"
		"lan2 down > A,G=lan1 | B,G=gone | wan: block G{B};"
		"lan2 up;"
		"lan2 allow G B > B,G=lan2 | wan: allow G{B}",
		{PLAIN}},
	{"R145 a LAN is removed from the configuration",
		"lan1 to_ex G > *G=lan1 | wan: to_ex G{};"
		"lan2 to_ex G > *G=lan1+lan2;"
		"reload 1 > *G=lan1;"
		"reload 0;"
		"lan2 to_ex G > *G=lan1+lan2",
		{PLAIN, WITHOUT_LAN2}},
	{"R187 a LAN vanishes and returns with another index",
		"lan1 to_ex G > *G=lan1 | wan: to_ex G{};"
		"lan1 gone > *G=gone | wan: to_in G{};"
		"lan1 new;"
		"lan1 to_ex G > *G=lan1 | wan: to_ex G{}",
		{PLAIN}},
	{"R058 a LAN has another address",
		"lan1 to_ex G > *G=lan1 | wan: to_ex G{};"
		"lan1 ?3 low > lan1! lost | *G=;"
		"lan1 moved > *G=lan1",
		{"forwarding querier\n" PLAIN}},
	{"a LAN is added",
		"lan1 to_ex G > *G=lan1 | wan: to_ex G{};"
		"reload 1;"
		"lan3 to_ex G > *G=lan1+lan3",
		{PLAIN, WITH_LAN3}},
	{"ipv4 off and ipv6 off drop what is there",
		"lan1 to_ex G > *G=lan1 | wan: to_ex G{};"
		"lan2 to_ex G > *G=lan1+lan2;"
		"reload 1 > *G=lan2;"
		"lan1 to_ex H > (family);"
		"lan2 to_in G > lan2: ? G{};"
		"+1000 > *G=gone | wan: to_in G{}",
		{PLAIN, OFF_LAN1}},
};

static const struct proxy_case upstream_cases[] = {
	{"R118 E17 the upstream is down for a while",
		"lan1 to_ex G > *G=lan1 | wan: to_ex G{};"
		"wan down;"
		"lan2 to_ex H > *H=lan2;"
		"lan1 to_in G > lan1: ? G{};"
		"+1000 > *G=gone;"
		"wan up > wan: to_ex H{}",
		{PLAIN}},
	{"R118 E17 the upstream vanishes and returns",
		"lan1 to_ex G > *G=lan1 | wan: to_ex G{};"
		"wan gone;"
		"wan new > wan: to_ex G{}",
		{PLAIN}},
	{"R118 E17 the upstream has another address",
		"lan1 to_ex G > *G=lan1 | wan: to_ex G{};"
		"wan moved > wan: to_ex G{}",
		{PLAIN}},
	{"a second upstream learns what is wanted",
		"lan1 to_ex G > *G=lan1 | wan: to_ex G{};"
		"reload 1 > lan2: to_ex G{};"
		"reload 2 > lan2: to_in G{}",
		{ONCE WAN "phyint lan1 downstream\n", TWO_UP,
			ONCE WAN "phyint lan1 downstream\n"}},
	{"R146 another version by reload",
		"lan1 to_ex G > *G=lan1 | wan: to_ex G{};"
		"reload 1 > wan! version | wan! version | wan: v2 is_ex G{};"
		"reload 0 > wan! version | wan! version | wan: to_ex G{}",
		{PLAIN, V2_UP}},
	{"ipv4 off and ipv6 off leave everything",
		"lan1 to_ex G > *G=lan1 | wan: to_ex G{};"
		"reload 1 > wan: to_in G{};"
		"lan1 to_in G > lan1: ? G{};"
		"+1000 > *G=gone;"
		"lan1 to_ex H > *H=lan1;"
		"reload 0 > wan: to_ex H{}",
		{PLAIN, OFF_WAN}},
};

static const struct proxy_case reload_cases[] = {
	{"a reload that changes nothing",
		"lan1 to_ex G > *G=lan1 | wan: to_ex G{};"
		"lan2 allow H A > A,H=lan2 | *H= | wan: allow H{A};"
		"reload 0",
		{PLAIN}},
	{"timers of a reload hold for groups that are there",
		"lan1 to_ex G > *G=lan1 | wan: to_ex G{};"
		"reload 1;"
		"+144999;"
		"+1 > *G=gone | wan: to_in G{}",
		{PLAIN, SLOWER}},
	{"upstream and downstream change places",
		"lan1 to_ex G > *G=lan1 | wan: to_ex G{};"
		"lan2 to_ex G > *G=lan1+lan2;"
		"reload 1 > wan: to_in G{} | *G=lan2 | lan1: to_ex G{};"
		"wan to_ex H > *H=wan | lan1: to_ex H{};"
		"lan1 to_ex H > (role)",
		{PLAIN, SWAPPED}},
};

static void downstreams(void **state)
{
	(void)state;
	px_cases(downstream_cases, array_len(downstream_cases));
}

static void upstreams(void **state)
{
	(void)state;
	px_cases(upstream_cases, array_len(upstream_cases));
}

static void reloads(void **state)
{
	(void)state;
	px_cases(reload_cases, array_len(reload_cases));
}

static void start(struct proxy_fixture *t, const char *const *text)
{
	px_init(t, FAMILY_IPV4, text);
	px_sync(t);
	assert_int_equal(t->sync, 0);
	effects_clear(&t->fx);
}

static void port_numbers_are_stable(void **state)
{
	static const char *const text[] = {PLAIN, WITHOUT_LAN2, WITH_LAN3};
	struct proxy_fixture t;
	unsigned wan, lan1;

	(void)state;
	start(&t, text);
	wan = px_port(&t, "wan")->port;
	lan1 = px_port(&t, "lan1")->port;
	px_link(&t, "lan1", "gone");
	assert_int_equal(px_port(&t, "lan1")->ifindex, 0);
	assert_false(px_port(&t, "lan1")->up);
	px_link(&t, "lan1", "new");
	assert_int_equal(px_port(&t, "lan1")->ifindex, t.last_ifindex);
	assert_int_equal(px_port(&t, "lan1")->report_ifindex, t.last_ifindex);
	px_reload(&t, 1);
	assert_null(px_port(&t, "lan2"));
	px_reload(&t, 2);
	assert_int_equal(px_port(&t, "wan")->port, wan);
	assert_int_equal(px_port(&t, "lan1")->port, lan1);
	assert_non_null(px_port(&t, "lan2"));
	assert_int_not_equal(px_port(&t, "lan2")->port, px_port(&t, "lan3")->port);
	px_deinit(&t);
}

/* Ports refer to the configuration in force, never to an old one. */
static void ports_follow_the_configuration(void **state)
{
	static const char *const text[] = {PLAIN, SLOWER};
	struct proxy_fixture t;

	(void)state;
	start(&t, text);
	px_reload(&t, 1);
	for (unsigned i = 0; i < PORT_MAX; i++)
		if (t.proxy->port[i])
			assert_ptr_equal(t.proxy->port[i]->cfg,
				config_iface_find(t.cfg, t.proxy->port[i]->name));
	assert_int_equal(
		px_port(&t, "lan1")->groups.params.gm.query_interval_ms, 300000);
	assert_int_equal(
		px_port(&t, "lan1")->querier[FAMILY_IPV4].params.query_interval_ms,
		300000);
	px_deinit(&t);
}

static void defaultdown_makes_downstreams(void **state)
{
	static const char *const text[] = {
		"defaultdown\n" ONCE WAN "phyint lan2 disabled\n"};
	struct iface lo = {.ifindex = 900,
		.name = "lo",
		.mtu = 65536,
		.up = true,
		.loopback = true};
	struct iface tun = {.ifindex = 901, .name = "tun0", .mtu = 1400, .up = true};
	struct proxy_fixture t;

	(void)state;
	px_init(&t, FAMILY_IPV4, text);
	assert_int_equal(iface_link(&t.ifaces, &lo), 1);
	assert_int_equal(iface_link(&t.ifaces, &tun), 1);
	px_sync(&t);
	assert_int_equal(px_port(&t, "lan1")->role, CONFIG_ROLE_DOWNSTREAM);
	assert_int_equal(px_port(&t, "lan3")->role, CONFIG_ROLE_DOWNSTREAM);
	assert_null(px_port(&t, "lan2"));
	assert_null(px_port(&t, "lo"));
	assert_null(px_port(&t, "tun0")); /* tun0 cannot do multicast */
	px_iface(&t, "lan4");
	px_sync(&t);
	assert_non_null(px_port(&t, "lan4"));
	px_link(&t, "lan4", "gone");
	assert_null(px_port(&t, "lan4"));
	px_deinit(&t);
}

static void more_interfaces_than_ports(void **state)
{
	static const char *const text[] = {"defaultdown\n" ONCE WAN};
	struct proxy_fixture t;
	char name[IFNAMSIZ];
	unsigned n = 0;

	(void)state;
	px_init(&t, FAMILY_IPV4, text);
	for (int i = 4; i <= 260; i++) {
		snprintf(name, sizeof(name), "lan%d", i);
		px_iface(&t, name);
	}
	px_sync(&t);
	assert_int_equal(t.sync, 261 - PORT_MAX);
	for (unsigned i = 0; i < PORT_MAX; i++)
		n += t.proxy->port[i] != NULL;
	assert_int_equal(n, PORT_MAX);
	/* when a port disappears, a waiting interface gets its number */
	px_link(&t, "lan1", "gone");
	assert_int_equal(t.sync, 260 - PORT_MAX);
	px_deinit(&t);
}

/* Without ports messages are refused and there is no deadline. */
static void nothing_there(void **state)
{
	static const char *const text[] = {PLAIN};
	struct gm_msg msg = {
		.kind = GM_REPORT, .version = GM_V3, .family = FAMILY_IPV4};
	struct proxy_fixture t;

	(void)state;
	px_init(&t, FAMILY_IPV4, text);
	iface_table_deinit(&t.ifaces);
	px_sync(&t);
	assert_int_equal(proxy_deadline(t.proxy).ns, MONO_NEVER.ns);
	assert_int_equal(proxy_input(t.proxy, t.now, 77, &msg, &t.fx), GM_BAD_ROLE);
	proxy_input_bad(t.proxy, 77, GM_BAD_CHECKSUM);
	proxy_shutdown(t.proxy, t.now, &t.fx);
	assert_int_equal(t.fx.n, 0);
	assert_int_equal(px_port(&t, "wan")->ifindex, 0);
	px_deinit(&t);
	assert_null(proxy_free(NULL));
}

static void family_that_is_not_spoken(void **state)
{
	static const bool only_v4[_FAMILY_N] = {[FAMILY_IPV4] = true};
	static const char *const text[] = {PLAIN};
	struct proxy_fixture t;

	(void)state;
	px_init(&t, FAMILY_IPV6, text);
	proxy_free(t.proxy);
	assert_int_equal(proxy_new(3, only_v4, 42, &t.proxy), 0);
	px_sync(&t);
	effects_for_each (&t.fx, e)
		assert_true(e->type != EFFECT_QUERY || addr_is_v4(&e->query.from));
	effects_clear(&t.fx);
	px_script(&t, "IPv4 only", "lan1 to_ex G > (family); wan ?3 > (family)");
	px_deinit(&t);
}

/* A join of two groups and a leave of one, while one memory request fails. Once there
 * is memory again, a sync and the members' answers to a query restore everything. */
static bool short_of_memory(long after, bool *ret_failed)
{
	static const char *const text[] = {PLAIN};
	struct proxy_fixture t;
	struct addr host = px_addr(FAMILY_IPV4, "lan1", 1);
	struct addr g = px_group(FAMILY_IPV4, 'G'), h = px_group(FAMILY_IPV4, 'H');
	bool good;

	px_init(&t, FAMILY_IPV4, text);
	fail_alloc_after = after;
	px_sync(&t);
	if (px_port(&t, "lan1")) {
		px_report(&t, "lan1", &host, GM_V3, GM_TO_EX, 'G', "AB");
		px_report(&t, "lan1", &host, GM_V3, GM_TO_EX, 'H', "");
		px_report(&t, "lan1", &host, GM_V3, GM_TO_IN, 'H', "");
		px_run(&t, 2000);
	}
	*ret_failed = fail_alloc_after == -1;
	fail_alloc_after = -1;
	px_sync(&t);
	good = t.sync == 0;
	px_report(&t, "lan1", &host, GM_V3, GM_IS_EX, 'G', "AB");
	px_run(&t, 5000);
	good = good && upstream_find(&px_port(&t, "wan")->upstream, &g) &&
		mdb_find(&t.proxy->mdb, &g) && !mdb_find(&t.proxy->mdb, &h) &&
		!upstream_find(&px_port(&t, "wan")->upstream, &h);
	px_deinit(&t);
	return good;
}

/* A report that is lost for lack of memory is counted as lost. */
static void no_memory_for_a_group(void **state)
{
	static const char *const text[] = {PLAIN};
	struct proxy_fixture t;
	struct addr host = px_addr(FAMILY_IPV4, "lan1", 1);

	(void)state;
	px_init(&t, FAMILY_IPV4, text);
	px_sync(&t);
	fail_alloc_after = 0;
	assert_int_equal(
		px_report(&t, "lan1", &host, GM_V3, GM_TO_EX, 'G', ""), GM_BAD_MEMORY);
	assert_int_equal(fail_alloc_after, -1);
	assert_int_equal(px_port(&t, "lan1")->n_bad[GM_BAD_MEMORY], 1);
	assert_int_equal(px_report(&t, "lan1", &host, GM_V3, GM_TO_EX, 'G', ""), GM_OK);
	px_deinit(&t);
}

static void no_memory(void **state)
{
	bool failed = true;
	long n;

	(void)state;
	for (n = 0; failed; n++) {
		assert_true(n < 1000);
		if (!short_of_memory(n, &failed))
			fail_msg("request %ld for memory failed: not recovered", n);
	}
	assert_true(n > 20);
}

/* F9: whether an upstream believes a querier depends on the addresses of its link. */
static void f9_members(void **state)
{
	static const struct {
		const char *own, *subnet, *from;
		bool inside;
	} c[] = {
		{"84.1.2.3", "84.1.2.0/24", "84.1.2.1", true},
		{"84.1.2.3", "84.1.2.0/24", "10.10.10.10", false},
		{"84.1.2.3", "84.1.2.0/24", "0.0.0.0", false},
		{"84.1.2.3", "84.1.2.0/24", "84.1.2.255", false},
		/* point to point: the subnet is the peer */
		{"84.1.2.3", "84.1.0.1/32", "84.1.0.1", true},
		{"84.1.2.3", "84.1.0.1/32", "84.1.2.4", false},
		/* no subnet */
		{"84.1.2.3", "84.1.2.3/32", "84.1.0.1", false},
		{NULL, NULL, "84.1.0.1", false},
		{NULL, NULL, "0.0.0.0", false},
		{"fe80::3", "fe80::/64", "fe80::1", true},
		{"fe80::3", "fe80::/64", "fe80::", false},
	};
	static const char *const text[] = {
		"phyint wan upstream\nphyint lan1 downstream\n"};

	for (size_t i = 0; i < array_len(c); i++) {
		struct addr from = a(c[i].from);
		struct gm_msg msg = {.kind = GM_QUERY,
			.family = addr_family(&from),
			.version = GM_V3,
			.from = from,
			.query = {.group = addr_any(addr_family(&from)),
				.max_resp_ms = 1000}};
		struct proxy_fixture t;
		struct iface *wan;

		px_init(&t, msg.family, text);
		wan = iface_by_name(&t.ifaces, "wan");
		while (wan->n_addr)
			iface_addr_del(&t.ifaces, wan->ifindex, wan->addr);
		if (c[i].own) {
			struct iface_addr ia = {.addr = a(c[i].own)};

			assert_int_equal(
				prefix_parse(c[i].subnet, &ia.subnet, NULL), 0);
			assert_int_equal(
				iface_addr_set(&t.ifaces, wan->ifindex, &ia), 1);
		}
		px_sync(&t);
		assert_int_equal(proxy_input(t.proxy, t.now, px_port(&t, "wan")->port,
					 &msg, &t.fx),
			GM_OK);
		if (px_port(&t, "wan")->upstream.family[msg.family].taught_inside !=
			c[i].inside)
			fail_msg("%s in %s, %s", c[i].own, c[i].subnet, c[i].from);
		px_deinit(&t);
	}
}

/* K07: the source address of reports follows one querier, and only its general
 * queries. */
static void k07_the_first_querier_is_followed(void **state)
{
	static const char *const text[] = {
		"phyint wan upstream\nphyint lan1 downstream\n"};
	static const struct {
		const char *from, *group, *own;
		int64_t after_ms;
	} c[] = {
		{"10.0.0.1", "239.1.1.1", "84.1.2.3", 0},
		{"10.0.0.1", "0.0.0.0", "10.0.0.3", 0},
		{"84.1.2.1", "0.0.0.0", "10.0.0.3", 1000},
		{"84.1.2.1", "239.1.1.1", "10.0.0.3", 200000},
		{"84.1.2.1", "0.0.0.0", "84.1.2.3", 100000},
	};
	static const char *const own[][2] = {
		{"84.1.2.3", "84.1.2.0/24"}, {"10.0.0.3", "10.0.0.0/24"}};
	struct proxy_fixture t;
	struct iface *wan;

	(void)state;
	px_init(&t, FAMILY_IPV4, text);
	wan = iface_by_name(&t.ifaces, "wan");
	while (wan->n_addr)
		iface_addr_del(&t.ifaces, wan->ifindex, wan->addr);
	for (size_t i = 0; i < array_len(own); i++) {
		struct iface_addr ia = {.addr = a(own[i][0])};

		assert_int_equal(prefix_parse(own[i][1], &ia.subnet, NULL), 0);
		assert_int_equal(iface_addr_set(&t.ifaces, wan->ifindex, &ia), 1);
	}
	px_sync(&t);
	for (size_t i = 0; i < array_len(c); i++) {
		struct gm_msg msg = {.kind = GM_QUERY,
			.version = GM_V3,
			.from = a(c[i].from),
			.query = {.group = a(c[i].group), .max_resp_ms = 1000}};
		struct addr expected = a(c[i].own);

		msg.family = FAMILY_IPV4;
		t.now = mono_add_ms(t.now, c[i].after_ms);
		proxy_input(t.proxy, t.now, px_port(&t, "wan")->port, &msg, &t.fx);
		if (!addr_eq(&px_port(&t, "wan")->link.own[FAMILY_IPV4], &expected))
			fail_msg("query %zu", i);
	}
	px_deinit(&t);
}

/* K10: this router's own messages create no membership on any port. */
static void k10_own_messages_on_any_port(void **state)
{
	static const struct {
		const char *id, *from;
		struct gm_mac mac;
		enum gm_bad bad;
		bool echo; /* from another port's MAC */
	} c[] = {
		{"a host", "10.1.0.7", {{2, 0, 0, 0, 0, 99}}, GM_OK, false},
		{"no link-layer address", "10.1.0.7", {{0}}, GM_OK, false},
		{"wan's address", "84.1.2.3", {{0}}, GM_BAD_OWN, true},
		{"wan's alias", "10.0.0.3", {{0}}, GM_BAD_OWN, true},
		{"wan's frame", "0.0.0.0", {{2, 0, 0, 0, 0, 1}}, GM_BAD_OWN, true},
		{"its own address", "10.1.0.100", {{0}}, GM_BAD_OWN, false},
		{"its own frame", "10.1.0.7", {{2, 0, 0, 0, 0, 2}}, GM_BAD_OWN, false},
		{"link-local, as wan has one", "fe80::3", {{0}}, GM_OK, false},
		{"its own link-local", "fe80::4", {{0}}, GM_BAD_OWN, false},
	};
	static const char *const text[] = {
		"phyint wan upstream\nphyint lan1 downstream "
		"altnet 0.0.0.0/0\n"};
	static const char *const addresses[][3] = {
		{"84.1.2.3", "10.0.0.3", "fe80::3"}, {"10.1.0.100", "fe80::4"}};

	for (size_t i = 0; i < array_len(c); i++) {
		struct addr from = a(c[i].from);
		enum family f = addr_family(&from);
		struct gm_record rec = {.type = GM_TO_EX, .group = px_group(f, 'G')};
		struct gm_msg msg = {.kind = GM_REPORT,
			.family = f,
			.version = GM_V3,
			.from = from,
			.mac = c[i].mac,
			.rec = &rec,
			.n_rec = 1};
		struct proxy_port *lan1;
		struct proxy_fixture t;
		char got[256] = "";

		px_init(&t, f, text);
		for (size_t k = 0; k < 2; k++) {
			struct iface *link =
				iface_by_name(&t.ifaces, k ? "lan1" : "wan");

			while (link->n_addr)
				iface_addr_del(&t.ifaces, link->ifindex, link->addr);
			link->mac[5] = (uint8_t)(k + 1);
			for (size_t n = 0; n < 3 && addresses[k][n]; n++) {
				struct iface_addr ia = {.addr = a(addresses[k][n])};

				ia.subnet = prefix_from_addr(&ia.addr, 24);
				iface_addr_set(&t.ifaces, link->ifindex, &ia);
			}
		}
		px_sync(&t);
		effects_clear(&t.fx);
		lan1 = px_port(&t, "lan1");
		if (proxy_input(t.proxy, t.now, lan1->port, &msg, &t.fx) != c[i].bad)
			fail_msg("%s", c[i].id);
		px_effects(&t, got, sizeof(got));
		if (c[i].bad == GM_OK)
			assert_non_null(strstr(got, "*G=lan1"));
		else
			assert_string_equal(got, c[i].echo ? "lan1! own" : "");
		assert_int_equal(mono_is_set(lan1->echo_at), c[i].echo);
		px_deinit(&t);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(downstreams),
		cmocka_unit_test(upstreams),
		cmocka_unit_test(reloads),
		cmocka_unit_test(port_numbers_are_stable),
		cmocka_unit_test(ports_follow_the_configuration),
		cmocka_unit_test(defaultdown_makes_downstreams),
		cmocka_unit_test(more_interfaces_than_ports),
		cmocka_unit_test(nothing_there),
		cmocka_unit_test(family_that_is_not_spoken),
		cmocka_unit_test(no_memory_for_a_group),
		cmocka_unit_test(no_memory),
		cmocka_unit_test(f9_members),
		cmocka_unit_test(k07_the_first_querier_is_followed),
		cmocka_unit_test(k10_own_messages_on_any_port),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
