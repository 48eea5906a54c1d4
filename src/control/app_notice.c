/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * What there is to say about the ports after a change of interfaces or configuration,
 * and after each new attempt to open what could not be opened. Each thing is said once,
 * when it becomes true, and again when it is over.
 */

#include "control/app_priv.h"

#include "control/config_text.h"

#include <string.h>

/* Lines about one port are limited together: an interface can come and go at any rate.
 */
struct speaker {
	struct log_limit *limit;
	mono_t now;
	const char *name; /* of the port */
};

#define say(s, level, why, ...)                                                        \
	log_limited((s)->limit, (s)->now, level,                                       \
		&(struct log_about){.interface = (s)->name, .cause = (why)},           \
		__VA_ARGS__)

static void notice_error(const struct speaker *s, const char *what, int before, int now)
{
	if (now == before)
		return;
	if (now)
		log_limited(s->limit, s->now, LOG_LEVEL_WARNING,
			&(struct log_about){
				.interface = s->name, .cause = "open", .error = now},
			"cannot open the %s, trying again every second", what);
	else
		say(s, LOG_LEVEL_NOTICE, NULL, "the %s are open", what);
}

static void notice_ring(const struct speaker *s, size_t before, size_t now)
{
	if (now && now != before)
		say(s, LOG_LEVEL_WARNING, "ring",
			"the kernel had no more than %zu KiB in one piece for a receive "
			"ring; bursts may be lost",
			now >> 10);
}

/* Frames of a bridge's port are the bridge's, so the port itself gets none. */
static void notice_master(const struct app *app, const struct speaker *s,
	const struct iface *i, int before)
{
	int now = i && i->enslaved ? i->master : 0;
	const struct iface *master = now ? iface_by_index(&app->ifaces, now) : NULL;
	const char *its_name = master ? master->name : "another interface";

	if (now == before)
		return;
	if (now)
		say(s, LOG_LEVEL_WARNING, "master",
			"is a port of %s now, which takes all its frames; nothing is "
			"forwarded on it alone: give %s a phyint instead",
			its_name, its_name);
	else if (i)
		say(s, LOG_LEVEL_NOTICE, NULL, "stands alone again");
}

/* A provider may have forgotten us with the carrier. */
static void notice_carrier(const struct speaker *s, const struct proxy_port *pp,
	const struct iface *at, struct app_notice *n)
{
	uint32_t lost = at->born == n->born ? at->carrier_downs - n->carrier_downs : 0;

	n->born = at->born;
	n->carrier_downs = at->carrier_downs;
	if (lost && pp->role == CONFIG_ROLE_UPSTREAM)
		say(s, LOG_LEVEL_NOTICE, "carrier",
			"carrier lost%s: all groups are reported again%s. If that goes on, "
			"look at the cable or the modem",
			lost > 1 ? " more than once" : "",
			at->up ? "" : " when it is back");
}

static void notice_new(const struct speaker *s, const struct proxy_port *pp)
{
	if (pp->cfg->pattern)
		say(s, LOG_LEVEL_NOTICE, NULL, "%s, by 'phyint %s' at line %u",
			pp->role == CONFIG_ROLE_UPSTREAM ? "upstream" : "downstream",
			pp->cfg->name, pp->cfg->line);
}

static void notice_port(
	struct app *app, struct app_port *ap, const struct proxy_port *pp)
{
	const struct iface *i = iface_by_index(&app->ifaces, pp->ifindex);
	const struct iface *at = iface_by_index(&app->ifaces, pp->report_ifindex);
	int data_error = dataplane_port_error(app->dp, ap->number);
	size_t short_ring = dataplane_short_ring(app->dp, ap->number);
	struct app_notice *n = &ap->notice;
	struct speaker s = {&ap->notice_limit, loop_now(app->loop), pp->name};

	if (strcmp(n->name, pp->name) != 0) {
		*n = (struct app_notice){0};
		memcpy(n->name, pp->name, sizeof(n->name));
		notice_new(&s, pp);
	}
	notice_error(&s, "sockets for membership messages", n->socket_error, ap->error);
	notice_error(&s, "data sockets", n->data_error, data_error);
	notice_ring(&s, n->short_ring, short_ring);
	notice_master(app, &s, i, n->master);
	if (at)
		notice_carrier(&s, pp, at, n);
	n->socket_error = ap->error;
	n->data_error = data_error;
	n->short_ring = short_ring;
	n->master = i && i->enslaved ? i->master : 0;
}

static int add_name(void *arg, const char *name, const struct config_iface *ci)
{
	struct config_text *t = arg;

	config_text_add(t, "%s%s", t->len ? ", " : "", name);
	return 0;
}

static void notice_left_out(struct app *app)
{
	struct config_text t = {0};
	char *names;

	router_each_missing(app->router, &app->ifaces, add_name, &t);
	names = t.len ? config_text_take(&t) : NULL;
	if (names && (!app->left_out || strcmp(names, app->left_out) != 0))
		log_warn(
			"there are only %d ports; without one: %s. Take other interfaces "
			"out of the file",
			PORT_MAX, names);
	free(app->left_out);
	app->left_out = names;
}

void app_notice_transmit(struct app *app)
{
	const char *why, *way = dataplane_transmit(app->dp, &why);

	if (app->transmit && strcmp(way, app->transmit) != 0)
		log_warn("%s: frames are sent by %s from now on", why, way);
	app->transmit = way;
}

void app_notice(struct app *app)
{
	for (unsigned n = 0; n < PORT_MAX; n++) {
		const struct proxy_port *pp = app->router->port[n];

		if (pp)
			notice_port(app, &app->port[n], pp);
		else
			app->port[n].notice = (struct app_notice){0};
	}
	notice_left_out(app);
}
