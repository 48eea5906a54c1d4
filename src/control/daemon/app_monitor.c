/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Events for the clients that follow them (monitor.c): notes of the core, links, hosts
 * that join and leave, limits of messages, reloads. They are only observed while a
 * client follows.
 */

#include "control/daemon/app_priv.h"

#include "control/show/json.h"

#include <string.h>

static void set_text_if(json_t *e, const char *key, const char *text)
{
	if (text)
		json_object_set_new(e, key, json_of_text(text));
}

/* Members that are NULL are left out. */
void app_monitor_note(struct app *app, mono_t now, const char *name,
	const struct log_about *about, const char *text, uint32_t value)
{
	struct monitor_subject s = {name, about->interface, about->group};
	json_t *e;

	app_web_event(app, name, about, text);
	if (!monitor_wants(&app->monitor, now, &s))
		return;
	e = json_pack("{ss ss}", "event", name, "text", text);
	set_text_if(e, "interface", about->interface);
	set_text_if(e, "group", about->group);
	set_text_if(e, "source", about->source);
	set_text_if(e, "host", about->host);
	if (value)
		json_object_set_new(e, "value", json_integer(value));
	monitor_say(&app->monitor, &s, e);
}

void app_monitor_reload(struct app *app, bool ok)
{
	app_monitor_note(app, loop_now(app->loop), ok ? "reload" : "reload_refused",
		&(struct log_about){0},
		ok ? "another configuration is in force"
		   : "the file has errors; the configuration in force stays",
		0);
}

/* ---- links ---- */

static void follow_link(struct app *app, mono_t now, const char *port, const char *name,
	const char *text)
{
	app_web_stir(app, now);
	app_monitor_note(
		app, now, name, &(struct log_about){.interface = port}, text, 0);
}

static void look_at_port(
	struct app *app, mono_t now, struct app_told *seen, const struct proxy_port *pp)
{
	struct app_told is = {
		.present = pp->ifindex != 0, .up = pp->up, .born = pp->born};
	bool same = strcmp(seen->name, pp->name) == 0;

	memcpy(is.name, pp->name, sizeof(is.name));
	if (same && seen->present && (!is.present || is.born != seen->born))
		follow_link(app, now, pp->name, "link_gone", "the interface has gone");
	if (same && is.present && (!seen->present || is.born != seen->born))
		follow_link(app, now, pp->name, "link_back",
			"the interface is there again");
	if (same && seen->up && !is.up)
		follow_link(app, now, pp->name, "link_down", "the link is down");
	if (same && !seen->up && is.up)
		follow_link(app, now, pp->name, "link_up", "the link is up");
	*seen = is;
}

void app_monitor_ports(struct app *app, mono_t now)
{
	for (unsigned i = 0; i < PORT_MAX; i++) {
		if (app->instances->port[i])
			look_at_port(
				app, now, &app->port[i].told, app->instances->port[i]);
		else
			app->port[i].told = (struct app_told){0};
	}
}

/* ---- hosts ---- */

void app_monitor_report(struct app *app, mono_t now, const struct proxy_port *pp,
	const struct gm_msg *msg, uint64_t before)
{
	char group[ADDR_STRLEN], host[ADDR_STRLEN];
	uint64_t changed;

	if (!monitor_has_followers(&app->monitor))
		return;
	changed = before ^ app_members(app, now, pp, msg);
	for (size_t i = 0; changed; i++, changed >>= 1) {
		bool left = before >> i & 1;
		struct log_about about = {.interface = pp->name};

		if (!(changed & 1))
			continue;
		about.group = addr_format(&msg->rec[i].group, group);
		about.host = addr_format(&msg->from, host);
		app_monitor_note(app, now, left ? "host_left" : "host_joined", &about,
			left ? "host has left the group" : "host has joined the group",
			0);
	}
}

/* ---- rounds ---- */

json_t *app_monitor_open(void *ctx, const char *args, struct ctl_stream **ret)
{
	mono_t now = loop_now(((struct app *)ctx)->loop);
	struct app *app = ctx;
	json_t *reply;

	app_streams_stir(app, now); /* streams that already flow are not events */
	reply = monitor_open(&app->monitor, args, ret);
	app_streams_stir(app, now);
	return reply;
}
