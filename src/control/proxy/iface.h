/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The interfaces of the system as rtnetlink describes them: fed by events, asks nobody.
 * Pure; netlink.c feeds it, proxy and port plan read it.
 */

#include "base/addr.h"

#include <net/if.h>

struct iface_addr {
	struct addr addr;
	struct prefix subnet; /* of the peer on point-to-point links */
	bool tentative;	      /* IPv6 duplicate address detection is not done */
	bool deprecated;      /* not for anything new */
	bool secondary;	      /* IPv4: not the first of its subnet; IPv6: temporary */
	uint8_t scope;	      /* RT_SCOPE_UNIVERSE, _LINK ... */
	uint32_t created;     /* 1/100 s; tells which one is the older */
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
	bool enslaved; /* what arrives is its master's, as in a bridge (not in a VRF) */
	bool loopback, pointopoint, multicast;
	char kind[16]; /* IFLA_INFO_KIND: "veth", "vlan", "bridge", ... or "" */
	struct iface_addr *addr; /* owned; in the order the kernel told us */
	size_t n_addr;
	/* force_igmp_version and force_mld_version of the kernel; 0 means none. Set by
	 * the caller, and kept by the table like the addresses. */
	uint8_t forced[_FAMILY_N];
	/* Kept by the table, so that who looks seldom sees what has been in between: */
	unsigned born; /* no two links have the same, not even under one index */
	unsigned ups;  /* how often it has become usable; a carrier that was lost and
			  found between two messages counts */
};

struct iface_table {
	struct iface *v; /* owned, unordered */
	size_t n, cap;
	unsigned n_born;
};

void iface_table_deinit(struct iface_table *t);

/* Link there or changed; addresses stay. `link` carries everything but the addresses.
 * 1: something changed, 0 means nothing new, -ENOMEM. */
int iface_link(struct iface_table *t, const struct iface *link);
bool iface_gone(struct iface_table *t, int ifindex); /* true: it was there */
/* 1: changed, 0 means nothing new or unknown link, -ENOMEM. An IPv4 address may be
 * there several times, with different subnets or peers; an IPv6 address is there
 * once. */
int iface_addr_set(struct iface_table *t, int ifindex, const struct iface_addr *a);
int iface_addr_del(struct iface_table *t, int ifindex, const struct iface_addr *a);

struct iface *iface_by_index(const struct iface_table *t, int ifindex);
struct iface *iface_by_name(const struct iface_table *t, const char *name);

/* Which of the addresses our messages carry (R050, R055), as the kernel would choose:
 * IPv4 a preferred one before a deprecated one, a global one before one of the link,
 * the first of its subnet before others, then the oldest. IPv6 likewise among the
 * link-local ones whose duplicate address detection is done. With `peer`, an address
 * whose subnet the peer is in goes before all others. Unspecified when there is none.
 */
struct addr iface_own_addr(const struct iface_addr *v, size_t n, enum family family,
	const struct addr *peer);
/* Messages and data can pass: up, and not the port of a bridge or bond, whose frames
 * are taken away before they get to us. */
bool iface_is_usable(const struct iface *i);
/* The interface has this address. */
bool iface_has_addr(const struct iface *i, const struct addr *a);
/* Ethernet-like: frames carry a 14-byte link header. */
bool iface_has_l2(const struct iface *i);
