/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Members join and leave on several downstreams: what is forwarded to each, and what
 * the provider hears (RFC 9776 6, RFC 4605 4).
 */

#include "home.h"

/* R079: EX({}) and IN({1}) on one LAN; when the first leaves, the second misses
 * nothing. */
static void r079_include_survives_exclude(enum family family)
{
	struct home h = home_new(family, &(struct home_params){0});
	struct addr g = sim_group(h.sim, 1), s1 = sim_source(h.sim, 1);
	struct addr s2 = sim_source(h.sim, 2);
	struct sim_stream *one = home_stream(&h, &s1, &g),
			  *two = home_stream(&h, &s2, &g);
	struct sim_host *all = home_host(&h, 1, 10, GM_V3);
	struct sim_host *some = home_host(&h, 1, 11, GM_V3);

	sim_host_join(all, &g);
	sim_host_join_source(some, &g, &s1);
	sim_run(h.sim, 100);
	sim_host_rx_reset(all, two);
	sim_host_rx_reset(some, one);
	sim_run(h.sim, 20000);
	assert_steady(all, two);
	sim_host_leave(all, &g);
	sim_run(h.sim, 400000);
	assert_steady(some, one);
	assert_true(home_forwards(&h, 1, &s1, &g));
	assert_false(home_forwards(&h, 1, &s2, &g));
	assert_false(sim_router_wants(h.router, &s2, &g));
	home_free(&h);
}

/* R080: the same report on two LANs makes two independent records. */
static void r080_state_is_per_downstream(enum family family)
{
	struct home h = home_new(family, &(struct home_params){.n_lans = 2});
	struct addr g = sim_group(h.sim, 1), s = sim_source(h.sim, 1);
	struct sim_stream *stream = home_stream(&h, &s, &g);
	struct sim_host *a1 = home_host(&h, 1, 10, GM_V3);
	struct sim_host *a2 = home_host(&h, 2, 10, GM_V3);

	sim_host_join(a1, &g);
	sim_host_join(a2, &g);
	sim_run(h.sim, 3000);
	sim_host_rx_reset(a2, stream);
	sim_host_leave(a1, &g);
	sim_run(h.sim, 5000);
	assert_false(home_forwards(&h, 1, &s, &g));
	assert_true(home_forwards(&h, 2, &s, &g));
	assert_steady(a2, stream);
	home_free(&h);
}

/* R134: a second box on the same channel causes no report to the provider. */
static void r134_only_changes_go_upstream(enum family family)
{
	struct home h = home_new(family, &(struct home_params){.n_lans = 2});
	struct addr g = sim_group(h.sim, 1), ssm = sim_ssm(h.sim, 1);
	struct addr s[2] = {sim_source(h.sim, 1), sim_source(h.sim, 2)};
	struct sim_host *one = home_host(&h, 1, 10, GM_V3);
	struct sim_host *two = home_host(&h, 1, 11, GM_V2);
	struct sim_host *far = home_host(&h, 2, 10, GM_V3);
	const struct sim_seen *last;

	sim_host_join(one, &g);
	sim_run(h.sim, 5000);
	assert_int_equal(home_reports(&h, GM_TO_EX, &g), 2);
	assert_int_equal(home_all_reports(&h), 2);
	sim_mark(h.sim);
	sim_host_join(two, &g);
	sim_host_join(far, &g);
	sim_run(h.sim, 12000);
	assert_int_equal(home_all_reports(&h), 0);

	sim_host_join_source(one, &ssm, &s[0]);
	sim_run(h.sim, 5000);
	sim_mark(h.sim);
	sim_host_set(far, &ssm, GM_INCLUDE, s, 2);
	sim_run(h.sim, 5000);
	last = sim_last(h.wan, &(struct sim_match){.kind = GM_REPORT});
	assert_int_equal(home_all_reports(&h), 2);
	assert_int_equal(home_reports(&h, GM_ALLOW, &ssm), 2);
	assert_int_equal(last->n_src, 1);
	home_free(&h);
}

