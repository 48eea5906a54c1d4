/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * HTTP server, see http.h. libmicrohttpd handles the protocol without its own thread:
 * its epoll descriptor is in our loop, and MHD_run() handles what is ready.
 *
 * A connection is suspended while it waits for its answer, and a stream of events while
 * there is nothing to send. The library ends idle connections, but a client that sends
 * a byte now and then is not idle. So the life of each connection is bounded here: its
 * socket is shut down, and the library finds it closed.
 */

#include "control/sys/http.h"

#include "base/array.h"
#include "base/cleanup.h"
#include "base/minmax.h"
#include "base/sys/sockopt.h"

#include <assert.h>
#include <errno.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* evicted ones remain until the library has noticed */
#define N_SPARE	  8
#define POOL_SIZE 16384 /* bytes of request headers, about */
#define BACKLOG	  128	/* clients that open many connections at once must not wait */

/* Those with the lower number are evicted first. */
enum state {
	STATE_FREE,
	STATE_REQUEST, /* the request is not complete */
	STATE_WAITING, /* for its answer; suspended */
	STATE_ANSWER,
	STATE_STREAM,
	STATE_EVICTED,
};

struct http_body {
	struct MHD_Response *response;
	unsigned n_references;
	size_t len;    /* 0 if the data is static */
	uint64_t mark; /* see n_answer_bytes() */
};

struct http_request {
	enum state state;
	struct http *http;
	struct MHD_Connection *mhd;
	struct addr from, to; /* `to` is ours */
	uint64_t number;      /* in the order of arrival */
	mono_t until;
	bool begun;    /* the handler has seen it once */
	bool answered; /* by `code` and `body`, or as a stream */
	unsigned code;
	bool queued;
	struct http_body *body; /* a reference */
	/* of a stream: events that are not yet sent */
	char *events;
	size_t n_events, cap_events;
	bool suspended;
};

struct http {
	struct loop_fd fd; /* epoll of the library */
	struct loop *loop;
	struct http_options options;
	struct http_ops ops;
	struct MHD_Daemon *daemon;
	mono_t run_at; /* MONO_NEVER if the library only waits for its sockets */
	uint64_t n_accepted, mark;
	unsigned n_slots;
	struct http_request *slot;
	bool stopping;
	bool ended; /* a connection has, in this run of the library */
	struct http_stats stats;
};

#define for_each_slot(h, c)                                                            \
	for (struct http_request *c = (h)->slot; c < (h)->slot + (h)->n_slots; c++)

/* ---- running the library ---- */

void http_go_on(struct http *h)
{
	MHD_UNSIGNED_LONG_LONG ms;

	h->ended = false;
	MHD_run(h->daemon);
	h->run_at = MONO_NEVER;
	if (MHD_get_timeout(h->daemon, &ms) == MHD_YES)
		h->run_at = mono_add_ms(loop_now(h->loop), (int64_t)ms);
	/* The library does not listen while it has no room. It listens again at the
	 * beginning of its next run, which nothing else would cause. */
	if (h->ended)
		h->run_at = loop_now(h->loop);
}

static void on_event(struct loop_fd *f, uint32_t events)
{
	http_go_on(container_of(f, struct http, fd));
}

/* ---- bodies ---- */

/* Takes the response. A reply without its headers would be misunderstood, so it needs
 * memory for all of them. */
static struct http_body *body_of(struct MHD_Response *r, const char *const *fields)
{
	struct http_body *b = calloc(1, sizeof(*b));
	bool ok = b && r;

	for (; ok && *fields; fields += 2)
		ok = MHD_add_response_header(r, fields[0], fields[1]) == MHD_YES;
	if (!ok) {
		if (r)
			MHD_destroy_response(r);
		free(b);
		return NULL;
	}
	*b = (struct http_body){.response = r, .n_references = 1};
	return b;
}

