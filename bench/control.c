/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Measures how much a report costs the control thread. The core has 8 downstreams and a
 * number of groups with 3 sources each, and gets reports as in the daemon, one round of
 * the loop per report: input, deadline, tick, effects cleared. Three kinds of report:
 *
 *   refresh  repeats what is known; only deadlines move
 *   source   a source comes or goes, so the upstream is told
 *   zap      a group is left and another one joined, with fast leave
 *
 * Printed per kind: nanoseconds at 100, 1,000 and 10,000 groups, and the ratio of the
 * last to the first, which is 1 if the work does not depend on the number of groups.
 *
 *   bench_control                        everything
 *   bench_control KIND GROUPS REPORTS    one measurement, for a profiler
 *   bench_control join GROUPS            GROUPS new groups, a round for 25 reports
 */

#include "base/cleanup.h"
#include "control/proxy/instances.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define N_LANS	  8
#define N_SOURCES 3
#define N_REPORTS 100000
#define N_ROUNDS  5  /* the fastest counts, because the others were disturbed */
#define N_JOINS	  25 /* reports that a round finds at 50,000 per second */

struct bench {
	enum family family;
	struct instances *instances;
	struct config *cfg;
	struct iface_table ifaces;
	struct effects fx;
	mono_t now;
	unsigned n_groups;
	struct proxy_port *lan[N_LANS];
	size_t n_effects;
};

static const char config[] = "fast-leave\nmax-groups-per-host 0\n"
			     "phyint wan upstream altnet 0.0.0.0/0\n"
			     "phyint lan0 downstream\nphyint lan1 downstream\n"
			     "phyint lan2 downstream\nphyint lan3 downstream\n"
			     "phyint lan4 downstream\nphyint lan5 downstream\n"
			     "phyint lan6 downstream\nphyint lan7 downstream\n";

static void die_if(bool failed, const char *what)
{
	if (!failed)
		return;
	fprintf(stderr, "bench_control: %s\n", what);
	exit(1);
}

static struct addr numbered(enum family family, unsigned kind, unsigned n)
{
	struct addr v4 =
		ADDR_V4(kind, (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n);
	struct addr v6 = {
		{0x20, 0x01, 0x0d, 0xb8, (uint8_t)kind, [13] = (uint8_t)(n >> 16),
			[14] = (uint8_t)(n >> 8), [15] = (uint8_t)n}};

	if (kind == 232) {
		v6.b[0] = 0xff;
		v6.b[1] = 0x3e;
		v6.b[2] = v6.b[3] = v6.b[4] = 0;
		v6.b[12] = 0x80;
	}
	return family == FAMILY_IPV4 ? v4 : v6;
}

static struct addr station(enum family family, unsigned lan, unsigned n)
{
	struct addr v6 = {{0xfe, 0x80, [14] = (uint8_t)lan, [15] = (uint8_t)n}};

