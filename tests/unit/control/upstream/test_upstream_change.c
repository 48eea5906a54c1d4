/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Host side: reports after changes of memberships, link or memory: how often, with
 * which records, and of what size. Scripts: see support/upstream_fixture.h.
 */

#include "control/upstream/upstream_report.h"
#include "fail_alloc.h"
#include "upstream_fixture.h"

#include <errno.h>

#define N_BIG 800 /* sources or groups that need several reports */

static void r101_first_membership(void **state)
{
	static const struct upstream_case c[] = {
		{"R101 any source", "G ex > to_ex G {}; next > to_ex G {}; +99999 >"},
		{"R101 exclude list",
			"G ex AB > to_ex G {A,B}; next > to_ex G {A,B}; +99999 >"},
		{"R101 include list",
			"G in AB > allow G {A,B}; next > allow G {A,B}; +99999 >"},
		{"R101 nothing", "G none >; gone G >"},
	};

	fixture_cases(&fixture_params, c, array_len(c));
}

static void r102_rows_of_the_change_table(void **state)
{
	static const struct upstream_case c[] = {
		{"R102 IN(A)->IN(B)",
			"G in AB > allow G {A,B}; +1000 > allow G {A,B};"
			"G in BC > allow G {C} block G {A}; +1000 > allow G {C} block G {A}"},
		{"R102 empty BLOCK is left out",
			"G in A > allow G {A}; +1000 > allow G {A}; G in AB > allow G {B}"},
		{"R102 empty ALLOW is left out",
			"G in AB > allow G {A,B}; +1000 > allow G {A,B}; G in A > block G {B}"},
		{"R102 EX(A)->EX(B)",
			"G ex AB > to_ex G {A,B}; +1000 > to_ex G {A,B};"
			"G ex BC > allow G {A} block G {C}; +1000 > allow G {A} block G {C}"},
		{"R102 IN->EX(B)",
			"G in A > allow G {A}; +1000 > allow G {A};"
			"G ex BC > to_ex G {B,C}; +1000 > to_ex G {B,C}"},
		{"R102 EX->IN(B)",
			"G ex A > to_ex G {A}; +1000 > to_ex G {A};"
			"G in BC > to_in G {B,C}; +1000 > to_in G {B,C}"},
		{"R134 no change",
			"G ex A > to_ex G {A}; +1000 > to_ex G {A}; G ex A >; +9999 >"},
	};

	fixture_cases(&fixture_params, c, array_len(c));
}

static void r103_robustness_times_at_random(void **state)
{
	for (enum family family = 0; family < _FAMILY_N; family++) {
		for (uint8_t rv = 1; rv <= 7; rv++) {
			struct upstream_params params = fixture_params;
			struct addr group = fixture_group(family, 0);
			struct upstream_fixture t;

			params.gm.robustness = rv;
			fixture_init_with(&t, family, &params, rv);
			fixture_set(&t, &group, GM_EXCLUDE, NULL, 0);
			fixture_run(&t, 1000 * rv);
			assert_int_equal(t.fx.n, rv);
			assert_int_equal(
				upstream_deadline(&t.upstream).ns, MONO_NEVER.ns);
			assert_int_equal(t.upstream.family[family].n_reports_sent, rv);
			fixture_deinit(&t);
		}
	}
}

static void r103_gaps_differ(void **state)
{
	struct upstream_fixture t;
	int64_t gap[100], sum = 0;

	fixture_init(&t, FAMILY_IPV4);
	for (unsigned i = 0; i < array_len(gap); i++) {
		struct addr group = fixture_group(t.family, i);
		mono_t join = t.now;

		fixture_set(&t, &group, GM_EXCLUDE, NULL, 0);
		gap[i] = upstream_deadline(&t.upstream).ns - join.ns;
		assert_in_range(gap[i], 1, 1000 * NS_PER_MS);
		for (unsigned j = 0; j < i; j++)
			assert_int_not_equal(gap[i], gap[j]);
		sum += gap[i] / (int64_t)array_len(gap);
		fixture_run(&t, 1000);
	}
	assert_in_range(sum, 400 * NS_PER_MS, 600 * NS_PER_MS);
	fixture_deinit(&t);
}

