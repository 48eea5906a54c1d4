/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Measures the cost of the forwarding table: memory, lookups, changes, and the longest
 * change while the table grows and shrinks under constant lookups.
 *
 *   bench_table [ENTRIES [shared|distinct]]
 *
 * Sets of 256 ports are of two kinds. "shared" has 300 different sets, as if many
 * groups were watched by a few kinds of households; in "distinct", each entry has its
 * own. Resident memory is the growth of the process since before the table was created.
 *
 * The scheduler of the machine, or unseen the host of a virtual machine, sometimes
 * stops a thread. Therefore the same changes are made in several rounds, and the
 * fastest time of each change counts: a change that was slow only once was disturbed.
 * An empty loop shows how much a single round would be disturbed.
 */

#include "base/cleanup.h"
#include "base/rng.h"
#include "dataplane/fib/fib.h"
#include "dataplane/fib/tsan.h"

#include <pthread.h>
#include <stdio.h>
#include <time.h>
#include <urcu-qsbr.h>

#define N_SHARED  300
#define N_LOOKUPS 4000000
#define N_ROUNDS  5
#define N_RANDOM  500000
#define BURST	  64
#define RATE	  10000 /* changes per second */
#define SECONDS	  5

static const struct addr any = ADDR_V4(0, 0, 0, 0);
static const struct addr source = ADDR_V4(10, 0, 0, 1);
static unsigned n_entries = 1000000;
static struct fib *fib;
static long base_kb;
static uint64_t n_found;
static struct addr *group;
static int32_t *took_ns; /* of each change, in the fastest round so far */

static void die_if(bool failed, const char *what)
{
	if (!failed)
		return;
	fprintf(stderr, "bench_table: %s\n", what);
	exit(1);
}

