/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Rules of the proxy about groups, versions and limits, from the configuration to what
 * the provider hears. */

#include "instances_fixture.h"

#define LANS	"phyint lan1 downstream\nphyint lan2 downstream\n"
#define PLAIN	"phyint wan upstream\n" LANS
#define HOST	"192.168.1.9"
#define HOST6	"fe80::9"
#define QUERIER "10.0.0.254"

static struct instances_fixture t;

static int setup(void **state)
{
	fixture_start(&t);
	fixture_iface(&t, 1, "wan", "10.0.0");
	fixture_iface(&t, 21, "lan1", "192.168.1");
	fixture_iface(&t, 22, "lan2", "192.168.2");
	return 0;
}

static int teardown(void **state)
{
	fixture_stop(&t);
	return 0;
}

static const char *host_for(const char *group)
{
	return strchr(group, ':') ? HOST6 : HOST;
}

static enum gm_bad join(const char *port, const char *group)
{
	const char *from = strchr(group, ':') ? HOST6
		: strcmp(port, "lan1") == 0   ? HOST
					      : "192.168.2.9";

	return fixture_report(&t, port, GM_V3, from, GM_TO_EX, group, NULL);
}

static bool has_group(const char *port, const char *group)
{
	struct addr g = a(group);

	return mgroup_find(&fixture_port(&t, port)->groups, &g) != NULL;
}

/* ---- boundaries ---- */

/* Checks whether hosts of lan1 can join the group, and whether the provider hears of
 * it. */
static void check_boundary(const char *config, const char *group, bool lan, bool wan)
{
	setup(NULL);
	fixture_configure(&t, config);
	assert_int_equal(join("lan1", group), lan ? GM_OK : GM_BAD_FILTERED);
	if (has_group("lan1", group) != lan)
		fail_msg("%s on lan1 with:\n%s", group, config);
	if ((fixture_reports(&t, "wan", group) > 0) != wan)
		fail_msg("%s on wan with:\n%s", group, config);
	assert_int_equal(fixture_count(&t, "note group-denied", group), !lan);
	teardown(NULL);
}

static void r161_boundary_of_an_interface(void **state)
{
	static const char wan[] = "phyint wan upstream boundary 239.255.0.0/16\n" LANS;
	static const char lan[] =
		"phyint wan upstream\nphyint lan1 downstream whitelist 224.0.0.0/4\n"
		"boundary 239.255.0.0/16 boundary 239.192.0.0/14\n";
	static const char all[] = "boundary 239.255.0.0/16\n" PLAIN;
	static const struct {
		const char *config, *group;
		bool lan, wan;
	} c[] = {
		{PLAIN, "239.255.1.1", true, true},
		{wan, "239.255.1.1", true, false},
		{wan, "239.254.1.1", true, true},
		{lan, "239.255.1.1", false, false},
		{lan, "239.195.1.1", false, false},
		{lan, "239.196.1.1", true, true},
		{all, "239.255.1.1", false, false},
		{all, "239.1.1.1", true, true},
	};

	for (size_t i = 0; i < array_len(c); i++)
		check_boundary(c[i].config, c[i].group, c[i].lan, c[i].wan);
}

static void r203_scopes_up_to_8_are_not_reported(void **state)
{
	for (unsigned scope = 3; scope <= 15; scope++)
		for (unsigned flags = 0; flags <= 3; flags += 1) {
			char group[32];

			snprintf(group, sizeof(group), "ff%x%x:0:0:1::1", flags, scope);
			if (flags == 3) /* ff3x::/32 would be source-specific */
				snprintf(group, sizeof(group), "ff3%x:40:2001:db8::1",
					scope);
			check_boundary(PLAIN, group, true, scope > 8);
		}
}

static void r160_boundary_scope(void **state)
{
	static const char open[] = "phyint wan upstream boundary-scope 2\n" LANS;
	static const char wide[] = "phyint wan upstream boundary-scope 13\n" LANS;
	static const char lan[] = "phyint wan upstream\nphyint lan1 downstream\n"
				  "boundary-scope 5\n";
	static const struct {
		const char *config, *group;
		bool lan, wan;
	} c[] = {
		{open, "ff05::1", true, true},
		{open, "ff13::1", true, true},
		{wide, "ff0d::1", true, false},
		{wide, "ff0e::1", true, true},
		{wide, "239.1.1.1", true, true},
		{lan, "ff05::1", false, false},
		{lan, "ff08::1", true, false},
		{lan, "ff0e::1", true, true},
		{lan, "239.255.255.250", false, false},
		{open, "239.255.255.250", true, true},
		{wide, "239.255.255.250", true, false},
		{PLAIN, "239.255.255.250", true, false},
		{PLAIN, "239.255.255.251", true, true},
	};

	for (size_t i = 0; i < array_len(c); i++)
		check_boundary(c[i].config, c[i].group, c[i].lan, c[i].wan);
}

