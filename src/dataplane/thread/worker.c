/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Data-plane thread, see worker.h.
 *
 * A turn takes some blocks, one of each ring before it takes a second one, so that a
 * busy input does not starve a quiet one, and long runs of a flow are collected under
 * load. Blocks stay ours until the burst with their frames is sent, and then go back in
 * order. At the latest the burst is sent when more than half of a ring is held. After
 * each turn the thread is in a quiescent state; before it sleeps it goes offline, so
 * that an idle data plane does not delay reclaim.
 *
 * If blocks fill up so often that waking for each would be too much, the thread does
 * not watch its rings for a while before it sleeps (collect.h).
 *
 * Rings are watched edge-triggered: a turn handles all ready blocks before the thread
 * sleeps, and a ring whose interface is gone reports its error once instead of keeping
 * a core busy.
 */

#include "dataplane/thread/worker.h"

#include "base/cleanup.h"
#include "base/minmax.h"
#include "base/mono.h"
#include "base/sys/clock.h"
#include "dataplane/fib/tsan.h"
#include "dataplane/forward/choice.h"
#include "dataplane/forward/collect.h"
#include "dataplane/forward/forward.h"
#include "dataplane/io/sockfilter.h"
#include "dataplane/io/tx_uring.h"
#include "dataplane/thread/cpus.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <urcu-qsbr.h>

#define BLOCKS_MAX 64 /* per turn */
#define BURSTS_MAX 4  /* after which a turn also ends */
#define N_EVENTS   16
/* rings of a thread that may collect; with more, the kernel wakes it for each block */
#define COLLECT_MAX 16

struct held {
	struct ring_rx *ring;
	struct ring_block block;
};

struct worker {
	pthread_t thread;
	bool running; /* the thread must be joined */
	int epfd, wakefd;
	struct worker_params p;
	struct forward *fw;
	struct tx_mmsg *mmsg;
	_Atomic bool gave_up_uring; /* it has stopped working */
	_Atomic bool uses_uring;    /* relaxed, like the one before */
	sem_t started;
	_Atomic(struct worker_config *) config;
	_Atomic(const struct sample_spec *) sample_spec;
	struct sample_ring *samples;
	_Atomic bool stop;
	struct quality_watch *watch; /* NULL means that streams are not analysed */
	/* Of the watch's thread. Only a live upgrade makes it wait here, while control
	 * empties the rings in place of the threads. */
	pthread_mutex_t watching;
	/* thread only */
	const struct sample_spec *spec; /* of this turn */
	struct tx_uring *uring;
	struct choice choice;
	/* what this turn has sent, and how long that took if a trial wants to know */
	uint64_t sent_copies, sent_ns;
	struct burst *burst;
	struct held held[BLOCKS_MAX];
	unsigned n_held;
	unsigned n_bursts; /* of this turn */
	unsigned enough;   /* frames of a burst */
	size_t first;	   /* input to begin the turn with */
	bool error;	   /* some ring has an error */
	bool drained;	   /* the last turn took everything that was ready */
	/* when its last two turns began */
	mono_t looked, before;
	mono_t emptied; /* all frames that were handed over by then are taken */
	/* as above, and no frame waited where a live upgrade had left it */
	mono_t complete;
	/* how long it does not watch the rings, and after which parts of that time it
	 * checks how full they are */
	uint64_t away_ns, part_ns;
};

/* Frames */

/* The source MAC addresses of one port rarely change from frame to frame. */
static bool is_own_source(
	const struct plan *plan, struct worker_input *in, const uint8_t mac[6])
{
	if (!in->mac_known || memcmp(in->mac, mac, sizeof(in->mac)) != 0) {
		memcpy(in->mac, mac, sizeof(in->mac));
		in->mac_own = plan_port_by_mac(plan, mac) < PORT_MAX;
		in->mac_known = true;
	}
	return in->mac_own;
}

/* Checks run in the order of enum verdict: own MAC is between those of
 * frame_parse(). */
static enum verdict judge_frame(const struct plan *plan, struct worker_input *in,
	const struct frame_meta *m, struct frame *ret)
{
	enum verdict v = frame_parse(m, plan->port[in->port].mtu, ret);

	if (v != VERDICT_FORWARDED && v <= VERDICT_OWN_MAC)
		return v;
	return m->l2 && is_own_source(plan, in, m->l2 + 6) ? VERDICT_OWN_MAC : v;
}

