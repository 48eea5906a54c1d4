/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * More than one router on a LAN: election, forwarding only by the querier, what happens
 * when one of them goes (RFC 9776 6.6.2, RFC 4605 3 and 4.2).
 */

#include "home.h"

#define OTHER_QUERIER_MS 255000
#define HEARD_ONCE_MS	 125000 /* a querier that was heard only once */

static bool is_querier(const struct home *h, const char *ifname)
{
	return sim_proxy_port(h->proxy, ifname)->querier[h->sim->family].state ==
		QUERIER_ACTIVE;
}

/* R137: member and querier, member but no querier, no member. */
static void r137_only_the_querier_forwards(enum family family)
{
	struct home h = home_new(family,
		&(struct home_params){.n_lans = 3, .config = "forwarding querier"});
	struct addr g = sim_group(h.sim, 1), s = sim_source(h.sim, 1);
	struct sim_stream *stream = home_stream(&h, &s, &g);
	struct sim_host *one = home_host(&h, 1, 10, GM_V3);
	struct sim_host *two = home_host(&h, 2, 10, GM_V3);

	sim_router_new(h.lan[1], 1, GM_V3, true)->interval_ms = 60000;
	sim_run(h.sim, 100);
	sim_host_join(one, &g);
	sim_host_join(two, &g);
	sim_run(h.sim, 1000);
	sim_host_rx_reset(one, stream);
	sim_run(h.sim, 600000);
	assert_steady(one, stream);
	assert_int_equal(h.lan[1]->n_data[stream->number], 0);
	assert_int_equal(h.lan[2]->n_data[stream->number], 0);
	assert_int_equal(home_queries(&h, 2, NULL), 0);
	home_free(&h);
}

/* R140, R141: losing the election stops the stream on that LAN and nothing else. When
 * the other router is gone, it continues with the present state. */
static void r140_election_lost_and_won(enum family family)
{
	struct home h = home_new(family,
		&(struct home_params){.n_lans = 2, .config = "forwarding querier"});
	struct addr g = sim_group(h.sim, 1), s = sim_source(h.sim, 1);
	struct sim_stream *stream = home_stream(&h, &s, &g);
	struct sim_host *one = home_host(&h, 1, 10, GM_V3);
	struct sim_host *two = home_host(&h, 2, 10, GM_V3);
	struct sim_router *rival = sim_router_new(h.lan[0], 1, GM_V3, false);
	int64_t lost;

	sim_host_join(one, &g);
	sim_host_join(two, &g);
	sim_run(h.sim, 5000);
	sim_mark(h.sim);
	sim_host_rx_reset(two, stream);
	sim_router_ask(rival);
	sim_router_quiet(rival);
	lost = sim_ms(h.sim);
	sim_run(h.sim, 2);
	assert_false(is_querier(&h, "lan1"));
	assert_false(home_forwards(&h, 1, &s, &g));
	assert_true(home_forwards(&h, 2, &s, &g));
	sim_run_to(h.sim, lost + HEARD_ONCE_MS - 100);
	assert_false(home_forwards(&h, 1, &s, &g));
	assert_int_equal(home_queries(&h, 1, NULL), 0);
	/* the member of the lost LAN still counts upstream */
	assert_int_equal(home_reports(&h, GM_TO_IN, &g), 0);
	sim_run_to(h.sim, lost + HEARD_ONCE_MS + 100);
	assert_true(is_querier(&h, "lan1"));
	assert_true(home_forwards(&h, 1, &s, &g));
	assert_int_equal(home_queries(&h, 1, NULL), 1);
	sim_host_rx_reset(one, stream);
	sim_run(h.sim, 600000);
	assert_steady(one, stream);
	assert_steady(two, stream);
	home_free(&h);
}

/* F3: one forged query with the largest possible values. The LAN recovers within one
 * query interval, and so do the memberships that were made in between. */
