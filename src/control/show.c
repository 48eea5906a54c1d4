/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The daemon's state as JSON for the control socket, see show.h. Reads, never changes,
 * but for "reload" and "log". Times are milliseconds from now, -1 where a timer does
 * not run.
 */

#include "control/show.h"

#include "base/cleanup.h"
#include "build_config.h"
#include "control/app.h"
#include "control/health.h"
#include "control/json.h"

#include <string.h>

static json_t *ports_json(const struct app *app, const struct portset *ports)
{
	json_t *list = json_array();

	portset_for_each (ports, port)
		if (app->router->port[port])
			json_array_append_new(
				list, json_of_text(app->router->port[port]->name));
	return list;
}

static const char *mode_name(enum gm_mode mode)
{
	return mode == GM_INCLUDE ? "include" : "exclude";
}

static const char *const family_name[_FAMILY_N] = {"ipv4", "ipv6"};

/* When hosts or queriers of an older version are over: of version `number` of the
 * protocol, null when that is no older one. */
static json_t *older_json(const mono_t until[_GM_VERSION_N], enum family family,
	unsigned number, mono_t now)
{
	for (unsigned v = GM_V1; v < _GM_VERSION_N; v++)
		if (gm_version_number(family, (enum gm_version)v) == number &&
			v < GM_V3)
			return json_of_ms_until(until[v], now);
	return json_null();
}

/* ---- show interfaces ---- */

static json_t *querier_json(const struct querier *q, mono_t now)
{
	static const char *const state[] = {[QUERIER_DOWN] = "down",
		[QUERIER_ACTIVE] = "active",
		[QUERIER_STANDBY] = "standby"};
	const struct addr *who = q->state == QUERIER_STANDBY ? &q->other : &q->own;

	return json_pack("{ss so si so so si si sI sI}", "state", state[q->state],
		"address", json_of_addr(who), "version",
		(int)gm_version_number(q->family, q->version), "next_query_ms",
		json_of_ms_until(q->query_at, now), "other_querier_ms",
		json_of_ms_until(q->other_until, now), "robustness", (int)q->rv,
		"query_interval_ms", (int)q->qi_ms, "queries_sent",
		(json_int_t)q->n_queries_sent, "queries_heard",
		(json_int_t)q->n_queries_heard);
}

static const char *instance_name(const struct app *app, const struct proxy_port *pp)
{
	return router_instance_name(app->router, pp->proxy->instance);
}

static json_t *addresses_json(const struct iface *i)
{
	json_t *list = json_array();

	for (size_t n = 0; i && n < i->n_addr; n++)
		json_array_append_new(list, json_of_addr(&i->addr[n].addr));
	return list;
}

static const char *port_error(const struct app *app, unsigned port)
{
	int err = app->port[port].error;

	if (!err)
		err = dataplane_port_error(app->dp, port);
	return err ? strerror(err) : NULL;
}

static json_t *mac_json(const struct iface *i)
{
	return i && iface_has_l2(i) ? json_of_mac(i->mac) : json_null();
}

static json_t *interface_json(struct app *app, const struct proxy_port *pp, mono_t now)
{
	const struct iface *i = iface_by_index(&app->ifaces, pp->ifindex);
	struct dataplane_port_stats s;
	json_t *o;

	dataplane_port_stats(app->dp, pp->port, &s);
	o = json_pack("{so ss si ss si sb sb so si so so si ss}", "name",
		json_of_text(pp->name), "instance", instance_name(app, pp), "port",
		(int)pp->port, "role",
		pp->role == CONFIG_ROLE_UPSTREAM ? "upstream" : "downstream", "ifindex",
		pp->ifindex, "present", i != NULL, "up", (int)pp->up, "mac",
		mac_json(i), "mtu", i ? (int)i->mtu : 0, "local",
		json_of_addr_or_null(&pp->link.own[FAMILY_IPV4]), "addresses",
		addresses_json(i), "threshold", (int)pp->cfg->threshold, "transmit",
		dataplane_port_transmit(app->dp, pp->port));
	if (!o)
		return NULL;
	json_object_set_new(o, "error",
		port_error(app, pp->port) ? json_string(port_error(app, pp->port))
					  : json_null());
	json_object_set_new(
		o, "local6", json_of_addr_or_null(&pp->link.own[FAMILY_IPV6]));
	json_object_set_new(o, "rx_packets", json_integer((json_int_t)s.rx_packets));
	json_object_set_new(o, "rx_bytes", json_integer((json_int_t)s.rx_bytes));
	json_object_set_new(o, "tx_packets", json_integer((json_int_t)s.tx_packets));
	json_object_set_new(o, "tx_bytes", json_integer((json_int_t)s.tx_bytes));
	json_object_set_new(
		o, "ring_packets", json_integer((json_int_t)s.ring_packets));
	json_object_set_new(o, "ring_drops", json_integer((json_int_t)s.ring_drops));
	if (pp->role == CONFIG_ROLE_DOWNSTREAM) {
		json_t *q = json_object();

		for (unsigned f = 0; f < _FAMILY_N; f++)
			if (app->router->family[f])
				json_object_set_new(q, family_name[f],
					querier_json(&pp->querier[f], now));
		json_object_set_new(o, "querier", q);
		json_object_set_new(
			o, "groups", json_integer((json_int_t)pp->groups.groups.n));
		json_object_set_new(
			o, "refused", json_integer((json_int_t)pp->groups.n_refused));
	}
	return o;
}

