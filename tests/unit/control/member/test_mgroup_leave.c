/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * How a group ends: after queries to the last member (RFC 9776 6.6.3; R083 to R089), or
 * at once where every host is tracked (R092).
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

/* K14: a pending query also serves hosts that leave meanwhile. 299 leaves of a group
 * cause no more queries than one. */
static void r088_k14_leaves_merge(void **state)
{
	FOR_BOTH_FAMILIES
	{
		unsigned n = 0;
		char q[128];

		setup_db(NULL);
		send_at(T0, GM_V2, 9, GM_IS_EX, "");
		for (int i = 0; i < 299; i++) {
			send_at(T1 + 3 * i, GM_V2, 1 + (unsigned)i % 200, GM_TO_IN, "");
			n += strlen(queries(q)) > 0;
		}
		assert_int_equal(n, 1);
		assert_int_equal(run_until(T1 + 1999), 0);
		assert_queries("Q");
		assert_int_equal(run_until(T1 + 2000), 1);
		teardown_db();
	}
}

/* K14: a leave after an answer causes a query, but not within the same interval. */
static void k14_answer_and_leave_ask_once_an_interval(void **state)
{
	FOR_BOTH_FAMILIES
	{
		unsigned n = 0;
		char q[128];

		setup_db(NULL);
		for (int i = 0; i < 900; i++) {
			run_until(T1 + 10 * i);
			n += strlen(queries(q)) > 0;
			send_at(T1 + 10 * i, GM_V3, 9, GM_TO_EX, "");
			send_at(T1 + 10 * i, GM_V3, 9, GM_TO_IN, "");
			n += strlen(queries(q)) > 0;
		}
		assert_in_range(n, 9, 10); /* in nine seconds */
		assert_state("EX /");
		run_until(T1 + 9000 + 3000);
		assert_state("-");
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
			/* one query at once, the others one per turn (F8) */
			assert_int_equal(fx.n, 1);
			for (size_t n = 0; n < (400 + room - 1) / room; n++) {
				assert_int_equal(fx.v[fx.n - 1].query.q.n_src,
					sum + room < 400 ? room : 400 - sum);
				sum += fx.v[fx.n - 1].query.q.n_src;
				run_until(T1 + 2000 * ((int64_t)n + 1));
			}
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
		msg.version = GM_V2; /* a v2 query carries its own response time */
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
		assert_queries("Q");
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
		assert_queries("Q(1)");
		assert_state("IN 23"); /* the other host still wants 2 */
		assert_int_equal(send_at(T1 + 1000, GM_V3, 9, GM_BLOCK, "23"), 1);
		assert_queries("Q(23)");
		assert_state("-");
		teardown_db();
	}
}

/* K11: an unknown member answers within a second. The next leave from that address does
 * not end the group at once, because another host may use the same address. */
static void k11_fast_leave_asks_once(void **state)
{
	FOR_BOTH_FAMILIES
	{
		fast();
		send_at(T0, GM_V3, 8, GM_TO_EX, "");
		assert_int_equal(send_at(T1, GM_V3, 8, GM_TO_IN, ""), 1);
		assert_queries("Q");
		assert_in_range(fx.v[0].query.q.max_resp_ms, 100, 500);
		assert_int_equal(send_at(T1 + 400, GM_V3, 8, GM_IS_EX, ""), 1);
		assert_int_equal(send_at(T1 + 600, GM_V3, 8, GM_TO_IN, ""), 0);
		assert_state("EX /");
		/* this leave starts queries like any other */
		assert_int_equal(run_until(T1 + 2599), 0);
		assert_int_equal(run_until(T1 + 2600), 1);
		assert_state("-");
		teardown_db();
	}
}

/* K11, K14: a host that joins and leaves continually causes one query per second. */
static void k11_fast_leave_over_and_over(void **state)
{
	FOR_BOTH_FAMILIES
	{
		unsigned n = 0;
		char q[128];

		fast();
		for (int i = 0; i < 900; i++) {
			run_until(T1 + 10 * i);
			n += strlen(queries(q)) > 0;
			send_at(T1 + 10 * i, GM_V3, 9, GM_TO_EX, "");
			send_at(T1 + 10 * i, GM_V3, 9, GM_TO_IN, "");
			n += strlen(queries(q)) > 0;
		}
		assert_in_range(n, 9, 18);
		teardown_db();
	}
}

