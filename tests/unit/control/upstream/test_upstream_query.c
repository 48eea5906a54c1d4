/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Host side: answers to queries, their delays and messages, the refresh without a
 * querier, and the effect of a flood of queries. Scripts: see
 * support/upstream_fixture.h.
 */

#include "fail_alloc.h"
#include "upstream_fixture.h"

/* Joins n groups that were reported long ago. */
static void join_many(struct upstream_fixture *t, unsigned n, enum gm_mode mode)
{
	struct addr src = fixture_source(t->family, 0);

	for (unsigned i = 0; i < n; i++) {
		struct addr group = fixture_group(t->family, i);

		fixture_set(t, &group, mode, &src, mode == GM_INCLUDE);
	}
	fixture_run(t, 10000);
	effects_clear(&t->fx);
}

static void r107_delay_is_uniform(void **state)
{
	for (enum family family = 0; family < _FAMILY_N; family++) {
		int64_t min = INT64_MAX, max = 0, sum = 0;
		const int n = 500;
		struct upstream_fixture t;

		fixture_init(&t, family);
		join_many(&t, 1, GM_EXCLUDE);
		for (int i = 0; i < n; i++) {
			int64_t delay;

			fixture_query(&t, GM_V3, NULL, NULL, 0, 10000);
			assert_int_equal(t.fx.n, 0); /* never at once */
			delay = upstream_deadline(&t.upstream).ns - t.now.ns;
			assert_in_range(delay, 1, 10000 * NS_PER_MS);
			min = delay < min ? delay : min;
			max = delay > max ? delay : max;
			sum += delay / n;
			fixture_run(&t, 10000);
			assert_int_equal(t.fx.n, 1);
			effects_clear(&t.fx);
		}
		assert_in_range(sum, 4500 * NS_PER_MS, 5500 * NS_PER_MS);
		assert_true(min < 200 * NS_PER_MS && max > 9800 * NS_PER_MS);
		fixture_deinit(&t);
	}
}

static void r107_one_pending_answer(void **state)
{
	for (uint64_t seed = 1; seed <= 50; seed++) {
		struct upstream_fixture t;
		mono_t first;

		fixture_init_with(&t, FAMILY_IPV4, &fixture_params, seed);
		join_many(&t, 1, GM_EXCLUDE);
		fixture_query(&t, GM_V3, NULL, NULL, 0, 10000);
		first = upstream_deadline(&t.upstream);
		for (int i = 0; i < 20; i++)
			fixture_query(&t, GM_V3, NULL, NULL, 0, 20000);
		/* a further query can only shorten the delay */
		assert_false(mono_before(first, upstream_deadline(&t.upstream)));
		fixture_run(&t, 50000);
		assert_int_equal(t.fx.n, 1);
		fixture_deinit(&t);
	}
}

static void r107_general_answers(void **state)
{
	struct upstream_params params = fixture_params;
	static const struct upstream_case c[] = {
		{"R107 current state of all groups",
			"G ex > to_ex G {}; H in AB > allow H {A,B}; I ex C > to_ex I {C};"
			"?3 1000 >; +1000 > is_ex G {} is_in H {A,B} is_ex I {C}; +99999 >"},
		{"R107 state at the time of the answer",
			"G ex > to_ex G {}; H ex > to_ex H {}; ?3 10000 >; G ex A > block G {A};"
			"I in B > allow I {B}; H none > to_in H {};"
			"+10000 > is_ex G {A} is_in I {B}; +99999 >"},
		{"R107 no groups", "?3 1000 >; +9999 >; G ex > to_ex G {}; +99999 >"},
		{"R107 no response time",
			"G ex > to_ex G {}; ?3 0 >; +1 > is_ex G {}; +9999 >"},
	};

	params.gm.robustness = 1; /* no repeats in between */
	fixture_cases(&params, c, array_len(c));
}

