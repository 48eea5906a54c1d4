/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The data plane as a whole, see dataplane.h: sockets per port, threads, and their
 * settings. Only for the control thread. Counters are in dataplane_stats.c.
 *
 * A port has up to three sets of sockets (transmit, IPv4 ring, IPv6 ring), each with
 * one socket per thread. dataplane_apply() compares the plan with the sets, opens and
 * retires what differs, and publishes a new generation: plan and one worker_config per
 * thread. The old generation, with the retired sets, is freed by call_rcu when every
 * thread has let go of it. Closing a ring takes milliseconds, so the call_rcu thread
 * does it and not the control thread.
 */

#include "dataplane/thread/dataplane.h"

#include "base/cleanup.h"
#include "dataplane/fib/grace.h"
#include "dataplane/fib/tsan.h"
#include "dataplane/forward/collect.h"
#include "dataplane/io/tx_uring.h"
#include "dataplane/thread/cpus.h"
#include "dataplane/thread/dataplane_priv.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <urcu-qsbr.h>

/* Sets of sockets */

static void add_total(_Atomic uint64_t *total, uint64_t n)
{
	atomic_fetch_add_explicit(total, n, memory_order_relaxed);
}

void dataplane_read_rings(struct dataplane *dp, struct socket_set *s)
{
	_Atomic uint64_t *count = dp->port[s->port].count;

	if (dp->given)
		return;
	for (unsigned i = 0; s->kind != SET_TX && i <= s->n; i++) {
		struct ring_rx *r = i < s->n ? s->thread[i].ring : s->gap;
		struct ring_rx_stats st;

		if (!r)
			continue;
		ring_rx_stats(r, &st);
		add_total(&count[PORT_COUNT_RING_PACKETS], st.packets);
		add_total(&count[PORT_COUNT_RING_DROPS], st.drops);
		add_total(&count[PORT_COUNT_RING_FREEZES], st.freezes);
		s->n_received += st.packets - st.drops;
	}
}

/* Counts the frames left in rings that no thread reads any more. */
static void count_abandoned(struct dataplane *dp, struct socket_set *s)
{
	uint64_t taken = 0;

	if (s->kind == SET_TX)
		return;
	for (unsigned i = 0; i < s->n; i++)
		taken += ring_rx_taken(s->thread[i].ring);
	if (s->gap)
		taken += ring_rx_taken(s->gap);
	add_total(
		&dp->port[s->port].count[PORT_COUNT_ABANDONED], s->n_received - taken);
}

static struct socket_set *set_close(struct socket_set *s)
{
	if (s)
		ring_rx_close(s->gap);
	for (unsigned i = 0; s && i < s->n; i++) {
		if (s->kind == SET_TX)
			tx_port_close(s->thread[i].tx);
		else
			ring_rx_close(s->thread[i].ring);
	}
	free(s);
	return NULL;
}

struct ring_rx_params dataplane_ring_params(
	const struct dataplane *dp, const struct socket_set *s)
{
	return (struct ring_rx_params){
		.ifindex = s->ifindex,
		.family = set_family(s->kind),
		.has_l2 = s->has_l2,
		.size = dp->ring_size,
		.mode = &dp->receive,
		.mtu = s->mtu,
		.fanout = RING_RX_NO_FANOUT,
		.spread = dp->n,
	};
}

static int open_ring(struct dataplane *dp, struct socket_set *s, unsigned thread)
{
	struct ring_rx_params params = dataplane_ring_params(dp, s);
	struct ring_rx *ring;
	int r;

	if (thread > 0)
		params.fanout = ring_rx_fanout(s->thread[0].ring);
	else if (dp->n > 1)
		params.fanout = RING_RX_NEW_FANOUT;
	r = ring_rx_open(&params, &ring);
	if (r < 0)
		return r;
	s->thread[s->n++].ring = ring;
	return worker_watch(dp->worker[thread], ring);
}

static int set_open(struct dataplane *dp, unsigned port, enum set_kind kind,
	const struct plan_port *p, struct socket_set **ret)
{
	struct socket_set *s = calloc(1, sizeof(*s) + dp->n * sizeof(s->thread[0]));
	int r = 0;

	if (!s)
		return -ENOMEM;
	s->port = port;
	s->kind = kind;
	s->ifindex = p->ifindex;
	s->has_l2 = p->has_l2;
	s->mtu = p->mtu;
	if (kind != SET_TX && dataplane_adopt(dp, p, s)) {
		*ret = s;
		return 0;
	}
	for (unsigned i = 0; i < dp->n && r == 0; i++) {
		if (kind != SET_TX) {
			r = open_ring(dp, s, i);
			continue;
		}
		r = tx_port_open(p->ifindex, p->has_l2,
			dp->params.coalesce != COALESCE_OFF, &s->thread[i].tx);
		if (r == 0)
			s->n++;
	}
	if (r < 0) {
		set_close(s);
		return r;
	}
	*ret = s;
	return 0;
}