static int64_t clock_ns(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static int64_t now_ns(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

static long resident_kb(void)
{
	long pages = 0;
	FILE *f = fopen("/proc/self/statm", "re");

	die_if(!f || fscanf(f, "%*d %ld", &pages) != 1, "no /proc/self/statm");
	fclose(f);
	return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

static void print_memory(const char *when)
{
	printf("  %-26s %6.1f MB resident, %.1f MB by the table's own account\n", when,
		(double)(resident_kb() - base_kb) * 1024 / 1e6,
		fib ? (double)fib_bytes(fib) / 1e6 : 0);
}

static struct portset set_number(bool distinct, uint64_t n)
{
	struct rng rng;
	struct portset s;

	rng_seed(&rng, distinct ? n : n % N_SHARED);
	for (unsigned i = 0; i < array_len(s.w); i++)
		s.w[i] = rng_next(&rng);
	return s;
}

/* ---- changes ---- */

static void rest(void)
{
	tsan_let_go();
	rcu_quiescent_state();
}

/* Returns nanoseconds. If `out` is NULL, the entry is deleted. */
static int32_t change(unsigned n, const struct portset *out)
{
	int64_t from = now_ns();
	int r = 0;

	if (out)
		r = fib_set(fib, 0, &any, &group[n], out);
	else
		fib_del(fib, 0, &any, &group[n]);
	from = now_ns() - from;
	die_if(r < 0, "out of memory");
	rest();
	return from < INT32_MAX ? (int32_t)from : INT32_MAX;
}

static int32_t look(unsigned n)
{
	int64_t from = now_ns();
	const struct fib_outset *out;

	n_found += fib_lookup(fib, 0, &any, &group[n], &out) != NULL;
	from = now_ns() - from;
	rest();
	return from < INT32_MAX ? (int32_t)from : INT32_MAX;
}

/* The changes of a round: fill the table, empty it, or change random entries of a full
 * one. */
enum kind { FILL, EMPTY, RANDOM };

static void change_all(enum kind kind, bool distinct, int32_t *took, unsigned round)
{
	unsigned n_changes = kind == RANDOM ? N_RANDOM : n_entries;
	struct rng rng;

	rng_seed(&rng, 5);
	for (unsigned i = 0; i < n_changes; i++) {
		bool other = kind == RANDOM;
		unsigned n = other ? (unsigned)rng_below(&rng, n_entries) : i;
		uint64_t number = other ? (uint64_t)n_entries * (2 + round) + i : n;
		struct portset s = set_number(distinct, number);
		int32_t ns = change(n, kind == EMPTY ? NULL : &s);

		if (took && (round == 0 || ns < took[i]))
			took[i] = ns;
	}
}

static int by_value(const void *x, const void *y)
{
	int32_t a = *(const int32_t *)x, b = *(const int32_t *)y;

	return (a > b) - (a < b);
}

static void print_times(const char *what, int32_t *took, unsigned n)
{
	double sum = 0;

	for (unsigned i = 0; i < n; i++)
		sum += took[i];
	qsort(took, n, sizeof(*took), by_value);
	printf("  %-26s %6.0f ns each, 99.9 %% within %.1f us, longest %.1f us\n", what,
		sum / n, took[n - 1 - n / 1000] / 1e3, took[n - 1] / 1e3);
}

static void fill(bool distinct)
{
	change_all(FILL, distinct, NULL, 0);
}

static void empty(void)
{
	change_all(EMPTY, false, NULL, 0);
}

static void wait_for_reclaim(void)
{
	tsan_let_go();
	rcu_thread_offline();
	rcu_barrier();
	rcu_thread_online();
}

/* Runs the rounds. The table is empty before and full afterwards. */
static void time_changes(bool distinct)
{
	int32_t *del = calloc(n_entries, sizeof(*del));
	int32_t *random = calloc(N_RANDOM, sizeof(*random));

	die_if(!del || !random, "out of memory");
	for (unsigned round = 0; round < N_ROUNDS; round++) {
		change_all(FILL, distinct, took_ns, round);
		change_all(RANDOM, distinct, random, round);
		change_all(EMPTY, distinct, del, round);
	}
	print_times("insert, growing", took_ns, n_entries);
	print_times("change of a random entry", random, N_RANDOM);
	print_times("delete, shrinking", del, n_entries);
	free(del);
	free(random);
}

/* ---- lookups ---- */

static void look_up_one_by_one(const unsigned *n)
{
	for (unsigned i = 0; i < BURST; i++) {
		const struct fib_outset *out;

		if (fib_lookup(fib, 0, &source, &group[n[i]], &out))
			n_found += out->n_ports > 0;
	}
}

static void look_up_burst(const unsigned *n)
{
	struct fib_query q[BURST];

	for (unsigned i = 0; i < BURST; i++)
		q[i] = (struct fib_query){
			.instance = 0, .source = &source, .group = &group[n[i]]};
	fib_lookup_burst(fib, q, BURST);
	for (unsigned i = 0; i < BURST; i++)
		if (q[i].entry)
			n_found += q[i].out->n_ports > 0;
}

static double lookup_ns(void (*look_up)(const unsigned *n), unsigned n_groups)
{
	struct rng rng;
	int64_t sum = 0, from;
	unsigned n[BURST];

	rng_seed(&rng, 9);
	for (unsigned done = 0; done < N_LOOKUPS; done += BURST) {
		/* like an address in a cached frame */
		for (unsigned i = 0; i < BURST; i++) {
			n[i] = (unsigned)rng_below(&rng, n_groups);
			__builtin_prefetch(&group[n[i]]);
		}
		from = now_ns();
		look_up(n);
		sum += now_ns() - from;
		if (done % 1024 == 0)
			rest();
	}
	return (double)sum / N_LOOKUPS;
}

static void look_up_all(void)
{
	static const unsigned sizes[] = {1, 1000, 0};

	for (unsigned i = 0; i < array_len(sizes); i++) {
		unsigned n = sizes[i] ? sizes[i] : n_entries;

		printf("  lookup among %7u groups %7.1f ns one by one", n,
			lookup_ns(look_up_one_by_one, n));
		printf(", %.1f ns in bursts of %d", lookup_ns(look_up_burst, n), BURST);
		printf("\n");
	}
}

/* ---- a reader next to the writer ---- */

struct reader {
	pthread_t thread;
	unsigned index;
	atomic_bool stop;
	bool count; /* whether to look up every entry in turn, once */
	uint64_t lookups, n_missing;
	int64_t longest; /* between two quiescent states */
};

static void read_some(struct reader *r, struct rng *rng, unsigned *next)
{
	struct fib_query q[BURST];

	for (unsigned i = 0; i < BURST; i++) {
		unsigned n = r->count ? (*next)++ % n_entries
				      : (unsigned)rng_below(rng, n_entries);

		q[i] = (struct fib_query){.source = &source, .group = &group[n]};
	}
	fib_lookup_burst(fib, q, BURST);
	r->lookups += BURST;
	for (unsigned i = 0; i < BURST; i++)
		if (q[i].entry)
			fib_count(fib, q[i].entry, 1, 1000, &source, r->index, 0);
		else
			r->n_missing++;
}

static void *read_on(void *arg)
{
	struct reader *r = arg;
	unsigned next = 0;
	int64_t last, now;
	struct rng rng;

	rng_seed(&rng, r->index);
	rcu_register_thread();
	last = now_ns();
	while (!atomic_load_explicit(&r->stop, memory_order_relaxed) &&
		!(r->count && next >= n_entries)) {
		read_some(r, &rng, &next);
		rest();
		now = now_ns();
		if (now - last > r->longest)
			r->longest = now - last;
		last = now;
	}
	tsan_let_go();
	rcu_unregister_thread();
	return NULL;
}

static void start_reader(struct reader *r)
{
	die_if(pthread_create(&r->thread, NULL, read_on, r) != 0, "no thread");
}

static void join_reader(struct reader *r)
{
	tsan_let_go();
	rcu_thread_offline();
	pthread_join(r->thread, NULL);
	rcu_thread_online();
}

static void hit_every_entry(void)
{
	for (unsigned i = 0; i < 2; i++) {
		struct reader r = {.index = i, .count = true};

		start_reader(&r);
		join_reader(&r);
		die_if(r.n_missing, "an entry is missing");
	}
}

static void sleep_until(int64_t ns)
{
	struct timespec ts = {ns / 1000000000, ns % 1000000000};

	tsan_let_go();
	rcu_thread_offline();
	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL) != 0)
		;
	rcu_thread_online();
}

/* Prints the longest pause of a loop that only reads the clock. */
static void print_machine(void)
{
	int64_t start = now_ns(), last = start, longest = 0, now;

	for (now = start; now < start + 2000000000; now = now_ns()) {
		if (now - last > longest)
			longest = now - last;
		last = now;
	}
	printf("the machine: an empty loop of 2 s is stopped for up to %.0f us\n",
		(double)longest / 1e3);
}

static void print_reader(const struct reader *r, int64_t took)
{
	printf("    reader: %.1f million lookups per second, %llu without result, up to "
	       "%.0f us between two quiescent states\n",
		(double)r->lookups * 1e3 / (double)took,
		(unsigned long long)r->n_missing, (double)r->longest / 1e3);
}

/* Without changes, the writer only reads the clock, to show what the machine adds. */
static void change_under_traffic(bool distinct, bool changes)
{
	int32_t *took = calloc(RATE * SECONDS, sizeof(*took));
	struct reader r = {.index = 0};
	int64_t start = now_ns(), end, cpu, most_cpu = 0;
	unsigned n_over = 0;
	struct rng rng;

	die_if(!took, "out of memory");
	rng_seed(&rng, 6);
	start_reader(&r);
	for (unsigned i = 0; i < RATE * SECONDS; i++) {
		unsigned n = (unsigned)rng_below(&rng, n_entries);
		struct portset s = set_number(distinct, (uint64_t)n_entries * 99 + i);

		if (i % (RATE / 1000) == 0)
			sleep_until(start + (int64_t)i * (1000000000 / RATE));
		cpu = clock_ns(CLOCK_THREAD_CPUTIME_ID);
		took[i] = changes ? change(n, &s) : look(n);
		cpu = clock_ns(CLOCK_THREAD_CPUTIME_ID) - cpu;
		most_cpu = cpu > most_cpu ? cpu : most_cpu;
		n_over += took[i] > 1000000;
	}
	end = now_ns();
	atomic_store(&r.stop, true);
	join_reader(&r);
	print_times(changes ? "10,000 changes per second" : "no changes, only reading",
		took, RATE * SECONDS);
	printf("    %u above 1 ms by the clock; longest by the thread's CPU time %.1f us\n",
		n_over, (double)most_cpu / 1e3);
	print_reader(&r, end - start);
	free(took);
}

/* Adds and deletes entries as fast as possible, so that the table grows and shrinks
 * fully. */
static void grow_under_traffic(bool distinct)
{
	struct reader r = {.index = 1};
	int64_t start, end;

	start_reader(&r);
	start = now_ns();
	change_all(FILL, distinct, took_ns, 0);
	end = now_ns();
	atomic_store(&r.stop, true);
	join_reader(&r);
	print_times("insert, one round, reader", took_ns, n_entries);
	print_reader(&r, end - start);
}

static void measure(bool distinct)
{
	printf("%u entries, %s sets\n", n_entries, distinct ? "distinct" : "shared");
	base_kb = resident_kb();
	die_if(fib_new(2, 1, &fib) != 0, "out of memory");
	fill(distinct);
	print_memory("full");
	hit_every_entry();
	print_memory("counted by two threads");
	look_up_all();
	change_under_traffic(distinct, false);
	change_under_traffic(distinct, true);
	print_memory("after the changes");
	empty();
	wait_for_reclaim();
	print_memory("empty");
	time_changes(distinct);
	grow_under_traffic(distinct);
	fib = fib_free(fib);
	print_memory("gone");
}

int main(int argc, char **argv)
{
	if (argc > 1)
		n_entries = (unsigned)atoi(argv[1]);
	die_if(n_entries == 0, "usage: bench_table [ENTRIES [shared|distinct]]");
	group = calloc(n_entries, sizeof(struct addr));
	took_ns = calloc(n_entries, sizeof(*took_ns));
	die_if(!group || !took_ns, "out of memory");
	for (unsigned i = 0; i < n_entries; i++)
		took_ns[i] = 1; /* touches the memory before the table is measured */
	for (unsigned i = 0; i < n_entries; i++)
		group[i] = ADDR_V4((uint8_t)(225 + (i >> 24)), (uint8_t)(i >> 16),
			(uint8_t)(i >> 8), (uint8_t)i);
	rcu_register_thread();
	print_machine();
	if (argc < 3 || strcmp(argv[2], "shared") == 0)
		measure(false);
	if (argc < 3 || strcmp(argv[2], "distinct") == 0)
		measure(true);
	die_if(n_found == 0, "nothing was found");
	rcu_unregister_thread();
	free(took_ns);
	free(group);
	return 0;
}
