/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The group state machine against the tables of RFC 9776 6.4 (R062 to R073, R078), one
 * row each, for both families: only the addresses differ. Timers (R074, R075, R077) and
 * older hosts (R093 to R097) follow; leaves and limits have files of their own.
 */

#include "mgroup_fixture.h"

struct row {
	const char *name;
	const char *start; /* "IN 12", "EX 12/4", "-" */
	enum gm_record_type type;
	const char *list;
	const char *want;
	const char *gmi;     /* sources whose timer becomes GMI */
	const char *queried; /* sources of a group-and-source query, or "" */
	bool group_query;
};

static const struct row rows[] = {
	{"R062 IN(12)+IS_IN(23)", "IN 12", GM_IS_IN, "23", "IN 123", "23", "", false},
	{"R063 IN(123)+IS_EX(124)", "IN 123", GM_IS_EX, "124", "EX 12/4", "", "",
		false},
	{"R064 EX(1,4)+IS_IN(4)", "EX 1/4", GM_IS_IN, "4", "EX 14/", "4", "", false},
	{"R065 EX(12,34)+IS_EX(235)", "EX 12/34", GM_IS_EX, "235", "EX 25/3", "5", "",
		false},
	{"R066 IN(1)+ALLOW(2)", "IN 1", GM_ALLOW, "2", "IN 12", "2", "", false},
	{"R067 IN(12)+BLOCK(13)", "IN 12", GM_BLOCK, "13", "IN 12", "", "1", false},
	{"R068 IN(12)+TO_EX(14)", "IN 12", GM_TO_EX, "14", "EX 1/4", "", "1", false},
	{"R069 IN(12)+TO_IN(23)", "IN 12", GM_TO_IN, "23", "IN 123", "23", "1", false},
	{"R070 EX(,4)+ALLOW(4)", "EX /4", GM_ALLOW, "4", "EX 4/", "4", "", false},
	{"R071 EX(1,4)+BLOCK(124)", "EX 1/4", GM_BLOCK, "124", "EX 12/4", "", "12",
		false},
	{"R072 EX(12,34)+TO_EX(235)", "EX 12/34", GM_TO_EX, "235", "EX 25/3", "", "25",
		false},
	{"R073 EX(1,4)+TO_IN(2)", "EX 1/4", GM_TO_IN, "2", "EX 12/4", "2", "1", true},
	{"R078 none+IS_IN()", "-", GM_IS_IN, "", "-", "", "", false},
	{"R078 none+TO_IN()", "-", GM_TO_IN, "", "-", "", "", false},
	{"R078 none+ALLOW()", "-", GM_ALLOW, "", "-", "", "", false},
	{"R078 none+BLOCK()", "-", GM_BLOCK, "", "-", "", "", false},
	{"R078 none+BLOCK(1)", "-", GM_BLOCK, "1", "-", "", "", false},
	{"R090 none+leave", "-", GM_TO_IN, "", "-", "", "", false},
	{"R062 none+IS_IN(1)", "-", GM_IS_IN, "1", "IN 1", "1", "", false},
	{"R063 none+IS_EX(1)", "-", GM_IS_EX, "1", "EX /1", "", "", false},
	{"R068 none+TO_EX()", "-", GM_TO_EX, "", "EX /", "", "", false},
	{"R067 IN(12)+BLOCK(34)", "IN 12", GM_BLOCK, "34", "IN 12", "", "", false},
	{"R069 IN(12)+TO_IN()", "IN 12", GM_TO_IN, "", "IN 12", "", "12", false},
	{"R073 EX(,)+TO_IN()", "EX /", GM_TO_IN, "", "EX /", "", "", true},
	{"R064 EX(,)+IS_IN(1)", "EX /", GM_IS_IN, "1", "EX 1/", "1", "", false},
};

static void check_row(const struct row *r)
{
	char want[32] = "";

	setup_db(NULL);
	start(r->start);
	assert_state(r->start);
	send_at(T1, GM_V3, 9, r->type, r->list);
	assert_state(r->want);
	for (const char *d = r->gmi; *d; d++)
		assert_int_equal(source_ms(*d), T1 + GMI);
	for (const char *d = r->queried; *d; d++) {
		assert_int_equal(source_ms(*d), T1 + 2000); /* LMQT */
		if (d == r->queried)
			snprintf(want, sizeof(want), "Q(%s)", r->queried);
	}
	if (r->group_query) {
		strcat(want, want[0] ? " Q" : "Q");
		assert_int_equal(group()->until.ns / NS_PER_MS, T1 + 2000);
	} else if (r->want[0] == 'E') {
		bool renewed = r->type == GM_IS_EX || r->type == GM_TO_EX;

		assert_int_equal(
			group()->until.ns / NS_PER_MS, (renewed ? T1 : T0) + GMI);
	}
	assert_queries(want);
	teardown_db();
}

