/* SPDX-License-Identifier: GPL-2.0-or-later */

/* loop: deadlines, descriptors that come and go in callbacks, signals, sleep hooks. */

#include "control/sys/loop.h"
#include "test.h"

#include <errno.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <unistd.h>

/* The kernel's timer, or none. The linker's --wrap replaces timerfd_settime() by
 * this. */
static bool no_timer;

int __wrap_timerfd_settime(
	int fd, int flags, const struct itimerspec *to, struct itimerspec *old);

int __wrap_timerfd_settime(
	int fd, int flags, const struct itimerspec *to, struct itimerspec *old)
{
	if (no_timer) {
		errno = ENOMEM;
		return -1;
	}
	return (int)syscall(SYS_timerfd_settime, fd, flags, to, old);
}

/* how far our clocks are ahead of the kernel's */
static int64_t ahead_ns, suspended_ns;

int clock_gettime(clockid_t clock, struct timespec *ret)
{
	int64_t ns = ahead_ns + (clock == CLOCK_BOOTTIME ? suspended_ns : 0);
	int r = (int)syscall(SYS_clock_gettime, clock, ret);

	ns += ret->tv_sec * NS_PER_SEC + ret->tv_nsec;
	*ret = (struct timespec){ns / NS_PER_SEC, ns % NS_PER_SEC};
	return r;
}

struct fixture {
	struct loop *loop;
	mono_t deadline;
	int n_ticks, n_rounds, n_asleep, n_awake, signo, n_signals;
	mono_t ticked_at;
	int64_t jump_ns, suspend_ns; /* while the loop sleeps */
	int64_t resumed_ms;
};

static mono_t deadline(void *ctx)
{
	struct fixture *f = ctx;

	return f->deadline;
}

static void tick(void *ctx, mono_t now)
{
	struct fixture *f = ctx;

	f->n_ticks++;
	f->ticked_at = now;
	f->deadline = MONO_NEVER;
}

static void round_end(void *ctx, mono_t now)
{
	struct fixture *f = ctx;

	assert_int_equal(now.ns, loop_now(f->loop).ns);
	f->n_rounds++;
}

static void on_signal(void *ctx, int signo)
{
	struct fixture *f = ctx;

	f->signo = signo;
	f->n_signals++;
	loop_stop(f->loop);
}

static void before_sleep(void *ctx)
{
	struct fixture *f = ctx;

	assert_int_equal(f->n_asleep++, f->n_awake);
	ahead_ns += f->jump_ns;
	suspended_ns += f->suspend_ns;
	f->jump_ns = f->suspend_ns = 0;
}

static void resumed(void *ctx, mono_t now, int64_t ms)
{
	struct fixture *f = ctx;

	assert_int_equal(now.ns, loop_now(f->loop).ns);
	f->resumed_ms += ms;
}

static void after_sleep(void *ctx)
{
	struct fixture *f = ctx;

	assert_int_equal(++f->n_awake, f->n_asleep);
}

static int setup(void **state)
{
	static struct fixture f;
	struct loop_ops ops = {.deadline = deadline,
		.tick = tick,
		.round_end = round_end,
		.signal = on_signal,
		.before_sleep = before_sleep,
		.after_sleep = after_sleep,
		.resumed = resumed,
		.ctx = &f};

	f = (struct fixture){.deadline = MONO_NEVER};
	ahead_ns = suspended_ns = 0;
	*state = &f;
	return loop_new(&ops, &f.loop);
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	f->loop = loop_free(f->loop);
	return 0;
}

static void deadline_ticks_not_early(void **state)
{
	struct fixture *f = *state;
	mono_t at = mono_add_ns(loop_now(f->loop), 1500 * 1000);

	f->deadline = at;
	while (f->n_ticks == 0)
		assert_int_equal(loop_round(f->loop), 0);
	assert_int_equal(f->n_ticks, 1);
	assert_true(mono_due(at, f->ticked_at));
	assert_true(f->n_awake > 0);

	/* a deadline in the past ticks at once */
	f->deadline = mono_from_ms(1);
	assert_int_equal(loop_round(f->loop), 0);
	assert_int_equal(f->n_ticks, 2);
}

static void deadline_without_a_timer(void **state)
{
	struct fixture *f = *state;
	mono_t at = mono_add_ms(loop_now(f->loop), 3);

	no_timer = true;
	f->deadline = at;
	while (f->n_ticks == 0)
		assert_int_equal(loop_round(f->loop), 0);
	assert_true(mono_due(at, f->ticked_at));
	assert_true(f->n_rounds < 4); /* it slept instead of spinning */
	no_timer = false;
	f->deadline = mono_add_ms(loop_now(f->loop), 1);
	while (f->n_ticks == 1)
		assert_int_equal(loop_round(f->loop), 0);
}

static void deadline_moves(void **state)
{
	struct fixture *f = *state;

	/* an hour is armed first, and the earlier deadline must replace it */
	f->deadline = mono_add_ms(loop_now(f->loop), 3600 * 1000);
	raise(SIGUSR1);
	assert_int_equal(loop_round(f->loop), 0);
	assert_int_equal(f->n_ticks, 0);
	f->deadline = mono_add_ms(loop_now(f->loop), 1);
	while (f->n_ticks == 0)
		assert_int_equal(loop_round(f->loop), 0);
}