struct http_body *http_body_new(const char *const *fields, char *data, size_t len)
{
	struct MHD_Response *r =
		MHD_create_response_from_buffer(len, data, MHD_RESPMEM_MUST_FREE);
	struct http_body *b;

	if (!r)
		free(data);
	b = body_of(r, fields);
	if (b)
		b->len = len;
	return b;
}

struct http_body *http_body_new_static(
	const char *const *fields, const void *data, size_t len)
{
	return body_of(MHD_create_response_from_buffer(
			       len, (void *)(uintptr_t)data, MHD_RESPMEM_PERSISTENT),
		fields);
}

struct http_body *http_body_free(struct http_body *b)
{
	if (!b || --b->n_references > 0)
		return NULL;
	MHD_destroy_response(b->response);
	free(b);
	return NULL;
}

/* ---- answers ---- */

static void count_answer(struct http *h, unsigned code)
{
	for (unsigned i = 0; i < HTTP_CODES; i++)
		h->stats.n_answers[i] += http_code[i] == code;
}

/* Gives the answer to the library. */
static enum MHD_Result queue(struct http_request *q)
{
	if (q->state != STATE_STREAM)
		q->state = STATE_ANSWER;
	if (!q->body || q->queued)
		return MHD_NO;
	q->queued = true;
	count_answer(q->http, q->code);
	return MHD_queue_response(q->mhd, q->code, q->body->response);
}

static bool is_open(const struct http_request *c)
{
	return c->state != STATE_FREE && c->state != STATE_EVICTED;
}

/* Many requests may have the same body, which is counted once. */
static size_t n_answer_bytes(struct http *h)
{
	size_t n = 0;

	h->mark++;
	for_each_slot (h, c) {
		if (!is_open(c) || !c->body || c->body->mark == h->mark)
			continue;
		c->body->mark = h->mark;
		n += c->body->len;
	}
	return n;
}

/* NULL if none is being sent. */
static struct http_request *oldest_answer(struct http *h)
{
	struct http_request *found = NULL;

	for_each_slot (h, c)
		if (c->state == STATE_ANSWER && c->body && c->body->len > 0 &&
			(!found || c->number < found->number))
			found = c;
	return found;
}

static void evict_client(struct http_request *c);

/* Clients that do not read keep answers in memory. */
static void break_off_answers(struct http *h)
{
	struct http_request *c;

	while (n_answer_bytes(h) > HTTP_MAX_ANSWERS && (c = oldest_answer(h)))
		evict_client(c);
}

void http_answer(struct http_request *q, unsigned code, struct http_body *b)
{
	if (!b) {
		http_answer_text(
			q, MHD_HTTP_SERVICE_UNAVAILABLE, strdup("out of memory\n"));
		return;
	}
	b->n_references++;
	q->answered = true;
	q->code = code;
	q->body = b;
	break_off_answers(q->http);
	if (q->state == STATE_WAITING)
		MHD_resume_connection(q->mhd);
}

void http_answer_text(struct http_request *q, unsigned code, char *text)
{
	static const char *const plain[] = {"Content-Type", "text/plain; charset=utf-8",
		"X-Content-Type-Options", "nosniff", "Connection", "close", NULL};
	static const char *const refusal[] = {"Content-Type",
		"text/plain; charset=utf-8", "X-Content-Type-Options", "nosniff",
		"Connection", "close", "Allow", "GET, HEAD", NULL};
	struct http_body *b =
		http_body_new(code == MHD_HTTP_METHOD_NOT_ALLOWED ? refusal : plain,
			text, text ? strlen(text) : 0);

	q->answered = true;
	q->code = code;
	q->body = b; /* without one the connection is closed */
	if (q->state == STATE_WAITING)
		MHD_resume_connection(q->mhd);
}

static enum MHD_Result answer_refusal(
	struct http_request *q, unsigned code, const char *text)
{
	http_answer_text(q, code, strdup(text));
	return queue(q);
}

