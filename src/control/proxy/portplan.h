/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Makes the port plan of the data plane from the ports of all instances and the
 * system's interfaces: which ports receive, which sources each input accepts, and where
 * its frames may go.
 */

#include "control/proxy/instances.h"
#include "dataplane/forward/plan.h"

/* Returns a plan that the caller owns, or NULL when out of memory. */
struct plan *portplan_build(
	const struct instances *r, const struct iface_table *ifaces);
/* Is it the broadcast address of a subnet of the port? Such a source is refused
 * there. */
bool portplan_is_broadcast(const struct proxy_port *pp, const struct addr *source);