/* These groups make no state, whatever the configuration says. */
static void r160_link_scopes_make_no_state(void **state)
{
	static const char *const group[] = {
		"ff00::1", "ff01::1", "ff02::1:3", "ff12::7", "224.0.0.251"};

	fixture_configure(&t, "boundary-scope 2\n" PLAIN);
	for (size_t i = 0; i < array_len(group); i++) {
		join("lan1", group[i]);
		assert_false(has_group("lan1", group[i]));
		assert_int_equal(fixture_reports(&t, "wan", group[i]), 0);
	}
}

static void r144_upstream_list_keeps_ssdp_at_home(void **state)
{
	fixture_configure(
		&t, "phyint wan upstream blacklist 239.255.255.250/32\n" LANS);
	join("lan1", "239.255.255.250");
	join("lan1", "239.255.255.249");
	assert_true(has_group("lan1", "239.255.255.250"));
	assert_int_equal(fixture_reports(&t, "wan", "239.255.255.250"), 0);
	assert_int_equal(fixture_reports(&t, "wan", "239.255.255.249"), 1);
}

static void r161_new_boundary_ends_what_crosses_it(void **state)
{
	fixture_configure(&t, PLAIN);
	join("lan1", "239.255.1.1");
	join("lan1", "239.1.1.1");
	fixture_run(&t, 20000);
	effects_clear(&t.fx);
	fixture_configure(&t, "phyint wan upstream boundary 239.255.0.0/16\n" LANS);
	assert_int_equal(fixture_reports(&t, "wan", "to_in 239.255.1.1"), 1);
	assert_true(has_group("lan1", "239.255.1.1"));
	fixture_configure(&t, "boundary 239.255.0.0/16\n" PLAIN);
	assert_false(has_group("lan1", "239.255.1.1"));
	assert_true(has_group("lan1", "239.1.1.1"));
	assert_true(fixture_count(&t, "239.255.1.1 del", "fib") > 0);
}

/* ---- source-specific groups ---- */

#define SSM "ssm-range default\n"

static void r148_r149_what_an_ssm_group_refuses(void **state)
{
	static const struct {
		enum gm_version version;
		enum gm_record_type type;
		const char *group, *source;
		bool state;
	} c[] = {
		{GM_V1, GM_IS_EX, "232.1.2.3", NULL, false},
		{GM_V2, GM_IS_EX, "232.1.2.3", NULL, false},
		{GM_V3, GM_IS_EX, "232.1.2.3", NULL, false},
		{GM_V3, GM_TO_EX, "232.1.2.3", NULL, false},
		{GM_V3, GM_TO_EX, "232.1.2.3", "10.9.9.9", false},
		{GM_V3, GM_ALLOW, "232.1.2.3", "10.9.9.9", true},
		{GM_V3, GM_IS_IN, "232.1.2.3", "10.9.9.9", true},
		{GM_V2, GM_IS_EX, "ff3e::8000:1", NULL, false},
		{GM_V3, GM_TO_EX, "ff3e::8000:1", NULL, false},
		{GM_V3, GM_ALLOW, "ff3e::8000:1", "2001:db8::9", true},
		{GM_V2, GM_IS_EX, "231.1.2.3", NULL, true},
	};

	for (size_t i = 0; i < array_len(c); i++) {
		setup(NULL);
		fixture_configure(&t, SSM PLAIN);
		fixture_report(&t, "lan1", c[i].version, host_for(c[i].group),
			c[i].type, c[i].group, c[i].source);
		assert_int_equal(has_group("lan1", c[i].group), c[i].state);
		assert_int_equal(
			fixture_count(&t, "note ssm-refused", c[i].group), !c[i].state);
		teardown(NULL);
	}
}

