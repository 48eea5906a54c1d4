/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Metrics of the running daemon: the listener of metrics-listen and the scrapes that it
 * asks for. A scrape takes one slice in each round of the loop, so that everything else
 * gets its turn.
 */

#include "control/daemon/app_priv.h"

#include "base/cleanup.h"
#include "control/config/config_text.h"
#include "control/config/endpoint.h"
#include "control/show/health.h"
#include "control/show/scrape.h"
#include "control/sys/http.h"

#include <string.h>

/* A body is kept for this many times the time that it cost, and given to all clients
 * that ask meanwhile. So excessive clients take at most a tenth of the control
 * thread. */
#define FRESH_FACTOR 9

static const struct http_options options = {
	.keyword = "metrics-listen",
	.max_connections = 16,
	.max_per_address = 8,
};

/* ---- requests of the listener ---- */

static const char *const key[_METRICS_FORMAT_N] = {
	[METRICS_PROMETHEUS] = "prometheus", [METRICS_OPENMETRICS] = "openmetrics"};

static void want_scrape(void *ctx, const char *wanted)
{
	struct app *app = ctx;

	app->scrape_format = strcmp(wanted, key[METRICS_OPENMETRICS]) == 0
		? METRICS_OPENMETRICS
		: METRICS_PROMETHEUS;
	(void)scrape_new(app, app->scrape_format, &app->scrape);
	app->scrape_wanted = true;
}

/* *ret_text, malloc'ed, is the body. */
static bool healthy(struct app *app, bool allow_down, char **ret_text)
{
	static const char *const list[] = {"problems", "unsure", "warnings"};
	json_t *health = health_json(app, loop_now(app->loop), allow_down), *text;
	bool ok = json_is_true(json_object_get(health, "ok"));
	struct config_text out = {0};

	if (ok || !health)
		config_text_add(&out, ok ? "ok\n" : "out of memory\n");
	for (size_t k = 0; k < array_len(list); k++) {
		size_t i;

		json_array_foreach(json_object_get(health, list[k]), i, text)
		{
			config_text_add(&out, "%s\n", json_string_value(text));
		}
	}
	json_decref(health);
	*ret_text = config_text_take(&out);
	return ok;
}

static void app_metrics_request(void *ctx, struct http_request *q, const char *path)
{
	struct app *app = ctx;
	char *text = NULL;
	bool ok;

	if (strcmp(path, "/metrics") == 0) {
		http_share_ask(&app->metrics.share, q,
			key[metrics_negotiate(http_header(q, "Accept"))],
			loop_now(app->loop));
	} else if (strcmp(path, "/healthz") == 0) {
		ok = healthy(app, http_argument(q, "allow-down") != NULL, &text);
		http_answer_text(q, ok ? 200 : 503, text);
	} else {
		http_answer_text(q, 404,
			strdup("there is no such page; ask for /metrics or /healthz\n"));
	}
}

static void app_metrics_gone(void *ctx, struct http_request *q)
{
	struct app *app = ctx;

	http_share_gone(&app->metrics.share, q);
}

static void app_metrics_finish(struct app *app, mono_t now)
{
	const char *const fields[] = {"Content-Type",
		metrics_content_type(app->scrape_format), "Connection", "close", NULL};
	uint64_t cost = app->scrape ? scrape_cost_ns(app->scrape) : 0;
	size_t len = 0;
	char *text = app->scrape ? scrape_take(app->scrape, &len) : NULL;

	app->scrape = scrape_free(app->scrape);
	app->scrape_wanted = false;
	http_share_give(&app->metrics.share, 200,
		text ? http_body_new(fields, text, len) : NULL, now,
		mono_add_ns(now, (int64_t)cost * FRESH_FACTOR));
	http_go_on(app->metrics.http);
}

mono_t app_metrics_deadline(const struct app *app)
{
	if (app->scrape_wanted)
		return MONO_UNSET;
	return mono_min(app->metrics.retry_at, http_deadline(app->metrics.http));
}

void app_metrics_tick(struct app *app, mono_t now)
{
	if (mono_due(app->metrics.retry_at, now))
		app_metrics_listen(app);
	if (app->scrape_wanted && !(app->scrape && scrape_slice(app->scrape)))
		app_metrics_finish(app, now);
	if (app->metrics.http)
		http_tick(app->metrics.http, now);
}

/* ---- life ---- */

void app_metrics_stop(struct app *app)
{
	app_listener_close(&app->metrics);
	app->scrape = scrape_free(app->scrape);
	app->scrape_wanted = false;
}

void app_metrics_listen(struct app *app)
{
	struct http_ops ops = {
		.request = app_metrics_request, .gone = app_metrics_gone, .ctx = app};
	char at[ENDPOINT_STRLEN];
	struct endpoint e;

	if (!app_listener_open(
		    app, &app->metrics, app->cfg->metrics_listen, &options, &ops, &e))
		return;
	app->metrics.share.ops =
		(struct http_share_ops){.make = want_scrape, .ctx = app};
	endpoint_format(&e, at);
	log_info("metrics: http://%s/metrics", at);
	if (!addr_is_loopback(&e.addr))
		log_notice(
			"metrics: %s is not a loopback address: every host that can connect "
			"to it can read addresses of groups, sources and interfaces; "
			"restrict it with a firewall",
			at);
}

void app_metrics_reload(struct app *app, const struct config *old)
{
	if (app_listener_new_port(&app->metrics, app->cfg->metrics_listen))
		return;
	if (config_same_text(old->metrics_listen, app->cfg->metrics_listen)) {
		http_share_forget(&app->metrics.share);
		return;
	}
	app_metrics_stop(app);
	app->metrics.error = 0;
	app_metrics_listen(app);
}
