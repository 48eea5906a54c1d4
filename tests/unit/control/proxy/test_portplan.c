/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * From ports to the port plan: which sources an input accepts (R174, R143), where its
 * frames may go (forward-from-downstream), and what the data plane knows of each
 * interface.
 */

#include "control/proxy/portplan.h"
#include "proxy_fixture.h"

#define LANS "phyint lan1 downstream\nphyint lan2 downstream\nphyint lan3 disabled\n"

struct lab {
	struct proxy_fixture t; /* interfaces and configuration */
	struct instances *instances;
	struct plan *plan;
};

static void lab_build(struct lab *l)
{
	instances_release(l->instances, l->t.now, l->t.cfg, &l->t.ifaces, &l->t.fx);
	assert_int_equal(instances_sync(l->instances, l->t.now, l->t.cfg, &l->t.ifaces,
				 &l->t.fx),
		0);
	effects_clear(&l->t.fx);
	plan_free(l->plan);
	l->plan = portplan_build(l->instances, &l->t.ifaces);
	assert_non_null(l->plan);
}

static void lab_init(struct lab *l, const char *text)
{
	static const bool families[_FAMILY_N] = {true, true};
	const char *const texts[] = {text};

	l->plan = NULL;
	px_init(&l->t, FAMILY_IPV4, texts);
	assert_int_equal(instances_new(families, 42, &l->instances), 0);
	lab_build(l);
}

static void lab_deinit(struct lab *l)
{
	plan_free(l->plan);
	instances_free(l->instances);
	px_deinit(&l->t);
}

static struct plan_port *port(const struct lab *l, const char *name)
{
	for (unsigned i = 0; i < PORT_MAX; i++)
		if (l->instances->port[i] &&
			strcmp(l->instances->port[i]->name, name) == 0)
			return &l->plan->port[i];
	fail_msg("no port %s", name);
	return NULL;
}

/* ---- sources ---- */

struct source_case {
	const char *id, *config, *port, *source;
	bool accept;
};

#define LOOSE  "phyint wan upstream altnet 0.0.0.0/0 altnet ::/0\n" LANS
#define PART   "phyint wan upstream altnet 172.16.0.0/12 altnet 2001:db8:7::/48\n" LANS
#define INNER  "phyint wan upstream altnet 10.1.0.64/26\n" LANS
#define LOCAL  "phyint wan upstream\nphyint lan1 downstream altnet 192.168.7.0/24\n"
#define EQUAL  "phyint wan upstream altnet 10.1.0.0/24\n" LANS
#define CAST   "phyint wan upstream altnet 10.9.0.255/32\n" LANS
#define STRICT "phyint wan upstream\n" LANS

static const struct source_case source_cases[] = {
	{"R174 own subnet", STRICT, "wan", "10.9.0.1", true},
	{"R174 own subnet", STRICT, "lan1", "10.1.0.77", true},
	{"R174 elsewhere", STRICT, "wan", "192.0.2.1", false},
	{"R174 elsewhere", STRICT, "lan1", "10.3.0.1", false},
	{"R174 altnet, inside", PART, "wan", "172.31.255.255", true},
	{"R174 altnet, outside", PART, "wan", "172.32.0.0", false},
	{"R174 altnet, inside", PART, "wan", "2001:db8:7::1", true},
	{"R174 altnet, outside", PART, "wan", "2001:db8:8::1", false},
	{"R174 altnet is of one interface", PART, "lan1", "172.31.0.1", false},
	{"R174 altnet of a downstream", LOCAL, "lan1", "192.168.7.1", true},
	{"R174 altnet of a downstream", LOCAL, "wan", "192.168.7.1", false},
	{"R174 altnet of everything", LOOSE, "wan", "8.8.8.8", true},
	{"R174 altnet of everything", LOOSE, "wan", "2001:db8::1", true},
	{"R143 subnet of another port", STRICT, "wan", "10.1.0.1", false},
	{"R143 subnet of another port", STRICT, "lan1", "10.2.0.1", false},
	{"R143 even behind altnet 0.0.0.0/0", LOOSE, "wan", "10.1.0.1", false},
	{"R143 our own address too", LOOSE, "wan", "10.1.0.100", false},
	{"R143 not of an interface without a role", LOOSE, "wan", "10.3.0.1", true},
	{"R174 the longest prefix decides", INNER, "wan", "10.1.0.65", true},
	{"R174 the longest prefix decides", INNER, "wan", "10.1.0.1", false},
	{"R143 between equals the altnet is meant", EQUAL, "wan", "10.1.0.1", true},
	{"F15 broadcast address", STRICT, "wan", "10.9.0.255", false},
	{"F15 broadcast address", LOOSE, "wan", "10.9.0.255", false},
	{"F15 broadcast address, meant by an altnet", CAST, "wan", "10.9.0.255", true},
	{"F15 lowest address, which Linux gives to hosts", STRICT, "wan", "10.9.0.0",
		true},
};

