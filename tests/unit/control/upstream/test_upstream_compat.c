/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Host side: older queriers on the upstream, and versions that are forced. Scripts: see
 * support/upstream_fixture.h.
 */

#include "upstream_fixture.h"

static void cases(enum family family, const struct upstream_params *params,
	const struct upstream_case *c, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct upstream_fixture t;

		fixture_init_with(&t, family, params, 1 + i);
		fixture_script(&t, c[i].id, c[i].script);
		fixture_deinit(&t);
	}
}

static void r121_r130_version_follows_the_querier(void **state)
{
	static const struct upstream_case both[] = {
		{"R121 v2 at once",
			"?2 1000; G ex > v2 is_ex G {}; +1000 > v2 is_ex G {}"},
		{"R121 v3 query changes nothing",
			"?2 1000; ?3 1000; G ex > v2 is_ex G {}; +1000 > v2 is_ex G {}"},
		{"R123 group query",
			"G ex > to_ex G {}; +1000 > to_ex G {}; ?2 G 1000;"
			"+1000 > is_ex G {}; H ex > to_ex H {}"},
		{"R124 a pending repeat is sent in v2",
			"G ex > to_ex G {}; ?2 10000 >; +1000 > v2 is_ex G {};"
			"+9000 > v2 is_ex G {}; +99999 >"},
		{"R124 a pending repeat of sources is sent in v2",
			"G in A > allow G {A}; ?2 10000 >; +1000 > v2 is_ex G {};"
			"+9000 > v2 is_ex G {}; +99999 >"},
		{"R124 a pending answer about a group is sent in v2",
			"G ex > to_ex G {}; +1000 > to_ex G {}; ?3 G 1000; ?2 10000 >;"
			"+10000 > v2 is_ex G {} | v2 is_ex G {}; +99999 >"},
		{"R124 a pending leave is sent in v2",
			"G ex > to_ex G {}; +1000 > to_ex G {}; G none > to_in G {}; ?2 1000;"
			"+1000 > v2 to_in G {}; gone G; +9999 >"},
		{"R125 join",
			"?2 1000; G ex > v2 is_ex G {}; next > v2 is_ex G {}; +9999 >"},
		{"R125 leave",
			"?2 1000; G ex > v2 is_ex G {}; next > v2 is_ex G {};"
			"G none > v2 to_in G {}; gone G; +9999 >"},
		{"R125 leave before the repeat",
			"?2 1000; G ex > v2 is_ex G {}; G none > v2 to_in G {}; gone G; +9999 >"},
		{"R119 v2",
			"?2 1000; G ex > v2 is_ex G {}; leave > v2 to_in G {}; gone G; +9999 >"},
		{"R118 v2",
			"?2 1000; G in A > v2 is_ex G {}; down; up > v2 is_ex G {};"
			"next > v2 is_ex G {}; +9999 >"},
		{"R128 changes of the sources",
			"?2 1000; G in A > v2 is_ex G {}; next > v2 is_ex G {}; G in AB >; G ex >;"
			"G ex A >; +9999 >; G none > v2 to_in G {}; gone G"},
		{"R128 group and source query",
			"?2 1000; G in A > v2 is_ex G {}; +1000 > v2 is_ex G {}; ?3 G A 1000;"
			"+1000 > v2 is_ex G {}"},
		{"R108 v2 group query",
			"?2 1000; G ex > v2 is_ex G {}; +1000 > v2 is_ex G {};"
			"?2 G 1000; ?2 H 1000; +1000 > v2 is_ex G {}"},
		{"R107 v2 general query, one message for each group",
			"G ex > to_ex G {}; +1000 > to_ex G {}; H in A > allow H {A};"
			"+1000 > allow H {A}; ?2 10000; +10000 > v2 is_ex G {} | v2 is_ex H {};"
			"+9999 >"},
	};
	static const struct upstream_case igmp[] = {
		{"R121 v1 wins over v2",
			"?1 10000; ?2 1000; G ex > v1 is_ex G {}; +1000 > v1 is_ex G {}"},
		{"R121 v2, then v1",
			"?2 1000; ?1 10000; G ex > v1 is_ex G {}; +1000 > v1 is_ex G {}"},
		{"R127 no leave",
			"?1 10000; G ex > v1 is_ex G {}; next > v1 is_ex G {};"
			"G none >; gone G; +9999 >"},
		{"R127 stop",
			"?1 10000; G ex > v1 is_ex G {}; leave >; gone G; +9999 >"},
		{"R127 answer",
			"?1 10000; G ex > v1 is_ex G {}; +1000 > v1 is_ex G {};"
			"?1 10000; +10000 > v1 is_ex G {}; +9999 >"},
	};

	fixture_cases(&fixture_params, both, array_len(both));
	cases(FAMILY_IPV4, &fixture_params, igmp, array_len(igmp));
}