static void f3_one_forged_query(enum family family)
{
	struct home h = home_new(family, &(struct home_params){0});
	struct addr g = sim_group(h.sim, 1), s = sim_source(h.sim, 1);
	struct sim_stream *stream = home_stream(&h, &s, &g);
	struct sim_host *early = home_host(&h, 1, 10, GM_V3);
	struct sim_host *late = home_host(&h, 1, 11, GM_V3);
	struct sim_router *rival = sim_router_new(h.lan[0], 1, GM_V3, false);
	struct addr g2 = sim_group(h.sim, 2);
	int64_t forged;

	sim_host_join(early, &g);
	sim_run(h.sim, 5000);
	rival->robustness = 7;
	rival->interval_ms = 31744000;
	sim_router_ask(rival);
	sim_router_quiet(rival);
	forged = sim_ms(h.sim);
	sim_run(h.sim, 2);
	assert_false(is_querier(&h, "lan1"));
	sim_host_join(late, &g2);
	sim_run(h.sim, 1000);
	sim_host_unplug(late);
	sim_run_to(h.sim, forged + HEARD_ONCE_MS + 100);
	assert_true(is_querier(&h, "lan1"));
	/* a member that is gone is forgotten as usual */
	sim_run_to(h.sim, forged + 1000 + 270000 + 5000);
	assert_false(sim_router_has(h.router, &g2));
	sim_host_rx_reset(early, stream);
	sim_run(h.sim, 600000);
	assert_steady(early, stream);
	home_free(&h);
}

/* F3: queries that this router accepts and hosts do not, for example because of an IP
 * option. Before a membership ends this router sends its own query. */
static void f3_queries_that_hosts_do_not_hear(enum family family)
{
	struct home h = home_new(family, &(struct home_params){0});
	struct addr g = sim_group(h.sim, 1), s = sim_source(h.sim, 1);
	struct sim_stream *stream = home_stream(&h, &s, &g);
	struct sim_host *host = home_host(&h, 1, 10, GM_V3);
	struct sim_router *rival = sim_router_new(h.lan[0], 1, GM_V3, false);

	sim_host_join(host, &g);
	sim_run(h.sim, 5000);
	host->deaf_to = &rival->from;
	rival->robustness = 7;
	rival->interval_ms = 31744000;
	for (int i = 0; i < 3; i++) {
		sim_router_ask(rival);
		sim_run(h.sim, 1000);
	}
	sim_router_quiet(rival);
	assert_false(is_querier(&h, "lan1"));
	sim_mark(h.sim);
	sim_host_rx_reset(host, stream);
	sim_run(h.sim, 740000);
	assert_false(is_querier(&h, "lan1"));
	assert_int_equal(home_reports(&h, GM_TO_IN, &g), 0);
	assert_steady(host, stream);
	assert_in_range(home_queries(&h, 1, NULL), 1, 6);
	home_free(&h);
}

/* F3: the same with queries about groups and sources, which lower timers: this router
 * queries members that have not heard them, even if the other one then stays silent. */
static void f3_group_queries_that_hosts_do_not_hear(enum family family)
{
	struct home h = home_new(family, &(struct home_params){0});
	struct addr g = sim_group(h.sim, 1), ssm = sim_group(h.sim, 2);
	struct addr other = sim_group(h.sim, 3); /* no query is about this one */
	struct addr s = sim_source(h.sim, 1);
	struct sim_stream *any = home_stream(&h, &s, &g),
			  *one = home_stream(&h, &s, &ssm);
	struct sim_stream *quiet = home_stream(&h, &s, &other);
	struct sim_host *host = home_host(&h, 1, 10, GM_V3);
	struct sim_router *rival = sim_router_new(h.lan[0], 1, GM_V3, false);
	struct gm_query about[] = {
		{.group = g, .max_resp_ms = 1000, .qrv = 2, .qqi_ms = 125000},
		{.group = ssm,
			.max_resp_ms = 1000,
			.qrv = 2,
			.qqi_ms = 125000,
			.src = &s,
			.n_src = 1},
	};

	sim_host_join(host, &g);
	sim_host_join(host, &other);
	sim_host_join_source(host, &ssm, &s);
	sim_run(h.sim, 15000);
	host->deaf_to = &rival->from;
	sim_router_ask(rival);
	sim_run(h.sim, 15000);
	assert_false(is_querier(&h, "lan1"));
	sim_mark(h.sim);
	sim_host_rx_reset(host, any);
	sim_host_rx_reset(host, one);
	sim_host_rx_reset(host, quiet);
	for (unsigned i = 0; i < 600; i++) {
		if (i % 80 == 0)
			sim_router_ask(rival);
		sim_send_query_as(&rival->node.port[0], &rival->from, GM_V3,
			&about[i % array_len(about)]);
		sim_run(h.sim, 700);
	}
	sim_run(h.sim, 5000);
	assert_steady(host, any);
	assert_steady(host, one);
	assert_steady(host, quiet);
	/* one of ours for each of theirs at most */
	assert_in_range(home_queries(&h, 1, &g), 1, 300);
	assert_in_range(home_queries(&h, 1, &ssm), 1, 300);
	sim_host_leave(host, &g);
	sim_send_query_as(&rival->node.port[0], &rival->from, GM_V3, &about[0]);
	sim_run(h.sim, 5000);
	assert_false(sim_router_has(h.router, &g));
	home_free(&h);
}

