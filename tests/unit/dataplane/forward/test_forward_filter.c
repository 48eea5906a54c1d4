/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Filters of the data path: boundaries, lists towards the upstream, and our own
 * addresses as source (R144, R161, R162). */

#include "forward_fixture.h"

static struct plan_rule rule(const char *groups, bool allow)
{
	struct plan_rule r = {.allow = allow};

	assert_int_equal(prefix_parse(groups, &r.groups, NULL), 0);
	return r;
}

/* A boundary on the upstream stops the group in both directions, but not between
 * LANs. */
static void r161_boundary_stops_both_directions(void **state)
{
	static const struct {
		unsigned from;
		const char *source, *group, *sent;
		enum verdict verdict;
	} c[] = {
		{0, STREAM, "239.255.1.1", "", VERDICT_ACL},
		{0, STREAM, GRP, "12", VERDICT_FORWARDED},
		{2, "192.168.2.7", "239.255.1.1", "1", VERDICT_FORWARDED},
		{2, "192.168.2.7", GRP, "01", VERDICT_FORWARDED},
		{0, "2001:db8::9", "ff15::1", "", VERDICT_ACL},
		{0, "2001:db8::9", "ff18::1", "", VERDICT_ACL},
		{0, "2001:db8::9", "ff1e::1", "12", VERDICT_FORWARDED},
		{2, "2001:db8:2::7", "ff08::1", "1", VERDICT_FORWARDED},
		{2, "2001:db8:2::7", "ff0e::1", "01", VERDICT_FORWARDED},
		{2, "2001:db8:2::7", "ff3f::1", "01", VERDICT_FORWARDED},
	};
	struct plan_rule local = rule("239.255.0.0/16", false);
	struct plan_port *wan = &plan->port[0];

	assert_int_equal(plan_set_rules(&wan->in, &local, 1), 0);
	assert_int_equal(plan_set_rules(&wan->out, &local, 1), 0);
	wan->in.scope = wan->out.scope = 8;
	portset_add(&plan->port[2].always, 0);
	for (size_t i = 0; i < array_len(c); i++) {
		uint64_t before = drops(c[i].from, c[i].verdict);

		members(NULL, c[i].group, "12");
		udp(c[i].from, c[i].source, c[i].group, 100);
		run();
		assert_sent(c[i].sent);
		assert_int_equal(drops(c[i].from, c[i].verdict), before + 1);
	}
}

/* Flows that share a port set also share the search for outputs, except for results
 * that depend on the group, the family or the input. */
static void each_flow_of_a_burst_has_its_own_ports(void **state)
{
	struct plan_rule refused = rule("239.1.9.0/24", false);
	static const char *const groups[] = {
		"239.1.1.1", "239.1.9.1", "239.1.1.2", "ff0e::1"};

	assert_int_equal(plan_set_rules(&plan->port[1].out, &refused, 1), 0);
	plan->port[1].ipv6 = false;
	for (size_t i = 0; i < array_len(groups); i++)
		members(NULL, groups[i], "12");
	members(NULL, "239.1.1.3", "3");
	members(NULL, "239.1.1.4", "");
	for (size_t i = 0; i < array_len(groups); i++)
		udp(0, strchr(groups[i], ':') ? "2001:db8::9" : STREAM, groups[i], 10);
	udp(0, STREAM, "239.1.1.3", 10);
	udp(0, STREAM, "239.1.1.4", 10);
	udp(0, STREAM, "239.1.1.5", 10); /* no entry */
	udp(2, "192.168.2.7", "239.1.1.1", 10);
	run();
	assert_sent("11122223");
	assert_int_equal(drops(0, VERDICT_SOURCE_FILTERED), 1);
	assert_int_equal(drops(0, VERDICT_NO_GROUP), 1);
	assert_int_equal(drops(0, VERDICT_FORWARDED), 5);
	assert_int_equal(drops(2, VERDICT_FORWARDED), 1);
}

/* The list of the upstream applies only to data that would leave there. */
static void r144_filter_towards_the_upstream(void **state)
{
	const struct plan_rule v[] = {
		rule("239.0.0.0/8", true), rule("239.255.255.250/32", false)};
	struct plan_filter *out = &plan->port[0].out;

	assert_int_equal(plan_set_rules(out, v, array_len(v)), 0);
	out->refuse_others = true;
	portset_add(&plan->port[2].always, 0);
	udp(2, "192.168.2.7", "239.255.255.250", 100);
	udp(2, "192.168.2.7", "234.1.1.1", 100);
	run();
	assert_sent("");
	assert_int_equal(drops(2, VERDICT_ACL), 2);
	members(NULL, "239.255.255.250", "13");
	udp(2, "192.168.2.7", "239.255.255.250", 100);
	udp(2, "192.168.2.7", GRP, 100);
	udp(0, STREAM, "239.255.255.250", 100);
	run();
	assert_sent("01133");
	assert_int_equal(drops(2, VERDICT_ACL), 2);
}

static void r162_own_addresses_as_source(void **state)
{
	const struct addr own[] = {a("192.168.2.1"), a("2001:db8:2::1"), a("10.0.0.2")};

	assert_int_equal(plan_set_own(plan, own, array_len(own)), 0);
	members(NULL, GRP, "1");
	members(NULL, "ff0e::1", "1");
	udp(0, "10.0.0.2", GRP, 100);
	udp(2, "192.168.2.1", GRP, 100);
	udp(2, "2001:db8:2::1", "ff0e::1", 100);
	udp(2, "192.168.2.2", GRP, 100);
	run();
	assert_sent("1");
	assert_int_equal(drops(0, VERDICT_MARTIAN_SOURCE), 1);
	assert_int_equal(drops(2, VERDICT_MARTIAN_SOURCE), 2);
	assert_int_equal(drops(2, VERDICT_FORWARDED), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(r161_boundary_stops_both_directions),
		T(each_flow_of_a_burst_has_its_own_ports),
		T(r144_filter_towards_the_upstream),
		T(r162_own_addresses_as_source),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
