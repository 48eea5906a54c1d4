/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * How a group ends: queries to the last member (RFC 9776 6.6.3; R083 to R089), and
 * without them where every host is tracked (R092).
 */

#include "mgroup_fixture.h"

/* ---- last member process ---- */

static void r083_leave_asks_twice_then_ends(void **state)
{
	FOR_BOTH_FAMILIES
	{
		setup_db(NULL);
		send_at(T0, GM_V2, 9, GM_IS_EX, "");
		assert_int_equal(send_at(T1, GM_V2, 9, GM_TO_IN, ""), 0);
		assert_queries("Q");
		assert_int_equal(fx.v[0].query.q.max_resp_ms, 1000);
		run_until(T1 + 999);
		assert_queries("");
		run_until(T1 + 1000);
		assert_queries("Q");
		assert_int_equal(run_until(T1 + 1999), 0);
		assert_queries("");
		assert_int_equal(run_until(T1 + 2000), 1);
		assert_state("-");
		assert_int_equal(mgroup_deadline(&db).ns, MONO_NEVER.ns);
		teardown_db();
	}
}

static void r084_answered_query_is_repeated_with_s(void **state)
{
	FOR_BOTH_FAMILIES
	{
		setup_db(NULL);
		send_at(T0, GM_V3, 9, GM_IS_EX, "");
		send_at(T1, GM_V3, 9, GM_TO_IN, "");
		assert_queries("Q");
		send_at(T1 + 500, GM_V3, 8, GM_IS_EX, "");
		run_until(T1 + 1000);
		assert_queries("Q*");
		run_until(T1 + 3000);
		assert_state("EX /");
		teardown_db();
	}
}

static void r086_repeat_splits_by_answer(void **state)
{
	FOR_BOTH_FAMILIES
	{
		setup_db(NULL);
		start("IN 12");
		send_at(T1, GM_V3, 9, GM_BLOCK, "12");
		assert_queries("Q(12)");
		send_at(T1 + 500, GM_V3, 8, GM_IS_IN, "1");
		run_until(T1 + 1000);
		assert_queries("Q(1)* Q(2)");
		run_until(T1 + 2000);
		assert_state("IN 1");
		assert_queries("");
		teardown_db();
	}
}

static void r087_answer_restores_the_timer(void **state)
{
	FOR_BOTH_FAMILIES
	{
		setup_db(NULL);
		send_at(T0, GM_V2, 9, GM_IS_EX, "");
		send_at(T1, GM_V2, 9, GM_TO_IN, "");
		assert_int_equal(send_at(T1 + 900, GM_V2, 8, GM_IS_EX, ""), 0);
		assert_int_equal(run_until(T1 + 900 + GMI - 1), 0);
		assert_state("EX /");
		teardown_db();
	}
}

static void r088_leaves_merge(void **state)
{
	FOR_BOTH_FAMILIES
	{
		unsigned n = 0;
		char q[128];

		setup_db(NULL);
		send_at(T0, GM_V2, 9, GM_IS_EX, "");
		for (int i = 0; i < 3; i++) {
			send_at(T1 + 30 * i, GM_V2, 9 - (unsigned)i, GM_TO_IN, "");
			n += strlen(queries(q)) > 0;
		}
		assert_int_equal(n, 3);
		run_until(T1 + 1999);
		assert_queries("Q"); /* one merged repetition: 4 in total */
		teardown_db();
	}
}

