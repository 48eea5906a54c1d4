/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Measures the highest cost of a membership report.
 *
 *   bench_cost shapes [SOURCES [4|6 [HOSTS [fast]]]]
 *       processor time per record of known shapes, on a group that holds so many
 *       sources and so many tracked hosts
 *   bench_cost search SECONDS [SEED]
 *       search for the reports, and the state before them, that cost most
 *   bench_cost play FILE
 *       measure the result of a search; FILE is its output
 *
 * The search is hill climbing. A candidate has a history that makes the state and a
 * burst of reports that is measured. Both say which host reports what about which
 * groups and sources. The figures are processor time per 100 bytes for the packets of
 * the burst, and for the work that their deadlines cause later, the share of a
 * processor in the busiest second.
 */

#include "base/cleanup.h"
#include "base/rng.h"
#include "cost_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define N_RECORDS 182	/* as many records of 8 bytes as fit into a packet */
#define N_SOURCES 16384 /* how many different ones */

/* ---- moves: reports of one kind, repeated ---- */

enum field {
	LAN,
	LAN_STEP, /* *_STEP is added by each repetition */
	FAMILY,
	HOST,
	HOST_STEP,
	TYPE, /* of the first, third ... record */
	TYPE_2,
	RECORDS,
	GROUP,
	GROUP_NEXT, /* *_NEXT is added by each record and restarts with each packet */
	GROUP_STEP,
	SOURCES, /* in each record */
	SOURCE,
	SOURCE_NEXT,
	SOURCE_STEP,
	REPEAT,
	WAIT, /* in ms, after each report */
	_FIELD_N,
};

static const struct {
	const char *name;
	unsigned lo, hi;
	unsigned usual[6]; /* values worth trying */
} field[_FIELD_N] = {
	[LAN] = {"lan", 0, WORLD_LANS - 1, {0, 1, 7, 0, 0, 0}},
	[LAN_STEP] = {"lan-step", 0, 1, {0, 0, 0, 1, 0, 0}},
	[FAMILY] = {"family", 0, 1, {0, 0, 0, 1, 0, 0}},
	[HOST] = {"host", 0, 199, {0, 1, 63, 64, 0, 0}},
	[HOST_STEP] = {"host-step", 0, 64, {0, 0, 1, 1, 0, 0}},
	[TYPE] = {"type", GM_IS_IN, GM_BLOCK, {3, 4, 5, 6, 5, 6}},
	[TYPE_2] = {"type-2", GM_IS_IN, GM_BLOCK, {3, 4, 5, 6, 5, 6}},
	[RECORDS] = {"records", 1, N_RECORDS, {1, 1, 2, 120, 182, 4}},
	[GROUP] = {"group", 0, 16383, {0, 0, 0, 1, 0, 0}},
	[GROUP_NEXT] = {"group-next", 0, 200, {0, 1, 1, 1, 0, 2}},
	[GROUP_STEP] = {"group-step", 0, 200, {0, 0, 0, 1, 182, 120}},
	[SOURCES] = {"sources", 0, 365, {0, 0, 1, 1, 342, 4}},
	[SOURCE] = {"source", 0, N_SOURCES, {0, 0, 342, 684, 1023, 1024}},
	[SOURCE_NEXT] = {"source-next", 0, 400, {0, 0, 1, 342, 1, 7}},
	[SOURCE_STEP] = {"source-step", 0, 400, {0, 0, 1, 342, 182, 120}},
	[REPEAT] = {"repeat", 1, 200, {1, 2, 3, 8, 64, 128}},
	[WAIT] = {"wait", 0, 300000, {0, 0, 0, 1, 1000, 260000}},
};

struct move {
	unsigned v[_FIELD_N];
};

#define LIMIT_US     20 /* per 100 bytes */
#define N_PREPARE    5
#define N_BURST	     3
#define N_ROUNDS     64 /* the burst is repeated at most so often */
#define ENOUGH_BYTES 8000

struct candidate {
	bool fast_leave;
	unsigned n_upstreams, n_prepare, n_burst;
	struct move prepare[N_PREPARE], burst[N_BURST];
	double now_us;	/* per 100 bytes */
	double later;	/* share of a processor */
	double longest; /* ms in one piece, later */
};