/* ---- streams of events ---- */

static ssize_t read_events(void *cls, uint64_t pos, char *buf, size_t max)
{
	struct http_request *q = cls;
	size_t n = min(q->n_events, max);

	if (q->http->stopping || q->state != STATE_STREAM)
		return MHD_CONTENT_READER_END_OF_STREAM;
	if (n == 0) {
		q->suspended = true;
		MHD_suspend_connection(q->mhd);
		return 0;
	}
	memcpy(buf, q->events, n);
	q->n_events -= n;
	memmove(q->events, q->events + n, q->n_events);
	return (ssize_t)n;
}

unsigned http_n_streams(const struct http *h)
{
	unsigned n = 0;

	if (h)
		for_each_slot (h, q)
			n += q->state == STATE_STREAM;
	return n;
}

bool http_stream(struct http_request *q, const char *const *fields)
{
	struct MHD_Response *r;
	struct http_body *b;

	if (http_n_streams(q->http) >= q->http->options.max_streams)
		return false;
	r = MHD_create_response_from_callback(
		MHD_SIZE_UNKNOWN, 4096, read_events, q, NULL);
	b = body_of(r, fields);
	if (!b)
		return false;
	q->answered = true;
	q->code = MHD_HTTP_OK;
	q->body = b;
	if (q->state == STATE_WAITING)
		MHD_resume_connection(q->mhd);
	q->state = STATE_STREAM;
	q->until = MONO_NEVER;
	return true;
}

static void resume_client(struct http_request *q)
{
	if (!q->suspended)
		return;
	q->suspended = false;
	MHD_resume_connection(q->mhd);
}

/* ---- requests ---- */

static struct http_request *request_of(struct MHD_Connection *mhd)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	return info ? info->socket_context : NULL;
}

static enum MHD_Result note_field(
	void *cls, enum MHD_ValueKind kind, const char *name, const char *value)
{
	http_host_take(cls, name, value);
	return MHD_YES;
}

/* Returns NULL, or what is wrong with the Host field; then *ret_code is the status. */
static const char *refusal_of_host(
	const struct http_request *c, const char *version, unsigned *ret_code)
{
	struct http_host host = {0};

	MHD_get_connection_values(c->mhd, MHD_HEADER_KIND, note_field, &host);
	return http_host_refusal(&host, &c->http->options.access,
		strcmp(version, MHD_HTTP_VERSION_1_0) == 0, ret_code);
}

/* Otherwise we would wait for the end of the body, which may never come. */
static bool has_large_body(const struct http_request *c)
{
	const char *length =
		MHD_lookup_connection_value(c->mhd, MHD_HEADER_KIND, "Content-Length");

	return MHD_lookup_connection_value(
		       c->mhd, MHD_HEADER_KIND, "Transfer-Encoding") ||
		(length && strtoull(length, NULL, 10) > HTTP_MAX_BODY);
}

/* The library calls this when the headers are there, again when the rest is, and once
 * more when an answer that was waited for has come. */
static enum MHD_Result handle(void *cls, struct MHD_Connection *mhd, const char *url,
	const char *method, const char *version, const char *data, size_t *n_data,
	void **state)
{
	struct http_request *q = request_of(mhd);
	const char *refusal;
	unsigned code;

	/* a connection whose request waited notices here that it was closed */
	if (!q || q->state == STATE_EVICTED)
		return MHD_NO;
	if (q->answered)
		return queue(q);
	if (!http_access_allows(&q->http->options.access, &q->from, &q->to))
		return answer_refusal(q, MHD_HTTP_FORBIDDEN,
			"your address is not among those of web-allow\n");
	refusal = refusal_of_host(q, version, &code);
	if (refusal)
		return answer_refusal(q, code, refusal);
	if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0)
		return answer_refusal(q, MHD_HTTP_METHOD_NOT_ALLOWED,
			"only GET and HEAD are supported\n");
	if (has_large_body(q))
		return answer_refusal(
			q, MHD_HTTP_BAD_REQUEST, "a body is not accepted here\n");
	if (!q->begun) {
		q->begun = true;
		return MHD_YES;
	}
	if (*n_data > 0) { /* a body with GET means nothing */
		*n_data = 0;
		return MHD_YES;
	}
	if (q->http->stopping)
		return answer_refusal(q, MHD_HTTP_SERVICE_UNAVAILABLE, "");
	q->http->ops.request(q->http->ops.ctx, q, url);
	if (q->answered)
		return queue(q);
	q->state = STATE_WAITING;
	MHD_suspend_connection(mhd);
	return MHD_YES;
}