/* Reads the clock only once per burst. */
static void count_latency(struct worker *w)
{
	struct forward_counters *c = &w->fw->counters;
	uint64_t oldest, newest, now;
	struct timespec ts;

	if (!forward_stamps(w->fw, &oldest, &newest))
		return;
	clock_gettime(CLOCK_REALTIME, &ts);
	now = latency_stamp((uint32_t)ts.tv_sec, (uint32_t)ts.tv_nsec);
	counter_add_latency(&c->oldest, latency_since(oldest, now));
	counter_add_latency(&c->newest, latency_since(newest, now));
}

static mono_t time_now(void)
{
	return (mono_t){clock_ns(CLOCK_MONOTONIC)};
}

static struct quality_moment moment_now(void)
{
	struct quality_moment m;

	m.before = time_now();
	m.real_ns = clock_ns(CLOCK_REALTIME);
	m.after = time_now();
	return m;
}

/* Shows the datagrams to the analysers of the thread that owns these flows. */
static void analyse_for(
	struct worker *owner, const struct worker *w, const struct replicate_job *job)
{
	struct quality_moment m = moment_now();

	if (!owner->watch)
		return;
	pthread_mutex_lock(&owner->watching);
	quality_watch_begin(owner->watch, &m);
	for (unsigned i = 0; i < job->burst->n_flows; i++) {
		const struct burst_flow *fl = &job->burst->flow[i];

		if (sockfilter_member(&fl->src, &fl->group, w->p.n_owners) ==
			owner->p.index)
			observe_flow(job, i, owner->watch);
	}
	quality_watch_end(owner->watch);
	pthread_mutex_unlock(&owner->watching);
}

/* Runs after the copies have been sent, so that they do not wait for it. */
static void analyse(struct worker *w, const struct replicate_job *job)
{
	struct quality_moment m;

	if (job->burst->n_frames == 0)
		return;
	for (unsigned i = 0; i < w->p.n_owners; i++)
		analyse_for(w->p.owner[i], w, job);
	if (!w->watch)
		return;
	m = moment_now();
	pthread_mutex_lock(&w->watching);
	quality_watch_begin(w->watch, &m);
	observe_burst(job, w->watch);
	quality_watch_end(w->watch);
	pthread_mutex_unlock(&w->watching);
}

static void send_copies(struct worker *w, const struct worker_config *cfg,
	const struct tx_ops *tx, struct replicate_job *ret)
{
	int64_t begin = w->choice.trying ? clock_ns(CLOCK_MONOTONIC) : 0;

	forward_burst(w->fw, w->burst, cfg->plan, w->p.fib, tx, ret);
	sharing_serve(w->p.sharing, w->p.index, ret, w->fw->replicator, tx);
	w->sent_copies += ret->due;
	if (w->choice.trying)
		w->sent_ns += (uint64_t)(clock_ns(CLOCK_MONOTONIC) - begin);
}

/* Sends the burst and gives back the blocks that were read completely. */
static void send_burst(
	struct worker *w, const struct worker_config *cfg, const struct tx_ops *tx)
{
	unsigned kept = 0;
	struct replicate_job job;

	send_copies(w, cfg, tx, &job);
	w->enough = burst_enough(w->burst->n_frames, job.due);
	analyse(w, &job);
	burst_clear(w->burst);
	w->n_bursts++;
	count_latency(w);
	for (unsigned i = 0; i < w->n_held; i++) {
		struct held *h = &w->held[i];

		if (h->block.n_frames == 0)
			ring_rx_release(h->ring, &h->block);
		else
			w->held[kept++] = *h;
	}
	w->n_held = kept;
}

static void walk_block(struct worker *w, const struct worker_config *cfg,
	struct worker_input *in, const struct tx_ops *tx)
{
	const struct sample_spec *spec = w->spec;
	struct frame_meta m;
	struct frame f;
	bool more;

