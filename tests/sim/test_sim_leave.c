/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Fast leave must not cut off other hosts; set-top boxes that zap; networks that lose,
 * double and delay messages (R092, E13, E14, E20).
 */

#include "home.h"

/* R092: with tracked hosts the last leave stops the stream at once, the first has no
 * effect. */
static void r092_fast_leave(enum family family)
{
	struct home h = home_new(family, &(struct home_params){.config = "fast-leave"});
	struct addr g = sim_group(h.sim, 1), s = sim_source(h.sim, 1);
	struct sim_stream *stream = home_stream(&h, &s, &g);
	struct sim_host *one = home_host(&h, 1, 10, GM_V3);
	struct sim_host *two = home_host(&h, 1, 11, GM_V3);

	sim_host_join(one, &g);
	sim_host_join(two, &g);
	sim_run(h.sim, 5000);
	sim_mark(h.sim);
	sim_host_rx_reset(two, stream);
	sim_host_leave(one, &g);
	sim_run(h.sim, 5000);
	assert_steady(two, stream);
	sim_host_leave(two, &g);
	sim_run(h.sim, 2);
	assert_false(home_forwards(&h, 1, &s, &g));
	assert_int_equal(home_queries(&h, 1, &g), 1); /* K11 */
	assert_int_not_equal(home_reports(&h, GM_TO_IN, &g), 0);
	sim_run(h.sim, 5000);
	assert_false(sim_router_has(h.router, &g));
	home_free(&h);
}

/* R092: a member that named its sources stays when a member of all sources leaves, even
 * if the latter's report had made the group forget the sources. */
static void r092_fast_leave_keeps_named_sources(enum family family)
{
	struct home h = home_new(family, &(struct home_params){.config = "fast-leave"});
	struct addr g = sim_group(h.sim, 1), s = sim_source(h.sim, 1);
	struct sim_stream *stream = home_stream(&h, &s, &g);
	struct sim_host *some = home_host(&h, 1, 10, GM_V3);
	struct sim_host *all = home_host(&h, 1, 11, GM_V3);

	sim_host_join_source(some, &g, &s);
	sim_run(h.sim, 5000);
	sim_host_rx_reset(some, stream);
	sim_host_join(all, &g);
	sim_run(h.sim, 5000);
	sim_host_leave(all, &g);
	sim_run(h.sim, 400000);
	assert_steady(some, stream);
	sim_host_leave(some, &g);
	sim_run(h.sim, 2);
	assert_false(home_forwards(&h, 1, &s, &g));
	home_free(&h);
}

/* R085, R088: if another host has answered, the repeated leave of a host starts new
 * queries. Its last query follows a whole interval later, after the interval of the
 * first ones (K14). */
static void r085_new_questions_keep_their_distance(enum family family)
{
	for (unsigned by_source = 0; by_source < 2; by_source++) {
		struct home h = home_new(family, &(struct home_params){0});
		struct addr g = sim_group(h.sim, 1), s = sim_source(h.sim, 1);
		struct sim_host *one = home_host(&h, 1, 10, GM_V3);
		struct sim_host *two = home_host(&h, 1, 11, GM_V3);
		struct sim_match match = {.group = &g};
		unsigned n_anew = 0;

		for (unsigned i = 0; i < 30; i++) {
			sim_host_set(one, &g, by_source ? GM_INCLUDE : GM_EXCLUDE, &s,
				by_source);
			sim_host_set(two, &g, by_source ? GM_INCLUDE : GM_EXCLUDE, &s,
				by_source);
			sim_run(h.sim, 12000);
			sim_mark(h.sim);
			sim_host_leave(one, &g);
			sim_run(h.sim, 12000);
			match.kind = GM_QUERY;
			match.node = NULL;
			if (sim_count(h.lan[0], &match) > 2) {
				mono_t asked = sim_last(h.lan[0], &match)->at, left;

				match.node = &one->node;
				match.kind = GM_REPORT;
				left = sim_last(h.lan[0], &match)->at;
				assert_in_range(
					(asked.ns - left.ns) / NS_PER_MS, 1000, 2010);
				n_anew++;
			}
		}
		assert_int_not_equal(n_anew, 0);
		home_free(&h);
	}
}

