/* SPDX-License-Identifier: GPL-2.0-or-later */

/* "show upstream", see show.h: what the provider is told. */

#include "control/show_priv.h"

static json_t *host_family_json(
	const struct host_family *hf, enum family family, mono_t now)
{
	return json_pack("{so si si so so so so so sI sI}", "address",
		json_of_addr_or_null(&hf->own), "version",
		(int)gm_version_number(family, hf->version), "robustness", (int)hf->rv,
		"querier", json_of_addr_or_null(&hf->querier), "last_query_ms",
		mono_is_set(hf->last_query)
			? json_integer((now.ns - hf->last_query.ns) / NS_PER_MS)
			: json_null(),
		"answer_ms", json_of_ms_until(hf->answer_at, now), "older_v1_ms",
		show_older(hf->older_until, family, 1, now), "older_v2_ms",
		show_older(hf->older_until, family, 2, now), "queries",
		(json_int_t)hf->n_queries, "reports_sent",
		(json_int_t)hf->n_reports_sent);
}

static json_t *repeats_json(const struct host_group *g)
{
	json_t *list = json_array();

	for (size_t i = 0; i < g->n_change; i++)
		json_array_append_new(list,
			json_pack("{so ss si}", "address",
				json_of_addr(&g->change[i].addr), "type",
				g->change[i].allow ? "allow" : "block", "left",
				(int)g->change[i].repeats));
	return list;
}

static json_t *host_groups_json(const struct host *h, mono_t now)
{
	json_t *list = json_array();
	struct table_node *node, *next;
	size_t pos;

	table_for_each (&h->groups, pos, node, next) {
		const struct host_group *g =
			container_of(node, struct host_group, node);

		json_array_append_new(list,
			json_pack("{so ss so sb si so so so}", "group",
				json_of_addr(&g->group), "mode", show_mode(g->now.mode),
				"sources", json_of_addrs(g->now.src.v, g->now.src.n),
				"pending", g->change_at.ns != MONO_NEVER.ns,
				"mode_repeats", (int)g->mode_repeats, "source_repeats",
				repeats_json(g), "next_ms",
				json_of_ms_until(g->change_at, now), "answer_ms",
				json_of_ms_until(g->answer_at, now)));
	}
	return list;
}

json_t *show_upstream(void *ctx, const char *args)
{
	struct app *app = ctx;
	mono_t now = loop_now(app->loop);
	json_t *list = json_array();

	for (unsigned i = 0; i < PORT_MAX; i++) {
		const struct proxy_port *pp = app->router->port[i];
		json_t *o;

		if (!pp || pp->role != CONFIG_ROLE_UPSTREAM)
			continue;
		o = json_pack("{so ss so sb so so}", "interface",
			json_of_text(pp->name), "instance", show_instance(app, pp),
			"report_interface",
			json_of_text(*pp->cfg->report_interface
					? pp->cfg->report_interface
					: pp->name),
			"up", (int)pp->report_up, "address",
			json_of_addr_or_null(&pp->link.own[FAMILY_IPV4]), "groups",
			host_groups_json(&pp->host, now));
		for (unsigned f = 0; f < _FAMILY_N; f++)
			if (app->router->family[f])
				json_object_set_new(o, show_family[f],
					host_family_json(&pp->host.family[f],
						(enum family)f, now));
		json_array_append_new(list, o);
	}
	return json_pack("{so}", "upstream", list);
}
