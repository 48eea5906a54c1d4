/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The HTTP server of metrics-listen: GET and HEAD of /metrics and /healthz. It runs in
 * the event loop of the control thread, and no client can hold that up: sockets do not
 * block, requests and connections are few and small, and each connection ends after its
 * answer or after HTTP_LIFE_MS, whatever its client does. Does not log.
 *
 * A body of metrics takes time, so it is asked for and handed over later; all who wait
 * for it get the same.
 */

#include "control/config/endpoint.h"
#include "control/report/metrics.h"
#include "control/sys/loop.h"

/* One more, and the oldest that has not sent its request yet makes room; of one address
 * no more than the second number. */
#define HTTP_MAX_CONNECTIONS 16
#define HTTP_MAX_PER_ADDRESS 8
#define HTTP_IDLE_S	     10
#define HTTP_LIFE_MS	     30000
#define HTTP_MAX_BODY	     1024 /* bytes of a request's body, which nobody reads */

struct http;

struct http_ops {
	/* A body in this format is wanted: http_metrics() is called later, never in
	 * here. Not called again before that. */
	void (*metrics)(void *ctx, enum metrics_format format);
	/* Is the daemon well? *ret_text, malloc'ed, is the body. */
	bool (*healthy)(void *ctx, bool allow_down, char **ret_text);
	void *ctx;
};

/* Can it be had at all? false in a build without libmicrohttpd. */
bool http_supported(void);

/* Listen; needs no rights but for ports below 1024. 0, -EADDRINUSE and other -errno,
 * -EOPNOTSUPP in a build without. `ops` is copied. */
int http_new(struct loop *loop, const struct endpoint *at, const struct http_ops *ops,
	struct http **ret_http);
struct http *http_free(struct http *h); /* takes and returns NULL */

/* What was asked for; takes `body`, malloc'ed. NULL: there is none, the clients get
 * status 503. The body also goes to those who ask for it until `fresh_until`. */
void http_metrics(struct http *h, enum metrics_format format, char *body, size_t len,
	mono_t fresh_until);

/* Bodies that are there are of yesterday: the configuration has changed. */
void http_forget(struct http *h);

mono_t http_deadline(const struct http *h);
void http_tick(struct http *h, mono_t now);

/* status codes that are sent */
#define HTTP_CODES 6
extern const unsigned http_code[HTTP_CODES];
struct http_stats {
	unsigned n_connections;
	uint64_t n_answers[HTTP_CODES];
	uint64_t n_evicted; /* too slow, or in the way of newer ones */
};
/* Zeros for NULL. */
void http_stats(const struct http *h, struct http_stats *ret);