static json_t *show_interfaces(void *ctx, const char *args)
{
	struct app *app = ctx;
	json_t *list = json_array();

	for (unsigned i = 0; i < PORT_MAX; i++)
		if (app->router->port[i])
			json_array_append_new(list,
				interface_json(app, app->router->port[i],
					loop_now(app->loop)));
	return json_pack("{so}", "interfaces", list);
}

/* ---- show groups ---- */

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
				"mode", mode_name(h->filter.mode), "sources",
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
		mode_name(g->mode), "version",
		(int)gm_version_number(family, mgroup_version(g, now)), "timer_ms",
		g->mode == GM_EXCLUDE ? json_of_ms_until(g->until, now) : json_null(),
		"uptime_ms", (json_int_t)((now.ns - g->since.ns) / NS_PER_MS),
		"last_reporter", json_of_addr(&g->last_reporter), "older_v1_ms",
		older_json(g->older_until, family, 1, now), "older_v2_ms",
		older_json(g->older_until, family, 2, now), "query_repeats",
		(int)g->repeats, "sources", sources_json(g, now), "hosts",
		hosts_json(g, now));
}

static json_t *show_groups(void *ctx, const char *args)
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

/* ---- show mfc ---- */

struct mfc_walk {
	struct app *app;
	json_t *list;
};

static void mfc_entry(const struct fib_view *v, void *arg)
{
	struct mfc_walk *w = arg;
	bool any_source = addr_is_any(&v->source);
	const struct proxy_port *in = v->seen && v->last_port < PORT_MAX
		? w->app->router->port[v->last_port]
		: NULL;

	json_array_append_new(w->list,
		json_pack("{ss so so so so so sI sI sI}", "instance",
			router_instance_name(w->app->router, v->instance), "group",
			json_of_addr(&v->group), "origin",
			any_source ? json_string("*") : json_of_addr(&v->source),
			"last_source",
			v->seen ? json_of_addr(&v->last_source) : json_null(), "in",
			in ? json_of_text(in->name) : json_null(), "out",
			ports_json(w->app, &v->out), "packets", (json_int_t)v->packets,
			"bytes", (json_int_t)v->bytes, "wrong", (json_int_t)v->wrong));
}

static json_t *show_mfc(void *ctx, const char *args)
{
	struct mfc_walk w = {ctx, json_array()};

	fib_walk(dataplane_fib(w.app->dp), mfc_entry, &w);
	return json_pack("{so}", "mfc", w.list);
}

/* ---- show upstream ---- */

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
		older_json(hf->older_until, family, 1, now), "older_v2_ms",
		older_json(hf->older_until, family, 2, now), "queries",
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
				json_of_addr(&g->group), "mode", mode_name(g->now.mode),
				"sources", json_of_addrs(g->now.src.v, g->now.src.n),
				"pending", g->change_at.ns != MONO_NEVER.ns,
				"mode_repeats", (int)g->mode_repeats, "source_repeats",
				repeats_json(g), "next_ms",
				json_of_ms_until(g->change_at, now), "answer_ms",
				json_of_ms_until(g->answer_at, now)));
	}
	return list;
}

