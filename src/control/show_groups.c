/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * "show groups" and "show groups detail", see show.h: membership state of the
 * downstreams. The latter has more of each group and of fewer groups, so that its reply
 * stays small enough to be read.
 */

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

/* ---- show groups detail ---- */

#define DETAIL_GROUPS  256 /* of a reply */
#define DETAIL_SOURCES 64  /* of a group; hosts are at most MGROUP_MAX_HOSTS */

struct detail {
	struct app *app;
	mono_t now;
	/* what is asked for */
	bool has_group, has_port;
	struct addr group;
	unsigned port;
	json_t *list;
	size_t n; /* that fit, more than the list has when there are many */
};

/* Words are a group or the name of an interface. NULL, or the error to answer. */
static json_t *read_detail(struct detail *d, const char *args)
{
	char word[ADDR_STRLEN];

	while (*args) {
		size_t n = strcspn(args, " ");
		bool port_found = false;

		if (n >= sizeof(word))
			return ctl_error("no group and no interface: %s", args);
		memcpy(word, args, n);
		word[n] = '\0';
		args += n + strspn(args + n, " ");
		if (addr_parse(word, &d->group) == 0) {
			d->has_group = true;
			continue;
		}
		for (unsigned i = 0; i < PORT_MAX && !port_found; i++) {
			const struct proxy_port *pp = d->app->router->port[i];

			port_found = pp && strcmp(pp->name, word) == 0;
			if (port_found)
				d->port = i;
		}
		if (!port_found)
			return ctl_error(
				"'%s' is no group and no interface of the proxy", word);
		d->has_port = true;
	}
	return NULL;
}

/* What "show groups" does not have: the reasons behind it. */
static json_t *detail_json(
	const struct detail *d, const struct proxy_port *pp, const struct mgroup *g)
{
	const struct querier *q = &pp->querier[addr_family(&g->group)];
	json_t *o = group_json(pp, g, d->now);
	json_t *sources = json_object_get(o, "sources");

	while (json_array_size(sources) > DETAIL_SOURCES)
		json_array_remove(sources, json_array_size(sources) - 1);
	json_object_set_new(o, "instance", json_string(show_instance(d->app, pp)));
	json_object_set_new(o, "n_sources", json_integer((json_int_t)g->n_src));
	json_object_set_new(o, "n_hosts",
		json_integer((json_int_t)json_array_size(json_object_get(o, "hosts"))));
	json_object_set_new(o, "querier", json_boolean(q->state == QUERIER_ACTIVE));
	json_object_set_new(o, "next_query_ms",
		json_of_ms_until(
			q->state == QUERIER_ACTIVE ? q->query_at : MONO_NEVER, d->now));
	json_object_set_new(
		o, "next_repeat_ms", json_of_ms_until(g->repeat_at, d->now));
	json_object_set_new(
		o, "fast_leave", json_boolean(pp->groups.params.fast_leave));
	json_object_set_new(o, "untracked_ms",
		mono_due(g->untracked_until, d->now)
			? json_null()
			: json_of_ms_until(g->untracked_until, d->now));
	return o;
}

static void add_detail(
	struct detail *d, const struct proxy_port *pp, const struct mgroup *g)
{
	if (d->n++ < DETAIL_GROUPS)
		json_array_append_new(d->list, detail_json(d, pp, g));
}

static void detail_port(struct detail *d, const struct proxy_port *pp)
{
	struct table_node *node, *next;
	size_t pos;

	if (d->has_group) {
		const struct mgroup *g = mgroup_find(&pp->groups, &d->group);

		if (g)
			add_detail(d, pp, g);
		return;
	}
	table_for_each (&pp->groups.groups, pos, node, next)
		add_detail(d, pp, container_of(node, struct mgroup, node));
}

json_t *show_groups_detail(void *ctx, const char *args)
{
	struct detail d = {.app = ctx};
	json_t *error = read_detail(&d, args);

	if (error)
		return error;
	d.now = loop_now(d.app->loop);
	d.list = json_array();
	for (unsigned i = 0; i < PORT_MAX; i++) {
		const struct proxy_port *pp = d.app->router->port[i];

		if (pp && pp->role == CONFIG_ROLE_DOWNSTREAM &&
			(!d.has_port || d.port == i))
			detail_port(&d, pp);
	}
	return json_pack("{sI sI so}", "total", (json_int_t)d.n, "shown",
		(json_int_t)json_array_size(d.list), "groups", d.list);
}
