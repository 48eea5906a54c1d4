/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The provider's side: older queriers, forced versions, links that come and go, and
 * providers that never ask (RFC 9776 5 and 7.2, RFC 4605 4.1; R117 to R129, R146, E01
 * to E04, E10).
 */

#include "home.h"

/* the version of the report that a new join causes */
static enum gm_version spoken(struct home *h, struct sim_host *host, unsigned n)
{
	struct addr g = sim_group(h->sim, 1000 + n);
	const struct sim_seen *s;

	sim_host_join(host, &g);
	sim_run(h->sim, 10);
	s = sim_last(h->wan, &(struct sim_match){.node = &h->proxy->node, .group = &g});
	assert_non_null(s);
	sim_host_leave(host, &g);
	return s->version;
}

static void ask_once(struct home *h, enum gm_version version)
{
	sim_router_set_version(h->router, version);
	sim_router_ask(h->router);
	sim_router_quiet(h->router);
	sim_run(h->sim, 10);
}

/* R121, R122: each older query lowers the version, and its timeout raises it again. */
static void r121_follows_the_querier(enum family family)
{
	static const struct {
		const char *config;
		int64_t older_ms[_FAMILY_N];
	} row[] = {
		{"", {350000, 260000}},
		{"timers rfc3376", {260000, 260000}},
	};

	for (size_t i = 0; i < array_len(row); i++) {
		struct home h = home_new(family,
			&(struct home_params){
				.no_querier = true, .config = row[i].config});
		struct sim_host *host = home_host(&h, 1, 10, GM_V3);
		int64_t asked;

		assert_int_equal(spoken(&h, host, 1), GM_V3);
		asked = sim_ms(h.sim);
		ask_once(&h, GM_V2);
		assert_int_equal(spoken(&h, host, 2), GM_V2);
		sim_run_to(h.sim, asked + row[i].older_ms[family] - 100);
		assert_int_equal(spoken(&h, host, 3), GM_V2);
		sim_run_to(h.sim, asked + row[i].older_ms[family] + 100);
		assert_int_equal(spoken(&h, host, 4), GM_V3);
		if (family == FAMILY_IPV4) {
			ask_once(&h, GM_V2);
			sim_run(h.sim, 60000);
			ask_once(&h, GM_V1);
			assert_int_equal(spoken(&h, host, 5), GM_V1);
			sim_run(h.sim, row[i].older_ms[family] - 30000);
			assert_int_equal(spoken(&h, host, 6), GM_V1);
			sim_run(h.sim, 31000);
			assert_int_equal(spoken(&h, host, 7), GM_V3);
		}
		home_free(&h);
	}
}

/* R123: a group query of an older version changes nothing. */
static void r123_group_query_is_not_an_older_querier(enum family family)
{
	struct home h = home_new(family, &(struct home_params){.no_querier = true});
	struct sim_host *host = home_host(&h, 1, 10, GM_V3);
	struct addr g = sim_group(h.sim, 1);
	struct gm_query q = {.group = g, .max_resp_ms = 1000};

	sim_host_join(host, &g);
	sim_run(h.sim, 5000);
	sim_mark(h.sim);
	sim_send_query(&h.router->node.port[0], GM_V2, &q);
	sim_run(h.sim, 1100);
	assert_int_equal(home_reports(&h, GM_IS_EX, &g), 1);
	assert_int_equal(spoken(&h, host, 1), GM_V3);
	home_free(&h);
}

/* R124: after the switch no IGMPv3 report leaves, not even as repeat or answer. */
static void r124_switch_cancels_what_is_pending(enum family family)
{
	struct home h = home_new(family, &(struct home_params){.no_querier = true});
	struct sim_host *host = home_host(&h, 1, 10, GM_V3);
	const struct sim_match v3 = {
		.node = &h.proxy->node, .kind = GM_REPORT, .version = GM_V3};

	for (unsigned i = 0; i < 20; i++) {
		struct addr g = sim_group(h.sim, i);

		ask_once(&h, GM_V3);
		sim_run(h.sim, 400000);
		sim_host_join(host, &g);
		sim_run(h.sim, 3);
		assert_int_equal(home_reports(&h, GM_TO_EX, &g), 1);
		sim_router_set_version(h.router, GM_V2);
		sim_router_ask(h.router);
		sim_router_quiet(h.router);
		sim_run(h.sim, 5);
		sim_mark(h.sim);
		sim_run(h.sim, 20000);
		assert_int_equal(sim_count(h.wan, &v3), 0);
		assert_int_not_equal(home_reports(&h, GM_IS_EX, &g), 0);
		sim_host_leave(host, &g);
		sim_run(h.sim, 10000);
		sim_mark(h.sim);
	}
	home_free(&h);
}

