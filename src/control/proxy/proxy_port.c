/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Life cycle of the ports of an instance: which interfaces have a role, what the system
 * says about them, and what a new configuration changes. proxy_sync() compares and
 * applies the differences, so start, reload and interface events share the same code. A
 * port that loses its link drops its memberships (R145); an upstream keeps them and
 * reports again when the link is back (R118).
 */

#include "base/minmax.h"
#include "control/member/policy.h"
#include "control/proxy/proxy_priv.h"

#include <errno.h>
#include <stdlib.h>

static enum gm_version family_version(const struct config_iface *ci, unsigned f)
{
	return (enum gm_version)(
		f == FAMILY_IPV4 ? ci->igmp_version : ci->mld_version + 1);
}

static struct mgroup_params group_params(
	const struct config *cfg, const struct config_iface *ci)
{
	return (struct mgroup_params){
		.gm = cfg->gm,
		.fast_leave = cfg->quickleave || ci->fast_leave,
		.max_groups = ci->max_groups,
		.max_sources = ci->max_sources,
		.max_groups_per_host = ci->max_groups_per_host,
	};
}

/* The version that the kernel's setting holds an upstream to, or 0. Both
 * families count from GM_V1 here: MLDv1 is GM_V2. */
static unsigned forced_version(const struct proxy_port *us, enum family family)
{
	unsigned v = us->cfg->version_given[family] ? 0 : us->forced[family];

	return v && family == FAMILY_IPV6 ? v + 1 : v;
}

static struct upstream_params upstream_params(const struct proxy_port *us)
{
	struct upstream_params params = {
		.gm = us->proxy->cfg->gm,
		.refresh_interval_ms = us->proxy->cfg->refresh_interval_ms,
	};

	for (enum family f = 0; f < _FAMILY_N; f++) {
		unsigned forced = forced_version(us, f);

		params.max_version[f] =
			forced ? (enum gm_version)forced : family_version(us->cfg, f);
		/* force_mld_version 2 holds permanently, force_igmp_version 3 does
		 * not */
		params.fallback[f] = us->cfg->version_fallback &&
			!(f == FAMILY_IPV6 && forced == GM_V3);
	}
	return params;
}

static struct querier_rules querier_rules(
	const struct config_iface *ci, enum family family)
{
	return (struct querier_rules){.version = family_version(ci, family),
		.always = ci->always_querier,
		.only_querier = ci->forwarding == CONFIG_FORWARDING_QUERIER};
}

/* always-querier means that the operator knows of the other router and wants us. */
static bool obeys_evidence(const struct config_iface *ci)
{
	return ci->forwarding == CONFIG_FORWARDING_EVIDENCE && !ci->always_querier;
}

/* ---- creation and removal ---- */

static void downstream_deinit(struct proxy_port *pp)
{
	mgroup_db_deinit(&pp->groups);
	for (unsigned f = 0; f < _FAMILY_N; f++)
		forwarder_clear(&pp->forwarder[f]);
}

static int downstream_init(struct proxy *p, struct proxy_port *pp)
{
	struct mgroup_params params = group_params(p->cfg, pp->cfg);
	int r = mgroup_db_init(&pp->groups, pp->port, &params, rng_next(&p->rng));

	for (unsigned f = 0; f < _FAMILY_N && r == 0; f++) {
		struct querier_rules rules = querier_rules(pp->cfg, (enum family)f);

		pp->forwarder[f].acts = obeys_evidence(pp->cfg);
		pp->groups.role[f].forwarder = &pp->forwarder[f];
		querier_init(&pp->querier[f], pp->port, (enum family)f, &p->cfg->gm,
			&rules, &pp->groups.role[f]);
	}
	return r;
}

void proxy_port_free(struct proxy *p, unsigned port)
{
	struct proxy_port *pp = p->port[port];

	if (!pp)
		return;
	if (pp->role == CONFIG_ROLE_DOWNSTREAM)
		downstream_deinit(pp);
	else
		upstream_deinit(&pp->upstream);
	free(pp->subnet);
	free(pp->report_addr);
	free(pp);
	port_numbers_free(p->numbers, port);
	portset_del(&p->upstreams, port);
	portset_del(&p->downstreams, port);
	p->port[port] = NULL;
	p->groups[port] = NULL;
}

