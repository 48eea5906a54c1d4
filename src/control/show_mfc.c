/* SPDX-License-Identifier: GPL-2.0-or-later */

/* "show mfc", see show.h: the forwarding table. */

#include "control/show_priv.h"

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
			show_ports(w->app, &v->out), "packets", (json_int_t)v->packets,
			"bytes", (json_int_t)v->bytes, "wrong", (json_int_t)v->wrong));
}

json_t *show_mfc(void *ctx, const char *args)
{
	struct mfc_walk w = {ctx, json_array()};

	fib_walk(dataplane_fib(w.app->dp), mfc_entry, &w);
	return json_pack("{so}", "mfc", w.list);
}
