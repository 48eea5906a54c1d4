/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The cost of a record depends on what it names: changes are detected where they are
 * made, deadlines are lower bounds, addresses are counted as they come and go. After
 * random records, ticks and queries, each shortcut is compared with a plain computation
 * over the whole state. RINGCAST_SEED=<the printed seed> repeats a failing run.
 */

#include "base/rng.h"
#include "mgroup_fixture.h"

#include <stdlib.h>

#define N_SOURCES 40
#define N_HOSTS	  6
#define N_STEPS	  3000
#define N_RUNS	  8

static struct addr source(unsigned n)
{
	struct addr a = gm_source(fam, '0');

	a.b[15] = (uint8_t)(n + 1);
	return a;
}

static const struct mgroup *group_number(unsigned n)
{
	struct addr a = gm_group(fam, n);

	return mgroup_find(&db, &a);
}

static uint64_t seed_of_run(void)
{
	const char *s = getenv("RINGCAST_SEED");
	uint64_t seed = s ? strtoull(s, NULL, 10) : 1000;

	print_message("seed %llu\n", (unsigned long long)seed);
	return seed;
}

/* ---- the plain computation ---- */

/* mode and visible list */
struct view {
	enum gm_mode mode;
	size_t n;
	struct addr v[N_SOURCES];
};

static struct view view_of(const struct mgroup *g)
{
	struct view view = {.mode = g ? g->mode : GM_INCLUDE};

	for (size_t i = 0; g && i < g->n_src; i++)
		if (g->mode == GM_INCLUDE || !mono_is_set(g->src[i].until))
			view.v[view.n++] = g->src[i].addr;
	return view;
}

static bool same_view(const struct view *a, const struct view *b)
{
	return a->mode == b->mode && a->n == b->n &&
		memcmp(a->v, b->v, a->n * sizeof(a->v[0])) == 0;
}

static size_t check_sources(const struct mgroup *g)
{
	size_t blocked = 0;

	for (size_t i = 0; i < g->n_src; i++) {
		const struct mgroup_source *s = &g->src[i];

		assert_true(i == 0 || addr_cmp(&s[-1].addr, &s->addr) < 0);
		blocked += !mono_is_set(s->until);
		if (!mono_is_set(s->until))
			continue;
		assert_false(mono_before(s->until, g->source_at));
		assert_false(mono_before(s->until, g->timer.at));
		if (s->repeats)
			assert_false(mono_before(s->ask_at, g->timer.at));
	}
	assert_int_equal(g->n_blocked, blocked);
	assert_true(g->mode == GM_EXCLUDE || blocked == 0);
	return g->n_src;
}

static size_t check_hosts(const struct mgroup *g)
{
	size_t named = 0;

	for (size_t i = 0; i < g->n_host; i++) {
		named += g->host[i].filter.src.n;
		assert_false(mono_before(g->host[i].until, g->host_at));
	}
	assert_int_equal(g->n_named, named);
	return named + g->n_host;
}

static void check_db(void)
{
	size_t n = 0;

	table_for_each (&db.groups, node) {
		const struct mgroup *g = container_of(node, struct mgroup, node);

		assert_true(g->known && !g->changed);
		n += check_sources(g) + check_hosts(g);
		if (g->mode == GM_EXCLUDE)
			assert_false(mono_before(g->until, g->timer.at));
		if (g->repeats)
			assert_false(mono_before(g->ask_at, g->timer.at));
	}
	assert_int_equal(db.n_addr, n);
}

/* ---- random steps ---- */

static size_t random_list(struct rng *rng, struct addr v[N_SOURCES])
{
	/* most lists are short; some name nearly every source */
	unsigned one_of = rng_below(rng, 3) ? 16 : 1 + (unsigned)rng_below(rng, 3);
	size_t n = 0;

	for (unsigned i = 0; i < N_SOURCES; i++)
		if (rng_below(rng, one_of) == 0)
			v[n++] = source(i);
	return rng_below(rng, 4) ? n : 0;
}

static void random_record(struct rng *rng, mono_t now)
{
	unsigned number = (unsigned)rng_below(rng, 3);
	struct gm_msg msg = {.version = GM_V3,
		.from = gm_host(fam, (unsigned)rng_below(rng, N_HOSTS))};
	struct addr src[N_SOURCES];
	struct gm_record rec = {.group = gm_group(fam, number), .src = src};
	struct view before = view_of(group_number(number)), after;
	bool was = group_number(number) != NULL;
	int r;

	if (rng_below(rng, 10) == 0)
		msg.from = addr_any(fam);
	rec.type = (enum gm_record_type)(GM_IS_IN + rng_below(rng, 6));
	rec.n_src = random_list(rng, src);
	if (rng_below(rng, 12) == 0) {
		msg.version = GM_V2;
		rec.type = rng_below(rng, 3) ? GM_IS_EX : GM_TO_IN;
		rec.n_src = 0;
	}
	r = mgroup_input(&db, now, &msg, &rec, &fx);
	assert_true(r >= 0);
	after = view_of(group_number(number));
	/* every change is reported, and nothing else */
	assert_int_equal(r,
		!same_view(&before, &after) || was != (group_number(number) != NULL));
}