/* R135: leaving on one LAN, with members on another. */
static void r135_leave_with_members_elsewhere(enum family family)
{
	struct home h = home_new(family, &(struct home_params){.n_lans = 3});
	struct addr g = sim_group(h.sim, 1), s = sim_source(h.sim, 1);
	struct sim_stream *stream = home_stream(&h, &s, &g);
	struct sim_host *host[3];

	for (unsigned i = 0; i < 3; i++) {
		host[i] = home_host(&h, i + 1, 10, i == 1 ? GM_V2 : GM_V3);
		sim_host_join(host[i], &g);
	}
	sim_run(h.sim, 12000);
	sim_mark(h.sim);
	sim_host_rx_reset(host[1], stream);
	sim_host_leave(host[0], &g);
	sim_host_leave(host[2], &g);
	sim_run(h.sim, 60000);
	assert_int_equal(home_reports(&h, GM_TO_IN, &g), 0);
	assert_steady(host[1], stream);
	assert_false(home_forwards(&h, 1, &s, &g));
	assert_false(home_forwards(&h, 3, &s, &g));
	home_free(&h);
}

/* R136: (S,G) here and (*,G) there, removed in either order; nothing is left. */
static void r136_covered_source(enum family family)
{
	for (unsigned first = 0; first < 2; first++) {
		struct home h = home_new(family, &(struct home_params){.n_lans = 2});
		struct addr g = sim_group(h.sim, 1), s = sim_source(h.sim, 1);
		struct addr other = sim_source(h.sim, 2);
		struct sim_host *host[2] = {
			home_host(&h, 1, 10, GM_V3), home_host(&h, 2, 10, GM_V3)};

		sim_host_join_source(host[0], &g, &s);
		sim_host_join(host[1], &g);
		sim_run(h.sim, 5000);
		assert_true(home_forwards(&h, 1, &s, &g));
		assert_false(home_forwards(&h, 1, &other, &g));
		assert_true(home_forwards(&h, 2, &other, &g));
		sim_host_leave(host[first], &g);
		sim_run(h.sim, 8000);
		assert_int_equal(sim_router_wants(h.router, &s, &g), true);
		assert_int_equal(sim_router_wants(h.router, &other, &g), first == 0);
		sim_host_leave(host[1 - first], &g);
		sim_run(h.sim, 8000);
		assert_false(sim_router_has(h.router, &g));
		assert_true(sim_proxy_empty(h.proxy));
		home_free(&h);
	}
}

/* R091: forwarding stops on that LAN only; the provider is told after the last one. */
static void r091_upstream_leave_follows_the_last(enum family family)
{
	struct home h = home_new(family, &(struct home_params){.n_lans = 2});
	struct addr g = sim_group(h.sim, 1), s = sim_source(h.sim, 1);
	struct sim_host *host[2] = {
		home_host(&h, 1, 10, GM_V3), home_host(&h, 2, 10, GM_V3)};
	const struct sim_match leave = {
		.kind = GM_REPORT, .type = GM_TO_IN, .group = &g};
	int64_t left;

	sim_host_join(host[0], &g);
	sim_host_join(host[1], &g);
	sim_run(h.sim, 5000);
	sim_host_leave(host[0], &g);
	sim_run(h.sim, 5000);
	assert_false(home_forwards(&h, 1, &s, &g));
	assert_true(home_forwards(&h, 2, &s, &g));
	assert_int_equal(sim_count(h.wan, &leave), 0);

	left = sim_ms(h.sim);
	sim_mark(h.sim);
	sim_host_leave(host[1], &g);
	sim_run(h.sim, 1990);
	assert_true(home_forwards(&h, 2, &s, &g));
	assert_int_equal(sim_count(h.wan, &leave), 0);
	sim_run_to(h.sim, left + 2100);
	assert_false(home_forwards(&h, 2, &s, &g));
	assert_int_not_equal(sim_count(h.wan, &leave), 0);
	sim_run(h.sim, 2000);
	assert_int_equal(sim_count(h.wan, &leave), 2);
	home_free(&h);
}