/* R141: with members only where we are not querier, the membership is kept upstream. */
static void r141_members_of_a_lost_lan_count(enum family family)
{
	struct home h = home_new(family, &(struct home_params){0});
	struct addr g = sim_group(h.sim, 1), s = sim_source(h.sim, 1);
	struct sim_host *host = home_host(&h, 1, 10, GM_V3);

	sim_router_new(h.lan[0], 1, GM_V3, true);
	sim_host_join(host, &g);
	sim_run(h.sim, 1000000);
	assert_false(is_querier(&h, "lan1"));
	assert_true(sim_router_wants(h.router, &s, &g));
	assert_int_equal(home_reports(&h, GM_TO_IN, &g), 0);
	sim_host_leave(host, &g);
	sim_run(h.sim, 10000);
	assert_false(sim_router_has(h.router, &g));
	home_free(&h);
}

/* R189: always-querier ignores the other router. */
static void r189_always_querier(enum family family)
{
	struct home h =
		home_new(family, &(struct home_params){.config = "always-querier"});
	struct addr g = sim_group(h.sim, 1), s = sim_source(h.sim, 1);
	struct sim_stream *stream = home_stream(&h, &s, &g);
	struct sim_host *host = home_host(&h, 1, 10, GM_V3);

	sim_host_join(host, &g);
	sim_run(h.sim, 1000);
	sim_host_rx_reset(host, stream);
	sim_router_new(h.lan[0], 1, GM_V3, true);
	sim_run(h.sim, 600000);
	assert_steady(host, stream);
	home_free(&h);
}

/* E06: a switch that sends queries from 0.0.0.0. */
static void e06_query_from_no_address(enum family family)
{
	struct home h = home_new(family, &(struct home_params){.no_querier = true});
	struct addr g = sim_group(h.sim, 1), s = sim_source(h.sim, 1);
	struct sim_stream *stream = home_stream(&h, &s, &g);
	struct sim_host *host = home_host(&h, 1, 10, GM_V3);
	struct sim_router *rival = sim_router_new(h.lan[0], 1, GM_V3, false);

	sim_host_join(host, &g);
	sim_run(h.sim, 3000);
	sim_mark(h.sim);
	sim_host_rx_reset(host, stream);
	rival->from = h.router->from = addr_any(family);
	rival->interval_ms = 60000;
	sim_router_ask(rival);
	sim_router_ask(h.router);
	sim_run(h.sim, 10100);
	assert_int_equal(home_reports(&h, GM_IS_EX, &g), 1);
	assert_true(is_querier(&h, "lan1"));
	sim_run(h.sim, 1000000);
	assert_int_equal(home_queries(&h, 1, NULL), 8);
	assert_steady(host, stream);
	home_free(&h);
}

/* E12, R048: the lowest router leaves, and another one that is lower than we
 * remains. */
