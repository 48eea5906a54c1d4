/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * HTTP server of metrics-listen, see http.h. libmicrohttpd handles the protocol without
 * its own thread: its epoll descriptor is in our loop, and MHD_run() handles what is
 * ready.
 *
 * A connection is suspended while it waits for a body. The library ends idle
 * connections, but a client that sends a byte now and then is not idle. So the life of
 * each connection is bounded here: its socket is shut down, and the library finds it
 * closed.
 */

#include "control/sys/http.h"

#include "build_config.h"

#include <assert.h>
#include <errno.h>

const unsigned http_code[HTTP_CODES] = {200, 400, 403, 404, 405, 503};

#if HAVE_LIBMICROHTTPD

#include "base/cleanup.h"

#include <microhttpd.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

/* evicted ones remain until the library has noticed */
#define N_SLOTS	  (HTTP_MAX_CONNECTIONS + 8)
#define POOL_SIZE 16384 /* bytes of request headers, about */
#define BACKLOG	  16

enum state {
	STATE_FREE,
	STATE_REQUEST, /* the request is not complete */
	STATE_WAITING, /* for a body; suspended */
	STATE_ANSWER,
	STATE_EVICTED,
};

struct connection {
	enum state state;
	struct http *http;
	struct MHD_Connection *mhd;
	struct addr from;
	uint64_t number; /* in the order of arrival */
	mono_t until;
	bool begun; /* the handler has seen it once */
	enum metrics_format format;
	bool no_body;
};

struct http {
	struct loop_fd fd; /* epoll of the library */
	struct loop *loop;
	struct http_ops ops;
	struct MHD_Daemon *daemon;
	mono_t run_at; /* MONO_NEVER if the library only waits for its sockets */
	struct addr listens;
	bool loopback; /* it listens only for this system */
	uint64_t n_accepted;
	struct connection connection[N_SLOTS];
	enum metrics_format asked; /* 0 if no body is being made */
	bool stopping;
	struct {
		struct MHD_Response *response;
		mono_t until;
	} body[_METRICS_FORMAT_N];
	struct http_stats stats;
};

bool http_supported(void)
{
	return true;
}

/* ---- the library's turn ---- */

static void http_run(struct http *h)
{
	MHD_UNSIGNED_LONG_LONG ms;

	MHD_run(h->daemon);
	h->run_at = MONO_NEVER;
	if (MHD_get_timeout(h->daemon, &ms) == MHD_YES)
		h->run_at = mono_add_ms(loop_now(h->loop), (int64_t)ms);
}

static void on_event(struct loop_fd *f, uint32_t events)
{
	http_run(container_of(f, struct http, fd));
}

/* ---- answers ---- */

static void count(struct http *h, unsigned code)
{
	for (unsigned i = 0; i < HTTP_CODES; i++)
		h->stats.n_answers[i] += http_code[i] == code;
}

static enum MHD_Result send_response(
	struct connection *c, unsigned code, struct MHD_Response *response)
{
	c->state = STATE_ANSWER;
	count(c->http, code);
	return MHD_queue_response(c->mhd, code, response);
}

/* takes the text, malloc'ed; NULL means an empty one */
static enum MHD_Result send_text(struct connection *c, unsigned code, char *text)
{
	struct MHD_Response *r = MHD_create_response_from_buffer(
		text ? strlen(text) : 0, text, MHD_RESPMEM_MUST_FREE);
	enum MHD_Result ok;

	if (!r) {
		free(text);
		return MHD_NO;
	}
	MHD_add_response_header(r, "Content-Type", "text/plain; charset=utf-8");
	MHD_add_response_header(r, "Connection", "close");
	if (code == MHD_HTTP_METHOD_NOT_ALLOWED)
		MHD_add_response_header(r, "Allow", "GET, HEAD");
	ok = send_response(c, code, r);
	MHD_destroy_response(r);
	return ok;
}

static enum MHD_Result send_health(struct connection *c)
{
	struct http *h = c->http;
	static const char key[] = "allow-down";
	bool allow_down = MHD_lookup_connection_value_n(c->mhd, MHD_GET_ARGUMENT_KIND,
				  key, strlen(key), NULL, NULL) == MHD_YES;
	char *text = NULL;
	bool ok = h->ops.healthy(h->ops.ctx, allow_down, &text);

	return send_text(c, ok ? MHD_HTTP_OK : MHD_HTTP_SERVICE_UNAVAILABLE, text);
}

static void ask(struct http *h, enum metrics_format format)
{
	if (h->asked)
		return; /* once that one is done */
	h->asked = format;
	h->ops.metrics(h->ops.ctx, format);
}

