/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Which interfaces get a port: by name, by pattern, one upstream out of those that
 * match, none in a bridge; and what a port does when its link is replaced. */

#include "proxy_fixture.h"

#include <errno.h>

#define ONCE "robustness 1\n"
#define WAN  "phyint wan upstream\n"
#define LAN1 "phyint lan1 downstream\n"

static struct iface link_of(struct proxy_fixture *t, const char *name)
{
	return *iface_by_name(&t->ifaces, name);
}

static void change(struct proxy_fixture *t, const struct iface *link)
{
	assert_int_equal(iface_link(&t->ifaces, link), 1);
	px_sync(t);
}

static void pattern_makes_ports(void **state)
{
	static const char *const text[] = {WAN
		"phyint lan2 disabled\nphyint lan? downstream threshold 3\n",
		WAN "phyint lan? downstream threshold 4\n", WAN LAN1};
	struct proxy_fixture t;
	unsigned port;

	px_init(&t, FAMILY_IPV4, text);
	px_sync(&t);
	assert_int_equal(t.sync, 0);
	assert_int_equal(px_port(&t, "lan1")->cfg->threshold, 3);
	assert_null(px_port(&t, "lan2")); /* disabled by its exact name */
	assert_null(px_port(&t, "lan?"));
	port = px_port(&t, "lan3")->port;
	/* two appear and one disappears */
	px_iface(&t, "lan9");
	px_iface(&t, "lan10");
	px_link(&t, "lan1", "gone");
	assert_non_null(px_port(&t, "lan9"));
	assert_null(px_port(&t, "lan10"));
	assert_null(px_port(&t, "lan1"));
	/* after a reload another one matches, all settings change, and the port
	 * stays */
	px_reload(&t, 1);
	assert_non_null(px_port(&t, "lan2"));
	assert_int_equal(px_port(&t, "lan3")->cfg->threshold, 4);
	assert_int_equal(px_port(&t, "lan3")->port, port);
	/* the pattern is gone */
	px_reload(&t, 2);
	assert_null(px_port(&t, "lan3"));
	assert_non_null(px_port(&t, "lan1"));
	px_deinit(&t);
}

static void what_a_pattern_leaves_out(void **state)
{
	static const char *const text[] = {"phyint wan upstream report-interface lan3\n"
					   "phyint * downstream\n"};
	struct iface lo = {.ifindex = 900, .name = "lo", .up = true, .loopback = true};
	struct iface wg = {.ifindex = 901, .name = "wg0", .up = true};
	struct proxy_fixture t;
	struct iface link;

	px_init(&t, FAMILY_IPV4, text);
	assert_int_equal(iface_link(&t.ifaces, &lo), 1);
	assert_int_equal(iface_link(&t.ifaces, &wg), 1);
	px_sync(&t);
	assert_null(px_port(&t, "lo"));
	assert_null(px_port(&t, "lan3"));
	assert_int_equal(px_port(&t, "wan")->role, CONFIG_ROLE_UPSTREAM);
	assert_non_null(px_port(&t, "wg0"));
	assert_non_null(px_port(&t, "lan1"));
	/* lan1 joins a bridge and leaves it */
	link = link_of(&t, "lan1");
	link.master = link_of(&t, "lan2").ifindex;
	link.enslaved = true;
	change(&t, &link);
	assert_null(px_port(&t, "lan1"));
	link.enslaved = false;
	change(&t, &link);
	assert_non_null(px_port(&t, "lan1"));
	px_deinit(&t);
}

/* An interface that the file names keeps its port in a bridge, but is unusable. */
static void port_of_a_bridge(void **state)
{
	static const char *const text[] = {WAN LAN1};
	struct proxy_fixture t;
	struct iface link;

	px_init(&t, FAMILY_IPV4, text);
	px_sync(&t);
	link = link_of(&t, "lan1");
	link.master = 7;
	link.enslaved = true;
	change(&t, &link);
	assert_false(px_port(&t, "lan1")->up);
	assert_int_equal(px_port(&t, "lan1")->querier[FAMILY_IPV4].state, QUERIER_DOWN);
	link = link_of(&t, "wan");
	link.enslaved = true;
	change(&t, &link);
	assert_false(px_port(&t, "wan")->report_up);
	link.enslaved = false;
	change(&t, &link);
	assert_true(px_port(&t, "wan")->report_up);
	px_deinit(&t);
}