static json_t *show_upstream(void *ctx, const char *args)
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
			json_of_text(pp->name), "instance", instance_name(app, pp),
			"report_interface",
			json_of_text(*pp->cfg->report_interface
					? pp->cfg->report_interface
					: pp->name),
			"up", (int)pp->report_up, "address",
			json_of_addr_or_null(&pp->link.own[FAMILY_IPV4]), "groups",
			host_groups_json(&pp->host, now));
		for (unsigned f = 0; f < _FAMILY_N; f++)
			if (app->router->family[f])
				json_object_set_new(o, family_name[f],
					host_family_json(&pp->host.family[f],
						(enum family)f, now));
		json_array_append_new(list, o);
	}
	return json_pack("{so}", "upstream", list);
}

/* ---- show stats ---- */

static json_t *verdicts_json(const uint64_t v[_VERDICT_N])
{
	json_t *o = json_object();

	for (unsigned i = 0; i < _VERDICT_N; i++)
		json_object_set_new(o, verdict_name((enum verdict)i),
			json_integer((json_int_t)v[i]));
	return o;
}

static json_t *port_stats_json(
	struct app *app, const struct proxy_port *pp, uint64_t sum[_VERDICT_N])
{
	struct dataplane_port_stats s;

	dataplane_port_stats(app->dp, pp->port, &s);
	for (unsigned i = 0; i < _VERDICT_N; i++)
		sum[i] += s.verdict[i];
	return json_pack("{so sI sI sI sI sI sI sI sI so}", "name",
		json_of_text(pp->name), "rx_packets", (json_int_t)s.rx_packets,
		"rx_bytes", (json_int_t)s.rx_bytes, "tx_packets",
		(json_int_t)s.tx_packets, "tx_bytes", (json_int_t)s.tx_bytes,
		"tx_messages", (json_int_t)s.tx_messages, "ring_packets",
		(json_int_t)s.ring_packets, "ring_drops", (json_int_t)s.ring_drops,
		"ring_freezes", (json_int_t)s.ring_freezes, "verdicts",
		verdicts_json(s.verdict));
}

static void control_port(
	struct app *app, unsigned port, json_int_t total[6], uint64_t bad[_GM_BAD_N])
{
	const struct proxy_port *pp = app->router->port[port];
	struct mcsock_stats s = app->port[port].closed;

	total[0] += (json_int_t)s.received;
	total[1] += (json_int_t)s.sent;
	total[2] += (json_int_t)s.send_errors;
	total[3] += (json_int_t)s.receive_errors;
	total[4] += (json_int_t)s.dropped;
	for (unsigned f = 0; f < _FAMILY_N; f++) {
		if (!app->port[port].sock[f])
			continue;
		mcsock_stats(app->port[port].sock[f], &s);
		total[0] += (json_int_t)s.received;
		total[1] += (json_int_t)s.sent;
		total[2] += (json_int_t)s.send_errors;
		total[3] += (json_int_t)s.receive_errors;
		total[4] += (json_int_t)s.dropped;
	}
	for (unsigned i = 0; pp && i < _GM_BAD_N; i++)
		bad[i] += pp->n_bad[i];
}

static json_t *control_json(struct app *app)
{
	json_t *bad = json_object(), *notes = json_object();
	uint64_t n_bad[_GM_BAD_N] = {0};
	json_int_t total[6] = {0};

	for (unsigned i = 0; i < PORT_MAX; i++)
		control_port(app, i, total, n_bad);
	for (unsigned i = GM_OK + 1; i < _GM_BAD_N; i++)
		json_object_set_new(bad, gm_bad_name((enum gm_bad)i),
			json_integer((json_int_t)n_bad[i]));
	for (unsigned i = NOTE_QUERIER_WON; i < _NOTE_N; i++)
		json_object_set_new(notes, note_name((enum note)i),
			json_integer((json_int_t)app->n_notes[i]));
	return json_pack("{sI sI sI sI sI sI sI so so}", "received", total[0], "sent",
		total[1], "send_errors", total[2], "receive_errors", total[3],
		"dropped", total[4], "effects_lost", (json_int_t)app->n_effects_lost,
		"netlink_overruns", (json_int_t)netlink_overruns(app->netlink), "bad",
		bad, "notes", notes);
}

