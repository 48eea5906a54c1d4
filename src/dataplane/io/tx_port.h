/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Sending on a port: a packet socket per thread and port, and the sendmmsg(2)
 * implementation of tx_ops. Sockets are opened and closed by control, used by one
 * data-plane thread.
 */

#include "dataplane/packet/counters.h"
#include "dataplane/packet/tx.h"

#include <linux/if_packet.h>
#include <sys/socket.h>

struct tx_port {
	int fd;
	/* without a link header the kernel takes the protocol from the address */
	bool has_l2;
	struct sockaddr_ll to[_FAMILY_N];
	_Atomic unsigned caps; /* enum tx_caps; written by the thread, relaxed */
};

/* With `vnet` the port may take super-frames: the first one decides. Kernels that
 * refuse vnet headers get a port without. 0, or -errno: -EPERM without CAP_NET_RAW,
 * -ENODEV, -ENOMEM */
int tx_port_open(int ifindex, bool has_l2, bool vnet, struct tx_port **ret);
struct tx_port *tx_port_close(struct tx_port *t); /* takes and returns NULL */
bool tx_port_is_on(const struct tx_port *t, int ifindex);
/* Bytes of kernel memory that wait to be sent, and their limit. Any thread may call it.
 */
void tx_port_queue(const struct tx_port *t, uint32_t *ret_used, uint32_t *ret_limit);

/* A message as sendmsg(2) wants it, referring to its iov. */
void tx_port_msghdr(struct tx_port *t, const struct tx_msg *msg, struct msghdr *ret);
/* Sends the first super-frame of a port, and notes the result in its caps. 0, -errno of
 * a failure that says nothing about super-frames, or 1: refused for good. */
int tx_port_try(struct tx_port *t, const struct tx_msg *msg);
/* as tx_ops.caps; 0 for NULL */
unsigned tx_port_caps(const struct tx_port *t);

/* Errors of a port in a batch: a port that is full or gone must not take time from the
 * others. All zero if there was none. */
#define TX_FULL_MAX 4 /* consecutive EAGAIN until the rest of the batch is given up */
struct tx_health {
	unsigned n_full;
	enum verdict give_up; /* verdict of everything until flush, 0 to continue */
};
void tx_health_sent(struct tx_health *h);
enum verdict tx_health_failed(struct tx_health *h, int err);

/* sendmmsg(2) */
struct tx_mmsg;

int tx_mmsg_new(
	struct forward_counters *counters, struct tx_mmsg **ret); /* 0, -ENOMEM */
struct tx_mmsg *tx_mmsg_free(struct tx_mmsg *t);
/* `ports` (PORT_MAX of them, NULL where there is none) is borrowed until the next
 * call */
void tx_mmsg_ops(struct tx_mmsg *t, struct tx_port *const *ports, struct tx_ops *ret);
