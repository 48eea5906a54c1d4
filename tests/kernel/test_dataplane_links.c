/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The data plane while links and its own ports come, go and fill up. A failing port
 * does not affect the others, a change neither loses nor reorders frames, and a dead
 * ring costs no processor time.
 */

#include "dataplane_fixture.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>

/* A link becomes usable shortly after it is up. Sends until a frame reaches that
 * port. */
static void wait_link(struct lab *l, unsigned port)
{
	for (int i = 0; i < SOON / 20; i++) {
		inject(l, &packet4);
		if (lab_receive(l->sink[port], l->buf, sizeof(l->buf), 20) == 0)
			continue;
		for (unsigned k = DA; k <= DB; k++)
			while (lab_receive(l->sink[k], l->buf, sizeof(l->buf), 20) > 0)
				;
		return;
	}
	fail_msg("nothing comes through to port %u", port);
}

static void test_port_down_leaves_others_alone(void **state)
{
	struct lab *l = *state;

	start(l, 1, RING_SIZE);
	lab_ip("link set da0 down");
	for (uint32_t i = 0; i < 100; i++)
		inject_numbered(l, &packet4, i);
	for (uint32_t i = 0; i < 100; i++) {
		assert_int_not_equal(
			lab_receive(l->sink[DB], l->buf, sizeof(l->buf), SOON), 0);
		assert_int_equal(lab_number(l->buf + LAB_L2), i);
	}
	wait_verdict(l, DA, VERDICT_PORT_DOWN, 100);
	lab_ip("link set da0 up");
	wait_link(l, DA);
	inject(l, &packet4);
	expect(l, DA, &packet4);
	expect(l, DB, &packet4);
}

/* A qdisc that stops all frames, so the socket fills up. */
static void test_full_port_leaves_others_alone(void **state)
{
	const unsigned rounds = 60, n = 100;
	struct lab *l = *state;
	struct dataplane_port_stats st;

	if (system("tc qdisc add dev da0 root tbf rate 8bit burst 1600 limit 100m") !=
		0)
		skip();
	start(l, 1, RING_SIZE);
	for (uint32_t i = 0; i < rounds * n; i++) {
		inject_numbered(l, &packet4, i);
		if (i % n < n - 1)
			continue;
		for (uint32_t k = i + 1 - n; k <= i; k++) {
			assert_int_not_equal(
				lab_receive(l->sink[DB], l->buf, sizeof(l->buf), SOON),
				0);
			assert_int_equal(lab_number(l->buf + LAB_L2), k);
		}
	}
	wait_copies(l, DA, rounds * n);
	dataplane_port_stats(l->dp, DA, &st);
	assert_int_not_equal(st.verdict[VERDICT_TX_FULL], 0);
	assert_int_not_equal(st.count[PORT_COUNT_TX_PACKETS], 0);
}

static void r187_upstream_comes_back(void **state)
{
	struct lab *l = *state;
	struct dataplane_port_stats st;
	struct dataplane_stats before, after;

	start(l, 1, RING_SIZE);
	inject(l, &packet4);
	expect(l, DA, &packet4);
	expect(l, DB, &packet4);
	close(l->inject);
	lab_delete("up0");
	expect_nothing(l, DA);
	/* the error of the dead ring must not keep the thread awake */
	dataplane_stats(l->dp, &before);
	expect_nothing(l, DA);
	dataplane_stats(l->dp, &after);
	assert_int_equal(
		after.count[THREAD_COUNT_WAKEUPS], before.count[THREAD_COUNT_WAKEUPS]);

	l->port[UP].present = false;
	apply(l);
	lab_veth("up");
	define_port(l, UP, "up0", true);
	l->inject = lab_socket("up1");
	apply(l);
	assert_int_equal(dataplane_port_error(l->dp, UP), 0);
	inject(l, &packet6);
	expect(l, DA, &packet6);
	expect(l, DB, &packet6);
	dataplane_port_stats(l->dp, UP, &st);
	assert_int_equal(st.count[PORT_COUNT_RX_PACKETS], 2);
	assert_int_equal(st.count[PORT_COUNT_RING_PACKETS], 2);
}