static void sources(void **state)
{
	(void)state;
	for (size_t i = 0; i < array_len(source_cases); i++) {
		const struct source_case *c = &source_cases[i];
		struct addr source = a(c->source);
		struct lab l;

		lab_init(&l, c->config);
		if (plan_source_ok(port(&l, c->port), &source) != c->accept)
			fail_msg("%s: %s on %s must be %s", c->id, c->source, c->port,
				c->accept ? "accepted" : "refused");
		lab_deinit(&l);
	}
}

/* If the upstream is cabled to a LAN, each port refuses what the other one sends. */
static void r143_a_loop_is_cut_in_both_directions(void **state)
{
	struct addr lan = a("10.1.0.5"), wan = a("10.9.0.5");
	struct lab l;

	(void)state;
	lab_init(&l, "forward-from-downstream all\n" LOOSE);
	assert_true(plan_source_ok(port(&l, "lan1"), &lan));
	assert_false(plan_source_ok(port(&l, "wan"), &lan));
	assert_true(plan_source_ok(port(&l, "wan"), &wan));
	assert_false(plan_source_ok(port(&l, "lan1"), &wan));
	lab_deinit(&l);
}

/* A new address of a LAN makes its subnet belong to the LAN. */
static void sources_follow_the_addresses(void **state)
{
	struct iface_addr ia = {.addr = a("10.77.0.1"),
		.subnet = {.addr = a("10.77.0.0"), .len = 96 + 24}};
	struct addr source = a("10.77.0.9");
	struct lab l;

	(void)state;
	lab_init(&l, LOOSE);
	assert_true(plan_source_ok(port(&l, "wan"), &source));
	iface_addr_set(&l.t.ifaces, iface_by_name(&l.t.ifaces, "lan1")->ifindex, &ia);
	lab_build(&l);
	assert_false(plan_source_ok(port(&l, "wan"), &source));
	assert_true(plan_source_ok(port(&l, "lan1"), &source));
	lab_deinit(&l);
}

static void r162_addresses_of_all_interfaces(void **state)
{
	static const struct {
		const char *addr;
		bool own;
	} c[] = {
		{"10.9.0.100", true}, {"10.1.0.100", true},
		{"10.3.0.100", true}, /* an interface without a role */
		{"10.1.0.101", false}, {"fe80::1", false}, /* never forwarded */
	};
	struct lab l;

	(void)state;
	lab_init(&l, STRICT);
	for (size_t i = 0; i < array_len(c); i++) {
		struct addr x = a(c[i].addr);

		if (plan_is_own(l.plan, &x) != c[i].own)
			fail_msg("%s", c[i].addr);
	}
	lab_deinit(&l);
}

/* ---- groups ---- */

struct group_case {
	const char *id, *words, *port, *group;
	bool in, out; /* may frames of the group come in, and go out? */
};

#define BOTH " boundary 239.255.0.0/16 whitelist 239.0.0.0/8 blacklist 239.1.0.0/16"

static const struct group_case group_cases[] = {
	{"nothing said", "", "wan", "239.255.1.1", true, true},
	{"nothing said", "", "lan1", "ff05::1", true, true},
	{"R203 scope of the organisation", "", "wan", "ff08::1", false, false},
	{"R203 global scope", "", "wan", "ff0e::1", true, true},
	{"R160 boundary-scope", " boundary-scope 2", "wan", "ff05::1", true, true},
	{"R160 boundary-scope", " boundary-scope 5", "lan1", "ff05::1", false, false},
	{"R160 boundary-scope", " boundary-scope 5", "lan1", "ff08::1", true, true},
	{"F15 SSDP and a provider", "", "wan", "239.255.255.250", false, false},
	{"F15 SSDP among LANs", "", "lan1", "239.255.255.250", true, true},
	{"F15 its neighbours", "", "wan", "239.255.255.249", true, true},
	{"F15 SSDP as it was", " boundary-scope 2", "wan", "239.255.255.250", true,
		true},
	{"F15 SSDP of a LAN", " boundary-scope 3", "lan1", "239.255.255.250", false,
		false},
	{"R161 boundary", BOTH, "wan", "239.255.1.1", false, false},
	{"R161 boundary", BOTH, "lan1", "239.255.1.1", false, false},
	{"R144 list towards the provider", BOTH, "wan", "239.1.1.1", true, false},
	{"R144 list towards the provider", BOTH, "wan", "225.1.1.1", true, false},
	{"R144 list towards the provider", BOTH, "wan", "239.2.1.1", true, true},
	{"R144 a list of a LAN is about members", BOTH, "lan1", "239.1.1.1", true,
		true},
};