static void r089_queries_fit_the_mtu(void **state)
{
	static const struct {
		uint32_t mtu;
		size_t v4, v6;
	} c[] = {{1500, 366, 89}, {1492, 364, 88}, {1280, 311, 75}};
	static struct addr src[400];

	FOR_BOTH_FAMILIES
	{
		for (size_t i = 0; i < array_len(c); i++) {
			size_t room = fam == FAMILY_IPV4 ? c[i].v4 : c[i].v6, sum = 0;
			struct gm_msg msg = {.version = GM_V3, .from = gm_host(fam, 9)};
			struct gm_record rec = {.type = GM_IS_IN,
				.group = gm_group(fam, 1),
				.src = src,
				.n_src = 400};

			for (unsigned s = 0; s < 400; s++) {
				src[s] = gm_source(fam, '1');
				src[s].b[13] = (uint8_t)(s >> 8);
				src[s].b[14] = (uint8_t)s;
			}
			setup_db(NULL);
			db.mtu = c[i].mtu;
			mgroup_input(&db, mono_from_ms(T0), &msg, &rec, &fx);
			rec.type = GM_BLOCK;
			effects_clear(&fx);
			mgroup_input(&db, mono_from_ms(T1), &msg, &rec, &fx);
			assert_int_equal(fx.n, (400 + room - 1) / room);
			assert_int_equal(fx.v[0].query.q.n_src, room);
			effects_for_each (&fx, e)
				sum += e->query.q.n_src;
			assert_int_equal(sum, 400);
			teardown_db();
		}
	}
}

static void r081_current_state_asks_nothing(void **state)
{
	FOR_BOTH_FAMILIES
	{
		setup_db(NULL);
		start("EX 12/4");
		send_at(T1, GM_V3, 9, GM_IS_EX, "4");
		assert_queries("");
		send_at(T1, GM_V3, 9, GM_IS_IN, "1");
		assert_queries("");
		teardown_db();
	}
}

static void r054_non_querier_asks_nothing(void **state)
{
	FOR_BOTH_FAMILIES
	{
		setup_db(NULL);
		start("EX 1/4");
		db.role[fam].querier = false;
		send_at(T1, GM_V3, 9, GM_TO_IN, "");
		assert_queries("");
		assert_int_equal(group()->until.ns / NS_PER_MS, T0 + GMI);
		assert_int_equal(source_ms('1'), T0 + GMI);
		teardown_db();
	}
}

static void r052_heard_query_lowers_timers(void **state)
{
	FOR_BOTH_FAMILIES
	{
		struct addr s1 = gm_source(fam, '1');
		struct gm_msg msg = {.kind = GM_QUERY,
			.family = fam,
			.version = GM_V3,
			.query = {.group = gm_group(fam, 1),
				.max_resp_ms = 1000,
				.suppress = true}};

		setup_db(NULL);
		start("EX 1/4");
		mgroup_heard_query(&db, mono_from_ms(T1), &msg);
		assert_int_equal(group()->until.ns / NS_PER_MS, T0 + GMI);
		msg.query.suppress = false;
		mgroup_heard_query(&db, mono_from_ms(T1), &msg);
		assert_int_equal(group()->until.ns / NS_PER_MS, T1 + 2000);
		assert_int_equal(source_ms('1'), T0 + GMI);
		msg.query.src = &s1;
		msg.query.n_src = 1;
		mgroup_heard_query(&db, mono_from_ms(T1), &msg);
		assert_int_equal(source_ms('1'), T1 + 2000);
		msg.version = GM_V2; /* a v2 query names its own response time */
		msg.query.n_src = 0;
		msg.query.max_resp_ms = 300;
		mgroup_heard_query(&db, mono_from_ms(T1), &msg);
		assert_int_equal(group()->until.ns / NS_PER_MS, T1 + 600);
		teardown_db();
	}
}

/* ---- fast leave ---- */

static void fast(void)
{
	struct mgroup_params p = {.gm = gm_params_default, .fast_leave = true};

	setup_db(&p);
}

static void r092_last_tracked_host_ends_the_group(void **state)
{
	FOR_BOTH_FAMILIES
	{
		fast();
		send_at(T0, GM_V3, 8, GM_TO_EX, "");
		send_at(T0, GM_V3, 9, GM_TO_EX, "");
		assert_int_equal(send_at(T1, GM_V3, 9, GM_TO_IN, ""), 0);
		assert_queries("");
		assert_state("EX /");
		assert_int_equal(send_at(T1, GM_V3, 8, GM_TO_IN, ""), 1);
		assert_queries("");
		assert_state("-");
		teardown_db();
	}
}