/* Whatever hosts send, only INCLUDE is reported upstream. */
static void r151_no_exclude_upstream_for_ssm_groups(void **state)
{
	static const enum gm_record_type type[] = {
		GM_IS_EX, GM_TO_EX, GM_ALLOW, GM_IS_IN, GM_TO_IN, GM_BLOCK};

	fixture_configure(&t, SSM PLAIN);
	for (size_t i = 0; i < array_len(type); i++)
		for (size_t k = 0; k < array_len(type); k++) {
			fixture_report(&t, "lan1", GM_V3, HOST, type[i], "232.1.2.3",
				"10.9.9.1");
			fixture_report(&t, "lan2", GM_V3, "192.168.2.9", type[k],
				"232.1.2.3", "10.9.9.2");
			fixture_query(&t, "wan", GM_V3, QUERIER, NULL);
			fixture_run(&t, 3000);
		}
	assert_true(fixture_reports(&t, "wan", "232.1.2.3") > 0);
	assert_int_equal(fixture_reports(&t, "wan", "_ex 232.1.2.3"), 0);
}

/* A LAN with older hosts, when the range becomes source-specific. */
static void r150_older_members_end_with_a_new_ssm_range(void **state)
{
	fixture_configure(&t, PLAIN);
	fixture_report(&t, "lan1", GM_V2, HOST, GM_IS_EX, "239.232.1.1", NULL);
	fixture_report(
		&t, "lan2", GM_V3, "192.168.2.9", GM_ALLOW, "239.232.1.1", "10.9.9.9");
	fixture_run(&t, 20000);
	effects_clear(&t.fx);
	fixture_configure(&t, "ssm-range default ssm-range 239.232.0.0/16\n" PLAIN);
	assert_false(has_group("lan1", "239.232.1.1"));
	assert_true(has_group("lan2", "239.232.1.1"));
	assert_int_equal(fixture_reports(&t, "wan", "to_in 239.232.1.1 {10.9.9.9}"), 1);
}

static void r152_specific_queries_for_ssm_groups_are_answered(void **state)
{
	for (enum gm_version v = GM_V2; v <= GM_V3; v++) {
		setup(NULL);
		fixture_configure(&t, SSM PLAIN);
		fixture_report(
			&t, "lan1", GM_V3, HOST, GM_ALLOW, "232.1.2.3", "10.9.9.9");
		fixture_run(&t, 20000);
		effects_clear(&t.fx);
		fixture_query(&t, "wan", v, QUERIER, "232.1.2.3");
		fixture_run(&t, 2000);
		assert_int_equal(
			fixture_reports(&t, "wan", "report v3 from 10.0.0.1 is_in"), 1);
		assert_int_equal(fixture_count(&t, "note ssm-query 232.1.2.3", QUERIER),
			v == GM_V2);
		teardown(NULL);
	}
}

/* ---- versions upstream ---- */

static void r131_fallback_and_forced_versions(void **state)
{
	static const struct {
		const char *words;
		const char *querier;
		enum gm_version heard, speaks;
	} c[] = {
		{"", QUERIER, GM_V1, GM_V1},
		{"", QUERIER, GM_V2, GM_V2},
		{"", QUERIER, GM_V3, GM_V3},
		{"version-fallback off", QUERIER, GM_V1, GM_V3},
		{"version-fallback off", QUERIER, GM_V2, GM_V3},
		{"igmp-version 2", QUERIER, GM_V3, GM_V2},
		{"igmp-version 2 version-fallback off", QUERIER, GM_V1, GM_V2},
		{"igmp-version 1", QUERIER, GM_V2, GM_V1},
		{"", "fe80::254", GM_V2, GM_V2},
		{"version-fallback off", "fe80::254", GM_V2, GM_V3},
		{"mld-version 1", "fe80::254", GM_V3, GM_V2},
	};

	for (size_t i = 0; i < array_len(c); i++) {
		struct addr from = a(c[i].querier);
		char config[160];

		setup(NULL);
		snprintf(config, sizeof(config), "phyint wan upstream %s\n" LANS,
			c[i].words);
		fixture_configure(&t, config);
		fixture_query(&t, "wan", c[i].heard, c[i].querier, NULL);
		assert_int_equal(fixture_port(&t, "wan")
					 ->upstream.family[addr_family(&from)]
					 .version,
			c[i].speaks);
		teardown(NULL);
	}
}

static void r121_version_changes_are_told(void **state)
{
	fixture_configure(&t, PLAIN);
	fixture_query(&t, "wan", GM_V2, QUERIER, NULL);
	fixture_query(&t, "wan", GM_V2, QUERIER, NULL);
	assert_int_equal(fixture_count(&t, "note host-version", "value 2"), 1);
	effects_clear(&t.fx);
	fixture_run(&t, 600000); /* the older querier is forgotten */
	assert_int_equal(fixture_count(&t, "note host-version", "value 3"), 1);
	effects_clear(&t.fx);
	fixture_configure(&t, "phyint wan upstream igmp-version 1\n" LANS);
	assert_int_equal(fixture_count(&t, "note host-version", "value 1"), 1);
}

