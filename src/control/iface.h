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
};

struct iface {
	int ifindex;
	char name[IFNAMSIZ];
	uint8_t mac[6];
	uint16_t arphrd; /* ARPHRD_ETHER, ARPHRD_PPP, ARPHRD_NONE ... */
	uint32_t mtu;
	bool up;    /* IFF_UP and IFF_LOWER_UP */
	int master; /* index of the bridge, bond or VRF that it belongs to; 0: none */
	bool enslaved; /* what arrives is its master's, as in a bridge (not in a VRF) */
	bool loopback, pointopoint, multicast;
	char kind[16]; /* IFLA_INFO_KIND: "veth", "vlan", "bridge", ... or "" */
	struct iface_addr *addr; /* owned; in the order the kernel told us */
	size_t n_addr;
	/* Kept by the table, so that who looks seldom sees what has been in between: */
	unsigned born; /* no two links have the same, not even under one index */
	unsigned ups;  /* how often it has become usable */
};

struct iface_table {
	struct iface *v; /* owned, unordered */
	size_t n, cap;
	unsigned n_born;
};

void iface_table_deinit(struct iface_table *t);

/* Link there or changed; addresses stay. `link` carries everything but the addresses.
 * 1: something changed, 0: nothing new, -ENOMEM. */
int iface_link(struct iface_table *t, const struct iface *link);
bool iface_gone(struct iface_table *t, int ifindex); /* true: it was there */
/* 1: changed, 0: nothing new or unknown link, -ENOMEM. An IPv4 address may be there
 * several times, with different subnets or peers; an IPv6 address is there once. */
int iface_addr_set(struct iface_table *t, int ifindex, const struct iface_addr *a);
int iface_addr_del(struct iface_table *t, int ifindex, const struct iface_addr *a);

struct iface *iface_by_index(const struct iface_table *t, int ifindex);
struct iface *iface_by_name(const struct iface_table *t, const char *name);

/* The address that our messages on the interface carry (R050, R055): IPv4 the lowest
 * address that is no link-local one (else a link-local one), IPv6 the lowest link-local
 * address whose duplicate address detection is done. Unspecified when there is none. */
struct addr iface_own_addr(const struct iface *i, enum family family);
/* Messages and data can pass: up, and not the port of a bridge or bond, whose frames
 * are taken away before they get to us. */
bool iface_is_usable(const struct iface *i);
/* The interface has this address. */
bool iface_has_addr(const struct iface *i, const struct addr *a);
/* Ethernet-like: frames carry a 14-octet link header. */
bool iface_has_l2(const struct iface *i);
