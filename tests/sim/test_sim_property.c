/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Random reports, queries, link changes and passing time, with properties that hold
 * after each step: merging and forwarding follow from the group states
 * (sim_proxy_check), repeating a report only moves deadlines, both families behave the
 * same, an upgrade changes nothing, and silence ends everything. RINGCAST_SEED=<the
 * printed seed> repeats a failing run.
 */

#include "home.h"
#include "snapshot.h"

#define N_LANS	  3
#define N_GROUPS  5 /* the last is source-specific */
#define N_SOURCES 5
#define N_STEPS	  250
#define N_RUNS	  6

/* A random report or query in numbers, so that it is the same in both families. */
struct move {
	enum {
		MOVE_REPORT,
		MOVE_LAN_QUERY,
		MOVE_WAN_QUERY,
		MOVE_WAN_LINK,
		MOVE_LAN_LINK,
		MOVE_WAIT,
		_MOVE_N,
	} kind;
	enum gm_version version;
	unsigned lan, station, group, sources;
	enum gm_record_type type;
	bool suppress;
	int64_t ms;
};

struct run {
	struct home h;
	struct rng rng; /* for the choices */
	bool up[N_LANS + 1];
};

static unsigned below(struct rng *rng, unsigned n)
{
	return (unsigned)rng_below(rng, n);
}

static struct move random_report(struct rng *rng, enum gm_version lowest)
{
	struct move m = {.kind = MOVE_REPORT, .version = GM_V3};

	m.lan = 1 + below(rng, N_LANS);
	m.station = 10 + below(rng, 5);
	m.group = below(rng, N_GROUPS);
	m.type = (enum gm_record_type)(GM_IS_IN + below(rng, 6));
	m.sources = below(rng, 3) ? below(rng, 1u << N_SOURCES) : 0;
	if (below(rng, 5) == 0) {
		m.version = (enum gm_version)(lowest + below(rng, 3 - lowest));
		m.type = m.version == GM_V2 && below(rng, 3) == 0 ? GM_TO_IN : GM_IS_EX;
		m.sources = 0;
	}
	return m;
}

static struct move random_query(struct rng *rng, bool wan)
{
	struct move m = {.kind = wan ? MOVE_WAN_QUERY : MOVE_LAN_QUERY,
		.version = below(rng, 8) ? GM_V3 : GM_V2};

	m.lan = 1 + below(rng, N_LANS);
	m.station = below(rng, 4) ? 200 : 1 + below(rng, 3);
	m.group = below(rng, 2 * N_GROUPS);
	m.sources = below(rng, 2) ? below(rng, 1u << N_SOURCES) : 0;
	m.suppress = below(rng, 2);
	if (m.version < GM_V3)
		m.sources = 0;
	return m;
}

static struct move random_move(struct rng *rng, enum gm_version lowest)
{
	static const int64_t waits[] = {1, 300, 1500, 5000, 40000, 130000};
	unsigned n = below(rng, 20);
	struct move m;

	if (n < 12)
		m = random_report(rng, lowest);
	else if (n < 15)
		m = random_query(rng, n == 12);
	else
		m = (struct move){.kind = MOVE_WAIT};
	if (n == 19 && below(rng, 5) == 0)
		m.kind = below(rng, 2) ? MOVE_WAN_LINK : MOVE_LAN_LINK;
	if (m.kind == MOVE_LAN_LINK)
		m.lan = 1 + below(rng, N_LANS);
	if (below(rng, 2))
		m.ms = 1 + below(rng, (unsigned)waits[below(rng, array_len(waits))]);
	return m;
}

/* ---- playing a move ---- */

static struct addr group_of(const struct run *r, unsigned n)
{
	return n == N_GROUPS - 1 ? sim_ssm(r->h.sim, n) : sim_group(r->h.sim, n);
}

static size_t sources_of(const struct run *r, unsigned bits, struct addr v[N_SOURCES])
{
	size_t n = 0;

	for (unsigned i = 0; i < N_SOURCES; i++)
		if (bits & 1u << i)
			v[n++] = sim_source(r->h.sim, i + 1);
	return n;
}