static json_t *workers_json(struct app *app)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < dataplane_threads(app->dp); i++) {
		struct dataplane_thread_stats s;

		dataplane_thread_stats(app->dp, i, &s);
		json_array_append_new(list,
			json_pack("{si so sI sI sI sI sI sI sI}", "thread", (int)i,
				"cpu", s.cpu < 0 ? json_null() : json_integer(s.cpu),
				"cpu_ms", (json_int_t)(s.cpu_ns / NS_PER_MS), "frames",
				(json_int_t)s.frames, "bursts", (json_int_t)s.bursts,
				"copies", (json_int_t)s.copies, "blocks",
				(json_int_t)s.blocks, "block_timeouts",
				(json_int_t)s.block_timeouts, "wakeups",
				(json_int_t)s.wakeups));
	}
	return list;
}

static json_t *show_stats(void *ctx, const char *args)
{
	struct app *app = ctx;
	uint64_t sum[_VERDICT_N] = {0};
	json_t *ports = json_array();
	struct dataplane_stats s;
	const char *why, *transmit = dataplane_transmit(app->dp, &why);
	const char *why_receive, *receive = dataplane_receive(app->dp, &why_receive);

	for (unsigned i = 0; i < PORT_MAX; i++)
		if (app->router->port[i])
			json_array_append_new(
				ports, port_stats_json(app, app->router->port[i], sum));
	dataplane_stats(app->dp, &s);
	return json_pack("{sI sI sI sI sI sI ss ss ss sb ss si sI so so so so}",
		"frames", (json_int_t)s.frames, "bursts", (json_int_t)s.bursts,
		"blocks", (json_int_t)s.blocks, "block_timeouts",
		(json_int_t)s.block_timeouts, "wakeups", (json_int_t)s.wakeups,
		"fib_entries", (json_int_t)fib_size(dataplane_fib(app->dp)), "transmit",
		transmit, "transmit_reason", why, "receive", receive, "receive_offload",
		(int)dataplane_receive_offload(app->dp), "receive_reason", why_receive,
		"threads", (int)dataplane_threads(app->dp), "uptime_ms",
		(json_int_t)((loop_now(app->loop).ns - app->started.ns) / NS_PER_MS),
		"verdicts", verdicts_json(sum), "workers", workers_json(app), "ports",
		ports, "control", control_json(app));
}

/* ---- the rest ---- */

static json_t *show_config(void *ctx, const char *args)
{
	struct app *app = ctx;
	_cleanup_(freep) char *text = config_print(app->cfg);

	if (!text)
		return NULL;
	return json_pack("{so so}", "file", json_of_text(app->options.config_path),
		"text", json_of_text(text));
}

static json_t *version(void *ctx, const char *args)
{
	struct app *app = ctx;

	return json_pack("{ss ss ss}", "name", "ringcastd", "version", RINGCAST_VERSION,
		"transmit", dataplane_transmit(app->dp, NULL));
}

static json_t *health(void *ctx, const char *args)
{
	struct app *app = ctx;
	bool allow_down = strcmp(args, "allow-down") == 0;

	if (*args && !allow_down)
		return ctl_error("health takes nothing, or allow-down");
	return health_json(app, loop_now(app->loop), allow_down);
}

static json_t *reload(void *ctx, const char *args)
{
	json_t *messages = NULL;
	bool ok = app_reload(ctx, &messages);

	return json_pack("{sb so}", "ok", (int)ok, "messages",
		messages ? messages : json_array());
}

static json_t *log_level(void *ctx, const char *args)
{
	enum log_level level;

	if (*args && log_level_parse(args, &level) < 0)
		return ctl_error("unknown log level \"%s\"; there are error, warning, "
				 "notice, info and debug",
			args);
	if (*args)
		log_set_level(level);
	return json_pack("{ss}", "level", log_level_name(log_get_level()));
}

const struct ctl_command show_commands[] = {
	{"show interfaces", show_interfaces},
	{"show groups", show_groups},
	{"show mfc", show_mfc},
	{"show upstream", show_upstream},
	{"show stats", show_stats},
	{"show config", show_config},
	{"version", version},
	{"metrics", app_metrics_command},
	{"health", health},
	{"reload", reload},
	{"log", log_level},
	{NULL, NULL},
};
