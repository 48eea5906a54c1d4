/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Querier role (R040 to R058) under virtual time, both families where the rule is
 * common. */

#include "control/member/querier.h"
#include "support_gm.h"
#include "test.h"

static struct querier_view role;
static struct querier q;
static struct effects fx;
static enum family fam;
static struct querier_rules rules = {.version = GM_V3, .only_querier = true};

static mono_t ms(int64_t t)
{
	return mono_from_ms(t);
}

/* our own address is host 50 */
static void up(const struct gm_params *params, bool always)
{
	struct addr own = gm_host(fam, 50);

	effects_clear(&fx);
	rules.always = always;
	querier_init(&q, 1, fam, params ? params : &gm_params_default, &rules, &role);
	querier_up(&q, ms(0), &own, &fx);
}

static bool heard(
	int64_t t, unsigned host, uint8_t qrv, uint32_t qqi_ms, unsigned notes)
{
	struct gm_msg msg = {.kind = GM_QUERY,
		.family = fam,
		.version = GM_V3,
		.from = host ? gm_host(fam, host) : addr_any(fam),
		.notes = notes,
		.query = {.group = addr_any(fam),
			.max_resp_ms = 10000,
			.qrv = qrv,
			.qqi_ms = qqi_ms}};

	effects_clear(&fx);
	return querier_query(&q, ms(t), &msg, &fx);
}

/* Number of queries sent at the next deadline, which must be at t. */
static unsigned queries_at(int64_t t)
{
	unsigned n = 0;

	assert_int_equal(querier_deadline(&q).ns / NS_PER_MS, t);
	effects_clear(&fx);
	querier_tick(&q, ms(t), &fx);
	effects_for_each (&fx, e)
		n += e->type == EFFECT_QUERY;
	return n;
}

#define FOR_BOTH_FAMILIES for (fam = 0; fam < _FAMILY_N; fam++, effects_deinit(&fx))

static void r040_r041_startup_then_period(void **state)
{
	FOR_BOTH_FAMILIES
	{
		up(NULL, false);
		assert_int_equal(fx.n, 1); /* the first query is sent at once */
		assert_true(role.querier);
		assert_int_equal(queries_at(31250), 1);
		assert_int_equal(queries_at(31250 + 125000), 1);
		assert_int_equal(queries_at(31250 + 2 * 125000), 1);
	}
}

static void r042_content_of_the_general_query(void **state)
{
	FOR_BOTH_FAMILIES
	{
		struct addr own = gm_host(fam, 50);
		const struct effect *e = fx.v;

		up(NULL, false);
		e = &fx.v[0];
		assert_int_equal(e->type, EFFECT_QUERY);
		assert_int_equal(e->query.version, GM_V3);
		assert_true(addr_is_any(&e->query.q.group));
		assert_int_equal(e->query.q.max_resp_ms, 10000);
		assert_int_equal(e->query.q.qrv, 2);
		assert_int_equal(e->query.q.qqi_ms, 125000);
		assert_false(e->query.q.suppress);
		assert_int_equal(e->query.q.n_src, 0);
		assert_true(addr_eq(&e->query.from, &own));
	}
}

static void r045_r046_lower_address_wins_until_it_is_silent(void **state)
{
	FOR_BOTH_FAMILIES
	{
		up(NULL, false);
		assert_true(heard(1000, 10, 2, 125000, 0));
		assert_false(role.querier);
		assert_int_equal(querier_deadline(&q).ns / NS_PER_MS, 1000 + 125000);
		assert_false(heard(100000, 10, 2, 125000, 0));
		assert_int_equal(queries_at(100000 + 255000), 1);
		assert_true(role.querier);
		assert_int_equal(queries_at(100000 + 255000 + 125000), 1);
	}
}

static void r047_higher_address_changes_nothing(void **state)
{
	FOR_BOTH_FAMILIES
	{
		up(NULL, false);
		assert_false(heard(1000, 200, 2, 125000, 0));
		assert_true(role.querier);
		assert_int_equal(queries_at(31250), 1);
	}
}

static void r048_three_routers(void **state)
{
	FOR_BOTH_FAMILIES
	{
		up(NULL, false);
		heard(1000, 10, 2, 125000, 0);
		heard(2000, 10, 2, 125000, 0);
		/* not elected, so it does not prolong the timer of the old one */
		assert_false(heard(200000, 20, 2, 125000, 0));
		assert_int_equal(queries_at(257000), 1);
		assert_true(heard(257100, 20, 2, 125000, 0));
		assert_true(addr_eq(&q.other, &(struct addr[]){gm_host(fam, 20)}[0]));
		/* a router with a lower address takes over from it */
		assert_false(heard(258000, 10, 2, 125000, 0));
		assert_true(addr_eq(&q.other, &(struct addr[]){gm_host(fam, 10)}[0]));
		assert_false(heard(259000, 10, 2, 125000, 0));
		assert_int_equal(querier_deadline(&q).ns / NS_PER_MS, 259000 + 255000);
	}
}