static bool set_wanted(const struct plan_port *p, enum set_kind kind)
{
	if (!p->present)
		return false;
	switch (kind) {
	case SET_TX:
		return true;
	case SET_IPV4:
		return p->receive && p->ipv4;
	case SET_IPV6:
		return p->receive && p->ipv6;
	case _SET_N:
		break;
	}
	return false;
}

/* Is it still the same interface? A deleted one leaves sockets that are bound to
 * nothing, and its index may be reused. */
static bool set_fits(const struct socket_set *s, const struct plan_port *p)
{
	if (s->ifindex != p->ifindex || s->has_l2 != p->has_l2)
		return false;
	return s->kind == SET_TX ? tx_port_is_on(s->thread[0].tx, p->ifindex)
				 : ring_rx_is_on(s->thread[0].ring, p->ifindex);
}

static void retire(
	struct dataplane *dp, struct socket_set **slot, struct socket_set **retired)
{
	struct socket_set *s = take_ptr(*slot);

	if (!s)
		return;
	dataplane_read_rings(dp, s);
	s->next = *retired;
	*retired = s;
	atomic_fetch_add_explicit(&dp->n_closing, 1, memory_order_relaxed);
}

static int sync_set(struct dataplane *dp, unsigned port, enum set_kind kind,
	const struct plan_port *p, struct socket_set **retired)
{
	struct socket_set **slot = &dp->port[port].set[kind];
	bool wanted = set_wanted(p, kind);

	if (*slot && !(wanted && set_fits(*slot, p)))
		retire(dp, slot, retired);
	return wanted && !*slot ? set_open(dp, port, kind, p, slot) : 0;
}

/* Sockets as the plan wants them; a port that fails is taken out of the plan. */
static void sync_sets(struct dataplane *dp, unsigned port, struct plan_port *p,
	struct socket_set **retired)
{
	struct port_state *st = &dp->port[port];
	int r = 0;

	for (enum set_kind k = 0; k < _SET_N && r == 0; k++)
		r = sync_set(dp, port, k, p, retired);
	st->error = -r;
	if (r == 0)
		return;
	for (enum set_kind k = 0; k < _SET_N; k++)
		retire(dp, &st->set[k], retired);
	p->present = false;
}

/* Generations */

static size_t count_inputs(const struct plan *plan)
{
	size_t n = 0;

	for (unsigned i = 0; i < PORT_MAX; i++)
		n += set_wanted(&plan->port[i], SET_IPV4) +
			set_wanted(&plan->port[i], SET_IPV6);
	return n;
}

/* frees a generation that no thread uses any more */
static struct generation *generation_free(struct generation *g)
{
	struct socket_set *next;

	if (!g)
		return NULL;
	for (struct socket_set *s = g->retired; s; s = next) {
		next = s->next;
		dataplane_read_rings(g->dp, s);
		count_abandoned(g->dp, s);
		set_close(s);
		/* pairs with the acquire in dataplane_sums(): all is counted */
		atomic_fetch_sub_explicit(&g->dp->n_closing, 1, memory_order_release);
	}
	for (unsigned i = 0; i < g->n; i++)
		free(g->cfg[i]);
	plan_free(g->plan);
	free(g);
	return NULL;
}

/* Takes the plan, even on failure (NULL). */
static struct generation *generation_new(struct dataplane *dp, struct plan *plan)
{
	struct generation *g = calloc(1, sizeof(*g) + dp->n * sizeof(g->cfg[0]));
	size_t size;

	if (!g || !plan) {
		plan_free(plan);
		free(g);
		return NULL;
	}
	g->dp = dp;
	g->plan = plan;
	size = sizeof(struct worker_config) +
		count_inputs(plan) * sizeof(struct worker_input);
	for (unsigned i = 0; i < dp->n; i++) {
		g->cfg[i] = calloc(1, size);
		if (!g->cfg[i])
			return generation_free(g);
		g->cfg[i]->plan = plan;
		g->n++;
	}
	return g;
}