static void e12_no_ghost_querier(enum family family)
{
	struct home h = home_new(family, &(struct home_params){0});
	struct sim_router *lowest = sim_router_new(h.lan[0], 1, GM_V3, true);
	struct sim_router *middle = sim_router_new(h.lan[0], 3, GM_V3, false);
	const struct querier *q = &sim_proxy_port(h.proxy, "lan1")->querier[family];
	int64_t last;

	sim_run(h.sim, 260000);
	assert_true(addr_eq(&q->other, &lowest->from));
	sim_router_ask(lowest);
	sim_router_quiet(lowest);
	last = sim_ms(h.sim);
	/* hearing the middle one does not keep the lowest alive */
	sim_run_to(h.sim, last + 200000);
	sim_router_ask(middle);
	sim_run_to(h.sim, last + OTHER_QUERIER_MS - 100);
	assert_true(addr_eq(&q->other, &lowest->from));
	sim_run_to(h.sim, last + OTHER_QUERIER_MS + 100);
	assert_true(is_querier(&h, "lan1"));
	sim_run_to(h.sim, last + 200000 + 125000 + 100);
	assert_false(is_querier(&h, "lan1"));
	assert_true(addr_eq(&q->other, &middle->from));
	sim_router_quiet(middle);
	sim_run(h.sim, OTHER_QUERIER_MS + 100);
	assert_true(is_querier(&h, "lan1"));
	home_free(&h);
}

/* R054: a router that is not querier leaves the handling of leaves to the querier. If
 * no host has answered the querier, this router sends one query itself (F3). */
static void r054_silent_next_to_the_querier(enum family family)
{
	struct home h = home_new(family, &(struct home_params){0});
	struct addr g = sim_group(h.sim, 1);
	struct sim_host *one = home_host(&h, 1, 10, GM_V3);
	struct sim_host *two = home_host(&h, 1, 11, GM_V2);

	sim_router_new(h.lan[0], 1, GM_V3, true)->interval_ms = 60000;
	sim_host_join(one, &g);
	sim_host_join(two, &g);
	sim_run(h.sim, 20000);
	sim_mark(h.sim);
	sim_host_leave(one, &g);
	sim_run(h.sim, 5000);
	assert_true(sim_router_has(h.router, &g));
	assert_int_equal(
		sim_count(h.lan[0],
			&(struct sim_match){.node = &h.proxy->node, .kind = GM_QUERY}),
		0);
	sim_host_leave(two, &g);
	sim_run(h.sim, 600000);
	assert_false(sim_router_has(h.router, &g));
	assert_int_equal(home_queries(&h, 1, &g), 1);
	assert_int_equal(
		sim_count(h.lan[0],
			&(struct sim_match){.node = &h.proxy->node, .kind = GM_QUERY}),
		1);
	home_free(&h);
}

/* A second proxy between the same two links, with a higher address and MAC address. */
static struct sim_proxy *second_proxy(struct home *h, const char *config, unsigned n)
{
	struct sim_proxy *x = sim_proxy_new(h->sim, "second", sim_config(config, 1));

	sim_proxy_attach(x, "wan", h->wan, 3);
	sim_proxy_attach(x, "lan1", h->lan[0], n);
	sim_proxy_sync(x);
	return x;
}

#define CHANGE_MS 2000 /* for one to stop or to take over */

/* A datagram comes every 10 ms, so this many may arrive twice until one router
 * stops. */
static void assert_single(const struct sim_host *host, const struct sim_stream *stream)
{
	assert_int_equal(sim_host_rx(host, stream)->lost, 0);
	assert_in_range(sim_host_rx(host, stream)->duplicates, 0, CHANGE_MS / 10);
}

/* R142, K04: two proxies on one LAN: one of them stops within two seconds; when the one
 * that forwards loses its LAN, the other takes over within two, and gives way when it
 * is back. */
