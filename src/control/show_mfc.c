/* SPDX-License-Identifier: GPL-2.0-or-later */

/* "show mfc", see show.h: the forwarding table. */

#include "control/show_priv.h"

struct mfc_walk {
	struct app *app;
	json_t *list;
};

static json_t *rate_json(bool known, uint64_t per_second)
{
	return known ? json_integer((json_int_t)per_second) : json_null();
}

json_t *show_mfc_entry(
	const struct app *app, const struct fib_view *v, const struct rate *r)
{
	bool any_source = addr_is_any(&v->source);
	const struct proxy_port *in = v->seen && v->last_port < PORT_MAX
		? app->router->port[v->last_port]
		: NULL;

	return json_pack("{ss so so so so so sI sI sI so so}", "instance",
		router_instance_name(app->router, v->instance), "group",
		json_of_addr(&v->group), "origin",
		any_source ? json_string("*") : json_of_addr(&v->source), "last_source",
		v->seen ? json_of_addr(&v->last_source) : json_null(), "in",
		in ? json_of_text(in->name) : json_null(), "out",
		show_ports(app, &v->out), "packets", (json_int_t)v->packets, "bytes",
		(json_int_t)v->bytes, "wrong", (json_int_t)v->wrong, "packets_per_s",
		rate_json(r->known, r->packets), "bytes_per_s",
		rate_json(r->known, r->bytes));
}

static void mfc_entry(const struct fib_view *v, void *arg)
{
	struct mfc_walk *w = arg;
	struct rate r = show_rate_of(w->app, v);

	json_array_append_new(w->list, show_mfc_entry(w->app, v, &r));
}

struct rate show_rate_of(struct app *app, const struct fib_view *v)
{
	return rate_of(
		&app->rates, v->instance, &v->source, &v->group, v->packets, v->bytes);
}

void show_walk_fib(
	struct app *app, void (*fn)(const struct fib_view *v, void *arg), void *arg)
{
	struct fib *fib = dataplane_fib(app->dp);

	rate_begin(&app->rates, loop_now(app->loop), fib_size(fib));
	fib_walk(fib, fn, arg);
	rate_end(&app->rates);
}

json_t *show_rate_interval(const struct app *app)
{
	return app->rates.interval_ms ? json_integer(app->rates.interval_ms)
				      : json_null();
}

json_t *show_mfc(void *ctx, const char *args)
{
	struct mfc_walk w = {ctx, json_array()};

	show_walk_fib(w.app, mfc_entry, &w);
	return json_pack("{so so}", "rate_interval_ms", show_rate_interval(w.app),
		"mfc", w.list);
}
