/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Keeps a struct iface_table equal to what the kernel says over rtnetlink: links and
 * addresses of both families, read once at the start and followed from then on. Logs
 * its own trouble.
 */

#include "control/proxy/iface.h"
#include "control/sys/loop.h"

struct netlink;

struct netlink_ops {
	/* Once per batch of messages that changed the table. The table is never shown
	 * in the middle of a dump. Not called for the dump that netlink_new makes. */
	void (*changed)(void *ctx);
	/* A program has taken the kernel's multicast routing or given it up, or an
	 * interface of it (once per message). May be NULL. */
	void (*routing_changed)(void *ctx);
	/* Something could not be taken in or asked for, and has been logged: call
	 * netlink_resync() after a while. Not called by netlink_new. May be NULL. */
	void (*spoilt)(void *ctx);
	void *ctx;
};

/* Returns with the table filled. `table` is borrowed and empty; `ops` is copied. 0 or
 * -errno. */
int netlink_new(struct loop *loop, struct iface_table *table,
	const struct netlink_ops *ops, struct netlink **ret_netlink);
struct netlink *netlink_free(struct netlink *nl); /* takes and returns NULL */

/* Read everything again, as after an overrun: what is no longer there goes. The result
 * comes through `changed`, if anything did. 0 or -errno. */
int netlink_resync(struct netlink *nl);
/* Until then the table may lack what a dump still has to name. */
bool netlink_is_reading(const struct netlink *nl);

/* Overruns of the receive buffer so far: messages were lost and read again. */
uint64_t netlink_overruns(const struct netlink *nl);
