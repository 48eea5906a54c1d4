/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The port plan: everything that the data plane knows about its ports. It is immutable:
 * control builds a new one for every change and publishes the pointer, which the
 * threads read once per burst.
 */

#include "base/addr.h"
#include "base/portset.h"

#include <net/if.h>

/* Sources that a port accepts (R174, R143). The longest prefix comes first, and the
 * first match decides. A source that no prefix matches is refused. Own subnets and
 * altnet accept. The subnets of other ports refuse, so that a loop is detected even
 * with "altnet 0.0.0.0/0". */
struct plan_source {
	struct prefix prefix;
	bool accept;
};

/* Groups that may pass in one direction. The last rule that matches decides, as in the
 * configuration. All zero admits every IPv4 group. */
struct plan_rule {
	struct prefix groups;
	bool allow;
};

struct plan_filter {
	struct plan_rule *rule; /* owned by the plan */
	size_t n_rule;
	bool refuse_others; /* refuse groups that no rule matches */
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
	bool has_l2; /* frames begin with an Ethernet header, else with the IP header */
	uint8_t mac[6];
	uint32_t mtu;
	uint8_t threshold; /* send only datagrams that came with a larger TTL */
	bool receive;	   /* forward the frames that arrive here */
	bool ipv4, ipv6;
	struct plan_source *source; /* owned by the plan */
	size_t n_source;
	/* groups that programs of this host listen to here, sorted; owned by the
	 * plan */
	struct addr *local;
	size_t n_local;
	struct plan_filter in, out; /* groups of frames that come in and go out here */
	/* Frames from here go to the ports of the forwarding table that are in
	 * `allowed`, and also to those in `always` (upstreams, with
	 * forward-from-downstream all). */
	struct portset allowed, always;
};

struct plan {
	unsigned generation;
	struct plan_port port[PORT_MAX];
	struct addr *own; /* addresses of this system, sorted; owned */
	size_t n_own;
};

struct plan *plan_free(struct plan *p);
/* Returns a plan without ports, or NULL when out of memory. */
struct plan *plan_new(void);
/* The following functions copy the list. They return 0 or -ENOMEM. The order of the
 * list matters only for rules. */
int plan_set_sources(struct plan_port *port, const struct plan_source *v, size_t n);
bool plan_source_ok(const struct plan_port *port, const struct addr *source);
int plan_set_local(struct plan_port *port, const struct addr *v, size_t n);
bool plan_is_local(const struct plan_port *port, const struct addr *group);
int plan_set_rules(struct plan_filter *f, const struct plan_rule *v, size_t n);
bool plan_group_ok(const struct plan_filter *f, const struct addr *group);
/* May the filter refuse any group of the family? If not, plan_group_ok() does not have
 * to be called. */
static inline bool plan_may_refuse(const struct plan_filter *f, enum family family)
{
	return f->n_rule > 0 || f->refuse_others || family != FAMILY_IPV4;
}
int plan_set_own(struct plan *p, const struct addr *v, size_t n);
/* Is it an address of our own? A packet that comes in from such a source is forged or
 * in a loop (R162). */
bool plan_is_own(const struct plan *p, const struct addr *source);
/* Returns the number of the port with that MAC, or PORT_MAX. */
unsigned plan_port_by_mac(const struct plan *p, const uint8_t mac[6]);
