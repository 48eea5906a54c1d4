/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * A scrape, see scrape.h. First the state is copied: interfaces, then the sizes of
 * their groups, then the busiest forwarding entries. Any of it may go away between two
 * slices. Then the copy is written (scrape_write.c).
 */

#include "control/show/scrape_priv.h"

#include "base/cleanup.h"
#include "base/sys/clock.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* work of a slice */
#define PORTS_PER_SLICE 16
#define MEMBERS_WORK	1024
#define SORTS_PER_SLICE 512

/* ---- interfaces ---- */

static void read_sockets(const struct app *app, unsigned port, struct scrape_port *p)
{
	struct view_port v = view_port(app, port);

	view_socket_stats(app, port, &p->control);
	p->error |= v.error != 0;
	for (unsigned f = 0; f < _FAMILY_N; f++) {
		p->family[f].queue = v.socket[f] ? v.queue[f] : SCRAPE_NONE;
		p->family[f].queue_limit = v.socket[f] ? v.queue_limit[f] : SCRAPE_NONE;
	}
}

static void read_querier(const struct proxy_port *pp, enum family f, mono_t now,
	struct scrape_family *ret)
{
	const struct querier *q = &pp->querier[f];

	ret->querier = q->state;
	ret->version = gm_version_number(f, q->rules.version);
	ret->robustness = q->rv;
	ret->interval_ns = q->qi_ms * (uint64_t)NS_PER_MS;
	ret->n_queries_sent = q->n_queries_sent;
	ret->n_queries_heard = q->n_queries_heard;
	ret->n_standby = pp->forwarder[f].n_standby;
	ret->n_double = forwarder_n_double(&pp->forwarder[f], now);
}

static void read_upstream(const struct upstream_family *h, enum family f, mono_t now,
	struct scrape_family *ret)
{
	ret->version = gm_version_number(f, h->version);
	ret->n_groups = h->n_groups;
	ret->n_queries_heard = h->n_queries;
	ret->n_reports_sent = h->n_reports_sent;
	ret->query_age_ns = mono_is_set(h->last_query)
		? (uint64_t)(now.ns - h->last_query.ns)
		: SCRAPE_NONE;
}

static void read_membership(
	const struct app *app, const struct proxy_port *pp, struct scrape_port *p)
{
	memcpy(p->n_received, pp->n_received, sizeof(p->n_received));
	memcpy(p->n_bad, pp->n_bad, sizeof(p->n_bad));
	memcpy(p->n_odd, pp->n_odd, sizeof(p->n_odd));
	p->n_groups = pp->groups.groups.n;
	p->n_refused = pp->groups.n_refused;
	p->max_groups = mgroup_max_groups(&pp->groups);
	p->max_sources = pp->groups.params.max_sources;
	p->max_hosts = MGROUP_MAX_HOSTS;
	for (enum family f = 0; f < _FAMILY_N; f++) {
		p->family[f].enabled = view_instances(app)->family[f];
		if (pp->role == CONFIG_ROLE_DOWNSTREAM)
			read_querier(pp, f, view_now(app), &p->family[f]);
		else
			read_upstream(&pp->upstream.family[f], f, view_now(app),
				&p->family[f]);
	}
}

static void read_port(struct scrape *s, const struct proxy_port *pp)
{
	struct app *app = s->app;
	struct scrape_port *p = &s->port[s->n_ports++];
	const struct iface *i = iface_by_index(view_ifaces(app), pp->ifindex);

	*p = (struct scrape_port){
		.number = pp->port,
		.role = pp->role,
		.present = i != NULL,
		.up = pp->up,
		.error = dataplane_port_error(view_dataplane(app), pp->port) != 0,
		.mtu = i ? i->mtu : 0,
		.transmit = dataplane_port_transmit(view_dataplane(app), pp->port),
	};
	memcpy(p->name, pp->name, sizeof(p->name));
	snprintf(p->proxy, sizeof(p->proxy), "%s",
		instances_name(view_instances(app), pp->proxy->instance));
	dataplane_port_stats(view_dataplane(app), pp->port, &p->stats);
	dataplane_tx_queue(view_dataplane(app), pp->port, &p->tx_used, &p->tx_limit);
	read_sockets(app, pp->port, p);
	read_membership(app, pp, p);
}