static void drop_groups(struct proxy *p, mono_t now, struct proxy_port *pp,
	enum family family, struct effects *fx)
{
	table_for_each (&pp->groups.groups, node) {
		struct mgroup *g = container_of(node, struct mgroup, node);
		struct addr group = g->group;

		if (addr_family(&group) != family)
			continue;
		effects_note(fx, pp->port, NOTE_GROUP_GONE, &group, NULL, 0);
		mgroup_drop(&pp->groups, g);
		proxy_group_changed(p, now, pp->port, &group);
	}
}

static void port_down(
	struct proxy *p, mono_t now, struct proxy_port *pp, struct effects *fx)
{
	pp->up = false;
	if (pp->role == CONFIG_ROLE_UPSTREAM)
		return;
	pp->report_up = false;
	for (unsigned f = 0; f < _FAMILY_N; f++) {
		querier_down(&pp->querier[f]);
		forwarder_clear(&pp->forwarder[f]);
		drop_groups(p, now, pp, (enum family)f, fx);
	}
}

static void port_remove(
	struct proxy *p, mono_t now, struct proxy_port *pp, struct effects *fx)
{
	if (pp->role == CONFIG_ROLE_UPSTREAM && pp->report_up) {
		proxy_kernel_keep(p, now, pp);
		upstream_leave_all(&pp->upstream, fx);
	} else {
		port_down(p, now, pp, fx);
	}
	proxy_port_free(p, pp->port);
}

/* Tells a new upstream which groups are wanted. */
static void report_wanted(struct proxy *p, mono_t now, struct proxy_port *us)
{
	table_for_each (&p->mdb.groups, node) {
		const struct mdb_group *m = container_of(node, struct mdb_group, node);

		proxy_report_upstream(p, now, us, &m->group, &m->merged, NULL);
	}
}

/* returns 0, -ENOMEM, or 1 if there is no free port number */
static int port_add(struct proxy *p, mono_t now, const char *name,
	const struct config_iface *ci, struct effects *fx)
{
	struct proxy_port *pp;
	unsigned port;
	int r;

	pp = calloc(1, sizeof(*pp));
	if (!pp)
		return -ENOMEM;
	port = port_numbers_take(p->numbers, name);
	if (port == PORT_MAX) {
		free(pp);
		return 1;
	}
	pp->port = port;
	pp->proxy = p;
	pp->link.port = port;
	pp->role = ci->role;
	pp->cfg = ci;
	memcpy(pp->name, name, strnlen(name, sizeof(pp->name) - 1));
	for (unsigned f = 0; f < _FAMILY_N; f++)
		pp->link.own[f] = addr_any((enum family)f);
	if (ci->role == CONFIG_ROLE_UPSTREAM) {
		struct upstream_params params = upstream_params(pp);

		r = upstream_init(&pp->upstream, &params, &p->rng);
		for (unsigned f = 0; f < _FAMILY_N && r == 0; f++)
			pp->version[f] = pp->upstream.family[f].version;
	} else {
		r = downstream_init(p, pp);
	}
	if (r < 0) {
		port_numbers_free(p->numbers, port);
		free(pp);
		return r;
	}
	p->port[port] = pp;
	if (pp->role == CONFIG_ROLE_UPSTREAM) {
		portset_add(&p->upstreams, port);
		report_wanted(p, now, pp);
	} else {
		portset_add(&p->downstreams, port);
		p->groups[port] = &pp->groups;
	}
	return 0;
}

/* ---- configuration ---- */

/* Drops groups that the rules no longer admit (after a reload). */
static void refilter(
	struct proxy *p, mono_t now, struct proxy_port *pp, struct effects *fx)
{
	table_for_each (&pp->groups.groups, node) {
		struct mgroup *g = container_of(node, struct mgroup, node);
		struct addr group = g->group;
		enum policy why = policy_state(p->cfg, pp->cfg, &group, g->mode);

		if (why == POLICY_PASS)
			continue;
		effects_note(fx, pp->port,
			why == POLICY_SSM ? NOTE_SSM_REFUSED : NOTE_GROUP_DENIED,
			&group, NULL, 0);
		mgroup_drop(&pp->groups, g);
		proxy_group_changed(p, now, pp->port, &group);
	}
}