static const char *lan_name(unsigned lan)
{
	static char name[16];

	snprintf(name, sizeof(name), "lan%u", lan);
	return name;
}

static void play_report(struct run *r, const struct move *m)
{
	struct addr src[N_SOURCES];
	struct gm_record rec = {
		.type = m->type,
		.group = group_of(r, m->group),
		.src = src,
		.n_src = sources_of(r, m->sources, src),
	};
	struct gm_msg msg = {
		.kind = GM_REPORT,
		.family = r->h.sim->family,
		.version = m->version,
		.from = sim_station(r->h.sim, r->h.lan[m->lan - 1], m->station),
		.rec = &rec,
		.n_rec = 1,
	};

	sim_proxy_input(r->h.proxy, lan_name(m->lan), &msg);
}

static void play_query(struct run *r, const struct move *m)
{
	bool wan = m->kind == MOVE_WAN_QUERY, general = m->group >= N_GROUPS;
	struct addr src[N_SOURCES];
	struct gm_msg msg = {
		.kind = GM_QUERY,
		.family = r->h.sim->family,
		.version = m->version,
		.from = sim_station(
			r->h.sim, wan ? r->h.wan : r->h.lan[m->lan - 1], m->station),
		.query = {.group = general ? addr_any(r->h.sim->family)
					   : group_of(r, m->group),
			.max_resp_ms = general ? 10000 : 1000,
			.qrv = m->version == GM_V3 ? 2 : 0,
			.qqi_ms = m->version == GM_V3 ? 125000 : 0,
			.suppress = m->version == GM_V3 && m->suppress,
			.src = src,
			.n_src = general ? 0 : sources_of(r, m->sources, src)},
	};

	sim_proxy_input(r->h.proxy, wan ? "wan" : lan_name(m->lan), &msg);
}

static void play(struct run *r, const struct move *m)
{
	unsigned lan = m->kind == MOVE_WAN_LINK ? 0 : m->lan;

	switch (m->kind) {
	case MOVE_REPORT:
		play_report(r, m);
		break;
	case MOVE_LAN_QUERY:
	case MOVE_WAN_QUERY:
		play_query(r, m);
		break;
	case MOVE_WAN_LINK:
	case MOVE_LAN_LINK:
		r->up[lan] = !r->up[lan];
		sim_proxy_link(r->h.proxy, lan ? lan_name(lan) : "wan", r->up[lan]);
		break;
	case MOVE_WAIT:
	case _MOVE_N:
		break;
	}
	sim_run(r->h.sim, m->ms);
}

/* Only the router listens, and its memberships never expire. */
static void run_init(
	struct run *r, enum family family, uint64_t seed, const char *config)
{
	*r = (struct run){.h = home_new(family,
				  &(struct home_params){.n_lans = N_LANS,
					  .no_querier = true,
					  .config = config,
					  .seed = seed})};
	for (unsigned i = 0; i <= N_LANS; i++)
		r->up[i] = true;
	r->h.router->membership_ms = 2000000000;
	rng_seed(&r->rng, seed ^ UINT64_C(0x5bd1e995));
}

static const char *config_of(uint64_t seed)
{
	static const char *const v[] = {"", "fast-leave", "max-sources 3\nmax-groups 4",
		"timers rfc3376\nrobustness 3", "quickleave\nmax-sources 4"};

	return v[seed % array_len(v)];
}

static enum gm_version lowest_of(enum family family)
{
	return family == FAMILY_IPV4 ? GM_V1 : GM_V2;
}

/* Merging equals a naive merge (R133), and forwarding equals a computation from
 * scratch. */
static void p1_p2_tables_follow_from_states(enum family family)
{
	uint64_t seed = sim_seed(100);

	for (unsigned n = 0; n < N_RUNS; n++) {
		struct run r;

		run_init(&r, family, seed + n, config_of(seed + n));
		for (unsigned i = 0; i < N_STEPS; i++) {
			struct move m = random_move(&r.rng, lowest_of(family));

			play(&r, &m);
			sim_proxy_check(r.h.proxy);
		}
		home_free(&r.h);
	}
}

