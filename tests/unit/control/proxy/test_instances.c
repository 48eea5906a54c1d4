/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Several instances in one process share only the numbers of ports. */

#include "fail_alloc.h"
#include "instances_fixture.h"

#include <errno.h>

#define TWO                                                                            \
	"instance tv\n phyint wan1 upstream\n phyint lan1 downstream\n"                \
	"instance radio\n phyint wan2 upstream\n phyint lan2 downstream\n"

static struct instances_fixture t;

static int setup(void **state)
{
	fixture_start(&t);
	fixture_iface(&t, 11, "wan1", "10.0.1");
	fixture_iface(&t, 12, "wan2", "10.0.2");
	fixture_iface(&t, 21, "lan1", "192.168.1");
	fixture_iface(&t, 22, "lan2", "192.168.2");
	fixture_iface(&t, 13, "voice", "10.0.3");
	return 0;
}

static int teardown(void **state)
{
	fixture_stop(&t);
	return 0;
}

static void join(const char *port, const char *from, const char *group)
{
	assert_int_equal(
		fixture_report(&t, port, GM_V3, from, GM_TO_EX, group, NULL), GM_OK);
}

static void r132_no_instance_word_is_one_instance(void **state)
{
	fixture_configure(&t, "phyint wan1 upstream\nphyint lan1 downstream\n");
	assert_int_equal(t.instances->n_instance, 1);
	assert_string_equal(instances_name(t.instances, 0), "");
	assert_ptr_equal(
		fixture_port(&t, "wan1")->proxy, fixture_port(&t, "lan1")->proxy);
}

static void r200_port_numbers_are_unique(void **state)
{
	unsigned n = 0;

	fixture_configure(&t, TWO);
	assert_int_equal(t.instances->n_instance, 2);
	for (unsigned i = 0; i < PORT_MAX; i++) {
		if (!t.instances->port[i])
			continue;
		assert_int_equal(t.instances->port[i]->port, i);
		n++;
	}
	assert_int_equal(n, 4);
	assert_ptr_equal(
		instances_port_by_index(t.instances, 22), fixture_port(&t, "lan2"));
	assert_null(instances_port_by_index(t.instances, 99));
}

static void r200_a_group_is_reported_by_its_own_instance(void **state)
{
	struct addr group = a("239.1.1.1");

	fixture_configure(&t, TWO);
	join("lan1", "192.168.1.9", "239.1.1.1");
	join("lan2", "192.168.2.9", "239.2.2.2");
	assert_int_equal(fixture_reports(&t, "wan1", "239.1.1.1"), 1);
	assert_int_equal(fixture_reports(&t, "wan1", "239.2.2.2"), 0);
	assert_int_equal(fixture_reports(&t, "wan2", "239.2.2.2"), 1);
	assert_int_equal(fixture_reports(&t, "wan2", "239.1.1.1"), 0);
	assert_null(upstream_find(&fixture_port(&t, "wan2")->upstream, &group));
	assert_int_equal(instances_n_groups(t.instances), 2);
}

/* The same group in two instances has two forwarding entries with different keys. */
static void r200_the_same_group_has_an_entry_per_instance(void **state)
{
	char one[64], two[64];

	fixture_configure(&t, TWO);
	join("lan1", "192.168.1.9", "239.1.1.1");
	join("lan2", "192.168.2.9", "239.1.1.1");
	snprintf(one, sizeof(one), "fib %u * 239.1.1.1 -> %u",
		fixture_port(&t, "lan1")->proxy->instance,
		fixture_port(&t, "lan1")->port);
	snprintf(two, sizeof(two), "fib %u * 239.1.1.1 -> %u",
		fixture_port(&t, "lan2")->proxy->instance,
		fixture_port(&t, "lan2")->port);
	assert_string_not_equal(one, two);
	assert_true(fixture_count(&t, one, "") > 0);
	assert_true(fixture_count(&t, two, "") > 0);
}

