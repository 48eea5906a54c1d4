/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Host side: after any events in any order, a router that hears the reports has the
 * memberships that were set, also if any one report is lost. The router here is the
 * simplest one that follows the table of RFC 9776 6.4 and believes every BLOCK at once.
 * RINGCAST_SEED=<the printed seed> repeats a failing run.
 */

#include "control/upstream/upstream_report.h"
#include "upstream_fixture.h"

#include <stdlib.h>
#include <sys/random.h>

#define N_GROUPS  4
#define N_SOURCES 5
#define N_STEPS	  40

/* A membership whose source list is a set of bits. */
struct state {
	enum gm_mode mode;
	unsigned src;
};

struct run {
	uint64_t seed;
	struct upstream_fixture t;
	struct rng rng; /* for the steps; the host has its own */
	struct state want[N_GROUPS];
};

static unsigned below(struct run *r, unsigned n)
{
	return (unsigned)rng_below(&r->rng, n);
}

static void apply(struct state *s, enum gm_record_type type, unsigned src)
{
	switch (type) {
	case GM_TO_IN:
		*s = (struct state){GM_INCLUDE, src};
		break;
	case GM_TO_EX:
	case GM_IS_EX:
		*s = (struct state){GM_EXCLUDE, src};
		break;
	case GM_IS_IN:
	case GM_ALLOW:
		s->src = s->mode == GM_INCLUDE ? s->src | src : s->src & ~src;
		break;
	case GM_BLOCK:
		s->src = s->mode == GM_INCLUDE ? s->src & ~src : s->src | src;
		break;
	}
}

static unsigned group_index(enum family family, const struct addr *group)
{
	unsigned n = (unsigned)(fixture_letter(family, group, 'G') - 'G');

	assert_true(n < N_GROUPS);
	return n;
}

/* The memberships of a router that heard all reports but one. */
static void listen(struct run *r, size_t lost, struct state router[N_GROUPS])
{
	enum family family = r->t.family;

	for (size_t i = 0; i < N_GROUPS; i++)
		router[i] = (struct state){GM_INCLUDE, 0};
	effects_for_each (&r->t.fx, e) {
		if (e == r->t.fx.v + lost)
			continue;
		for (size_t i = 0; i < e->report.n_rec; i++) {
			const struct gm_record *rec = &e->report.rec[i];
			unsigned src = 0;

			for (size_t j = 0; j < rec->n_src; j++)
				src |= 1u
					<< (fixture_letter(family, &rec->src[j], 'A') -
						   'A');
			apply(&router[group_index(family, &rec->group)], rec->type,
				src);
		}
	}
}

static void random_set(struct run *r)
{
	unsigned g = below(r, N_GROUPS);
	struct addr group = fixture_group(r->t.family, g), src[N_SOURCES];
	struct state *s = &r->want[g];
	size_t n = 0;

	if (below(r, 3) == 0)
		s->src ^= 1u << below(r, N_SOURCES);
	else
		*s = (struct state){below(r, 2) ? GM_EXCLUDE : GM_INCLUDE,
			below(r, 3) ? below(r, 1u << N_SOURCES) : 0};
	for (unsigned i = 0; i < N_SOURCES; i++)
		if (s->src & 1u << i)
			src[n++] = fixture_source(r->t.family, i);
	fixture_set(&r->t, &group, s->mode, src, n);
}

static void random_query(struct run *r)
{
	struct addr group = fixture_group(r->t.family, below(r, N_GROUPS));
	struct addr src[2] = {fixture_source(r->t.family, below(r, N_SOURCES)),
		fixture_source(r->t.family, below(r, N_SOURCES))};
	uint32_t max_ms = 1 + below(r, 2000);

	if (below(r, 2))
		fixture_query(&r->t, GM_V3, NULL, NULL, 0, max_ms);
	else
		fixture_query(&r->t, GM_V3, &group, src, below(r, 3), max_ms);
}