static void r108_r109_specific_queries(void **state)
{
	struct upstream_params params = fixture_params;
	static const struct upstream_case c[] = {
		{"R108 joined",
			"G ex A > to_ex G {A}; ?3 G 1000 >; +1000 > is_ex G {A}; +9999 >"},
		{"R108 include",
			"G in A > allow G {A}; ?3 G 1000 >; +1000 > is_in G {A}; +9999 >"},
		{"R108 not joined", "G ex > to_ex G {}; ?3 H 1000 >; +9999 >"},
		{"R108 one pending answer",
			"G ex > to_ex G {}; ?3 G 1000 >; ?3 G 1000 >;"
			"?3 G 5000 >; +1000 > is_ex G {}; +9999 >"},
		{"R109 INCLUDE, match",
			"G in AB > allow G {A,B}; ?3 G A 1000 >; +1000 > is_in G {A}; +9999 >"},
		{"R109 INCLUDE, superset asked",
			"G in AB > allow G {A,B}; ?3 G ABC 1000 >;"
			"+1000 > is_in G {A,B}; +9999 >"},
		{"R109 INCLUDE, no match",
			"G in AB > allow G {A,B}; ?3 G CD 1000 >; +9999 >"},
		{"R109 EXCLUDE, blocked source",
			"G ex A > to_ex G {A}; ?3 G A 1000 >; +9999 >"},
		{"R109 EXCLUDE, wanted sources",
			"G ex A > to_ex G {A}; ?3 G ABC 1000 >;"
			"+1000 > is_in G {B,C}; +9999 >"},
		{"R109 not joined", "?3 G A 1000 >; +9999 >"},
		{"R109 lists are united",
			"G in ABCD > allow G {A,B,C,D}; ?3 G A 1000 >;"
			"?3 G CE 1000 >; +1000 > is_in G {A,C}; +9999 >"},
		{"R109 a group query clears the list",
			"G in AB > allow G {A,B}; ?3 G A 1000 >; ?3 G 1000 >;"
			"+1000 > is_in G {A,B}; +9999 >"},
		{"R109 a pending group answer is not narrowed",
			"G in AB > allow G {A,B}; ?3 G 1000 >; ?3 G A 1000 >;"
			"+1000 > is_in G {A,B}; +9999 >"},
		{"R109 the next query starts from nothing",
			"G in AB > allow G {A,B}; ?3 G A 1000 >; +1000 > is_in G {A};"
			"?3 G B 1000 >; +1000 > is_in G {B}; +9999 >"},
		{"R109 state at the time of the answer",
			"G in A > allow G {A}; ?3 G B 1000 >; G in B > allow G {B} block G {A};"
			"+1000 > is_in G {B}"},
		{"R109 left meanwhile",
			"G in A > allow G {A}; ?3 G A 1000 >;"
			"G none > block G {A}; gone G; +9999 >"},
	};

	params.gm.robustness = 1; /* no repeats in between */
	fixture_cases(&params, c, array_len(c));
}

static void r109_short_of_memory_answers_in_full(void **state)
{
	struct upstream_params params = fixture_params;
	struct upstream_fixture t;

	params.gm.robustness = 1;
	fixture_init_with(&t, FAMILY_IPV4, &params, 1);
	fixture_script(&t, "R109", "G in AB > allow G {A,B}");
	fail_alloc_after = 0;
	fixture_script(&t, "R109", "?3 G A 1000 >; +1000 > is_in G {A,B}");
	fail_alloc_after = -1;
	fixture_deinit(&t);
}

/* Queries about ever new sources do not fill the memory: the answer is the whole
 * list. */
static void r109_asked_sources_are_bounded(void **state)
{
	struct addr src[100], group = fixture_group(FAMILY_IPV4, 0);
	struct upstream_params params = fixture_params;
	const struct upstream_group *g;
	struct upstream_fixture t;

	params.gm.robustness = 1;
	fixture_init_with(&t, FAMILY_IPV4, &params, 1);
	fixture_script(&t, "R109", "G in AB > allow G {A,B}");
	g = upstream_find(&t.upstream, &group);
	for (unsigned i = 0; i < 100; i++) {
		for (unsigned j = 0; j < array_len(src); j++)
			src[j] = fixture_source(FAMILY_IPV4, 1000 + i * 100 + j);
		fixture_query(&t, GM_V3, &group, src, array_len(src), 10000);
		assert_true(g->asked.n <= 1024);
	}
	fixture_script(&t, "R109", "+10000 > is_in G {A,B}; +9999 >");
	fixture_deinit(&t);
}