const char *http_header(const struct http_request *q, const char *name)
{
	return MHD_lookup_connection_value(q->mhd, MHD_HEADER_KIND, name);
}

const char *http_argument(const struct http_request *q, const char *name)
{
	const char *value = NULL;

	if (MHD_lookup_connection_value_n(q->mhd, MHD_GET_ARGUMENT_KIND, name,
		    strlen(name), &value, NULL) != MHD_YES)
		return NULL;
	return value ? value : "";
}

const struct addr *http_client(const struct http_request *q)
{
	return &q->from;
}

/* ---- connections ---- */

static void evict_client(struct http_request *c)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(c->mhd, MHD_CONNECTION_INFO_CONNECTION_FD);

	if (info)
		shutdown(info->connect_fd, SHUT_RDWR);
	c->http->stats.n_evicted++;
	if (c->state == STATE_WAITING) {
		c->http->ops.gone(c->http->ops.ctx, c);
		c->suspended = true;
	}
	c->state = STATE_EVICTED;
	resume_client(c);
}

void http_stream_send(struct http *h, const char *text)
{
	size_t len = strlen(text);

	for_each_slot (h, q) {
		if (q->state != STATE_STREAM)
			continue;
		if (q->n_events + len > HTTP_MAX_PENDING ||
			array_reserve(
				q->events, q->cap_events, q->n_events + len, 256) < 0) {
			evict_client(q);
			continue;
		}
		memcpy(q->events + q->n_events, text, len);
		q->n_events += len;
		resume_client(q);
	}
	http_go_on(h);
}

/* Are these addresses those of one client? An IPv6 host chooses among the addresses of
 * its /64, but on a link each host has one link-local address. */
static bool same_client(const struct addr *a, const struct addr *b)
{
	if (addr_is_v4(a) || addr_is_v4(b) || addr_is_link_local(a))
		return addr_eq(a, b);
	return memcmp(a->b, b->b, 8) == 0;
}

/* `from` is NULL for all clients. */
static unsigned n_open(const struct http *h, const struct addr *from)
{
	unsigned n = 0;

	for_each_slot (h, c)
		n += is_open(c) && (!from || same_client(from, &c->from));
	return n;
}

static bool is_evicted_before(
	const struct http_request *a, const struct http_request *b)
{
	return a->state != b->state ? a->state < b->state : a->number < b->number;
}

/* The connection of a client to evict: the oldest one that is still sending its
 * request, else the oldest one that gets its answer. There must be at least one. */
static struct http_request *least_of(struct http *h, const struct addr *from)
{
	struct http_request *found = NULL;

	for_each_slot (h, c)
		if (is_open(c) && same_client(from, &c->from) &&
			(!found || is_evicted_before(c, found)))
			found = c;
	assert(found);
	return found;
}

/* The connection to evict of all clients: one of a client that has the most. */
static struct http_request *least_of_all(struct http *h)
{
	struct http_request *found = NULL;
	unsigned most = 0;

	for_each_slot (h, c) {
		unsigned n = is_open(c) ? n_open(h, &c->from) : 0;

		if (n > most || (n > 0 && n == most && is_evicted_before(c, found))) {
			found = c;
			most = n;
		}
	}
	assert(found);
	return found;
}

