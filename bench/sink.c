/* SPDX-License-Identifier: GPL-2.0-or-later */

/* bench_sink OBJECT PREFIX COUNT: attach the counting program in OBJECT to the
 * interfaces PREFIX0, PREFIX1 ... of this network namespace, then read commands from
 * standard input and answer each with a line of JSON:
 *
 *	run ID SIZE	begin a run with frames of SIZE bytes: all counts become 0
 *	wait N MS	wait until each port has N datagrams and none is under way, or
 *			until none came for MS milliseconds; answers the totals
 *	read		the present totals
 *	watch FLOW	record from now on when datagrams of FLOW arrive
 *	watched PORT	what was recorded on that port
 *
 * The program ends with its input; the filters vanish with the namespace. */

#include "sink.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <errno.h>
#include <inttypes.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

static volatile struct sink_shared *shared;
static unsigned n_ports;

static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static int fail(const char *what, int err)
{
	fprintf(stderr, "bench_sink: %s: %s\n", what, strerror(err < 0 ? -err : err));
	return 1;
}

static struct sink_count port_count(unsigned port)
{
	struct sink_count t = {0};

	for (unsigned cpu = 0; cpu < SINK_CPUS; cpu++) {
		volatile struct sink_count *c = &shared->count[cpu][port];

		t.datagrams += c->datagrams;
		t.bytes += c->bytes;
		t.skbs += c->skbs;
		t.lost += c->lost;
		t.duplicate += c->duplicate;
		t.late += c->late;
		t.corrupt += c->corrupt;
		t.foreign += c->foreign;
		t.fec += c->fec;
	}
	return t;
}

static uint64_t n_datagrams(void)
{
	uint64_t n = 0;

	for (unsigned p = 0; p < n_ports; p++)
		n += port_count(p).datagrams;
	return n;
}

/* Returns the end of the bucket with the given quantile of all latencies, which is at
 * most 1/16 too high. */
static uint64_t percentile(const uint64_t *bucket, uint64_t n, double part)
{
	uint64_t seen = 0;

	for (unsigned b = 0; b < SINK_BUCKETS; b++) {
		seen += bucket[b];
		if (seen >= (uint64_t)((double)n * part) && seen)
			return (uint64_t)(17 + b % 16) << (b / 16) >> 4;
	}
	return 0;
}

static void print_latency(void)
{
	static uint64_t bucket[SINK_BUCKETS];
	uint64_t n = 0, min = UINT64_MAX, max = 0;

	memset(bucket, 0, sizeof(bucket));
	for (unsigned cpu = 0; cpu < SINK_CPUS; cpu++) {
		volatile struct sink_latency *l = &shared->latency[cpu];

		if (!l->n)
			continue;
		n += l->n;
		min = l->min < min ? l->min : min;
		max = l->max > max ? l->max : max;
		for (unsigned b = 0; b < SINK_BUCKETS; b++)
			bucket[b] += l->bucket[b];
	}
	if (!n)
		return;
	printf(", \"latency\": {\"n\": %" PRIu64 ", \"min\": %" PRIu64
	       ", \"p50\": %" PRIu64 ", \"p99\": %" PRIu64 ", \"p999\": %" PRIu64
	       ", \"max\": %" PRIu64 "}",
		n, min, percentile(bucket, n, 0.5), percentile(bucket, n, 0.99),
		percentile(bucket, n, 0.999), max);
}

static void print_totals(int64_t last_ns)
{
	struct sink_count t = {0};
	uint64_t least = UINT64_MAX, most = 0;

	for (unsigned p = 0; p < n_ports; p++) {
		struct sink_count c = port_count(p);

		t.datagrams += c.datagrams;
		t.bytes += c.bytes;
		t.skbs += c.skbs;
		t.lost += c.lost;
		t.duplicate += c.duplicate;
		t.late += c.late;
		t.corrupt += c.corrupt;
		t.foreign += c.foreign;
		t.fec += c.fec;
		least = c.datagrams < least ? c.datagrams : least;
		most = c.datagrams > most ? c.datagrams : most;
	}
	printf("{\"datagrams\": %" PRIu64 ", \"bytes\": %" PRIu64 ", \"skbs\": %" PRIu64
	       ", \"least\": %" PRIu64 ", \"most\": %" PRIu64 ", \"lost\": %" PRIu64
	       ", \"duplicate\": %" PRIu64 ", \"late\": %" PRIu64
	       ", \"corrupt\": %" PRIu64 ", \"foreign\": %" PRIu64 ", \"fec\": %" PRIu64
	       ", \"last\": %.6f",
		(uint64_t)t.datagrams, (uint64_t)t.bytes, (uint64_t)t.skbs, least, most,
		(uint64_t)t.lost, (uint64_t)t.duplicate, (uint64_t)t.late,
		(uint64_t)t.corrupt, (uint64_t)t.foreign, (uint64_t)t.fec,
		(double)last_ns / 1e9);
	print_latency();
	printf("}\n");
}

