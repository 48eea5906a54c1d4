/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Metrics of the running daemon: the listener of metrics-listen and the scrapes that it
 * asks for. A scrape takes one slice in each round of the loop, so that everything else
 * gets its turn.
 */

#include "control/daemon/app_priv.h"

#include "base/cleanup.h"
#include "control/show/health.h"
#include "control/show/scrape.h"
#include "control/show/selfstat.h"
#include "control/sys/http.h"

#include <errno.h>
#include <string.h>

/* A body is kept for this many times the time that it cost, and given to all clients
 * that ask meanwhile. So excessive clients take at most a tenth of the control
 * thread. */
#define FRESH_FACTOR 9

/* ---- requests of the listener ---- */

static void metrics(void *ctx, enum metrics_format format)
{
	struct app *app = ctx;

	if (scrape_new(app, format, &app->scrape) == 0)
		app->views.n_scrapes++;
	app->scrape_format = format;
	app->scrape_wanted = true;
}

static bool healthy(void *ctx, bool allow_down, char **ret_text)
{
	static const char *const list[] = {"problems", "unsure", "warnings"};
	struct app *app = ctx;
	json_t *health = health_json(app, loop_now(app->loop), allow_down), *text;
	bool ok = json_is_true(json_object_get(health, "ok"));
	char *out = ok ? strdup("ok\n") : health ? NULL : strdup("out of memory\n");

	for (size_t k = 0; k < array_len(list); k++) {
		size_t i;

		json_array_foreach(json_object_get(health, list[k]), i, text)
		{
			char *longer;

			if (asprintf(&longer, "%s%s\n", out ? out : "",
				    json_string_value(text)) < 0)
				continue;
			free(out);
			out = longer;
		}
	}
	json_decref(health);
	*ret_text = out;
	return ok;
}

static void app_metrics_finish(struct app *app, mono_t now)
{
	uint64_t cost = app->scrape ? scrape_cost_ns(app->scrape) : 0;
	size_t len = 0;
	char *body = app->scrape ? scrape_take(app->scrape, &len) : NULL;

	app->scrape = scrape_free(app->scrape);
	app->scrape_wanted = false;
	http_metrics(app->http, app->scrape_format, body, len,
		mono_add_ns(now, (int64_t)cost * FRESH_FACTOR));
}

mono_t app_metrics_deadline(const struct app *app)
{
	if (app->scrape_wanted)
		return MONO_UNSET;
	return mono_min(app->http_retry_at, http_deadline(app->http));
}

void app_metrics_tick(struct app *app, mono_t now)
{
	if (mono_due(app->http_retry_at, now))
		app_metrics_listen(app);
	if (app->scrape_wanted && !(app->scrape && scrape_slice(app->scrape)))
		app_metrics_finish(app, now);
	if (app->http)
		http_tick(app->http, now);
}

/* ---- life ---- */

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static void stop_listening(struct app *app)
{
	app->http = http_free(app->http);
	app->http_retry_at = MONO_NEVER;
	app->scrape = scrape_free(app->scrape);
	app->scrape_wanted = false;
}

void app_metrics_listen(struct app *app)
{
	struct http_ops ops = {.metrics = metrics, .healthy = healthy, .ctx = app};
	char at[ENDPOINT_STRLEN];
	struct endpoint e;
	int r;

	app->http_retry_at = MONO_NEVER;
	if (app->http || !app->cfg->metrics_listen ||
		endpoint_parse(app->cfg->metrics_listen, &e) < 0 ||
		e.port != app->metrics_port)
		return;
	r = http_new(app->loop, &e, &ops, &app->http);
	endpoint_format(&e, at);
	if (r < 0 && r != -EACCES)
		app->http_retry_at = mono_add_ms(loop_now(app->loop), APP_RETRY_MS);
	/* log it once, not with each attempt */
	if (r < 0 && app->http_error != r)
		log_err("metrics-listen %s: %s; %s", at, strerror(-r),
			r == -EACCES ? "ports below 1024 take root, and a restart"
				     : "trying again");
	app->http_error = r;
	if (r < 0)
		return;
	log_info("metrics: http://%s/metrics", at);
	if (!addr_is_loopback(&e.addr))
		log_notice(
			"metrics: %s is not a loopback address: every host that can connect "
			"to it can read addresses of groups, sources and interfaces; "
			"restrict it with a firewall",
			at);
}

static uint16_t wanted_port(const struct config *cfg)
{
	struct endpoint e = {0};

	if (cfg->metrics_listen)
		(void)endpoint_parse(cfg->metrics_listen, &e);
	return e.port;
}

void app_metrics_reload(struct app *app, const struct config *old)
{
	uint16_t port = wanted_port(app->cfg);

	if (port && port != app->metrics_port) {
		log_warn(
			"metrics-listen: port %u cannot be bound while running; restart "
			"the daemon for that",
			port);
		return;
	}
	if (same_text(old->metrics_listen, app->cfg->metrics_listen)) {
		if (app->http)
			http_forget(app->http);
		return;
	}
	stop_listening(app);
	app->http_error = 0;
	app_metrics_listen(app);
}

int app_metrics_new(struct app *app)
{
	app->metrics_port = wanted_port(app->cfg);
	return selfstat_new(&app->selfstat);
}

void app_metrics_free(struct app *app)
{
	stop_listening(app);
	app->selfstat = selfstat_free(app->selfstat);
	app->views.health = health_free(app->views.health);
}