/* R125, R128: joins and leaves are all that an IGMPv2 provider hears. */
static void r125_older_upstream(enum family family)
{
	struct home h = home_new(family, &(struct home_params){.provider = GM_V2});
	struct addr g = sim_ssm(h.sim, 1),
		    s[2] = {sim_source(h.sim, 1), sim_source(h.sim, 2)};
	struct sim_host *host = home_host(&h, 1, 10, GM_V3);
	const struct sim_seen *seen;

	sim_run_to(h.sim, 140000);
	sim_mark(h.sim);
	sim_host_join_source(host, &g, &s[0]);
	sim_run(h.sim, 2000);
	assert_int_equal(home_all_reports(&h), 2);
	assert_int_equal(home_reports(&h, GM_IS_EX, &g), 2);
	seen = sim_last(h.wan, &(struct sim_match){.kind = GM_REPORT});
	assert_int_equal(seen->version, GM_V2);
	assert_true(sim_router_wants(h.router, &s[1], &g));
	sim_host_set(host, &g, GM_INCLUDE, s, 2);
	sim_run(h.sim, 2000);
	sim_host_set(host, &g, GM_INCLUDE, s + 1, 1);
	sim_run(h.sim, 5000);
	assert_int_equal(home_all_reports(&h), 2);
	sim_host_leave(host, &g);
	sim_run(h.sim, 2100);
	assert_int_equal(home_reports(&h, GM_TO_IN, &g), 1);
	sim_run(h.sim, 3000);
	assert_false(sim_router_has(h.router, &g));
	home_free(&h);
}

/* R126: another router's report for the group does not suppress ours. */
static void r126_no_suppression(enum family family)
{
	struct home h = home_new(family, &(struct home_params){.provider = GM_V2});
	struct addr g = sim_group(h.sim, 1);
	struct sim_host *host = home_host(&h, 1, 10, GM_V3);
	struct sim_host *neighbour = sim_host_new(h.wan, 50, GM_V2);

	sim_host_join(neighbour, &g);
	sim_host_join(host, &g);
	sim_run_to(h.sim, 120000);
	sim_mark(h.sim);
	for (int i = 0; i < 10; i++) {
		sim_router_ask(h.router);
		sim_run(h.sim, 6);
		sim_host_repeat(neighbour, &g);
		sim_run(h.sim, 20000);
	}
	assert_int_equal(home_reports(&h, GM_IS_EX, &g), 10);
	sim_host_leave(host, &g);
	sim_run(h.sim, 5000);
	assert_int_equal(home_reports(&h, GM_TO_IN, &g), 1);
	assert_true(sim_router_has(h.router, &g));
	home_free(&h);
}

/* R127: an IGMPv1 provider is never told of a leave. */
static void r127_no_leave_in_version_1(enum family family)
{
	struct home h = home_new(family, &(struct home_params){.provider = GM_V1});
	struct addr g = sim_group(h.sim, 1);
	struct sim_host *host = home_host(&h, 1, 10, GM_V3);

	sim_host_join(host, &g);
	sim_run_to(h.sim, 140000);
	assert_true(sim_router_has(h.router, &g));
	sim_mark(h.sim);
	sim_host_leave(host, &g);
	sim_run(h.sim, 270000);
	assert_int_equal(home_all_reports(&h), 0);
	assert_false(sim_router_has(h.router, &g));
	home_free(&h);
}

/* R129, E04: the provider sends all sources, the LAN gets the one that was asked
 * for. */