/* If the decoder left out sources of the query, the answer is the whole list. */
static void r109_a_query_that_was_cut_is_answered_in_full(void **state)
{
	struct addr src = fixture_source(FAMILY_IPV4, 0);
	struct upstream_params params = fixture_params;
	struct gm_msg msg = {.kind = GM_QUERY,
		.family = FAMILY_IPV4,
		.version = GM_V3,
		.from = a("10.9.0.1"),
		.query = {.group = fixture_group(FAMILY_IPV4, 0),
			.max_resp_ms = 1000,
			.src = &src,
			.n_src = 1,
			.n_left = 1}};
	struct upstream_fixture t;

	params.gm.robustness = 1;
	fixture_init_with(&t, FAMILY_IPV4, &params, 1);
	fixture_script(&t, "R109", "G in AB > allow G {A,B}");
	upstream_query(&t.upstream, t.now, &msg, true);
	assert_int_equal(t.upstream.family[FAMILY_IPV4].n_asked, 0);
	fixture_script(&t, "R109", "+1000 > is_in G {A,B}; +9999 >");
	fixture_deinit(&t);
}

#define N_ASKED 160 /* groups, each asked for MANY sources */
#define MANY	1000

static size_t sum_asked(const struct upstream_fixture *t, size_t *ret_bytes)
{
	size_t n = 0;

	*ret_bytes = 0;
	for (unsigned i = 0; i < N_ASKED; i++) {
		struct addr group = fixture_group(t->family, i);
		const struct upstream_group *g = upstream_find(&t->upstream, &group);

		n += g->asked.n;
		*ret_bytes += g->asked.cap * sizeof(*g->asked.v);
		if (!g->answer_sources)
			assert_null(g->asked.v);
	}
	return n;
}

/* All groups are asked for many sources, with a minute to answer. */
static void ask_all(struct upstream_fixture *t)
{
	struct addr src[MANY];

	for (unsigned j = 0; j < MANY; j++)
		src[j] = fixture_source(t->family, j);
	for (unsigned i = 0; i < N_ASKED; i++) {
		struct addr group = fixture_group(t->family, i);

		fixture_query(t, GM_V3, &group, src, MANY, 60000);
	}
}

static void assert_all_answered(struct upstream_fixture *t)
{
	unsigned n_state = 0, n_sources = 0;

	fixture_run(t, 60000);
	effects_for_each (&t->fx, e)
		for (size_t i = 0; i < e->report.n_rec; i++) {
			const struct gm_record *rec = &e->report.rec[i];

			n_state += rec->type == GM_IS_EX && rec->n_src == 0;
			if (rec->type == GM_IS_IN)
				n_sources += rec->n_src;
		}
	assert_int_equal(n_sources % MANY, 0);
	assert_in_range(n_sources / MANY, 1, UPSTREAM_ASKED / MANY);
	assert_int_equal(n_state + n_sources / MANY, N_ASKED);
	effects_clear(&t->fx);
}

/* A provider that asks about many sources of all groups fills no memory. Groups without
 * room answer with their state, and all memory is free once the answers are sent or the
 * link is down. */
static void r109_asked_sources_of_all_groups_are_bounded(void **state)
{
	for (enum family family = 0; family < _FAMILY_N; family++) {
		struct upstream_params params = fixture_params;
		struct upstream_fixture t;
		const size_t *n = &t.upstream.family[family].n_asked;
		size_t bytes;

		params.gm.robustness = 1;
		fixture_init_with(&t, family, &params, 1);
		join_many(&t, N_ASKED, GM_EXCLUDE);
		effects_clear(&t.fx);
		for (unsigned round = 0; round < 3; round++) {
			ask_all(&t);
			assert_in_range(*n, UPSTREAM_ASKED - MANY, UPSTREAM_ASKED);
			assert_int_equal(sum_asked(&t, &bytes), *n);
			assert_in_range(bytes, 1, 2 * UPSTREAM_ASKED * 16);
			if (round == 1) {
				upstream_link_down(&t.upstream);
				assert_int_equal(*n, 0);
				upstream_link_up(&t.upstream, t.now, &t.link);
				fixture_run(&t, 2000);
				effects_clear(&t.fx);
			} else {
				assert_all_answered(&t);
			}
			assert_int_equal(*n, 0);
			sum_asked(&t, &bytes);
			assert_int_equal(bytes, 0);
		}
		fixture_deinit(&t);
	}
}