static void make_sources(const struct move *m, unsigned first, struct addr *src)
{
	for (unsigned i = 0; i < m->v[SOURCES]; i++)
		src[i] = world_source(
			(enum family)m->v[FAMILY], (first + i) % N_SOURCES);
}

/* Plays the n-th repetition. */
static void play_one(struct world *w, const struct move *m, unsigned n)
{
	static struct addr src[N_RECORDS][366];
	struct gm_record rec[N_RECORDS];
	uint8_t packet[WORLD_BYTES];
	enum family family = (enum family)m->v[FAMILY];
	unsigned lan = (m->v[LAN] + n * m->v[LAN_STEP]) % WORLD_LANS;
	unsigned host = (m->v[HOST] + n * m->v[HOST_STEP]) % 200;
	size_t bytes = 0, n_rec = 0, len;

	while (n_rec < m->v[RECORDS] && bytes < WORLD_BYTES) {
		unsigned i = (unsigned)n_rec;

		make_sources(m,
			m->v[SOURCE] + n * m->v[SOURCE_STEP] + i * m->v[SOURCE_NEXT],
			src[i]);
		rec[n_rec++] = (struct gm_record){
			.type = (enum gm_record_type)m->v[i % 2 ? TYPE_2 : TYPE],
			.group = world_group(family,
				m->v[GROUP] + n * m->v[GROUP_STEP] +
					i * m->v[GROUP_NEXT]),
			.src = src[i],
			.n_src = m->v[SOURCES]};
		bytes += family == FAMILY_IPV4 ? 8 + 4 * m->v[SOURCES]
					       : 20 + 16 * m->v[SOURCES];
	}
	len = world_encode(family, lan, host, rec, n_rec, packet);
	world_packet(w, family, lan, packet, len);
	if (m->v[WAIT])
		world_pass(w, m->v[WAIT]);
}

static void play_moves(struct world *w, const struct move *m, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		for (unsigned k = 0; k < m[i].v[REPEAT]; k++)
			play_one(w, &m[i], k);
}

static void measure_once(struct candidate *c)
{
	struct world *w = world_new(c->fast_leave, c->n_upstreams);
	double now_us;

	play_moves(w, c->prepare, c->n_prepare);
	world_pass(w, 700); /* finish deferred work */
	world_count(w);
	/* a single packet would measure cold caches */
	for (unsigned i = 0; i < N_ROUNDS && w->n_bytes < ENOUGH_BYTES; i++)
		play_moves(w, c->burst, c->n_burst);
	world_pass(w, 300000); /* the time in which the memberships end */
	now_us = w->n_bytes ? (double)w->packet_ns / 10 / (double)w->n_bytes : 0;
	if (c->now_us < 0 || now_us < c->now_us)
		c->now_us = now_us;
	if (c->later < 0 || (double)w->second_ns / 1e9 < c->later)
		c->later = (double)w->second_ns / 1e9;
	if (c->longest < 0 || (double)w->longest_ns / 1e6 < c->longest)
		c->longest = (double)w->longest_ns / 1e6;
	world_free(w);
}

/* Keeps the least of several runs, because other programs disturb some of them. Repeats
 * only if it matters. */
static void measure(struct candidate *c, unsigned times)
{
	c->now_us = c->later = c->longest = -1;
	for (unsigned i = 0; i < times; i++)
		measure_once(c);
}

/* ---- text ---- */

static void print_moves(const char *what, const struct move *m, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		printf("%s", what);
		for (unsigned f = 0; f < _FIELD_N; f++)
			printf(" %s %u", field[f].name, m[i].v[f]);
		printf("\n");
	}
}

static void print_candidate(const struct candidate *c)
{
	printf("# %.1f us per 100 bytes; later %.1f %% of a processor, %.1f ms at a "
	       "stretch\n",
		c->now_us, 100 * c->later, c->longest);
	printf("router fast-leave %u upstreams %u\n", c->fast_leave, c->n_upstreams);
	print_moves("prepare", c->prepare, c->n_prepare);
	print_moves("burst", c->burst, c->n_burst);
	printf("end\n");
}