void proxy_port_configure(struct proxy *p, mono_t now, struct proxy_port *pp,
	const struct config_iface *ci, struct effects *fx)
{
	pp->cfg = ci;
	if (pp->role == CONFIG_ROLE_UPSTREAM) {
		struct upstream_params params = upstream_params(pp);

		upstream_set_params(&pp->upstream, now, &params);
		proxy_note_version(pp, fx);
		report_wanted(p, now, pp);
		return;
	}
	pp->groups.params = group_params(p->cfg, ci);
	for (unsigned f = 0; f < _FAMILY_N; f++) {
		struct querier_rules rules = querier_rules(ci, (enum family)f);

		pp->forwarder[f].acts = obeys_evidence(ci);
		if (querier_set_params(&pp->querier[f], now, &p->cfg->gm, &rules, fx))
			proxy_port_changed(p, now, pp, (enum family)f);
	}
	refilter(p, now, pp, fx);
}

/* name of the interface where reports are sent */
static const char *report_name(const struct proxy_port *pp)
{
	bool other = pp->role == CONFIG_ROLE_UPSTREAM && *pp->cfg->report_interface;

	return other ? pp->cfg->report_interface : pp->name;
}

/* Memberships that were reported on another interface end there (R119). */
static bool same_port(const struct proxy_port *pp, const struct config_iface *ci)
{
	return ci && ci->role == pp->role &&
		(ci->role != CONFIG_ROLE_UPSTREAM ||
			strcmp(ci->report_interface, pp->cfg->report_interface) == 0);
}

void proxy_release(struct proxy *p, mono_t now, const struct config *cfg,
	const struct iface_table *ifaces, struct effects *fx)
{
	for (unsigned i = 0; i < PORT_MAX; i++) {
		struct proxy_port *pp = p->port[i];

		if (pp && !same_port(pp, proxy_config_of(p, cfg, ifaces, pp->name)))
			port_remove(p, now, pp, fx);
	}
	proxy_merge_all(p, now, fx);
}

struct adding {
	struct proxy *p;
	mono_t now;
	struct effects *fx;
	int n_left;
};

static int add_one(void *arg, const char *name, const struct config_iface *ci)
{
	struct adding *a = arg;
	int r = port_add(a->p, a->now, name, ci, a->fx);

	if (r > 0)
		a->n_left++;
	return r;
}

static int add_missing(struct proxy *p, mono_t now, const struct iface_table *ifaces,
	struct effects *fx)
{
	struct adding a = {.p = p, .now = now, .fx = fx};
	int r = proxy_each_missing(p, ifaces, add_one, &a);

	return r < 0 ? r : a.n_left;
}

/* ---- interfaces ---- */

static int copy_subnets(struct proxy_port *pp, const struct iface *i)
{
	struct prefix *v = calloc(i->n_addr + 1, sizeof(*v));

	if (!v)
		return -ENOMEM;
	for (size_t n = 0; n < i->n_addr; n++)
		v[n] = i->addr[n].subnet;
	free(pp->subnet);
	pp->subnet = v;
	pp->n_subnet = i->n_addr;
	return 0;
}

static int copy_report_addrs(struct proxy_port *pp, const struct iface *i)
{
	struct iface_addr *v = calloc(i->n_addr + 1, sizeof(*v));

	if (!v)
		return -ENOMEM;
	for (size_t n = 0; n < i->n_addr; n++)
		v[n] = i->addr[n];
	free(pp->report_addr);
	pp->report_addr = v;
	pp->n_report_addr = i->n_addr;
	return 0;
}

static void families_up(
	struct proxy *p, mono_t now, struct proxy_port *pp, struct effects *fx)
{
	for (unsigned f = 0; f < _FAMILY_N; f++) {
		struct querier *q = &pp->querier[f];
		enum querier_state before = q->state;

		if (!proxy_family_on(p, pp->cfg, (enum family)f)) {
			querier_down(q);
			forwarder_clear(&pp->forwarder[f]);
			drop_groups(p, now, pp, (enum family)f, fx);
			continue;
		}
		querier_up(q, now, &pp->link.own[f], fx);
		if (before != q->state)
			proxy_port_changed(p, now, pp, (enum family)f);
	}
}

/* The interface where an upstream reports. A new interface with the old name starts
 * from nothing, and so does one that was down, however briefly (R118). */