/* R087: the other member answers the query; it never misses a packet. */
static void r087_answer_keeps_the_stream(enum family family)
{
	for (int v = GM_V2; v <= GM_V3; v++) {
		struct home h = home_new(family, &(struct home_params){0});
		struct addr g = sim_group(h.sim, 1), s = sim_source(h.sim, 1);
		struct sim_stream *stream = home_stream(&h, &s, &g);
		struct sim_host *one = home_host(&h, 1, 10, (enum gm_version)v);
		struct sim_host *two = home_host(&h, 1, 11, (enum gm_version)v);

		sim_host_join(two, &g);
		sim_run(h.sim, 12000);
		sim_host_rx_reset(two, stream);
		for (int i = 0; i < 20; i++) {
			sim_host_join(one, &g);
			sim_run(h.sim, 12000);
			sim_host_leave(one, &g);
			sim_run(h.sim, 3000);
		}
		assert_int_not_equal(home_queries(&h, 1, &g), 0);
		assert_steady(two, stream);
		home_free(&h);
	}
}

/* R139, E19: the stream was there before; the first packet follows the report at
 * once. */
static void r139_join_of_a_running_stream(enum family family)
{
	struct home h = home_new(family, &(struct home_params){.n_lans = 2});
	struct addr g = sim_group(h.sim, 1), s = sim_source(h.sim, 1);
	struct sim_stream *stream = home_stream(&h, &s, &g);
	struct sim_host *one = home_host(&h, 1, 10, GM_V3);
	struct sim_host *two = home_host(&h, 2, 10, GM_V3);
	int64_t joined;

	/* the first member: the report and the stream take the delays of both links */
	joined = sim_ms(h.sim);
	sim_host_join(one, &g);
	sim_run(h.sim, 100);
	assert_in_range(
		sim_host_rx(one, stream)->first_at.ns / NS_PER_MS - 1000000 - joined, 6,
		16);
	/* it is on the wan already, and was not forwarded to this LAN */
	sim_run(h.sim, 60000);
	assert_int_equal(h.lan[1]->n_data[stream->number], 0);
	joined = sim_ms(h.sim);
	sim_host_join_source(two, &g, &s);
	sim_run(h.sim, 100);
	assert_in_range(
		sim_host_rx(two, stream)->first_at.ns / NS_PER_MS - 1000000 - joined, 1,
		11);
	home_free(&h);
}

/* E19: the same with a stream that a LAN host sends before a host joins. */
static void e19_data_before_the_join(enum family family)
{
	struct home h = home_new(family,
		&(struct home_params){
			.n_lans = 2, .config = "forward-from-downstream downstream"});
	struct sim_host *sender = home_host(&h, 1, 20, GM_V3);
	struct sim_host *member = home_host(&h, 2, 10, GM_V3);
	struct addr g = sim_group(h.sim, 1), s = sim_sender(h.sim, h.lan[0], 20);
	struct sim_stream *stream = sim_stream_new(&sender->node.port[0], &s, &g, 10);

	sim_run(h.sim, 60000);
	assert_int_equal(h.lan[1]->n_data[stream->number], 0);
	sim_host_join(member, &g);
	sim_run(h.sim, 20);
	assert_int_not_equal(sim_host_rx(member, stream)->n, 0);
	home_free(&h);
}

/* R147: from one LAN to another without any upstream. */
static void r147_lan_to_lan(enum family family)
{
	struct home h = home_new(family,
		&(struct home_params){
			.n_lans = 3, .config = "forward-from-downstream downstream"});
	struct sim_host *sender = home_host(&h, 1, 20, GM_V3);
	struct sim_host *member = home_host(&h, 2, 10, GM_V3);
	struct addr g = sim_group(h.sim, 1), s = sim_sender(h.sim, h.lan[0], 20);
	struct sim_stream *stream = sim_stream_new(&sender->node.port[0], &s, &g, 10);

	sim_proxy_link(h.proxy, "wan", false);
	sim_host_join(member, &g);
	sim_run(h.sim, 1000);
	sim_host_rx_reset(member, stream);
	sim_run(h.sim, 600000);
	assert_steady(member, stream);
	assert_int_equal(h.lan[2]->n_data[stream->number], 0);
	assert_int_equal(h.wan->n_data[stream->number], 0);
	home_free(&h);
}

