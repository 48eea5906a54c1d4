/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The interfaces of the system, see iface.h. Chooses the source addresses of queries
 * (RFC 9776 4.1.12, RFC 9777 5.1.14) and reports. A host has few interfaces, so arrays
 * are searched linearly. Pure.
 */

#include "control/proxy/iface.h"

#include "base/array.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <net/if_arp.h>
#include <stdlib.h>

void iface_table_deinit(struct iface_table *t)
{
	for (size_t i = 0; i < t->n; i++)
		free(t->v[i].addr);
	free(t->v);
	*t = (struct iface_table){0};
}

struct iface *iface_by_index(const struct iface_table *t, int ifindex)
{
	for (size_t i = 0; i < t->n; i++)
		if (t->v[i].ifindex == ifindex)
			return &t->v[i];
	return NULL;
}

struct iface *iface_by_name(const struct iface_table *t, const char *name)
{
	for (size_t i = 0; i < t->n; i++)
		if (strncmp(t->v[i].name, name, sizeof(t->v[i].name)) == 0)
			return &t->v[i];
	return NULL;
}

const char *iface_master_name(const struct iface_table *t, const struct iface *i)
{
	const struct iface *master =
		i && i->enslaved ? iface_by_index(t, i->master) : NULL;

	return master ? master->name : NULL;
}

static bool same_link(const struct iface *a, const struct iface *b)
{
	return strncmp(a->name, b->name, sizeof(a->name)) == 0 &&
		memcmp(a->mac, b->mac, sizeof(a->mac)) == 0 && a->arphrd == b->arphrd &&
		a->mtu == b->mtu && a->up == b->up &&
		a->carrier_downs == b->carrier_downs && a->master == b->master &&
		a->enslaved == b->enslaved && a->loopback == b->loopback &&
		a->pointopoint == b->pointopoint && a->multicast == b->multicast &&
		strncmp(a->kind, b->kind, sizeof(a->kind)) == 0;
}

/* Is it usable now, and was it unusable at some time since `before`? */
static bool has_come_up(const struct iface *before, const struct iface *i)
{
	return iface_is_usable(i) &&
		(!iface_is_usable(before) || i->carrier_downs != before->carrier_downs);
}

int iface_link(struct iface_table *t, const struct iface *link)
{
	struct iface *i = iface_by_index(t, link->ifindex);
	struct iface before = {.born = t->n_born + 1};

	if (i) {
		if (same_link(i, link))
			return 0;
		before = *i;
	} else {
		if (array_reserve(t->v, t->cap, t->n + 1, 8) < 0)
			return -ENOMEM;
		i = &t->v[t->n++];
		t->n_born++;
	}
	*i = *link;
	i->addr = before.addr;
	i->n_addr = before.n_addr;
	memcpy(i->forced, before.forced, sizeof(i->forced));
	i->born = before.born;
	i->ups = before.ups + has_come_up(&before, i);
	return 1;
}

bool iface_gone(struct iface_table *t, int ifindex)
{
	struct iface *i = iface_by_index(t, ifindex);

	if (!i)
		return false;
	free(i->addr);
	*i = t->v[--t->n];
	return true;
}

static bool same_addr(const struct iface_addr *a, const struct iface_addr *b)
{
	return addr_eq(&a->addr, &b->addr) &&
		(!addr_is_v4(&a->addr) || prefix_eq(&a->subnet, &b->subnet));
}

static bool same_properties(const struct iface_addr *a, const struct iface_addr *b)
{
	return prefix_eq(&a->subnet, &b->subnet) && a->tentative == b->tentative &&
		a->deprecated == b->deprecated && a->secondary == b->secondary &&
		a->scope == b->scope && a->created == b->created;
}

static struct iface_addr *find_addr(const struct iface *i, const struct iface_addr *a)
{
	for (size_t k = 0; k < i->n_addr; k++)
		if (same_addr(&i->addr[k], a))
			return &i->addr[k];
	return NULL;
}

int iface_addr_set(struct iface_table *t, int ifindex, const struct iface_addr *a)
{
	struct iface *i = iface_by_index(t, ifindex);
	struct iface_addr *there, *v;

	if (!i)
		return 0;
	there = find_addr(i, a);
	if (there) {
		if (same_properties(there, a))
			return 0;
		*there = *a;
		return 1;
	}
	v = realloc(i->addr, (i->n_addr + 1) * sizeof(*v));
	if (!v)
		return -ENOMEM;
	v[i->n_addr++] = *a;
	i->addr = v;
	return 1;
}

int iface_addr_del(struct iface_table *t, int ifindex, const struct iface_addr *a)
{
	struct iface *i = iface_by_index(t, ifindex);
	struct iface_addr *there = i ? find_addr(i, a) : NULL;

	if (!there)
		return 0;
	i->n_addr--;
	memmove(there, there + 1,
		(size_t)(i->addr + i->n_addr - there) * sizeof(*there));
	return 1;
}

/* The properties of a better source address, the most important first. */
static unsigned merits(const struct iface_addr *a, const struct addr *peer)
{
	bool near_peer = peer && prefix_contains(&a->subnet, peer);
	bool global = a->scope == RT_SCOPE_UNIVERSE && !addr_is_link_local(&a->addr);
	bool not_host = a->scope < RT_SCOPE_HOST;

	return (unsigned)near_peer << 4 | (unsigned)!a->deprecated << 3 |
		(unsigned)not_host << 2 | (unsigned)global << 1 |
		(unsigned)!a->secondary;
}

static bool iface_is_better(
	const struct iface_addr *a, const struct iface_addr *b, const struct addr *peer)
{
	unsigned of_a = merits(a, peer), of_b = merits(b, peer);

	if (of_a != of_b)
		return of_a > of_b;
	return (int32_t)(a->created - b->created) < 0;
}

struct addr iface_own_addr(const struct iface_addr *v, size_t n, enum family family,
	const struct addr *peer)
{
	const struct iface_addr *best = NULL;

	for (size_t k = 0; k < n; k++) {
		const struct iface_addr *a = &v[k];

		if (addr_family(&a->addr) != family || a->tentative)
			continue;
		if (family == FAMILY_IPV6 && !addr_is_link_local(&a->addr))
			continue;
		if (!best || iface_is_better(a, best, peer))
			best = a;
	}
	return best ? best->addr : addr_any(family);
}

bool iface_has_addr(const struct iface *i, const struct addr *a)
{
	for (size_t k = 0; k < i->n_addr; k++)
		if (addr_eq(&i->addr[k].addr, a))
			return true;
	return false;
}

bool iface_is_usable(const struct iface *i)
{
	return i->up && !i->enslaved;
}

bool iface_has_l2(const struct iface *i)
{
	return i->arphrd == ARPHRD_ETHER || i->arphrd == ARPHRD_LOOPBACK;
}