static void r117_a_query_is_answered_where_it_was_heard(void **state)
{
	fixture_configure(&t, TWO);
	join("lan1", "192.168.1.9", "239.1.1.1");
	join("lan2", "192.168.2.9", "239.1.1.1");
	fixture_run(&t, 60000); /* until all repeats of the joins are sent */
	effects_clear(&t.fx);
	assert_int_equal(fixture_query(&t, "wan2", GM_V3, "10.0.2.254", NULL), GM_OK);
	fixture_run(&t, 2000);
	assert_int_equal(fixture_reports(&t, "wan2", "is_ex 239.1.1.1"), 1);
	assert_int_equal(fixture_reports(&t, "wan1", ""), 0);
}

static void r117_a_query_on_a_lan_causes_no_report_upstream(void **state)
{
	fixture_configure(&t, TWO);
	join("lan1", "192.168.1.9", "239.1.1.1");
	fixture_run(&t, 60000);
	effects_clear(&t.fx);
	fixture_query(&t, "lan1", GM_V3, "192.168.1.200", NULL);
	fixture_run(&t, 20000);
	assert_int_equal(fixture_reports(&t, "wan1", ""), 0);
	assert_int_equal(fixture_reports(&t, "wan2", ""), 0);
}

/* An instance that is removed leaves its groups and deletes its entries. The other one
 * is not affected. */
static void r119_instance_removed_by_reload(void **state)
{
	struct proxy *tv;

	fixture_configure(&t, TWO);
	join("lan1", "192.168.1.9", "239.1.1.1");
	join("lan2", "192.168.2.9", "239.2.2.2");
	fixture_run(&t, 60000);
	tv = fixture_port(&t, "wan1")->proxy;
	effects_clear(&t.fx);
	fixture_configure(
		&t, "instance tv\nphyint wan1 upstream\nphyint lan1 downstream\n");
	assert_int_equal(t.instances->n_instance, 1);
	assert_ptr_equal(fixture_port(&t, "wan1")->proxy, tv);
	assert_null(fixture_port(&t, "wan2"));
	assert_true(fixture_count(&t, "to_in 239.2.2.2", "report") > 0);
	assert_true(fixture_count(&t, "239.2.2.2 del", "fib") > 0);
	assert_int_equal(fixture_count(&t, "239.1.1.1", ""), 0);
}

/* An instance is identified by its name, not by its position in the file. */
static void r200_instances_in_another_order_keep_their_state(void **state)
{
	struct proxy *tv, *radio;

	fixture_configure(&t, TWO);
	join("lan1", "192.168.1.9", "239.1.1.1");
	tv = fixture_port(&t, "lan1")->proxy;
	radio = fixture_port(&t, "lan2")->proxy;
	fixture_run(&t, 20000);
	effects_clear(&t.fx);
	fixture_configure(&t,
		"instance radio\nphyint wan2 upstream\nphyint lan2 downstream\n"
		"instance tv\nphyint wan1 upstream\nphyint lan1 downstream\n");
	assert_ptr_equal(fixture_port(&t, "lan1")->proxy, tv);
	assert_ptr_equal(fixture_port(&t, "lan2")->proxy, radio);
	assert_int_equal(fixture_reports(&t, "wan1", ""), 0);
	assert_int_equal(fixture_count(&t, "fib", ""), 0);
}

/* A LAN that moves to another instance keeps its groups, because its hosts are asked
 * again. */
static void r132_a_lan_moves_to_another_instance(void **state)
{
	unsigned old;

	fixture_configure(&t, TWO);
	join("lan1", "192.168.1.9", "239.1.1.1");
	fixture_run(&t, 20000);
	old = fixture_port(&t, "lan1")->proxy->instance;
	effects_clear(&t.fx);
	fixture_configure(&t,
		"instance tv\nphyint wan1 upstream\n"
		"instance radio\nphyint wan2 upstream\nphyint lan2 downstream\n"
		"phyint lan1 downstream\n");
	assert_int_not_equal(fixture_port(&t, "lan1")->proxy->instance, old);
	assert_int_equal(fixture_reports(&t, "wan1", "to_in 239.1.1.1"), 1);
	join("lan1", "192.168.1.9", "239.1.1.1");
	assert_int_equal(fixture_reports(&t, "wan2", "to_ex 239.1.1.1"), 1);
}

