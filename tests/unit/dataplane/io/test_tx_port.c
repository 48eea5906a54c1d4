/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Scripted errors of sendmmsg(2): the linker's --wrap replaces the function of the C
 * library by one of this program. Each step of a script is the number of messages to
 * accept, or -errno.
 */

#include "dataplane/io/tx_port.h"

#include "test.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>

#define PORT	5
#define N_PORTS 7
#define ALL	10000
#define LEN(i)	(100 + (i))

struct call {
	int fd;
	unsigned n;
	size_t first_len; /* bytes of its first message, which identify it */
	uint16_t protocol;
};

static struct {
	int step[32];
	unsigned n_steps, n_calls;
	struct call call[32];
} script;

/* the C libraries disagree about the signedness of flags */
int __wrap_tx_sendmmsg(int fd, struct mmsghdr *v, unsigned n, int flags);

int __wrap_tx_sendmmsg(int fd, struct mmsghdr *v, unsigned n, int flags)
{
	const struct msghdr *m = &v[0].msg_hdr;
	const struct sockaddr_ll *to = m->msg_name;
	int step;

	assert_true(script.n_calls < script.n_steps);
	assert_int_equal(flags, MSG_DONTWAIT);
	step = script.step[script.n_calls];
	script.call[script.n_calls++] = (struct call){
		.fd = fd,
		.n = n,
		.first_len = m->msg_iov[m->msg_iovlen - 1].iov_len,
		.protocol = to ? ntohs(to->sll_protocol) : 0,
	};
	if (step < 0) {
		errno = -step;
		return -1;
	}
	return step < (int)n ? step : (int)n;
}

static void play(const int *step, size_t n)
{
	memset(&script, 0, sizeof(script));
	memcpy(script.step, step, n * sizeof(*step));
	script.n_steps = (unsigned)n;
}
#define PLAY(...)                                                                      \
	play((const int[]){__VA_ARGS__}, sizeof((int[]){__VA_ARGS__}) / sizeof(int))

struct bench {
	struct forward_counters counters;
	struct tx_mmsg *t;
	struct tx_port socket[N_PORTS];
	struct tx_port *port[PORT_MAX];
	struct tx_ops ops;
	struct tx_msg msg[100];
	struct iovec iov[100][2];
	uint8_t l2[14], packet[256];
};

static int set_up(void **state)
{
	struct bench *b = calloc(1, sizeof(*b));

	*state = b;
	if (!b || tx_mmsg_new(&b->counters, &b->t) < 0)
		return -1;
	for (int i = 0; i < N_PORTS; i++) {
		b->socket[i] = (struct tx_port){.fd = 40 + i, .has_l2 = true};
		b->socket[i].to[FAMILY_IPV4].sll_protocol = htons(ETH_P_IP);
		b->socket[i].to[FAMILY_IPV6].sll_protocol = htons(ETH_P_IPV6);
		b->port[i] = &b->socket[i];
	}
	tx_mmsg_ops(b->t, b->port, &b->ops);
	for (unsigned i = 0; i < array_len(b->msg); i++) {
		b->iov[i][0] = (struct iovec){b->l2, 14};
		b->iov[i][1] = (struct iovec){b->packet, LEN(i)};
		b->msg[i] = (struct tx_msg){
			.iov = b->iov[i], .n_iov = 2, .n_packets = 1, .bytes = LEN(i)};
	}
	return 0;
}

static int tear_down(void **state)
{
	struct bench *b = *state;

	tx_mmsg_free(b->t);
	free(b);
	return 0;
}

static uint64_t errors(struct bench *b, unsigned port, enum verdict v)
{
	return b->counters.port[port].drop[v];
}

static void send_n(struct bench *b, unsigned port, unsigned n)
{
	assert_true(b->ops.send(b->ops.ctx, port, b->msg, n));
}

static void assert_sent(struct bench *b, unsigned port, uint64_t n)
{
	assert_int_equal(b->counters.port[port].count[PORT_COUNT_TX_PACKETS], n);
}