/* Waits; returns the time of the last arrival, with an error of at most a
 * millisecond. */
static int64_t wait_quiet(uint64_t due, int64_t quiet_ns)
{
	const struct timespec pause = {.tv_nsec = 1000000};
	uint64_t seen = n_datagrams();
	int64_t last = now_ns();

	while (seen < due && now_ns() - last < quiet_ns) {
		uint64_t n;

		nanosleep(&pause, NULL);
		n = n_datagrams();
		if (n != seen) {
			seen = n;
			last = now_ns();
		}
	}
	return last;
}

static int attach(const struct bpf_program *prog, const char *ifname)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)if_nametoindex(ifname),
		.attach_point = BPF_TC_INGRESS);
	LIBBPF_OPTS(bpf_tc_opts, opts, .prog_fd = bpf_program__fd(prog));
	int r;

	if (!hook.ifindex)
		return -errno;
	r = bpf_tc_hook_create(&hook);
	if (r && r != -EEXIST)
		return r;
	return bpf_tc_attach(&hook, &opts);
}

/* Maps the variables of the program. */
static struct sink_shared *shared_of(const struct bpf_object *obj)
{
	struct bpf_map *map;
	void *p;

	bpf_object__for_each_map(map, obj)
	{
		if (!strstr(bpf_map__name(map), ".bss") ||
			bpf_map__value_size(map) < sizeof(struct sink_shared))
			continue;
		p = mmap(NULL, sizeof(struct sink_shared), PROT_READ | PROT_WRITE,
			MAP_SHARED, bpf_map__fd(map), 0);
		return p == MAP_FAILED ? NULL : p;
	}
	return NULL;
}

static int load(const char *path, const char *prefix)
{
	struct bpf_object *obj = bpf_object__open_file(path, NULL);
	const struct bpf_program *prog;
	int r;

	if (!obj)
		return fail(path, errno);
	r = bpf_object__load(obj);
	if (r)
		return fail("load", r);
	prog = bpf_object__find_program_by_name(obj, "sink");
	shared = shared_of(obj);
	if (!prog || !shared)
		return fail("contents of the object", EINVAL);
	for (unsigned p = 0; p < n_ports; p++) {
		char ifname[IF_NAMESIZE];

		snprintf(ifname, sizeof(ifname), "%s%u", prefix, p);
		r = attach(prog, ifname);
		if (r)
			return fail(ifname, r);
	}
	return 0;
}

static void obey(const char *line)
{
	unsigned run, size, skip, quiet_ms, flow, port;
	uint64_t due;

	if (sscanf(line, "run %u %u %u", &run, &size, &skip) == 3) {
		memset((void *)(uintptr_t)shared, 0, sizeof(*shared));
		shared->run = run;
		shared->payload_len = size - BENCH_HEADERS;
		shared->skip = skip;
		shared->n_ports = n_ports;
		printf("{}\n");
	} else if (sscanf(line, "wait %" SCNu64 " %u", &due, &quiet_ms) == 2) {
		print_totals(wait_quiet(due * n_ports, (int64_t)quiet_ms * 1000000));
	} else if (sscanf(line, "watch %u", &flow) == 1) {
		shared->watch = 0;
		memset((void *)(uintptr_t)shared->watched, 0, sizeof(shared->watched));
		shared->watch = flow + 1;
		printf("{}\n");
	} else if (sscanf(line, "watched %u", &port) == 1 && port < n_ports) {
		volatile struct sink_watched *w = &shared->watched[port];

		printf("{\"n\": %" PRIu64 ", \"first\": %" PRIu64 ", \"last\": %" PRIu64
		       "}\n",
			(uint64_t)w->n, (uint64_t)w->first_ns, (uint64_t)w->last_ns);
	} else {
		print_totals(now_ns());
	}
	fflush(stdout);
}

int main(int argc, char **argv)
{
	char line[128];

	if (argc != 4 || (n_ports = (unsigned)atoi(argv[3])) > BENCH_MAX_PORTS) {
		fprintf(stderr, "usage: bench_sink OBJECT PREFIX COUNT\n");
		return 1;
	}
	libbpf_set_strict_mode(LIBBPF_STRICT_ALL);
	if (load(argv[1], argv[2]))
		return 1;
	printf("{\"ports\": %u}\n", n_ports);
	fflush(stdout);
	while (fgets(line, sizeof(line), stdin))
		obey(line);
	return 0;
}