static void random_steps(struct run *r)
{
	for (int i = 0; i < N_STEPS; i++) {
		unsigned dice = below(r, 20);

		if (dice < 9) {
			random_set(r);
		} else if (dice < 12) {
			random_query(r);
		} else if (dice == 12) {
			fixture_act(&r->t, "moved");
		} else if (dice < 17) {
			fixture_run(&r->t, below(r, 1500));
		} else { /* a loop that ran late */
			r->t.now = mono_add_ms(r->t.now, below(r, 1500));
			upstream_tick(&r->t.upstream, r->t.now, &r->t.fx);
		}
	}
	fixture_run(&r->t, 20000);
}

static void start(struct run *r, enum family family, uint64_t seed)
{
	*r = (struct run){.seed = seed};
	rng_seed(&r->rng, seed);
	fixture_init_with(&r->t, family, &fixture_params, seed + 1);
	for (size_t i = 0; i < N_GROUPS; i++)
		r->want[i] = (struct state){GM_INCLUDE, 0};
}

/* Checks the sums that give the size of the next answer. */
static void check_sums(const struct run *r)
{
	const struct upstream_family *f = &r->t.upstream.family[r->t.family];
	size_t n = 0, bytes = 0;

	for (size_t i = 0; i < N_GROUPS; i++) {
		if (r->want[i].mode == GM_INCLUDE && !r->want[i].src)
			continue;
		n++;
		bytes += gm_record_bytes(
			r->t.family, (size_t)__builtin_popcount(r->want[i].src));
	}
	assert_int_equal(f->n_groups, n);
	assert_int_equal(r->t.upstream.groups.n, n);
	assert_int_equal(f->bytes, bytes);
}

static void check_v3(enum family family, uint64_t seed)
{
	struct state router[N_GROUPS];
	struct run r;

	start(&r, family, seed);
	random_steps(&r);
	assert_true(upstream_deadline(&r.t.upstream).ns == MONO_NEVER.ns);
	check_sums(&r);
	/* in the last round no report is lost */
	for (size_t lost = 0; lost <= r.t.fx.n; lost++) {
		listen(&r, lost, router);
		for (size_t i = 0; i < N_GROUPS; i++)
			if (router[i].mode != r.want[i].mode ||
				router[i].src != r.want[i].src)
				fail_msg(
					"seed %llu, IPv%d, report %zu of %zu lost, group %zu",
					(unsigned long long)seed,
					family == FAMILY_IPV4 ? 4 : 6, lost, r.t.fx.n,
					i);
	}
	fixture_deinit(&r.t);
}

/* With an older querier the router learns only which groups are wanted. */
static void check_v2(enum family family, uint64_t seed)
{
	struct state router[N_GROUPS];
	struct run r;

	start(&r, family, seed);
	fixture_query(&r.t, GM_V2, NULL, NULL, 0, 10000);
	random_steps(&r);
	assert_int_equal(r.t.upstream.family[family].version, GM_V2);
	listen(&r, r.t.fx.n, router);
	for (size_t i = 0; i < N_GROUPS; i++) {
		bool want = r.want[i].mode == GM_EXCLUDE || r.want[i].src;

		if (want != (router[i].mode == GM_EXCLUDE) || router[i].src)
			fail_msg("seed %llu, IPv%d, group %zu",
				(unsigned long long)seed, family == FAMILY_IPV4 ? 4 : 6,
				i);
	}
	fixture_deinit(&r.t);
}

static void run_seeds(void (*check)(enum family family, uint64_t seed))
{
	const char *given = getenv("RINGCAST_SEED");
	uint64_t seed;

	if (given) {
		seed = strtoull(given, NULL, 10);
	} else {
		for (seed = 1; seed <= 300; seed++)
			for (enum family family = 0; family < _FAMILY_N; family++)
				check(family, seed);
		assert_int_equal(getrandom(&seed, sizeof(seed), 0), sizeof(seed));
	}
	print_message("seed %llu\n", (unsigned long long)seed);
	for (enum family family = 0; family < _FAMILY_N; family++)
		check(family, seed);
}

static void router_learns_what_was_set(void **state)
{
	run_seeds(check_v3);
}

static void older_router_learns_what_was_set(void **state)
{
	run_seeds(check_v2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(router_learns_what_was_set),
		cmocka_unit_test(older_router_learns_what_was_set),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