/* R138 and the default: to the upstream always, or nowhere. */
static void r138_lan_to_upstream(enum family family)
{
	static const char *const config[] = {"", "forward-from-downstream downstream",
		"forward-from-downstream all"};

	for (size_t i = 0; i < array_len(config); i++) {
		struct home h = home_new(family,
			&(struct home_params){.n_lans = 2, .config = config[i]});
		struct sim_host *sender = home_host(&h, 1, 20, GM_V3);
		struct sim_host *member = home_host(&h, 2, 10, GM_V3);
		struct addr g = sim_group(h.sim, 1);
		struct addr s = sim_sender(h.sim, h.lan[0], 20);
		struct sim_stream *stream =
			sim_stream_new(&sender->node.port[0], &s, &g, 10);

		sim_run(h.sim, 1000);
		assert_int_equal(h.wan->n_data[stream->number] > 0, i == 2);
		assert_int_equal(h.lan[1]->n_data[stream->number], 0);
		sim_host_join(member, &g);
		sim_run(h.sim, 1000);
		assert_int_equal(sim_host_rx(member, stream)->n > 0, i > 0);
		assert_int_equal(sim_host_rx(member, stream)->duplicates, 0);
		home_free(&h);
	}
}

/* R145: a downstream disappears, by link or by configuration, and the difference is
 * reported upstream. */
static void r145_downstream_removed(enum family family)
{
	for (unsigned by_config = 0; by_config < 2; by_config++) {
		struct home h = home_new(family, &(struct home_params){.n_lans = 2});
		struct addr g = sim_ssm(h.sim, 1);
		struct addr s[3] = {sim_source(h.sim, 1), sim_source(h.sim, 2),
			sim_source(h.sim, 3)};
		struct sim_stream *stream = home_stream(&h, &s[2], &g);
		struct sim_host *one = home_host(&h, 1, 10, GM_V3);
		struct sim_host *two = home_host(&h, 2, 10, GM_V3);
		const struct sim_seen *last;

		sim_host_set(one, &g, GM_INCLUDE, s, 2);
		sim_host_set(two, &g, GM_INCLUDE, s + 1, 2);
		sim_run(h.sim, 5000);
		sim_mark(h.sim);
		sim_host_rx_reset(two, stream);
		if (by_config)
			sim_proxy_reload(h.proxy,
				"phyint wan upstream altnet 0.0.0.0/0 altnet ::/0\n"
				"phyint lan1 disabled\nphyint lan2 downstream\n");
		else
			sim_proxy_link(h.proxy, "lan1", false);
		sim_run(h.sim, 5000);
		last = sim_last(h.wan, &(struct sim_match){.kind = GM_REPORT});
		assert_int_equal(home_reports(&h, GM_BLOCK, &g), 2);
		assert_int_equal(home_all_reports(&h), 2);
		assert_int_equal(last->n_src, 1);
		assert_false(sim_router_wants(h.router, &s[0], &g));
		assert_true(sim_router_wants(h.router, &s[1], &g));
		assert_steady(two, stream);
		home_free(&h);
	}
}

/* E07: hosts without an address. */
static void e07_reports_from_no_address(enum family family)
{
	for (int v = GM_V1; v <= GM_V3; v++) {
		struct home h = home_new(family, &(struct home_params){0});
		struct addr g = sim_group(h.sim, 1), s = sim_source(h.sim, 1);
		struct sim_stream *stream = home_stream(&h, &s, &g);
		struct sim_host *host = home_host(&h, 1, 10, (enum gm_version)v);

		host->from = addr_any(family);
		sim_host_join(host, &g);
		sim_run(h.sim, 100);
		sim_host_rx_reset(host, stream);
		sim_run(h.sim, 600000);
		assert_steady(host, stream);
		home_free(&h);
	}
}