static void test_upstream_down_and_up(void **state)
{
	struct lab *l = *state;

	start(l, 1, RING_SIZE);
	lab_ip("link set up0 down");
	lab_ip("link set up0 up");
	wait_link(l, DA);
	inject(l, &packet4);
	expect(l, DA, &packet4);
	expect(l, DB, &packet4);
}

static bool is_down(void *arg)
{
	struct expected *e = arg;
	struct dataplane_stats st;

	dataplane_stats(e->l->dp, &st);
	return st.count[THREAD_COUNT_WAKEUPS] > e->n;
}

/* The error of a ring whose interface is down wakes the thread once; then it sleeps,
 * until something else arrives. */
static void r187_down_ring_is_not_polled(void **state)
{
	struct lab *l = *state;
	struct dataplane_stats before, after;
	struct expected woken = {.l = l};

	l->port[DB].receive = true;
	start(l, 1, RING_SIZE);
	inject(l, &packet4);
	expect(l, DA, &packet4);
	expect(l, DB, &packet4);
	expect_nothing(l, DA);
	dataplane_stats(l->dp, &before);
	woken.n = before.count[THREAD_COUNT_WAKEUPS];
	lab_ip("link set up0 down");
	assert_true(lab_wait(is_down, &woken));
	expect_nothing(l, DA);
	dataplane_stats(l->dp, &before);
	expect_nothing(l, DA);
	expect_nothing(l, DB);
	dataplane_stats(l->dp, &after);
	assert_int_equal(
		after.count[THREAD_COUNT_WAKEUPS], before.count[THREAD_COUNT_WAKEUPS]);

	/* a live ring still works, with a wake-up or two for each frame */
	for (uint32_t i = 0; i < 10; i++) {
		lab_send(l->sink[DB], l->buf, lab_frame(l->buf, &packet4, l->mac));
		assert_int_not_equal(
			lab_receive(l->sink[DA], l->buf, sizeof(l->buf), SOON), 0);
	}
	expect_nothing(l, DA);
	dataplane_stats(l->dp, &after);
	assert_true(after.count[THREAD_COUNT_WAKEUPS] -
			before.count[THREAD_COUNT_WAKEUPS] <=
		30);

	lab_ip("link set up0 up");
	wait_link(l, DA);
	inject(l, &packet4);
	expect(l, DA, &packet4);
}

static void test_port_that_cannot_be_opened(void **state)
{
	struct lab *l = *state;

	start(l, 1, RING_SIZE);
	define_port(l, 7, "da0", true);
	l->port[7].ifindex = 9999;
	l->port[7].receive = true;
	apply(l);
	assert_int_equal(dataplane_port_error(l->dp, 7), ENODEV);
	inject(l, &packet4);
	expect(l, DA, &packet4);
	l->port[7].present = false;
	apply(l);
	assert_int_equal(dataplane_port_error(l->dp, 7), 0);
}

/* Changes */

#define N_CHANGES  10
#define N_NUMBERED 2000 /* at least so many frames */
#define WINDOW	   50	/* frames under way */

struct stream {
	struct lab *l;
	uint32_t sent, got;   /* received in order on both downstreams */
	_Atomic bool changed; /* all changes were made */
	_Atomic bool over;
};

/* Returns true if the next frame of both downstreams has this number. */
static bool receives_number(const struct lab *l, uint32_t number)
{
	uint8_t frame[2000];

	for (unsigned port = DA; port <= DB; port++)
		if (lab_receive(l->sink[port], frame, sizeof(frame), SOON) == 0 ||
			lab_number(frame + LAB_L2) != number)
			return false;
	return true;
}

/* Sends and receives while the control thread changes the plan. Ends with the first
 * frame that is missing, late or double. */
static void *run_stream(void *arg)
{
	struct stream *s = arg;

	for (;;) {
		bool enough = s->changed && s->sent >= N_NUMBERED;
		struct lab_packet p = packet4;
		uint8_t frame[2000];

		for (; !enough && s->sent < s->got + WINDOW; s->sent++) {
			p.number = s->sent;
			if (send(s->l->inject, frame, lab_frame(frame, &p, s->l->mac),
				    0) < 0)
				break;
		}
		if (s->got == s->sent || !receives_number(s->l, s->got))
			break;
		s->got++;
	}
	s->over = true;
	return NULL;
}