static int forged_at(int64_t ms, enum gm_record_type type, const char *list)
{
	struct addr src[10];
	struct gm_record rec = {.type = type,
		.group = gm_group(fam, 1),
		.src = src,
		.n_src = gm_sources(fam, list, src)};
	struct gm_msg msg = {.version = GM_V3,
		.from = gm_host(fam, 8),
		.mac = {{2, 0, 0, 0, 0, 0x66}}};

	effects_clear(&fx);
	mgroup_begin(&db, mono_from_ms(ms));
	return mgroup_input(&db, mono_from_ms(ms), &msg, &rec, &fx);
}

/* F6: if another station sends a leave with a member's address, the router queries as
 * without fast leave. The forged record does not change what is known of the member. */
static void f6_leave_from_another_station_is_a_question(void **state)
{
	FOR_BOTH_FAMILIES
	{
		fast();
		send_at(T0, GM_V3, 8, GM_TO_EX, "");
		assert_int_equal(forged_at(T1, GM_TO_IN, ""), 0);
		assert_queries("Q");
		assert_state("EX /");
		assert_int_equal(group()->n_host, 1);
		assert_int_equal(group()->host[0].filter.mode, GM_EXCLUDE);
		send_at(T1 + 700, GM_V3, 8, GM_IS_EX, "");
		assert_int_equal(run_until(T1 + 10000), 0);
		/* the member's own leave still takes effect at once */
		assert_int_equal(send_at(T1 + 10000, GM_V3, 8, GM_TO_IN, ""), 1);
		assert_state("-");
		teardown_db();
	}
}

static void f6_block_and_narrower_lists_from_another_station(void **state)
{
	static const struct {
		enum gm_record_type type;
		const char *list;
	} c[] = {{GM_BLOCK, "1"}, {GM_TO_IN, "2"}, {GM_TO_IN, ""}};

	FOR_BOTH_FAMILIES
	{
		for (size_t i = 0; i < array_len(c); i++) {
			fast();
			send_at(T0, GM_V3, 8, GM_ALLOW, "12");
			assert_int_equal(forged_at(T1, c[i].type, c[i].list), 0);
			assert_state("IN 12");
			send_at(T1 + 700, GM_V3, 8, GM_IS_IN, "12");
			assert_int_equal(run_until(T1 + 10000), 0);
			assert_state("IN 12");
			teardown_db();
		}
		/* exclude more sources, in EXCLUDE mode */
		fast();
		send_at(T0, GM_V3, 8, GM_TO_EX, "");
		forged_at(T1, GM_TO_EX, "1");
		forged_at(T1, GM_BLOCK, "2");
		assert_state("EX 12/");
		assert_queries("Q(2)");
		send_at(T1 + 700, GM_V3, 8, GM_IS_EX, "");
		run_until(T1 + 100000);
		assert_state("EX /");
		teardown_db();
	}
}