/* ---- limits ---- */

/* The third stream is refused, also to another host, until another one ends. */
static void r201_streams_of_a_lan_are_limited(void **state)
{
	fixture_configure(&t,
		"phyint wan upstream\nphyint lan2 downstream\n"
		"phyint lan1 downstream fast-leave max-groups 2\n");
	assert_int_equal(join("lan1", "239.1.1.1"), GM_OK);
	assert_int_equal(join("lan1", "239.1.1.2"), GM_OK);
	assert_int_equal(join("lan1", "239.1.1.3"), GM_BAD_LIMIT);
	assert_int_equal(join("lan1", "239.1.1.2"), GM_OK); /* already joined */
	assert_int_equal(join("lan2", "239.1.1.3"), GM_OK); /* another LAN */
	assert_false(has_group("lan1", "239.1.1.3"));
	assert_int_equal(fixture_count(&t, "note group-limit 239.1.1.3", HOST), 1);
	assert_int_equal(fixture_port(&t, "lan1")->groups.n_refused, 1);
	fixture_report(&t, "lan1", GM_V3, HOST, GM_TO_IN, "239.1.1.1", NULL);
	assert_int_equal(join("lan1", "239.1.1.3"), GM_OK);
}

/* A kernel socket has a limit of 20 memberships, which does not apply here. */
static void e16_hundreds_of_groups(void **state)
{
	fixture_configure(&t, PLAIN);
	for (unsigned i = 0; i < 500; i++) {
		char group[32];

		snprintf(group, sizeof(group), "239.2.%u.%u", i / 250, i % 250 + 1);
		assert_int_equal(join("lan1", group), GM_OK);
	}
	fixture_run(&t, 10000);
	for (unsigned i = 0; i < 500; i++) {
		char group[32];

		snprintf(group, sizeof(group), "239.2.%u.%u", i / 250, i % 250 + 1);
		assert_true(fixture_reports(&t, "wan", group) > 0);
	}
	assert_int_equal(instances_n_groups(t.instances), 500);
	assert_int_equal(
		fixture_port(&t, "wan")->upstream.family[FAMILY_IPV4].n_groups, 500);
}

/* R195: more groups and sources than the limits are refused, and state is bounded. */
static void r195_state_is_bounded(void **state)
{
	fixture_configure(&t, "max-groups 64 max-sources 100\n" PLAIN);
	for (unsigned g = 0; g < 80; g++)
		for (unsigned s = 0; s < 365; s += 5) {
			char group[32], source[32];

			snprintf(group, sizeof(group), "232.1.1.%u", g + 1);
			snprintf(source, sizeof(source), "10.8.%u.%u", s / 200,
				s % 200 + 1);
			fixture_report(
				&t, "lan1", GM_V3, HOST, GM_ALLOW, group, source);
			snprintf(source, sizeof(source), "10.9.%u.%u", s / 200,
				s % 200 + 1);
			fixture_report(
				&t, "lan1", GM_V3, HOST, GM_ALLOW, group, source);
			effects_clear(&t.fx);
		}
	assert_int_equal(instances_n_groups(t.instances), 64);
	for (unsigned g = 0; g < 64; g++) {
		struct addr group = ADDR_V4(232, 1, 1, (uint8_t)(g + 1));

		assert_int_equal(
			mgroup_find(&fixture_port(&t, "lan1")->groups, &group)->n_src,
			100);
	}
	assert_int_equal(fixture_port(&t, "lan1")->groups.n_refused,
		16 * 2 * 73 + 64 * (2 * 73 - 100));
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(r161_boundary_of_an_interface),
		cmocka_unit_test(r203_scopes_up_to_8_are_not_reported),
		cmocka_unit_test(r160_boundary_scope),
		CASE(r160_link_scopes_make_no_state),
		CASE(r144_upstream_list_keeps_ssdp_at_home),
		CASE(r161_new_boundary_ends_what_crosses_it),
		cmocka_unit_test(r148_r149_what_an_ssm_group_refuses),
		CASE(r151_no_exclude_upstream_for_ssm_groups),
		CASE(r150_older_members_end_with_a_new_ssm_range),
		cmocka_unit_test(r152_specific_queries_for_ssm_groups_are_answered),
		cmocka_unit_test(r131_fallback_and_forced_versions),
		CASE(r121_version_changes_are_told),
		CASE(r201_streams_of_a_lan_are_limited),
		CASE(e16_hundreds_of_groups),
		CASE(r195_state_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