static void reclaim_generation(struct rcu_head *head)
{
	struct generation *g = container_of(head, struct generation, rcu);
	struct dataplane *dp;

	/* pairs with tsan_let_go() of the threads and in dataplane_publish() */
	tsan_grace_over();
	dp = g->dp;
	generation_free(g);
	tsan_release(dp); /* pairs with the acquire in dataplane_free() */
}

static void fill_config(
	const struct dataplane *dp, struct worker_config *cfg, unsigned t)
{
	for (unsigned i = 0; i < PORT_MAX; i++) {
		const struct port_state *st = &dp->port[i];

		if (st->set[SET_TX])
			cfg->tx[i] = st->set[SET_TX]->thread[t].tx;
		for (enum set_kind k = SET_IPV4; k < _SET_N; k++)
			if (st->set[k])
				cfg->input[cfg->n_inputs++] = (struct worker_input){
					.port = i,
					.ring = st->set[k]->thread[t].ring,
				};
	}
}

static void dataplane_publish(struct dataplane *dp, struct generation *g)
{
	struct generation *old = dp->current;

	for (unsigned t = 0; t < dp->n; t++) {
		fill_config(dp, g->cfg[t], t);
		if (!dp->paused)
			worker_apply(dp->worker[t], g->cfg[t]);
	}
	dp->current = g;
	tsan_let_go(); /* pairs with reclaim_generation() */
	call_rcu(&old->rcu, reclaim_generation);
}

int dataplane_apply(struct dataplane *dp, struct plan *plan)
{
	struct generation *g = generation_new(dp, plan);

	if (!g)
		return -ENOMEM;
	for (unsigned i = 0; i < PORT_MAX; i++)
		sync_sets(dp, i, &plan->port[i], &dp->current->retired);
	dataplane_publish(dp, g);
	return 0;
}

int dataplane_port_error(const struct dataplane *dp, unsigned port)
{
	return dp->port[port].error;
}

size_t dataplane_short_ring(const struct dataplane *dp, unsigned port)
{
	size_t least = 0;

	for (enum set_kind k = SET_IPV4; k < _SET_N; k++) {
		const struct socket_set *s = dp->port[port].set[k];

		for (unsigned i = 0; s && i < s->n; i++) {
			size_t size = ring_rx_short(s->thread[i].ring);

			if (size && (!least || size < least))
				least = size;
		}
	}
	return least;
}

/* Life */

static int start_workers(struct dataplane *dp, unsigned n)
{
	for (dp->n = 0; dp->n < n; dp->n++) {
		int r;

		dp->params.index = dp->n;
		dp->params.cpu =
			dp->n_cpu ? (int)dp->cpu[dp->n % dp->n_cpu] : WORKER_ANY_CPU;
		r = worker_new(&dp->params, &dp->worker[dp->n]);
		if (r < 0)
			return r;
	}
	return 0;
}

void dataplane_stop_threads(struct dataplane *dp)
{
	for (unsigned i = 0; i < dp->n; i++)
		worker_stop(dp->worker[i]);
}

static void free_workers(struct dataplane *dp)
{
	dataplane_stop_threads(dp);
	for (unsigned i = 0; i < dp->n; i++)
		dp->worker[i] = worker_free(dp->worker[i]);
}

static int start_sending(
	struct dataplane *dp, enum dataplane_transmit transmit, unsigned n)
{
	int r = transmit == DATAPLANE_TX_SENDMMSG ? 0 : tx_uring_probe();

	dp->why = tx_uring_reason(r);
	dp->params.io_uring = transmit != DATAPLANE_TX_SENDMMSG && r == 0;
	dp->params.choose = transmit == DATAPLANE_TX_AUTO;
	if (transmit == DATAPLANE_TX_IO_URING && r < 0)
		return -EOPNOTSUPP;
	r = start_workers(dp, n);
	if (r == 0 || transmit != DATAPLANE_TX_AUTO || !dp->params.io_uring)
		return r;
	/* a small ring was granted, those of the threads were not */
	dp->why = tx_uring_reason(r);
	dp->params.io_uring = false;
	free_workers(dp);
	return start_workers(dp, n);
}