static void table_rows(void **state)
{
	for (fam = 0; fam < _FAMILY_N; fam++)
		for (size_t i = 0; i < array_len(rows); i++) {
			print_message("%s %s\n", fam ? "MLD " : "IGMP", rows[i].name);
			check_row(&rows[i]);
		}
}

static void r071_blocked_after_silence(void **state)
{
	FOR_BOTH_FAMILIES
	{
		setup_db(NULL);
		start("EX 1/4");
		send_at(T1, GM_V3, 9, GM_BLOCK, "124");
		assert_int_equal(run_until(T1 + 1999), 0);
		assert_queries("Q(12)");
		assert_int_equal(run_until(T1 + 2000), 1);
		assert_state("EX /124");
		teardown_db();
	}
}

static void r073_silence_gives_include(void **state)
{
	FOR_BOTH_FAMILIES
	{
		setup_db(NULL);
		start("EX 1/4");
		send_at(T1, GM_V3, 9, GM_TO_IN, "2");
		run_until(T1 + 2000);
		assert_state("IN 2");
		teardown_db();
	}
}

static void r074_group_timer_keeps_running_sources(void **state)
{
	FOR_BOTH_FAMILIES
	{
		setup_db(NULL);
		start("EX 1/4");
		send_at(T0 + 200000, GM_V3, 9, GM_IS_IN, "1");
		assert_int_equal(run_until(T0 + GMI - 1), 0);
		assert_state("EX 1/4");
		assert_int_equal(run_until(T0 + GMI), 1);
		assert_state("IN 1");
		run_until(T0 + 200000 + GMI);
		assert_state("-");
		teardown_db();
	}
}

static void r075_source_timer(void **state)
{
	FOR_BOTH_FAMILIES
	{
		setup_db(NULL);
		start("IN 12");
		send_at(T1, GM_V3, 9, GM_IS_IN, "2");
		assert_int_equal(run_until(T0 + GMI), 1);
		assert_state("IN 2");
		assert_int_equal(run_until(T1 + GMI), 1);
		assert_state("-");

		start("EX 1/");
		send_at(T1, GM_V3, 9, GM_IS_EX, "1"); /* renews the group timer only */
		assert_int_equal(run_until(T0 + GMI), 1);
		assert_state("EX /1");
		teardown_db();
	}
}

static void r076_forwarding_rule(void **state)
{
	FOR_BOTH_FAMILIES
	{
		struct addr s1 = gm_source(fam, '1'), s4 = gm_source(fam, '4'),
			    s7 = gm_source(fam, '7');

		setup_db(NULL);
		start("IN 1");
		assert_true(mgroup_wants(group(), &s1));
		assert_false(mgroup_wants(group(), &s7));
		teardown_db();
		setup_db(NULL);
		start("EX 1/4");
		assert_true(mgroup_wants(group(), &s1));
		assert_false(mgroup_wants(group(), &s4));
		assert_true(mgroup_wants(group(), &s7));
		teardown_db();
	}
}

static void r077_membership_interval_by_revision(void **state)
{
	static const struct {
		enum gm_revision rev;
		int64_t ms;
	} c[] = {{GM_RFC9776, 270000}, {GM_RFC3376, 260000}};

	FOR_BOTH_FAMILIES
	{
		for (size_t i = 0; i < array_len(c); i++) {
			struct mgroup_params p = {.gm = gm_params_default};

			p.gm.revision = c[i].rev;
			setup_db(&p);
			send_at(T0, GM_V3, 9, GM_IS_EX, "");
			assert_int_equal(run_until(T0 + c[i].ms - 1), 0);
			assert_int_equal(run_until(T0 + c[i].ms), 1);
			assert_state("-");
			teardown_db();
		}
	}
}

static void repeated_report_changes_nothing(void **state)
{
	FOR_BOTH_FAMILIES
	{
		setup_db(NULL);
		assert_int_equal(send_at(T0, GM_V3, 9, GM_IS_EX, "4"), 1);
		assert_int_equal(send_at(T1, GM_V3, 9, GM_IS_EX, "4"), 0);
		assert_int_equal(send_at(T1, GM_V3, 8, GM_IS_EX, "4"), 0);
		assert_int_equal(group()->until.ns / NS_PER_MS, T1 + GMI);
		teardown_db();
	}
}

