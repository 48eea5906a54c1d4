/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Event loop over epoll, see loop.h. One timerfd carries the next deadline with the
 * clock's precision; it is set again only for an earlier one. Work that moves the
 * deadline into the future therefore costs no system call, but one unnecessary wake-up
 * later. Signals arrive through an eventfd. Removal inside a callback also
 * drops the events of the same batch, so an owner may free itself.
 *
 * CLOCK_MONOTONIC ignores changes of the time of day. It stops while the machine is
 * suspended, which CLOCK_BOOTTIME shows. It runs while the process is stopped, which a
 * very late wake-up shows. The loop leaves out this time.
 */

#include "control/sys/loop.h"

#include "base/cleanup.h"
#include "base/sys/clock.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define BATCH	  32
#define N_SIGNALS 4

/* Falling asleep and waking up is most of what a small round costs. When many follow in
 * quick succession, the next one waits until this much time has passed since the last
 * one began. Everything that arrives meanwhile is one round. */
#define GATHER_NS    500000
#define GATHER_AFTER 8 /* rounds */

static const int caught[N_SIGNALS] = {SIGHUP, SIGTERM, SIGINT, SIGUSR1};

/* Signals arrive through an eventfd. A signalfd works only if every thread blocks the
 * signals, but liburcu's own threads unblock SIGUSR1. Writing to a pipe needs memory,
 * which may be short. The process has one loop, so one descriptor is enough. Bit n of
 * the mask is for signal n. The mask has 32 bits, because some 32-bit machines handle
 * 64 bits only with a lock. */
static int signal_event = -1;
static atomic_uint signals_waiting;

_Static_assert(ATOMIC_INT_LOCK_FREE == 2, "a handler must not wait for a lock");

static void on_signal_any_thread(int signo)
{
	uint64_t one = 1;
	int saved = errno;
	ssize_t n;

	atomic_fetch_or(&signals_waiting, 1u << signo);
	n = write(signal_event, &one, sizeof(one));
	(void)n; /* when it is full, the loop is awake */
	errno = saved;
}

struct loop {
	struct loop_ops ops;
	struct loop_fd timer, signals;
	int epoll;
	mono_t now;
	int64_t left_out_ns;  /* CLOCK_MONOTONIC is ahead of `now` by this */
	int64_t suspended_ns; /* time in suspension so far, at the last round */
	mono_t armed;	      /* what the timer is set to */
	bool fired;	      /* the timer has fired and was not set again since */
	unsigned quick;	      /* rounds in quick succession */
	bool hurry;	      /* more is waiting */
	bool stop;
	struct sigaction old_action[N_SIGNALS];
	unsigned n_caught;
	struct epoll_event batch[BATCH];
	int n_batch;
};

static mono_t our_time(const struct loop *l, int64_t system_ns)
{
	return (mono_t){system_ns - l->left_out_ns};
}

/* `at` in system time */
static struct timespec system_time(const struct loop *l, mono_t at)
{
	int64_t ns = at.ns + l->left_out_ns;

	return (struct timespec){ns / NS_PER_SEC, ns % NS_PER_SEC};
}

static void on_timer(struct loop_fd *f, uint32_t events)
{
	/* arming the timer again clears it; loop_round ticks */
	container_of(f, struct loop, timer)->fired = true;
}

static void loop_signal(struct loop_fd *f, uint32_t events)
{
	struct loop *l = container_of(f, struct loop, signals);
	uint64_t unused;
	unsigned waiting;
	ssize_t n = read(f->fd, &unused, sizeof(unused));

	(void)n;
	waiting = atomic_exchange(&signals_waiting, 0);
	for (unsigned i = 0; i < N_SIGNALS; i++) {
		if ((waiting >> caught[i] & 1) && l->ops.signal)
			l->ops.signal(l->ops.ctx, caught[i]);
	}
}