/* In the next process the same bound and the same remaining room apply. */
static void r109_asked_sources_outlive_the_process(void **state)
{
	struct upstream_params params = fixture_params;
	struct upstream_fixture t;
	struct upstream next;
	struct state_out o;
	struct state_in in;
	size_t bytes;

	params.gm.robustness = 1;
	fixture_init_with(&t, FAMILY_IPV6, &params, 1);
	join_many(&t, N_ASKED, GM_EXCLUDE);
	effects_clear(&t.fx);
	ask_all(&t);
	state_out_init(&o, t.now, t.now);
	upstream_export(&t.upstream, &o);
	assert_int_equal(state_out_seal(&o), 0);
	assert_int_equal(state_in_init(&in, o.buf, o.n, t.now, 1000), STATE_OK);
	assert_int_equal(upstream_init(&next, &params, &t.rng), 0);
	assert_int_equal(upstream_import(&next, &in), 0);
	upstream_link_up(&next, t.now, &t.link);
	assert_int_equal(next.family[FAMILY_IPV6].n_asked,
		t.upstream.family[FAMILY_IPV6].n_asked);
	upstream_deinit(&t.upstream);
	t.upstream = next;
	assert_int_equal(sum_asked(&t, &bytes), next.family[FAMILY_IPV6].n_asked);
	fixture_run(&t, 1);
	effects_clear(&t.fx);
	assert_all_answered(&t);
	fixture_deinit(&t);
	state_out_deinit(&o);
}

static void r108_general_answer_covers_group(void **state)
{
	for (uint64_t seed = 1; seed <= 50; seed++) {
		struct upstream_fixture t;
		mono_t general;

		fixture_init_with(&t, FAMILY_IPV6, &fixture_params, seed);
		join_many(&t, 1, GM_EXCLUDE);
		fixture_query(&t, GM_V3, NULL, NULL, 0, 1000);
		general = upstream_deadline(&t.upstream);
		fixture_script(&t, "R108", "?3 G 1000 >");
		if (upstream_deadline(&t.upstream).ns == general.ns)
			fixture_script(&t, "R108", "+1000 > is_ex G {}; +9999 >");
		else
			fixture_script(
				&t, "R108", "next > is_ex G {}; next > is_ex G {}");
		fixture_deinit(&t);
	}
}

static void check_spread(enum family family, uint64_t seed, size_t n_messages)
{
	struct upstream_fixture t;
	mono_t asked, last;
	size_t n_rec = 0;

	fixture_init_with(&t, family, &fixture_params, seed);
	join_many(&t, 500, GM_EXCLUDE);
	last = asked = t.now;
	fixture_query(&t, GM_V3, NULL, NULL, 0, 10000);
	for (size_t n = 0; n < n_messages; n++) {
		fixture_act(&t, "next");
		assert_int_equal(t.fx.n, 1); /* no burst */
		assert_true(mono_before(last, t.now));
		if (n > 0)
			assert_true(t.now.ns - last.ns >
				10000 * NS_PER_MS / (int64_t)(2 * n_messages));
		last = t.now;
		n_rec += t.fx.v[0].report.n_rec;
		effects_clear(&t.fx);
	}
	assert_int_equal(n_rec, 500);
	assert_true(last.ns - asked.ns <= 10000 * NS_PER_MS);
	fixture_run(&t, 20000);
	assert_int_equal(t.fx.n, 0);
	fixture_deinit(&t);
}

static void r110_answers_of_many_groups_are_spread(void **state)
{
	for (uint64_t seed = 1; seed <= 20; seed++) {
		check_spread(FAMILY_IPV4, seed, 3); /* 500 of 183 */
		check_spread(FAMILY_IPV6, seed, 7); /* 500 of 72 */
	}
}

/* The start of a spread answer does not include this group. */
static void r110_group_query_before_a_spread_answer(void **state)
{
	struct addr group = fixture_group(FAMILY_IPV4, 499);
	struct upstream_fixture t;

	fixture_init(&t, FAMILY_IPV4);
	join_many(&t, 500, GM_EXCLUDE);
	fixture_query(&t, GM_V3, NULL, NULL, 0, 1000);
	fixture_query(&t, GM_V3, &group, NULL, 0, 600000);
	assert_int_not_equal(
		upstream_find(&t.upstream, &group)->answer_at.ns, MONO_NEVER.ns);
	fixture_deinit(&t);
}