static void r122_older_querier_timeout(void **state)
{
	static const struct {
		enum gm_revision revision;
		enum family family;
		enum gm_version heard;
		int64_t timeout_ms;
	} c[] = {
		{GM_RFC9776, FAMILY_IPV4, GM_V2, 350000},
		{GM_RFC9776, FAMILY_IPV4, GM_V1, 350000},
		{GM_RFC9776, FAMILY_IPV6, GM_V2, 260000},
		{GM_RFC3376, FAMILY_IPV4, GM_V2, 260000},
		{GM_RFC3376, FAMILY_IPV6, GM_V2, 260000},
	};

	for (size_t i = 0; i < array_len(c); i++) {
		struct upstream_params params = fixture_params;
		struct upstream_fixture t;
		const struct upstream_family *f;

		params.gm.revision = c[i].revision;
		fixture_init_with(&t, c[i].family, &params, 1);
		f = &t.upstream.family[c[i].family];
		fixture_query(&t, c[i].heard, NULL, NULL, 0, 10000);
		assert_int_equal(f->version, c[i].heard);
		fixture_run(&t, c[i].timeout_ms / 2);
		fixture_query(&t, c[i].heard, NULL, NULL, 0, 10000);
		fixture_run(&t, c[i].timeout_ms - 1);
		assert_int_equal(f->version, c[i].heard);
		/* the deadline is at the timeout */
		assert_int_equal(
			upstream_deadline(&t.upstream).ns, t.now.ns + NS_PER_MS);
		fixture_run(&t, 1);
		assert_int_equal(f->version, GM_V3);
		assert_int_equal(upstream_deadline(&t.upstream).ns, MONO_NEVER.ns);
		fixture_deinit(&t);
	}
}

static void r121_back_in_steps(void **state)
{
	struct upstream_fixture t;

	fixture_init(&t, FAMILY_IPV4);
	fixture_script(&t, "R121",
		"?1 10000; G in A > v1 is_ex G {}; +1000 > v1 is_ex G {};"
		"+200000 >; ?2 10000; +10000 > v1 is_ex G {};"
		"+149000 >; H ex > v2 is_ex H {}; +1000 > v2 is_ex H {};"
		"+189999 >; I ex > v2 is_ex I {}; +1 >; J ex > to_ex J {};"
		"+9999 > to_ex I {} to_ex J {}; G in AB > allow G {B}");
	fixture_deinit(&t);
}

static void r131_no_fallback(void **state)
{
	struct upstream_params params = fixture_params;
	static const struct upstream_case c[] = {
		{"R131",
			"G in A > allow G {A}; +1000 > allow G {A}; ?2 1000;"
			"+1000 > is_in G {A}; G in AB > allow G {B}; +9999 > allow G {B}"},
	};

	params.fallback[FAMILY_IPV4] = params.fallback[FAMILY_IPV6] = false;
	fixture_cases(&params, c, array_len(c));
}

static void r131_forced_version(void **state)
{
	struct upstream_params params = fixture_params;
	static const struct upstream_case v2[] = {
		{"R146 v2",
			"G in A > v2 is_ex G {}; +1000 > v2 is_ex G {}; ?3 1000;"
			"+1000 > v2 is_ex G {}; +999999 >; G none > v2 to_in G {}; +9999 >"},
	};
	static const struct upstream_case v1[] = {
		{"R146 v1",
			"G ex > v1 is_ex G {}; +1000 > v1 is_ex G {}; ?2 1000; ?3 1000;"
			"+1000 > v1 is_ex G {}; G none >; +9999 >"},
	};

	params.max_version[FAMILY_IPV4] = params.max_version[FAMILY_IPV6] = GM_V2;
	fixture_cases(&params, v2, array_len(v2));
	params.fallback[FAMILY_IPV4] = params.fallback[FAMILY_IPV6] = false;
	fixture_cases(&params, v2, array_len(v2));
	params.max_version[FAMILY_IPV4] = GM_V1;
	cases(FAMILY_IPV4, &params, v1, array_len(v1));
}

