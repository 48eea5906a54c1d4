/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * A small HTTP server for metrics-listen and web-listen: GET and HEAD. It runs in the
 * event loop of the control thread, and no client can block that: sockets do not block,
 * requests and connections are few and small, and each connection ends after its answer
 * or after HTTP_LIFE_MS, whatever its client does. A stream of events lives longer, but
 * ends if its client does not read. Does not log.
 *
 * Bodies that take time are made later: a request waits without cost until
 * http_answer().
 */

#include "control/config/endpoint.h"
#include "control/sys/loop.h"

#define HTTP_IDLE_S   10
#define HTTP_LIFE_MS  30000
#define HTTP_MAX_BODY 1024 /* bytes of a request's body, which is ignored */
/* the most that a server may have, see struct http_options */
#define HTTP_MAX_CONNECTIONS 160
/* bytes of events that wait for a client; with more the stream ends */
#define HTTP_MAX_PENDING 65536

struct http;
struct http_request;
struct http_body; /* counts its references */

struct http_ops {
	/* A request for `path`, which has no query, is complete. Call http_answer() or
	 * http_stream() once, here or later; the request stays valid until then. */
	void (*request)(void *ctx, struct http_request *q, const char *path);
	void *ctx;
};

struct http_options {
	const char *keyword; /* of the configuration, for messages; static */
	/* If one more comes, the oldest connection that has not sent its request is
	 * closed. `per_address` is the limit for one address. */
	unsigned max_connections, max_per_address;
	unsigned max_streams; /* a further one is refused */
	/* Names that a name server may point to us are refused on every address, not
	 * only on loopback ones. */
	bool private_names;
	/* Clients that are answered, besides those of this system; NULL means all. */
	const struct prefix *allow; /* borrowed */
	size_t n_allow;
};

/* Is it available? False in a build without libmicrohttpd. */
bool http_supported(void);

/* Listens; needs rights only for ports below 1024. 0, -EADDRINUSE and other -errno,
 * -EOPNOTSUPP in a build without. `ops` and `options` are copied. */
int http_new(struct loop *loop, const struct endpoint *at,
	const struct http_options *options, const struct http_ops *ops,
	struct http **ret_http);
/* Requests that wait are answered with 503. Takes and returns NULL. */
struct http *http_free(struct http *h);

/* ---- requests ---- */

/* Of the request, borrowed; NULL if there is none. An argument without a value is "". */
const char *http_header(const struct http_request *q, const char *name);
const char *http_argument(const struct http_request *q, const char *name);

/* A body with the fields of its header: name, value, ..., NULL. Takes `data`,
 * malloc'ed, also on failure; NULL when out of memory. */
struct http_body *http_body_new(const char *const *fields, char *data, size_t len);
/* The same with static data. */
struct http_body *http_body_new_static(
	const char *const *fields, const void *data, size_t len);
/* Drops a reference. Takes and returns NULL. */
struct http_body *http_body_free(struct http_body *b);

/* The body stays the caller's. NULL means that there is no memory: 503. After answers
 * that were not given inside of `request` call http_go_on(). */
void http_answer(struct http_request *q, unsigned code, struct http_body *b);
/* plain text, malloc'ed and taken; NULL is an empty one */
void http_answer_text(struct http_request *q, unsigned code, char *text);
void http_go_on(struct http *h);

/* Answers with a stream of events (text/event-stream) and these further fields. False,
 * with the request still unanswered, if there are too many. */
bool http_stream(struct http_request *q, const char *const *fields);
/* Sends a text to all of them. Those that have not read enough are closed. */
void http_stream_send(struct http *h, const char *text);
unsigned http_n_streams(const struct http *h); /* 0 for NULL */

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
/* Adds them; nothing for NULL. */
void http_stats(const struct http *h, struct http_stats *sum);
