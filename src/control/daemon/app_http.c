/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * What metrics-listen and web-listen have in common. They listen now or as soon as that is
 * possible, and can move to another address. The port stays that of the start, because
 * the right to bind another one is given up.
 */

#include "control/daemon/app_priv.h"

#include "control/config/endpoint.h"

#include <errno.h>
#include <string.h>

uint16_t app_listener_port(const char *text)
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
			r == -EACCES ? "ports below 1024 take root, and a restart"
				     : "trying again");
	l->error = r;
	*ret_at = e;
	return r == 0;
}

bool app_listener_may_move(const struct app_listener *l, const char *text)
{
	uint16_t port = app_listener_port(text);

	return !port || port == l->port;
}

void app_listener_close(struct app_listener *l)
{
	http_share_clear(&l->share);
	l->http = http_free(l->http);
	l->retry_at = MONO_NEVER;
}
