/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * From the ports of all instances and the system's interfaces to the port plan of the
 * data plane: which ports receive, which sources each input accepts, and where its
 * frames may go.
 */

#include "control/proxy/instances.h"
#include "dataplane/forward/plan.h"

/* NULL when out of memory. The caller owns the plan. */
struct plan *portplan_build(
	const struct instances *r, const struct iface_table *ifaces);
/* the broadcast address of a connected subnet, from which nothing is accepted there */
bool portplan_is_broadcast(const struct proxy_port *pp, const struct addr *source);