static void test_all_in_one_call(void **state)
{
	struct bench *b = *state;

	PLAY(ALL);
	send_n(b, PORT, 3);
	assert_int_equal(script.n_calls, 1);
	assert_int_equal(script.call[0].fd, 40 + PORT);
	assert_int_equal(script.call[0].n, 3);
	assert_int_equal(script.call[0].protocol, 0);
	assert_sent(b, PORT, 3);
	assert_int_equal(
		b->counters.port[PORT].count[PORT_COUNT_TX_BYTES], 100 + 101 + 102);
}

static void test_large_batch(void **state)
{
	struct bench *b = *state;

	PLAY(ALL, ALL);
	send_n(b, PORT, 100);
	assert_int_equal(script.n_calls, 2);
	assert_int_equal(script.call[1].n, 36);
	assert_int_equal(script.call[1].first_len, LEN(64));
	assert_sent(b, PORT, 100);
}

/* An error belongs only to the message after the accepted ones. */
static void test_lost_frame_in_the_middle(void **state)
{
	struct bench *b = *state;

	PLAY(3, -ENOBUFS, ALL);
	send_n(b, PORT, 10);
	assert_int_equal(script.n_calls, 3);
	assert_int_equal(script.call[1].first_len, LEN(3));
	assert_int_equal(script.call[1].n, 7);
	assert_int_equal(script.call[2].first_len, LEN(4));
	assert_int_equal(script.call[2].n, 6);
	assert_sent(b, PORT, 9);
	assert_int_equal(errors(b, PORT, VERDICT_TX_QUEUE), 1);
}

static void test_each_error_has_its_counter(void **state)
{
	struct bench *b = *state;

	PLAY(-ENOBUFS, -EMSGSIZE, -EPERM, ALL);
	send_n(b, PORT, 4);
	assert_sent(b, PORT, 1);
	assert_int_equal(errors(b, PORT, VERDICT_TX_QUEUE), 1);
	assert_int_equal(errors(b, PORT, VERDICT_TX_SIZE), 1);
	assert_int_equal(errors(b, PORT, VERDICT_TX_ERROR), 1);
}

static void test_full_port_is_given_up(void **state)
{
	struct bench *b = *state;

	PLAY(2, -EAGAIN, -EAGAIN, -EAGAIN, -EAGAIN);
	send_n(b, PORT, 60);
	assert_int_equal(script.n_calls, 1 + TX_FULL_MAX);
	send_n(b, PORT, 10); /* not tried again in the same burst */
	assert_int_equal(script.n_calls, 1 + TX_FULL_MAX);
	assert_sent(b, PORT, 2);
	assert_int_equal(errors(b, PORT, VERDICT_TX_FULL), 68);

	PLAY(ALL); /* another port is not affected */
	send_n(b, PORT + 1, 10);
	assert_sent(b, PORT + 1, 10);

	b->ops.flush(b->ops.ctx);
	PLAY(ALL); /* the next burst tries again */
	send_n(b, PORT, 10);
	assert_sent(b, PORT, 12);
}

static void test_full_for_a_moment(void **state)
{
	struct bench *b = *state;

	PLAY(-EAGAIN, -EAGAIN, -EAGAIN, 1, -EAGAIN, -EAGAIN, -EAGAIN, ALL);
	send_n(b, PORT, 10);
	assert_int_equal(script.n_calls, 8);
	assert_sent(b, PORT, 4);
	assert_int_equal(errors(b, PORT, VERDICT_TX_FULL), 6);
}

static void test_port_that_is_down(void **state)
{
	static const int gone[] = {-ENETDOWN, -ENXIO, -ENODEV};
	struct bench *b = *state;

	for (size_t i = 0; i < array_len(gone); i++) {
		PLAY(gone[i]);
		send_n(b, PORT, 20);
		send_n(b, PORT, 20);
		assert_int_equal(script.n_calls, 1);
		assert_int_equal(errors(b, PORT, VERDICT_PORT_DOWN), 40 * (i + 1));
		b->ops.flush(b->ops.ctx);
	}
	assert_sent(b, PORT, 0);
}

static void test_port_without_socket(void **state)
{
	struct bench *b = *state;

	PLAY(ALL);
	send_n(b, N_PORTS, 5);
	assert_int_equal(script.n_calls, 0);
	assert_int_equal(errors(b, N_PORTS, VERDICT_PORT_DOWN), 5);
}