/* E15, R112, R144: link-local groups stay on the LAN, SSDP where a list says so. */
static void e15_local_groups_stay(enum family family)
{
	struct home h = home_new(family,
		&(struct home_params){
			.own_config = "phyint wan upstream\n"
				      " blacklist 239.255.255.250\n blacklist ff05::c\n"
				      " altnet 0.0.0.0/0\n altnet ::/0\n"
				      "phyint lan1 downstream\n"});
	bool v4 = family == FAMILY_IPV4;
	struct addr local = a(v4 ? "224.0.0.251" : "ff02::fb");
	struct addr ssdp = a(v4 ? "239.255.255.250" : "ff05::c");
	struct addr g = sim_group(h.sim, 1), s = sim_source(h.sim, 1);
	struct sim_host *host = home_host(&h, 1, 10, GM_V3);

	sim_host_join(host, &local);
	sim_host_join(host, &ssdp);
	sim_host_join(host, &g);
	sim_run(h.sim, 400000);
	assert_true(sim_router_has(h.router, &g));
	assert_int_equal(sim_router_n_groups(h.router), 1);
	assert_int_equal(
		home_all_reports(&h), home_reports(&h, (enum gm_record_type)0, &g));
	assert_false(home_forwards(&h, 1, &s, &local));
	home_free(&h);
}

/* E29: a box that vanished without a leave is forgotten after one membership
 * interval. */
static void e29_box_that_never_leaves(enum family family)
{
	struct home h = home_new(family, &(struct home_params){0});
	struct addr g = sim_group(h.sim, 1), s = sim_source(h.sim, 1);
	struct sim_host *one = home_host(&h, 1, 10, GM_V3);
	struct sim_host *two = home_host(&h, 1, 11, GM_V3);

	sim_host_join(one, &g);
	sim_run(h.sim, 100);
	sim_host_join(two, &g);
	sim_run(h.sim, 2000);
	sim_host_unplug(two);
	sim_host_repeat(one, &g); /* the last sign of life; membership lasts 270 s */
	sim_host_unplug(one);
	sim_run(h.sim, 266000);
	assert_true(home_forwards(&h, 1, &s, &g));
	sim_run(h.sim, 5000);
	assert_false(home_forwards(&h, 1, &s, &g));
	sim_run(h.sim, 10000);
	assert_false(sim_router_has(h.router, &g));
	home_free(&h);
}

/* E30: the stream continues from another sender; a channel of one source does not. */
static void e30_another_source_takes_over(enum family family)
{
	struct home h = home_new(family, &(struct home_params){0});
	struct addr any = sim_group(h.sim, 1), ssm = sim_ssm(h.sim, 1);
	struct addr s[2] = {sim_source(h.sim, 1), sim_source(h.sim, 2)};
	struct sim_host *host = home_host(&h, 1, 10, GM_V3);
	struct sim_stream *asm_stream[2], *ssm_stream[2];

	for (unsigned i = 0; i < 2; i++) {
		asm_stream[i] = home_stream(&h, &s[i], &any);
		ssm_stream[i] = home_stream(&h, &s[i], &ssm);
		asm_stream[i]->paused = ssm_stream[i]->paused = i == 1;
	}
	sim_host_join(host, &any);
	sim_host_join_source(host, &ssm, &s[0]);
	sim_run(h.sim, 1000);
	for (unsigned i = 0; i < 2; i++)
		asm_stream[i]->paused = ssm_stream[i]->paused = i == 0;
	sim_host_rx_reset(host, asm_stream[1]);
	sim_run(h.sim, 1000);
	assert_steady(host, asm_stream[1]);
	assert_int_not_equal(sim_host_rx(host, ssm_stream[0])->n, 0);
	assert_int_equal(h.lan[0]->n_data[ssm_stream[1]->number], 0);
	home_free(&h);
}

static const struct CMUnitTest tests[] = {
	BOTH(r079_include_survives_exclude),
	BOTH(r080_state_is_per_downstream),
	BOTH(r087_answer_keeps_the_stream),
	BOTH(r091_upstream_leave_follows_the_last),
	BOTH(r134_only_changes_go_upstream),
	BOTH(r135_leave_with_members_elsewhere),
	BOTH(r136_covered_source),
	BOTH(r138_lan_to_upstream),
	BOTH(r139_join_of_a_running_stream),
	BOTH(r145_downstream_removed),
	BOTH(r147_lan_to_lan),
	ONLY_IPV4(e07_reports_from_no_address),
	BOTH(e15_local_groups_stay),
	BOTH(e19_data_before_the_join),
	BOTH(e29_box_that_never_leaves),
	BOTH(e30_another_source_takes_over),
};

int main(void)
{
	return cmocka_run_group_tests(tests, NULL, NULL);
}