/* Chooses from the configuration how the kernel hands frames over. */
static void choose_blocks(struct dataplane *dp, const struct dataplane_config *cfg)
{
	struct ring_rx_mode *m = &dp->receive;

	m->kind = RING_RX_BLOCKS;
	switch (cfg->latency) {
	case DATAPLANE_LATENCY_LOW:
		m->kind = RING_RX_FRAMES;
		break;
	case DATAPLANE_LATENCY_BALANCED:
		m->block = RING_RX_BLOCK;
		m->retire_ms = 1;
		break;
	case DATAPLANE_LATENCY_THROUGHPUT:
		m->block = RING_RX_BLOCK_PATIENT;
		m->retire_ms = COLLECT_BOUND_MS;
		break;
	case DATAPLANE_LATENCY_AUTO:
		m->block = COLLECT_BLOCK;
		m->retire_ms = cfg->collect_ms ? cfg->collect_ms : COLLECT_BOUND_MS;
		break;
	}
}

static void choose_receive(
	struct dataplane *dp, const struct dataplane_config *cfg, unsigned threads)
{
	dp->receive = (struct ring_rx_mode){
		.offload = cfg->receive_offload,
		.fanout = threads > 1,
	};
	choose_blocks(dp, cfg);
	ring_rx_probe(&dp->receive);
	if (dp->receive.kind != RING_RX_BLOCKS)
		return; /* single frames wait for nothing */
	if (cfg->latency == DATAPLANE_LATENCY_AUTO)
		dp->params.collect_ns = dp->receive.retire_ms * (uint64_t)NS_PER_MS;
	/* The retire timer of the kernel hands over a block that is not full only when
	 * it finds the same block at two expirations in a row, so a frame can wait for
	 * two periods. */
	dp->params.handover_ns = 2 * dp->receive.retire_ms * NS_PER_MS;
}

static void *nothing(void *arg)
{
	return arg;
}

/* The thread that runs the callbacks of call_rcu(). liburcu aborts the process if it
 * cannot start it, so first try to start a thread of our own. */
static int start_reclaiming(void)
{
	pthread_t t;
	int r = pthread_create(&t, NULL, nothing, NULL);

	if (r != 0)
		return -r;
	pthread_join(t, NULL);
	(void)get_default_call_rcu_data();
	return 0;
}

static int start_all(
	struct dataplane *dp, const struct dataplane_config *cfg, unsigned threads)
{
	int r = start_reclaiming();

	if (r < 0)
		return r;
	r = sharing_new(threads, &dp->params.sharing);
	if (r < 0)
		return r;
	r = fib_new(threads, cfg->seed, &dp->params.fib);
	if (r < 0)
		return r;
	/* after a failure only programs of this host receive nothing */
	(void)tx_local_new(&dp->params.local);
	r = start_sending(dp, cfg->transmit, threads);
	if (r < 0)
		return r;
	dp->current = generation_new(dp, plan_new());
	return dp->current ? 0 : -ENOMEM;
}

static unsigned count_threads(const struct dataplane_config *cfg)
{
	if (cfg->threads)
		return cfg->threads;
	return cfg->n_cpu ? (unsigned)cfg->n_cpu : cpus_threads();
}

int dataplane_new(const struct dataplane_config *cfg, struct dataplane **ret)
{
	unsigned threads = count_threads(cfg);
	struct dataplane *dp =
		calloc(1, sizeof(*dp) + threads * sizeof(struct worker *));
	int r;

	if (!dp)
		return -ENOMEM;
	rcu_register_thread();
	dp->ring_size = cfg->ring_size;
	dp->params.coalesce = cfg->coalesce ? cfg->coalesce : COALESCE_ON;
	dp->params.quality = cfg->quality ? cfg->quality : QUALITY_MODE_AUTO;
	dp->params.n_streams = quality_watch_streams(cfg->memory);
	dp->cpu = cfg->cpu;
	dp->n_cpu = cfg->n_cpu;
	choose_receive(dp, cfg, threads);
	r = start_all(dp, cfg, dp->receive.fanout ? threads : 1);
	dp->cpu = NULL;
	if (r < 0) {
		dataplane_free(dp);
		return r;
	}
	*ret = dp;
	return 0;
}

struct dataplane *dataplane_free(struct dataplane *dp)
{
	if (!dp)
		return NULL;
	free_workers(dp);
	for (unsigned i = 0; i < PORT_MAX && dp->current; i++)
		for (enum set_kind k = 0; k < _SET_N; k++)
			retire(dp, &dp->port[i].set[k], &dp->current->retired);
	grace_barrier();  /* older generations refer to us */
	tsan_acquire(dp); /* pairs with the release in reclaim_generation() */
	generation_free(dp->current);
	sample_spec_free(dp->sample);
	dataplane_forget_handed(dp);
	sharing_free(dp->params.sharing);
	tx_local_free(dp->params.local);
	fib_free(dp->params.fib);
	rcu_unregister_thread();
	free(dp);
	return NULL;
}

