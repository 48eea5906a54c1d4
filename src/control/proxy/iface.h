/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The interfaces of the system as rtnetlink describes them: a table that is fed with
 * events. Pure.
 */

#include "base/addr.h"

#include <net/if.h>

struct iface_addr {
	struct addr addr;
	struct prefix subnet; /* of the peer on point-to-point links */
	bool tentative;	      /* IPv6 duplicate address detection is not done */
	bool deprecated;      /* not for new connections */
	bool secondary;	      /* IPv4: not the first of its subnet; IPv6: temporary */
	uint8_t scope;	      /* RT_SCOPE_UNIVERSE, _LINK ... */
	uint32_t created;     /* 1/100 s; tells which of two is older */
};

struct iface {
	int ifindex;
	char name[IFNAMSIZ];
	uint8_t mac[6];
	uint16_t arphrd; /* ARPHRD_ETHER, ARPHRD_PPP, ARPHRD_NONE ... */
	uint32_t mtu;
	bool up;		/* IFF_UP and IFF_LOWER_UP */
	uint32_t carrier_downs; /* how often the carrier was lost */
	int master;    /* index of the bridge, bond or VRF that it belongs to; 0 means
		     * none */
	bool enslaved; /* received frames belong to its master, as in a bridge (not
		        * in a VRF) */
	bool loopback, pointopoint, multicast;
	char kind[16]; /* IFLA_INFO_KIND: "veth", "vlan", "bridge", ... or "" */
	struct iface_addr *addr; /* owned; in the order the kernel told us */
	size_t n_addr;
	/* force_igmp_version and force_mld_version of the kernel; 0 means none. Set by
	 * the caller; kept when the link changes, like the addresses. */
	uint8_t forced[_FAMILY_N];
	/* Maintained by the table, so that rare readers can detect changes in
	 * between: */
	unsigned born; /* no two links have the same, even with the same index */
	unsigned ups;  /* how often it has become usable; a carrier that was lost and
			  found between two messages counts */
};

struct iface_table {
	struct iface *v; /* owned, unordered */
	size_t n, cap;
	unsigned n_born;
};

void iface_table_deinit(struct iface_table *t);

/* A link is there or has changed; its addresses stay. `link` has everything but the
 * addresses. Returns 1 if something changed, 0 if not, or -ENOMEM. */
int iface_link(struct iface_table *t, const struct iface *link);
bool iface_gone(struct iface_table *t, int ifindex); /* true if it was there */
/* Returns 1 if something changed, 0 if not or if the link is unknown, or -ENOMEM. An
 * IPv4 address may exist several times, with different subnets or peers; an IPv6
 * address exists once. */
int iface_addr_set(struct iface_table *t, int ifindex, const struct iface_addr *a);
int iface_addr_del(struct iface_table *t, int ifindex, const struct iface_addr *a);

struct iface *iface_by_index(const struct iface_table *t, int ifindex);
struct iface *iface_by_name(const struct iface_table *t, const char *name);

/* The source address of our messages (R050, R055), chosen like the kernel does: IPv4 a
 * preferred one before a deprecated one, a global one before one of the link, the first
 * of its subnet before others, then the oldest. IPv6 likewise among the link-local ones
 * whose duplicate address detection is done. With `peer`, an address whose subnet the
 * peer is in goes before all others. Unspecified if there is none. */
struct addr iface_own_addr(const struct iface_addr *v, size_t n, enum family family,
	const struct addr *peer);
/* Can messages and data pass? It must be up and not the port of a bridge or bond, which
 * takes its frames before they reach us. */
bool iface_is_usable(const struct iface *i);
/* Does the interface have this address? */
bool iface_has_addr(const struct iface *i, const struct addr *a);
/* Ethernet-like: frames carry a 14-byte link header. */
bool iface_has_l2(const struct iface *i);