static void r132_defaultdown_belongs_to_the_unnamed_instance(void **state)
{
	fixture_configure(&t,
		"defaultdown\nphyint wan1 upstream\nphyint voice disabled\n"
		"instance radio\nphyint wan2 upstream\nphyint lan2 downstream\n");
	assert_int_equal(t.instances->n_instance, 2);
	assert_ptr_equal(
		fixture_port(&t, "lan1")->proxy, fixture_port(&t, "wan1")->proxy);
	assert_ptr_equal(
		fixture_port(&t, "lan2")->proxy, fixture_port(&t, "wan2")->proxy);
	assert_null(fixture_port(&t, "voice"));
}

/* With more interfaces than port numbers, those without a port are listed for the log,
 * across all instances. The callback can end the list. */
static int note_name_of(void *arg, const char *name, const struct config_iface *ci)
{
	char *said = arg;

	strcat(strcat(said, name), ci->role == CONFIG_ROLE_DOWNSTREAM ? " " : "^ ");
	return strstr(said, "c2") ? -EINTR : 0;
}

static void interfaces_without_a_port_are_named(void **state)
{
	char text[8192], said[200] = "";
	struct config *old;
	int n = snprintf(text, sizeof(text), "instance tv\nphyint wan1 upstream\n");

	for (unsigned i = 2; i < PORT_MAX; i++)
		n += snprintf(text + n, sizeof(text) - (size_t)n,
			"phyint b%u downstream\n", i);
	snprintf(text + n, sizeof(text) - (size_t)n,
		"instance radio\nphyint wan2 upstream\nphyint c1 downstream\n");
	t.cfg = fixture_parse(text);
	assert_int_equal(
		instances_sync(t.instances, t.now, t.cfg, &t.ifaces, &t.fx), 1);
	assert_int_equal(
		instances_each_missing(t.instances, &t.ifaces, note_name_of, said), 0);
	assert_string_equal(said, "c1 ");

	strcat(text, "phyint c2 downstream\nphyint c3 downstream\n");
	old = t.cfg;
	t.cfg = fixture_parse(text);
	instances_release(t.instances, t.now, t.cfg, &t.ifaces, &t.fx);
	assert_int_equal(
		instances_sync(t.instances, t.now, t.cfg, &t.ifaces, &t.fx), 3);
	config_free(old);
	said[0] = '\0';
	assert_int_equal(
		instances_each_missing(t.instances, &t.ifaces, note_name_of, said),
		-EINTR);
	assert_string_equal(said, "c1 c2 ");
}

/* ---- report-interface ---- */

#define SPLIT "phyint wan1 upstream\n report-interface voice\nphyint lan1 downstream\n"

static void report_interface_speaks_there(void **state)
{
	struct proxy_port *wan;

	fixture_configure(&t, SPLIT);
	wan = fixture_port(&t, "wan1");
	assert_int_equal(wan->ifindex, 11);
	assert_int_equal(wan->report_ifindex, 13);
	assert_null(fixture_port(&t, "voice"));
	assert_ptr_equal(instances_port_by_index(t.instances, 13), wan);
	join("lan1", "192.168.1.9", "239.1.1.1");
	assert_int_equal(fixture_reports(&t, "wan1", "from 10.0.3.1 to_ex"), 1);
}

/* Either interface may disappear; reports need only theirs. */
static void report_interface_comes_and_goes(void **state)
{
	struct proxy_port *wan;

	fixture_configure(&t, SPLIT);
	wan = fixture_port(&t, "wan1");
	join("lan1", "192.168.1.9", "239.1.1.1");
	iface_by_index(&t.ifaces, 11)->up = false;
	fixture_resync(&t);
	assert_false(wan->up);
	assert_true(wan->report_up);
	effects_clear(&t.fx);
	join("lan1", "192.168.1.9", "239.1.1.2");
	assert_int_equal(fixture_reports(&t, "wan1", "to_ex 239.1.1.2"), 1);

	iface_by_index(&t.ifaces, 11)->up = true;
	iface_by_index(&t.ifaces, 13)->up = false;
	fixture_resync(&t);
	assert_true(wan->up);
	assert_false(wan->report_up);
	effects_clear(&t.fx);
	join("lan1", "192.168.1.9", "239.1.1.3");
	fixture_run(&t, 20000);
	assert_int_equal(fixture_reports(&t, "wan1", ""), 0);

	iface_by_index(&t.ifaces, 13)->up = true;
	fixture_resync(&t);
	assert_int_equal(fixture_reports(&t, "wan1", "to_ex 239.1.1.3"), 1);
}