static void r129_source_filter_stays(enum family family)
{
	struct home h =
		home_new(family, &(struct home_params){.provider = GM_V2, .n_lans = 2});
	struct addr g = sim_group(h.sim, 1),
		    s[2] = {sim_source(h.sim, 1), sim_source(h.sim, 2)};
	struct sim_stream *one = home_stream(&h, &s[0], &g);
	struct sim_stream *two = home_stream(&h, &s[1], &g);
	struct sim_host *some = home_host(&h, 1, 10, GM_V3);
	struct sim_host *but = home_host(&h, 2, 10, GM_V3);

	sim_host_join_source(some, &g, &s[0]);
	sim_host_set(but, &g, GM_EXCLUDE, s, 1);
	sim_run(h.sim, 1000);
	sim_host_rx_reset(some, one);
	sim_host_rx_reset(but, two);
	sim_run(h.sim, 600000);
	assert_true(h.wan->n_data[one->number] > 60000);
	assert_true(h.wan->n_data[two->number] > 60000);
	assert_int_equal(h.lan[0]->n_data[two->number], 0);
	assert_int_equal(h.lan[1]->n_data[one->number], 0);
	assert_steady(some, one);
	assert_steady(but, two);
	home_free(&h);
}

static bool possible(enum family family, int version)
{
	return family == FAMILY_IPV4 || version > GM_V1;
}

/* One combination: the member gets the stream, keeps it, and leaves. */
static void one_combination(enum family family, int up, int down, int box)
{
	char config[400];
	struct addr g, s;
	struct sim_host *host;
	struct sim_stream *stream;
	struct home h;
	unsigned mld_up = up > 1 ? (unsigned)up - 1 : 1;
	unsigned mld_down = down > 1 ? (unsigned)down - 1 : 1;

	snprintf(config, sizeof(config),
		"phyint wan upstream\n igmp-version %d\n mld-version %u\n"
		" altnet 0.0.0.0/0\n altnet ::/0\n"
		"phyint lan1 downstream\n igmp-version %d\n mld-version %u\n",
		up, mld_up, down, mld_down);
	h = home_new(family,
		&(struct home_params){
			.own_config = config, .provider = (enum gm_version)up});
	g = sim_group(h.sim, 1);
	s = sim_source(h.sim, 1);
	stream = home_stream(&h, &s, &g);
	host = home_host(&h, 1, 10, (enum gm_version)box);
	sim_host_join(host, &g);
	sim_run(h.sim, 100);
	sim_host_rx_reset(host, stream);
	sim_run(h.sim, 500000);
	assert_steady(host, stream);
	assert_int_equal(sim_count(h.wan,
				 &(struct sim_match){.node = &h.proxy->node,
					 .version = (enum gm_version)up}),
		home_all_reports(&h));
	sim_host_leave(host, &g);
	/* with version 1 anywhere there are no leaves, and memberships expire */
	sim_run(h.sim, up == 1 || down == 1 || box == 1 ? 550000 : 5000);
	assert_false(sim_router_has(h.router, &g));
	assert_true(sim_proxy_empty(h.proxy));
	home_free(&h);
}

/* R146: all versions on the upstream, the LAN and the box. */
static void r146_all_combinations(enum family family)
{
	for (int up = GM_V1; up <= GM_V3; up++)
		for (int down = GM_V1; down <= GM_V3; down++)
			for (int box = GM_V1; box <= GM_V3; box++)
				if (possible(family, up) && possible(family, down) &&
					possible(family, box))
					one_combination(family, up, down, box);
}

/* R117: a query on one upstream is answered there; a query on a LAN causes no
 * report. */
static void r117_answers_stay_on_their_upstream(enum family family)
{
	struct home h = home_new(family, &(struct home_params){.no_querier = true});
	struct sim_link *wan = sim_link_new(h.sim, 5), *lan = sim_link_new(h.sim, 1);
	struct sim_router *router = sim_router_new(wan, 1, GM_V3, false);
	struct sim_proxy *second = sim_proxy_new(h.sim, "second", sim_config("", 1));
	struct sim_host *one = home_host(&h, 1, 10, GM_V3);
	struct sim_host *two = sim_host_new(lan, 10, GM_V3);
	struct sim_router *rival = sim_router_new(h.lan[0], 1, GM_V3, false);
	struct addr g = sim_group(h.sim, 1);
	const struct sim_match report = {.kind = GM_REPORT};

	sim_proxy_attach(second, "wan", wan, 2);
	sim_proxy_attach(second, "lan1", lan, 5);
	sim_proxy_sync(second);
	sim_host_join(one, &g);
	sim_host_join(two, &g);
	sim_run(h.sim, 12000);
	sim_mark(h.sim);
	sim_router_ask(router);
	sim_run(h.sim, 12000);
	assert_int_equal(sim_count(wan, &report), 1);
	assert_int_equal(sim_count(h.wan, &report), 0);
	sim_router_ask(rival);
	sim_run(h.sim, 12000);
	assert_int_equal(sim_count(h.wan, &report), 0);
	home_free(&h);
}

