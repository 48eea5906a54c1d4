/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Changes while streams run: reloads, interfaces that come and go, links that lose and
 * double messages, a second proxy below the first (R118, R145, R177).
 */

#include "home.h"

/* two LANs with a member each, of every version and kind */
struct theatre {
	struct home h;
	struct addr any, ssm, source;
	struct sim_stream *any_stream, *ssm_stream;
	struct sim_host *v3, *v2, *named;
};

static struct theatre theatre_new(enum family family, const char *config)
{
	struct theatre t = {
		.h = home_new(family,
			&(struct home_params){.n_lans = 2, .own_config = config})};

	t.any = sim_group(t.h.sim, 1);
	t.ssm = sim_ssm(t.h.sim, 1);
	t.source = sim_source(t.h.sim, 1);
	t.any_stream = home_stream(&t.h, &t.source, &t.any);
	t.ssm_stream = home_stream(&t.h, &t.source, &t.ssm);
	t.v3 = home_host(&t.h, 1, 10, GM_V3);
	t.v2 = home_host(&t.h, 2, 11, GM_V2);
	t.named = home_host(&t.h, 2, 12, GM_V3);
	sim_host_join(t.v3, &t.any);
	sim_host_join(t.v2, &t.any);
	sim_host_join_source(t.named, &t.ssm, &t.source);
	sim_run(t.h.sim, 1000);
	return t;
}

static void watch(struct theatre *t)
{
	sim_mark(t->h.sim);
	sim_host_rx_reset(t->v3, t->any_stream);
	sim_host_rx_reset(t->v2, t->any_stream);
	sim_host_rx_reset(t->named, t->ssm_stream);
}

static void assert_nothing_missed(const struct theatre *t)
{
	assert_steady(t->v3, t->any_stream);
	assert_steady(t->v2, t->any_stream);
	assert_steady(t->named, t->ssm_stream);
	/* the provider only got current-state records */
	for (int type = GM_TO_IN; type <= GM_BLOCK; type++)
		assert_int_equal(
			home_reports(&t->h, (enum gm_record_type)type, NULL), 0);
}

#define WAN "phyint wan upstream\n altnet 0.0.0.0/0\n altnet ::/0\n"

/* A reload with other parameters keeps every permitted stream, without losing a
 * packet. */
static void reload_under_load(enum family family)
{
	static const char *const config[] = {
		WAN "phyint lan1 downstream\nphyint lan2 downstream\n",
		"query-interval 60\nquickleave\nrobustness 3\n" WAN
		"phyint lan1 downstream\n max-groups 10\nphyint lan2 downstream\n",
		"fast-leave\nmax-sources 5\nrefresh-interval 50\n"
		"last-member-query-interval 0.5\n" WAN
		"phyint lan2 downstream\nphyint lan1 downstream\n threshold 3\n",
		"timers rfc3376\nforward-from-downstream all\n" WAN
		" blacklist 239.255.0.0/16\n"
		"phyint lan2 downstream\n blacklist 239.255.0.0/16\n"
		"phyint lan1 downstream\nphyint lan3 downstream\n",
	};
	struct theatre t = theatre_new(family, config[0]);

	sim_run(t.h.sim, 10000);
	watch(&t);
	for (unsigned i = 1; i <= 200; i++) {
		sim_proxy_reload(t.h.proxy, config[i % array_len(config)]);
		sim_proxy_check(t.h.proxy);
		sim_run(t.h.sim, (int64_t)rng_below(&t.h.sim->rng, 3000));
	}
	assert_nothing_missed(&t);
	sim_run(t.h.sim, 600000);
	assert_steady(t.named, t.ssm_stream);
	home_free(&t.h);
}

/* Streams that a reload forbids end at once; the others are not affected. */
static void reload_forbids_a_group(enum family family)
{
	struct theatre t = theatre_new(
		family, WAN "phyint lan1 downstream\nphyint lan2 downstream\n");
	bool v4 = family == FAMILY_IPV4;

	sim_run(t.h.sim, 10000);
	watch(&t);
	sim_proxy_reload(t.h.proxy,
		v4 ? WAN "phyint lan1 downstream\n blacklist 239.1.0.0/16\n"
			 "phyint lan2 downstream\n"
		   : WAN "phyint lan1 downstream\n blacklist ff0e::/16\n"
			 "phyint lan2 downstream\n");
	assert_false(home_forwards(&t.h, 1, &t.source, &t.any));
	sim_run(t.h.sim, 400000);
	assert_steady(t.v2, t.any_stream);
	assert_steady(t.named, t.ssm_stream);
	assert_int_equal(home_reports(&t.h, GM_TO_IN, NULL), 0);
	/* allowed again, it returns with the next answer of its members */
	sim_proxy_reload(t.h.proxy,
		WAN "phyint lan1 downstream\n"
		    "phyint lan2 downstream\n");
	sim_run(t.h.sim, 136000);
	assert_true(home_forwards(&t.h, 1, &t.source, &t.any));
	home_free(&t.h);
}

