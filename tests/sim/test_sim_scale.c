/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Many groups: what a general query of the provider causes (R110, R111), and that every
 * group is reported. The figures are printed.
 */

#include "home.h"

#define N_GROUPS  10000
#define N_SOURCES 3
#define N_LANS	  8

static void join_all(struct home *h)
{
	struct addr src[N_SOURCES];

	for (unsigned i = 0; i < N_SOURCES; i++)
		src[i] = sim_source(h->sim, 1 + i);
	for (unsigned i = 0; i < N_GROUPS; i++) {
		unsigned lan = i % N_LANS;
		struct gm_record rec = {GM_ALLOW, sim_ssm(h->sim, i), src, N_SOURCES};
		struct gm_msg msg = {
			.kind = GM_REPORT,
			.family = h->sim->family,
			.version = GM_V3,
			.from = sim_station(h->sim, h->lan[lan], 10),
			.rec = &rec,
			.n_rec = 1,
		};
		char name[16];

		snprintf(name, sizeof(name), "lan%u", lan + 1);
		assert_int_equal(sim_proxy_input(h->proxy, name, &msg), GM_OK);
	}
}

struct round {
	size_t n_messages, n_records, largest, in_window[10];
	mono_t first, last;
};

/* Evaluates the proxy's reports since the mark, in windows of a second. */
static void collect(const struct home *h, mono_t asked, struct round *ret)
{
	size_t message = 0;

	*ret = (struct round){0};
	for (size_t i = h->wan->mark; i < h->wan->n_seen; i++) {
		const struct sim_seen *s = &h->wan->seen[i];
		int64_t window = (s->at.ns - asked.ns) / NS_PER_SEC;

		if (s->node != &h->proxy->node)
			continue;
		assert_int_equal(s->type, GM_IS_IN);
		assert_int_equal(s->n_src, N_SOURCES);
		if (!ret->n_records++)
			ret->first = s->at;
		ret->last = s->at;
		if (s->bytes > ret->largest)
			ret->largest = s->bytes;
		if (s->message == message)
			continue;
		message = s->message;
		ret->n_messages++;
		assert_in_range(window, 0, 9);
		ret->in_window[window]++;
	}
}

/* R110, R111: one report of each group, packed, within the MTU and the response time,
 * and not in one burst. */
static void one_round(enum family family, uint32_t mtu)
{
	struct home h = home_new(family,
		&(struct home_params){.config = "max-groups-per-host 0",
			.n_lans = N_LANS,
			.no_querier = true,
			.wan_mtu = mtu});
	size_t bytes = family == FAMILY_IPV4 ? 8 + 4 * N_SOURCES : 20 + 16 * N_SOURCES;
	size_t room = mtu - (family == FAMILY_IPV4 ? 32 : 56), full, busiest = 0;
	struct round r;
	mono_t asked;

	join_all(&h);
	sim_run(h.sim, 20000);
	assert_int_equal(sim_router_n_groups(h.router), N_GROUPS);
	sim_mark(h.sim);
	sim_router_ask(h.router);
	asked = mono_add_ms(h.sim->now, h.wan->delay_ms);
	sim_run(h.sim, 20000);
	collect(&h, asked, &r);
	full = room / bytes;
	for (size_t i = 0; i < array_len(r.in_window); i++)
		if (r.in_window[i] > busiest)
			busiest = r.in_window[i];
	print_message(
		"mtu %u: %zu groups in %zu messages of at most %zu bytes, %lld to "
		"%lld ms after the query, at most %zu in a second\n",
		mtu, r.n_records, r.n_messages, r.largest,
		(long long)((r.first.ns - asked.ns) / NS_PER_MS),
		(long long)((r.last.ns - asked.ns) / NS_PER_MS), busiest);
	assert_int_equal(r.n_records, N_GROUPS);
	assert_int_equal(r.n_messages, (N_GROUPS + full - 1) / full);
	assert_true(r.largest <= mtu && r.largest > mtu - bytes);
	assert_true((r.last.ns - asked.ns) / NS_PER_MS > 5000);
	assert_true(busiest <= r.n_messages / 10 * 2);
	h.sim = sim_free(h.sim);
}

static void r110_many_groups_are_spread(enum family family)
{
	one_round(family, 1500);
	one_round(family, 1280);
}

static const struct CMUnitTest tests[] = {
	BOTH(r110_many_groups_are_spread),
};

int main(void)
{
	return cmocka_run_group_tests(tests, NULL, NULL);
}