static void groups(void **state)
{
	(void)state;
	for (size_t i = 0; i < array_len(group_cases); i++) {
		const struct group_case *c = &group_cases[i];
		bool wan = strcmp(c->port, "wan") == 0;
		struct addr group = a(c->group);
		const struct plan_port *p;
		char config[512];
		struct lab l;

		snprintf(config, sizeof(config),
			"phyint wan upstream%s\nphyint lan1 downstream%s\n",
			wan ? c->words : "", wan ? "" : c->words);
		lab_init(&l, config);
		p = port(&l, c->port);
		if (plan_group_ok(&p->in, &group) != c->in ||
			plan_group_ok(&p->out, &group) != c->out)
			fail_msg("%s: %s on %s with '%s'", c->id, c->group, c->port,
				c->words);
		lab_deinit(&l);
	}
}

/* ---- programs of this host ---- */

struct local_case {
	const char *port, *group;
	bool local;
};

/* K03: what this host's kernel holds on a downstream is given to its programs. On an
 * upstream the kernel hears the stream itself, and lan3 has no role. */
static void k03_groups_of_this_host(void **state)
{
	static const char *const held[_FAMILY_N] = {
		[FAMILY_IPV4] = "lan2 239.1.1.1, lan1 239.1.1.9, lan1 239.1.1.1, "
				"lan3 239.1.1.3, wan 239.1.1.4",
		[FAMILY_IPV6] = "lan1 ff05::7",
	};
	static const struct local_case c[] = {
		{"lan1", "239.1.1.1", true},
		{"lan1", "239.1.1.9", true},
		{"lan1", "ff05::7", true},
		{"lan1", "239.1.1.3", false},
		{"lan2", "239.1.1.1", true},
		{"lan2", "239.1.1.9", false},
		{"lan2", "ff05::7", false},
		{"wan", "239.1.1.4", false},
	};
	struct kgroup group[_FAMILY_N][8] = {0};
	struct kgroups kernel[_FAMILY_N] = {0};
	struct lab l;

	(void)state;
	lab_init(&l, STRICT);
	for (enum family f = FAMILY_IPV4; f < _FAMILY_N; f++) {
		char text[128], *rest = text, *word;

		kernel[f].v = group[f];
		snprintf(text, sizeof(text), "%s", held[f]);
		while ((word = strsep(&rest, ","))) {
			char name[IFNAMSIZ], addr[ADDR_STRLEN];

			assert_int_equal(sscanf(word, " %15s %45s", name, addr), 2);
			group[f][kernel[f].n++] = (struct kgroup){
				.ifindex = iface_by_name(&l.t.ifaces, name)->ifindex,
				.group = a(addr),
				.n_users = 1,
			};
		}
		l.instances->kernel[f] = &kernel[f];
	}
	lab_build(&l);
	for (size_t i = 0; i < array_len(c); i++) {
		struct addr g = a(c[i].group);

		if (plan_is_local(port(&l, c[i].port), &g) != c[i].local)
			fail_msg("%s on %s", c[i].group, c[i].port);
	}
	lab_deinit(&l);
}

/* ---- directions ---- */

static void put_set(struct lab *l, char *buf, size_t size, const struct portset *set)
{
	const char *separator = "";

	portset_for_each (set, n) {
		px_put(buf, size, separator);
		px_put(buf, size, l->instances->port[n]->name);
		separator = "+";
	}
}

struct direction_case {
	const char *id, *config, *port,
		*want; /* "allowed/always"; "-" if the port receives nothing */
};

#define TWO                                                                            \
	"phyint wan upstream\nphyint lan3 upstream\nphyint lan1 downstream\nphyint lan2 downstream\n"

#define INSTANCES                                                                      \
	"instance a\nphyint wan upstream\nphyint lan1 downstream\n"                    \
	"instance b\nphyint lan3 upstream\nphyint lan2 downstream\n"

