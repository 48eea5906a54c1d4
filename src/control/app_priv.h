/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What the files of the daemon share: app.c (life cycle), app_io.c (sockets, effects),
 * app_config.c (reading and reloading), app_metrics.c (metrics and health). */

#include "control/app.h"

#define APP_RETRY_MS 1000 /* between attempts to open what could not be opened */

/* Bring ports, sockets and data plane into line with interfaces and configuration `cfg`
 * (app->cfg or its successor). Effects stay in app->fx until app_execute. */
void app_sync(struct app *app, mono_t now, const struct config *cfg);
/* Open what could not be opened before; moves retry_at. */
void app_retry(struct app *app, mono_t now);
/* Do what the core has decided, in order, and forget it. */
void app_execute(struct app *app, mono_t now);
void app_close_ports(struct app *app);

/* app_metrics.c: the listener of metrics-listen and what it serves. */
int app_metrics_new(struct app *app); /* 0, -ENOMEM */
void app_metrics_free(struct app *app);
/* Listen where app->cfg says; false: not possible now. */
bool app_metrics_listen(struct app *app);
/* The configuration in force is another than `old`. */
void app_metrics_reload(struct app *app, const struct config *old);
mono_t app_metrics_deadline(const struct app *app);
void app_metrics_tick(struct app *app, mono_t now);

/* name of a port for messages */
const char *app_port_name(const struct app *app, unsigned port);