	do {
		/* sending compacts the list; this block is always the last one */
		struct held *h = &w->held[w->n_held - 1];
		enum verdict v;

		if (!ring_rx_next(h->ring, &h->block, &m))
			break;
		if (spec)
			sample_frame(w->samples, spec, in->port, &m);
		more = h->block.n_frames > 0;
		v = judge_frame(cfg->plan, in, &m, &f);
		if (v != VERDICT_FORWARDED) {
			forward_drop(w->fw, in->port, v, &m);
			continue;
		}
		burst_add(w->burst, in->port, &f);
		if (w->burst->n_frames >= w->enough)
			send_burst(w, cfg, tx);
	} while (more);
}

static bool take_block(struct worker *w, const struct worker_config *cfg,
	struct worker_input *in, const struct tx_ops *tx)
{
	struct forward_counters *c = &w->fw->counters;
	struct ring_block block;

	if (!ring_rx_peek(in->ring, &block))
		return false;
	counter_add(&c->count[THREAD_COUNT_BLOCKS], 1);
	if (block.timeout)
		counter_add(&c->count[THREAD_COUNT_BLOCK_TIMEOUTS], 1);
	in->taken += block.used;
	w->held[w->n_held++] = (struct held){in->ring, block};
	walk_block(w, cfg, in, tx);
	if (ring_rx_is_scarce(in->ring))
		send_burst(w, cfg, tx);
	return true;
}

/* Returns false if this turn must use sendmmsg(2). */
static bool take_uring(
	struct worker *w, const struct worker_config *cfg, struct tx_ops *ret)
{
	if (!w->uring || worker_gave_up_uring(w) ||
		(w->p.choose && choice_next(&w->choice) != CHOICE_URING))
		return false;
	if (tx_uring_ops(w->uring, cfg->tx, ret))
		return true;
	atomic_store_explicit(&w->gave_up_uring, true, memory_order_relaxed);
	return false;
}

static void choose_tx(
	struct worker *w, const struct worker_config *cfg, struct tx_ops *ret)
{
	bool uring = take_uring(w, cfg, ret);

	if (!uring)
		tx_mmsg_ops(w->mmsg, cfg->tx, ret);
	/* the way that a trial tries is not the thread's choice */
	if (!w->p.choose || !w->choice.trying || worker_gave_up_uring(w))
		atomic_store_explicit(&w->uses_uring, uring, memory_order_relaxed);
	if (w->p.local) {
		ret->local = tx_local_send;
		ret->local_ctx = w->p.local;
	}
}

/* After a turn: tells the choice between the ways to send what the turn has cost. */
static void tell_choice(struct worker *w)
{
	bool choose = w->p.choose && w->uring && !worker_gave_up_uring(w);

	if (choose && choice_sent(&w->choice, w->sent_copies, w->sent_ns))
		counter_add(&w->fw->counters.count[THREAD_COUNT_TRIALS], 1);
	w->sent_copies = w->sent_ns = 0;
}

/* Frames may wait in the ring that filled up before this one. */
static bool is_any_on_hold(const struct worker_config *cfg)
{
	for (size_t i = 0; i < cfg->n_inputs; i++)
		if (ring_rx_is_on_hold(cfg->input[i].ring))
			return true;
	return false;
}

static void note_empty(struct worker *w, bool on_hold)
{
	w->emptied = w->looked;
	if (!on_hold)
		w->complete = w->looked;
}

/* Handles the frames that are ready in the rings. Returns false if there were none. */
static bool turn(struct worker *w, struct worker_config *cfg)
{
	/* before any is read; only the watch needs to know */
	bool on_hold = w->watch && is_any_on_hold(cfg);
	struct tx_ops tx;
	unsigned n = 0;
	bool any;

	if (cfg->n_inputs == 0) {
		note_empty(w, false);
		return false;
	}
	/* pairs with the release in worker_sample() */
	w->spec = atomic_load_explicit(&w->sample_spec, memory_order_acquire);
	choose_tx(w, cfg, &tx);
	w->first = (w->first + 1) % cfg->n_inputs;
	w->n_bursts = 0;
	do {
		any = false;
		for (size_t i = 0; i < cfg->n_inputs && n < BLOCKS_MAX; i++) {
			size_t k = (w->first + i) % cfg->n_inputs;

			if (take_block(w, cfg, &cfg->input[k], &tx)) {
				any = true;
				n++;
			}
		}
	} while (any && n < BLOCKS_MAX && w->n_bursts < BURSTS_MAX);
	if (w->n_held > 0)
		send_burst(w, cfg, &tx);
	tell_choice(w);
	w->drained = !any;
	if (w->drained)
		note_empty(w, on_hold);
	return n > 0;
}