/* The second of two equal reports moves deadlines and nothing else. */
static void p3_repeating_only_moves_deadlines(enum family family)
{
	uint64_t seed = sim_seed(200);
	unsigned n_repeated = 0;

	for (unsigned n = 0; n < N_RUNS; n++) {
		struct run r;

		/* a full list may find room only after the first report has emptied
		 * it */
		run_init(&r, family, seed + n,
			n % 3 == 0	     ? ""
				: n % 3 == 1 ? "fast-leave"
					     : "max-groups 4");
		for (unsigned i = 0; i < N_STEPS; i++) {
			struct move m = random_move(&r.rng, lowest_of(family));
			uint64_t changes;
			char *before, *after;
			size_t said;

			play(&r, &m);
			if (m.kind != MOVE_REPORT || m.ms)
				continue;
			before = snapshot(r.h.proxy, false);
			changes = r.h.proxy->n_fib_changes;
			said = r.h.wan->n_seen;
			play(&r, &m);
			after = snapshot(r.h.proxy, false);
			assert_string_equal(before, after);
			assert_int_equal(r.h.proxy->n_fib_changes, changes);
			assert_int_equal(r.h.wan->n_seen, said);
			free(before);
			free(after);
			n_repeated++;
		}
		home_free(&r.h);
	}
	assert_true(n_repeated > 100);
}

/* The same messages at the same times, compared by number. */
static void compare_links(const struct sim_link *a4, const struct sim_link *a6)
{
	assert_int_equal(a4->n_seen, a6->n_seen);
	for (size_t i = 0; i < a4->n_seen; i++) {
		const struct sim_seen *s4 = &a4->seen[i], *s6 = &a6->seen[i];

		assert_int_equal(s4->at.ns, s6->at.ns);
		assert_int_equal(s4->kind, s6->kind);
		assert_int_equal(s4->version, s6->version);
		assert_int_equal(s4->type, s6->type);
		assert_int_equal(s4->n_src, s6->n_src);
		assert_int_equal(s4->suppress, s6->suppress);
		assert_int_equal(s4->group.b[15], s6->group.b[15]);
	}
}

/* One sequence on two families gives the same states and messages, to the
 * nanosecond. */
static void p4_families_do_the_same(void **state)
{
	uint64_t seed = sim_seed(300);

	for (unsigned n = 0; n < N_RUNS; n++) {
		/* the two RFCs differ in the timeout of an older querier */
		const char *config =
			n % 2 ? "timers rfc3376\nfast-leave" : "timers rfc3376";
		struct run r[2];

		for (unsigned f = 0; f < 2; f++)
			run_init(&r[f], (enum family)f, seed + n, config);
		for (unsigned i = 0; i < N_STEPS; i++) {
			struct move m = random_move(&r[0].rng, GM_V2);
			char *text[2];

			/* many groups are dropped in the order of the hash, and when a
			 * link comes up each family draws a delay */
			if (m.kind == MOVE_LAN_LINK || m.kind == MOVE_WAN_LINK)
				continue;
			for (unsigned f = 0; f < 2; f++) {
				play(&r[f], &m);
				text[f] = snapshot(r[f].h.proxy, true);
			}
			assert_string_equal(text[0], text[1]);
			free(text[0]);
			free(text[1]);
		}
		compare_links(r[0].h.wan, r[1].h.wan);
		for (unsigned i = 0; i < N_LANS; i++)
			compare_links(r[0].h.lan[i], r[1].h.lan[i]);
		home_free(&r[0].h);
		home_free(&r[1].h);
	}
}

/* After one membership interval without a report no state is left, and the provider was
 * told, because its memberships never expire. */