static bool read_move(char *text, struct move *m)
{
	char *save = NULL, *word;
	unsigned f = 0;

	for (word = strtok_r(text, " \n", &save); word && f < _FIELD_N; f++) {
		const char *number = strtok_r(NULL, " \n", &save);

		if (strcmp(word, field[f].name) != 0 || !number)
			return false;
		m->v[f] = (unsigned)strtoul(number, NULL, 10);
		if (m->v[f] < field[f].lo || m->v[f] > field[f].hi)
			return false;
		word = strtok_r(NULL, " \n", &save);
	}
	return f == _FIELD_N && !word;
}

/* Returns false at the end of the file. */
static bool read_candidate(FILE *f, struct candidate *c)
{
	char line[1024];

	*c = (struct candidate){.n_upstreams = 1};
	while (fgets(line, sizeof(line), f)) {
		unsigned fast;
		bool ok = true;

		if (line[0] == '#')
			continue;
		if (strcmp(line, "end\n") == 0)
			return true;
		if (sscanf(line, "router fast-leave %u upstreams %u", &fast,
			    &c->n_upstreams) == 2)
			c->fast_leave = fast;
		else if (strncmp(line, "prepare ", 8) == 0 && c->n_prepare < N_PREPARE)
			ok = read_move(line + 8, &c->prepare[c->n_prepare++]);
		else if (strncmp(line, "burst ", 6) == 0 && c->n_burst < N_BURST)
			ok = read_move(line + 6, &c->burst[c->n_burst++]);
		else
			ok = false;
		die_if(!ok, "a line that is not understood");
	}
	return false;
}

static int play(const char *name)
{
	FILE *f = fopen(name, "re");
	struct candidate c;
	bool over = false;

	die_if(!f, "cannot read the file");
	while (read_candidate(f, &c)) {
		measure(&c, 5);
		print_candidate(&c);
		over |= c.now_us > LIMIT_US;
	}
	fclose(f);
	return over;
}

/* ---- search ---- */

static unsigned below(struct rng *rng, unsigned n)
{
	return (unsigned)rng_below(rng, n);
}

static unsigned random_value(struct rng *rng, unsigned f, unsigned old)
{
	unsigned span = field[f].hi - field[f].lo + 1;

	switch (below(rng, 4)) {
	case 0:
		return field[f].lo + below(rng, span);
	case 1:
		return old < field[f].hi ? old + 1 : old;
	default:
		return field[f].usual[below(rng, array_len(field[f].usual))];
	}
}

static struct move random_move(struct rng *rng)
{
	struct move m;

	for (unsigned f = 0; f < _FIELD_N; f++)
		m.v[f] = field[f].usual[below(rng, array_len(field[f].usual))];
	return m;
}

static struct candidate random_candidate(struct rng *rng)
{
	struct candidate c = {.fast_leave = below(rng, 2),
		.n_upstreams = 1 + below(rng, 2),
		.n_prepare = 1 + below(rng, N_PREPARE),
		.n_burst = 1 + below(rng, N_BURST)};

	for (unsigned i = 0; i < N_PREPARE; i++)
		c.prepare[i] = random_move(rng);
	for (unsigned i = 0; i < N_BURST; i++)
		c.burst[i] = random_move(rng);
	/* begin with a history that fills one group, or many groups */
	c.prepare[0].v[TYPE] = c.prepare[0].v[TYPE_2] = GM_ALLOW;
	c.prepare[0].v[SOURCES] = 342;
	c.prepare[0].v[WAIT] = 0;
	if (below(rng, 2)) {
		c.prepare[0].v[SOURCE_STEP] = 342;
		c.prepare[0].v[GROUP_STEP] = 0;
	} else {
		c.prepare[0].v[GROUP_STEP] = 1;
		c.prepare[0].v[REPEAT] = 182;
	}
	/* most bursts come at once */
	for (unsigned i = 0; i < N_BURST && below(rng, 4); i++)
		c.burst[i].v[WAIT] = 0;
	return c;
}

