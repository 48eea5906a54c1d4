/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Members come and go on several downstreams: what the forwarder does to each of them,
 * and what the provider hears (RFC 9776 6, RFC 4605 4).
 */

#include "home.h"

/* R079: EX({}) and IN({1}) on one LAN; the first leaves, the second misses nothing. */
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

static const struct CMUnitTest tests[] = {
	BOTH(r079_include_survives_exclude),
	BOTH(r080_state_is_per_downstream),
};

int main(void)
{
	return cmocka_run_group_tests(tests, NULL, NULL);
}