	return family == FAMILY_IPV4 ? ADDR_V4(192, 168, (uint8_t)lan, (uint8_t)n) : v6;
}

static void add_iface(struct bench *b, const char *name, unsigned n)
{
	struct iface i = {.ifindex = (int)n + 1,
		.arphrd = 1,
		.mtu = 1500,
		.up = true,
		.multicast = true};
	struct iface_addr a = {.addr = station(b->family, n, 1)};

	a.subnet = prefix_from_addr(&a.addr, b->family == FAMILY_IPV4 ? 24 : 64);
	snprintf(i.name, sizeof(i.name), "%s", name);
	die_if(iface_link(&b->ifaces, &i) != 1, "no interface");
	die_if(iface_addr_set(&b->ifaces, i.ifindex, &a) != 1, "no address");
}

static void hear(struct bench *b, unsigned n, const struct gm_record *rec)
{
	struct proxy_port *pp = b->lan[n % N_LANS];
	struct gm_msg msg = {
		.kind = GM_REPORT,
		.family = b->family,
		.version = GM_V3,
		.from = station(b->family, 1 + n % N_LANS, 10),
		.rec = rec,
		.n_rec = 1,
	};

	die_if(proxy_input(b->instances->instance[0].proxy, b->now, pp->port, &msg,
		       &b->fx) != GM_OK,
		"a report was refused");
	b->now = mono_add_ns(b->now, 1000); /* a million reports per second */
}

static void end_round(struct bench *b)
{
	if (mono_due(instances_deadline(b->instances), b->now))
		instances_tick(b->instances, b->now, &b->fx);
	b->n_effects += b->fx.n;
	effects_clear(&b->fx);
}

/* Runs one round of the loop with a report. */
static void report(struct bench *b, unsigned n, enum gm_record_type type,
	unsigned first, unsigned n_src)
{
	struct addr src[N_SOURCES + 1];
	struct gm_record rec = {type, numbered(b->family, 232, n), src, n_src};

	for (unsigned i = 0; i < n_src; i++)
		src[i] = numbered(b->family, 10, first + i);
	hear(b, n, &rec);
	end_round(b);
}

static void setup(struct bench *b, enum family family, unsigned n_groups)
{
	bool families[_FAMILY_N] = {false};
	char name[16];

	*b = (struct bench){
		.family = family, .now = mono_from_ms(1000000), .n_groups = n_groups};
	families[family] = true;
	die_if(config_parse(config, sizeof(config) - 1, &b->cfg) != 0, "configuration");
	add_iface(b, "wan", 0);
	for (unsigned i = 0; i < N_LANS; i++) {
		snprintf(name, sizeof(name), "lan%u", i);
		add_iface(b, name, i + 1);
	}
	die_if(instances_new(families, 1, &b->instances) != 0 ||
			instances_sync(
				b->instances, b->now, b->cfg, &b->ifaces, &b->fx) != 0,
		"no router");
	for (unsigned i = 0; i < N_LANS; i++)
		b->lan[i] = instances_port_by_index(b->instances, (int)i + 2);
	for (unsigned n = 0; n < n_groups; n++)
		report(b, n, GM_ALLOW, 1, N_SOURCES);
	/* finish all repeats before anything is measured */
	b->now = mono_add_ms(b->now, 5000);
	instances_tick(b->instances, b->now, &b->fx);
	effects_clear(&b->fx);
	b->n_effects = 0;
}

static void teardown(struct bench *b)
{
	instances_free(b->instances);
	config_free(b->cfg);
	iface_table_deinit(&b->ifaces);
	effects_deinit(&b->fx);
}

/* ---- kinds of reports; `i` is a counter, `n` a group ---- */

static void refresh(struct bench *b, unsigned i, unsigned n)
{
	report(b, n, GM_IS_IN, 1, N_SOURCES);
}

static void source(struct bench *b, unsigned i, unsigned n)
{
	report(b, n, i % 2 ? GM_BLOCK : GM_ALLOW, N_SOURCES + 1, 1);
}

static void zap(struct bench *b, unsigned i, unsigned n)
{
	report(b, n, i % 2 ? GM_ALLOW : GM_BLOCK, 1, N_SOURCES);
}

static const struct {
	const char *name;
	void (*one)(struct bench *b, unsigned i, unsigned n);
	unsigned per_group; /* successive reports for one group */
} kind[] = {{"refresh", refresh, 1}, {"source", source, 2}, {"zap", zap, 2}};

static double seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* Returns nanoseconds per report. */
static double measure(enum family family, unsigned k, unsigned n_groups,
	unsigned n_reports, unsigned n_rounds, double *ret_effects)
{
	double best = 0;

	for (unsigned round = 0; round < n_rounds; round++) {
		struct rng rng;
		struct bench b;
		unsigned n = 0;
		double from, ns;

		rng_seed(&rng, 1);
		setup(&b, family, n_groups);
		from = seconds();
		for (unsigned i = 0; i < n_reports; i++) {
			if (i % kind[k].per_group == 0)
				n = (unsigned)rng_below(&rng, n_groups);
			kind[k].one(&b, i, n);
		}
		ns = (seconds() - from) * 1e9 / n_reports;
		if (round == 0 || ns < best)
			best = ns;
		*ret_effects = (double)b.n_effects / n_reports;
		teardown(&b);
	}
	return best;
}

static int one_measurement(char **argv)
{
	double effects;

	for (unsigned k = 0; k < array_len(kind); k++)
		if (strcmp(argv[1], kind[k].name) == 0) {
			printf("%.0f ns\n",
				measure(FAMILY_IPV4, k, (unsigned)atoi(argv[2]),
					(unsigned)atoi(argv[3]), 1, &effects));
			return 0;
		}
	return 1;
}

/* Starts with an empty table and joins new groups, so that tables and heaps grow. */
static int joins(unsigned n_groups)
{
	struct bench b;
	double from;

	setup(&b, FAMILY_IPV4, 0);
	from = seconds();
	for (unsigned n = 0; n < n_groups; n++) {
		struct gm_record rec = {GM_TO_EX, numbered(b.family, 239, n), NULL, 0};

		hear(&b, n, &rec);
		if (n % N_JOINS == N_JOINS - 1 || n == n_groups - 1)
			end_round(&b);
	}
	printf("%.0f ns\n", (seconds() - from) * 1e9 / n_groups);
	teardown(&b);
	return 0;
}

int main(int argc, char **argv)
{
	static const unsigned sizes[] = {100, 1000, 10000};
	static const char *const names[] = {"IPv4", "IPv6"};

	if (argc == 3 && strcmp(argv[1], "join") == 0)
		return joins((unsigned)atoi(argv[2]));
	if (argc == 4)
		return one_measurement(argv);
	printf("family  report   effects   ns at 100     at 1000    at 10000   ratio\n");
	for (unsigned f = 0; f < _FAMILY_N; f++)
		for (unsigned k = 0; k < array_len(kind); k++) {
			double ns[array_len(sizes)], effects = 0;

			for (unsigned i = 0; i < array_len(sizes); i++)
				ns[i] = measure((enum family)f, k, sizes[i], N_REPORTS,
					N_ROUNDS, &effects);
			printf("%-7s %-8s %7.2f %11.0f %11.0f %11.0f %7.2f\n", names[f],
				kind[k].name, effects, ns[0], ns[1], ns[2],
				ns[2] / ns[0]);
		}
	return 0;
}