/* Serves ports of another thread's burst, because nothing of our own is ready. Returns
 * false if there was no such port. */
static bool help_others(struct worker *w, const struct worker_config *cfg)
{
	struct tx_ops tx;

	choose_tx(w, cfg, &tx);
	return sharing_help(
		w->p.sharing, w->p.index, cfg->plan, w->fw->replicator, &tx);
}

/* The thread */

/* After a turn: chooses how long not to watch the rings, by the bytes that they have
 * brought and the time that sending took. */
static void choose_wait(struct worker *w, struct worker_config *cfg)
{
	struct collect_turn t = {.bound_ns = w->p.collect_ns};
	struct collect_ring ring[COLLECT_MAX];
	size_t n = 0;

	if (!w->p.collect_ns || cfg->n_inputs > COLLECT_MAX)
		return;
	w->part_ns = UINT64_MAX;
	for (size_t i = 0; i < cfg->n_inputs; i++) {
		struct worker_input *in = &cfg->input[i];
		struct collect_ring *r = &ring[n];

		ring_rx_size(in->ring, &r->size, &r->block);
		if (collect_part(r->size) < w->part_ns)
			w->part_ns = collect_part(r->size);
		r->taken = in->taken;
		in->taken = 0;
		n += r->taken > 0;
	}
	t.period_ns = (uint64_t)(w->looked.ns - w->before.ns);
	w->before = w->looked;
	w->looked = time_now();
	t.busy_ns = (uint64_t)(w->looked.ns - w->before.ns);
	if (w->drained && t.period_ns)
		w->away_ns = collect_wait(&t, ring, n);
}

/* Is a ring filling up because its link suddenly brings much more than before? */
static bool is_filling(const struct worker_config *cfg)
{
	for (size_t i = 0; i < cfg->n_inputs; i++)
		if (ring_rx_is_filling(cfg->input[i].ring))
			return true;
	return false;
}

/* Watch only for wake-ups by other threads, for one part of the time. */
static void look_away(struct worker *w)
{
	uint64_t ns = min(w->away_ns, w->part_ns);
	struct timespec ts = {.tv_sec = (time_t)(ns / 1000000000),
		.tv_nsec = (long)(ns % 1000000000)};
	struct pollfd p = {.fd = w->wakefd, .events = POLLIN};
	uint64_t value;

	w->away_ns -= ns;
	if (ppoll(&p, 1, &ts, NULL) == 1) {
		(void)!read(w->wakefd, &value, sizeof(value));
		w->away_ns = 0;
	}
}

/* Milliseconds until results of the analysis have to be published, or -1. */
static int watch_timeout(struct worker *w)
{
	mono_t due;

	if (!w->watch)
		return -1;
	pthread_mutex_lock(&w->watching);
	due = quality_watch_due(w->watch);
	pthread_mutex_unlock(&w->watching);
	return due.ns == INT64_MAX ? -1 : (int)mono_ms_until(due, time_now());
}

/* Call it only if no frame is ready. */
static void watch_tick(struct worker *w)
{
	mono_t until = mono_add_ns(w->complete, -w->p.handover_ns);

	if (!w->watch)
		return;
	pthread_mutex_lock(&w->watching);
	if (mono_due(quality_watch_due(w->watch), w->emptied))
		quality_watch_tick(w->watch, w->emptied, until);
	pthread_mutex_unlock(&w->watching);
}

static void sleep_until_ready(struct worker *w)
{
	struct epoll_event ev[N_EVENTS];
	int n = epoll_wait(w->epfd, ev, N_EVENTS, watch_timeout(w));
	uint64_t value;

	for (int i = 0; i < n; i++) {
		if (ev[i].data.fd == w->wakefd)
			(void)!read(w->wakefd, &value, sizeof(value));
		else if (ev[i].events & EPOLLERR)
			w->error = true;
	}
}

