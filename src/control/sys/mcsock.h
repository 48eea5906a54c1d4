/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Membership messages of one interface and family: a packet socket with a filter, apart
 * from the data plane's rings, so that a flood of data does not displace reports.
 * Receives every membership message that arrives on the interface, for any group, and
 * on request those that the rest of this host sends there. Needs CAP_NET_RAW.
 *
 * Does not log: errors are returned or counted.
 */

#include "base/addr.h"
#include "control/proto/admission.h"
#include "control/proto/mcfilter.h"
#include "control/proto/reassemble.h"
#include "control/sys/loop.h"

struct mcsock;
struct mcsock_rx;

/* Memory for one batch of received packets and for the hosts that send them, shared by
 * all sockets of a loop. 0, -ENOMEM */
int mcsock_rx_new(uint64_t seed, struct mcsock_rx **ret_rx);
struct mcsock_rx *mcsock_rx_free(struct mcsock_rx *rx);
/* The link-layer sender of the packet that is being delivered. */
struct sockaddr_ll;
const struct sockaddr_ll *mcsock_rx_from(const struct mcsock_rx *rx);

/* Until when the sender of the packet that is being delivered has groups on the
 * interface, if it sends nothing more. Valid only for this packet. */
void mcsock_rx_member(struct mcsock_rx *rx, mono_t until);

/* The effect of a limit on a message. */
struct mcsock_limited {
	const struct admission_host *who;
	enum admission_cause cause;
	bool query;
	size_t left; /* records (sources of a query) that were left out; 0 if the
		      * message was refused */
};

struct mcsock_ops {
	/* One IP packet from the IP header on, reassembled if it came in fragments;
	 * valid during the call. May close sockets, including this one. `work` is the
	 * work granted to it (gm_peek.h). Returns the number of records (sources of a
	 * query) that were left out, or a negative value if it was not a message or if its
	 * contents were refused. */
	int (*packet)(
		void *ctx, int ifindex, const void *packet, size_t len, uint32_t work);
	/* A message was refused, or partly accepted. May be NULL. */
	void (*limited)(void *ctx, const struct mcsock_limited *what);
	/* A host sends more than is cheap to refuse, so the kernel admits only a part
	 * of it for a while. May be NULL. */
	void (*sampled)(void *ctx, const struct admission_host *who);
	/* A fragment was refused, and its message with it. May be NULL. */
	void (*fragment)(void *ctx, const struct admission_host *who,
		enum reassemble_result why);
	/* mcsock_tick() is due at that time. May be NULL. */
	void (*later)(void *ctx, mono_t at);
	/* An IP packet with a membership message that leaves this host on the interface
	 * and was not sent by this socket: by the kernel for a program, or by another
	 * daemon. NULL if these are not wanted. */
	void (*own)(void *ctx, const void *packet, size_t len);
	bool queries; /* only queries of others are wanted */
	void *ctx;
	/* borrowed, shared by the families of an interface; NULL means no limits */
	struct admission_port *admission;
	const struct admission_limit *limit;
};

/* A counter with a name in mcsock.c is shown by "show stats", and all of them survive a
 * live upgrade. */
enum mcsock_count {
	MCSOCK_COUNT_RECEIVED,
	MCSOCK_COUNT_SENT,
	MCSOCK_COUNT_SEND_ERRORS,
	MCSOCK_COUNT_RECEIVE_ERRORS,
	MCSOCK_COUNT_DROPPED,	      /* by the kernel: receive buffer full */
	MCSOCK_COUNT_LIMITED,	      /* received, but above the limits of a host or
				       * a port */
	MCSOCK_COUNT_RECORDS_LIMITED, /* records in those, and left out of others */
	MCSOCK_COUNT_SAMPLED,	      /* times that the kernel was told to admit less */
	MCSOCK_COUNT_TRUNCATED, /* longer than the largest IP packet; not delivered */
	_MCSOCK_COUNT_N,
};
/* NULL if it is not shown by name. */
const char *mcsock_count_name(enum mcsock_count c);

struct mcsock_stats {
	uint64_t count[_MCSOCK_COUNT_N];
	uint64_t fragment[_REASSEMBLE_N]; /* received fragments, see reassemble.h */
};

/* `rx` is borrowed for the lifetime of the socket, `ops` is copied. Returns 0 or
 * -errno; -ENODEV if there is no such interface. The interface may be down. A socket
 * survives down and up; if the interface is deleted, it stays silent until closed. */
int mcsock_open(struct loop *loop, struct mcsock_rx *rx, int ifindex,
	enum family family, const struct mcsock_ops *ops, struct mcsock **ret_sock);
/* The same with a socket that another process has opened like this, including the
 * messages that wait in it. On failure `fd` stays the caller's; -EINVAL if it is
 * another kind of socket. */
int mcsock_adopt(struct loop *loop, struct mcsock_rx *rx, int fd, int ifindex,
	enum family family, const struct mcsock_ops *ops, struct mcsock **ret_sock);
int mcsock_fd(const struct mcsock *s);
/* One more for the same socket that only sends and outlives it. 0 or -errno */
int mcsock_copy(const struct mcsock *s, struct mcsock **ret_sock);
struct mcsock *mcsock_close(struct mcsock *s); /* takes and returns NULL */
/* Is the socket still bound to the interface? A deleted interface leaves a socket that
 * is bound to nothing, and its index may be reused. */
bool mcsock_is_on(const struct mcsock *s);

/* Ends the sampling of hosts after its time, and drops incomplete messages. Returns
 * when to call it next. */
mono_t mcsock_tick(struct mcsock *s, mono_t now);

/* Send a complete IP packet to the link-layer address of a multicast group. Returns 0
 * or -errno: -ENETDOWN, -ENXIO or -ENODEV if it is down or gone; -EMSGSIZE; -EAGAIN or
 * -ENOBUFS if the queue is full; -EINVAL if it is not a group of this family. */
int mcsock_send(
	struct mcsock *s, const void *packet, size_t len, const struct addr *group);

/* Also reads the kernel's drop counter. */
void mcsock_stats(struct mcsock *s, struct mcsock_stats *ret_stats);

/* Bytes of kernel memory that wait to be read, and their limit. */
void mcsock_queue(const struct mcsock *s, uint32_t *ret_used, uint32_t *ret_limit);
