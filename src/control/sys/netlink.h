/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Keeps a struct iface_table equal to what the kernel says over rtnetlink: links and
 * addresses of both families, read once at the start and followed from then on. Logs
 * its own errors.
 */

#include "control/proxy/iface.h"
#include "control/sys/loop.h"

struct netlink;

struct netlink_ops {
	/* Once per batch of messages that changed the table. The table is never in the
	 * middle of a dump. Not called for the dump that netlink_new makes. */
	void (*changed)(void *ctx);
	/* A program has started or stopped using the kernel's multicast routing, or an
	 * interface of it (once per message). May be NULL. */
	void (*routing_changed)(void *ctx);
	/* A message could not be stored, or a request not be sent, and this has been
	 * logged: call netlink_resync() after a while. Not called by netlink_new. May
	 * be NULL. */
	void (*spoilt)(void *ctx);
	void *ctx;
};

/* Returns with the table filled. `table` is borrowed and empty; `ops` is copied. 0 or
 * -errno. */
int netlink_new(struct loop *loop, struct iface_table *table,
	const struct netlink_ops *ops, struct netlink **ret_netlink);
struct netlink *netlink_free(struct netlink *nl); /* takes and returns NULL */

/* Reads everything again, as after an overrun, and removes what no longer exists. The
 * result comes through `changed` if anything changed. 0 or -errno. */
int netlink_resync(struct netlink *nl);
/* Is a dump running? Until its end the table may be incomplete. */
bool netlink_is_reading(const struct netlink *nl);

/* Overruns of the receive buffer so far: messages were lost and read again. */
uint64_t netlink_overruns(const struct netlink *nl);