/* R118: after a flap or with another address, everything is reported again at once. */
static void r118_link_and_address_changes(enum family family)
{
	struct home h = home_new(family, &(struct home_params){.no_querier = true});
	struct addr g = sim_group(h.sim, 1), ssm = sim_ssm(h.sim, 1);
	struct addr s = sim_source(h.sim, 1), moved = sim_station(h.sim, h.wan, 77);
	struct sim_host *host = home_host(&h, 1, 10, GM_V3);

	sim_host_join(host, &g);
	sim_host_join_source(host, &ssm, &s);
	sim_run(h.sim, 5000);
	for (int i = 0; i < 20; i++) {
		const struct sim_seen *last;

		sim_mark(h.sim);
		sim_proxy_link(h.proxy, "wan", false);
		sim_run(h.sim, i * 100);
		assert_int_equal(home_all_reports(&h), 0);
		sim_proxy_link(h.proxy, "wan", true);
		if (i == 10)
			sim_proxy_readdress(h.proxy, "wan", 77);
		assert_true(home_reports(&h, GM_TO_EX, &g) > 0);
		assert_true(home_reports(&h, GM_ALLOW, &ssm) > 0);
		sim_run(h.sim, 1100);
		assert_true(home_reports(&h, GM_TO_EX, &g) >= 2);
		assert_true(home_reports(&h, GM_ALLOW, &ssm) >= 2);
		assert_int_equal(home_reports(&h, GM_TO_IN, &g), 0);
		last = sim_last(h.wan, &(struct sim_match){.kind = GM_REPORT});
		assert_int_equal(addr_eq(&last->from, &moved), i >= 10);
	}
	home_free(&h);
}

/* R118: a provider that forgot everything while the link was down learns it again. */
static void r118_provider_restarts(enum family family)
{
	struct home h = home_new(family, &(struct home_params){.n_lans = 2});
	struct addr g = sim_group(h.sim, 1), s = sim_source(h.sim, 1);
	struct sim_host *host = home_host(&h, 2, 10, GM_V3);
	struct sim_router *fresh;

	sim_host_join(host, &g);
	sim_run(h.sim, 5000);
	sim_proxy_link(h.proxy, "wan", false);
	h.router->node.dead = true;
	fresh = sim_router_new(h.wan, 3, GM_V3, false);
	sim_run(h.sim, 60000);
	sim_proxy_link(h.proxy, "wan", true);
	sim_run(h.sim, 10);
	assert_true(sim_router_wants(fresh, &s, &g));
	home_free(&h);
}

/* R119: a stop leaves every group, robustness times; a crash sends nothing. */
static void r119_leaves_on_stop(enum family family)
{
	for (unsigned crash = 0; crash < 2; crash++) {
		struct home h = home_new(family, &(struct home_params){0});
		struct sim_host *host = home_host(&h, 1, 10, GM_V3);
		struct addr ssm = sim_ssm(h.sim, 1), s = sim_source(h.sim, 1);

		for (unsigned i = 1; i <= 50; i++) {
			struct addr g = sim_group(h.sim, i);

			sim_host_join(host, &g);
		}
		sim_host_join_source(host, &ssm, &s);
		sim_run(h.sim, 5000);
		assert_int_equal(sim_router_n_groups(h.router), 51);
		sim_mark(h.sim);
		if (crash)
			sim_proxy_crash(h.proxy);
		else
			sim_proxy_stop(h.proxy);
		sim_run(h.sim, 3000);
		assert_int_equal(home_reports(&h, GM_TO_IN, NULL), crash ? 0 : 2 * 50);
		assert_int_equal(home_reports(&h, GM_BLOCK, &ssm), crash ? 0 : 2);
		assert_int_equal(sim_router_n_groups(h.router), crash ? 51 : 0);
		sim_run(h.sim, 270000);
		assert_int_equal(sim_router_n_groups(h.router), 0);
		h.sim = sim_free(h.sim);
	}
}

/* E01, E02: how long the stream lasts, in ms, with a provider that never sends
 * queries. */