static void random_query(struct rng *rng, mono_t now)
{
	struct addr src[N_SOURCES];
	struct gm_msg msg = {.kind = GM_QUERY,
		.version = GM_V3,
		.query = {.group = gm_group(fam, (unsigned)rng_below(rng, 3)),
			.max_resp_ms = 1000,
			.src = src}};

	msg.query.n_src = random_list(rng, src);
	mgroup_heard_query(&db, now, &msg);
}

static void tick_all(mono_t now)
{
	struct view before[3], after;
	size_t work = 0;
	struct addr a;

	for (unsigned i = 0; i < 3; i++)
		before[i] = view_of(group_number(i));
	while (mgroup_tick(&db, now, &fx, &a, &work)) {
		for (unsigned i = 0; i < 3; i++) {
			struct addr group = gm_group(fam, i);
			bool told = addr_eq(&group, &a);

			after = view_of(group_number(i));
			assert_int_equal(told, !same_view(&before[i], &after));
			before[i] = after;
		}
	}
	assert_true(work > 0 || !mono_due(mgroup_deadline(&db), now));
}

static void changes_equal_a_recomputation(void **state)
{
	uint64_t seed = seed_of_run();

	for (unsigned n = 0; n < N_RUNS; n++) {
		struct mgroup_params p = {.gm = gm_params_default,
			.fast_leave = n & 1,
			.max_sources = n & 2 ? 25 : 0};
		mono_t now = mono_from_ms(T0);
		struct rng rng;

		fam = n & 4 ? FAMILY_IPV6 : FAMILY_IPV4;
		rng_seed(&rng, seed + n);
		setup_db(&p);
		for (unsigned i = 0; i < N_STEPS; i++) {
			unsigned what = (unsigned)rng_below(&rng, 20);

			if (what < 16)
				random_record(&rng, now);
			else if (what == 16)
				random_query(&rng, now);
			else
				now = mono_add_ms(now,
					(int64_t)rng_below(
						&rng, what == 17 ? 100000 : 1500));
			tick_all(now);
			check_db();
			effects_clear(&fx);
		}
		teardown_db();
	}
}

/* ---- a leave of many sources ---- */

static void named(unsigned host, enum gm_record_type type, unsigned first, size_t n)
{
	struct gm_msg msg = {.version = GM_V3, .from = gm_host(fam, host)};
	struct addr src[N_SOURCES];
	struct gm_record rec = {
		.type = type, .group = gm_group(fam, 1), .src = src, .n_src = n};

	for (size_t i = 0; i < n; i++)
		src[i] = source(first + (unsigned)i);
	assert_true(mgroup_input(&db, mono_from_ms(T1), &msg, &rec, &fx) >= 0);
}

/* R083: the tick of the same moment sends the query. It leaves out sources that this
 * record or one in between has named. */
static void r083_many_are_asked_for_by_the_tick(void **state)
{
	FOR_BOTH_FAMILIES
	{
		size_t asked = 0;

		setup_db(NULL);
		send_at(T0, GM_V3, 9, GM_IS_IN, "1");
		named(9, GM_ALLOW, 0, 20);
		run_until(T1);
		named(8, GM_ALLOW, 0, 30);
		effects_clear(&fx);
		run_until(T1 + 1); /* one millisecond after the last query */
		send_at(T1 + 1, GM_V3, 9, GM_TO_IN, "12");
		assert_int_equal(fx.n, 0);
		assert_int_equal(mgroup_deadline(&db).ns, mono_from_ms(T1 + 1).ns);
		send_at(T1 + 1, GM_V3, 8, GM_ALLOW, "3");
		run_until(T1 + 1);
		effects_for_each (&fx, e) {
			assert_int_equal(e->type, EFFECT_QUERY);
			for (size_t i = 0; i < e->query.q.n_src; i++)
				assert_true(e->query.q.src[i].b[15] > 3);
			asked += e->query.q.n_src;
		}
		assert_int_equal(asked, 27);
		run_until(T1 + 1 + 2000);
		assert_state("IN 123");
		teardown_db();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(changes_equal_a_recomputation),
		cmocka_unit_test(r083_many_are_asked_for_by_the_tick),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
