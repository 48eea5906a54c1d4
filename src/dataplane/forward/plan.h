/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The port plan: everything the data plane knows about its ports. Immutable; control
 * builds a new one for every change and publishes the pointer, the threads read it once
 * per burst.
 */

#include "base/addr.h"
#include "base/portset.h"

#include <net/if.h>

/* Sources that a port accepts (R174, R143): longest prefix first, the first match
 * decides, no match refuses. Own subnets and altnet accept; the subnets of other ports
 * refuse, so that a loop is detected even with "altnet 0.0.0.0/0". */
struct plan_source {
	struct prefix prefix;
	bool accept;
};

/* Groups that may pass in one direction: the last rule that matches decides, as in the
 * configuration. All zero admits everything. */
struct plan_rule {
	struct prefix groups;
	bool allow;
};

struct plan_filter {
	struct plan_rule *rule; /* owned by the plan */
	size_t n_rule;
	bool refuse_others; /* groups that no rule matches */
	uint8_t scope;	    /* IPv6 groups of this scope or a narrower one never pass */
};

enum plan_role {
	PLAN_UPSTREAM = 1,
	PLAN_DOWNSTREAM,
};

struct plan_port {
	bool present; /* the port exists and is up */
	char name[IFNAMSIZ];
	int ifindex;
	enum plan_role role;
	unsigned instance;
	bool has_l2; /* Ethernet header; else IP packets without header */
	uint8_t mac[6];
	uint32_t mtu;
	uint8_t threshold; /* forward out of here when received TTL > threshold */
	bool receive;	   /* frames that arrive here are forwarded */
	bool ipv4, ipv6;
	struct plan_source *source; /* owned by the plan */
	size_t n_source;
	struct addr *local; /* groups that programs of this host listen to here: sorted,
			       owned by the plan */
	size_t n_local;
	struct plan_filter in, out; /* groups of frames that come in and go out here */
	/* frames from here go to the set of the table, reduced and extended by these:
	 */
	struct portset allowed; /* output ports permitted at all for this input */
	struct portset
		always; /* always added (upstreams, forward-from-downstream all) */
};

struct plan {
	unsigned generation;
	struct plan_port port[PORT_MAX];
	struct addr *own; /* addresses of this system, sorted; owned */
	size_t n_own;
};

struct plan *plan_free(struct plan *p); /* takes and returns NULL */
/* NULL when out of memory; all ports absent */
struct plan *plan_new(void);
/* copies the list, sorts it; 0 or -ENOMEM */
int plan_set_sources(struct plan_port *port, const struct plan_source *v, size_t n);
bool plan_source_ok(const struct plan_port *port, const struct addr *source);
/* copies the groups, sorts them; 0 or -ENOMEM */
int plan_set_local(struct plan_port *port, const struct addr *v, size_t n);
bool plan_is_local(const struct plan_port *port, const struct addr *group);
/* copies the rules; 0 or -ENOMEM */
int plan_set_rules(struct plan_filter *f, const struct plan_rule *v, size_t n);
bool plan_group_ok(const struct plan_filter *f, const struct addr *group);
/* May the filter refuse any group of the family? If not, plan_group_ok() does not have
 * to be called. */
static inline bool plan_may_refuse(const struct plan_filter *f, enum family family)
{
	return f->n_rule > 0 || f->refuse_others || family != FAMILY_IPV4;
}
/* copies the addresses, sorts them; 0 or -ENOMEM */
int plan_set_own(struct plan *p, const struct addr *v, size_t n);
/* A packet that comes in from an address of our own is forged or in a loop (R162). */
bool plan_is_own(const struct plan *p, const struct addr *source);
/* index of the port with that MAC, or PORT_MAX */
unsigned plan_port_by_mac(const struct plan *p, const uint8_t mac[6]);