static void r049_r015_r189_queriers_that_never_win(void **state)
{
	FOR_BOTH_FAMILIES
	{
		up(NULL, false);
		assert_false(heard(1000, 0, 2, 125000, 0)); /* no address */
		assert_true(role.querier);
		assert_false(heard(1000, 10, 2, 125000, GM_NOTE_UNICAST));
		assert_true(role.querier);
		effects_deinit(&fx);
		up(NULL, true); /* always-querier */
		assert_false(heard(1000, 10, 2, 125000, 0));
		assert_true(role.querier);
	}
}

static void r051_adopts_values_and_returns_to_its_own(void **state)
{
	FOR_BOTH_FAMILIES
	{
		up(NULL, false);
		heard(900, 10, 5, 60000, 0);
		heard(1000, 10, 5, 60000, 0);
		assert_int_equal(role.rv, 5);
		assert_int_equal(role.qi_ms, 60000);
		assert_int_equal(
			querier_deadline(&q).ns / NS_PER_MS, 1000 + 5 * 60000 + 5000);
		heard(2000, 10, 0, 0, 0); /* 0 means the default */
		assert_int_equal(role.rv, 2);
		assert_int_equal(role.qi_ms, 125000);
		heard(3000, 10, 3, 60000, 0);
		assert_int_equal(queries_at(3000 + 3 * 60000 + 5000), 1);
		assert_int_equal(role.qi_ms, 125000);
	}
}

/* F3: one query makes us wait for one of our own query intervals, and we adopt no
 * values from it. From the second query on we adopt values within the caps. */
static void f3_one_forged_query_holds_for_one_interval(void **state)
{
	FOR_BOTH_FAMILIES
	{
		up(NULL, false);
		assert_true(heard(1000, 10, 7, 31744000, 0));
		assert_int_equal(role.rv, 2);
		assert_int_equal(role.qi_ms, 125000);
		assert_int_equal(queries_at(1000 + 125000), 1);
		assert_true(role.querier);

		assert_true(heard(127000, 10, 7, 31744000, 0));
		assert_int_equal(role.rv, 2);
		assert_int_equal(role.qi_ms, 375000);
		assert_int_equal(queries_at(127000 + 2 * 375000 + 5000), 1);
		assert_int_equal(role.rv, 2);
		assert_int_equal(role.qi_ms, 125000);
		assert_int_equal(queries_at(882000 + 125000), 1);
	}
}

static void f3_a_query_that_loses_teaches_nothing(void **state)
{
	FOR_BOTH_FAMILIES
	{
		up(NULL, false);
		assert_false(heard(1000, 200, 7, 31744000, 0));
		assert_false(heard(2000, 200, 7, 31744000, 0));
		assert_int_equal(role.rv, 2);
		assert_int_equal(role.qi_ms, 125000);
		heard(3000, 10, 3, 100000, 0);
		heard(4000, 10, 3, 100000, 0);
		heard(5000, 20, 6, 90000, 0); /* ignored: the elected one is 10 */
		assert_int_equal(role.rv, 3);
		assert_int_equal(role.qi_ms, 100000);
	}
}

/* A query that hosts ignore, or may answer too late, keeps no membership alive, so it
 * neither takes nor renews the role. */
static void f3_only_what_keeps_memberships_counts(void **state)
{
	FOR_BOTH_FAMILIES
	{
		struct gm_msg specific = {.kind = GM_QUERY,
			.family = fam,
			.version = GM_V3,
			.from = gm_host(fam, 10),
			.query = {.group = gm_group(fam, 1), .max_resp_ms = 1000}};
		struct gm_msg slow = {.kind = GM_QUERY,
			.family = fam,
			.version = GM_V3,
			.from = gm_host(fam, 10),
			.query = {.group = addr_any(fam), .max_resp_ms = 3174400}};

		up(NULL, false);
		assert_false(querier_query(&q, ms(1), &specific, &fx));
		assert_false(querier_query(&q, ms(2), &slow, &fx));
		assert_false(heard(3, 10, 2, 125000, GM_NOTE_LINK_UNICAST));
		assert_true(role.querier);
		heard(1000, 10, 2, 125000, 0);
		heard(2000, 10, 2, 125000, 0);
		assert_false(querier_query(&q, ms(100000), &specific, &fx));
		assert_false(querier_query(&q, ms(200000), &slow, &fx));
		assert_int_equal(queries_at(2000 + 255000), 1);
	}
}

/* The caps change neither usual values nor values that the operator has set. */
static void f3_caps_of_adopted_values(void **state)
{
	static const struct {
		uint32_t ours_ms, qqi_ms, qi_ms;
		uint8_t rv, qrv, rv_in_force;
	} v[] = {
		{125000, 125000, 125000, 2, 2, 2},
		{125000, 60000, 60000, 2, 7, 7},
		{125000, 300000, 300000, 2, 3, 2},
		{125000, 375000, 375000, 2, 2, 2},
		{125000, 31744000, 375000, 2, 7, 2},
		{200000, 31744000, 600000, 2, 7, 2},
		{1000, 125000, 125000, 2, 7, 4},
		{3600000, 31744000, 3600000, 2, 7, 2},
		{3600000, 3000000, 3000000, 5, 7, 5},
	};

	for (size_t i = 0; i < array_len(v); i++) {
		struct gm_params p = gm_params_default;

		p.query_interval_ms = v[i].ours_ms;
		p.robustness = v[i].rv;
		assert_int_equal(gm_cap_query_interval(&p, v[i].qqi_ms), v[i].qi_ms);
		assert_int_equal(
			gm_cap_robustness(&p, v[i].qrv, v[i].qi_ms), v[i].rv_in_force);
	}
}