static void r092_tracked_sources(void **state)
{
	FOR_BOTH_FAMILIES
	{
		fast();
		send_at(T0, GM_V3, 8, GM_ALLOW, "12");
		send_at(T0, GM_V3, 9, GM_ALLOW, "23");
		assert_state("IN 123");
		assert_int_equal(send_at(T1, GM_V3, 8, GM_BLOCK, "12"), 1);
		assert_state("IN 23"); /* 2 is still wanted by the other host */
		assert_int_equal(send_at(T1, GM_V3, 9, GM_BLOCK, "23"), 1);
		assert_state("-");
		teardown_db();
	}
}

static void r092_e13_older_member_forbids_it(void **state)
{
	FOR_BOTH_FAMILIES
	{
		fast();
		send_at(T0, GM_V2, 8, GM_IS_EX, "");
		send_at(T0, GM_V3, 9, GM_TO_EX, "");
		send_at(T1, GM_V3, 9, GM_TO_IN, "");
		assert_queries("Q");
		assert_state("EX /");
		teardown_db();
	}
}

static void r092_host_without_address_forbids_it(void **state)
{
	FOR_BOTH_FAMILIES
	{
		struct gm_msg msg = {.version = GM_V3, .from = addr_any(fam)};
		struct gm_record rec = {.type = GM_IS_EX, .group = gm_group(fam, 1)};

		fast();
		send_at(T0, GM_V3, 9, GM_TO_EX, "");
		mgroup_input(&db, mono_from_ms(T0), &msg, &rec, &fx);
		send_at(T1, GM_V3, 9, GM_TO_IN, "");
		assert_queries("Q");
		assert_state("EX /");
		teardown_db();
	}
}

/* The answer to a group-and-source query names only what was asked. */
static void r092_partial_answer_keeps_the_rest(void **state)
{
	FOR_BOTH_FAMILIES
	{
		fast();
		send_at(T0, GM_V3, 8, GM_TO_EX, "");
		send_at(T0, GM_V3, 9, GM_TO_EX, "");
		send_at(T1, GM_V3, 8, GM_IS_IN, "1");
		send_at(T1, GM_V3, 9, GM_TO_IN, "");
		assert_state("EX 1/"); /* host 8 is still a member in EXCLUDE mode */
		teardown_db();
	}
}

static void r092_too_many_hosts_forbid_it(void **state)
{
	FOR_BOTH_FAMILIES
	{
		fast();
		for (unsigned h = 0; h <= MGROUP_MAX_HOSTS; h++)
			send_at(T0, GM_V3, h + 1, GM_TO_EX, "");
		for (unsigned h = 0; h < MGROUP_MAX_HOSTS; h++)
			send_at(T1, GM_V3, h + 1, GM_TO_IN, "");
		assert_state("EX /");
		teardown_db();
	}
}

static void r054_fast_leave_is_for_the_querier(void **state)
{
	FOR_BOTH_FAMILIES
	{
		fast();
		send_at(T0, GM_V3, 8, GM_TO_EX, "");
		db.role[fam].querier = false;
		send_at(T1, GM_V3, 8, GM_TO_IN, "");
		assert_state("EX /");
		teardown_db();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(r083_leave_asks_twice_then_ends),
		cmocka_unit_test(r084_answered_query_is_repeated_with_s),
		cmocka_unit_test(r086_repeat_splits_by_answer),
		cmocka_unit_test(r087_answer_restores_the_timer),
		cmocka_unit_test(r088_leaves_merge),
		cmocka_unit_test(r089_queries_fit_the_mtu),
		cmocka_unit_test(r081_current_state_asks_nothing),
		cmocka_unit_test(r054_non_querier_asks_nothing),
		cmocka_unit_test(r052_heard_query_lowers_timers),
		cmocka_unit_test(r092_last_tracked_host_ends_the_group),
		cmocka_unit_test(r092_tracked_sources),
		cmocka_unit_test(r092_e13_older_member_forbids_it),
		cmocka_unit_test(r092_host_without_address_forbids_it),
		cmocka_unit_test(r092_partial_answer_keeps_the_rest),
		cmocka_unit_test(r092_too_many_hosts_forbid_it),
		cmocka_unit_test(r054_fast_leave_is_for_the_querier),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