static struct addr addr_of(const struct sockaddr *sa)
{
	struct addr a = {{0}};

	if (sa->sa_family == AF_INET)
		a = addr_from_v4(
			&((const struct sockaddr_in *)(const void *)sa)->sin_addr);
	else if (sa->sa_family == AF_INET6)
		memcpy(a.b, &((const struct sockaddr_in6 *)(const void *)sa)->sin6_addr,
			sizeof(a.b));
	return a;
}

static struct addr peer_of(struct MHD_Connection *mhd)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CLIENT_ADDRESS);

	return info ? addr_of(info->client_addr) : (struct addr){{0}};
}

/* The address that the client has connected to. */
static struct addr own_of(struct MHD_Connection *mhd)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD);
	struct sockaddr_storage own = {.ss_family = AF_UNSPEC};
	socklen_t len = sizeof(own);

	if (info)
		(void)getsockname(info->connect_fd, (struct sockaddr *)&own, &len);
	return addr_of((const struct sockaddr *)&own);
}

static void connected(struct http *h, struct MHD_Connection *mhd, void **context)
{
	struct addr from = peer_of(mhd);
	struct http_request *c = h->slot, *end = h->slot + h->n_slots;

	if (n_open(h, &from) >= h->options.max_per_address)
		evict_client(least_of(h, &from));
	else if (n_open(h, NULL) >= h->options.max_connections)
		evict_client(least_of_all(h));
	while (c < end && c->state != STATE_FREE)
		c++;
	if (c == end)
		return; /* impossible while the library enforces its limit */
	*c = (struct http_request){
		.state = STATE_REQUEST,
		.http = h,
		.mhd = mhd,
		.from = from,
		.to = own_of(mhd),
		.number = h->n_accepted++,
		.until = mono_add_ms(loop_now(h->loop), HTTP_LIFE_MS),
	};
	h->stats.n_connections++;
	*context = c;
}

static void on_connection(void *cls, struct MHD_Connection *mhd, void **context,
	enum MHD_ConnectionNotificationCode code)
{
	struct http *h = cls;
	struct http_request *c = *context;

	if (code == MHD_CONNECTION_NOTIFY_STARTED) {
		connected(h, mhd, context);
	} else if (c) {
		http_body_free(c->body);
		free(c->events);
		h->ended = true;
		*c = (struct http_request){.state = STATE_FREE};
		h->stats.n_connections--;
	}
}

mono_t http_deadline(const struct http *h)
{
	mono_t at;

	if (!h)
		return MONO_NEVER;
	at = h->run_at;
	for_each_slot (h, c)
		if (is_open(c))
			at = mono_min(at, c->until);
	return at;
}

void http_tick(struct http *h, mono_t now)
{
	if (!mono_due(http_deadline(h), now))
		return;
	for_each_slot (h, c)
		if (is_open(c) && mono_due(c->until, now))
			evict_client(c);
	http_go_on(h);
}

void http_stats(const struct http *h, struct http_stats *sum)
{
	if (!h)
		return;
	sum->n_connections += h->stats.n_connections;
	sum->n_evicted += h->stats.n_evicted;
	for (unsigned i = 0; i < HTTP_CODES; i++)
		sum->n_answers[i] += h->stats.n_answers[i];
}

/* ---- life ---- */

static int bind_v4(int fd, const struct endpoint *at)
{
	struct sockaddr_in sin = {.sin_family = AF_INET, .sin_port = htons(at->port)};

	memcpy(&sin.sin_addr, addr_v4_bytes(&at->addr), 4);
	/* the address may come later; without this it would have to exist */
	(void)sockopt_set(fd, IPPROTO_IP, IP_FREEBIND, 1);
	return bind(fd, (struct sockaddr *)&sin, sizeof(sin)) < 0 ? -errno : 0;
}

