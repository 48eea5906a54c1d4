/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Decides which senders of reports are admitted, and which groups, by filter, scope and
 * SSM range. Each function returns a reason and keeps no state. Pure.
 */

#include "control/config/config.h"
#include "control/proto/gm_msg.h"

enum policy {
	POLICY_PASS = 1,
	POLICY_LOCAL,  /* link-local group: never forwarded nor reported (R022, R112) */
	POLICY_DENIED, /* whitelist, blacklist or boundary of the interface */
	POLICY_SSM,    /* any-source membership of an SSM group (R148, R149) */
};

/* Judges a record of a host on an interface. */
enum policy policy_record(const struct config *cfg, const struct config_iface *ci,
	enum gm_version version, const struct gm_record *rec);

/* May the group be reported on an upstream? */
bool policy_group(const struct config_iface *ci, const struct addr *group);
/* Judges an existing group of a downstream, after a reload. */
enum policy policy_state(const struct config *cfg, const struct config_iface *ci,
	const struct addr *group, enum gm_mode mode);

/* May this host report here? It may with an address of the interface's subnets or of
 * altnet, with 0.0.0.0 (R021), and for MLD with any link-local address. */
bool policy_sender(const struct config_iface *ci, const struct prefix *subnet,
	size_t n_subnet, const struct addr *from);

/* May a query of this sender count on a downstream with these subnets? IPv4: a host
 * address of one of them, or any host address while the interface has no subnet. IPv6:
 * a link-local address with an interface identifier (RFC 9777 5.1.14). */
bool policy_querier(
	const struct prefix *subnet, size_t n_subnet, const struct addr *from);
