/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Hosts that change their memberships on LANs that lose messages. Once they have
 * settled, the provider forwards exactly the union of what they want, and each LAN gets
 * exactly what its hosts want. RINGCAST_SEED=<the printed seed> repeats a failing run.
 */

#include "home.h"

#define N_LANS	  2
#define N_HOSTS	  5
#define N_GROUPS  3
#define N_SOURCES 3
#define N_ROUNDS  25

struct run {
	struct home h;
	struct sim_host *host[N_HOSTS];
	unsigned lan[N_HOSTS];
	bool any_list; /* also EXCLUDE with sources */
	/* number of the message copy that is lost, counted from the last change */
	unsigned n_copies, lose_copy;
	unsigned n_lost;
};

static unsigned below(struct run *r, unsigned n)
{
	return (unsigned)rng_below(&r->h.sim->rng, n);
}

static bool lose_one(void *arg, const struct sim_port *to, const struct gm_msg *msg)
{
	struct run *r = arg;
	bool lost = r->n_copies++ == r->lose_copy;

	r->n_lost += lost;
	return lost;
}

static void change_mind(struct run *r)
{
	struct sim_host *host = r->host[below(r, N_HOSTS)];
	struct addr g = sim_group(r->h.sim, 1 + below(r, N_GROUPS)), src[N_SOURCES];
	size_t n = 0;

	if (below(r, 3) == 0) {
		sim_host_leave(host, &g);
		return;
	}
	for (unsigned i = 0; i < N_SOURCES; i++)
		if (below(r, 2))
			src[n++] = sim_source(r->h.sim, 1 + i);
	if (host->max < GM_V3) /* the version has no sources */
		sim_host_join(host, &g);
	else if (below(r, 2))
		sim_host_set(host, &g, GM_INCLUDE, src, n);
	else
		sim_host_set(host, &g, GM_EXCLUDE, src, r->any_list ? n : 0);
}

/* Whether a host of the LAN wants it, or of any LAN if `lan` is 0. */
static bool wanted(
	const struct run *r, unsigned lan, const struct addr *s, const struct addr *g)
{
	for (unsigned i = 0; i < N_HOSTS; i++)
		if ((lan == 0 || r->lan[i] == lan) && sim_host_wants(r->host[i], s, g))
			return true;
	return false;
}

static void agree(struct run *r, bool is, bool should_be, const struct addr *group)
{
	if (is != should_be)
		sim_print(r->h.sim, group);
	assert_int_equal(is, should_be);
}

static void check(struct run *r)
{
	for (unsigned i = 1; i <= N_GROUPS; i++) {
		struct addr g = sim_group(r->h.sim, i);

		/* no host ever names the last source */
		for (unsigned k = 1; k <= N_SOURCES + 1; k++) {
			struct addr s = sim_source(r->h.sim, k);

			agree(r, sim_router_wants(r->h.router, &s, &g),
				wanted(r, 0, &s, &g), &g);
			for (unsigned lan = 1; lan <= N_LANS; lan++)
				agree(r, home_forwards(&r->h, lan, &s, &g),
					wanted(r, lan, &s, &g), &g);
		}
	}
	sim_proxy_check(r->h.proxy);
}

static void run_init(struct run *r, enum family family, uint64_t seed,
	const struct home_params *params, enum gm_version oldest)
{
	struct home_params p = *params;

	p.n_lans = N_LANS;
	p.seed = seed;
	*r = (struct run){.h = home_new(family, &p), .lose_copy = UINT32_MAX};
	for (unsigned i = 0; i < N_HOSTS; i++) {
		r->lan[i] = 1 + i % N_LANS;
		r->host[i] = home_host(&r->h, r->lan[i], 10 + i,
			oldest == GM_V3
				? GM_V3
				: (enum gm_version)(oldest + below(r, 4 - oldest)));
	}
	for (struct sim_link *link = r->h.sim->links; link; link = link->next) {
		link->drop = lose_one;
		link->drop_arg = r;
	}
}

static void rounds(struct run *r, int64_t settle_ms)
{
	for (unsigned n = 0; n < N_ROUNDS; n++) {
		unsigned changes = 1 + below(r, 6);

		r->n_copies = 0;
		sim_mark(r->h.sim);
		r->lose_copy = below(r, 6 * changes);
		while (changes--) {
			change_mind(r);
			sim_run(r->h.sim, below(r, 1500));
		}
		sim_run(r->h.sim, settle_ms);
		check(r);
	}
	home_free(&r->h);
}

/* Lists that converge without queries are right once all repeats are sent. */
static void p6_single_loss(enum family family)
{
	static const char *const config[] = {"", "fast-leave", "quickleave"};
	uint64_t seed = sim_seed(500);
	unsigned n_lost = 0;

	for (unsigned n = 0; n < 9; n++) {
		struct run r;

		run_init(&r, family, seed + n,
			&(struct home_params){
				.config = config[n % 3], .no_querier = n % 2},
			GM_V3);
		r.h.router->membership_ms = 2000000000; /* it never expires */
		rounds(&r, 12000);
		n_lost += r.n_lost;
	}
	assert_true(n_lost > 9 * N_ROUNDS / 3); /* otherwise the test shows nothing */
}

/* With any lists, a source that only one host excluded is blocked again after the
 * queries of one membership interval here and at the provider. */
static void p6_exclude_lists(enum family family)
{
	uint64_t seed = sim_seed(600);

	for (unsigned n = 0; n < 6; n++) {
		struct run r;

		run_init(&r, family, seed + n,
			&(struct home_params){.config = n % 2 ? "fast-leave" : ""},
			GM_V3);
		r.any_list = true;
		rounds(&r, 600000);
	}
}

/* Hosts of all versions. The older ones leave silently. */
static void p6_older_hosts(enum family family)
{
	uint64_t seed = sim_seed(700);

	for (unsigned n = 0; n < 6; n++) {
		struct run r;

		run_init(&r, family, seed + n,
			&(struct home_params){.config = n % 2 ? "quickleave" : ""},
			n % 3 == 0 && family == FAMILY_IPV4 ? GM_V1 : GM_V2);
		rounds(&r, 900000);
	}
}

static const struct CMUnitTest tests[] = {
	BOTH(p6_single_loss),
	BOTH(p6_exclude_lists),
	BOTH(p6_older_hosts),
};

int main(void)
{
	return cmocka_run_group_tests(tests, NULL, NULL);
}