static enum MHD_Result send_metrics(struct connection *c)
{
	struct http *h = c->http;

	if (c->state == STATE_WAITING) {
		if (c->no_body)
			return send_text(c, MHD_HTTP_SERVICE_UNAVAILABLE,
				strdup("out of memory\n"));
		return send_response(c, MHD_HTTP_OK, h->body[c->format].response);
	}
	c->format = metrics_negotiate(
		MHD_lookup_connection_value(c->mhd, MHD_HEADER_KIND, "Accept"));
	if (h->body[c->format].response &&
		!mono_due(h->body[c->format].until, loop_now(h->loop)))
		return send_response(c, MHD_HTTP_OK, h->body[c->format].response);
	if (h->stopping)
		return send_text(c, MHD_HTTP_SERVICE_UNAVAILABLE, NULL);
	c->state = STATE_WAITING;
	MHD_suspend_connection(c->mhd);
	ask(h, c->format);
	return MHD_YES;
}

static struct connection *connection_of(struct MHD_Connection *mhd)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	return info ? info->socket_context : NULL;
}

struct host_fields {
	unsigned n;
	bool blank; /* between name and colon, which other programs interpret
		     * differently */
	const char *value;
};

static enum MHD_Result note_host(
	void *cls, enum MHD_ValueKind kind, const char *name, const char *value)
{
	static const char host[] = "Host";
	struct host_fields *f = cls;
	size_t len = sizeof(host) - 1;

	if (strncasecmp(name, host, len) != 0 ||
		name[len + strspn(name + len, " \t")] != '\0')
		return MHD_YES;
	f->n++;
	f->blank |= name[len] != '\0';
	f->value = value ? value : "";
	return MHD_YES;
}

/* RFC 9112 3.2: one Host field, which only HTTP/1.0 may omit. A page whose name
 * resolves to the loopback address (DNS rebinding) sends its own name, so names are
 * checked there. Other addresses may have names, and others can connect anyway. Returns
 * NULL, or what is wrong, with the status. */
static const char *refusal_of_host(
	const struct connection *c, const char *version, unsigned *ret_code)
{
	struct host_fields f = {0};
	enum endpoint_host whose;

	MHD_get_connection_values(c->mhd, MHD_HEADER_KIND, note_host, &f);
	if (f.n == 0 && strcmp(version, MHD_HTTP_VERSION_1_0) == 0)
		return NULL;
	*ret_code = MHD_HTTP_BAD_REQUEST;
	if (f.n != 1 || f.blank)
		return "a request has one line 'Host: NAME' or 'Host: NAME:PORT'; write it "
		       "once, with the colon right after Host\n";
	whose = endpoint_host(f.value, &c->http->listens);
	if (whose == ENDPOINT_HOST_INVALID)
		return "the Host line is neither NAME nor NAME:PORT; write a name or an "
		       "address (IPv6 in brackets), and a port of digits alone\n";
	if (whose == ENDPOINT_HOST_OURS || !c->http->loopback)
		return NULL;
	*ret_code = MHD_HTTP_FORBIDDEN;
	return "the name in the address does not belong to this system: use localhost "
	       "or 127.0.0.1, or let metrics-listen name another address\n";
}

/* Otherwise we would wait for the end of the body, which may never come. */
static bool has_large_body(const struct connection *c)
{
	const char *length =
		MHD_lookup_connection_value(c->mhd, MHD_HEADER_KIND, "Content-Length");

	return MHD_lookup_connection_value(
		       c->mhd, MHD_HEADER_KIND, "Transfer-Encoding") ||
		(length && strtoull(length, NULL, 10) > HTTP_MAX_BODY);
}

/* The library calls this when the headers are there, and again when the rest is. */
static enum MHD_Result handle(void *cls, struct MHD_Connection *mhd, const char *url,
	const char *method, const char *version, const char *data, size_t *n_data,
	void **state)
{
	struct connection *c = connection_of(mhd);
	const char *refusal;
	unsigned code;

	if (!c)
		return MHD_NO;
	refusal = refusal_of_host(c, version, &code);
	if (refusal)
		return send_text(c, code, strdup(refusal));
	if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0)
		return send_text(c, MHD_HTTP_METHOD_NOT_ALLOWED,
			strdup("only GET and HEAD are supported\n"));
	if (has_large_body(c))
		return send_text(c, MHD_HTTP_BAD_REQUEST,
			strdup("a body is not accepted here\n"));
	if (!c->begun) {
		c->begun = true;
		return MHD_YES;
	}
	if (*n_data > 0) { /* a body with GET means nothing */
		*n_data = 0;
		return MHD_YES;
	}
	if (strcmp(url, "/metrics") == 0)
		return send_metrics(c);
	if (strcmp(url, "/healthz") == 0)
		return send_health(c);
	return send_text(c, MHD_HTTP_NOT_FOUND,
		strdup("there is no such page; ask for /metrics or /healthz\n"));
}

