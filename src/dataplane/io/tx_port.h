/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Sending on a port: a packet socket per thread and port, and the sendmmsg(2)
 * implementation of tx_ops. Control opens and closes a socket, and one data-plane
 * thread uses it.
 */

#include "dataplane/packet/counters.h"
#include "dataplane/packet/tx.h"

#include <linux/if_packet.h>
#include <sys/socket.h>

struct tx_port {
	int fd;
	/* On a link without Ethernet header, the kernel takes the protocol from
	 * `to`. */
	bool has_l2;
	struct sockaddr_ll to[_FAMILY_N];
	_Atomic unsigned caps; /* enum tx_caps; written by the thread, relaxed */
};

/* Opens the socket of a port. With `vnet` the port may take super-frames: whether the
 * first one can be sent decides about the others. If the kernel refuses vnet headers,
 * the port works without them. Returns 0, -EPERM without CAP_NET_RAW, -ENODEV, -ENOMEM,
 * or another -errno. */
int tx_port_open(int ifindex, bool has_l2, bool vnet, struct tx_port **ret);
struct tx_port *tx_port_close(struct tx_port *t);
/* Is the socket still attached to that interface? */
bool tx_port_is_on(const struct tx_port *t, int ifindex);
/* Returns the bytes of kernel memory that wait to be sent, and their limit. Any thread
 * may call it. */
void tx_port_queue(const struct tx_port *t, uint32_t *ret_used, uint32_t *ret_limit);

/* Fills in a header for sendmsg(2). It refers to the message and to the port. */
void tx_port_msghdr(struct tx_port *t, const struct tx_msg *msg, struct msghdr *ret);
/* The function for tx_ops.caps. Returns 0 for NULL. */
unsigned tx_port_caps(const struct tx_port *t);

/* What is sent until the next flush. A port that is full or gone must not take time
 * from the other ports, so the rest of its messages is given up. */
#define TX_FULL_MAX 4 /* as many EAGAIN in a row are enough to give up */
struct tx_batch {
	struct forward_counters *counters;
	struct tx_port *const *port;
	struct tx_health {
		unsigned n_full;
		enum verdict give_up; /* verdict of everything until the flush, or 0 */
	} health[PORT_MAX];
	struct portset ill; /* ports whose health is not zero */
};
/* Count packets that the kernel took, in `n` messages, or refused with `err`. */
void tx_batch_sent(struct tx_batch *b, unsigned port, unsigned n, uint64_t packets,
	uint64_t bytes);
void tx_batch_failed(struct tx_batch *b, unsigned port, uint64_t packets, int err);
/* Sends the first super-frame of a port, and notes in its caps whether it takes such
 * messages. Returns false and counts nothing if it takes none. */
bool tx_batch_try(struct tx_batch *b, unsigned port, const struct tx_msg *msg);
/* Forgets the errors. */
void tx_batch_end(struct tx_batch *b);

/* sendmmsg(2) */
struct tx_mmsg;

/* `counters` is borrowed. Returns 0 or -ENOMEM. */
int tx_mmsg_new(struct forward_counters *counters, struct tx_mmsg **ret);
struct tx_mmsg *tx_mmsg_free(struct tx_mmsg *t);
/* Fills in the functions of *ret. `ports` has PORT_MAX entries, which are NULL for
 * ports that do not exist. It is borrowed until the next call. */
void tx_mmsg_ops(struct tx_mmsg *t, struct tx_port *const *ports, struct tx_ops *ret);