static void r104_change_while_repeats_are_pending(void **state)
{
	static const struct upstream_case c[] = {
		{"R104 list change after a join",
			"G ex > to_ex G {}; G ex A > to_ex G {A}; next > block G {A}; +9999 >"},
		{"R104 list change after a list change",
			"G in A > allow G {A}; G in AB > allow G {A,B};"
			"next > allow G {B}; +9999 >"},
		{"R104 change of mind",
			"G in A > allow G {A}; G in B > allow G {B} block G {A};"
			"next > allow G {B} block G {A}; +9999 >"},
		{"R104 there and back",
			"G in A > allow G {A}; +1000 > allow G {A};"
			"G in AB > allow G {B}; G in A > block G {B}; next > block G {B}; +9999 >"},
		{"R104 mode change drops list changes",
			"G in A > allow G {A}; G ex > to_ex G {}; next > to_ex G {}; +9999 >"},
		{"R104 leave after a join",
			"G ex > to_ex G {}; G none > to_in G {}; next > to_in G {}; +9999 >; gone G"},
		{"R104 join after a leave",
			"G ex > to_ex G {}; +1000 > to_ex G {}; G none > to_in G {};"
			"G ex > to_ex G {}; next > to_ex G {}; +9999 >"},
		{"R104 source join after a leave",
			"G ex > to_ex G {}; +1000 > to_ex G {}; G none > to_in G {};"
			"G in A > to_in G {A}; next > allow G {A}; +9999 >"},
		{"R104 source join after a source leave",
			"G in A > allow G {A}; +1000 > allow G {A}; G none > block G {A};"
			"G in B > allow G {B} block G {A}; next > allow G {B}; +9999 >"},
	};

	fixture_cases(&fixture_params, c, array_len(c));
}

static void r105_counters_per_source_and_group(void **state)
{
	struct upstream_params params = fixture_params;
	static const struct upstream_case c[] = {
		{"R105 list changes wait for the mode change",
			"G ex > to_ex G {}; G ex A > to_ex G {A}; next > to_ex G {A};"
			"next > block G {A}; +9999 >"},
		{"R105 each source has its own counter",
			"G in A > allow G {A}; G in AB > allow G {A,B}; next > allow G {A,B};"
			"next > allow G {B}; +9999 >"},
		{"R105 three steps",
			"G in A > allow G {A}; G ex B > to_ex G {B}; next > to_ex G {B};"
			"G ex C > to_ex G {C}; next > allow G {B} block G {C};"
			"next > allow G {B} block G {C}; +9999 >"},
	};

	params.gm.robustness = 3;
	fixture_cases(&params, c, array_len(c));
}

static void r106_last_membership_gone(void **state)
{
	static const struct upstream_case c[] = {
		{"R106 any source",
			"G ex > to_ex G {}; +1000 > to_ex G {}; G none > to_in G {};"
			"next > to_in G {}; gone G; +9999 >; ?3 10000 >; +20000 >; ?3 G 1000 >;"
			"+20000 >"},
		{"R106 source list",
			"G in AB > allow G {A,B}; +1000 > allow G {A,B}; G none > block G {A,B};"
			"next > block G {A,B}; gone G; +9999 >; ?3 10000 >; +20000 >"},
		{"R106 queries while the leave repeats",
			"G ex > to_ex G {}; +1000 > to_ex G {}; G none > to_in G {}; ?3 1000 >;"
			"?3 G 100 >; +2000 > to_in G {}; gone G"},
	};

	fixture_cases(&fixture_params, c, array_len(c));
}

static void r112_local_groups_are_never_reported(void **state)
{
	static const struct upstream_case c[] = {
		{"R112",
			"local ex >; local in A >; G ex > to_ex G {}; +1000 > to_ex G {};"
			"?3 1000 >; +1000 > is_ex G {}"},
	};
	struct addr unicast = a("10.0.0.1");
	struct upstream_fixture t;

	fixture_cases(&fixture_params, c, array_len(c));
	fixture_init(&t, FAMILY_IPV4);
	fixture_set(&t, &unicast, GM_EXCLUDE, NULL, 0);
	assert_int_equal(t.fx.n, 0);
	fixture_deinit(&t);
}

