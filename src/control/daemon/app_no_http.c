/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * In place of app_http.c, app_metrics.c and app_web.c in a build without libmicrohttpd:
 * there are no listeners.
 */

#include "control/daemon/app_priv.h"

bool app_http_possible(const char *path, const struct config *cfg)
{
	if (cfg->metrics_listen)
		log_err("%s: metrics-listen needs a ringcastd that is built with "
			"libmicrohttpd; remove the line, and use ringcastctl metrics",
			path);
	if (cfg->web_listen)
		log_err("%s: web-listen needs a ringcastd that is built with "
			"libmicrohttpd; remove the line, and use ringcastctl watch",
			path);
	return !cfg->metrics_listen && !cfg->web_listen;
}

void app_http_start(struct app *app)
{
}

void app_http_stop(struct app *app)
{
}

void app_http_reload(struct app *app, const struct config *old)
{
}

mono_t app_http_deadline(const struct app *app)
{
	return MONO_NEVER;
}

void app_http_tick(struct app *app, mono_t now)
{
}

unsigned app_listener_new_port(const struct app_listener *l, const char *text)
{
	return 0;
}

void app_web_stir(struct app *app, mono_t now)
{
}

void app_web_event(struct app *app, const char *name, const struct log_about *about,
	const char *text)
{
}

json_t *app_web_page(void *ctx, const char *args)
{
	return json_pack("{sn ss}", "url", "reason",
		"this ringcastd is built without libmicrohttpd; use ringcastctl watch");
}

void view_http_stats(const struct app *app, struct http_stats *ret)
{
	*ret = (struct http_stats){0};
}
