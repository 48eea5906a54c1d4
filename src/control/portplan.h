/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * From the proxy's ports and the system's interfaces to the port plan of the data
 * plane: who receives, which sources each input accepts, where its frames may go.
 */

#include "control/proxy.h"
#include "dataplane/plan.h"

/* NULL when out of memory. The caller owns the plan. */
struct plan *portplan_build(const struct proxy *p, const struct iface_table *ifaces);