/* ---- bodies ---- */

static enum metrics_format wanted(const struct http *h)
{
	for (unsigned i = 0; i < N_SLOTS; i++)
		if (h->connection[i].state == STATE_WAITING)
			return h->connection[i].format;
	return 0;
}

/* Takes the body. Returns NULL if memory is short even for the headers, because a reply
 * without them would be misunderstood. */
static struct MHD_Response *body_response(
	enum metrics_format format, char *body, size_t len)
{
	struct MHD_Response *r =
		MHD_create_response_from_buffer(len, body, MHD_RESPMEM_MUST_FREE);

	if (!r) {
		free(body);
		return NULL;
	}
	if (MHD_add_response_header(r, "Content-Type", metrics_content_type(format)) ==
			MHD_YES &&
		MHD_add_response_header(r, "Connection", "close") == MHD_YES)
		return r;
	MHD_destroy_response(r);
	return NULL;
}

void http_metrics(struct http *h, enum metrics_format format, char *body, size_t len,
	mono_t fresh_until)
{
	struct MHD_Response *r = body ? body_response(format, body, len) : NULL;

	if (h->body[format].response)
		MHD_destroy_response(h->body[format].response);
	h->body[format].response = r;
	h->body[format].until = fresh_until;
	for (unsigned i = 0; i < N_SLOTS; i++) {
		struct connection *c = &h->connection[i];

		if (c->state != STATE_WAITING || c->format != format)
			continue;
		c->no_body = r == NULL;
		MHD_resume_connection(c->mhd);
	}
	h->asked = 0;
	http_run(h);
	if (wanted(h))
		ask(h, wanted(h));
}

void http_forget(struct http *h)
{
	for (unsigned i = 0; i < _METRICS_FORMAT_N; i++)
		h->body[i].until = MONO_UNSET;
}

/* ---- connections ---- */

static void evict(struct connection *c)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(c->mhd, MHD_CONNECTION_INFO_CONNECTION_FD);

	if (info)
		shutdown(info->connect_fd, SHUT_RDWR);
	if (c->state == STATE_WAITING) /* it notices when it is resumed */
		c->until = MONO_NEVER;
	else
		c->state = STATE_EVICTED;
	c->http->stats.n_evicted++;
}

static bool is_open(const struct connection *c)
{
	return c->state != STATE_FREE && c->state != STATE_EVICTED;
}

/* The connection to evict: the oldest one that is still sending its request, else the
 * oldest one that gets its answer. There must be at least one. */
static struct connection *oldest(struct http *h, const struct addr *from)
{
	struct connection *found = NULL;

	for (unsigned i = 0; i < N_SLOTS; i++) {
		struct connection *c = &h->connection[i];

		if (!is_open(c) || (from && !addr_eq(from, &c->from)))
			continue;
		if (!found || c->state < found->state ||
			(c->state == found->state && c->number < found->number))
			found = c;
	}
	assert(found);
	return found;
}

static unsigned n_open(const struct http *h, const struct addr *from)
{
	unsigned n = 0;

	for (unsigned i = 0; i < N_SLOTS; i++)
		n += is_open(&h->connection[i]) &&
			(!from || addr_eq(from, &h->connection[i].from));
	return n;
}

static struct addr peer_of(struct MHD_Connection *mhd)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	struct addr from = {{0}};

	if (info && info->client_addr->sa_family == AF_INET)
		from = addr_from_v4(
			&((struct sockaddr_in *)(void *)info->client_addr)->sin_addr);
	else if (info && info->client_addr->sa_family == AF_INET6)
		memcpy(from.b,
			&((struct sockaddr_in6 *)(void *)info->client_addr)->sin6_addr,
			sizeof(from.b));
	return from;
}