static void rest_worker(struct worker *w)
{
	struct forward_counters *c = &w->fw->counters;

	watch_tick(w);
	if (!sharing_sleep(w->p.sharing, w->p.index)) {
		w->away_ns = 0;
		return;
	}
	tsan_let_go(); /* pairs with tsan_grace_over() wherever something is freed */
	rcu_thread_offline();
	counter_set(&c->asleep, 1);
	if (w->away_ns)
		look_away(w);
	else
		sleep_until_ready(w);
	counter_set(&c->asleep, 0);
	rcu_thread_online();
	sharing_awake(w->p.sharing, w->p.index);
	counter_add(&c->count[THREAD_COUNT_WAKEUPS], 1);
	w->looked = time_now();
}

/* An interface went down or away. Its ring starts again by itself when the interface
 * comes back up, and is replaced by control when it was deleted. */
static void clear_errors(struct worker *w, const struct worker_config *cfg)
{
	for (size_t i = 0; i < cfg->n_inputs; i++)
		(void)ring_rx_clear_error(cfg->input[i].ring);
	w->error = false;
}

/* Takes what is ready, or serves ports of another thread's burst; then chooses how long
 * not to watch. Returns false if there is nothing to do. */
static bool work_once(struct worker *w, struct worker_config *cfg)
{
	if (w->away_ns && !is_filling(cfg))
		return false;
	w->away_ns = 0;
	if (!turn(w, cfg))
		return help_others(w, cfg);
	choose_wait(w, cfg);
	return w->away_ns == 0;
}

static void run(struct worker *w)
{
	while (!atomic_load_explicit(&w->stop, memory_order_relaxed)) {
		/* pairs with the release in worker_apply() */
		struct worker_config *cfg =
			atomic_load_explicit(&w->config, memory_order_acquire);

		counter_add(&w->fw->counters.count[THREAD_COUNT_TURNS], 1);
		if (cfg && w->error)
			clear_errors(w, cfg);
		if (cfg && work_once(w, cfg)) {
			tsan_let_go(); /* as in rest_worker() */
			rcu_quiescent_state();
		} else {
			rest_worker(w);
		}
	}
}

static void *thread_main(void *arg)
{
	struct worker *w = arg;
	char name[16];

	snprintf(name, sizeof(name), "ringcast-dp%u", w->p.index % 1000);
	(void)pthread_setname_np(pthread_self(), name);
	if (w->p.cpu != WORKER_ANY_CPU && cpus_pin((unsigned)w->p.cpu) < 0)
		w->p.cpu = WORKER_ANY_CPU;
	rcu_register_thread();
	sem_post(&w->started);
	run(w);
	tsan_let_go(); /* as in rest_worker() */
	rcu_unregister_thread();
	/* of no use to another thread */
	if (w->uring && tx_uring_is_started(w->uring))
		w->uring = tx_uring_free(w->uring);
	return NULL;
}

/* Control */

static int open_fds(struct worker *w)
{
	struct epoll_event ev = {.events = EPOLLIN};

	w->epfd = epoll_create1(EPOLL_CLOEXEC);
	if (w->epfd < 0)
		return -errno;
	w->wakefd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (w->wakefd < 0)
		return -errno;
	ev.data.fd = w->wakefd;
	return epoll_ctl(w->epfd, EPOLL_CTL_ADD, w->wakefd, &ev) < 0 ? -errno : 0;
}

/* Starts the thread with all signals blocked, because the control thread handles
 * them. */
static int start_thread(struct worker *w)
{
	sigset_t all, old;
	int r;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	r = pthread_create(&w->thread, NULL, thread_main, w);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (r != 0)
		return -r;
	w->running = true;
	while (sem_wait(&w->started) < 0)
		;
	return 0;
}

int worker_start(struct worker *w)
{
	atomic_store_explicit(&w->stop, false, memory_order_relaxed);
	/* the ring of a thread that has ended is gone, and a filter may forbid a new
	 * one */
	if (w->p.io_uring && !w->uring)
		(void)tx_uring_new(&w->fw->counters, &w->uring);
	atomic_store_explicit(
		&w->gave_up_uring, w->p.io_uring && !w->uring, memory_order_relaxed);
	atomic_store_explicit(&w->uses_uring, w->uring, memory_order_relaxed);
	return start_thread(w);
}