/* Groups come and go during a spread answer. All that stay are in it. */
static void r110_changes_during_a_spread_answer(void **state)
{
	for (unsigned gone = 0; gone < 500; gone += 7) {
		struct addr group = fixture_group(FAMILY_IPV4, gone);
		bool seen[500] = {false};
		struct upstream_fixture t;

		fixture_init(&t, FAMILY_IPV4);
		join_many(&t, 500, GM_EXCLUDE);
		fixture_query(&t, GM_V3, NULL, NULL, 0, 10000);
		fixture_act(&t, "next");
		fixture_set(&t, &group, GM_INCLUDE, NULL, 0);
		group = fixture_group(FAMILY_IPV4, 1000);
		fixture_set(&t, &group, GM_EXCLUDE, NULL, 0);
		fixture_run(&t, 10000);
		effects_for_each (&t.fx, e) {
			for (size_t i = 0; i < e->report.n_rec; i++) {
				const struct gm_record *rec = &e->report.rec[i];
				unsigned n = rec->group.b[14] * 256u + rec->group.b[15];

				if (rec->type == GM_IS_EX && n < 500) {
					assert_false(seen[n]);
					seen[n] = true;
				}
			}
		}
		for (unsigned i = 0; i < 500; i++)
			assert_true(seen[i] || i == gone);
		fixture_deinit(&t);
	}
}

/* All groups leave during a spread answer, which ends without another message. */
static void r110_nothing_left_to_answer(void **state)
{
	struct upstream_fixture t;

	fixture_init(&t, FAMILY_IPV4);
	join_many(&t, 500, GM_EXCLUDE);
	fixture_query(&t, GM_V3, NULL, NULL, 0, 10000);
	fixture_act(&t, "next");
	for (unsigned i = 0; i < 500; i++) {
		struct addr group = fixture_group(FAMILY_IPV4, i);

		fixture_set(&t, &group, GM_INCLUDE, NULL, 0);
	}
	fixture_run(&t, 1000);
	effects_clear(&t.fx);
	fixture_run(&t, 20000);
	assert_int_equal(t.fx.n, 0);
	assert_int_equal(t.upstream.groups.n, 0);
	assert_int_equal(upstream_deadline(&t.upstream).ns, MONO_NEVER.ns);
	fixture_deinit(&t);
}

/* A query during a spread answer gets a full answer of its own. */
static void r110_query_during_a_spread_answer(void **state)
{
	struct upstream_fixture t;
	size_t n_rec = 0;
	mono_t until;

	fixture_init(&t, FAMILY_IPV4);
	join_many(&t, 500, GM_EXCLUDE);
	fixture_query(&t, GM_V3, NULL, NULL, 0, 10000);
	fixture_act(&t, "next");
	fixture_query(&t, GM_V3, NULL, NULL, 0, 20000);
	fixture_query(&t, GM_V3, NULL, NULL, 0, 30000);
	until = mono_add_ms(t.now, 20000);
	fixture_run_until(&t, until);
	effects_for_each (&t.fx, e)
		n_rec += e->report.n_rec;
	assert_int_equal(n_rec, 1000);
	effects_clear(&t.fx);
	fixture_run(&t, 60000);
	assert_int_equal(t.fx.n, 0);
	fixture_deinit(&t);
}

/* A spread answer to a slow query does not delay the one to a quick query. */
static void r110_later_query_hurries_a_spread_answer(void **state)
{
	for (enum family family = 0; family < _FAMILY_N; family++) {
		struct upstream_fixture t;
		size_t n_rec = 0;

		fixture_init(&t, family);
		join_many(&t, 500, GM_EXCLUDE);
		fixture_query(&t, GM_V3, NULL, NULL, 0, 60000);
		fixture_act(&t, "next");
		fixture_query(&t, GM_V3, NULL, NULL, 0, 10000);
		fixture_run(&t, 10000);
		effects_for_each (&t.fx, e)
			n_rec += e->report.n_rec;
		assert_int_equal(n_rec, 1000);
		fixture_deinit(&t);
	}
}

