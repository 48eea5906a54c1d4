/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Batched transmit, see tx_uring.h.
 *
 * Each copy is one SENDMSG with MSG_DONTWAIT. Such a request is executed inside
 * io_uring_enter(2), in the order of submission, and its bytes are copied before the
 * call returns: order per port is kept, nothing is left in flight, and the ring blocks
 * may be released afterwards. Without MSG_DONTWAIT a full socket would move the request
 * to a kernel thread, after its successors.
 *
 * Requests of a ring pass no filter of system calls. Therefore a ring is restricted to
 * this one kind of request (Linux 5.10), even if an attacker has taken over the daemon.
 * The filter forbids further rings, so control makes the rings before it installs the
 * filter. A thread starts its ring when it first sends, and owns it from then on.
 */

#include "dataplane/io/tx_uring.h"

#include "base/cleanup.h"
#include "build_config.h"

#include <errno.h>

const char *tx_uring_reason(int r)
{
	switch (-r) {
	case 0:
		return "";
	case EPERM:
		return "io_uring not permitted (EPERM)";
	case EACCES:
		return "io_uring not permitted (EACCES)";
	case ENOSYS:
		return "io_uring not in this kernel (ENOSYS)";
	case ENOMEM:
		return "io_uring has no memory (ENOMEM)";
	case EOPNOTSUPP:
		return HAVE_LIBURING ? "io_uring of this kernel cannot be "
				       "confined (before 5.10)"
				     : "built without io_uring";
	default:
		return "io_uring refused";
	}
}

#if HAVE_LIBURING

#include <liburing.h>
#include <sys/syscall.h>
#include <unistd.h>

#define N_ENTRIES   1024 /* copies per system call */
#define RETRIES_MAX 16

struct slot {
	struct msghdr hdr;
	uint32_t bytes;
	uint16_t n_packets;
};

struct tx_uring {
	struct io_uring ring;
	bool ready;   /* ring is usable */
	bool started; /* its thread has begun to use it */
	struct tx_batch b;
	unsigned n_queued;
	struct slot slot[N_ENTRIES];
	uint16_t slot_port[N_ENTRIES];
	bool slot_done[N_ENTRIES];
};

/* liburing 2.3 does not export its two functions for this. Returns 0 or -errno. */
static int register_with(struct io_uring *ring, unsigned opcode, void *arg, unsigned n)
{
	int r = (int)syscall(SYS_io_uring_register, ring->ring_fd, opcode, arg, n);

	return r < 0 ? -errno : 0;
}

/* Allows only messages to sockets, without any request flags, and no registering. */
static int restrict_ring(struct io_uring *ring)
{
	struct io_uring_restriction only = {
		.opcode = IORING_RESTRICTION_SQE_OP, .sqe_op = IORING_OP_SENDMSG};
	int r = register_with(ring, IORING_REGISTER_RESTRICTIONS, &only, 1);

	return r == -EINVAL ? -EOPNOTSUPP : r;
}

/* Tries the flags that make a single-threaded ring cheap (Linux 6.1), then none. */
static int init_ring(struct io_uring *ring, unsigned entries)
{
	int r = io_uring_queue_init(entries, ring,
		IORING_SETUP_SUBMIT_ALL | IORING_SETUP_SINGLE_ISSUER |
			IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_R_DISABLED);

	if (r == -EINVAL)
		r = io_uring_queue_init(entries, ring, IORING_SETUP_R_DISABLED);
	if (r < 0)
		return r == -EINVAL ? -EOPNOTSUPP : r;
	r = restrict_ring(ring);
	if (r < 0)
		io_uring_queue_exit(ring);
	return r;
}

int tx_uring_probe(void)
{
	struct io_uring ring;
	int r = init_ring(&ring, 4);

	if (r == 0)
		io_uring_queue_exit(&ring);
	return r;
}

int tx_uring_new(struct forward_counters *counters, struct tx_uring **ret)
{
	_cleanup_(freep) struct tx_uring *t = calloc(1, sizeof(*t));
	int r;

	if (!t)
		return -ENOMEM;
	t->b.counters = counters;
	r = init_ring(&t->ring, N_ENTRIES);
	if (r < 0)
		return r;
	t->ready = true;
	*ret = take_ptr(t);
	return 0;
}

struct tx_uring *tx_uring_free(struct tx_uring *t)
{
	if (t && t->ready)
		io_uring_queue_exit(&t->ring);
	free(t);
	return NULL;
}

static void count_result(struct tx_uring *t, unsigned index, int res)
{
	unsigned port = t->slot_port[index];
	const struct slot *s = &t->slot[index];

	t->slot_done[index] = true;
	if (res >= 0)
		tx_batch_sent(&t->b, port, 1, s->n_packets, s->bytes);
	else
		tx_batch_failed(&t->b, port, s->n_packets, -res);
}

static unsigned reap(struct tx_uring *t)
{
	struct io_uring_cqe *cqe;
	unsigned head, n = 0;

	io_uring_for_each_cqe(&t->ring, head, cqe)
	{
		count_result(t, (unsigned)(cqe->user_data & 0xffff), cqe->res);
		n++;
	}
	io_uring_cq_advance(&t->ring, n);
	return n;
}