static void r142_two_proxies_no_duplicates(enum family family)
{
	struct home h = home_new(family, &(struct home_params){0});
	struct addr g = sim_group(h.sim, 1), s = sim_source(h.sim, 1);
	struct sim_stream *stream = home_stream(&h, &s, &g);
	struct sim_host *v3 = home_host(&h, 1, 10, GM_V3);
	struct sim_host *v2 = home_host(&h, 1, 11, GM_V2);
	struct sim_proxy *second;

	sim_host_join(v3, &g);
	sim_run(h.sim, 1000);
	second = second_proxy(&h, "", 6);
	sim_host_join(v2, &g);
	sim_run(h.sim, 30000);
	assert_single(v3, stream);
	assert_true(sim_proxy_forwards(h.proxy, "wan", "lan1", &s, &g));
	assert_false(sim_proxy_forwards(second, "wan", "lan1", &s, &g));
	sim_host_rx_reset(v3, stream);
	sim_host_rx_reset(v2, stream);
	sim_run(h.sim, 600000);
	assert_steady(v3, stream);
	assert_steady(v2, stream);
	assert_int_equal(second->n_notes[NOTE_FORWARDER_STOPPED], 1);
	sim_proxy_check(second);

	sim_proxy_link(h.proxy, "lan1", false);
	sim_run(h.sim, CHANGE_MS);
	assert_true(sim_proxy_forwards(second, "wan", "lan1", &s, &g));
	assert_in_range(sim_host_gap_ms(v3, stream), 0, CHANGE_MS);
	sim_host_rx_reset(v3, stream);
	sim_run(h.sim, 300000);
	assert_steady(v3, stream);

	sim_proxy_link(h.proxy, "lan1", true);
	sim_run(h.sim, 10100 + CHANGE_MS);
	assert_false(sim_proxy_forwards(second, "wan", "lan1", &s, &g));
	assert_true(sim_proxy_forwards(h.proxy, "wan", "lan1", &s, &g));
	assert_single(v3, stream);
	sim_host_rx_reset(v3, stream);
	sim_run(h.sim, 300000);
	assert_steady(v3, stream);
	sim_proxy_check(second);
	home_free(&h);
}

/* K04: a switch with a lower address sends queries and forwards nothing. */
static void k04_a_querier_that_does_not_forward(enum family family)
{
	struct home h = home_new(family, &(struct home_params){0});
	struct addr g = sim_group(h.sim, 1), s = sim_source(h.sim, 1);
	struct sim_stream *stream = home_stream(&h, &s, &g);
	struct sim_host *host = home_host(&h, 1, 10, GM_V3);

	sim_host_join(host, &g);
	sim_run(h.sim, 1000);
	sim_host_rx_reset(host, stream);
	sim_router_new(h.lan[0], 1, GM_V3, true);
	sim_run(h.sim, 1000000);
	assert_false(is_querier(&h, "lan1"));
	assert_steady(host, stream);
	assert_int_equal(h.proxy->n_notes[NOTE_FORWARDER_STOPPED], 0);
	home_free(&h);
}

/* K04: a switch sends queries, two proxies forward: the one with the lower MAC address
 * stays. */
static void k04_two_next_to_a_third_querier(enum family family)
{
	struct home h = home_new(family, &(struct home_params){0});
	struct addr g = sim_group(h.sim, 1), s = sim_source(h.sim, 1);
	struct sim_stream *stream = home_stream(&h, &s, &g);
	struct sim_host *host = home_host(&h, 1, 10, GM_V3);
	struct sim_proxy *second;

	sim_router_new(h.lan[0], 1, GM_V3, true);
	second = second_proxy(&h, "", 6);
	sim_run(h.sim, 130000);
	sim_host_join(host, &g);
	sim_run(h.sim, CHANGE_MS);
	assert_single(host, stream);
	assert_true(sim_proxy_forwards(h.proxy, "wan", "lan1", &s, &g));
	assert_false(sim_proxy_forwards(second, "wan", "lan1", &s, &g));
	sim_host_rx_reset(host, stream);
	sim_run(h.sim, 600000);
	assert_steady(host, stream);
	sim_proxy_link(h.proxy, "wan", false);
	sim_run(h.sim, CHANGE_MS);
	assert_true(sim_proxy_forwards(second, "wan", "lan1", &s, &g));
	assert_in_range(sim_host_gap_ms(host, stream), 0, CHANGE_MS);
	sim_proxy_check(second);
	home_free(&h);
}

/* K04: the other router ignores all others, as igmpproxy does, with a lower or a higher
 * address. */
