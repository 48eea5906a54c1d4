/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The network of the scenarios, see home.h. */

#include "home.h"

void home_run(void **state)
{
	const struct home_case *c = *state;

	c->fn(c->family);
}

struct home home_new(enum family family, const struct home_params *params)
{
	struct home h = {.n_lans = params->n_lans ? params->n_lans : 1};
	const char *more = params->config ? params->config : "";
	char name[16];

	h.sim = sim_new(family, params->seed ? params->seed : 1);
	h.wan = sim_link_new(h.sim, 5);
	h.wan->mtu = params->wan_mtu ? params->wan_mtu : 1500;
	h.router = sim_router_new(h.wan, 1, params->provider ? params->provider : GM_V3,
		!params->no_querier);
	h.proxy = sim_proxy_new(h.sim, "proxy",
		params->own_config ? params->own_config : sim_config(more, h.n_lans));
	sim_proxy_attach(h.proxy, "wan", h.wan, 2);
	for (unsigned i = 0; i < h.n_lans; i++) {
		h.lan[i] = sim_link_new(h.sim, 1);
		snprintf(name, sizeof(name), "lan%u", i + 1);
		sim_proxy_attach(h.proxy, name, h.lan[i], 5);
	}
	sim_proxy_sync(h.proxy);
	sim_run(h.sim, 35000);
	sim_mark(h.sim);
	return h;
}

void home_free(struct home *h)
{
	sim_proxy_check(h->proxy);
	h->sim = sim_free(h->sim);
}

struct sim_host *home_host(struct home *h, unsigned lan, unsigned n, enum gm_version v)
{
	return sim_host_new(h->lan[lan - 1], n, v);
}

struct sim_stream *home_stream(
	struct home *h, const struct addr *src, const struct addr *group)
{
	return sim_stream_new(&h->router->node.port[0], src, group, 10);
}

size_t home_reports(
	const struct home *h, enum gm_record_type type, const struct addr *group)
{
	return sim_count(h->wan,
		&(struct sim_match){.node = &h->proxy->node,
			.kind = GM_REPORT,
			.type = type,
			.group = group});
}

size_t home_all_reports(const struct home *h)
{
	return sim_count(h->wan,
		&(struct sim_match){.node = &h->proxy->node, .kind = GM_REPORT});
}

size_t home_queries(const struct home *h, unsigned lan, const struct addr *group)
{
	return sim_count(h->lan[lan - 1],
		&(struct sim_match){.node = &h->proxy->node,
			.kind = GM_QUERY,
			.group = group,
			.general = !group});
}

bool home_forwards(const struct home *h, unsigned lan, const struct addr *src,
	const struct addr *group)
{
	char name[16];

	snprintf(name, sizeof(name), "lan%u", lan);
	return sim_proxy_forwards(h->proxy, "wan", name, src, group);
}
