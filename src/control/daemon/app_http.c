/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * metrics-listen and web-listen, and what they have in common. They listen now or as
 * soon as that is possible, and can move to another address. They keep the port of the
 * start, because the daemon has given up the right to bind another one.
 */

#include "control/daemon/app_priv.h"

#include "control/config/endpoint.h"

#include <errno.h>
#include <string.h>

static uint16_t port_in(const char *text)
{
	struct endpoint e = {.port = 0};

	if (text)
		(void)endpoint_parse(text, &e);
	return e.port;
}

bool app_listener_open(struct app *app, struct app_listener *l, const char *text,
	const struct http_options *options, const struct http_ops *ops,
	struct endpoint *ret_at)
{
	char at[ENDPOINT_STRLEN];
	struct endpoint e;
	int r;

	l->retry_at = MONO_NEVER;
	if (l->http || !text || endpoint_parse(text, &e) < 0 || e.port != l->port)
		return false;
	r = http_new(app->loop, &e, options, ops, &l->http);
	if (r < 0 && r != -EACCES)
		l->retry_at = mono_add_ms(loop_now(app->loop), APP_RETRY_MS);
	/* log it once, not with each attempt */
	if (r < 0 && l->error != r)
		log_err("%s %s: %s; %s", options->keyword, endpoint_format(&e, at),
			strerror(-r),
			r == -EACCES ? "ports below 1024 need root, and a restart"
				     : "trying again");
	l->error = r;
	*ret_at = e;
	return r == 0;
}

unsigned app_listener_new_port(const struct app_listener *l, const char *text)
{
	uint16_t port = port_in(text);

	return port == l->port ? 0 : port;
}

void app_listener_close(struct app_listener *l)
{
	http_share_clear(&l->share);
	l->http = http_free(l->http);
	l->retry_at = MONO_NEVER;
}

bool app_http_possible(const char *path, const struct config *cfg)
{
	return true;
}

void app_http_start(struct app *app)
{
	app->metrics.port = port_in(app->cfg->metrics_listen);
	app->web_listener.port = port_in(app->cfg->web_listen);
	app_metrics_listen(app);
	app_web_listen(app);
}

void app_http_stop(struct app *app)
{
	app_metrics_stop(app);
	app_web_stop(app);
}

void app_http_reload(struct app *app, const struct config *old)
{
	app_metrics_reload(app, old);
	app_web_reload(app, old);
}

mono_t app_http_deadline(const struct app *app)
{
	return mono_min(app_metrics_deadline(app), app_web_deadline(app));
}

void app_http_tick(struct app *app, mono_t now)
{
	app_metrics_tick(app, now);
	app_web_tick(app, now);
}

void view_http_stats(const struct app *app, struct http_stats *ret)
{
	*ret = (struct http_stats){0};
	http_stats(app->metrics.http, ret);
	http_stats(app->web_listener.http, ret);
}