static int64_t lasts(enum family family, const char *config, enum gm_version version,
	uint32_t ageing_ms, int64_t max_ms)
{
	struct home h = home_new(family,
		&(struct home_params){
			.no_querier = true, .provider = version, .config = config});
	struct addr g = sim_group(h.sim, 1), s = sim_source(h.sim, 1);
	struct sim_stream *stream = home_stream(&h, &s, &g);
	struct sim_host *host = home_host(&h, 1, 10, GM_V3);
	int64_t from = sim_ms(h.sim), ms;

	h.router->membership_ms = ageing_ms;
	sim_host_join(host, &g);
	sim_run(h.sim, 2000);
	sim_mark(h.sim);
	sim_host_rx_reset(host, stream);
	while (sim_host_gap_ms(host, stream) <= 10 && sim_ms(h.sim) - from < max_ms)
		sim_run(h.sim, 100);
	/* plain reports, never a leave and a new join, so the picture does not
	 * flicker */
	assert_int_equal(home_reports(&h, GM_TO_IN, &g), 0);
	assert_int_equal(home_reports(&h, GM_TO_EX, &g), 0);
	ms = sim_ms(h.sim) - from;
	home_free(&h);
	return ms;
}

static void e01_no_querier_upstream(enum family family)
{
	assert_in_range(lasts(family, "", GM_V3, 260000, 3000000), 260000, 261500);
	assert_in_range(lasts(family, "refresh-interval 60", GM_V3, 260000, 2600000),
		2600000, 2600100);
}

static void e02_impatient_provider(enum family family)
{
	const char *v2 = "igmp-version 2\nmld-version 1\nrefresh-interval 60";

	assert_in_range(lasts(family, "", GM_V3, 140000, 3000000), 140000, 141500);
	assert_in_range(lasts(family, "refresh-interval 30", GM_V3, 140000, 1400000),
		1400000, 1400100);
	assert_in_range(lasts(family, v2, GM_V2, 140000, 1400000), 1400000, 1400100);
}

/* E03: a box that reports every 8 s; the provider's queries are answered. */
static void e03_box_that_reports_all_the_time(enum family family)
{
	struct home h = home_new(family, &(struct home_params){0});
	struct addr g = sim_group(h.sim, 1), s = sim_source(h.sim, 1);
	struct sim_stream *stream = home_stream(&h, &s, &g);
	struct sim_host *host = home_host(&h, 1, 10, GM_V2);
	size_t asked;

	sim_host_join(host, &g);
	sim_run(h.sim, 2000);
	sim_mark(h.sim);
	sim_host_rx_reset(host, stream);
	for (int i = 0; i < 125; i++) {
		sim_host_repeat(host, &g);
		sim_run(h.sim, 8000);
	}
	asked = sim_count(h.wan, &(struct sim_match){.kind = GM_QUERY});
	assert_in_range(asked, 7, 8);
	assert_in_range(home_all_reports(&h), asked - 1, asked);
	assert_steady(host, stream);
	home_free(&h);
}

/* E10: the querier's address has nothing to do with ours. */
static void e10_querier_from_anywhere(enum family family)
{
	struct home h = home_new(family, &(struct home_params){.no_querier = true});
	struct addr g = sim_group(h.sim, 1), s = sim_source(h.sim, 1);
	struct sim_stream *stream = home_stream(&h, &s, &g);
	struct sim_host *host = home_host(&h, 1, 10, GM_V3);

	h.router->from = a("198.51.100.1");
	sim_host_join(host, &g);
	sim_router_ask(h.router);
	sim_run(h.sim, 100);
	sim_host_rx_reset(host, stream);
	sim_run(h.sim, 1000000);
	assert_steady(host, stream);
	home_free(&h);
}

static const struct CMUnitTest tests[] = {
	BOTH(r117_answers_stay_on_their_upstream),
	BOTH(r118_link_and_address_changes),
	BOTH(r118_provider_restarts),
	BOTH(r119_leaves_on_stop),
	BOTH(r121_follows_the_querier),
	BOTH(r123_group_query_is_not_an_older_querier),
	BOTH(r124_switch_cancels_what_is_pending),
	BOTH(r125_older_upstream),
	BOTH(r126_no_suppression),
	ONLY_IPV4(r127_no_leave_in_version_1),
	BOTH(r129_source_filter_stays),
	BOTH(r146_all_combinations),
	BOTH(e01_no_querier_upstream),
	BOTH(e02_impatient_provider),
	BOTH(e03_box_that_reports_all_the_time),
	ONLY_IPV4(e10_querier_from_anywhere),
};

int main(void)
{
	return cmocka_run_group_tests(tests, NULL, NULL);
}