static void r114_robustness_of_the_querier(void **state)
{
	static const struct upstream_case c[] = {
		{"R114 adopted",
			"qrv 4; ?3 1000 >; G ex > to_ex G {}; next > to_ex G {};"
			"next > to_ex G {}; next > to_ex G {}; +99999 >"},
		{"R114 one", "qrv 1; ?3 1000 >; G in A > allow G {A}; +99999 >"},
		{"R114 zero is our own",
			"qrv 4; ?3 1000 >; qrv 0; ?3 1000 >; G ex > to_ex G {};"
			"next > to_ex G {}; +99999 >"},
		{"R114 not of older queries",
			"qrv 3; ?3 1000 >; ?2 G 1000 >; G ex > to_ex G {};"
			"next > to_ex G {}; next > to_ex G {}; +99999 >"},
		{"R114 forgotten with the link",
			"qrv 4; ?3 1000 >; down; up; G ex > to_ex G {}; next > to_ex G {};"
			"+99999 >"},
	};

	fixture_cases(&fixture_params, c, array_len(c));
}

static void r115_reports_are_no_queries(void **state)
{
	struct upstream_fixture t;
	struct gm_record rec = {
		.type = GM_TO_IN, .group = fixture_group(FAMILY_IPV4, 0)};
	struct gm_msg msg = {
		.kind = GM_REPORT, .version = GM_V2, .rec = &rec, .n_rec = 1};

	fixture_init(&t, FAMILY_IPV4);
	join_many(&t, 1, GM_EXCLUDE);
	msg.query.group = addr_any(FAMILY_IPV4);
	upstream_query(&t.upstream, t.now, &msg, false);
	assert_int_equal(upstream_deadline(&t.upstream).ns, MONO_NEVER.ns);
	assert_int_equal(t.upstream.family[FAMILY_IPV4].n_queries, 0);
	fixture_deinit(&t);
}

static void r116_queries_from_anywhere(void **state)
{
	static const char *const from[] = {"0.0.0.0", "198.51.100.1"};
	struct upstream_fixture t;

	fixture_init(&t, FAMILY_IPV4);
	join_many(&t, 1, GM_EXCLUDE);
	for (size_t i = 0; i < array_len(from); i++) {
		struct gm_msg msg = {.kind = GM_QUERY,
			.version = GM_V3,
			.from = a(from[i]),
			.query = {.group = addr_any(FAMILY_IPV4), .max_resp_ms = 1000}};

		upstream_query(&t.upstream, t.now, &msg, false);
		fixture_script(&t, "R116", "+1000 > is_ex G {}");
		assert_true(
			addr_eq(&t.upstream.family[FAMILY_IPV4].querier, &msg.from));
	}
	fixture_deinit(&t);
}

static void r120_refresh(void **state)
{
	struct upstream_params params = fixture_params;
	static const struct upstream_case c[] = {
		{"R120 no querier at all",
			"G ex > to_ex G {}; H in A > allow H {A}; +59999 >;"
			"+1 > is_ex G {} is_in H {A}; +59999 >; +1 > is_ex G {} is_in H {A}"},
		{"R120 queries are heard",
			"G ex > to_ex G {}; +40000 >; ?3 10000; next > is_ex G {};"
			"+59999 >; +1 > is_ex G {}; +59999 >; +1 > is_ex G {}"},
		{"R120 group queries do not count",
			"G ex > to_ex G {}; +30000 >; ?3 H 1000 >; +29999 >;"
			"+1 > is_ex G {}; +50000 >; ?3 G 1000 >; +1000 > is_ex G {};"
			"+8999 >; +1 > is_ex G {}"},
		{"R120 an answer that is far off does not count",
			"G ex > to_ex G {}; +59000 >; ?3 60000; +999 >; +1 > is_ex G {};"
			"+59999 >; +1 > is_ex G {}"},
		{"R120 nothing to refresh",
			"+200000 >; G ex > to_ex G {}; +39999 >;"
			"+1 > is_ex G {}"},
		{"R120 not while down",
			"G ex > to_ex G {}; down; +200000 >; up > to_ex G {};"
			"+59999 >; +1 > is_ex G {}"},
	};
	static const struct upstream_case off[] = {
		{"R120 off", "G ex > to_ex G {}; +1000 > to_ex G {}; +999999 >"},
	};

	fixture_cases(&fixture_params, off, array_len(off));
	params.refresh_interval_ms = 60000;
	params.gm.robustness = 1;
	fixture_cases(&params, c, array_len(c));
}