/* E13: a member that keeps silent because another one reported is not cut off. */
static void e13_suppressed_member(enum family family)
{
	static const char *const config[] = {"fast-leave", "quickleave"};

	for (unsigned i = 0; i < 4; i++) {
		struct home h = home_new(
			family, &(struct home_params){.config = config[i / 2]});
		struct addr g = sim_group(h.sim, 1), s = sim_source(h.sim, 1);
		struct sim_stream *stream = home_stream(&h, &s, &g);
		/* one of them uses version 3, or none does */
		struct sim_host *one = home_host(&h, 1, 10, i % 2 ? GM_V3 : GM_V2);
		struct sim_host *two = home_host(&h, 1, 11, GM_V2);
		struct sim_host *silent = home_host(&h, 1, 12, GM_V2);

		sim_host_join(silent, &g);
		sim_run(h.sim, 20000);
		sim_host_rx_reset(silent, stream);
		for (int k = 0; k < 10; k++) {
			sim_host_join(two, &g);
			sim_host_join(one, &g);
			sim_run(h.sim, 150000);
			sim_host_leave(one, &g);
			sim_host_leave(two, &g);
			sim_run(h.sim, 10000);
		}
		assert_steady(silent, stream);
		home_free(&h);
	}
}

/* E14: members that answer late, because of a slow switch; a longer response time saves
 * them. */
static void e14_late_answers(enum family family)
{
	static const char *const config[] = {"", "last-member-query-interval 2.5"};
	bool cut = false;

	for (unsigned patient = 0; patient < 2; patient++)
		for (unsigned run = 0; run < 8; run++) {
			struct home h = home_new(family,
				&(struct home_params){
					.config = config[patient], .seed = 1 + run});
			struct addr g = sim_group(h.sim, 1), s = sim_source(h.sim, 1);
			struct sim_stream *stream = home_stream(&h, &s, &g);
			struct sim_host *one = home_host(&h, 1, 10, GM_V2);
			struct sim_host *two = home_host(&h, 1, 11, GM_V2);

			h.lan[0]->delay_ms = 1200;
			sim_host_join(two, &g);
			sim_run(h.sim, 20000);
			sim_host_join(one, &g);
			sim_run(h.sim, 20000);
			sim_host_rx_reset(two, stream);
			sim_host_leave(one, &g);
			sim_run(h.sim, 20000);
			if (patient)
				assert_steady(two, stream);
			else if (sim_host_gap_ms(two, stream) > 10)
				cut = true;
			home_free(&h);
		}
	assert_true(cut); /* otherwise the longer interval would prove nothing */
}

#define N_CHANNELS 12

/* E20: one box changes channel 1,000 times at 10 per second, two watch theirs. */
static void zap(enum family family, const char *config, enum gm_version version)
{
	struct home h =
		home_new(family, &(struct home_params){.config = config, .n_lans = 2});
	struct sim_host *box = home_host(&h, 1, 10, version);
	struct sim_host *same = home_host(&h, 1, 11, version);
	struct sim_host *far = home_host(&h, 2, 12, GM_V2);
	struct addr s = sim_source(h.sim, 1), g[N_CHANNELS];
	struct sim_stream *stream[N_CHANNELS];
	unsigned now = 0;

	for (unsigned i = 0; i < N_CHANNELS; i++) {
		g[i] = sim_group(h.sim, 1 + i);
		stream[i] = home_stream(&h, &s, &g[i]);
	}
	sim_host_join(same, &g[3]);
	sim_host_join(far, &g[5]);
	sim_host_join(box, &g[0]);
	sim_run(h.sim, 12000);
	sim_host_rx_reset(same, stream[3]);
	sim_host_rx_reset(far, stream[5]);
	for (unsigned i = 0; i < 1000; i++) {
		unsigned next = (now + 1 + (unsigned)rng_below(&h.sim->rng, 11)) % 12;

		sim_host_leave(box, &g[now]);
		sim_host_join(box, &g[next]);
		sim_host_rx_reset(box, stream[next]);
		now = next;
		sim_run(h.sim, 100);
		/* the new one is there within the delays and a packet */
		assert_in_range(sim_host_rx(box, stream[now])->first_at.ns,
			h.sim->now.ns - 100 * NS_PER_MS,
			h.sim->now.ns - 70 * NS_PER_MS);
	}
	/* A channel that was left ends after the last member time, or at once; if it
	 * was left twice within a second, after that second and the last member
	 * time. */
	sim_run(h.sim, strstr(config, "leave") && version == GM_V3 ? 6000 : 10000);
	for (unsigned i = 0; i < N_CHANNELS; i++) {
		bool wanted = i == now || i == 3 || i == 5;

		assert_int_equal(sim_router_wants(h.router, &s, &g[i]), wanted);
		assert_int_equal(home_forwards(&h, 1, &s, &g[i]), i == now || i == 3);
		assert_int_equal(home_forwards(&h, 2, &s, &g[i]), i == 5);
	}
	assert_steady(same, stream[3]);
	assert_steady(far, stream[5]);
	home_free(&h);
}

static void e20_zapping(enum family family)
{
	zap(family, "", GM_V3);
	zap(family, "", GM_V2);
}

static void e20_zapping_with_fast_leave(enum family family)
{
	zap(family, "fast-leave", GM_V3);
	zap(family, "quickleave", GM_V3);
	zap(family, "fast-leave", GM_V2);
}