static int open_signals(struct loop *l)
{
	struct sigaction action = {
		.sa_handler = on_signal_any_thread, .sa_flags = SA_RESTART};

	l->signals.fn = loop_signal;
	l->signals.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (l->signals.fd < 0)
		return -errno;
	atomic_store(&signals_waiting, 0);
	signal_event = l->signals.fd;
	for (; l->n_caught < N_SIGNALS; l->n_caught++)
		if (sigaction(caught[l->n_caught], &action,
			    &l->old_action[l->n_caught]) < 0)
			return -errno;
	return loop_add(l, &l->signals);
}

static void loop_freep(struct loop **l)
{
	loop_free(*l);
}

int loop_new(const struct loop_ops *ops, struct loop **ret_loop)
{
	_cleanup_(loop_freep) struct loop *l = calloc(1, sizeof(*l));
	int r;

	if (!l)
		return -ENOMEM;
	l->ops = *ops;
	l->now.ns = clock_ns(CLOCK_MONOTONIC);
	l->suspended_ns = clock_ns(CLOCK_BOOTTIME) - l->now.ns;
	l->armed = MONO_NEVER;
	l->timer.fd = l->signals.fd = -1;
	l->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (l->epoll < 0)
		return -errno;
	l->timer.fn = on_timer;
	l->timer.fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (l->timer.fd < 0)
		return -errno;
	r = loop_add(l, &l->timer);
	if (r < 0)
		return r;
	r = open_signals(l);
	if (r < 0)
		return r;
	*ret_loop = take_ptr(l);
	return 0;
}

struct loop *loop_free(struct loop *l)
{
	if (!l)
		return NULL;
	while (l->n_caught > 0) {
		l->n_caught--;
		sigaction(caught[l->n_caught], &l->old_action[l->n_caught], NULL);
	}
	signal_event = -1;
	closep(&l->signals.fd);
	closep(&l->timer.fd);
	closep(&l->epoll);
	free(l);
	return NULL;
}

int loop_add(struct loop *l, struct loop_fd *f)
{
	struct epoll_event e = {.events = EPOLLIN, .data.ptr = f};

	if (epoll_ctl(l->epoll, EPOLL_CTL_ADD, f->fd, &e) < 0)
		return -errno;
	f->loop = l;
	return 0;
}

int loop_change(struct loop_fd *f, uint32_t events)
{
	struct epoll_event e = {.events = events, .data.ptr = f};

	return epoll_ctl(f->loop->epoll, EPOLL_CTL_MOD, f->fd, &e) < 0 ? -errno : 0;
}

void loop_del(struct loop_fd *f)
{
	struct loop *l = f->loop;

	if (!l)
		return;
	epoll_ctl(l->epoll, EPOLL_CTL_DEL, f->fd, NULL);
	for (int i = 0; i < l->n_batch; i++) {
		if (l->batch[i].data.ptr == f)
			l->batch[i].data.ptr = NULL;
	}
	f->loop = NULL;
}

mono_t loop_now(const struct loop *l)
{
	return l->now;
}

mono_t loop_system_now(const struct loop *l)
{
	return mono_add_ns(l->now, l->left_out_ns);
}

void loop_stop(struct loop *l)
{
	l->stop = true;
}

void loop_hurry(struct loop *l)
{
	l->hurry = true;
}

static mono_t next_deadline(const struct loop *l)
{
	return l->ops.deadline ? l->ops.deadline(l->ops.ctx) : MONO_NEVER;
}

static int arm(struct loop *l, mono_t at)
{
	struct itimerspec its = {{0}};

	if (!l->fired && !mono_before(at, l->armed))
		return 0;
	if (at.ns != MONO_NEVER.ns)
		its.it_value = system_time(l, at);
	if (timerfd_settime(l->timer.fd, TFD_TIMER_ABSTIME, &its, NULL) < 0)
		return -errno;
	l->armed = at;
	l->fired = false;
	return 0;
}

/* Returns the timeout for epoll_wait() if the timer cannot be set. It is late by at
 * most a millisecond. */