static void r118_link_comes_back(void **state)
{
	static const struct upstream_case c[] = {
		{"R118 nothing while down",
			"down; G ex >; H in A >; I ex >; I none >; ?3 100 >; +99999 >; gone I;"
			"up > to_ex G {} allow H {A}; next > to_ex G {} allow H {A}; +9999 >"},
		{"R118 pending leaves are forgotten",
			"G ex > to_ex G {}; G none > to_in G {};"
			"down >; gone G; up >; +9999 >"},
		{"R118 pending joins start again",
			"G ex > to_ex G {}; down; up > to_ex G {}; next > to_ex G {}; +9999 >"},
		{"R118 another address",
			"G ex > to_ex G {}; +1000 > to_ex G {};"
			"moved > to_ex G {}; next > to_ex G {}; +9999 >"},
		{"R118 another address while a leave is pending",
			"G in AB > allow G {A,B}; +1000 > allow G {A,B}; G in A > block G {B};"
			"moved > allow G {A} block G {B}; next > allow G {A}; +9999 >"},
		{"R118 another address while a mode change is pending",
			"G ex > to_ex G {}; +1000 > to_ex G {}; G in A > to_in G {A};"
			"moved > to_in G {A}; next > to_in G {A}; +9999 >"},
		{"R118 up twice",
			"G ex > to_ex G {}; +1000 > to_ex G {}; up >; +9999 >"},
	};

	fixture_cases(&fixture_params, c, array_len(c));
}

static void r119_orderly_stop(void **state)
{
	static const struct upstream_case c[] = {
		{"R119 any source",
			"G ex > to_ex G {}; leave > to_in G {} | to_in G {}; gone G;"
			"+9999 >"},
		{"R119 source list",
			"G in AB > allow G {A,B}; +1000 > allow G {A,B};"
			"leave > block G {A,B} | block G {A,B}; gone G; +9999 >"},
		{"R119 leave in progress",
			"G ex > to_ex G {}; +1000 > to_ex G {}; G none > to_in G {};"
			"leave > to_in G {}; gone G; +9999 >"},
		{"R119 answers are dropped",
			"G ex > to_ex G {}; ?3 1000; leave > to_in G {} | to_in G {}; +9999 >"},
		{"R119 down",
			"G ex > to_ex G {}; down; leave >; gone G; up >; +9999 >"},
	};

	fixture_cases(&fixture_params, c, array_len(c));
}

static void r113_no_address(void **state)
{
	for (enum family family = 0; family < _FAMILY_N; family++) {
		struct upstream_fixture t;

		fixture_init(&t, family);
		memset(t.link.own, 0, sizeof(t.link.own));
		upstream_link_up(&t.upstream, t.now, &t.link);
		upstream_tick(&t.upstream, t.now, &t.fx);
		t.link.own[FAMILY_IPV4] = a("0.0.0.0");
		fixture_script(&t, "R113", "G ex > to_ex G {}; moved > to_ex G {}");
		fixture_deinit(&t);
	}
}

static void r118_family_or_mtu_alone(void **state)
{
	struct upstream_fixture t;

	fixture_init(&t, FAMILY_IPV4);
	fixture_script(&t, "R118", "G ex > to_ex G {}; +1000 > to_ex G {}");
	t.link.own[FAMILY_IPV6] = a("fe80::77");
	upstream_link_up(&t.upstream, t.now, &t.link);
	upstream_tick(&t.upstream, t.now, &t.fx);
	fixture_script(&t, "R118", "+9999 >");
	t.link.mtu = 1492;
	fixture_script(&t, "R118 MTU", "up > to_ex G {}; +1000 > to_ex G {}; +9999 >");
	fixture_deinit(&t);
}