static void report_interface_is_not_a_default_downstream(void **state)
{
	fixture_configure(&t, "defaultdown\n" SPLIT);
	assert_null(fixture_port(&t, "voice"));
	assert_non_null(fixture_port(&t, "lan2"));
}

static void report_interface_changes_on_reload(void **state)
{
	fixture_configure(&t, SPLIT);
	join("lan1", "192.168.1.9", "239.1.1.1");
	fixture_run(&t, 20000);
	effects_clear(&t.fx);
	fixture_configure(&t, "phyint wan1 upstream\nphyint lan1 downstream\n");
	assert_int_equal(
		fixture_reports(&t, "wan1", "from 10.0.3.1 to_in 239.1.1.1"), 2);
	assert_int_equal(
		fixture_reports(&t, "wan1", "from 10.0.1.1 to_ex 239.1.1.1"), 1);
	assert_int_equal(fixture_port(&t, "wan1")->report_ifindex, 11);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

/* After a time without listening: memberships are unchanged, hosts are queried, and the
 * provider gets reports. */
static void resumed(void **state)
{
	fixture_configure(&t, TWO);
	join("lan1", "192.168.1.9", "239.1.1.1");
	fixture_run(&t, 60000); /* until all repeats of the join are sent */
	effects_clear(&t.fx);
	instances_resume(t.instances, t.now, &t.fx);
	fixture_run(&t, 0);
	assert_int_equal(fixture_reports(&t, "wan1", "239.1.1.1"), 1);
	assert_int_equal(fixture_reports(&t, "wan2", "239.1.1.1"), 0);
	assert_true(fixture_count(&t, "query", "") >= 2); /* lan1, lan2 */
	assert_int_equal(fixture_count(&t, "fib", ""), 0);
	effects_clear(&t.fx);
	fixture_run(&t, 40000); /* a second query, as at the start */
	assert_true(fixture_count(&t, "query", "") >= 2);
}

/* When memory runs out during a reload, no part keeps the old configuration, which is
 * freed. The next attempt does the rest. */
static void no_memory_for_a_reload(void **state)
{
	static const char three[] =
		"instance voice\n phyint voice upstream\n phyint lan3 downstream\n" TWO;
	bool failed = true;

	fixture_iface(&t, 23, "lan3", "192.168.3");
	for (long after = 0; failed; after++) {
		struct config *cfg;
		int r;

		fixture_configure(&t, TWO);
		cfg = fixture_parse(three);
		instances_release(t.instances, t.now, cfg, &t.ifaces, &t.fx);
		fail_alloc_after = after;
		r = instances_sync(t.instances, t.now, cfg, &t.ifaces, &t.fx);
		failed = fail_alloc_after == -1;
		fail_alloc_after = -1;
		assert_true(r == 0 || (failed && r == -ENOMEM));
		for (size_t i = 0; i < t.instances->n_instance; i++)
			assert_ptr_equal(t.instances->instance[i].proxy->cfg, cfg);
		config_free(t.cfg);
		t.cfg = cfg;
		fixture_resync(&t);
		assert_int_equal(t.instances->n_instance, 3);
		assert_true(fixture_port(&t, "lan3")->up);
		effects_clear(&t.fx);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(r132_no_instance_word_is_one_instance),
		CASE(r200_port_numbers_are_unique),
		CASE(r200_a_group_is_reported_by_its_own_instance),
		CASE(r200_the_same_group_has_an_entry_per_instance),
		CASE(r117_a_query_is_answered_where_it_was_heard),
		CASE(r117_a_query_on_a_lan_causes_no_report_upstream),
		CASE(r119_instance_removed_by_reload),
		CASE(r200_instances_in_another_order_keep_their_state),
		CASE(r132_a_lan_moves_to_another_instance),
		CASE(r132_defaultdown_belongs_to_the_unnamed_instance),
		CASE(interfaces_without_a_port_are_named),
		CASE(report_interface_speaks_there),
		CASE(report_interface_comes_and_goes),
		CASE(report_interface_is_not_a_default_downstream),
		CASE(report_interface_changes_on_reload),
		CASE(no_memory_for_a_reload),
		CASE(resumed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