static const char *upstream(const struct proxy_fixture *t)
{
	const char *name = NULL;

	for (unsigned i = 0; i < PORT_MAX; i++)
		if (t->proxy->port[i] &&
			t->proxy->port[i]->role == CONFIG_ROLE_UPSTREAM) {
			assert_null(name); /* only one upstream */
			name = t->proxy->port[i]->name;
		}
	return name ? name : "";
}

static void one_upstream_of_a_pattern(void **state)
{
	static const char *const text[] = {"phyint ppp* upstream\n" LAN1};
	struct proxy_fixture t;

	px_init(&t, FAMILY_IPV4, text);
	px_sync(&t);
	assert_string_equal(upstream(&t), "");
	px_iface(&t, "ppp7");
	px_iface(&t, "ppp3");
	px_sync(&t);
	assert_string_equal(upstream(&t), "ppp7"); /* the lower index */
	px_link(&t, "ppp7", "down");
	assert_string_equal(upstream(&t), "ppp3");
	px_link(&t, "ppp7", "up");
	assert_string_equal(upstream(&t), "ppp3"); /* ppp3 stays the upstream */
	px_link(&t, "ppp3", "gone");
	assert_string_equal(upstream(&t), "ppp7");
	/* none is up, so the last one stays the upstream until another is up */
	px_iface(&t, "ppp0");
	px_link(&t, "ppp0", "down");
	px_link(&t, "ppp7", "down");
	assert_string_equal(upstream(&t), "ppp7");
	px_link(&t, "ppp0", "up");
	assert_string_equal(upstream(&t), "ppp0");
	px_deinit(&t);
}

static size_t joins(struct proxy_fixture *t)
{
	size_t n = 0;

	effects_for_each (&t->fx, e)
		n += e->type == EFFECT_REPORT && e->report.n_rec > 0;
	effects_clear(&t->fx);
	return n;
}

/* Between two looks a link was replaced under the same index and name, or went down and
 * up. An upstream starts afresh; a downstream only if the link was replaced. */
static void links_between_two_looks(void **state)
{
	static const char *const text[] = {ONCE WAN LAN1};
	struct proxy_fixture t;
	struct iface link;

	px_init(&t, FAMILY_IPV4, text);
	px_sync(&t);
	px_script(&t, "join", "lan1 to_ex G > *G=lan1 | wan: to_ex G{}");
	effects_clear(&t.fx);
	for (unsigned i = 0; i < 2; i++) {
		const char *name = i ? "lan1" : "wan";

		link = link_of(&t, name);
		link.up = false;
		assert_int_equal(iface_link(&t.ifaces, &link), 1);
		link.up = true;
		assert_int_equal(iface_link(&t.ifaces, &link), 1);
		px_sync(&t);
		px_run(&t, 0);
		assert_int_equal(joins(&t), i ? 0 : 1);
	}
	assert_int_equal(px_port(&t, "lan1")->groups.groups.n, 1);
	link = link_of(&t, "lan1");
	assert_true(iface_gone(&t.ifaces, link.ifindex));
	change(&t, &link);
	assert_int_equal(px_port(&t, "lan1")->groups.groups.n, 0);
	px_deinit(&t);
}

static int count(void *arg, const char *name, const struct config_iface *ci)
{
	(*(unsigned *)arg)++;
	return strcmp(name, "lan3") == 0 ? -EINTR : 0;
}

/* A name in both the file and the system is counted once. */
static void missing(void **state)
{
	static const char *const text[] = {
		WAN "phyint lan1 downstream\nphyint x downstream"
		    "\nphyint lan[23] downstream\n"};
	struct proxy_fixture t;
	unsigned n = 0;

	px_init(&t, FAMILY_IPV4, text);
	px_sync(&t);
	for (unsigned i = 0; i < PORT_MAX; i++)
		if (t.proxy->port[i])
			t.proxy->port[i]->name[0] = '-';
	assert_int_equal(proxy_each_missing(t.proxy, &t.ifaces, count, &n), -EINTR);
	assert_int_equal(n, 5);
	px_deinit(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pattern_makes_ports),
		cmocka_unit_test(what_a_pattern_leaves_out),
		cmocka_unit_test(port_of_a_bridge),
		cmocka_unit_test(one_upstream_of_a_pattern),
		cmocka_unit_test(links_between_two_looks),
		cmocka_unit_test(missing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