static void r051_adopted_values_make_the_interval(void **state)
{
	FOR_BOTH_FAMILIES
	{
		setup_db(NULL);
		db.role[fam].rv = 5;
		db.role[fam].qi_ms = 60000;
		send_at(T0, GM_V3, 9, GM_IS_EX, "");
		assert_int_equal(group()->until.ns / NS_PER_MS, T0 + 5 * 60000 + 20000);
		teardown_db();
	}
}

/* ---- older hosts ---- */

static void r094_compatibility_mode_follows_timers(void **state)
{
	FOR_BOTH_FAMILIES
	{
		setup_db(NULL);
		send_at(T0, GM_V3, 9, GM_IS_EX, "");
		assert_int_equal(mgroup_version(group(), mono_from_ms(T0)), GM_V3);
		send_at(T0, GM_V1, 8, GM_IS_EX, "");
		send_at(T1, GM_V2, 7, GM_IS_EX, "");
		assert_int_equal(mgroup_version(group(), mono_from_ms(T1)), GM_V1);
		assert_int_equal(
			mgroup_version(group(), mono_from_ms(T0 + 260000)), GM_V2);
		assert_int_equal(
			mgroup_version(group(), mono_from_ms(T1 + 260000)), GM_V3);
		teardown_db();
	}
}

static void r095_v2_mode_ignores_blocking(void **state)
{
	FOR_BOTH_FAMILIES
	{
		setup_db(NULL);
		send_at(T0, GM_V2, 8, GM_IS_EX, "");
		send_at(T1, GM_V3, 9, GM_BLOCK, "1");
		assert_queries("");
		assert_state("EX /");
		send_at(T1, GM_V3, 9, GM_TO_EX, "1");
		assert_state("EX /");
		send_at(T1, GM_V3, 9, GM_ALLOW, "1");
		assert_state("EX 1/");
		teardown_db();
	}
}

static void r096_v1_mode_ignores_leaves(void **state)
{
	FOR_BOTH_FAMILIES
	{
		setup_db(NULL);
		send_at(T0, GM_V1, 8, GM_IS_EX, "");
		send_at(T1, GM_V2, 9, GM_TO_IN, "");
		assert_queries("");
		assert_int_equal(group()->until.ns / NS_PER_MS, T0 + GMI);
		teardown_db();
	}
}

static void r097_blocking_returns_with_v3(void **state)
{
	FOR_BOTH_FAMILIES
	{
		setup_db(NULL);
		send_at(T0, GM_V3, 9, GM_IS_EX, "4");
		assert_state("EX /4");
		send_at(T1, GM_V2, 8, GM_IS_EX, "");
		assert_state("EX /");
		send_at(T1 + 260001, GM_V3, 9, GM_IS_EX, "4");
		assert_state("EX 4/"); /* 4 stays for GMI and is blocked then */
		teardown_db();
	}
}

static void r056_v1_router_ignores_leaves(void **state)
{
	FOR_BOTH_FAMILIES
	{
		setup_db(NULL);
		db.role[fam].version = GM_V1;
		send_at(T0, GM_V2, 9, GM_IS_EX, "");
		send_at(T1, GM_V2, 9, GM_TO_IN, "");
		assert_queries("");
		assert_int_equal(group()->until.ns / NS_PER_MS, T0 + GMI);
		teardown_db();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(table_rows),
		cmocka_unit_test(r071_blocked_after_silence),
		cmocka_unit_test(r073_silence_gives_include),
		cmocka_unit_test(r074_group_timer_keeps_running_sources),
		cmocka_unit_test(r075_source_timer),
		cmocka_unit_test(r076_forwarding_rule),
		cmocka_unit_test(r077_membership_interval_by_revision),
		cmocka_unit_test(repeated_report_changes_nothing),
		cmocka_unit_test(r094_compatibility_mode_follows_timers),
		cmocka_unit_test(r095_v2_mode_ignores_blocking),
		cmocka_unit_test(r096_v1_mode_ignores_leaves),
		cmocka_unit_test(r097_blocking_returns_with_v3),
		cmocka_unit_test(r056_v1_router_ignores_leaves),
		cmocka_unit_test(r051_adopted_values_make_the_interval),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
