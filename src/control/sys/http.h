/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * A small HTTP server for metrics-listen and web-listen: GET and HEAD. It runs in the
 * event loop of the control thread. No client can block that loop: sockets do not
 * block, requests and connections are few and small, and each connection ends after its
 * answer or after HTTP_LIFE_MS, whatever its client does. A stream of events lives
 * longer, but ends if its client does not read. Does not log.
 *
 * A body that takes time can be made later, because a request waits for http_answer()
 * without cost.
 */

#include "control/config/endpoint.h"
#include "control/config/http_access.h"
#include "control/sys/loop.h"

#define HTTP_IDLE_S   10
#define HTTP_LIFE_MS  30000
#define HTTP_MAX_BODY 1024 /* bytes of a request's body, which is ignored */
/* the largest value of http_options.max_connections */
#define HTTP_MAX_CONNECTIONS 160
/* bytes of the answers that are being sent; with more the oldest answer is broken
 * off */
#define HTTP_MAX_ANSWERS (32 << 20)
/* bytes of events that wait for a client; with more the stream ends */
#define HTTP_MAX_PENDING 65536

struct http;
struct http_request;
struct http_body; /* counts its references */

struct http_ops {
	/* A request for `path`, which has no query, is complete. Call http_answer() or
	 * http_stream() once, here or later; the request stays valid until then or
	 * until gone(). */
	void (*request)(void *ctx, struct http_request *q, const char *path);
	/* A request that waits has lost its connection, which was too slow or was
	 * evicted. It must not be answered any more. May be NULL if none ever waits. */
	void (*gone)(void *ctx, struct http_request *q);
	void *ctx;
};

struct http_options {
	const char *keyword; /* of the configuration, for messages; static */
	/* The largest number of connections, of all clients and of one address. The
	 * addresses of an IPv6 /64 count as one, except link-local ones. If a client
	 * connects beyond a limit, one connection is closed: of the same address, or of
	 * the address that has the most. The first of these is chosen:
	 * - the oldest one that is still sending its request
	 * - the oldest one whose request waits
	 * - the oldest one */
	unsigned max_connections, max_per_address;
	unsigned max_streams;	   /* a further one is refused */
	struct http_access access; /* http_new() fills in `listens` */
};

/* Listens at an address; that needs rights only for ports below 1024. `ops` and
 * `options` are copied. Returns 0, -EADDRINUSE, or another -errno. */
int http_new(struct loop *loop, const struct endpoint *at,
	const struct http_options *options, const struct http_ops *ops,
	struct http **ret_http);
/* Requests that wait are answered with 503. */
struct http *http_free(struct http *h);
/* Answers only the clients that `a` allows from now on, and closes the connections of
 * the others. Ignores `a->listens`. */
void http_set_access(struct http *h, const struct http_access *a);

/* ---- requests ---- */

/* Return the value of a header field or of an argument of the query, or NULL if the
 * request does not have it. An argument without a value is "". The text belongs to the
 * request. */
const char *http_header(const struct http_request *q, const char *name);
const char *http_argument(const struct http_request *q, const char *name);
/* Returns the address of the client, which belongs to the request. */
const struct addr *http_client(const struct http_request *q);

/* Makes a body with these header fields: name, value, ..., NULL. The body owns `data`,
 * which must come from malloc(), and which is also freed on failure. Returns NULL when
 * out of memory. */
struct http_body *http_body_new(const char *const *fields, char *data, size_t len);
/* Makes a body of data that is never freed. */
struct http_body *http_body_new_static(
	const char *const *fields, const void *data, size_t len);
/* Drops a reference. */
struct http_body *http_body_free(struct http_body *b);

/* Answers a request. The caller keeps its reference to the body. If `b` is NULL,
 * because there was no memory, the answer is 503. If the answer is not given inside of
 * http_ops.request, call http_go_on() afterwards. */
void http_answer(struct http_request *q, unsigned code, struct http_body *b);
/* Answers with plain text, which is freed; NULL is an empty text. */
void http_answer_text(struct http_request *q, unsigned code, char *text);
/* Sends the answers that were given since. */
void http_go_on(struct http *h);

/* Answers with a stream of events (text/event-stream) and these further header fields.
 * Returns false, with the request still unanswered, if there are too many streams. */
bool http_stream(struct http_request *q, const char *const *fields);
/* Sends a text to all streams. Closes a stream whose client reads too slowly. */
void http_stream_send(struct http *h, const char *text);
unsigned http_n_streams(const struct http *h); /* 0 for NULL */

mono_t http_deadline(const struct http *h);
void http_tick(struct http *h, mono_t now);

/* status codes in use */
#define HTTP_CODES 6
static const unsigned http_code[HTTP_CODES] = {200, 400, 403, 404, 405, 503};
struct http_stats {
	unsigned n_connections;
	uint64_t n_answers[HTTP_CODES];
	uint64_t n_evicted; /* connections that were too slow, or were evicted */
};
/* Adds the numbers of this server to *sum. Adds nothing if `h` is NULL. */
void http_stats(const struct http *h, struct http_stats *sum);
