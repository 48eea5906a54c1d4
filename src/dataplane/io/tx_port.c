/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Transmit sockets and plain sending, see tx_port.h. Sockets come and go with the port
 * plan.
 *
 * A full or broken port loses only its own copies: nothing here waits, each error is
 * counted for the copy that it concerns, and the batch continues after it.
 */

#include "dataplane/io/tx_port.h"

#include "base/cleanup.h"
#include "base/sys/packet_socket.h"
#include "base/sys/sockopt.h"
#include "dataplane/io/tx_sendmmsg.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/sock_diag.h>

#define SEND_BUFFER (4 * 1024 * 1024)
#define BATCH	    64

static void set_caps(struct tx_port *t, unsigned caps)
{
	atomic_store_explicit(&t->caps, caps, memory_order_relaxed);
}

int tx_port_open(int ifindex, bool has_l2, bool vnet, struct tx_port **ret)
{
	struct tx_port *t = calloc(1, sizeof(*t));
	int r;

	if (!t)
		return -ENOMEM;
	t->has_l2 = has_l2;
	for (unsigned i = 0; i < _FAMILY_N; i++)
		t->to[i] = (struct sockaddr_ll){
			.sll_family = AF_PACKET,
			.sll_protocol = htons(i == FAMILY_IPV4 ? ETH_P_IP : ETH_P_IPV6),
			.sll_ifindex = ifindex,
		};
	t->fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (t->fd < 0)
		goto fail;
	/* without CAP_NET_ADMIN it is what net.core.wmem_max allows */
	(void)sockopt_set_buffer(t->fd, SO_SNDBUFFORCE, SO_SNDBUF, SEND_BUFFER);
	if (vnet && sockopt_set(t->fd, SOL_PACKET, PACKET_VNET_HDR, 1) == 0)
		set_caps(t, TX_VNET | TX_SUPER_FRAME | TX_UNTRIED);
	/* with protocol 0 the socket receives nothing */
	if (bind(t->fd,
		    (const struct sockaddr *)&(struct sockaddr_ll){
			    .sll_family = AF_PACKET,
			    .sll_ifindex = ifindex,
		    },
		    sizeof(struct sockaddr_ll)) < 0)
		goto fail;
	*ret = t;
	return 0;
fail:
	r = -errno;
	tx_port_close(t);
	return r;
}

struct tx_port *tx_port_close(struct tx_port *t)
{
	if (!t)
		return NULL;
	closep(&t->fd);
	free(t);
	return NULL;
}

bool tx_port_is_on(const struct tx_port *t, int ifindex)
{
	return packet_socket_is_on(t->fd, ifindex);
}

void tx_port_queue(const struct tx_port *t, uint32_t *ret_used, uint32_t *ret_limit)
{
	packet_socket_memory(
		t->fd, SK_MEMINFO_WMEM_ALLOC, SK_MEMINFO_SNDBUF, ret_used, ret_limit);
}

void tx_port_msghdr(struct tx_port *t, const struct tx_msg *msg, struct msghdr *ret)
{
	*ret = (struct msghdr){
		.msg_iov = msg->iov,
		.msg_iovlen = msg->n_iov,
	};
	if (!t->has_l2) {
		ret->msg_name = &t->to[msg->family];
		ret->msg_namelen = sizeof(t->to[msg->family]);
	}
}

unsigned tx_port_caps(const struct tx_port *t)
{
	return t ? atomic_load_explicit(&t->caps, memory_order_relaxed) : 0;
}

static int send_some(int fd, struct mmsghdr *v, unsigned n)
{
	int r;

	do {
		r = tx_sendmmsg(fd, v, n, MSG_DONTWAIT);
	} while (r < 0 && errno == EINTR);
	return r < 0 ? -errno : r;
}

/* Errors that pass with time say nothing. EINVAL comes from kernels before 6.2, which
 * do not know the type of header. Any other error means that this port cannot send
 * super-frames. */
static int try_super_frame(struct tx_port *t, const struct tx_msg *msg)
{
	struct mmsghdr m = {0};
	enum verdict v;
	int r;

	tx_port_msghdr(t, msg, &m.msg_hdr);
	r = send_some(t->fd, &m, 1);
	if (r == 1) {
		set_caps(t, TX_VNET | TX_SUPER_FRAME);
		return 0;
	}
	v = verdict_of_errno(-r);
	if (v == VERDICT_PORT_DOWN || v == VERDICT_TX_FULL || v == VERDICT_TX_QUEUE)
		return r;
	set_caps(t, TX_VNET);
	return 1;
}