/* The loop's clock skips an hour in which the process was stopped, and timers
 * continue. */
static void time_that_is_missed_is_left_out(void **state)
{
	struct fixture *f = *state;
	mono_t before = loop_now(f->loop);
	const int64_t hour_ms = 3600 * 1000;

	f->deadline = mono_add_ms(before, 50);
	f->jump_ns = hour_ms * 1000000;
	/* only a signal ends the sleep, because the kernel's clock has not moved */
	raise(SIGUSR1);
	assert_int_equal(loop_round(f->loop), 0);
	assert_int_equal(f->n_ticks, 1); /* still due after the skip */
	assert_true(f->resumed_ms > hour_ms - 1000 && f->resumed_ms <= hour_ms);
	assert_true(mono_before(loop_now(f->loop), mono_add_ms(before, 10000)));
	assert_true(mono_due(mono_add_ms(before, hour_ms), loop_system_now(f->loop)));
}

static void suspension_is_told(void **state)
{
	struct fixture *f = *state;

	f->suspend_ns = INT64_C(60000) * 1000000;
	raise(SIGUSR1);
	assert_int_equal(loop_round(f->loop), 0);
	/* the two clocks are not read at the same instant */
	assert_in_range(f->resumed_ms, 50000, 70000);
	f->resumed_ms = 0;
	raise(SIGUSR1);
	assert_int_equal(loop_round(f->loop), 0);
	assert_int_equal(f->resumed_ms, 0);
}

/* A shorter delay means a busy machine: the clock skips nothing and the deadline is
 * overdue. */
static void a_late_wake_up_is_not_a_gap(void **state)
{
	struct fixture *f = *state;

	f->deadline = mono_add_ms(loop_now(f->loop), 100);
	f->jump_ns = INT64_C(5000) * 1000000;
	raise(SIGUSR1);
	assert_int_equal(loop_round(f->loop), 0);
	assert_int_equal(f->n_ticks, 1);
	assert_int_equal(f->resumed_ms, 0);
}

struct event {
	struct loop_fd fd;
	struct event *victim;
	int n;
};

static void on_event(struct loop_fd *fd, uint32_t events)
{
	struct event *e = container_of(fd, struct event, fd);
	uint64_t v;

	assert_true(events & EPOLLIN);
	assert_int_equal(read(fd->fd, &v, sizeof(v)), sizeof(v));
	e->n++;
	if (e->victim)
		loop_del(&e->victim->fd);
}

static void event_init(struct fixture *f, struct event *e)
{
	*e = (struct event){.fd = {.fd = eventfd(1, EFD_NONBLOCK), .fn = on_event}};
	assert_int_equal(loop_add(f->loop, &e->fd), 0);
}

static void removed_in_the_same_round_is_not_called(void **state)
{
	struct fixture *f = *state;
	struct event a_event, b_event;

	event_init(f, &a_event);
	event_init(f, &b_event);
	a_event.victim = &b_event;
	b_event.victim = &a_event;
	assert_int_equal(loop_round(f->loop), 0);
	assert_int_equal(a_event.n + b_event.n, 1);
	assert_true((a_event.fd.loop == NULL) != (b_event.fd.loop == NULL));

	loop_del(&a_event.fd);
	loop_del(&b_event.fd);
	loop_del(&b_event.fd); /* does nothing */
	close(a_event.fd.fd);
	close(b_event.fd.fd);
}

static void events_can_be_changed(void **state)
{
	struct fixture *f = *state;
	struct event e;

	event_init(f, &e);
	assert_int_equal(loop_change(&e.fd, 0), 0);
	f->deadline = mono_add_ms(loop_now(f->loop), 2);
	while (f->n_ticks == 0)
		assert_int_equal(loop_round(f->loop), 0);
	assert_int_equal(e.n, 0);
	assert_int_equal(loop_change(&e.fd, EPOLLIN), 0);
	assert_int_equal(loop_round(f->loop), 0);
	assert_int_equal(e.n, 1);
	loop_del(&e.fd);
	close(e.fd.fd);
}

static void signals_arrive_and_stop(void **state)
{
	static const int signals[] = {SIGHUP, SIGTERM, SIGINT, SIGUSR1};
	struct fixture *f = *state;

	for (size_t i = 0; i < array_len(signals); i++) {
		raise(signals[i]);
		assert_int_equal(loop_run(f->loop), 0);
		assert_int_equal(f->signo, signals[i]);
		assert_int_equal(f->n_signals, (int)i + 1);
	}
	/* one round before the first sleep, and one with the signal */
	assert_int_equal(f->n_rounds, 2 * (int)array_len(signals));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			deadline_ticks_not_early, setup, teardown),
		cmocka_unit_test_setup_teardown(
			deadline_without_a_timer, setup, teardown),
		cmocka_unit_test_setup_teardown(deadline_moves, setup, teardown),
		cmocka_unit_test_setup_teardown(
			time_that_is_missed_is_left_out, setup, teardown),
		cmocka_unit_test_setup_teardown(suspension_is_told, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_late_wake_up_is_not_a_gap, setup, teardown),
		cmocka_unit_test_setup_teardown(
			removed_in_the_same_round_is_not_called, setup, teardown),
		cmocka_unit_test_setup_teardown(events_can_be_changed, setup, teardown),
		cmocka_unit_test_setup_teardown(
			signals_arrive_and_stop, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