static void reload_of_the_version(void **state)
{
	struct upstream_params params = fixture_params;

	for (enum family family = 0; family < _FAMILY_N; family++) {
		struct upstream_fixture t;

		fixture_init(&t, family);
		fixture_script(&t, "R146", "G in A > allow G {A}; +1000 > allow G {A}");
		params.max_version[family] = GM_V2;
		upstream_set_params(&t.upstream, t.now, &params);
		upstream_tick(&t.upstream, t.now, &t.fx);
		fixture_script(
			&t, "R146", "+1000 > v2 is_ex G {} | v2 is_ex G {}; +9999 >");
		params.max_version[family] = GM_V3;
		upstream_set_params(&t.upstream, t.now, &params);
		upstream_tick(&t.upstream, t.now, &t.fx);
		fixture_script(
			&t, "R146", "+1000 > allow G {A} | allow G {A}; +9999 >");
		upstream_link_down(&t.upstream);
		params.max_version[family] = GM_V2;
		upstream_set_params(&t.upstream, t.now, &params);
		upstream_tick(&t.upstream, t.now, &t.fx);
		fixture_script(&t, "R146", "+1000 >; up > v2 is_ex G {}");
		fixture_deinit(&t);
	}
}

static void families_have_versions_of_their_own(void **state)
{
	struct upstream_fixture t;

	fixture_init(&t, FAMILY_IPV4);
	fixture_query(&t, GM_V2, NULL, NULL, 0, 1000);
	assert_int_equal(t.upstream.family[FAMILY_IPV4].version, GM_V2);
	assert_int_equal(t.upstream.family[FAMILY_IPV6].version, GM_V3);
	t.family = FAMILY_IPV6;
	fixture_script(&t, "R130", "G ex > to_ex G {}; +1000 > to_ex G {}");
	fixture_deinit(&t);
}

/* Many groups in v2: the answers are spread evenly over the response time. */
static void r110_v2_answers_are_spread(void **state)
{
	struct upstream_fixture t;
	mono_t asked, last;

	fixture_init(&t, FAMILY_IPV4);
	for (unsigned i = 0; i < 100; i++) {
		struct addr group = fixture_group(t.family, i);

		fixture_set(&t, &group, GM_EXCLUDE, NULL, 0);
	}
	fixture_run(&t, 1000);
	effects_clear(&t.fx);
	last = asked = t.now;
	fixture_query(&t, GM_V2, NULL, NULL, 0, 10000);
	for (unsigned i = 0; i < 100; i++) {
		fixture_act(&t, "next");
		assert_int_equal(t.fx.n, 1);
		assert_int_equal(t.fx.v[0].report.version, GM_V2);
		assert_int_equal(t.fx.v[0].report.n_rec, 1);
		assert_true(mono_before(last, t.now));
		last = t.now;
		effects_clear(&t.fx);
	}
	assert_in_range(last.ns - asked.ns, 9000 * NS_PER_MS, 10000 * NS_PER_MS);
	fixture_run(&t, 20000);
	assert_int_equal(t.fx.n, 0);
	fixture_deinit(&t);
}

static void r120_refresh_in_v2(void **state)
{
	struct upstream_params params = fixture_params;
	static const struct upstream_case c[] = {
		{"R120 v2",
			"?2 1000; G in A > v2 is_ex G {}; +59999 >; +1 > v2 is_ex G {};"
			"+59999 >; +1 > v2 is_ex G {}"},
	};

	params.refresh_interval_ms = 60000;
	params.gm.robustness = 1;
	fixture_cases(&params, c, array_len(c));
}

/* A query with the largest values that IGMPv3 can carry. */
static void extreme_query(
	struct upstream_fixture *t, enum gm_version version, bool outside)
{
	t->outside = outside;
	t->qrv = 7;
	t->qqi_ms = 31744000;
	fixture_query(t, version, NULL, NULL, 0, 3174400);
}

