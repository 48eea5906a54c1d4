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
	/* Called once per batch of messages that changed the table, but never in the
	 * middle of a dump, and not for the dump of netlink_new(). */
	void (*changed)(void *ctx);
	/* A program has started or stopped using the kernel's multicast routing, or an
	 * interface of it (once per message). May be NULL. */
	void (*routing_changed)(void *ctx);
	/* A message could not be stored, or a request could not be sent, and that was
	 * logged. Call netlink_resync() after a while. netlink_new() never
	 * calls it. May be NULL. */
	void (*spoilt)(void *ctx);
	void *ctx;
};

/* Fills the table before it returns. `table` must be empty and is borrowed; `ops` is
 * copied. Returns 0 or -errno. */
int netlink_new(struct loop *loop, struct iface_table *table,
	const struct netlink_ops *ops, struct netlink **ret_netlink);
struct netlink *netlink_free(struct netlink *nl);

/* Begins to read everything again, as after an overrun, and removes what no longer
 * exists. `changed` is called later if anything has changed. Returns 0 or -errno. */
int netlink_resync(struct netlink *nl);
/* Is a dump running? Until its end the table may be incomplete. */
bool netlink_is_reading(const struct netlink *nl);

/* Returns how often the receive buffer has overrun, so that everything was read
 * again. */
uint64_t netlink_overruns(const struct netlink *nl);
