/* SPDX-License-Identifier: GPL-2.0-or-later */

/* "show groups", see show.h: membership state of the downstreams. */

#include "control/show_priv.h"

static json_t *sources_json(const struct mgroup *g, mono_t now)
{
	json_t *list = json_array();

	for (size_t i = 0; i < g->n_src; i++)
		json_array_append_new(list,
			json_pack("{so so sb si}", "address",
				json_of_addr(&g->src[i].addr), "timer_ms",
				json_of_ms_until(g->src[i].until, now), "blocked",
				!mono_is_set(g->src[i].until), "query_repeats",
				(int)g->src[i].repeats));
	return list;
}

static json_t *hosts_json(const struct mgroup *g, mono_t now)
{
	json_t *list = json_array();

	for (size_t i = 0; i < g->n_host; i++) {
		const struct mgroup_host *h = &g->host[i];

		if (mono_due(h->until, now))
			continue;
		json_array_append_new(list,
			json_pack("{so si ss so so}", "address", json_of_addr(&h->addr),
				"version",
				(int)gm_version_number(
					addr_family(&g->group), h->version),
				"mode", show_mode(h->filter.mode), "sources",
				json_of_addrs(h->filter.src.v, h->filter.src.n),
				"timer_ms", json_of_ms_until(h->until, now)));
	}
	return list;
}

static json_t *group_json(
	const struct proxy_port *pp, const struct mgroup *g, mono_t now)
{
	enum family family = addr_family(&g->group);

	return json_pack("{so so ss si so sI so so so si so so}", "interface",
		json_of_text(pp->name), "group", json_of_addr(&g->group), "mode",
		show_mode(g->mode), "version",
		(int)gm_version_number(family, mgroup_version(g, now)), "timer_ms",
		g->mode == GM_EXCLUDE ? json_of_ms_until(g->until, now) : json_null(),
		"uptime_ms", (json_int_t)((now.ns - g->since.ns) / NS_PER_MS),
		"last_reporter", json_of_addr(&g->last_reporter), "older_v1_ms",
		show_older(g->older_until, family, 1, now), "older_v2_ms",
		show_older(g->older_until, family, 2, now), "query_repeats",
		(int)g->repeats, "sources", sources_json(g, now), "hosts",
		hosts_json(g, now));
}

json_t *show_groups(void *ctx, const char *args)
{
	struct app *app = ctx;
	json_t *list = json_array();

	for (unsigned i = 0; i < PORT_MAX; i++) {
		const struct proxy_port *pp = app->router->port[i];
		struct table_node *node, *next;
		size_t pos;

		if (!pp || pp->role != CONFIG_ROLE_DOWNSTREAM)
			continue;
		table_for_each (&pp->groups.groups, pos, node, next)
			json_array_append_new(list,
				group_json(pp, container_of(node, struct mgroup, node),
					loop_now(app->loop)));
	}
	return json_pack("{so}", "groups", list);
}