static void test_interrupted_call(void **state)
{
	struct bench *b = *state;

	PLAY(-EINTR, ALL);
	send_n(b, PORT, 5);
	assert_int_equal(script.n_calls, 2);
	assert_sent(b, PORT, 5);
}

static void r186_protocol_without_header(void **state)
{
	struct bench *b = *state;

	b->socket[PORT].has_l2 = false;
	b->iov[0][0] = (struct iovec){b->packet, 50};
	b->msg[0].n_iov = 1;
	b->msg[0].family = FAMILY_IPV6;
	PLAY(ALL, ALL);
	send_n(b, PORT, 1);
	assert_int_equal(script.call[0].protocol, ETH_P_IPV6);
	assert_int_equal(script.call[0].first_len, 50);
	b->msg[0].family = FAMILY_IPV4;
	send_n(b, PORT, 1);
	assert_int_equal(script.call[1].protocol, ETH_P_IP);
}

/* Turns message 0 into a super-frame of 40 datagrams. */
static void make_super_frame(struct bench *b)
{
	b->socket[PORT].caps = TX_VNET | TX_SUPER_FRAME | TX_UNTRIED;
	b->msg[0].super_frame = true;
	b->msg[0].n_packets = 40;
	b->msg[0].bytes = 40000;
}

static void test_first_super_frame(void **state)
{
	struct bench *b = *state;

	make_super_frame(b);
	PLAY(ALL, ALL);
	assert_int_equal(
		b->ops.caps(b->ops.ctx, PORT), TX_VNET | TX_SUPER_FRAME | TX_UNTRIED);
	send_n(b, PORT, 1);
	assert_int_equal(b->ops.caps(b->ops.ctx, PORT), TX_VNET | TX_SUPER_FRAME);
	assert_sent(b, PORT, 40);
	assert_int_equal(b->counters.port[PORT].count[PORT_COUNT_TX_BYTES], 40000);
	assert_int_equal(b->counters.port[PORT].count[PORT_COUNT_TX_MESSAGES], 1);
	send_n(b, PORT, 3);
	assert_sent(b, PORT, 82);
}

/* As on kernels before 6.2: nothing is counted, and the datagrams are sent one by
 * one. */
static void test_super_frames_are_refused(void **state)
{
	static const int refusal[] = {-EINVAL, -EOPNOTSUPP, -ENOMEM};
	struct bench *b = *state;

	for (size_t i = 0; i < array_len(refusal); i++) {
		make_super_frame(b);
		PLAY(refusal[i]);
		assert_false(b->ops.send(b->ops.ctx, PORT, b->msg, 1));
		assert_int_equal(b->ops.caps(b->ops.ctx, PORT), TX_VNET);
		assert_sent(b, PORT, 0);
		assert_int_equal(errors(b, PORT, VERDICT_TX_ERROR), 0);
	}
}

/* An error that is unrelated to super-frames leaves the port untried. */
static void test_first_super_frame_is_lost(void **state)
{
	static const int passing[] = {-EAGAIN, -ENOBUFS, -ENETDOWN};
	struct bench *b = *state;

	for (size_t i = 0; i < array_len(passing); i++) {
		make_super_frame(b);
		PLAY(passing[i]);
		send_n(b, PORT, 1);
		assert_true(b->ops.caps(b->ops.ctx, PORT) & TX_UNTRIED);
		b->ops.flush(b->ops.ctx);
	}
	assert_int_equal(errors(b, PORT, VERDICT_TX_FULL), 40);
	assert_int_equal(errors(b, PORT, VERDICT_TX_QUEUE), 40);
	assert_int_equal(errors(b, PORT, VERDICT_PORT_DOWN), 40);
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_all_in_one_call),
		CASE(test_large_batch),
		CASE(test_lost_frame_in_the_middle),
		CASE(test_each_error_has_its_counter),
		CASE(test_full_port_is_given_up),
		CASE(test_full_for_a_moment),
		CASE(test_port_that_is_down),
		CASE(test_port_without_socket),
		CASE(test_interrupted_call),
		CASE(r186_protocol_without_header),
		CASE(test_first_super_frame),
		CASE(test_super_frames_are_refused),
		CASE(test_first_super_frame_is_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
