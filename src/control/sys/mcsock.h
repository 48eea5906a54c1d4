/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Membership messages of one interface and family: a packet socket with a filter, apart
 * from the data plane's rings, so that a flood of data does not push out reports. Sees
 * every membership message that arrives on the interface, whatever group it is sent to,
 * and on request what the rest of this host sends there. Needs CAP_NET_RAW.
 *
 * Does not log: errors are returned or counted.
 */

#include "base/addr.h"
#include "control/proto/flood.h"
#include "control/proto/mcfilter.h"
#include "control/proto/reassemble.h"
#include "control/sys/loop.h"

struct mcsock;
struct mcsock_rx;

/* Memory for one batch of received packets and for the hosts that send them, shared by
 * all sockets of a loop. 0, -ENOMEM */
int mcsock_rx_new(uint64_t seed, struct mcsock_rx **ret_rx);
struct mcsock_rx *mcsock_rx_free(struct mcsock_rx *rx);
/* Who sent the packet that is being delivered, in the words of the link layer. */
struct sockaddr_ll;
const struct sockaddr_ll *mcsock_rx_from(const struct mcsock_rx *rx);

/* The sender of the packet that is being delivered has groups on the interface until
 * then, if it says nothing more. Forgotten with the packet. */
void mcsock_rx_member(struct mcsock_rx *rx, mono_t until);

/* What a limit did to a message. */
struct mcsock_limited {
	const struct flood_host *who;
	enum flood_cause cause;
	bool query;
	size_t left; /* records, of a query sources, that were left off; 0 means
		      * refused */
};

struct mcsock_ops {
	/* One IP packet from the IP header on, put together if it came in fragments;
	 * valid during the call. May close sockets, also this one. `work` is what it
	 * may ask for (gm_peek.h). The value is the number of records, of a query
	 * that of sources, that this left off, or negative: it was no message, or one
	 * that is refused for what it says.
	 */
	int (*packet)(
		void *ctx, int ifindex, const void *packet, size_t len, uint32_t work);
	/* A message is refused, or was taken in part. May be NULL. */
	void (*limited)(void *ctx, const struct mcsock_limited *what);
	/* A host sends more than it is cheap to refuse, and the kernel lets a part of
	 * it through for a while. May be NULL. */
	void (*sampled)(void *ctx, const struct flood_host *who);
	/* A fragment was refused, and its message with it. May be NULL. */
	void (*fragment)(
		void *ctx, const struct flood_host *who, enum reassemble_result why);
	/* mcsock_tick() has something to do at that time. May be NULL. */
	void (*later)(void *ctx, mono_t at);
	/* An IP packet with a membership message that leaves this host on the interface
	 * and was not sent by this socket: by the kernel for a program, or by another
	 * daemon. NULL: these are not wanted. */
	void (*own)(void *ctx, const void *packet, size_t len);
	bool queries; /* of what others send, these alone are wanted */
	void *ctx;
	/* borrowed, shared by the families of an interface; NULL means no limits */
	struct flood_port *flood;
	const struct flood_limit *limit;
};

/* A counter with a name in mcsock.c is shown by "show stats", and all of them survive a
 * live upgrade. */
enum mcsock_count {
	MCSOCK_COUNT_RECEIVED,
	MCSOCK_COUNT_SENT,
	MCSOCK_COUNT_SEND_ERRORS,
	MCSOCK_COUNT_RECEIVE_ERRORS,
	MCSOCK_COUNT_DROPPED,	      /* by the kernel: receive buffer full */
	MCSOCK_COUNT_LIMITED,	      /* of the received: more than a host or a port may
					 send */
	MCSOCK_COUNT_RECORDS_LIMITED, /* in those, and left off from others */
	MCSOCK_COUNT_SAMPLED,	/* times that the kernel was told to let through less */
	MCSOCK_COUNT_TRUNCATED, /* longer than an IP packet can be; not delivered */
	_MCSOCK_COUNT_N,
};
/* NULL if it is not shown by name. */
const char *mcsock_count_name(enum mcsock_count c);

struct mcsock_stats {
	uint64_t count[_MCSOCK_COUNT_N];
	uint64_t fragment[_REASSEMBLE_N]; /* of the received; see reassemble.h */
};

/* `rx` is borrowed for the life of the socket, `ops` is copied. 0 or -errno; -ENODEV
 * when there is no such interface. An interface that is down is fine. A socket survives
 * down and up; when the interface goes away for good it is silent until closed. */
int mcsock_open(struct loop *loop, struct mcsock_rx *rx, int ifindex,
	enum family family, const struct mcsock_ops *ops, struct mcsock **ret_sock);
/* The same with a socket that another process has opened so, with what waits in it.
 * `fd` stays the caller's when it fails; -EINVAL: it is another one. */
int mcsock_adopt(struct loop *loop, struct mcsock_rx *rx, int fd, int ifindex,
	enum family family, const struct mcsock_ops *ops, struct mcsock **ret_sock);
int mcsock_fd(const struct mcsock *s);
/* One more for the same socket that only sends and outlives it. 0 or -errno */
int mcsock_copy(const struct mcsock *s, struct mcsock **ret_sock);
struct mcsock *mcsock_close(struct mcsock *s); /* takes and returns NULL */
/* Still bound to the interface: one that was deleted leaves a socket that is bound to
 * nothing, and its index may be in use again. */
bool mcsock_is_on(const struct mcsock *s);

/* Listen as before to hosts that have been sampled long enough, and forget messages of
 * which fragments are missing; when to call it next. */
mono_t mcsock_tick(struct mcsock *s, mono_t now);

/* Send a complete IP packet to the link-layer address of a multicast group. 0 or
 * -errno: -ENETDOWN, -ENXIO or -ENODEV: down or gone; -EMSGSIZE; -EAGAIN, -ENOBUFS:
 * queue full; -EINVAL: no group of this family. */
int mcsock_send(
	struct mcsock *s, const void *packet, size_t len, const struct addr *group);

/* Reads the kernel's drop counter, too. */
void mcsock_stats(struct mcsock *s, struct mcsock_stats *ret_stats);

/* Bytes of kernel memory that wait to be read, and how many may. */
void mcsock_queue(const struct mcsock *s, uint32_t *ret_used, uint32_t *ret_limit);
