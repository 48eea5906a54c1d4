/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Which interfaces have a role in an instance. These are the interfaces that a phyint
 * names, whether they exist or not; existing ones that match a pattern; and with
 * defaultdown, existing ones that no phyint names. The answer depends only on the
 * present ports, so nothing has to be remembered.
 */

#include "control/proxy/proxy_priv.h"

struct proxy_port *proxy_port_named(
	struct proxy_port *const v[PORT_MAX], const char *name)
{
	proxy_ports_for_each (v, pp)
		if (strcmp(pp->name, name) == 0)
			return pp;
	return NULL;
}

static bool is_named(const struct config *cfg, const struct config_iface *ci)
{
	return ci != &cfg->defaults && !ci->pattern;
}

/* A pattern or `defaultdown` excludes the loopback, the ports of a bridge, and the line
 * on which an upstream reports. An interface without the multicast flag is included by
 * a pattern (WireGuard lacks the flag), but not by `defaultdown`. */
static bool is_meant(
	const struct config *cfg, const struct config_iface *ci, const struct iface *i)
{
	return !i->loopback && !i->enslaved && (ci->pattern || i->multicast) &&
		!config_is_report_interface(cfg, i->name);
}

static bool proxy_role_is_better(
	const struct proxy *p, const struct iface *a, const struct iface *b)
{
	bool a_used = proxy_port_named(p->port, a->name) != NULL;
	bool b_used = proxy_port_named(p->port, b->name) != NULL;

	if (iface_is_usable(a) != iface_is_usable(b))
		return iface_is_usable(a);
	return a_used != b_used ? a_used : a->ifindex < b->ifindex;
}

/* One of the matching interfaces is the upstream (RFC 4605 3: an instance has one): the
 * present one while it is usable, else the usable one that was there first. */
static const struct iface *elect(const struct proxy *p, const struct config *cfg,
	const struct iface_table *ifaces, const struct config_iface *ci)
{
	const struct iface *best = NULL;

	for (size_t n = 0; n < ifaces->n; n++) {
		const struct iface *i = &ifaces->v[n];

		if (config_iface_find(cfg, i->name) == ci && is_meant(cfg, ci, i) &&
			(!best || proxy_role_is_better(p, i, best)))
			best = i;
	}
	return best;
}

const struct config_iface *proxy_config_of(const struct proxy *p,
	const struct config *cfg, const struct iface_table *ifaces, const char *name)
{
	const struct config_iface *ci = config_iface_find(cfg, name);
	const struct iface *i;

	if (ci->instance != p->section || ci->role == CONFIG_ROLE_DISABLED)
		return NULL;
	if (is_named(cfg, ci))
		return ci;
	i = iface_by_name(ifaces, name);
	if (!i || !is_meant(cfg, ci, i))
		return NULL;
	if (ci->role == CONFIG_ROLE_UPSTREAM && elect(p, cfg, ifaces, ci) != i)
		return NULL;
	return ci;
}

/* Names in the file, then those of the system that are not among them. NULL after the
 * last one. */
static const char *candidate(
	const struct config *cfg, const struct iface_table *ifaces, size_t n)
{
	const char *name;

	if (n < cfg->n_iface)
		return cfg->iface[n].pattern ? NULL : cfg->iface[n].name;
	name = ifaces->v[n - cfg->n_iface].name;
	return is_named(cfg, config_iface_find(cfg, name)) ? NULL : name;
}

int proxy_each_missing(const struct proxy *p, const struct iface_table *ifaces,
	int (*fn)(void *arg, const char *name, const struct config_iface *ci),
	void *arg)
{
	for (size_t n = 0; n < p->cfg->n_iface + ifaces->n; n++) {
		const char *name = candidate(p->cfg, ifaces, n);
		const struct config_iface *ci =
			name ? proxy_config_of(p, p->cfg, ifaces, name) : NULL;
		int r;

		if (!ci || proxy_port_named(p->port, name))
			continue;
		r = fn(arg, name, ci);
		if (r < 0)
			return r;
	}
	return 0;
}
