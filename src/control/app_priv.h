/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What the files of the daemon share: app.c (life cycle), app_io.c (sockets, effects),
 * app_config.c (reading and reloading), app_notice.c (what is said once),
 * app_rival.c (other daemons). */

#include "control/app.h"

/* Bring ports, sockets and data plane into line with interfaces and configuration `cfg`
 * (app->cfg or its successor). Effects stay in app->fx until app_execute. */
void app_sync(struct app *app, mono_t now, const struct config *cfg);
/* Open what could not be opened before; moves retry_at. */
void app_retry(struct app *app, mono_t now);
/* Do what the core has decided, in order, and forget it. */
void app_execute(struct app *app, mono_t now);
/* Listen again to hosts that flooded; moves unsilence_at. */
void app_unsilence(struct app *app, mono_t now);
void app_close_ports(struct app *app);
/* Log what is new about the ports: errors of sockets, bridges that took one, interfaces
 * for which there is no port. */
void app_notice(struct app *app);

/* Captures: messages that came and went. */
int app_tap_new(struct app *app);
void app_tap_received(struct app *app, unsigned port, enum family family,
	const void *packet, size_t len);
void app_tap_sent(struct app *app, unsigned port, enum family family,
	const void *packet, size_t len);

/* Other multicast daemons. `init` before privileges go; `start` when there are ports;
 * `ports` when they have changed, `routing` when the kernel's routing has. */
void app_rival_init(struct app *app);
void app_rival_start(struct app *app, uint32_t token);
void app_rival_stop(struct app *app);
void app_rival_ports(struct app *app);
void app_rival_routing(struct app *app);
/* `thorough`: at any cost, as after a start or reload */
void app_rival_look(struct app *app, mono_t now, bool thorough);
void app_rival_tick(struct app *app, mono_t now);
mono_t app_rival_deadline(const struct app *app);

/* name of a port for messages */
const char *app_port_name(const struct app *app, unsigned port);