static int bind_v6(int fd, const struct endpoint *at)
{
	struct sockaddr_in6 sin = {
		.sin6_family = AF_INET6, .sin6_port = htons(at->port)};

	memcpy(&sin.sin6_addr, at->addr.b, 16);
	(void)sockopt_set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0); /* [::] is everything */
	(void)sockopt_set(fd, IPPROTO_IP, IP_FREEBIND, 1);
	return bind(fd, (struct sockaddr *)&sin, sizeof(sin)) < 0 ? -errno : 0;
}

/* descriptor or -errno */
static int inherit_at(const struct endpoint *at)
{
	bool v4 = addr_is_v4(&at->addr);
	_cleanup_(closep) int fd = socket(
		v4 ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int r;

	if (fd < 0)
		return -errno;
	r = sockopt_set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	if (r == 0)
		r = v4 ? bind_v4(fd, at) : bind_v6(fd, at);
	if (r < 0)
		return r;
	return listen(fd, BACKLOG) < 0 ? -errno : take_fd(&fd);
}

static int http_start(struct http *h, int fd)
{
	const union MHD_DaemonInfo *info;

	h->daemon = MHD_start_daemon(MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL,
		NULL, handle, h, MHD_OPTION_LISTEN_SOCKET, fd,
		MHD_OPTION_CONNECTION_LIMIT, h->n_slots, MHD_OPTION_CONNECTION_TIMEOUT,
		(unsigned)HTTP_IDLE_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
		(size_t)POOL_SIZE, MHD_OPTION_NOTIFY_CONNECTION, on_connection, h,
		MHD_OPTION_END);
	if (!h->daemon) {
		closep(&fd);
		return -ENOMEM;
	}
	info = MHD_get_daemon_info(h->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	if (!info || info->epoll_fd < 0)
		return -ENOTSUP;
	h->fd.fd = info->epoll_fd;
	return loop_add(h->loop, &h->fd);
}

int http_new(struct loop *loop, const struct endpoint *at,
	const struct http_options *options, const struct http_ops *ops,
	struct http **ret_http)
{
	struct http *h = calloc(1, sizeof(*h));
	int fd, r;

	if (!h)
		return -ENOMEM;
	assert(options->max_connections <= HTTP_MAX_CONNECTIONS);
	h->loop = loop;
	h->ops = *ops;
	h->options = *options;
	h->options.access.listens = at->addr;
	h->fd.fn = on_event;
	h->run_at = MONO_NEVER;
	h->n_slots = options->max_connections + N_SPARE;
	h->slot = calloc(h->n_slots, sizeof(*h->slot));
	fd = h->slot ? inherit_at(at) : -ENOMEM;
	r = fd < 0 ? fd : http_start(h, fd);
	if (r < 0) {
		http_free(h);
		return r;
	}
	*ret_http = h;
	return 0;
}

struct http *http_free(struct http *h)
{
	if (!h)
		return NULL;
	loop_del(&h->fd);
	h->stopping = true;
	/* the library insists that nothing is suspended when it stops */
	for (unsigned i = 0; h->slot && i < h->n_slots; i++) {
		if (h->slot[i].state == STATE_WAITING)
			http_answer_text(
				&h->slot[i], MHD_HTTP_SERVICE_UNAVAILABLE, NULL);
		resume_client(&h->slot[i]);
	}
	if (h->daemon) {
		MHD_run(h->daemon);
		MHD_stop_daemon(h->daemon);
	}
	free(h->slot);
	free(h);
	return NULL;
}

void http_set_access(struct http *h, const struct http_access *a)
{
	struct addr listens = h->options.access.listens;

	h->options.access = *a;
	h->options.access.listens = listens;
	for_each_slot (h, c) {
		if (is_open(c) &&
			!http_access_allows(&h->options.access, &c->from, &c->to))
			evict_client(c);
	}
	http_go_on(h);
}
