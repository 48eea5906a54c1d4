/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The port plan, see portplan.h. Sources: R174 (own subnets and altnet) and R143 (the
 * subnets of other ports are refused, so that a cable between two of them cannot make a
 * loop), R162 (own addresses). Groups: boundaries, and the lists of upstreams.
 * Directions: RFC 4605 4.2 as far as forward-from-downstream asks for it.
 */

#include "control/proxy/portplan.h"

#include "base/cleanup.h"

#include <errno.h>
#include <stdlib.h>

/* A subnet's broadcast address belongs to no host (RFC 1122 3.2.1.3). If the host part
 * has at most one bit, it is an ordinary address (RFC 3021). */
static bool find_broadcast(const struct prefix *subnet, struct addr *ret)
{
	*ret = subnet->addr;
	if (!addr_is_v4(&subnet->addr) || prefix_len_in_family(subnet) > 30)
		return false;
	for (unsigned bit = subnet->len; bit < 128; bit++)
		ret->b[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
	return true;
}

bool portplan_is_broadcast(const struct proxy_port *pp, const struct addr *source)
{
	struct addr broadcast;

	for (size_t i = 0; i < pp->n_subnet; i++)
		if (find_broadcast(&pp->subnet[i], &broadcast) &&
			addr_eq(&broadcast, source))
			return true;
	return false;
}

static int set_sources(
	const struct instances *r, const struct proxy_port *pp, struct plan_port *port)
{
	_cleanup_(freep) struct plan_source *v = NULL;
	size_t n = pp->cfg->n_altnet, i = 0;

	proxy_ports_for_each (r->port, other)
		n += other->n_subnet;
	n += pp->n_subnet;
	v = calloc(n ? n : 1, sizeof(*v));
	if (!v)
		return -ENOMEM;
	for (size_t k = 0; k < pp->cfg->n_altnet; k++)
		v[i++] = (struct plan_source){pp->cfg->altnet[k], true};
	proxy_ports_for_each (r->port, other)
		for (size_t k = 0; k < other->n_subnet; k++)
			v[i++] = (struct plan_source){other->subnet[k], other == pp};
	for (size_t k = 0; k < pp->n_subnet; k++) {
		struct addr broadcast;

		if (find_broadcast(&pp->subnet[k], &broadcast))
			v[i++] = (struct plan_source){
				prefix_from_addr(&broadcast, 32), false};
	}
	return plan_set_sources(port, v, i);
}

/* Groups that programs of this host have joined on a downstream (K03). */
static int set_local(
	const struct instances *r, const struct proxy_port *pp, struct plan_port *port)
{
	_cleanup_(freep) struct addr *v = NULL;
	size_t n = 0;

	if (pp->role != CONFIG_ROLE_DOWNSTREAM)
		return 0;
	for (unsigned f = 0; f < _FAMILY_N; f++) {
		const struct kgroups *k = r->kernel[f];
		struct addr *more;

		if (!k || k->n == 0)
			continue;
		more = reallocarray(v, n + k->n, sizeof(*v));
		if (!more)
			return -ENOMEM;
		v = more;
		for (size_t i = 0; i < k->n; i++)
			if (k->v[i].ifindex == pp->ifindex)
				v[n++] = k->v[i].group;
	}
	return n ? plan_set_local(port, v, n) : 0;
}

/* Boundaries come last, so that they decide (R161). An upstream does not get groups
 * from the LANs that it does not ask for (R144). */
static int portplan_set_filter(
	const struct proxy_port *pp, bool lists, struct plan_filter *f)
{
	const struct config_iface *ci = pp->cfg;
	_cleanup_(freep) struct plan_rule *v =
		calloc(ci->n_filter + ci->n_boundary + 1, sizeof(*v));
	struct addr ssdp = CONFIG_SSDP;
	size_t n = 0;

	if (!v)
		return -ENOMEM;
	for (size_t i = 0; lists && i < ci->n_filter; i++)
		v[n++] = (struct plan_rule){ci->filter[i].groups, ci->filter[i].allow};
	for (size_t i = 0; i < ci->n_boundary; i++)
		v[n++] = (struct plan_rule){ci->boundary[i], false};
	if (config_is_boundary(ci, &ssdp))
		v[n++] = (struct plan_rule){prefix_from_addr(&ssdp, 32), false};
	f->refuse_others = lists && ci->has_whitelist;
	f->scope = (uint8_t)config_boundary_scope(ci);
	return plan_set_rules(f, v, n);
}

static int set_filters(const struct proxy_port *pp, struct plan_port *port)
{
	int r = portplan_set_filter(pp, false, &port->in);

	return r < 0
		? r
		: portplan_set_filter(pp, pp->role == CONFIG_ROLE_UPSTREAM, &port->out);
}

/* Link-local groups are refused earlier (R164). */
static bool is_routed(const struct addr *a)
{
	return !addr_is_link_local(a) && !addr_is_loopback(a);
}

static int set_own(const struct iface_table *ifaces, struct plan *plan)
{
	_cleanup_(freep) struct addr *v = NULL;
	size_t n = 0;

	for (size_t i = 0; i < ifaces->n; i++)
		n += ifaces->v[i].n_addr;
	v = calloc(n + 1, sizeof(*v));
	if (!v)
		return -ENOMEM;
	n = 0;
	for (size_t i = 0; i < ifaces->n; i++)
		for (size_t k = 0; k < ifaces->v[i].n_addr; k++)
			if (is_routed(&ifaces->v[i].addr[k].addr))
				v[n++] = ifaces->v[i].addr[k].addr;
	return plan_set_own(plan, v, n);
}

/* within the instance of the port only (R132) */
static void set_directions(const struct proxy_port *pp, struct plan_port *port)
{
	const struct proxy *p = pp->proxy;
	enum config_forward forward = p->cfg->forward_from_downstream;
	bool from_upstream = pp->role == CONFIG_ROLE_UPSTREAM;

	port->receive = from_upstream || forward != CONFIG_FORWARD_NONE;
	if (!port->receive)
		return;
	proxy_ports_for_each (p->port, other) {
		if (other == pp)
			continue;
		if (other->role == CONFIG_ROLE_DOWNSTREAM) {
			portset_add(&port->allowed, other->port);
		} else if (!from_upstream && forward == CONFIG_FORWARD_ALL) {
			portset_add(&port->allowed, other->port);
			portset_add(&port->always, other->port);
		}
	}
}

static int set_port(const struct instances *r, const struct proxy_port *pp,
	const struct iface *i, struct plan_port *port)
{
	port->present = true;
	memcpy(port->name, pp->name, sizeof(port->name));
	port->ifindex = i->ifindex;
	port->role = pp->role == CONFIG_ROLE_UPSTREAM ? PLAN_UPSTREAM : PLAN_DOWNSTREAM;
	port->instance = pp->proxy->instance;
	port->has_l2 = iface_has_l2(i);
	memcpy(port->mac, i->mac, sizeof(port->mac));
	port->mtu = i->mtu;
	port->threshold = pp->cfg->threshold;
	port->ipv4 = r->family[FAMILY_IPV4] && pp->cfg->ipv4;
	port->ipv6 = r->family[FAMILY_IPV6] && pp->cfg->ipv6;
	set_directions(pp, port);
	if (set_filters(pp, port) < 0 || set_local(r, pp, port) < 0)
		return -ENOMEM;
	return set_sources(r, pp, port);
}

struct plan *portplan_build(const struct instances *r, const struct iface_table *ifaces)
{
	struct plan *plan = plan_new();

	if (plan && set_own(ifaces, plan) < 0)
		return plan_free(plan);
	if (!plan)
		return NULL;
	proxy_ports_for_each (r->port, pp) {
		const struct iface *i =
			pp->up ? iface_by_index(ifaces, pp->ifindex) : NULL;

		if (i && set_port(r, pp, i, &plan->port[pp->port]) < 0)
			return plan_free(plan);
	}
	return plan;
}