static void mutate(struct rng *rng, struct candidate *c)
{
	unsigned n = 1 + below(rng, 3);

	while (n-- > 0) {
		bool burst = below(rng, 2);
		struct move *m = burst ? &c->burst[below(rng, c->n_burst)]
				       : &c->prepare[below(rng, c->n_prepare)];
		unsigned f = below(rng, _FIELD_N);

		switch (below(rng, 12)) {
		case 0:
			c->fast_leave = !c->fast_leave;
			break;
		case 1:
			c->n_upstreams = 1 + below(rng, 2);
			break;
		case 2:
			c->n_prepare = 1 + below(rng, N_PREPARE);
			break;
		case 3:
			c->n_burst = 1 + below(rng, N_BURST);
			break;
		default:
			m->v[f] = random_value(rng, f, m->v[f]);
		}
	}
}

#define N_KEPT 6

/* Returns the cost of a candidate in either half of a search. */
static double value(const struct candidate *c, bool later)
{
	return later ? c->later : c->now_us;
}

static void keep(struct candidate *kept, const struct candidate *c, bool later)
{
	unsigned i = N_KEPT;

	while (i > 0 && value(c, later) > value(&kept[i - 1], later)) {
		if (i < N_KEPT)
			kept[i] = kept[i - 1];
		i--;
	}
	if (i < N_KEPT)
		kept[i] = *c;
}

/* Returns the highest cost that was found. */
static double climb(struct rng *rng, double seconds, bool later)
{
	struct candidate kept[N_KEPT] = {{.now_us = 0}};
	time_t end = time(NULL) + (time_t)seconds;
	unsigned n = 0;

	for (; time(NULL) < end; n++) {
		struct candidate c = n < 4 * N_KEPT || below(rng, 8) == 0
			? random_candidate(rng)
			: kept[below(rng, N_KEPT)];

		if (c.n_burst == 0)
			c = random_candidate(rng);
		mutate(rng, &c);
		measure(&c, 1);
		if (value(&c, later) > value(&kept[N_KEPT - 1], later))
			measure(&c, 3);
		if (value(&c, later) > value(&kept[N_KEPT - 1], later))
			keep(kept, &c, later);
	}
	printf("# the worst of %u for %s\n", n, later ? "later" : "now");
	for (unsigned i = 0; i < 3; i++)
		if (kept[i].n_burst)
			print_candidate(&kept[i]);
	fflush(stdout);
	return kept[0].n_burst ? value(&kept[0], later) : 0;
}

static int search(double seconds, uint64_t seed)
{
	struct rng rng;
	double worst;

	printf("# seed %llu\n", (unsigned long long)seed);
	rng_seed(&rng, seed);
	worst = climb(&rng, 2 * seconds / 3, false);
	climb(&rng, seconds / 3, true);
	return worst > LIMIT_US;
}

/* ---- known shapes ---- */

struct shape {
	const char *name;
	enum gm_record_type type, type_2;
	unsigned n_rec, n_src;
	bool is_new; /* sources that the group does not have */
};

#define SHAPES(X)                                                                      \
	X(block_none, GM_BLOCK, GM_BLOCK, 100, 0, false)                               \
	X(allow_none, GM_ALLOW, GM_ALLOW, 100, 0, false)                               \
	X(allow_known, GM_ALLOW, GM_ALLOW, 100, 1, false)                              \
	X(allow_new, GM_ALLOW, GM_ALLOW, 100, 1, true)                                 \
	X(block_known, GM_BLOCK, GM_BLOCK, 100, 1, false)                              \
	X(block_unknown, GM_BLOCK, GM_BLOCK, 100, 1, true)                             \
	X(is_in_short, GM_IS_IN, GM_IS_IN, 100, 1, false)                              \
	X(is_in_long, GM_IS_IN, GM_IS_IN, 1, 80, false)                                \
	X(to_in_short, GM_TO_IN, GM_TO_IN, 100, 1, false)                              \
	X(to_in_long, GM_TO_IN, GM_TO_IN, 1, 80, false)                                \
	X(block_allow, GM_BLOCK, GM_ALLOW, 100, 1, false)                              \
	X(is_ex_short, GM_IS_EX, GM_IS_EX, 100, 1, false)                              \
	X(is_ex_long, GM_IS_EX, GM_IS_EX, 1, 80, false)                                \
	X(to_ex_short, GM_TO_EX, GM_TO_EX, 100, 1, false)                              \
	X(to_ex_long, GM_TO_EX, GM_TO_EX, 1, 80, false)