static void connected(struct http *h, struct MHD_Connection *mhd, void **context)
{
	struct addr from = peer_of(mhd);
	struct connection *c = h->connection;

	if (n_open(h, &from) >= HTTP_MAX_PER_ADDRESS)
		evict(oldest(h, &from));
	else if (n_open(h, NULL) >= HTTP_MAX_CONNECTIONS)
		evict(oldest(h, NULL));
	while (c < h->connection + N_SLOTS && c->state != STATE_FREE)
		c++;
	if (c == h->connection + N_SLOTS)
		return; /* impossible while the library enforces its limit */
	*c = (struct connection){
		.state = STATE_REQUEST,
		.http = h,
		.mhd = mhd,
		.from = from,
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
	struct connection *c = *context;

	if (code == MHD_CONNECTION_NOTIFY_STARTED) {
		connected(h, mhd, context);
	} else if (c) {
		c->state = STATE_FREE;
		h->stats.n_connections--;
	}
}

mono_t http_deadline(const struct http *h)
{
	mono_t at;

	if (!h)
		return MONO_NEVER;
	at = h->run_at;
	for (unsigned i = 0; i < N_SLOTS; i++)
		if (is_open(&h->connection[i]))
			at = mono_min(at, h->connection[i].until);
	return at;
}

void http_tick(struct http *h, mono_t now)
{
	if (!mono_due(http_deadline(h), now))
		return;
	for (unsigned i = 0; i < N_SLOTS; i++)
		if (is_open(&h->connection[i]) && mono_due(h->connection[i].until, now))
			evict(&h->connection[i]);
	http_run(h);
}

void http_stats(const struct http *h, struct http_stats *ret)
{
	*ret = h ? h->stats : (struct http_stats){0};
}

/* ---- life ---- */

static int set_int(int fd, int level, int option, int value)
{
	return setsockopt(fd, level, option, &value, sizeof(value)) < 0 ? -errno : 0;
}

static int bind_v4(int fd, const struct endpoint *at)
{
	struct sockaddr_in sin = {.sin_family = AF_INET, .sin_port = htons(at->port)};

	memcpy(&sin.sin_addr, addr_v4_bytes(&at->addr), 4);
	/* the address may come later; without this it would have to exist */
	(void)set_int(fd, IPPROTO_IP, IP_FREEBIND, 1);
	return bind(fd, (struct sockaddr *)&sin, sizeof(sin)) < 0 ? -errno : 0;
}

static int bind_v6(int fd, const struct endpoint *at)
{
	struct sockaddr_in6 sin = {
		.sin6_family = AF_INET6, .sin6_port = htons(at->port)};

	memcpy(&sin.sin6_addr, at->addr.b, 16);
	(void)set_int(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0); /* [::] is everything */
	(void)set_int(fd, IPPROTO_IP, IP_FREEBIND, 1);
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
	r = set_int(fd, SOL_SOCKET, SO_REUSEADDR, 1);
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
		MHD_OPTION_CONNECTION_LIMIT, (unsigned)N_SLOTS,
		MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)HTTP_IDLE_S,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)POOL_SIZE,
		MHD_OPTION_NOTIFY_CONNECTION, on_connection, h, MHD_OPTION_END);
	if (!h->daemon) {
		closep(&fd);
		return -ENOMEM;
	}
	info = MHD_get_daemon_info(h->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	if (!info || info->epoll_fd < 0)
		return -ENOTSUP;
	h->fd.fd = info->epoll_fd;
	return loop_add(h->loop, &h->fd, EPOLLIN);
}

int http_new(struct loop *loop, const struct endpoint *at, const struct http_ops *ops,
	struct http **ret_http)
{
	struct http *h = calloc(1, sizeof(*h));
	int fd, r;

	if (!h)
		return -ENOMEM;
	h->loop = loop;
	h->ops = *ops;
	h->listens = at->addr;
	h->loopback = addr_is_loopback(&at->addr);
	h->fd.fn = on_event;
	h->run_at = MONO_NEVER;
	fd = inherit_at(at);
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
	for (unsigned i = 0; i < N_SLOTS; i++)
		if (h->connection[i].state == STATE_WAITING) {
			h->connection[i].no_body = true;
			MHD_resume_connection(h->connection[i].mhd);
		}
	if (h->daemon) {
		MHD_run(h->daemon);
		MHD_stop_daemon(h->daemon);
	}
	for (unsigned i = 0; i < _METRICS_FORMAT_N; i++)
		if (h->body[i].response)
			MHD_destroy_response(h->body[i].response);
	free(h);
	return NULL;
}

#else

bool http_supported(void)
{
	return false;
}

int http_new(struct loop *loop, const struct endpoint *at, const struct http_ops *ops,
	struct http **ret_http)
{
	return -EOPNOTSUPP;
}

struct http *http_free(struct http *h)
{
	return NULL;
}

void http_metrics(struct http *h, enum metrics_format format, char *body, size_t len,
	mono_t fresh_until)
{
}

void http_forget(struct http *h)
{
}

mono_t http_deadline(const struct http *h)
{
	return MONO_NEVER;
}

void http_tick(struct http *h, mono_t now)
{
}

void http_stats(const struct http *h, struct http_stats *ret)
{
	*ret = (struct http_stats){0};
}

#endif