/* R145: a LAN that flaps costs other LANs no packet, and its members are back with the
 * answers to the first query. */
static void flapping_downstream(enum family family)
{
	struct theatre t = theatre_new(
		family, WAN "phyint lan1 downstream\nphyint lan2 downstream\n");

	sim_run(t.h.sim, 5000);
	for (unsigned i = 0; i < 20; i++) {
		watch(&t);
		sim_proxy_link(t.h.proxy, "lan1", false);
		assert_false(home_forwards(&t.h, 1, &t.source, &t.any));
		sim_run(t.h.sim, (int64_t)rng_below(&t.h.sim->rng, 20000));
		sim_proxy_link(t.h.proxy, "lan1", true);
		assert_int_equal(home_queries(&t.h, 1, NULL), 1);
		sim_run(t.h.sim, 10010);
		assert_true(home_forwards(&t.h, 1, &t.source, &t.any));
		sim_run(t.h.sim, 5000);
		assert_steady(t.v2, t.any_stream);
		assert_steady(t.named, t.ssm_stream);
		/* the other LAN wants it too, so the provider hears nothing */
		assert_int_equal(home_reports(&t.h, GM_TO_IN, NULL), 0);
		sim_proxy_check(t.h.proxy);
	}
	home_free(&t.h);
}

/* All links flap; in the end everything is as before. */
static void everything_flaps(enum family family)
{
	static const char *const name[] = {"wan", "lan1", "lan2"};
	struct theatre t = theatre_new(
		family, WAN "phyint lan1 downstream\nphyint lan2 downstream\n");
	bool up[3] = {true, true, true};

	for (unsigned i = 0; i < 100; i++) {
		unsigned n = (unsigned)rng_below(&t.h.sim->rng, 3);

		up[n] = !up[n];
		sim_proxy_link(t.h.proxy, name[n], up[n]);
		sim_proxy_check(t.h.proxy);
		sim_run(t.h.sim, (int64_t)rng_below(&t.h.sim->rng, 8000));
	}
	for (unsigned n = 0; n < 3; n++)
		if (!up[n])
			sim_proxy_link(t.h.proxy, name[n], true);
	sim_run(t.h.sim, 15000);
	watch(&t);
	sim_run(t.h.sim, 600000);
	assert_nothing_missed(&t);
	home_free(&t.h);
}

/* Messages are doubled and lost; streams survive as far as robustness allows. */
static void links_that_lose_and_double(enum family family)
{
	uint64_t seed = sim_seed(800);

	for (unsigned n = 0; n < 2; n++) {
		struct home h = home_new(family,
			&(struct home_params){
				.config = "robustness 7", .seed = seed + n});
		struct addr g = sim_group(h.sim, 1), s = sim_source(h.sim, 1);
		struct sim_stream *stream = home_stream(&h, &s, &g);
		struct sim_host *host = home_host(&h, 1, 10, GM_V3);
		struct sim_host *other = home_host(&h, 1, 11, GM_V2);

		h.lan[0]->loss = h.wan->loss = 100;
		h.lan[0]->duplicate = h.wan->duplicate = 300;
		h.router->robustness = 7;
		h.router->membership_ms = 7 * 125000 + 20000;
		sim_router_ask(h.router);
		sim_run(h.sim, 1000);
		sim_host_join(host, &g);
		sim_run(h.sim, 10000);
		sim_host_rx_reset(host, stream);
		for (unsigned i = 0; i < 30; i++) {
			sim_host_join(other, &g);
			sim_run(h.sim, 15000);
			sim_host_leave(other, &g);
			sim_run(h.sim, 10000);
		}
		assert_steady(host, stream);
		home_free(&h);
	}
}

