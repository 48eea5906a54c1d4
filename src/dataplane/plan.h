/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The port plan: everything the data plane knows about its ports. Immutable; control builds
 * a new one for every change and publishes the pointer, the threads read it once per burst.
 */

#include "base/addr.h"
#include "base/portset.h"

#include <net/if.h>

/* Sources that a port accepts (R174, R143): longest prefix first, the first match
 * decides, no match refuses. Own subnets and altnet accept; the subnets of other ports
 * refuse, so that a loop is caught even behind "altnet 0.0.0.0/0". */
struct plan_source {
	struct prefix prefix;
	bool accept;
};

enum plan_role {
	PLAN_UPSTREAM = 1,
	PLAN_DOWNSTREAM,
};

struct plan_port {
	bool present;		/* the port exists and is up */
	char name[IFNAMSIZ];
	int ifindex;
	enum plan_role role;
	unsigned instance;
	bool has_l2;		/* Ethernet header; else IP packets without header */
	uint8_t mac[6];
	uint32_t mtu;
	uint8_t threshold;	/* forward out of here when received TTL > threshold */
	bool receive;		/* frames that arrive here are forwarded */
	bool ipv4, ipv6;
	struct plan_source *source; /* owned by the plan */
	size_t n_source;
	/* where frames from here may go besides what the table says: */
	struct portset allowed; /* output ports permitted at all for this input */
	struct portset always;	/* always added (upstreams, forward-from-downstream all) */
};

struct plan {
	unsigned generation;
	struct plan_port port[PORT_MAX];
};

struct plan *plan_free(struct plan *p); /* takes and returns NULL */
/* NULL when out of memory; all ports absent */
struct plan *plan_new(void);
/* copies the list, sorts it; 0 or -ENOMEM */
int plan_set_sources(struct plan_port *port, const struct plan_source *v, size_t n);
bool plan_source_ok(const struct plan_port *port, const struct addr *source);
/* index of the port with that MAC, or PORT_MAX */
unsigned plan_port_by_mac(const struct plan *p, const uint8_t mac[6]);