static const struct direction_case direction_cases[] = {
	{"R137 from upstream to every LAN", STRICT, "wan", "lan1+lan2/"},
	{"none is the default", STRICT, "lan1", "-"},
	{"none", "forward-from-downstream none\n" STRICT, "lan2", "-"},
	{"R147 downstream", "forward-from-downstream downstream\n" STRICT, "lan1",
		"lan2/"},
	{"R147 downstream", "forward-from-downstream downstream\n" STRICT, "wan",
		"lan1+lan2/"},
	{"R138 all: upstream always", "forward-from-downstream all\n" STRICT, "lan1",
		"wan+lan2/wan"},
	{"R138 all: never back", "forward-from-downstream all\n" STRICT, "lan2",
		"wan+lan1/wan"},
	{"R138 all: from upstream nothing else", "forward-from-downstream all\n" STRICT,
		"wan", "lan1+lan2/"},
	{"not between upstreams", "forward-from-downstream all\n" TWO, "wan",
		"lan1+lan2/"},
	{"R132 within its instance", "forward-from-downstream all\n" INSTANCES, "lan1",
		"wan/wan"},
	{"R132 within its instance", "forward-from-downstream all\n" INSTANCES, "lan3",
		"lan2/"},
	{"to all upstreams", "forward-from-downstream all\n" TWO, "lan1",
		"wan+lan3+lan2/wan+lan3"},
};

static void directions(void **state)
{
	(void)state;
	for (size_t i = 0; i < array_len(direction_cases); i++) {
		const struct direction_case *c = &direction_cases[i];
		const struct plan_port *p;
		char got[128] = "";
		struct lab l;

		lab_init(&l, c->config);
		p = port(&l, c->port);
		put_set(&l, got, sizeof(got), &p->allowed);
		px_put(got, sizeof(got), "/");
		put_set(&l, got, sizeof(got), &p->always);
		if (!p->receive) {
			assert_string_equal(got, "/");
			snprintf(got, sizeof(got), "-");
		}
		if (strcmp(got, c->want) != 0)
			fail_msg("%s, %s: %s, not %s", c->id, c->port, got, c->want);
		lab_deinit(&l);
	}
}

/* ---- the rest ---- */

static void interfaces_are_described(void **state)
{
	struct iface tun = {.ifindex = 900,
		.name = "tun0",
		.arphrd = 65534,
		.mtu = 1380,
		.up = true,
		.multicast = true};
	const struct plan_port *p;
	struct lab l;

	(void)state;
	lab_init(&l,
		"phyint tun0 upstream ipv6 off\nphyint lan1 downstream threshold 3\n");
	assert_false(port(&l, "tun0")->present);
	assert_int_equal(iface_link(&l.t.ifaces, &tun), 1);
	lab_build(&l);
	p = port(&l, "tun0");
	assert_true(p->present);
	assert_string_equal(p->name, "tun0");
	assert_int_equal(p->ifindex, 900);
	assert_int_equal(p->role, PLAN_UPSTREAM);
	assert_int_equal(p->instance, l.instances->instance[0].proxy->instance);
	assert_false(p->has_l2);
	assert_int_equal(p->mtu, 1380);
	assert_true(p->ipv4);
	assert_false(p->ipv6);
	p = port(&l, "lan1");
	assert_int_equal(p->role, PLAN_DOWNSTREAM);
	assert_true(p->has_l2);
	assert_int_equal(p->threshold, 3);
	assert_int_equal(p->mac[5], iface_by_name(&l.t.ifaces, "lan1")->mac[5]);
	assert_true(p->ipv4 && p->ipv6);
	lab_deinit(&l);
}

static void ports_that_are_down_are_absent(void **state)
{
	struct lab l;

	(void)state;
	lab_init(&l, STRICT);
	assert_true(port(&l, "lan1")->present);
	px_link(&l.t, "lan1", "down");
	lab_build(&l);
	assert_false(port(&l, "lan1")->present);
	assert_true(port(&l, "lan2")->present);
	px_link(&l.t, "lan1", "up");
	px_link(&l.t, "lan2", "gone");
	lab_build(&l);
	assert_true(port(&l, "lan1")->present);
	assert_false(port(&l, "lan2")->present);
	lab_deinit(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sources),
		cmocka_unit_test(r143_a_loop_is_cut_in_both_directions),
		cmocka_unit_test(sources_follow_the_addresses),
		cmocka_unit_test(r162_addresses_of_all_interfaces),
		cmocka_unit_test(groups),
		cmocka_unit_test(k03_groups_of_this_host),
		cmocka_unit_test(directions),
		cmocka_unit_test(interfaces_are_described),
		cmocka_unit_test(ports_that_are_down_are_absent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