/* The port of a copy, or NULL if it has gone. */
static const struct proxy_port *still_there(const struct scrape *s, unsigned i)
{
	const struct proxy_port *pp = view_instances(s->app)->port[s->port[i].number];

	return pp && strcmp(pp->name, s->port[i].name) == 0 &&
			pp->role == s->port[i].role
		? pp
		: NULL;
}

static bool read_ports(struct scrape *s)
{
	unsigned end = (s->part + 1) * PORTS_PER_SLICE;

	for (unsigned i = s->part * PORTS_PER_SLICE; i < end && i < PORT_MAX; i++)
		if (view_instances(s->app)->port[i])
			read_port(s, view_instances(s->app)->port[i]);
	return end < PORT_MAX;
}

/* ---- members ---- */

static void count_members(const struct mgroup *g, mono_t now, struct scrape_port *p)
{
	p->n_sources += g->n_src;
	for (size_t i = 0; i < g->n_host; i++)
		p->n_hosts += !mono_due(g->host[i].until, now);
}

static bool read_members(struct scrape *s)
{
	int work = MEMBERS_WORK;

	for (; s->part < s->n_ports; s->part++, s->at = (struct table_cursor){0}) {
		const struct proxy_port *pp = still_there(s, s->part);
		struct table_node *n;

		while (pp && pp->role == CONFIG_ROLE_DOWNSTREAM && work > 0 &&
			!s->at.end)
			if ((n = table_step(&pp->groups.groups, &s->at, &work)))
				count_members(container_of(n, struct mgroup, node),
					view_now(s->app), &s->port[s->part]);
		if (work > 0)
			continue;
		s->part--; /* the same port once more */
		return true;
	}
	return false;
}

/* ---- forwarding entries ---- */

static void offer(const struct fib_view *v, void *arg)
{
	struct scrape *s = arg;
	struct metrics_entry e = {
		.proxy = v->instance,
		.group = v->group,
		.source = v->source,
		.packets = v->packets,
		.bytes = v->bytes,
		.wrong = v->wrong,
		.n_out = portset_count(&v->out),
	};

	topn_add(&s->top, &e);
}

static bool read_entries(struct scrape *s)
{
	return fib_walk_part(dataplane_fib(view_dataplane(s->app)), s->part, offer, s);
}

static bool sort_entries(struct scrape *s)
{
	return !metrics_top_sort(&s->top, SORTS_PER_SLICE);
}

/* ---- slices ---- */

/* Returns true if it must be called again with the next part. */
static bool (*const step[])(struct scrape *s) = {
	read_ports,
	read_members,
	read_entries,
	sort_entries,
	scrape_read_streams,
	scrape_write_families,
	scrape_write_entries,
	scrape_write_streams,
	scrape_write_zaps,
	scrape_write_end,
};

/* Returns the CPU time of this thread, so that other processes do not count. */
static uint64_t own_time_ns(void)
{
	return (uint64_t)clock_ns(CLOCK_THREAD_CPUTIME_ID);
}

bool scrape_slice(struct scrape *s)
{
	uint64_t before = own_time_ns(), cost;

	if (s->step == array_len(step))
		return false;
	if (step[s->step](s)) {
		s->part++;
	} else {
		s->step++;
		s->part = 0;
	}
	cost = own_time_ns() - before;
	s->cost_ns += cost;
	if (cost > s->longest_ns)
		s->longest_ns = cost;
	return s->step < array_len(step);
}

int scrape_new(struct app *app, enum metrics_format format, struct scrape **ret_scrape)
{
	struct scrape *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	s->port = calloc(PORT_MAX, sizeof(*s->port));
	if (!s->port) {
		free(s);
		return -ENOMEM;
	}
	s->app = app;
	s->m.format = format;
	s->top = metrics_top(view_config(app)->metrics_groups);
	view_memory(app)->n_scrapes++;
	*ret_scrape = s;
	return 0;
}

struct scrape *scrape_free(struct scrape *s)
{
	if (!s)
		return NULL;
	metrics_deinit(&s->m);
	topn_deinit(&s->top);
	free(s->stream);
	free(s->port);
	free(s);
	return NULL;
}

char *scrape_take(struct scrape *s, size_t *ret_len)
{
	if (s->m.failed)
		return NULL;
	*ret_len = s->m.len;
	s->m.cap = s->m.len = 0;
	return take_ptr(s->m.buf);
}

uint64_t scrape_cost_ns(const struct scrape *s)
{
	return s->cost_ns;
}