/* Requests that the kernel refuses cannot be withdrawn from a ring, and a new ring
 * cannot be made, so the ring is given up. Queued requests without a result are lost,
 * and counted. */
static void give_up(struct tx_uring *t)
{
	io_uring_queue_exit(&t->ring);
	for (unsigned i = 0; i < t->n_queued; i++)
		if (!t->slot_done[i])
			counter_add_verdict(t->b.counters, t->slot_port[i],
				VERDICT_TX_ERROR, t->slot[i].n_packets);
	t->ready = false;
}

/* Everything queued is executed and counted when this returns. */
static void submit(struct tx_uring *t)
{
	unsigned done = 0, tries = 0;

	while (done < t->n_queued) {
		int r = io_uring_submit_and_wait(&t->ring, t->n_queued - done);
		unsigned n = reap(t);

		done += n;
		if (n > 0 || r > 0) {
			tries = 0;
			continue;
		}
		if ((r != -EINTR && r != -EAGAIN && r != -EBUSY) ||
			++tries > RETRIES_MAX) {
			give_up(t);
			break;
		}
	}
	t->n_queued = 0;
}

static void queue_one(struct tx_uring *t, unsigned port, const struct tx_msg *msg)
{
	struct tx_port *tp = t->b.port[port];
	unsigned i = t->n_queued;
	struct slot *s = &t->slot[i];
	struct io_uring_sqe *sqe = io_uring_get_sqe(&t->ring);

	if (!sqe) { /* as many entries as slots, so only a broken ring gets here */
		counter_add_verdict(
			t->b.counters, port, VERDICT_TX_ERROR, msg->n_packets);
		return;
	}
	tx_port_msghdr(tp, msg, &s->hdr);
	s->n_packets = msg->n_packets;
	s->bytes = msg->bytes;
	t->slot_port[i] = (uint16_t)port;
	t->slot_done[i] = false;
	io_uring_prep_sendmsg(sqe, tp->fd, &s->hdr, MSG_DONTWAIT);
	sqe->user_data = (uint64_t)port << 16 | i;
	t->n_queued++;
}

/* The first super-frame of a port, after everything that is queued. */
static bool try_now(struct tx_uring *t, unsigned port, const struct tx_msg *msg)
{
	if (t->n_queued > 0)
		submit(t);
	return tx_batch_try(&t->b, port, msg);
}

static bool uring_send(void *ctx, unsigned port, const struct tx_msg *msg, unsigned n)
{
	struct tx_uring *t = ctx;
	const struct tx_health *h = &t->b.health[port];
	unsigned i = 0;

	if (!t->b.port[port] || !t->ready) {
		counter_add_verdict(t->b.counters, port,
			t->b.port[port] ? VERDICT_TX_ERROR : VERDICT_PORT_DOWN,
			tx_n_packets(msg, n));
		return true;
	}
	if (!h->give_up && msg->super_frame &&
		(tx_port_caps(t->b.port[port]) & TX_UNTRIED))
		return try_now(t, port, msg);
	for (; i < n && t->ready && !h->give_up; i++) {
		if (t->n_queued == N_ENTRIES)
			submit(t);
		if (t->ready && !h->give_up)
			queue_one(t, port, &msg[i]);
		else
			break;
	}
	if (i < n)
		counter_add_verdict(t->b.counters, port,
			h->give_up ? h->give_up : VERDICT_TX_ERROR,
			tx_n_packets(msg + i, n - i));
	return true;
}

static unsigned uring_caps(void *ctx, unsigned port)
{
	struct tx_uring *t = ctx;

	return tx_port_caps(t->b.port[port]);
}

static void uring_flush(void *ctx)
{
	struct tx_uring *t = ctx;

	if (t->n_queued > 0)
		submit(t);
	tx_batch_end(&t->b);
}

static void start_ring(struct tx_uring *t)
{
	t->started = true;
	if (register_with(&t->ring, IORING_REGISTER_ENABLE_RINGS, NULL, 0) < 0)
		give_up(t);
}

bool tx_uring_is_started(const struct tx_uring *t)
{
	return t->started;
}

bool tx_uring_ops(struct tx_uring *t, struct tx_port *const *ports, struct tx_ops *ret)
{
	if (t->ready && !t->started)
		start_ring(t);
	t->b.port = ports;
	*ret = (struct tx_ops){
		.caps = uring_caps,
		.send = uring_send,
		.flush = uring_flush,
		.ctx = t,
	};
	return t->ready;
}

#else

int tx_uring_probe(void)
{
	return -EOPNOTSUPP;
}

int tx_uring_new(struct forward_counters *counters, struct tx_uring **ret)
{
	return -EOPNOTSUPP;
}

struct tx_uring *tx_uring_free(struct tx_uring *t)
{
	return NULL;
}

bool tx_uring_is_started(const struct tx_uring *t)
{
	return false;
}

bool tx_uring_ops(struct tx_uring *t, struct tx_port *const *ports, struct tx_ops *ret)
{
	return false;
}

#endif
