/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Threads share the ports of bursts: every port gets every datagram once and in order,
 * whichever thread serves it, while threads sleep, wake, help and own bursts at the
 * same time. This also runs under the thread sanitizer.
 */

#include "dataplane/thread/sharing.h"

#include "packet.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define N_THREADS 3
#define N_OWNERS  2
#define N_PORTS	  40
#define N_FRAMES  30 /* per burst; with all ports too many for one thread alone */
#define N_BURSTS  300

/* datagrams of a port, by owner */
struct port {
	pthread_mutex_t lock;
	unsigned last[N_OWNERS], n[N_OWNERS];
};

struct thread {
	pthread_t id;
	unsigned index;
	int wakefd;
	struct forward_counters *counters;
	struct refusals *refusals;
	struct replicator *replicator;
	struct burst *burst;
	struct coalesce *runs;
	struct packet packet[N_FRAMES];
	struct replicate_flow flow;
	unsigned seq;
	unsigned n_helped;
	_Atomic unsigned wrong; /* cmocka's assertions only work in the main thread */
};

static struct sharing *sharing;
static struct plan *plan, *other_plan;
static struct port ports[N_PORTS];
static struct thread threads[N_THREADS];
static _Atomic unsigned n_working;
static _Atomic unsigned n_foreign; /* messages sent by helpers */

static unsigned caps(void *ctx, unsigned port)
{
	return 0;
}

/* The last byte of the group is the owner; identification and TOS hold the number. */
static bool take(void *ctx, unsigned port, const struct tx_msg *msg, unsigned n)
{
	struct thread *t = ctx;
	struct port *p = &ports[port];

	pthread_mutex_lock(&p->lock);
	for (unsigned i = 0; i < n; i++) {
		const uint8_t *ip = msg[i].iov[msg[i].n_iov - 1].iov_base;
		unsigned owner = ip[19];
		unsigned seq = (unsigned)(ip[1] << 16 | ip[4] << 8 | ip[5]);

		if (seq != p->last[owner] + 1)
			t->wrong++;
		p->last[owner] = seq;
		p->n[owner]++;
		if (owner != t->index)
			n_foreign++;
	}
	pthread_mutex_unlock(&p->lock);
	return true;
}

static void flush(void *ctx)
{
}

static struct tx_ops ops_of(struct thread *t)
{
	return (struct tx_ops){
		.caps = caps, .send = take, .flush = flush, .copied = true, .ctx = t};
}

static void fill_burst(struct thread *t)
{
	char group[] = "239.1.1.0";

	group[8] = (char)('0' + t->index);
	burst_clear(t->burst);
	for (unsigned i = 0; i < N_FRAMES; i++) {
		struct packet *p = &t->packet[i];
		struct frame_meta m;
		struct frame f;

		t->seq++;
		packet_v4(p, "203.0.113.9", group, 40);
		p->b[1] = (uint8_t)(t->seq >> 16);
		packet_put16(p, 4, t->seq & 0xffff);
		packet_seal(p);
		m = packet_meta(p);
		if (frame_parse(&m, 1500, &f) != VERDICT_FORWARDED)
			t->wrong++;
		burst_add(t->burst, 0, &f);
	}
	coalesce_clear(t->runs);
	t->flow.first_run = 0;
	t->flow.n_runs =
		coalesce_flow(t->runs, t->burst, &t->burst->flow[0], COALESCE_OFF);
}

static void own(struct thread *t)
{
	struct tx_ops tx = ops_of(t);

	for (unsigned i = 0; i < N_BURSTS; i++) {
		struct replicate_job job = {
			.ports = t->flow.out,
			.burst = t->burst,
			.runs = t->runs,
			.flow = &t->flow,
			.plan = plan,
		};

		fill_burst(t);
		sharing_serve(sharing, t->index, &job, t->replicator, &tx);
	}
	n_working--;
}

static void *thread_main(void *arg)
{
	struct thread *t = arg;
	struct tx_ops tx = ops_of(t);

	if (t->index < N_OWNERS)
		own(t);
	while (n_working > 0) {
		struct pollfd p = {.fd = t->wakefd, .events = POLLIN};
		uint64_t value;

		if (sharing_help(sharing, t->index, other_plan, t->replicator, &tx))
			t->wrong++; /* not the plan of its bursts */
		if (sharing_help(sharing, t->index, plan, t->replicator, &tx)) {
			t->n_helped++;
			continue;
		}
		if (!sharing_sleep(sharing, t->index))
			continue;
		if (n_working > 0 && poll(&p, 1, 1000) > 0 &&
			read(t->wakefd, &value, sizeof(value)) < 0)
			t->wrong++;
		sharing_awake(sharing, t->index);
	}
	return NULL;
}

static void init_thread(unsigned i)
{
	struct thread *t = &threads[i];

	t->index = i;
	t->wakefd = eventfd(0, EFD_NONBLOCK);
	t->counters = calloc(1, sizeof(*t->counters));
	t->refusals = calloc(1, sizeof(*t->refusals));
	t->burst = calloc(1, sizeof(*t->burst));
	t->runs = calloc(1, sizeof(*t->runs));
	assert_true(t->wakefd >= 0 && t->counters && t->burst && t->runs);
	assert_int_equal(replicate_new(t->counters, t->refusals, &t->replicator), 0);
	for (unsigned p = 0; p < N_PORTS; p++)
		portset_add(&t->flow.out, p);
	sharing_set_wake(sharing, i, t->wakefd);
}

