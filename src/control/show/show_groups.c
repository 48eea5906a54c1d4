/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * "show groups" and "show groups detail", see show.h: membership state of the
 * downstreams. The latter shows more of each group but fewer groups, so that its reply
 * stays readable.
 */

#include "base/cleanup.h"
#include "control/show/show.h"
#include "control/show/show_answer.h"
#include "control/show/show_wanted.h"

#define DETAIL_GROUPS  256 /* of a reply */
#define DETAIL_SOURCES 64  /* of a group; hosts are at most MGROUP_MAX_HOSTS */

enum part {
	PART_GROUPS,  /* between two groups */
	PART_SOURCES, /* in the list of sources of a group */
	PART_HOSTS,
	PART_HOST_SOURCES, /* of `host` */
};

struct groups_answer {
	struct show_answer a;
	mono_t now;
	struct show_ports ports;
	struct table_cursor at;
	enum part part;
	struct addr group;
	struct show_place source, host, host_source;
	struct show_wanted wanted;
	/* "show groups detail" */
	bool detail;
	bool unnamed;	   /* addresses of hosts are left out */
	size_t n, n_shown; /* groups that fit, and those that are written */
};

static json_t *source_json(const void *element, mono_t now)
{
	const struct mgroup_source *s = element;

	return json_pack("{so so sb si}", "address", json_of_addr(&s->addr), "timer_ms",
		json_of_ms_until(s->until, now), "blocked", !mono_is_set(s->until),
		"query_repeats", (int)s->repeats);
}

/* Returns everything except the sources that the host names. */
static json_t *host_json(const struct groups_answer *d, const struct mgroup *g,
	const struct mgroup_host *h)
{
	return json_pack("{so so si ss so}", "address", json_of_addr(&h->addr), "name",
		json_of_text(view_host_name(d->a.app, &h->addr)), "version",
		(int)gm_version_number(addr_family(&g->group), h->version), "mode",
		show_mode(h->filter.mode), "timer_ms",
		json_of_ms_until(h->until, d->now));
}

/* Returns everything except sources and hosts. */
static json_t *group_json(const struct groups_answer *d, const struct proxy_port *pp,
	const struct mgroup *g)
{
	enum family family = addr_family(&g->group);
	mono_t now = d->now;

	return json_pack("{so so so ss si so sI so so so si}", "interface",
		json_of_text(pp->name), "group", json_of_addr(&g->group), "channel",
		show_channel(d->a.app, &g->group, NULL), "mode", show_mode(g->mode),
		"version", (int)gm_version_number(family, mgroup_version(g, now)),
		"timer_ms",
		g->mode == GM_EXCLUDE ? json_of_ms_until(g->until, now) : json_null(),
		"uptime_ms", (json_int_t)mono_ms_since(g->since, now), "last_reporter",
		d->unnamed ? json_null() : json_of_addr(&g->last_reporter),
		"older_v1_ms", show_older(g->older_until, family, 1, now),
		"older_v2_ms", show_older(g->older_until, family, 2, now),
		"query_repeats", (int)g->repeats);
}

/* ---- request ---- */

/* An address is that of a host or of a source. */
static bool has_address(const struct show_wanted *w, const struct mgroup *g, mono_t now)
{
	if (show_wants_address(w, &g->last_reporter))
		return true;
	for (size_t i = 0; i < g->n_host; i++)
		if (!mono_due(g->host[i].until, now) &&
			show_wants_address(w, &g->host[i].addr))
			return true;
	for (size_t i = 0; i < g->n_src; i++)
		if (show_wants_address(w, &g->src[i].addr))
			return true;
	return false;
}

/* ---- reply ---- */

static size_t n_hosts(const struct mgroup *g, mono_t now)
{
	size_t n = 0;

	for (size_t i = 0; i < g->n_host; i++)
		n += !mono_due(g->host[i].until, now);
	return n;
}

/* Adds the fields that only "show groups detail" has: the reasons for the state. */
static void add_detail(const struct groups_answer *d, const struct proxy_port *pp,
	const struct mgroup *g, json_t *o)
{
	const struct querier *q = &pp->querier[addr_family(&g->group)];

	json_object_set_new(o, "instance", json_string(show_instance(d->a.app, pp)));
	json_put_count(o, "n_sources", g->n_src);
	json_put_count(o, "n_hosts", n_hosts(g, d->now));
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
}

static void show_groups_begin_group(
	struct groups_answer *d, const struct proxy_port *pp, const struct mgroup *g)
{
	json_t *o;

	d->n++;
	if (d->detail && d->n_shown == DETAIL_GROUPS)
		return;
	d->n_shown++;
	o = group_json(d, pp, g);
	if (o && d->unnamed)
		json_put_count(o, "n_hosts", n_hosts(g, d->now));
	if (o && d->detail)
		add_detail(d, pp, g, o);
	show_open(&d->a, o);
	show_begin(&d->a, ",\"sources\":[");
	d->part = PART_SOURCES;
	d->group = g->group;
	d->source = d->host = (struct show_place){0};
}

static void write_lan_sources(
	struct groups_answer *d, const struct mgroup *g, int *work)
{
	if (!show_list(&d->a, g->src, g->n_src, sizeof(*g->src),
		    d->detail ? DETAIL_SOURCES : SIZE_MAX, source_json, &d->source,
		    work))
		return;
	show_begin(&d->a, "],\"hosts\":[");
	d->part = PART_HOSTS;
}