/* F9: how long the values of an extreme query and of a version 2 query last. */
static void f9_what_a_query_teaches_ends(void **state)
{
	static const struct {
		bool outside;
		int64_t lasts_ms;
	} c[] = {{true, 10 * 60 * 1000}, {false, 60 * 60 * 1000}};

	for (size_t i = 0; i < array_len(c); i++)
		for (enum family family = 0; family < _FAMILY_N; family++) {
			const struct upstream_family *f;
			struct upstream_fixture t;

			fixture_init(&t, family);
			f = &t.upstream.family[family];
			extreme_query(&t, GM_V3, c[i].outside);
			assert_int_equal(f->rv, 7);
			extreme_query(&t, GM_V2, c[i].outside);
			fixture_run(&t, c[i].lasts_ms - 1);
			assert_int_equal(f->version, GM_V2);
			fixture_run(&t, 1);
			assert_int_equal(f->version, GM_V3);
			assert_int_equal(f->rv, 2);
			assert_int_equal(f->qi_ms, 125000);
			assert_int_equal(
				upstream_deadline(&t.upstream).ns, MONO_NEVER.ns);
			fixture_deinit(&t);
		}
}

/* F9: while a querier of the link's subnets is heard, no other one teaches anything.
 * What another one taught before ends with the first query of that querier. */
static void f9_only_members_teach(void **state)
{
	for (enum family family = 0; family < _FAMILY_N; family++) {
		const struct upstream_family *f;
		struct upstream_fixture t;

		fixture_init(&t, family);
		f = &t.upstream.family[family];
		extreme_query(&t, GM_V3, true);
		extreme_query(&t, GM_V2, true);
		assert_int_equal(f->version, GM_V2);
		/* the provider's router sends its usual query */
		for (unsigned i = 0; i < 20; i++) {
			t.outside = false;
			t.qrv = 3;
			t.qqi_ms = 60000;
			fixture_query(&t, GM_V3, NULL, NULL, 0, 10000);
			extreme_query(&t, GM_V3, true);
			extreme_query(&t, GM_V2, true);
			assert_int_equal(f->version, GM_V3);
			assert_int_equal(f->rv, 3);
			assert_int_equal(f->qi_ms, 60000);
			fixture_run(&t, 60000);
		}
		/* It falls silent. Three of our intervals, which are longer than its
		 * own, and half a response time pass after its last query. */
		fixture_run(&t, 3 * 125000 + 5000 - 60000 - 1);
		extreme_query(&t, GM_V2, true);
		assert_int_equal(f->version, GM_V3);
		fixture_run(&t, 1);
		extreme_query(&t, GM_V2, true);
		assert_int_equal(f->version, GM_V2);
		fixture_deinit(&t);
	}
}

/* F9: all queries are answered, and none delays an answer by an hour. */
static void f9_others_are_answered(void **state)
{
	struct upstream_params params = fixture_params;

	params.gm.robustness = 1;
	for (enum family family = 0; family < _FAMILY_N; family++) {
		struct upstream_fixture t;

		fixture_init_with(&t, family, &params, 1);
		fixture_script(&t, "F9", "?3 1000 >; G ex > to_ex G {}");
		t.outside = true;
		fixture_script(&t, "F9",
			"?3 1000; +1000 > is_ex G {}; ?2 1000; +1000 > is_ex G {}");
		extreme_query(&t, GM_V3, true);
		fixture_script(&t, "F9", "+60000 > is_ex G {}; +9999999 >");
		fixture_deinit(&t);
	}
}

/* A query with the smallest values, about a group that nobody wants. */
static void hasty_query(struct upstream_fixture *t)
{
	struct addr group = fixture_group(t->family, 99);

	t->qrv = 1;
	t->qqi_ms = 1000;
	fixture_query(t, GM_V3, &group, NULL, 0, 100);
	t->qrv = 0;
	t->qqi_ms = 0;
}

/* R122: no earlier or later query shortens the timeout of an older querier. */
static void r122_no_query_shortens_the_timeout(void **state)
{
	static const int64_t timeout_ms[] = {350000, 260000};

	for (enum family family = 0; family < _FAMILY_N; family++) {
		const struct upstream_family *f;
		struct upstream_fixture t;

		fixture_init(&t, family);
		f = &t.upstream.family[family];
		hasty_query(&t);
		fixture_query(&t, GM_V2, NULL, NULL, 0, 10000);
		hasty_query(&t);
		fixture_query(&t, GM_V2, NULL, NULL, 0, 100);
		fixture_run(&t, timeout_ms[family] - 1);
		assert_int_equal(f->version, GM_V2);
		fixture_run(&t, 1);
		assert_int_equal(f->version, GM_V3);
		/* the shortest response time still gives two of our intervals */
		hasty_query(&t);
		fixture_query(&t, GM_V2, NULL, NULL, 0, 100);
		fixture_run(&t, 250000);
		assert_int_equal(f->version, GM_V2);
		fixture_deinit(&t);
	}
}