static void deinit_thread(unsigned i)
{
	struct thread *t = &threads[i];

	close(t->wakefd);
	replicate_free(t->replicator);
	free(t->counters);
	free(t->refusals);
	free(t->burst);
	free(t->runs);
}

static void set_up(unsigned n)
{
	memset(threads, 0, sizeof(threads));
	memset(ports, 0, sizeof(ports));
	n_foreign = 0;
	assert_int_equal(sharing_new(n, &sharing), 0);
	plan = plan_new();
	other_plan = plan_new();
	assert_true(plan && other_plan);
	for (unsigned i = 0; i < N_PORTS; i++) {
		plan->port[i].has_l2 = true;
		plan->port[i].mtu = 1500;
		pthread_mutex_init(&ports[i].lock, NULL);
	}
	for (unsigned i = 0; i < n; i++)
		init_thread(i);
}

static void tear_down(unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		deinit_thread(i);
	plan_free(plan);
	plan_free(other_plan);
	assert_null(sharing_free(sharing));
}

static void test_everything_once_and_in_order(void **state)
{
	set_up(N_THREADS);
	n_working = N_OWNERS;
	for (unsigned i = 0; i < N_THREADS; i++)
		assert_int_equal(
			pthread_create(&threads[i].id, NULL, thread_main, &threads[i]),
			0);
	for (unsigned i = 0; i < N_THREADS; i++)
		pthread_join(threads[i].id, NULL);
	for (unsigned i = 0; i < N_THREADS; i++)
		assert_int_equal(threads[i].wrong, 0);
	for (unsigned i = 0; i < N_PORTS; i++)
		for (unsigned o = 0; o < N_OWNERS; o++)
			assert_int_equal(ports[i].n[o], N_BURSTS * N_FRAMES);
	print_message("%u of %u messages sent by helpers\n", n_foreign,
		N_OWNERS * N_BURSTS * N_FRAMES * N_PORTS);
	tear_down(N_THREADS);
}

/* A helper arrives while the owner flushes its queue. */
static void help_meanwhile(void *ctx)
{
	struct tx_ops tx = ops_of(&threads[1]);

	if (sharing_help(sharing, 1, plan, threads[1].replicator, &tx))
		threads[1].n_helped++;
}

/* With io_uring a send only fills a queue, and flushing is the work. That work is also
 * shared. */
static void test_queued_is_not_done(void **state)
{
	struct thread *t = &threads[0];
	struct tx_ops tx;
	struct replicate_job job = {.flow = &t->flow};

	set_up(2);
	fill_burst(t);
	job.ports = t->flow.out;
	job.burst = t->burst;
	job.runs = t->runs;
	job.plan = plan;
	tx = ops_of(t);
	tx.copied = false;
	tx.flush = help_meanwhile;
	sharing_serve(sharing, 0, &job, t->replicator, &tx);
	assert_int_equal(threads[1].n_helped, 1);
	assert_in_range(n_foreign, N_PORTS / 2 * N_FRAMES, N_PORTS * N_FRAMES);
	for (unsigned i = 0; i < N_PORTS; i++)
		assert_int_equal(ports[i].n[0], N_FRAMES);
	tear_down(2);
}

/* Four ports at 1 ms each: the outcome depends on the cost of help, and on how often it
 * was too high before. */
static void test_trust(void **state)
{
	const struct {
		unsigned own, own_ms, all_ms, alone;
	} row[] = {
		{2, 2, 2, 0},
		{2, 2, 3, 0},
		{3, 3, 4, 0}, /* no slower than alone */
		{3, 3, 5, 1},
		{1, 1, 40, 2},
		{0, 0, 9, 0}, /* all done by helpers */
		{3, 3, 5, 4},
		{4, 4, 4, 0}, /* no helper came */
		{3, 3, 5, 8},
		{2, 2, 2, 0}, /* help pays again */
		{3, 3, 5, 1},
		{3, 3, 5, 2},
		{3, 3, 5, 4},
		{3, 3, 5, 8},
		{3, 3, 5, 16},
		{3, 3, 5, 32},
		{3, 3, 5, 64},
		{3, 3, 5, 128},
		{3, 3, 5, SHARING_ALONE_MAX},
		{3, 3, 5, SHARING_ALONE_MAX},
		{2, 2, 2, 0},
	};
	struct sharing_trust t = {0};

	for (unsigned i = 0; i < array_len(row); i++) {
		unsigned n = 0;

		sharing_trust_judge(&t, row[i].own, 4,
			row[i].own_ms * UINT64_C(1000000),
			row[i].all_ms * UINT64_C(1000000));
		while (!sharing_trust_ask(&t))
			n++;
		assert_int_equal(n, row[i].alone);
		assert_true(sharing_trust_ask(&t));
	}
}

static void test_too_many(void **state)
{
	struct sharing *c;

	assert_int_equal(sharing_new(SHARING_MAX + 1, &c), -EINVAL);
	assert_int_equal(sharing_new(SHARING_MAX, &c), 0);
	sharing_free(c);
}

/* A single thread can sleep at once, and has no one to help. */
static void test_alone(void **state)
{
	struct sharing *c;

	assert_int_equal(sharing_new(1, &c), 0);
	assert_true(sharing_sleep(c, 0));
	sharing_awake(c, 0);
	assert_false(sharing_help(c, 0, NULL, NULL, NULL));
	sharing_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_everything_once_and_in_order),
		cmocka_unit_test(test_queued_is_not_done),
		cmocka_unit_test(test_trust),
		cmocka_unit_test(test_too_many),
		cmocka_unit_test(test_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