/* A router that starts later soon hears our query, before our next regular one. */
static void r047_a_higher_querier_is_told_of_us(void **state)
{
	FOR_BOTH_FAMILIES
	{
		up(NULL, false);
		assert_int_equal(queries_at(31250), 1);
		heard(40000, 200, 2, 125000, 0);
		assert_int_equal(queries_at(40000), 1);
		heard(40100, 200, 2, 125000, 0); /* not after each of its queries */
		heard(40200, 200, 2, 125000, 0);
		assert_int_equal(queries_at(71250), 1);
		heard(140000, 200, 2, 125000, 0);
		assert_int_equal(queries_at(140000), 1);
		assert_int_equal(queries_at(140000 + 125000), 1);
	}
}

static void r055_mld_compares_interface_identifiers(void **state)
{
	struct addr own = a("fe80::ff:fe00:50");

	fam = FAMILY_IPV6;
	querier_init(&q, 1, fam, &gm_params_default, &rules, &role);
	querier_up(&q, ms(0), &(struct addr){{0}}, &fx);
	assert_int_equal(q.state, QUERIER_DOWN); /* silent without link-local address */
	assert_int_equal(fx.n, 0);
	querier_up(&q, ms(0), &own, &fx);
	assert_true(heard(1, 1, 2, 125000, 0)); /* fe80::1 */
	effects_deinit(&fx);
}

static void r050_without_address_anybody_wins(void **state)
{
	struct addr none = addr_any(FAMILY_IPV4);

	fam = FAMILY_IPV4;
	querier_init(&q, 1, fam, &gm_params_default, &rules, &role);
	querier_up(&q, ms(0), &none, &fx);
	assert_true(role.querier);
	assert_true(heard(1, 200, 2, 125000, 0));
	effects_deinit(&fx);
}

static void r058_new_address_starts_again(void **state)
{
	FOR_BOTH_FAMILIES
	{
		struct addr other = gm_host(fam, 5);

		up(NULL, false);
		heard(1000, 10, 2, 125000, 0);
		effects_clear(&fx);
		querier_up(&q, ms(2000), &other, &fx);
		assert_int_equal(fx.n, 1);
		assert_true(addr_eq(&fx.v[0].query.from, &other));
		assert_true(role.querier);
		assert_int_equal(queries_at(2000 + 31250), 1);
		effects_clear(&fx);
		querier_up(&q, ms(40000), &other, &fx); /* same address: no change */
		assert_int_equal(fx.n, 0);
		querier_down(&q);
		assert_false(role.querier);
		assert_int_equal(querier_deadline(&q).ns, MONO_NEVER.ns);
	}
}

static void reload_moves_the_next_query_closer(void **state)
{
	FOR_BOTH_FAMILIES
	{
		struct gm_params p = gm_params_default;

		up(NULL, false);
		assert_int_equal(queries_at(31250), 1);
		p.query_interval_ms = 20000;
		querier_set_params(&q, ms(40000), &p, &rules, &fx);
		assert_int_equal(role.qi_ms, 20000);
		assert_int_equal(queries_at(60000), 1);
		heard(61000, 10, 2, 125000, 0);
		assert_false(role.querier);
		rules.always = true;
		querier_set_params(&q, ms(62000), &p, &rules, &fx);
		rules.always = false;
		assert_true(role.querier);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(r040_r041_startup_then_period),
		cmocka_unit_test(r042_content_of_the_general_query),
		cmocka_unit_test(r045_r046_lower_address_wins_until_it_is_silent),
		cmocka_unit_test(r047_higher_address_changes_nothing),
		cmocka_unit_test(r048_three_routers),
		cmocka_unit_test(r049_r015_r189_queriers_that_never_win),
		cmocka_unit_test(r051_adopts_values_and_returns_to_its_own),
		cmocka_unit_test(f3_one_forged_query_holds_for_one_interval),
		cmocka_unit_test(f3_a_query_that_loses_teaches_nothing),
		cmocka_unit_test(f3_only_what_keeps_memberships_counts),
		cmocka_unit_test(f3_caps_of_adopted_values),
		cmocka_unit_test(r047_a_higher_querier_is_told_of_us),
		cmocka_unit_test(r055_mld_compares_interface_identifiers),
		cmocka_unit_test(r050_without_address_anybody_wins),
		cmocka_unit_test(r058_new_address_starts_again),
		cmocka_unit_test(reload_moves_the_next_query_closer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