static void test_plan_change_loses_nothing(void **state)
{
	struct lab *l = *state;
	struct stream stream = {.l = l};
	unsigned changes = 0;
	pthread_t thread;

	start(l, 1, RING_SIZE);
	lab_veth("dc");
	define_port(l, 3, "dc0", true);
	l->port[3].receive = true;
	assert_int_equal(pthread_create(&thread, NULL, run_stream, &stream), 0);
	for (; changes < N_CHANGES && !stream.over; changes++) {
		l->port[3].present = !l->port[3].present;
		apply(l);
		dataplane_control_sleep();
		dataplane_control_wake();
	}
	stream.changed = true;
	pthread_join(thread, NULL);
	assert_int_equal(changes, N_CHANGES);
	assert_true(stream.sent >= N_NUMBERED);
	assert_int_equal(stream.got, stream.sent);
	wait_verdict(l, UP, VERDICT_FORWARDED, stream.sent);
}

static void test_idle_threads_sleep(void **state)
{
	struct lab *l = *state;
	struct dataplane_stats before, after;

	/* which wakes them once more a second after the last frame */
	quality = QUALITY_MODE_OFF;
	start(l, 2, RING_SIZE);
	quality = 0;
	inject(l, &packet4);
	expect(l, DA, &packet4);
	expect(l, DB, &packet4);
	expect_nothing(l, DA);
	dataplane_stats(l->dp, &before);
	expect_nothing(l, DA);
	expect_nothing(l, DB);
	dataplane_stats(l->dp, &after);
	assert_int_equal(
		after.count[THREAD_COUNT_WAKEUPS], before.count[THREAD_COUNT_WAKEUPS]);
	inject(l, &packet6); /* and the thread wakes up again */
	expect(l, DA, &packet6);
	dataplane_stats(l->dp, &after);
	assert_true(
		after.count[THREAD_COUNT_WAKEUPS] > before.count[THREAD_COUNT_WAKEUPS]);
}

#define N_GROUPS  16
#define IN_FLIGHT 400 /* the kernel's backlog between veths holds 1000 */

static void test_two_threads_keep_order_of_flows(void **state)
{
	const uint32_t n = 100;
	struct lab *l = *state;
	uint32_t next[N_GROUPS] = {0}, sent = 0;
	char group[N_GROUPS][16];
	struct dataplane_port_stats st;

	/* one block per millisecond, enough for the longest wait of a thread */
	start(l, 2, 8 * RING_SIZE);
	for (unsigned g = 0; g < N_GROUPS; g++) {
		snprintf(group[g], sizeof(group[g]), "239.5.5.%u", g);
		join(l, group[g], DA);
	}
	for (uint32_t got = 0; got < n * N_GROUPS; got++) {
		unsigned g;

		for (; sent < n * N_GROUPS && sent < got + IN_FLIGHT; sent++) {
			struct lab_packet p = packet4;

			p.group = group[sent % N_GROUPS];
			p.number = sent / N_GROUPS;
			inject(l, &p);
		}
		assert_int_not_equal(
			lab_receive(l->sink[DA], l->buf, sizeof(l->buf), SOON), 0);
		g = l->buf[LAB_L2 + 19];
		assert_true(g < N_GROUPS);
		assert_int_equal(lab_number(l->buf + LAB_L2), next[g]++);
	}
	expect_nothing(l, DA); /* every frame exactly once */
	dataplane_port_stats(l->dp, UP, &st);
	assert_int_equal(st.count[PORT_COUNT_RING_PACKETS], n * N_GROUPS);
	inject(l, &packet6);
	expect(l, DB, &packet6);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(test_port_down_leaves_others_alone),
		CASE(test_full_port_leaves_others_alone),
		CASE(r187_upstream_comes_back),
		CASE(test_upstream_down_and_up),
		CASE(r187_down_ring_is_not_polled),
		CASE(test_port_that_cannot_be_opened),
		CASE(test_plan_change_loses_nothing),
		CASE(test_idle_threads_sleep),
		CASE(test_two_threads_keep_order_of_flows),
	};

	return run_in_each_way(cases, array_len(cases));
}