static void p5_silence_ends_everything(enum family family)
{
	uint64_t seed = sim_seed(400);

	for (unsigned n = 0; n < 4 * N_RUNS; n++) {
		const char *config = config_of(seed + n);
		bool threefold = strstr(config, "robustness 3") != NULL;
		struct run r;

		run_init(&r, family, seed + n, config);
		for (unsigned i = 0; i < 60; i++) {
			struct move m = random_move(&r.rng, lowest_of(family));

			/* leaves are not reported to an older querier, so the provider
			 * keeps these groups */
			if ((m.kind == MOVE_WAN_QUERY && m.version < GM_V3) ||
				m.kind == MOVE_WAN_LINK)
				continue;
			play(&r, &m);
		}
		sim_run(r.h.sim, threefold ? 395000 : 270000);
		sim_run(r.h.sim, 5000); /* repeats, and queries of the provider */
		assert_true(sim_proxy_empty(r.h.proxy));
		assert_int_equal(sim_router_n_groups(r.h.router), 0);
		home_free(&r.h);
	}
}

static int by_contents(const void *a, const void *b)
{
	const struct sim_seen *x = a, *y = b;
	int64_t v[] = {x->at.ns - y->at.ns, (int64_t)x->kind - y->kind,
		(int64_t)x->type - y->type, addr_cmp(&x->group, &y->group),
		(int64_t)x->suppress - y->suppress, (int64_t)x->n_src - y->n_src};

	for (size_t i = 0; i < array_len(v); i++)
		if (v[i] != 0)
			return v[i] < 0 ? -1 : 1;
	return 0;
}

/* Records that are due at the same instant are in the order of the heap, which a new
 * process fills in another order. */
static void sort_link(struct sim_link *l)
{
	qsort(l->seen, l->n_seen, sizeof(*l->seen), by_contents);
}

static void compare_homes(struct home *x, struct home *y)
{
	for (unsigned i = 0; i <= N_LANS; i++) {
		struct sim_link *a = i ? x->lan[i - 1] : x->wan;
		struct sim_link *b = i ? y->lan[i - 1] : y->wan;

		sort_link(a);
		sort_link(b);
		compare_links(a, b);
	}
}

/* A router that hands over to a new process now and then behaves the same as one that
 * does not, to the nanosecond. */
static void p6_an_upgrade_changes_nothing(enum family family)
{
	uint64_t seed = sim_seed(500);

	for (unsigned n = 0; n < N_RUNS; n++) {
		const char *config = config_of(seed + n);
		struct rng choice;
		struct run r[2];

		rng_seed(&choice, seed + n);
		for (unsigned i = 0; i < 2; i++)
			run_init(&r[i], family, seed + n, config);
		for (unsigned i = 0; i < N_STEPS; i++) {
			struct move m = random_move(&r[0].rng, lowest_of(family));
			char *text[2];

			/* dropping many groups happens in the order of the hash */
			if (m.kind == MOVE_LAN_LINK)
				continue;
			for (unsigned k = 0; k < 2; k++) {
				play(&r[k], &m);
				/* while the wan is down, only a reload checks the
				 * spoken version, and this is one */
				if (k == 1 && r[k].up[0] && below(&choice, 3) == 0)
					sim_proxy_upgrade(r[k].h.proxy);
				text[k] = snapshot(r[k].h.proxy, true);
			}
			assert_string_equal(text[0], text[1]);
			free(text[0]);
			free(text[1]);
			sim_proxy_check(r[1].h.proxy);
		}
		compare_homes(&r[0].h, &r[1].h);
		home_free(&r[0].h);
		home_free(&r[1].h);
	}
}

static const struct CMUnitTest tests[] = {
	BOTH(p1_p2_tables_follow_from_states),
	BOTH(p3_repeating_only_moves_deadlines),
	cmocka_unit_test(p4_families_do_the_same),
	BOTH(p5_silence_ends_everything),
	BOTH(p6_an_upgrade_changes_nothing),
};

int main(void)
{
	return cmocka_run_group_tests(tests, NULL, NULL);
}