static int milliseconds_to(const struct loop *l, mono_t at)
{
	int64_t ms;

	if (at.ns == MONO_NEVER.ns)
		return -1;
	ms = (at.ns - l->now.ns) / (NS_PER_SEC / 1000) + 1;
	return ms > INT_MAX ? INT_MAX : (int)ms;
}

static void gather_events(struct loop *l)
{
	mono_t until = mono_add_ns(l->now, GATHER_NS);
	struct timespec ts = system_time(l, until);

	if (l->quick < GATHER_AFTER || l->hurry || l->stop)
		return;
	/* a signal ends it early */
	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL);
}

/* Counts rounds that follow each other closely; `last` is when the previous one
 * began. */
static void count_quick(struct loop *l, mono_t last)
{
	/* a delayed round is slightly later than that */
	if (mono_before(l->now, mono_add_ns(last, 2 * GATHER_NS)))
		l->quick += l->quick < GATHER_AFTER;
	else
		l->quick = 0;
	l->hurry = false;
}

/* The time to leave out of a sleep that began at `from`, should have ended at `at`, and
 * has ended at `system_ns`. */
static int64_t find_gap(struct loop *l, mono_t from, mono_t at, int64_t system_ns)
{
	const int64_t most = LOOP_GAP_MS * (NS_PER_SEC / 1000);
	int64_t suspended = clock_ns(CLOCK_BOOTTIME) - system_ns, gap = 0, late = 0;

	if (at.ns != MONO_NEVER.ns)
		late = our_time(l, system_ns).ns - mono_max(at, from).ns;
	if (late > most) {
		l->left_out_ns += late;
		l->fired = true; /* the timer still has the old time */
		gap = late;
	}
	if (suspended - l->suspended_ns > most)
		gap += suspended - l->suspended_ns;
	l->suspended_ns = suspended;
	return gap;
}

static int sleep_until(struct loop *l, mono_t at)
{
	int timeout = -1, n;

	if (l->stop || mono_due(at, l->now))
		timeout = 0;
	else if (arm(l, at) < 0)
		timeout = milliseconds_to(l, at);
	if (l->ops.before_sleep)
		l->ops.before_sleep(l->ops.ctx);
	gather_events(l);
	n = epoll_wait(l->epoll, l->batch, BATCH, timeout);
	l->n_batch = n > 0 ? n : 0;
	n = n < 0 && errno != EINTR ? -errno : 0;
	if (l->ops.after_sleep)
		l->ops.after_sleep(l->ops.ctx);
	return n;
}

static int wait_events(struct loop *l)
{
	mono_t at = next_deadline(l), last = l->now;
	mono_t from = our_time(l, clock_ns(CLOCK_MONOTONIC));
	int r = sleep_until(l, at);
	int64_t system_ns = clock_ns(CLOCK_MONOTONIC);
	int64_t gap = find_gap(l, from, at, system_ns);

	l->now = our_time(l, system_ns);
	count_quick(l, last);
	if (gap > 0 && l->ops.resumed)
		l->ops.resumed(l->ops.ctx, l->now, gap / (NS_PER_SEC / 1000));
	return r;
}

int loop_round(struct loop *l)
{
	int r;

	r = wait_events(l);
	if (r < 0)
		return r;
	for (int i = 0; i < l->n_batch; i++) {
		struct loop_fd *f = l->batch[i].data.ptr;

		if (f)
			f->fn(f, l->batch[i].events);
	}
	l->n_batch = 0;
	if (l->ops.tick && mono_due(next_deadline(l), l->now))
		l->ops.tick(l->ops.ctx, l->now);
	if (l->ops.round_end)
		l->ops.round_end(l->ops.ctx, l->now);
	return 0;
}

int loop_run(struct loop *l)
{
	l->stop = false;
	/* effects from before the first round */
	if (l->ops.round_end)
		l->ops.round_end(l->ops.ctx, l->now);
	while (!l->stop) {
		int r = loop_round(l);

		if (r < 0)
			return r;
	}
	return 0;
}