/* ---- fast leave on a LAN that loses reports ---- */

#define N_HOSTS	 4
#define N_GROUPS 3

/* The knowledge of the proxy: a host counts once one of its reports has arrived. */
struct lossy {
	struct home h;
	struct sim_host *host[N_HOSTS];
	struct addr group[N_GROUPS];
	struct sim_stream *stream[N_GROUPS];
	bool heard[N_HOSTS][N_GROUPS];
	bool answer_lost[N_HOSTS];
	size_t n_lost;
};

static bool lose(void *arg, const struct sim_port *to, const struct gm_msg *msg)
{
	struct lossy *l = arg;
	bool lost = rng_below(&l->h.sim->rng, 3) == 0;
	unsigned n = N_HOSTS;

	for (unsigned i = 0; i < N_HOSTS; i++)
		if (addr_eq(&l->host[i]->from, &msg->from))
			n = i;
	if (to->node != &l->h.proxy->node || n == N_HOSTS || msg->n_rec == 0)
		return false;
	if (msg->rec[0].type <= GM_IS_EX) {
		/* robustness 2 does not survive the loss of two answers in a row */
		lost = lost && !l->answer_lost[n];
		l->answer_lost[n] = lost;
	}
	for (size_t i = 0; i < msg->n_rec && !lost; i++)
		for (unsigned g = 0; g < N_GROUPS; g++)
			if (addr_eq(&msg->rec[i].group, &l->group[g]))
				l->heard[n][g] = true;
	l->n_lost += lost;
	return lost;
}

/* For a time no host that was heard before may miss a packet. */
static void slice(struct lossy *l, int64_t ms)
{
	bool sure[N_HOSTS][N_GROUPS];

	memcpy(sure, l->heard, sizeof(sure));
	sim_run(l->h.sim, 30); /* lets the stream reach the hosts heard last */
	for (unsigned i = 0; i < N_HOSTS; i++)
		for (unsigned g = 0; g < N_GROUPS; g++)
			sim_host_rx_reset(l->host[i], l->stream[g]);
	sim_run(l->h.sim, ms);
	for (unsigned i = 0; i < N_HOSTS; i++)
		for (unsigned g = 0; g < N_GROUPS; g++)
			if (sure[i][g] &&
				sim_host_wants(
					l->host[i], &l->stream[g]->src, &l->group[g]))
				assert_steady(l->host[i], l->stream[g]);
}

static void change(struct lossy *l)
{
	unsigned i = (unsigned)rng_below(&l->h.sim->rng, N_HOSTS);
	unsigned g = (unsigned)rng_below(&l->h.sim->rng, N_GROUPS);
	struct sim_host *host = l->host[i];

	l->heard[i][g] = false;
	if (sim_host_wants(host, &l->stream[g]->src, &l->group[g]))
		sim_host_leave(host, &l->group[g]);
	else if (rng_below(&l->h.sim->rng, 2))
		sim_host_join(host, &l->group[g]);
	else
		sim_host_join_source(host, &l->group[g], &l->stream[g]->src);
}

static void r092_fast_leave_on_a_lossy_lan(enum family family)
{
	uint64_t seed = sim_seed(1);

	for (unsigned run = 0; run < 4; run++) {
		struct lossy l = {.h = home_new(family,
					  &(struct home_params){.config = "fast-leave",
						  .seed = seed + run})};
		struct addr s = sim_source(l.h.sim, 1);

		for (unsigned i = 0; i < N_HOSTS; i++)
			l.host[i] = home_host(&l.h, 1, 10 + i, GM_V3);
		for (unsigned g = 0; g < N_GROUPS; g++) {
			l.group[g] = sim_group(l.h.sim, 1 + g);
			l.stream[g] = home_stream(&l.h, &s, &l.group[g]);
		}
		l.h.lan[0]->drop = lose;
		l.h.lan[0]->drop_arg = &l;
		for (unsigned i = 0; i < 300; i++) {
			change(&l);
			slice(&l, 50 + (int64_t)rng_below(&l.h.sim->rng, 1500));
		}
		slice(&l, 600000);
		assert_true(l.n_lost > 50);
		home_free(&l.h);
	}
}

static const struct CMUnitTest tests[] = {
	BOTH(r085_new_questions_keep_their_distance),
	BOTH(r092_fast_leave),
	BOTH(r092_fast_leave_keeps_named_sources),
	BOTH(r092_fast_leave_on_a_lossy_lan),
	BOTH(e13_suppressed_member),
	BOTH(e14_late_answers),
	BOTH(e20_zapping),
	BOTH(e20_zapping_with_fast_leave),
};

int main(void)
{
	return cmocka_run_group_tests(tests, NULL, NULL);
}