static void r120_refresh_set_by_reload(void **state)
{
	struct upstream_params params = fixture_params;
	struct upstream_fixture t;

	fixture_init(&t, FAMILY_IPV4);
	join_many(&t, 1, GM_EXCLUDE);
	params.refresh_interval_ms = 30000;
	upstream_set_params(&t.upstream, t.now, &params);
	upstream_tick(&t.upstream, t.now, &t.fx);
	fixture_script(&t, "R120", "+29999 >; +1 > is_ex G {}; +30000 > is_ex G {}");
	params.refresh_interval_ms = 0;
	upstream_set_params(&t.upstream, t.now, &params);
	upstream_tick(&t.upstream, t.now, &t.fx);
	fixture_script(&t, "R120", "+999999 >");
	fixture_deinit(&t);
}

static void reload_of_robustness(void **state)
{
	struct upstream_params params = fixture_params;
	struct upstream_fixture t;

	fixture_init(&t, FAMILY_IPV6);
	params.gm.robustness = 3;
	upstream_set_params(&t.upstream, t.now, &params);
	upstream_tick(&t.upstream, t.now, &t.fx);
	fixture_script(&t, "own",
		"G ex > to_ex G {}; next > to_ex G {}; next > to_ex G {};"
		"+9999 >; qrv 2; ?3 100; +100 > is_ex G {}");
	params.gm.robustness = 5;
	upstream_set_params(&t.upstream, t.now, &params);
	upstream_tick(&t.upstream, t.now, &t.fx);
	fixture_script(&t, "the querier's stays in force",
		"G none > to_in G {}; next > to_in G {}; gone G; +9999 >");
	fixture_deinit(&t);
}

/* 1000 queries per second for 10 s, of all kinds */
static void r193_query_flood(void **state)
{
	for (enum family family = 0; family < _FAMILY_N; family++) {
		for (uint32_t max_ms = 0; max_ms <= 100; max_ms += 50) {
			struct addr src = fixture_source(family, 0);
			struct addr group = fixture_group(family, 0);
			struct upstream_fixture t;

			fixture_init(&t, family);
			join_many(&t, 1, GM_INCLUDE);
			for (int i = 0; i < 10000; i++) {
				fixture_query(&t, GM_V3, NULL, NULL, 0, max_ms);
				fixture_run(&t, 1);
			}
			assert_in_range(t.fx.n, 50, 101);
			effects_clear(&t.fx);
			for (int i = 0; i < 10000; i++) {
				fixture_query(&t, GM_V3, &group, &src, i % 2, max_ms);
				fixture_run(&t, 1);
			}
			assert_in_range(t.fx.n, 50, 101);
			assert_int_equal(t.upstream.family[family].n_queries, 20000);
			fixture_deinit(&t);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(r107_delay_is_uniform),
		cmocka_unit_test(r107_one_pending_answer),
		cmocka_unit_test(r107_general_answers),
		cmocka_unit_test(r108_r109_specific_queries),
		cmocka_unit_test(r108_general_answer_covers_group),
		cmocka_unit_test(r109_short_of_memory_answers_in_full),
		cmocka_unit_test(r109_asked_sources_are_bounded),
		cmocka_unit_test(r109_a_query_that_was_cut_is_answered_in_full),
		cmocka_unit_test(r109_asked_sources_of_all_groups_are_bounded),
		cmocka_unit_test(r109_asked_sources_outlive_the_process),
		cmocka_unit_test(r110_answers_of_many_groups_are_spread),
		cmocka_unit_test(r110_group_query_before_a_spread_answer),
		cmocka_unit_test(r110_changes_during_a_spread_answer),
		cmocka_unit_test(r110_nothing_left_to_answer),
		cmocka_unit_test(r110_query_during_a_spread_answer),
		cmocka_unit_test(r110_later_query_hurries_a_spread_answer),
		cmocka_unit_test(r114_robustness_of_the_querier),
		cmocka_unit_test(r115_reports_are_no_queries),
		cmocka_unit_test(r116_queries_from_anywhere),
		cmocka_unit_test(r120_refresh),
		cmocka_unit_test(r120_refresh_set_by_reload),
		cmocka_unit_test(reload_of_robustness),
		cmocka_unit_test(r193_query_flood),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