int worker_new(const struct worker_params *params, struct worker **ret)
{
	struct worker *w = calloc(1, sizeof(*w));
	int r;

	if (!w)
		return -ENOMEM;
	w->epfd = w->wakefd = -1;
	w->p = *params;
	choice_init(&w->choice, CHOICE_URING);
	pthread_mutex_init(&w->watching, NULL);
	sem_init(&w->started, 0, 0);
	w->burst = calloc(1, sizeof(*w->burst));
	r = w->burst ? open_fds(w) : -ENOMEM;
	if (r == 0)
		r = sample_ring_new(&w->samples);
	if (r == 0)
		r = forward_new(&w->fw);
	if (r == 0 && !params->idle && params->quality != QUALITY_MODE_OFF)
		r = quality_watch_new(params->quality, params->n_streams,
			QUALITY_WATCH_BUDGET, &w->watch);
	if (r == 0)
		r = tx_mmsg_new(&w->fw->counters, &w->mmsg);
	if (r == 0 && w->p.io_uring)
		r = tx_uring_new(&w->fw->counters, &w->uring);
	if (r == 0) {
		atomic_store_explicit(&w->uses_uring, w->uring, memory_order_relaxed);
		w->fw->coalesce = params->coalesce;
		w->enough = burst_enough(0, 0);
	}
	if (r == 0 && !params->idle) {
		sharing_set_wake(w->p.sharing, w->p.index, w->wakefd);
		r = start_thread(w);
	}
	if (r < 0) {
		worker_free(w);
		return r;
	}
	*ret = w;
	return 0;
}

static void wake(struct worker *w)
{
	uint64_t one = 1;

	/* fails only when the counter is full, and then the thread is awake */
	(void)!write(w->wakefd, &one, sizeof(one));
}

void worker_stop(struct worker *w)
{
	if (!w || !w->running)
		return;
	atomic_store_explicit(&w->stop, true, memory_order_relaxed);
	wake(w);
	pthread_join(w->thread, NULL);
	w->running = false;
}

struct worker *worker_free(struct worker *w)
{
	if (!w)
		return NULL;
	worker_stop(w);
	tx_uring_free(w->uring);
	tx_mmsg_free(w->mmsg);
	forward_free(w->fw);
	quality_watch_free(w->watch);
	pthread_mutex_destroy(&w->watching);
	sample_ring_free(w->samples);
	free(w->burst);
	closep(&w->wakefd);
	closep(&w->epfd);
	sem_destroy(&w->started);
	free(w);
	return NULL;
}

void worker_drain(struct worker *w, struct worker_config *cfg, unsigned turns)
{
	assert(!w->running);
	while (turns-- > 0 && turn(w, cfg))
		;
}

int worker_watch(struct worker *w, const struct ring_rx *ring)
{
	struct epoll_event ev = {
		.events = EPOLLIN | EPOLLET,
		.data.fd = ring_rx_fd(ring),
	};

	return epoll_ctl(w->epfd, EPOLL_CTL_ADD, ring_rx_fd(ring), &ev) < 0 ? -errno
									    : 0;
}

void worker_apply(struct worker *w, struct worker_config *cfg)
{
	/* pairs with the acquire in run() */
	atomic_store_explicit(&w->config, cfg, memory_order_release);
	wake(w);
}

void worker_sample(struct worker *w, const struct sample_spec *spec)
{
	/* pairs with the acquire in turn() */
	atomic_store_explicit(&w->sample_spec, spec, memory_order_release);
}

struct sample_ring *worker_samples(struct worker *w)
{
	return w->samples;
}

struct forward_counters *worker_counters(struct worker *w)
{
	return &w->fw->counters;
}

const struct refusals *worker_refusals(const struct worker *w)
{
	return &w->fw->refusals;
}

const struct joined *worker_joined(const struct worker *w)
{
	return &w->fw->joined;
}

struct quality_watch *worker_quality(const struct worker *w)
{
	return w->watch;
}

bool worker_gave_up_uring(const struct worker *w)
{
	return atomic_load_explicit(&w->gave_up_uring, memory_order_relaxed);
}

bool worker_uses_uring(const struct worker *w)
{
	return atomic_load_explicit(&w->uses_uring, memory_order_relaxed);
}

int worker_cpu(const struct worker *w)
{
	return w->p.cpu;
}

uint64_t worker_cpu_ns(const struct worker *w)
{
	clockid_t clock;

	if (!w->running || pthread_getcpuclockid(w->thread, &clock) != 0)
		return 0;
	return (uint64_t)clock_ns(clock);
}
