/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Declarations that proxy.c (messages, time), proxy_merge.c (from group state to the
 * upstreams), proxy_port.c (life cycle of ports) and proxy_state.c (live upgrade)
 * share. */

#include "base/cleanup.h"
#include "control/proxy/proxy.h"

/* Does nothing if there is no port with the number. */
void proxy_port_free(struct proxy *p, unsigned port);

/* Is the family enabled on an interface? */
bool proxy_family_on(
	const struct proxy *p, const struct config_iface *ci, enum family family);
/* Returns the configuration of an interface of that name in this instance, or NULL if
 * it has no role. */
const struct config_iface *proxy_config_of(const struct proxy *p,
	const struct config *cfg, const struct iface_table *ifaces, const char *name);
/* The state of a group on a port has changed. The next proxy_merge() merges it and
 * updates the upstreams. */
void proxy_group_changed(
	struct proxy *p, mono_t now, unsigned port, const struct addr *group);
/* The role of a port has changed, so every group of the family is merged again. */
void proxy_port_changed(
	struct proxy *p, mono_t now, struct proxy_port *pp, enum family family);
/* Merges each changed group once, as far as there is credit. Each function of proxy.h
 * calls this at its end. */
void proxy_merge(struct proxy *p, mono_t now, struct effects *fx);
/* Merges all changed groups regardless of credit, for changes by the operator or the
 * system. */
void proxy_merge_all(struct proxy *p, mono_t now, struct effects *fx);
/* Work is counted in sources that are processed. A message that is sent, and a change
 * of the forwarding table, cost as much as this many sources. */
#define PROXY_EFFECT_WORK 20
/* Adds the credit that was earned since the last call. Returns true if there is
 * credit. */
bool proxy_earn(struct proxy *p, mono_t now);
void proxy_spend(struct proxy *p, size_t work);
/* Returns the source address of our messages. On an upstream it is, if possible, in the
 * subnet of the querier that is heard there. */
struct addr proxy_own_addr(const struct proxy_port *pp, mono_t now, enum family family);
/* Applies a configuration that may differ from the one under which the port's state
 * arose. */
void proxy_port_configure(struct proxy *p, mono_t now, struct proxy_port *pp,
	const struct config_iface *ci, struct effects *fx);
/* Leaves groups that an upstream reports although no downstream wants them. */
void proxy_leave_stale(struct proxy *p, mono_t now, struct proxy_port *us);
/* Emits a note if the host side has changed its version (R121). */
void proxy_note_version(struct proxy_port *us, struct effects *fx);
/* Before an upstream leaves everything: keeps the groups that the kernel holds. */
void proxy_kernel_keep(struct proxy *p, mono_t now, struct proxy_port *us);
/* Returns what one upstream must report of a group of which the LANs want `wanted`.
 * That includes what the kernel holds of the group. Exception: a group that only the
 * kernel holds and that was never reported here. The result borrows from `wanted` or
 * `buf`, which the caller frees. NULL if there is no memory. */
const struct gm_filter *proxy_kernel_add(const struct proxy *p,
	const struct proxy_port *us, const struct addr *group,
	const struct gm_filter *wanted, struct gm_filter *buf);
/* Passes the merged record of a group to one upstream, as far as its filters allow.
 * `cause` is as for upstream_set(). */
void proxy_report_upstream(struct proxy *p, mono_t now, struct proxy_port *us,
	const struct addr *group, const struct gm_filter *merged,
	const struct host_cause *cause);
