/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * What there is to say about the ports after a change of interfaces or configuration,
 * and after each new attempt to open what could not be opened. Each thing is said once,
 * when it becomes true, and again when it is over.
 */

#include "control/app_priv.h"

#include "control/config_text.h"

#include <string.h>

static void notice_error(const char *name, const char *what, int before, int now)
{
	if (now == before)
		return;
	if (now)
		log_about(LOG_LEVEL_WARNING,
			&(struct log_about){
				.interface = name, .cause = "open", .error = now},
			"cannot open the %s, trying again every second", what);
	else
		log_about(LOG_LEVEL_NOTICE, &(struct log_about){.interface = name},
			"the %s are open", what);
}

static void notice_ring(const char *name, size_t before, size_t now)
{
	if (now && now != before)
		log_about(LOG_LEVEL_WARNING,
			&(struct log_about){.interface = name, .cause = "ring"},
			"the kernel had no more than %zu KiB in one piece for a receive "
			"ring; bursts may be lost",
			now >> 10);
}

/* Frames of a bridge's port are the bridge's, so the port itself gets none. */
static void notice_master(
	const struct app *app, const char *name, const struct iface *i, int before)
{
	int now = i && i->enslaved ? i->master : 0;
	const struct iface *master = now ? iface_by_index(&app->ifaces, now) : NULL;
	const char *its_name = master ? master->name : "another interface";

	if (now == before)
		return;
	if (now)
		log_about(LOG_LEVEL_WARNING,
			&(struct log_about){.interface = name, .cause = "master"},
			"is a port of %s now, which takes all its frames; nothing is "
			"forwarded on it alone: give %s a phyint instead",
			its_name, its_name);
	else if (i)
		log_about(LOG_LEVEL_NOTICE, &(struct log_about){.interface = name},
			"stands alone again");
}

static void notice_port(
	struct app *app, struct app_port *ap, const struct proxy_port *pp)
{
	const struct iface *i = iface_by_index(&app->ifaces, pp->ifindex);
	int data_error = dataplane_port_error(app->dp, ap->number);
	size_t short_ring = dataplane_short_ring(app->dp, ap->number);
	struct app_notice *n = &ap->notice;

	if (strcmp(n->name, pp->name) != 0) {
		*n = (struct app_notice){0};
		memcpy(n->name, pp->name, sizeof(n->name));
		if (pp->cfg->pattern)
			log_about(LOG_LEVEL_NOTICE,
				&(struct log_about){.interface = pp->name},
				"%s, by 'phyint %s' at line %u",
				pp->role == CONFIG_ROLE_UPSTREAM ? "upstream"
								 : "downstream",
				pp->cfg->name, pp->cfg->line);
	}
	notice_error(pp->name, "sockets for membership messages", n->socket_error,
		ap->error);
	notice_error(pp->name, "data sockets", n->data_error, data_error);
	notice_ring(pp->name, n->short_ring, short_ring);
	notice_master(app, pp->name, i, n->master);
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
