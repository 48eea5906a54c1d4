/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Log lines about the ports after a change of interfaces or configuration, and after
 * each new attempt to open a socket. Each condition is logged once when it begins, and
 * again when it is over.
 */

#include "control/daemon/app_priv.h"

#include "control/config/config_text.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Lines about one port are limited together: an interface can come and go at any
 * rate. */
struct speaker {
	struct log_limit *limit;
	mono_t now;
	const char *name; /* of the port */
};

#define say(s, level, why, ...)                                                        \
	log_limited((s)->limit, (s)->now, level,                                       \
		&(struct log_about){.interface = (s)->name, .cause = (why)},           \
		__VA_ARGS__)

/* ---- links ---- */

static enum app_link link_state(const struct iface *i)
{
	return !i ? APP_LINK_GONE : i->up ? APP_LINK_UP : APP_LINK_DOWN;
}

static const char *link_text(const struct app_notice *n, bool is_back)
{
	switch (n->link) {
	case APP_LINK_UP:
		return is_back ? "interface is back, link up" : "link up";
	case APP_LINK_DOWN:
		return n->upstream
			? "link down: nothing comes in until it is up; all groups "
			  "are reported again then"
			: "link down: nothing is forwarded there until it is up";
	case APP_LINK_GONE:
		return "interface is gone: one of that name will be used when it is there";
	case APP_LINK_UNKNOWN:
		break;
	}
	return "";
}

static void log_link(const struct app_notice *n, bool is_back, const char *name)
{
	char times[64] = "";

	if (n->link_changes > 1)
		snprintf(times, sizeof(times),
			" (changed %u times since the last line)", n->link_changes);
	log_about(LOG_LEVEL_NOTICE,
		&(struct log_about){.interface = name, .cause = "link"}, "%s%s",
		link_text(n, is_back), times);
}

/* Events that belong together arrive within this time: an interface that is deleted
 * goes down first. */
#define LINK_SETTLE_MS 300

/* Logs the state of the link. A link that changes rapidly is logged rarely, and in the
 * end with its final state. */
static void notice_link(
	struct app *app, struct app_port *ap, const struct iface *i, const char *name)
{
	struct app_notice *n = &ap->notice;
	mono_t now = loop_now(app->loop);
	bool first = n->link == APP_LINK_UNKNOWN;
	uint64_t hidden;

	/* links that are missing at the start are already logged */
	if (first)
		n->link = n->link_said = i && !i->up ? APP_LINK_UP : link_state(i);
	if (first && i)
		n->link_born = n->link_said_born = i->born;
	if (link_state(i) != n->link || (i && i->born != n->link_born)) {
		if (n->link_changes++ == 0)
			n->link_at = mono_add_ms(now, LINK_SETTLE_MS);
		n->link = link_state(i);
		n->link_born = i ? i->born : n->link_born;
	}
	if (n->link_changes == 0)
		return;
	if (mono_due(n->link_at, now) &&
		!log_limit_take(&app_limits(app, ap->number)->link, now, &hidden))
		n->link_at = mono_add_ms(now, APP_RETRY_MS);
	if (!mono_due(n->link_at, now)) {
		app->notice_at = mono_min(app->notice_at, n->link_at);
		return;
	}
	log_link(n, n->link_said == APP_LINK_GONE || n->link_born != n->link_said_born,
		name);
	n->link_said = n->link;
	n->link_said_born = n->link_born;
	n->link_changes = 0;
}

/* ---- sockets and rings ---- */

/* Returns 0 for the errors of a missing link, which is logged as such. */
static int but_for_links(int error)
{
	return error == ENODEV || error == ENXIO || error == ENETDOWN ? 0 : error;
}

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
			"the kernel had only %zu KiB in one piece for a receive "
			"ring; bursts may be lost",
			now >> 10);
}

/* Frames of a bridge's port belong to the bridge, so the port itself gets none. */
static void notice_master(const struct app *app, const struct speaker *s,
	const struct iface *i, int before)
{
	int now = i && i->enslaved ? i->master : 0;
	const char *master = iface_master_name(&app->ifaces, i);
	const char *its_name = master ? master : "another interface";

	if (now == before)
		return;
	if (now)
		say(s, LOG_LEVEL_WARNING, "master",
			"is a port of %s now, which takes all its frames; nothing is "
			"forwarded on it: give %s a phyint instead",
			its_name, its_name);
	else if (i)
		say(s, LOG_LEVEL_NOTICE, NULL,
			"is no longer a port of it; its frames are received here again");
}

