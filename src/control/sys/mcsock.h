/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Membership messages of one interface and family: a packet socket with a filter. It is
 * separate from the data plane's rings, so that a flood of data does not displace
 * reports. It receives every membership message that arrives on the interface, for any
 * group, and on request also those that other sockets of this host send there. Needs
 * CAP_NET_RAW.
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

/* Makes the memory for one batch of received packets and for the hosts that send them.
 * All sockets of a loop share it. `seed` must be unguessable. Returns 0 or -ENOMEM. */
int mcsock_rx_new(uint64_t seed, struct mcsock_rx **ret_rx);
struct mcsock_rx *mcsock_rx_free(struct mcsock_rx *rx);
/* Returns the link-layer sender of the packet that is being delivered; borrowed. */
struct sockaddr_ll;
const struct sockaddr_ll *mcsock_rx_from(const struct mcsock_rx *rx);

/* Says until when the sender of the packet that is being delivered has groups on the
 * interface, if it sends nothing more. Call it only during mcsock_ops.packet(). */
void mcsock_rx_member(struct mcsock_rx *rx, mono_t until);

/* The effect of a limit on a message. */
struct mcsock_limited {
	const struct admission_host *who;
	enum admission_cause cause;
	bool query;
	/* Records (or sources of a query) that were left out. 0 if the whole message
	 * was refused. */
	size_t left;
};

struct mcsock_ops {
	/* Takes one IP packet from the IP header on, reassembled if it came in
	 * fragments. The packet is valid during the call. `work` is the work granted to
	 * it (gm_peek.h). Returns the number of records (or sources of a query) that
	 * were left out, or a negative value if the packet was not a message or its
	 * contents were refused. May close sockets, including this one. */
	int (*packet)(void *ctx, enum family family, const void *packet, size_t len,
		uint32_t work);
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
	/* Takes an IP packet with a membership message that this host sends on the
	 * interface, but not with this socket. The kernel sends such messages for
	 * programs, and so may another daemon. NULL if they are not wanted. */
	void (*own)(void *ctx, enum family family, const void *packet, size_t len);
	bool queries; /* from other hosts, only queries are wanted */
	void *ctx;
	/* Borrowed, and shared by the families of an interface. NULL means no
	 * limits. */
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
	MCSOCK_COUNT_DROPPED, /* dropped by the kernel, because the buffer was full */
	MCSOCK_COUNT_LIMITED, /* refused, because a host or a port was at its limit */
	MCSOCK_COUNT_RECORDS_LIMITED, /* their records, and any left out of others */
	MCSOCK_COUNT_SAMPLED,	      /* times that the kernel was told to admit less */
	MCSOCK_COUNT_TRUNCATED,	      /* refused: longer than the largest IP packet */
	_MCSOCK_COUNT_N,
};
/* Returns the name, or NULL if "show stats" does not show the counter. */
const char *mcsock_count_name(enum mcsock_count c);

struct mcsock_stats {
	uint64_t count[_MCSOCK_COUNT_N];
	uint64_t fragment[_REASSEMBLE_N]; /* received fragments, see reassemble.h */
};

/* Opens a socket. `handed` is one that another process opened in this way, or -1. It
 * is used with its waiting messages if it fits, else closed. `rx` is borrowed for the
 * lifetime of the socket, `ops` is copied. The interface may be down at any time. If
 * it is deleted, the socket receives nothing until it is closed. Returns 0, -ENODEV if
 * there is no such interface, or another -errno. */
int mcsock_open(struct loop *loop, struct mcsock_rx *rx, int handed, int ifindex,
	enum family family, const struct mcsock_ops *ops, struct mcsock **ret_sock);
int mcsock_fd(const struct mcsock *s); /* borrowed */
/* Makes an object for the same socket that only sends, and that may outlive `s`.
 * Returns 0 or -errno. */
int mcsock_copy(const struct mcsock *s, struct mcsock **ret_sock);
struct mcsock *mcsock_close(struct mcsock *s);
/* Is the socket still bound to the interface? A deleted interface leaves a socket that
 * is bound to nothing, and its index may be reused. */
bool mcsock_is_on(const struct mcsock *s);

/* Ends the sampling of hosts when its time is over, and drops incomplete messages.
 * Returns when to call it next. */
mono_t mcsock_tick(struct mcsock *s, mono_t now);

/* Sends a complete IP packet to the link-layer address of a multicast group. Returns 0;
 * -ENETDOWN, -ENXIO or -ENODEV if the interface is down or gone; -EMSGSIZE; -EAGAIN or
 * -ENOBUFS if the queue is full; or -EINVAL if `group` is not a group of this
 * family. */
int mcsock_send(
	struct mcsock *s, const void *packet, size_t len, const struct addr *group);

/* Returns the counters, after adding what the kernel has dropped. */
void mcsock_stats(struct mcsock *s, struct mcsock_stats *ret_stats);

/* Returns the bytes of kernel memory that wait to be read, and their limit. */
void mcsock_queue(const struct mcsock *s, uint32_t *ret_used, uint32_t *ret_limit);