static unsigned mark_told(struct upstream_fixture *t, bool *told, unsigned n)
{
	unsigned n_new = 0;

	effects_for_each (&t->fx, e)
		for (size_t i = 0; i < e->report.n_rec; i++) {
			const uint8_t *b = e->report.rec[i].group.b;
			unsigned g = b[14] * 256u + b[15];

			if (g < n && !told[g]) {
				told[g] = true;
				n_new++;
			}
		}
	effects_clear(&t->fx);
	return n_new;
}

/* R124: the version changes as often as our own values allow. Every group is reported,
 * although no answer is complete between two changes. */
static void r124_changes_of_version_starve_no_answer(void **state)
{
	enum { GROUPS = 12000 };
	struct upstream_params params = fixture_params;

	params.gm.robustness = 1;
	params.gm.query_interval_ms = 1000;
	for (enum family family = 0; family < _FAMILY_N; family++) {
		static bool told[GROUPS];
		const struct upstream_family *f;
		unsigned n_told = 0, n_changes = 0;
		enum gm_version version = GM_V3;
		struct upstream_fixture t;

		memset(told, 0, sizeof(told));
		fixture_init_with(&t, family, &params, 1);
		f = &t.upstream.family[family];
		for (unsigned i = 0; i < GROUPS; i++) {
			struct addr group = fixture_group(family, i);

			fixture_set(&t, &group, GM_EXCLUDE, NULL, 0);
		}
		fixture_run(&t, 10000);
		effects_clear(&t.fx);
		for (unsigned i = 0; i < 130; i++) {
			if (i % 13 == 0)
				fixture_query(&t, GM_V3, NULL, NULL, 0, 10000);
			hasty_query(&t);
			fixture_query(&t, GM_V2, NULL, NULL, 0, 100);
			n_changes += f->version != version;
			fixture_run(&t, 2300);
			n_changes += f->version != GM_V2;
			version = f->version;
			n_told += mark_told(&t, told, GROUPS);
		}
		assert_int_equal(n_changes, 260);
		assert_int_equal(n_told, GROUPS);
		fixture_deinit(&t);
	}
}

/* F9: no query shortens the timeout of a querier of the link's subnets. */
static void f9_no_query_shortens_memberships(void **state)
{
	for (enum family family = 0; family < _FAMILY_N; family++) {
		const struct upstream_family *f;
		struct upstream_fixture t;

		fixture_init(&t, family);
		f = &t.upstream.family[family];
		fixture_query(&t, GM_V3, NULL, NULL, 0, 10000);
		hasty_query(&t);
		fixture_run(&t, 2 * 125000 + 5000 - 1);
		extreme_query(&t, GM_V2, true);
		assert_int_equal(f->version, GM_V3);
		fixture_run(&t, 1);
		extreme_query(&t, GM_V2, true);
		assert_int_equal(f->version, GM_V2);
		fixture_deinit(&t);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(r121_r130_version_follows_the_querier),
		cmocka_unit_test(r121_back_in_steps),
		cmocka_unit_test(r122_older_querier_timeout),
		cmocka_unit_test(r122_no_query_shortens_the_timeout),
		cmocka_unit_test(r124_changes_of_version_starve_no_answer),
		cmocka_unit_test(r131_no_fallback),
		cmocka_unit_test(r131_forced_version),
		cmocka_unit_test(reload_of_the_version),
		cmocka_unit_test(families_have_versions_of_their_own),
		cmocka_unit_test(r110_v2_answers_are_spread),
		cmocka_unit_test(r120_refresh_in_v2),
		cmocka_unit_test(f9_what_a_query_teaches_ends),
		cmocka_unit_test(f9_only_members_teach),
		cmocka_unit_test(f9_no_query_shortens_memberships),
		cmocka_unit_test(f9_others_are_answered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