/* A member whose MAC address changes does not count as two members for ever. */
static void f6_station_changes(void **state)
{
	FOR_BOTH_FAMILIES
	{
		fast();
		send_at(T0, GM_V3, 8, GM_TO_EX, "");
		forged_at(T0, GM_TO_EX, "");
		forged_at(T1, GM_TO_IN, "");
		assert_queries("Q");
		assert_int_equal(run_until(T1 + 2000), 1);
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

/* The answer to a group-and-source query names only the queried sources. */
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

/* ---- "clear group" by the operator ---- */

static bool doubt(int64_t ms)
{
	struct addr g = gm_group(fam, 1);

	effects_clear(&fx);
	return mgroup_doubt(&db, mgroup_find(&db, &g), mono_from_ms(ms), &fx);
}

/* A membership without a host ends as after a leave, and not before two queries. */
static void doubt_ends_what_nobody_answers_for(void **state)
{
	static const char *const states[] = {"EX /", "EX 1/2", "IN 12"};

	for (size_t i = 0; i < array_len(states); i++)
		FOR_BOTH_FAMILIES
		{
			setup_db(NULL);
			start(states[i]);
			assert_true(doubt(T1));
			assert_queries("Q");
			assert_state(states[i]);
			run_until(T1 + 1000);
			assert_queries("Q");
			assert_state(states[i]);
			run_until(T1 + 1999);
			assert_state(states[i]);
			assert_int_not_equal(run_until(T1 + 2000), 0);
			assert_state("-");
			teardown_db();
		}
}

static void doubt_spares_hosts_that_answer(void **state)
{
	FOR_BOTH_FAMILIES
	{
		setup_db(NULL);
		start("IN 12");
		assert_true(doubt(T1));
		send_at(T1 + 500, GM_V3, 8, GM_IS_IN, "1");
		run_until(T1 + 5000);
		assert_state("IN 1");
		assert_int_equal(source_ms('1'), T1 + 500 + GMI);
		teardown_db();

		setup_db(NULL);
		start("EX /");
		assert_true(doubt(T1));
		send_at(T1 + 500, GM_V2, 8, GM_IS_EX, "");
		run_until(T1 + 5000);
		assert_state("EX /");
		teardown_db();
	}
}

/* With fast leave: a host that answers and leaves does not end the membership of hosts
 * that have not answered yet. */
static void doubt_forgets_the_hosts(void **state)
{
	FOR_BOTH_FAMILIES
	{
		fast();
		send_at(T0, GM_V3, 8, GM_TO_EX, "");
		send_at(T0, GM_V3, 9, GM_TO_EX, "");
		assert_true(doubt(T1));
		assert_int_equal(group()->n_host, 0);
		send_at(T1 + 100, GM_V3, 8, GM_IS_EX, "");
		send_at(T1 + 200, GM_V3, 8, GM_TO_IN, "");
		assert_state("EX /");
		send_at(T1 + 300, GM_V3, 9, GM_IS_EX, "");
		run_until(T1 + 1000); /* one more query, for the leave */
		assert_queries("Q");
		send_at(T1 + 1500, GM_V3, 9, GM_IS_EX, "");
		run_until(T1 + 9000);
		assert_state("EX /");
		assert_int_equal(group()->n_host, 1);
		teardown_db();
	}
}

static void doubt_is_for_routers_that_may_ask(void **state)
{
	FOR_BOTH_FAMILIES
	{
		setup_db(NULL);
		start("EX /");
		db.role[fam].querier = false;
		assert_false(doubt(T1));
		assert_queries("");
		run_until(T1 + 5000);
		assert_state("EX /");
		teardown_db();
	}
	fam = FAMILY_IPV4;
	setup_db(NULL);
	send_at(T0, GM_V1, 9, GM_IS_EX, "");
	assert_false(doubt(T1));
	run_until(T1 + 5000);
	assert_state("EX /");
	teardown_db();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(r083_leave_asks_twice_then_ends),
		cmocka_unit_test(r084_answered_query_is_repeated_with_s),
		cmocka_unit_test(r086_repeat_splits_by_answer),
		cmocka_unit_test(r087_answer_restores_the_timer),
		cmocka_unit_test(r088_k14_leaves_merge),
		cmocka_unit_test(k14_answer_and_leave_ask_once_an_interval),
		cmocka_unit_test(r089_queries_fit_the_mtu),
		cmocka_unit_test(r081_current_state_asks_nothing),
		cmocka_unit_test(r054_non_querier_asks_nothing),
		cmocka_unit_test(r052_heard_query_lowers_timers),
		cmocka_unit_test(r092_last_tracked_host_ends_the_group),
		cmocka_unit_test(r092_tracked_sources),
		cmocka_unit_test(k11_fast_leave_asks_once),
		cmocka_unit_test(k11_fast_leave_over_and_over),
		cmocka_unit_test(f6_leave_from_another_station_is_a_question),
		cmocka_unit_test(f6_block_and_narrower_lists_from_another_station),
		cmocka_unit_test(f6_station_changes),
		cmocka_unit_test(r092_e13_older_member_forbids_it),
		cmocka_unit_test(r092_host_without_address_forbids_it),
		cmocka_unit_test(r092_partial_answer_keeps_the_rest),
		cmocka_unit_test(r092_too_many_hosts_forbid_it),
		cmocka_unit_test(r054_fast_leave_is_for_the_querier),
		cmocka_unit_test(doubt_ends_what_nobody_answers_for),
		cmocka_unit_test(doubt_spares_hosts_that_answer),
		cmocka_unit_test(doubt_forgets_the_hosts),
		cmocka_unit_test(doubt_is_for_routers_that_may_ask),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