/* A second proxy below the first: joins, leaves and sources travel through both. */
static void cascade(enum family family)
{
	struct home h = home_new(family, &(struct home_params){.n_lans = 2});
	struct sim_proxy *inner = sim_proxy_new(h.sim, "inner", sim_config("", 1));
	struct sim_link *far = sim_link_new(h.sim, 1);
	struct addr g = sim_group(h.sim, 1), ssm = sim_ssm(h.sim, 1);
	struct addr s[2] = {sim_source(h.sim, 1), sim_source(h.sim, 2)};
	struct sim_stream *any = home_stream(&h, &s[0], &g);
	struct sim_stream *one = home_stream(&h, &s[0], &ssm);
	struct sim_stream *two = home_stream(&h, &s[1], &ssm);
	struct sim_host *near = home_host(&h, 1, 10, GM_V3);
	struct sim_host *host = sim_host_new(far, 10, GM_V3);

	sim_proxy_attach(inner, "wan", h.lan[0], 6);
	sim_proxy_attach(inner, "lan1", far, 5);
	sim_proxy_sync(inner);
	sim_run(h.sim, 1000);
	sim_host_join(host, &g);
	sim_host_join_source(host, &ssm, &s[0]);
	sim_run(h.sim, 100);
	sim_host_rx_reset(host, any);
	sim_host_rx_reset(host, one);
	sim_run(h.sim, 600000);
	assert_steady(host, any);
	assert_steady(host, one);
	assert_int_equal(h.wan->n_data[two->number], 0);

	/* a neighbour of the inner proxy comes and goes */
	for (unsigned i = 0; i < 10; i++) {
		sim_host_join(near, &g);
		sim_host_join_source(near, &ssm, &s[1]);
		sim_run(h.sim, 20000);
		assert_int_equal(far->n_data[two->number], 0);
		sim_host_leave(near, &g);
		sim_host_leave(near, &ssm);
		sim_run(h.sim, 20000);
	}
	assert_steady(host, any);
	assert_steady(host, one);

	/* two last member times, one after the other */
	sim_host_leave(host, &g);
	sim_host_leave(host, &ssm);
	sim_run(h.sim, 2100);
	assert_true(sim_proxy_forwards(h.proxy, "wan", "lan1", &s[0], &g));
	sim_run(h.sim, 2000);
	assert_false(sim_proxy_forwards(h.proxy, "wan", "lan1", &s[0], &g));
	sim_run(h.sim, 5000);
	assert_int_equal(sim_router_n_groups(h.router), 0);
	assert_true(sim_proxy_empty(h.proxy));
	assert_true(sim_proxy_empty(inner));
	home_free(&h);
}

/* With an IGMPv2 LAN between the two, the inner one filters sources for its hosts. */
static void cascade_over_an_older_lan(enum family family)
{
	struct home h = home_new(family,
		&(struct home_params){.own_config =
					      WAN "phyint lan1 downstream\n"
						  " igmp-version 2\n mld-version 1\n"});
	struct sim_proxy *inner = sim_proxy_new(h.sim, "inner", sim_config("", 1));
	struct sim_link *far = sim_link_new(h.sim, 1);
	struct addr g = sim_group(h.sim, 1);
	struct addr s[2] = {sim_source(h.sim, 1), sim_source(h.sim, 2)};
	struct sim_stream *one = home_stream(&h, &s[0], &g);
	struct sim_stream *two = home_stream(&h, &s[1], &g);
	struct sim_host *host = sim_host_new(far, 10, GM_V3);

	sim_proxy_attach(inner, "wan", h.lan[0], 6);
	sim_proxy_attach(inner, "lan1", far, 5);
	sim_proxy_sync(inner);
	sim_run(h.sim, 130000);
	sim_host_join_source(host, &g, &s[0]);
	sim_run(h.sim, 100);
	sim_host_rx_reset(host, one);
	sim_run(h.sim, 600000);
	assert_steady(host, one);
	assert_true(h.lan[0]->n_data[two->number] > 0);
	assert_int_equal(far->n_data[two->number], 0);
	sim_host_leave(host, &g);
	sim_run(h.sim, 10000);
	assert_int_equal(sim_router_n_groups(h.router), 0);
	home_free(&h);
}

static const struct CMUnitTest tests[] = {
	BOTH(reload_under_load),
	BOTH(reload_forbids_a_group),
	BOTH(flapping_downstream),
	BOTH(everything_flaps),
	BOTH(links_that_lose_and_double),
	BOTH(cascade),
	BOTH(cascade_over_an_older_lan),
};

int main(void)
{
	return cmocka_run_group_tests(tests, NULL, NULL);
}