/* Table 0.2: sources that fit into one record, and records without sources that fit. */
static const struct {
	uint32_t mtu;
	size_t sources[_FAMILY_N], records[_FAMILY_N];
} limits[] = {
	{1500, {365, 89}, {183, 72}},
	{1492, {363, 88}, {182, 71}},
	{1280, {310, 75}, {156, 61}},
};

static size_t message_bytes(const struct effect *e)
{
	size_t bytes = e->report.family == FAMILY_IPV4 ? 24 + 8 : 40 + 8 + 8;

	for (size_t i = 0; i < e->report.n_rec; i++)
		bytes += gm_record_bytes(e->report.family, e->report.rec[i].n_src);
	return bytes;
}

static void set_big(struct upstream_fixture *t, enum gm_mode mode, size_t n)
{
	struct addr group = fixture_group(t->family, 0), src[N_BIG];

	for (unsigned i = 0; i < n; i++)
		src[i] = fixture_source(t->family, i);
	fixture_set(t, &group, mode, src, n);
}

/* The message has one record of the type, with n sources from number `first` on. */
static void assert_piece(const struct upstream_fixture *t, const struct effect *e,
	enum gm_record_type type, size_t first, size_t n)
{
	const struct gm_record *rec = e->report.rec;

	assert_true(message_bytes(e) <= t->link.mtu);
	assert_int_equal(e->report.n_rec, 1);
	assert_int_equal(rec->type, type);
	assert_int_equal(rec->n_src, n);
	for (size_t i = 0; i < n; i++) {
		struct addr x = fixture_source(t->family, (unsigned)(first + i));

		assert_true(addr_eq(&rec->src[i], &x));
	}
}

static void assert_pieces(
	struct upstream_fixture *t, enum gm_record_type type, size_t limit)
{
	size_t n = 0;

	effects_for_each (&t->fx, e) {
		size_t left = N_BIG - n;

		assert_piece(t, e, type, n, left < limit ? left : limit);
		n += e->report.rec->n_src;
	}
	assert_int_equal(n, N_BIG);
	effects_clear(&t->fx);
}

static void r111_oversized_records(void **state)
{
	for (size_t i = 0; i < array_len(limits); i++) {
		for (enum family family = 0; family < _FAMILY_N; family++) {
			size_t limit = limits[i].sources[family];
			struct upstream_fixture t;

			fixture_init(&t, family);
			t.link.mtu = limits[i].mtu;
			upstream_link_up(&t.upstream, t.now, &t.link);
			upstream_tick(&t.upstream, t.now, &t.fx);
			/* split: each piece is a report of its own */
			set_big(&t, GM_INCLUDE, N_BIG);
			assert_pieces(&t, GM_ALLOW, limit);
			fixture_run(&t, 1000);
			assert_pieces(&t, GM_ALLOW, limit);
			fixture_query(&t, GM_V3, NULL, NULL, 0, 1000);
			fixture_run(&t, 1000);
			assert_pieces(&t, GM_IS_IN, limit);
			/* truncated */
			set_big(&t, GM_EXCLUDE, N_BIG);
			assert_int_equal(t.fx.n, 1);
			assert_piece(&t, t.fx.v, GM_TO_EX, 0, limit);
			fixture_run(&t, 1000);
			effects_clear(&t.fx);
			fixture_query(&t, GM_V3, NULL, NULL, 0, 1000);
			fixture_run(&t, 1000);
			assert_int_equal(t.fx.n, 1);
			assert_piece(&t, t.fx.v, GM_IS_EX, 0, limit);
			effects_clear(&t.fx);
			/* split */
			set_big(&t, GM_EXCLUDE, 0);
			assert_pieces(&t, GM_ALLOW, limit);
			fixture_run(&t, 1000);
			effects_clear(&t.fx);
			set_big(&t, GM_INCLUDE, N_BIG);
			assert_pieces(&t, GM_TO_IN, limit);
			fixture_run(&t, 1000);
			effects_clear(&t.fx);
			set_big(&t, GM_INCLUDE, 0);
			assert_pieces(&t, GM_BLOCK, limit);
			fixture_deinit(&t);
		}
	}
}