/* one function for each shape, so that a profiler separates them */
#define MEASURED(name, ...)                                                            \
	static __attribute__((noinline)) void measure_##name(struct world *w,          \
		enum family family, const uint8_t *packet, size_t len)                 \
	{                                                                              \
		world_packet(w, family, 0, packet, len);                               \
		__asm__ volatile("# " #name ::: "memory");                             \
	}
SHAPES(MEASURED)

#define SHAPE(name, ...) {#name, __VA_ARGS__},
static const struct shape shape[] = {SHAPES(SHAPE)};
#define MEASURE(name, ...) measure_##name,
static void (*const measured[])(
	struct world *, enum family, const uint8_t *, size_t) = {SHAPES(MEASURE)};

/* Fills a group with n_sources sources, which each of the hosts requests in turn. */
static void fill(
	struct world *w, enum family family, unsigned n_sources, unsigned hosts)
{
	struct move m = {.v = {[FAMILY] = family,
				 [TYPE] = GM_ALLOW,
				 [TYPE_2] = GM_ALLOW,
				 [RECORDS] = 1}};

	for (unsigned h = 0; h < hosts; h++)
		for (unsigned i = 0; i < n_sources; i += m.v[SOURCES]) {
			m.v[HOST] = h;
			m.v[SOURCE] = i;
			m.v[SOURCES] = n_sources - i < 80 ? n_sources - i : 80;
			play_one(w, &m, 0);
		}
	world_pass(w, 10000);
}

static double measure_shape(
	unsigned k, enum family family, unsigned n_sources, unsigned hosts, bool fast)
{
	const struct shape *s = &shape[k];
	struct world *w = world_new(fast, 1);
	struct addr src[100 + 80];
	struct gm_record rec[100];
	uint8_t packet[WORLD_BYTES];
	unsigned first = s->is_new ? 8192 : n_sources / 2, n_rec = s->n_rec;
	double ns;
	size_t len;

	if (family == FAMILY_IPV6 && n_rec > 38)
		n_rec = 38;
	fill(w, family, n_sources, hosts);
	for (unsigned i = 0; i < n_rec + s->n_src; i++)
		src[i] = world_source(family,
			s->is_new ? first + i
				  : (first + i) % (n_sources ? n_sources : 1));
	for (unsigned i = 0; i < n_rec; i++)
		rec[i] = (struct gm_record){i % 2 ? s->type_2 : s->type,
			world_group(family, 0), src + i, s->n_src};
	len = world_encode(family, 0, 0, rec, n_rec, packet);
	world_count(w);
	measured[k](w, family, packet, len);
	ns = (double)w->packet_ns / n_rec;
	world_free(w);
	return ns;
}

static int shapes(unsigned n_sources, enum family family, unsigned hosts, bool fast)
{
	for (unsigned k = 0; k < array_len(shape); k++) {
		double best = 0;

		for (unsigned i = 0; i < 5; i++) {
			double ns = measure_shape(k, family, n_sources, hosts, fast);

			best = i == 0 || ns < best ? ns : best;
		}
		printf("%-14s %9.0f ns\n", shape[k].name, best);
	}
	return 0;
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	if (strcmp(what, "shapes") == 0)
		return shapes(argc > 2 ? (unsigned)atoi(argv[2]) : 1024,
			argc > 3 && *argv[3] == '6' ? FAMILY_IPV6 : FAMILY_IPV4,
			argc > 4 ? (unsigned)atoi(argv[4]) : 1,
			argc > 5 && strcmp(argv[5], "fast") == 0);
	if (strcmp(what, "search") == 0 && argc > 2)
		return search(atof(argv[2]), argc > 3 ? (uint64_t)atoll(argv[3]) : 1);
	if (strcmp(what, "play") == 0 && argc > 2)
		return play(argv[2]);
	fprintf(stderr,
		"usage: bench_cost shapes [SOURCES [4|6 [HOSTS [fast]]]] |\n"
		"       search SECONDS [SEED] | play FILE\n");
	return 1;
}
