/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What proxy.c (messages, time), proxy_merge.c (from group state to the upstreams),
 * proxy_port.c (life cycle of ports) and proxy_state.c (live upgrade) share. */

#include "base/cleanup.h"
#include "control/proxy/proxy.h"

void proxy_port_free(struct proxy *p, unsigned port); /* no-op when there is none */

/* Is the family spoken on an interface? */
bool proxy_family_on(
	const struct proxy *p, const struct config_iface *ci, enum family family);
struct proxy_port *proxy_port_by_name(const struct proxy *p, const char *name);
/* What holds for an interface of that name in this instance; NULL if it has no role. */
const struct config_iface *proxy_role(const struct proxy *p, const struct config *cfg,
	const struct iface_table *ifaces, const char *name);
/* Group state of a port changed: it is merged, and the upstreams are told, by the next
 * proxy_merge(). */
void proxy_group_changed(
	struct proxy *p, mono_t now, unsigned port, const struct addr *group);
/* The role of a port changed: every group of the family is looked at again. */
void proxy_port_changed(
	struct proxy *p, mono_t now, struct proxy_port *pp, enum family family);
/* The end of each call from outside: merge what has changed, each group once, as far as
 * there is credit. */
void proxy_merge(struct proxy *p, mono_t now, struct effects *fx);
/* The same, whatever it costs: what the operator or the system has caused. */
void proxy_merge_all(struct proxy *p, mono_t now, struct effects *fx);
/* Work is counted in sources that are looked at; and of a message that leaves or a
 * change in the forwarding table: */
#define PROXY_EFFECT_WORK 20
/* What has been earned since the last time; true when there is some. */
bool proxy_earn(struct proxy *p, mono_t now);
void proxy_spend(struct proxy *p, size_t work);
/* Source address of our messages; on an upstream one of the subnet of the querier that
 * is heard there. */
struct addr proxy_own_addr(const struct proxy_port *pp, mono_t now, enum family family);
/* Use a configuration that may differ from the one that the port's state came about
 * under. */
void proxy_port_configure(struct proxy *p, mono_t now, struct proxy_port *pp,
	const struct config_iface *ci, struct effects *fx);
/* Leave what an upstream reports though no downstream wants it. */
void proxy_leave_stale(struct proxy *p, mono_t now, struct proxy_port *us);
/* Say so when the host side has begun to speak another version (R121). */
void proxy_note_version(struct proxy_port *us, struct effects *fx);
/* Before an upstream leaves everything: what the kernel holds is not left. */
void proxy_kernel_keep(struct proxy *p, mono_t now, struct proxy_port *us);
/* What one upstream is to report of a group of which the LANs want `wanted`: with what
 * the kernel holds of it, but nothing that the kernel alone holds and has never been
 * reported here. The value borrows from `wanted` or `buf`, which the caller frees; NULL
 * if there is no memory. */
const struct gm_filter *proxy_kernel_add(const struct proxy *p,
	const struct proxy_port *us, const struct addr *group,
	const struct gm_filter *wanted, struct gm_filter *buf);
/* Tell one upstream the merged record of a group, as far as its filters allow. `cause`
 * as in host_set(). */
void proxy_report_upstream(struct proxy *p, mono_t now, struct proxy_port *us,
	const struct addr *group, const struct gm_filter *merged,
	const struct host_cause *cause);