struct fib *dataplane_fib(struct dataplane *dp)
{
	return dp->params.fib;
}

bool dataplane_uring_works(const struct dataplane *dp)
{
	for (unsigned i = 0; i < dp->n; i++)
		if (worker_gave_up_uring(dp->worker[i]))
			return false;
	return dp->params.io_uring;
}

const char *dataplane_transmit(const struct dataplane *dp, const char **ret_why)
{
	bool works = dataplane_uring_works(dp);
	const char *why = dp->why;
	unsigned n = 0;

	/* the other threads will find out when they send */
	for (unsigned i = 0; works && i < dp->n; i++)
		n += worker_uses_uring(dp->worker[i]);
	if (dp->params.io_uring && !works)
		why = "io_uring stopped working";
	else if (works && dp->params.choose)
		why = "each thread measures which way is cheaper";
	if (ret_why)
		*ret_why = why;
	if (n == 0)
		return "sendmmsg";
	return n == dp->n ? "io_uring" : "io_uring and sendmmsg";
}

const char *dataplane_port_transmit(const struct dataplane *dp, unsigned port)
{
	const struct socket_set *s = dp->port[port].set[SET_TX];
	const char *way = dataplane_transmit(dp, NULL);
	bool super = s && s->n > 0;

	/* the threads try for themselves, with the same result */
	for (unsigned i = 0; super && i < s->n; i++)
		super = tx_port_caps(s->thread[i].tx) & TX_SUPER_FRAME;
	if (!super)
		return way;
	if (strcmp(way, "io_uring") == 0)
		return "super-frames, io_uring";
	if (strcmp(way, "sendmmsg") == 0)
		return "super-frames, sendmmsg";
	return "super-frames, io_uring and sendmmsg";
}

const char *dataplane_receive(const struct dataplane *dp, const char **ret_why)
{
	if (ret_why)
		*ret_why = dp->receive.why;
	return dp->receive.kind == RING_RX_BLOCKS ? "tpacket_v3" : "tpacket_v2";
}

bool dataplane_receive_offload(const struct dataplane *dp)
{
	return dp->receive.offload;
}

unsigned dataplane_threads(const struct dataplane *dp)
{
	return dp->n;
}

/* Copies of received frames */

/* at once, so that a flood does not keep the control thread busy */
#define SAMPLES_MAX 8192

static void reclaim_sample(struct rcu_head *head)
{
	tsan_grace_over(); /* pairs with tsan_let_go() of the threads and of control */
	sample_spec_free(container_of(head, struct sample_spec, rcu));
}

void dataplane_sample(struct dataplane *dp, struct sample_spec *spec)
{
	struct sample_spec *old = dp->sample;

	for (unsigned t = 0; t < dp->n; t++)
		worker_sample(dp->worker[t], spec);
	dp->sample = spec;
	if (!old)
		return;
	tsan_let_go(); /* pairs with reclaim_sample() */
	call_rcu(&old->rcu, reclaim_sample);
}

bool dataplane_samples(
	struct dataplane *dp, void (*fn)(void *arg, const struct sample *s), void *arg)
{
	for (unsigned n = 0; n < SAMPLES_MAX; n++) {
		struct sample_ring *from = NULL;
		struct sample oldest, s;

		for (unsigned t = 0; t < dp->n; t++) {
			struct sample_ring *ring = worker_samples(dp->worker[t]);

			if (!sample_peek(ring, &s) ||
				(from && s.time_ns >= oldest.time_ns))
				continue;
			from = ring;
			oldest = s;
		}
		if (!from)
			return false;
		fn(arg, &oldest);
		sample_pop(from);
	}
	return true;
}

uint64_t dataplane_samples_lost(struct dataplane *dp, unsigned want, unsigned port)
{
	uint64_t n = 0;

	for (unsigned t = 0; t < dp->n; t++)
		n += sample_lost(worker_samples(dp->worker[t]), want, port);
	return n;
}

/* The control thread's wait */

void dataplane_control_sleep(void)
{
	tsan_let_go(); /* pairs with tsan_grace_over() in the reclaim functions */
	rcu_thread_offline();
}

void dataplane_control_wake(void)
{
	rcu_thread_online();
}