static void other_does_not_obey(enum family family, unsigned n)
{
	struct home h = home_new(family, &(struct home_params){0});
	struct addr g = sim_group(h.sim, 1), s = sim_source(h.sim, 1);
	struct sim_stream *stream = home_stream(&h, &s, &g);
	struct sim_host *host = home_host(&h, 1, 10, GM_V3);
	struct sim_proxy *second = second_proxy(&h, "always-querier", n);

	sim_run(h.sim, 130000);
	sim_host_join(host, &g);
	sim_run(h.sim, 8000);
	assert_int_equal(h.proxy->n_notes[NOTE_FORWARDER_STOPPED], 1);
	assert_false(home_forwards(&h, 1, &s, &g));
	sim_host_rx_reset(host, stream);
	sim_run(h.sim, 600000);
	assert_steady(host, stream);
	assert_int_equal(h.proxy->n_notes[NOTE_FORWARDER_RESUMED], 0);
	sim_proxy_link(second, "lan1", false);
	sim_run(h.sim, CHANGE_MS);
	assert_true(home_forwards(&h, 1, &s, &g));
	assert_in_range(sim_host_gap_ms(host, stream), 0, CHANGE_MS);
	sim_host_rx_reset(host, stream);
	sim_run(h.sim, 600000);
	assert_steady(host, stream);
	home_free(&h);
}

static void k04_the_lower_one_does_not_obey(enum family family)
{
	other_does_not_obey(family, 2);
}

static void k04_the_higher_one_does_not_obey(enum family family)
{
	other_does_not_obey(family, 9);
}

/* K04: a router on standby does not take over because the provider pauses, or because
 * the packets of a stream are far apart. */
static void k04_silent_and_thin_streams(enum family family)
{
	struct home h = home_new(family, &(struct home_params){0});
	struct addr g = sim_group(h.sim, 1), s = sim_source(h.sim, 1);
	struct addr g2 = sim_group(h.sim, 2);
	struct sim_stream *stream = home_stream(&h, &s, &g);
	struct sim_stream *thin =
		sim_stream_new(&h.router->node.port[0], &s, &g2, 1500);
	struct sim_host *host = home_host(&h, 1, 10, GM_V3);
	struct sim_proxy *second = second_proxy(&h, "", 6);

	sim_run(h.sim, 130000);
	sim_host_join(host, &g);
	sim_host_join(host, &g2);
	sim_run(h.sim, 10000);
	assert_int_equal(second->n_notes[NOTE_FORWARDER_STOPPED], 2);
	sim_host_rx_reset(host, stream);
	sim_host_rx_reset(host, thin);
	stream->paused = true;
	sim_run(h.sim, 100000);
	stream->paused = false;
	sim_run(h.sim, 100000);
	assert_int_equal(second->n_notes[NOTE_FORWARDER_RESUMED], 0);
	assert_int_equal(sim_host_rx(host, stream)->duplicates, 0);
	assert_int_equal(sim_host_rx(host, stream)->lost, 0);
	assert_int_equal(sim_host_rx(host, thin)->duplicates, 0);
	assert_int_equal(sim_host_rx(host, thin)->lost, 0);
	sim_proxy_check(second);
	home_free(&h);
}

static const struct CMUnitTest tests[] = {
	BOTH(f3_one_forged_query),
	BOTH(f3_queries_that_hosts_do_not_hear),
	BOTH(f3_group_queries_that_hosts_do_not_hear),
	BOTH(r054_silent_next_to_the_querier),
	BOTH(r137_only_the_querier_forwards),
	BOTH(r140_election_lost_and_won),
	BOTH(r141_members_of_a_lost_lan_count),
	BOTH(r142_two_proxies_no_duplicates),
	BOTH(k04_a_querier_that_does_not_forward),
	BOTH(k04_two_next_to_a_third_querier),
	BOTH(k04_the_lower_one_does_not_obey),
	BOTH(k04_the_higher_one_does_not_obey),
	BOTH(k04_silent_and_thin_streams),
	BOTH(r189_always_querier),
	ONLY_IPV4(e06_query_from_no_address),
	BOTH(e12_no_ghost_querier),
};

int main(void)
{
	return cmocka_run_group_tests(tests, NULL, NULL);
}