/* Counts the records of all messages since the last call. Every message but the last
 * must be full. */
static size_t count_packed(struct upstream_fixture *t, size_t limit)
{
	size_t n = 0;

	effects_for_each (&t->fx, e) {
		assert_true(message_bytes(e) <= t->link.mtu);
		assert_true(e == t->fx.v + t->fx.n - 1 || e->report.n_rec == limit);
		n += e->report.n_rec;
	}
	effects_clear(&t->fx);
	return n;
}

static void r111_many_groups_share_reports(void **state)
{
	struct upstream_params params = fixture_params;

	params.gm.robustness = 3;
	for (size_t i = 0; i < array_len(limits); i++) {
		for (enum family family = 0; family < _FAMILY_N; family++) {
			size_t limit = limits[i].records[family];
			struct upstream_fixture t;

			fixture_init_with(&t, family, &params, 1);
			upstream_link_down(&t.upstream);
			for (unsigned g = 0; g < N_BIG; g++) {
				struct addr group = fixture_group(family, g);

				fixture_set(&t, &group, GM_EXCLUDE, NULL, 0);
			}
			t.link.mtu = limits[i].mtu;
			upstream_link_up(&t.upstream, t.now, &t.link);
			upstream_tick(&t.upstream, t.now, &t.fx);
			assert_int_equal(count_packed(&t, limit), N_BIG);
			/* repeats that are due together also share reports */
			fixture_act(&t, "next");
			assert_int_equal(count_packed(&t, limit), N_BIG);
			fixture_act(&t, "next");
			assert_int_equal(count_packed(&t, limit), N_BIG);
			assert_int_equal(
				upstream_deadline(&t.upstream).ns, MONO_NEVER.ns);
			upstream_leave_all(&t.upstream, &t.fx);
			assert_int_equal(t.fx.n, 3 * ((N_BIG + limit - 1) / limit));
			fixture_deinit(&t);
		}
	}
}

/* A record that fits into its own report is not truncated or split to fill another
 * one. */
static void r111_records_stay_whole(void **state)
{
	for (enum gm_mode mode = GM_INCLUDE; mode <= GM_EXCLUDE; mode++) {
		struct addr src[200];
		struct upstream_fixture t;

		fixture_init(&t, FAMILY_IPV4);
		upstream_link_down(&t.upstream);
		for (unsigned i = 0; i < array_len(src); i++)
			src[i] = fixture_source(FAMILY_IPV4, i);
		for (unsigned g = 0; g < 3; g++) {
			struct addr group = fixture_group(FAMILY_IPV4, g);

			fixture_set(&t, &group, mode, src, array_len(src));
		}
		upstream_link_up(&t.upstream, t.now, &t.link);
		upstream_tick(&t.upstream, t.now, &t.fx);
		assert_int_equal(t.fx.n, 3);
		effects_for_each (&t.fx, e) {
			assert_int_equal(e->report.n_rec, 1);
			assert_int_equal(e->report.rec->n_src, array_len(src));
		}
		fixture_deinit(&t);
	}
}

static void mtu_of_any_size(void **state)
{
	static const uint32_t mtus[] = {0, 1, 68, 70000, UINT32_MAX};

	for (size_t i = 0; i < array_len(mtus); i++) {
		for (enum family family = 0; family < _FAMILY_N; family++) {
			struct upstream_fixture t;
			size_t n = 0;

			fixture_init(&t, family);
			t.link.mtu = mtus[i];
			upstream_link_up(&t.upstream, t.now, &t.link);
			upstream_tick(&t.upstream, t.now, &t.fx);
			set_big(&t, GM_INCLUDE, N_BIG);
			effects_for_each (&t.fx, e)
				n += e->report.rec->n_src;
			assert_int_equal(n, N_BIG);
			fixture_deinit(&t);
		}
	}
}

