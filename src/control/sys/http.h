/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The HTTP server of metrics-listen: GET and HEAD of /metrics and /healthz. It runs in
 * the event loop of the control thread, and no client can block that: sockets do not
 * block, requests and connections are few and small, and each connection ends after its
 * answer or after HTTP_LIFE_MS, whatever its client does. Does not log.
 *
 * A body of metrics takes time, so it is requested and handed over later; all clients
 * that wait for it get the same one.
 */

#include "control/config/endpoint.h"
#include "control/report/metrics.h"
#include "control/sys/loop.h"

/* If one more comes, the oldest connection that has not sent its request is closed.
 * HTTP_MAX_PER_ADDRESS is the limit for one address. */
#define HTTP_MAX_CONNECTIONS 16
#define HTTP_MAX_PER_ADDRESS 8
#define HTTP_IDLE_S	     10
#define HTTP_LIFE_MS	     30000
#define HTTP_MAX_BODY	     1024 /* bytes of a request's body, which is ignored */

struct http;

struct http_ops {
	/* A body in this format is wanted. Call http_metrics() later, not from here.
	 * Not called again before that. */
	void (*metrics)(void *ctx, enum metrics_format format);
	/* Is the daemon healthy? *ret_text, malloc'ed, is the body. */
	bool (*healthy)(void *ctx, bool allow_down, char **ret_text);
	void *ctx;
};

/* Is it available? False in a build without libmicrohttpd. */
bool http_supported(void);

/* Listens; needs rights only for ports below 1024. 0, -EADDRINUSE and other -errno,
 * -EOPNOTSUPP in a build without. `ops` is copied. */
int http_new(struct loop *loop, const struct endpoint *at, const struct http_ops *ops,
	struct http **ret_http);
struct http *http_free(struct http *h); /* takes and returns NULL */

/* The body that was requested; takes `body`, malloc'ed. With NULL the clients get
 * status 503. Clients that ask until `fresh_until` also get this body. */
void http_metrics(struct http *h, enum metrics_format format, char *body, size_t len,
	mono_t fresh_until);

/* Drops kept bodies, because the configuration has changed. */
void http_forget(struct http *h);

mono_t http_deadline(const struct http *h);
void http_tick(struct http *h, mono_t now);

/* status codes in use */
#define HTTP_CODES 6
extern const unsigned http_code[HTTP_CODES];
struct http_stats {
	unsigned n_connections;
	uint64_t n_answers[HTTP_CODES];
	uint64_t n_evicted; /* too slow, or closed for newer ones */
};
/* All zero for NULL. */
void http_stats(const struct http *h, struct http_stats *ret);