void tx_batch_sent(
	struct tx_batch *b, unsigned port, unsigned n, uint64_t packets, uint64_t bytes)
{
	counter_add_tx(b->counters, port, n, packets, bytes);
	b->health[port].n_full = 0;
}

void tx_batch_failed(struct tx_batch *b, unsigned port, uint64_t packets, int err)
{
	struct tx_health *h = &b->health[port];
	enum verdict v = verdict_of_errno(err);

	if (v == VERDICT_PORT_DOWN)
		h->give_up = v;
	else if (v != VERDICT_TX_FULL)
		h->n_full = 0;
	else if (++h->n_full >= TX_FULL_MAX)
		h->give_up = v;
	counter_add_verdict(b->counters, port, v, packets);
	portset_add(&b->ill, port);
}

bool tx_batch_try(struct tx_batch *b, unsigned port, const struct tx_msg *msg)
{
	int r = try_super_frame(b->port[port], msg);

	if (r < 0)
		tx_batch_failed(b, port, msg->n_packets, -r);
	else if (r == 0)
		counter_add_tx(b->counters, port, 1, msg->n_packets, msg->bytes);
	return r <= 0;
}

void tx_batch_end(struct tx_batch *b)
{
	portset_for_each (&b->ill, port)
		b->health[port] = (struct tx_health){0};
	b->ill = (struct portset){0};
}

/* sendmmsg(2) */

struct tx_mmsg {
	struct tx_batch b;
	struct mmsghdr hdr[BATCH];
};

int tx_mmsg_new(struct forward_counters *counters, struct tx_mmsg **ret)
{
	struct tx_mmsg *t = calloc(1, sizeof(*t));

	if (!t)
		return -ENOMEM;
	t->b.counters = counters;
	*ret = t;
	return 0;
}

struct tx_mmsg *tx_mmsg_free(struct tx_mmsg *t)
{
	free(t);
	return NULL;
}

/* sendmmsg() stops at the first message that fails, and returns its error only if it is
 * the first of the call. So each stop costs one more call, from that message. */
static unsigned send_batch(
	struct tx_mmsg *t, unsigned port, const struct tx_msg *msg, unsigned n)
{
	const struct tx_health *h = &t->b.health[port];
	struct tx_port *tp = t->b.port[port];
	unsigned done = 0;

	for (unsigned i = 0; i < n; i++)
		tx_port_msghdr(tp, &msg[i], &t->hdr[i].msg_hdr);
	while (done < n && !h->give_up) {
		int r = send_some(tp->fd, t->hdr + done, n - done);
		uint64_t bytes = 0;

		if (r <= 0) {
			tx_batch_failed(
				&t->b, port, msg[done].n_packets, r < 0 ? -r : EIO);
			done++;
			continue;
		}
		for (int i = 0; i < r; i++)
			bytes += msg[done + (unsigned)i].bytes;
		tx_batch_sent(&t->b, port, (unsigned)r,
			tx_n_packets(&msg[done], (unsigned)r), bytes);
		done += (unsigned)r;
	}
	return done;
}

static bool mmsg_send(void *ctx, unsigned port, const struct tx_msg *msg, unsigned n)
{
	struct tx_mmsg *t = ctx;
	const struct tx_health *h = &t->b.health[port];
	unsigned done = 0;

	if (t->b.port[port] && !h->give_up && msg->super_frame &&
		(tx_port_caps(t->b.port[port]) & TX_UNTRIED))
		return tx_batch_try(&t->b, port, msg);
	while (t->b.port[port] && done < n && !h->give_up)
		done += send_batch(
			t, port, msg + done, n - done < BATCH ? n - done : BATCH);
	if (done < n)
		counter_add_verdict(t->b.counters, port,
			t->b.port[port] ? h->give_up : VERDICT_PORT_DOWN,
			tx_n_packets(msg + done, n - done));
	return true;
}

static unsigned mmsg_caps(void *ctx, unsigned port)
{
	struct tx_mmsg *t = ctx;

	return tx_port_caps(t->b.port[port]);
}

static void mmsg_flush(void *ctx)
{
	tx_batch_end(&((struct tx_mmsg *)ctx)->b);
}

void tx_mmsg_ops(struct tx_mmsg *t, struct tx_port *const *ports, struct tx_ops *ret)
{
	t->b.port = ports;
	*ret = (struct tx_ops){
		.caps = mmsg_caps,
		.send = mmsg_send,
		.flush = mmsg_flush,
		.copied = true,
		.ctx = t,
	};
}