static void no_memory_changes_nothing(void **state)
{
	static const char *const setups[] = {"", "G ex", "G in A; +9", "G in A; +1000"};
	static const char *const steps[] = {"G ex B", "G in BC", "G ex BC", "G in BC"};

	for (size_t i = 0; i < array_len(setups); i++) {
		struct gm_filter filter = {
			.mode = steps[i][2] == 'e' ? GM_EXCLUDE : GM_INCLUDE};
		struct addr group = fixture_group(FAMILY_IPV4, 0), src[6];
		struct upstream_fixture t;
		int r, n_failed = 0;

		addrset_from_array(&filter.src, src,
			fixture_sources(FAMILY_IPV4, steps[i] + 5, src));
		fixture_init(&t, FAMILY_IPV4);
		char setup[32], *save = NULL;

		strcpy(setup, setups[i]);
		for (char *s = strtok_r(setup, ";", &save); s;
			s = strtok_r(NULL, ";", &save))
			fixture_act(&t, fixture_trim(s));
		effects_clear(&t.fx);
		for (long n = 0;; n++) {
			const struct upstream_group *g =
				upstream_find(&t.upstream, &group);
			bool there = g != NULL;
			size_t n_src = g ? g->now.src.n : 0,
			       n_change = g ? g->n_change : 0;
			mono_t at = upstream_deadline(&t.upstream);

			fail_alloc_after = n;
			r = upstream_set(&t.upstream, t.now, &group, &filter, NULL);
			if (r == 0)
				break;
			assert_int_equal(r, -ENOMEM);
			n_failed++;
			g = upstream_find(&t.upstream, &group);
			assert_int_equal(there, g != NULL);
			assert_int_equal(t.fx.n, 0);
			assert_int_equal(upstream_deadline(&t.upstream).ns, at.ns);
			if (g) {
				assert_int_equal(g->now.src.n, n_src);
				assert_int_equal(g->n_change, n_change);
			}
		}
		fail_alloc_after = -1;
		assert_true(n_failed > 0);
		assert_true(gm_filter_eq(
			&upstream_find(&t.upstream, &group)->now, &filter));
		addrset_deinit(&filter.src);
		fixture_deinit(&t);
	}
}

static void no_memory_at_start(void **state)
{
	struct rng rng = {1};
	struct upstream h;

	fail_alloc_after = 0;
	assert_int_equal(upstream_init(&h, &fixture_params, &rng), -ENOMEM);
	fail_alloc_after = -1;
	upstream_deinit(&h);
	h = (struct upstream){0};
	upstream_deinit(&h);
}

/* Without memory for the list of sources, a full report has the same content. */
static void no_memory_to_announce_or_leave(void **state)
{
	struct upstream_fixture t;

	fixture_init(&t, FAMILY_IPV6);
	fixture_script(&t, "setup", "G in AB > allow G {A,B}; down");
	fail_alloc_after = 0;
	fixture_script(
		&t, "announce", "up > to_in G {A,B}; next > to_in G {A,B}; +9999 >");
	fail_alloc_after = 0;
	fixture_script(&t, "leave", "leave > to_in G {} | to_in G {}; gone G");
	fail_alloc_after = -1;
	fixture_deinit(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(r101_first_membership),
		cmocka_unit_test(r102_rows_of_the_change_table),
		cmocka_unit_test(r103_robustness_times_at_random),
		cmocka_unit_test(r103_gaps_differ),
		cmocka_unit_test(r104_change_while_repeats_are_pending),
		cmocka_unit_test(r105_counters_per_source_and_group),
		cmocka_unit_test(r106_last_membership_gone),
		cmocka_unit_test(r111_oversized_records),
		cmocka_unit_test(r111_many_groups_share_reports),
		cmocka_unit_test(r111_records_stay_whole),
		cmocka_unit_test(r112_local_groups_are_never_reported),
		cmocka_unit_test(r113_no_address),
		cmocka_unit_test(r118_link_comes_back),
		cmocka_unit_test(r118_family_or_mtu_alone),
		cmocka_unit_test(r119_orderly_stop),
		cmocka_unit_test(mtu_of_any_size),
		cmocka_unit_test(no_memory_changes_nothing),
		cmocka_unit_test(no_memory_at_start),
		cmocka_unit_test(no_memory_to_announce_or_leave),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