static void upstream_link(struct proxy_port *pp, mono_t now, const struct iface *i,
	const struct gm_link *link)
{
	bool up = i && iface_is_usable(i);

	if (pp->report_up &&
		(!up || i->born != pp->report_born || i->ups != pp->report_ups)) {
		pp->report_up = false;
		upstream_link_down(&pp->upstream);
	}
	pp->report_ifindex = i ? i->ifindex : 0;
	if (!up)
		return;
	pp->report_up = true;
	pp->report_born = i->born;
	pp->report_ups = i->ups;
	pp->link = *link;
	upstream_link_up(&pp->upstream, now, link);
}

struct addr proxy_own_addr(const struct proxy_port *pp, mono_t now, enum family family)
{
	const struct upstream_family *hf = &pp->upstream.family[family];
	bool heard =
		pp->role == CONFIG_ROLE_UPSTREAM && !mono_due(hf->follow_until, now);

	return iface_own_addr(
		pp->report_addr, pp->n_report_addr, family, heard ? &hf->inside : NULL);
}

static struct gm_link gm_link_of(
	const struct proxy_port *pp, mono_t now, const struct iface *i)
{
	struct gm_link link = {.port = pp->port, .mtu = i ? i->mtu : 0};

	for (unsigned f = 0; f < _FAMILY_N && i; f++)
		link.own[f] = proxy_own_addr(pp, now, (enum family)f);
	return link;
}

static void obey_kernel(
	struct proxy_port *pp, mono_t now, const struct iface *at, struct effects *fx)
{
	struct upstream_params params;

	if (pp->role != CONFIG_ROLE_UPSTREAM ||
		memcmp(pp->forced, at->forced, sizeof(pp->forced)) == 0)
		return;
	memcpy(pp->forced, at->forced, sizeof(pp->forced));
	params = upstream_params(pp);
	upstream_set_params(&pp->upstream, now, &params);
	proxy_note_version(pp, fx);
}

static int port_link(struct proxy *p, mono_t now, struct proxy_port *pp,
	const struct iface_table *ifaces, struct effects *fx)
{
	const struct iface *i = iface_by_name(ifaces, pp->name);
	const struct iface *at = iface_by_name(ifaces, report_name(pp));
	struct gm_link link;
	int r = at ? copy_report_addrs(pp, at) : 0;

	if (r < 0)
		return r;
	link = gm_link_of(pp, now, at);
	pp->mac = (struct gm_mac){0};
	if (at && iface_has_l2(at))
		memcpy(pp->mac.byte, at->mac, sizeof(pp->mac.byte));
	if (at)
		obey_kernel(pp, now, at, fx);
	if (pp->up && (!i || !iface_is_usable(i) || i->born != pp->born))
		port_down(p, now, pp, fx);
	pp->ifindex = i ? i->ifindex : 0;
	pp->born = i ? i->born : 0;
	if (i && iface_is_usable(i)) {
		r = copy_subnets(pp, i);
		if (r < 0)
			return r;
		pp->up = true;
	}
	if (pp->role == CONFIG_ROLE_UPSTREAM) {
		upstream_link(pp, now, at, &link);
		return 0;
	}
	pp->report_ifindex = pp->ifindex;
	pp->report_up = pp->up;
	if (!pp->up)
		return 0;
	pp->link = link;
	pp->groups.mtu = link.mtu;
	families_up(p, now, pp, fx);
	return 0;
}

static int sync_links(struct proxy *p, mono_t now, const struct iface_table *ifaces,
	struct effects *fx)
{
	int ret = 0;

	/* the other ports are not affected by a failure, which is -ENOMEM */
	proxy_ports_for_each (p->port, pp)
		ret = min(ret, port_link(p, now, pp, ifaces, fx));
	return ret;
}

int proxy_sync(struct proxy *p, mono_t now, const struct config *cfg,
	const struct iface_table *ifaces, struct effects *fx)
{
	bool reload = p->cfg && p->cfg != cfg;
	int n_left, r;

	proxy_release(p, now, cfg, ifaces, fx);
	p->cfg = cfg;
	if (reload)
		proxy_ports_for_each (p->port, pp)
			proxy_port_configure(p, now, pp,
				proxy_config_of(p, cfg, ifaces, pp->name), fx);
	n_left = add_missing(p, now, ifaces, fx);
	r = sync_links(p, now, ifaces, fx);
	proxy_merge_all(p, now, fx);
	return r < 0 ? r : n_left;
}