static void write_next_host(struct groups_answer *d, const struct mgroup *g, int *work)
{
	size_t i = d->unnamed
		? g->n_host
		: show_behind(g->host, g->n_host, sizeof(*g->host), &d->host);

	while (i < g->n_host && mono_due(g->host[i].until, d->now))
		i++;
	if (i == g->n_host) {
		show_end(&d->a, "]}");
		d->part = PART_GROUPS;
		return;
	}
	d->host = (struct show_place){d->host.n_written + 1, g->host[i].addr};
	d->host_source = (struct show_place){0};
	d->part = PART_HOST_SOURCES;
	show_open(&d->a, host_json(d, g, &g->host[i]));
	show_begin(&d->a, ",\"sources\":[");
	*work -= SHOW_ROW;
}

static void write_host_sources(
	struct groups_answer *d, const struct mgroup *g, int *work)
{
	/* `i` is the place after the host, if the host is still there */
	size_t i = show_behind(g->host, g->n_host, sizeof(*g->host), &d->host);
	const struct mgroup_host *h = i > 0 ? &g->host[i - 1] : NULL;
	bool there = h && addr_eq(&h->addr, &d->host.after);
	const struct addrset *src = there ? &h->filter.src : &(struct addrset){0};

	if (!show_list(&d->a, src->v, src->n, sizeof(*src->v), SIZE_MAX, show_address,
		    &d->host_source, work))
		return;
	show_end(&d->a, "]}");
	d->part = PART_HOSTS;
}

/* The group has gone in the middle of its row. */
static void end_lan_group(struct groups_answer *d)
{
	static const char *const end[] = {[PART_SOURCES] = "],\"hosts\":[]}",
		[PART_HOSTS] = "]}",
		[PART_HOST_SOURCES] = "]}]}"};

	show_end(&d->a, end[d->part]);
	d->part = PART_GROUPS;
}

static void go_on_with_group(struct groups_answer *d, int *work)
{
	const struct proxy_port *pp = show_port(d->a.app, &d->ports);
	const struct mgroup *g = pp ? mgroup_find(&pp->groups, &d->group) : NULL;

	if (!g)
		end_lan_group(d);
	else if (d->part == PART_SOURCES)
		write_lan_sources(d, g, work);
	else if (d->part == PART_HOSTS)
		write_next_host(d, g, work);
	else
		write_host_sources(d, g, work);
}

static void take_group(struct groups_answer *d, const struct proxy_port *pp,
	const struct mgroup *g, int *work)
{
	if (!g || !show_wants_group(&d->wanted, &g->group))
		return;
	if (d->wanted.has_address)
		*work -= (int)(g->n_host + g->n_src) / SHOW_ROW;
	if (!has_address(&d->wanted, g, d->now))
		return;
	show_groups_begin_group(d, pp, g);
	*work -= SHOW_ROW;
}

/* Returns false after the last group. */
static bool next_lan_group(struct groups_answer *d, int *work)
{
	const struct proxy_port *pp = show_port(d->a.app, &d->ports);
	const struct addr *only;
	struct table_node *node;

	if (!pp || d->at.end) {
		--*work;
		pp = show_next_port(d->a.app, &d->ports, &d->wanted);
		d->at = (struct table_cursor){0};
	}
	if (!pp)
		return false;
	only = show_wanted_group(&d->wanted);
	if (only) {
		d->at.end = true;
		take_group(d, pp, mgroup_find(&pp->groups, only), work);
		return true;
	}
	node = table_step(&pp->groups.groups, &d->at, work);
	if (node)
		take_group(d, pp, container_of(node, struct mgroup, node), work);
	return true;
}

static int show_groups_piece(struct ctl_answer *answer)
{
	struct groups_answer *d = container_of(answer, struct groups_answer, a.answer);
	char counts[80] = "]";
	int work = SHOW_WORK;

	d->now = view_now(d->a.app);
	if (show_first(&d->a))
		show_begin(&d->a, "{\"groups\":[");
	while (work > 0) {
		if (d->part != PART_GROUPS)
			go_on_with_group(d, &work);
		else if (!next_lan_group(d, &work))
			break;
	}
	if (work <= 0)
		return 1;
	if (d->detail)
		snprintf(counts, sizeof(counts), "],\"total\":%zu,\"shown\":%zu", d->n,
			d->n_shown);
	show_text(&d->a, counts);
	show_text(&d->a, "}");
	return 0;
}

static const struct ctl_answer_ops ops = {show_groups_piece, show_answer_closed};

static json_t *groups_new(
	void *ctx, const char *args, bool detail, bool unnamed, struct ctl_answer **ret)
{
	struct groups_answer *d = show_answer_new(ctx, &ops, sizeof(*d), ret);
	json_t *error;

	if (!d)
		return NULL;
	d->detail = detail;
	d->unnamed = unnamed;
	d->ports.role = CONFIG_ROLE_DOWNSTREAM;
	error = show_wanted_read(ctx, args, &d->wanted);
	if (!error && unnamed && d->wanted.has_address)
		error = ctl_error("an address would tell what its host watches");
	return show_answer_refused(error, ret);
}

json_t *show_groups(void *ctx, const char *args, struct ctl_answer **ret)
{
	return groups_new(ctx, args, false, false, ret);
}

json_t *show_groups_detail(void *ctx, const char *args, struct ctl_answer **ret)
{
	return groups_new(ctx, args, true, false, ret);
}

json_t *show_groups_unnamed(void *ctx, const char *args, struct ctl_answer **ret)
{
	return groups_new(ctx, args, false, true, ret);
}
