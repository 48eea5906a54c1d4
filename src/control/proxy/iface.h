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
	struct prefix subnet; /* on a point-to-point link, that of the peer */
	bool tentative;	      /* IPv6 duplicate address detection is not finished */
	bool deprecated;      /* should not be used for new connections */
	bool secondary;	  /* not the first IPv4 of its subnet, or a temporary IPv6 */
	uint8_t scope;	  /* RT_SCOPE_UNIVERSE, _LINK ... */
	uint32_t created; /* in 1/100 s; tells which of two addresses is older */
};

struct iface {
	int ifindex;
	char name[IFNAMSIZ];
	uint8_t mac[6];
	uint16_t arphrd; /* ARPHRD_ETHER, ARPHRD_PPP, ARPHRD_NONE ... */
	uint32_t mtu;
	bool up;		/* IFF_UP and IFF_LOWER_UP */
	uint32_t carrier_downs; /* how often the carrier was lost */
	int master; /* index of the bridge, bond or VRF that it belongs to, or 0 */
	/* its master takes the frames that it receives, as in a bridge (not in a
	 * VRF) */
	bool enslaved;
	bool loopback, pointopoint, multicast;
	char kind[16]; /* IFLA_INFO_KIND: "veth", "vlan", "bridge", ... or "" */
	struct iface_addr *addr; /* owned; in the order of the kernel's messages */
	size_t n_addr;
	/* force_igmp_version and force_mld_version of the kernel, or 0. The caller sets
	 * them. They are kept when the link changes, like the addresses. */
	uint8_t forced[_FAMILY_N];
	/* The table maintains the rest, so that a caller that seldom reads it can
	 * detect changes in between. */
	unsigned born; /* different for each link, even if the index is used again */
	unsigned ups;  /* how often it has become usable, including a carrier that was
			  lost and found between two messages */
};

struct iface_table {
	struct iface *v; /* owned, unordered */
	size_t n, cap;
	unsigned n_born;
};

void iface_table_deinit(struct iface_table *t);

/* A link exists or has changed; its addresses stay. `link` has everything except the
 * addresses. Returns 1 if something has changed, 0 if not, or -ENOMEM. */
int iface_link(struct iface_table *t, const struct iface *link);
/* A link has gone. Returns true if it was in the table. */
bool iface_gone(struct iface_table *t, int ifindex);
/* Add or remove an address. Return 1 if something has changed, 0 if not or if the link
 * is unknown, or -ENOMEM. An IPv4 address may exist several times, with different
 * subnets or peers, but an IPv6 address only once. */
int iface_addr_set(struct iface_table *t, int ifindex, const struct iface_addr *a);
int iface_addr_del(struct iface_table *t, int ifindex, const struct iface_addr *a);

/* Find an interface, or return NULL. The result is valid until the table changes. */
struct iface *iface_by_index(const struct iface_table *t, int ifindex);
struct iface *iface_by_name(const struct iface_table *t, const char *name);
/* Returns the name of the bridge or bond whose port the interface is, or NULL if it is
 * none or if that is not known. `i` may be NULL. */
const char *iface_master_name(const struct iface_table *t, const struct iface *i);

/* Returns the source address of our messages (R050, R055), chosen as the kernel does. A
 * preferred address comes before a deprecated one, a global one before one of the link,
 * the first of its subnet before others, and then the oldest. For IPv6 only link-local
 * addresses count whose duplicate address detection is finished. With `peer`, an
 * address whose subnet contains the peer comes before all others. Returns the
 * unspecified address if there is none. */
struct addr iface_own_addr(const struct iface_addr *v, size_t n, enum family family,
	const struct addr *peer);
/* Can messages and data pass? The interface must be up. It must not be the port of a
 * bridge or bond, which takes its frames before they reach us. */
bool iface_is_usable(const struct iface *i);
/* Does the interface have this address? */
bool iface_has_addr(const struct iface *i, const struct addr *a);
/* Ethernet-like: frames carry a 14-byte link header. */
bool iface_has_l2(const struct iface *i);