/* A provider may have forgotten us when the carrier was lost. This is for a carrier
 * that was lost and found between two checks; otherwise the link is down. */
static void notice_carrier(const struct speaker *s, const struct proxy_port *pp,
	const struct iface *at, struct app_notice *n)
{
	uint32_t lost = at->born == n->born ? at->carrier_downs - n->carrier_downs : 0;

	n->born = at->born;
	n->carrier_downs = at->carrier_downs;
	if (lost && at->up && pp->role == CONFIG_ROLE_UPSTREAM)
		say(s, LOG_LEVEL_NOTICE, "carrier",
			"carrier lost%s for a moment: all groups are reported again. If "
			"that continues, look at the cable or the modem",
			lost > 1 ? " more than once" : "");
}

static void notice_new(const struct speaker *s, const struct proxy_port *pp)
{
	if (pp->cfg->pattern)
		say(s, LOG_LEVEL_NOTICE, NULL, "%s, by 'phyint %s' at line %u",
			config_role_word(pp->role), pp->cfg->name, pp->cfg->line);
}

static void notice_port(
	struct app *app, struct app_port *ap, const struct proxy_port *pp)
{
	const struct iface *i = iface_by_index(&app->ifaces, pp->ifindex);
	const struct iface *at = iface_by_index(&app->ifaces, pp->report_ifindex);
	int data_error = but_for_links(dataplane_port_error(app->dp, ap->number));
	int socket_error = but_for_links(ap->error);
	size_t short_ring = dataplane_short_ring(app->dp, ap->number);
	struct app_notice *n = &ap->notice;
	struct app_limits *limits = app_limits(app, ap->number);
	struct speaker s = {&limits->notice, loop_now(app->loop), pp->name};
	struct speaker of_link = {&limits->link, s.now, pp->name};

	if (strcmp(n->name, pp->name) != 0) {
		*n = (struct app_notice){0};
		memcpy(n->name, pp->name, sizeof(n->name));
		notice_new(&s, pp);
	}
	n->upstream = pp->role == CONFIG_ROLE_UPSTREAM;
	notice_link(app, ap, i, pp->name);
	notice_error(
		&s, "sockets for membership messages", n->socket_error, socket_error);
	notice_error(&s, "data sockets", n->data_error, data_error);
	notice_ring(&s, n->short_ring, short_ring);
	notice_master(app, &s, i, n->master);
	if (at)
		notice_carrier(&of_link, pp, at, n);
	n->socket_error = socket_error;
	n->data_error = data_error;
	n->short_ring = short_ring;
	n->master = i && i->enslaved ? i->master : 0;
}

/* The port of a pattern ends with its interface, others only by a reload. */
static void notice_no_port(struct app *app, struct app_port *ap)
{
	struct app_notice *n = &ap->notice;

	if (!*n->name)
		return;
	if (!iface_by_name(&app->ifaces, n->name))
		notice_link(app, ap, NULL, n->name);
	if (n->link != APP_LINK_GONE || n->link_changes == 0)
		*n = (struct app_notice){0};
}

static int add_missing_name(void *arg, const char *name, const struct config_iface *ci)
{
	struct config_text *t = arg;

	config_text_add(t, "%s%s", t->len ? ", " : "", name);
	return 0;
}

static void notice_left_out(struct app *app)
{
	struct config_text t = {0};
	char *names;

	instances_each_missing(app->instances, &app->ifaces, add_missing_name, &t);
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
	bool works = dataplane_uring_works(app->dp);

	if (app->uring_works && !works)
		log_warn(
			"io_uring stopped working: frames are sent by sendmmsg from now "
			"on; restart the daemon to use io_uring again");
	app->uring_works = works;
}

void app_notice(struct app *app)
{
	for (unsigned n = 0; n < PORT_MAX; n++) {
		const struct proxy_port *pp = app->instances->port[n];

		if (pp)
			notice_port(app, &app->port[n], pp);
		else
			notice_no_port(app, &app->port[n]);
	}
	notice_left_out(app);
}

void app_notice_tick(struct app *app, mono_t now)
{
	if (!mono_due(app->notice_at, now))
		return;
	app->notice_at = MONO_NEVER;
	app_notice(app);
}
