/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The page's server with three clients, which send anything in any pieces: real
 * libmicrohttpd, paths, arguments, and the commands that answer. Each answer with JSON
 * is one whole document; it has "error" if its status is an error, and only then. A
 * request that is put together here from a client, a method, Host fields, a path and
 * arguments gets the status that a model of these rules says, and the words of its
 * arguments arrive at the command as they were. In the end no connection and no request
 * is left, and a further client is served.
 *
 * Clients are socket pairs that are given to the library with the address of a client.
 * Time is part of the input.
 */

#include "control/daemon/app_priv.h"
#include "control/show/json.h"
#include "control/show/show.h"
#include "fuzz.h"
#include "http_library.h"
#include "instances_fixture.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <urcu-qsbr.h>

#define N_CLIENTS 3
#define N_CROWD	  180 /* more than the server takes */
#define VALUE_MAX 300
#define REPLY_MAX (256 << 10)
#define PATIENCE  400 /* rounds */
#define ROUND_MS  5
#define LONG_MS	  100 /* a round in which nothing is expected */

/* ---- the event loop, as the server sees it ---- */

static struct loop_fd *watched;
static mono_t now;

int loop_new(const struct loop_ops *ops, struct loop **ret_loop)
{
	return -ENOTSUP;
}

struct loop *loop_free(struct loop *l)
{
	return NULL;
}

int loop_add(struct loop *l, struct loop_fd *f)
{
	fuzz_assert(!watched);
	watched = f;
	f->loop = l;
	return 0;
}

int loop_change(struct loop_fd *f, uint32_t events)
{
	return 0;
}

void loop_del(struct loop_fd *f)
{
	if (f->loop)
		watched = NULL;
	f->loop = NULL;
}

mono_t loop_now(const struct loop *l)
{
	return now;
}

mono_t loop_system_now(const struct loop *l)
{
	return now;
}

void loop_stop(struct loop *l)
{
}

void loop_hurry(struct loop *l)
{
}

int loop_round(struct loop *l)
{
	return -ENOTSUP;
}

int loop_run(struct loop *l)
{
	return -ENOTSUP;
}

/* The work of a piece takes the same time in each run. */
int __real_clock_gettime(clockid_t clock, struct timespec *ret);
int __wrap_clock_gettime(clockid_t clock, struct timespec *ret);
int __wrap_clock_gettime(clockid_t clock, struct timespec *ret)
{
	static long ns;

	if (clock != CLOCK_THREAD_CPUTIME_ID)
		return __real_clock_gettime(clock, ret);
	ns = (ns + 50000) % 900000000;
	*ret = (struct timespec){.tv_nsec = ns};
	return 0;
}

/* ---- the library ---- */

/* Any free port will do: nobody connects to it. */
int __real_http_new(struct loop *loop, const struct endpoint *at,
	const struct http_options *options, const struct http_ops *ops,
	struct http **ret);
int __wrap_http_new(struct loop *loop, const struct endpoint *at,
	const struct http_options *options, const struct http_ops *ops,
	struct http **ret);
int __wrap_http_new(struct loop *loop, const struct endpoint *at,
	const struct http_options *options, const struct http_ops *ops,
	struct http **ret)
{
	struct endpoint any = {.addr = at->addr};

	return __real_http_new(loop, &any, options, ops, ret);
}

/* ---- the data plane, without frames ---- */

static struct fib *fib;

struct fib *__wrap_dataplane_fib(struct dataplane *dp);
struct fib *__wrap_dataplane_fib(struct dataplane *dp)
{
	return fib;
}

void __wrap_dataplane_port_stats(
	struct dataplane *dp, unsigned port, struct dataplane_port_stats *ret);
void __wrap_dataplane_port_stats(
	struct dataplane *dp, unsigned port, struct dataplane_port_stats *ret)
{
	*ret = (struct dataplane_port_stats){.verdict = {[VERDICT_NO_GROUP] = port}};
}

int __wrap_dataplane_port_error(const struct dataplane *dp, unsigned port);
int __wrap_dataplane_port_error(const struct dataplane *dp, unsigned port)
{
	return port == 2 ? ENETDOWN : 0;
}

const char *__wrap_dataplane_port_transmit(const struct dataplane *dp, unsigned port);
const char *__wrap_dataplane_port_transmit(const struct dataplane *dp, unsigned port)
{
	return "sendmmsg";
}

void __wrap_dataplane_quality_stats(
	struct dataplane *dp, struct quality_watch_stats *ret);
void __wrap_dataplane_quality_stats(
	struct dataplane *dp, struct quality_watch_stats *ret)
{
	*ret = (struct quality_watch_stats){0};
}

void __wrap_dataplane_joined(struct dataplane *dp, const struct addr *group,
	const struct addr *source, struct joined_counts *ret);
void __wrap_dataplane_joined(struct dataplane *dp, const struct addr *group,
	const struct addr *source, struct joined_counts *ret)
{
	*ret = (struct joined_counts){0};
}

void __wrap_dataplane_refusals(struct dataplane *dp, const struct addr *group,
	void (*fn)(void *arg, const struct refusal *r), void *arg);
void __wrap_dataplane_refusals(struct dataplane *dp, const struct addr *group,
	void (*fn)(void *arg, const struct refusal *r), void *arg)
{
}

/* ---- the daemon ---- */

#define LINES                                                                          \
	"web-listen 127.0.0.1:8080\nweb-allow 10.0.1.0/24\nweb-allow 2001:db8::/64\n"  \
	"phyint wan upstream\nphyint lan1 downstream\nphyint lan2 downstream\n"

static struct app app;
static struct instances_fixture net;
static struct config *with_names, *without_names, *elsewhere;
static bool is_echo;

/* Says which words have arrived, or explains. */
static json_t *cmd_explain(void *ctx, const char *args, struct ctl_answer **ret)
{
	if (is_echo)
		return json_pack("{so}", "words", json_of_text(args));
	return show_explain(ctx, args, ret);
}

static json_t *cmd_plain(void *ctx, const char *args)
{
	return json_pack("{sb}", "ok", 1);
}

static json_t *cmd_version(void *ctx, const char *args)
{
	return json_pack("{ss}", "name", "ringcastd");
}

/* "health" and "show stats" take no words, and need the threads. */
const struct ctl_command app_commands[] = {
	{"show interfaces", .answer = show_interfaces},
	{"show groups", .answer = show_groups},
	{"show mfc", .answer = show_mfc},
	{"show top", .answer = show_top},
	{"show upstream", .answer = show_upstream},
	{"show quality", .answer = show_quality},
	{"show zaps", .answer = show_zaps},
	{"show stats", cmd_plain},
	{"explain", .answer = cmd_explain},
	{"version", cmd_version},
	{"health", cmd_plain},
	{NULL, NULL},
};

static void add_group(const char *group, const char *from, const char *source)
{
	struct portset out = {{0}};
	struct addr g = a(group);
	struct addr s = source ? a(source) : addr_any(addr_family(&g));

	fuzz_assert(fixture_report(&net, "lan1", GM_V3, from,
			    source ? GM_ALLOW : GM_TO_EX, group, source) == GM_OK);
	portset_add(&out, fixture_port(&net, "lan1")->port);
	fuzz_assert(fib_set(fib, fixture_port(&net, "lan1")->proxy->instance, &s, &g,
			    &out) == 0);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static const char names[] = "group,name\n239.1.2.3,</script>\"\\ \303\244\n";

	setenv("CMOCKA_TEST_ABORT", "1", 1);
	rcu_register_thread();
	fixture_start(&net);
	fixture_iface(&net, 1, "wan", "10.0.0");
	fixture_iface(&net, 2, "lan1", "10.0.1");
	fixture_iface(&net, 3, "lan2", "10.0.2");
	fixture_configure(&net, LINES);
	with_names = fixture_parse(LINES);
	without_names = fixture_parse("web-names off\n" LINES);
	elsewhere = fixture_parse("web-listen 127.0.0.2:8080\nphyint wan upstream\n");
	fuzz_assert(fib_new(1, 5, &fib) == 0);
	add_group("239.1.2.3", "10.0.1.2", NULL);
	add_group("232.1.2.3", "10.0.1.3", "192.0.2.1");
	add_group("ff3e::1", "fe80::9", "2001:db8::9");
	fuzz_assert(channels_parse(names, strlen(names), &app.channels) == 0);
	app.instances = net.instances;
	app.ifaces = net.ifaces;
	app.cfg = with_names;
	app.loop = (struct loop *)(void *)&watched;
	app.options.config_path = "ringcast.conf";
	now = net.now;
	fuzz_assert(app_quality_new(&app, 3) == 0);
	return 0;
}

static void begin_server(bool names)
{
	app.cfg = names ? with_names : without_names;
	app_http_start(&app);
	fuzz_assert(app.web_listener.http);
	http_go_on(app.web_listener.http);
}

static void serve(void)
{
	now = mono_add_ms(now, ROUND_MS);
	if (watched)
		watched->fn(watched, EPOLLIN);
	app_web_tick(&app, now);
}

static struct http_stats stats(void)
{
	struct http_stats s = {0};

	http_stats(app.web_listener.http, &s);
	return s;
}

/* ---- clients ---- */

static const struct from {
	const char *text;
	bool allowed;
} addresses[] = {
	{"127.0.0.1", true},
	{"10.0.1.2", true},
	{"10.0.2.2", false},
	{"::1", true},
	{"2001:db8::9", true},
	{"2001:db8:1::9", false},
};

struct fuzz_client {
	int fd; /* -1 if it is free */
	const struct from *from;
	bool whole;	   /* it has sent one request: an answer must come */
	unsigned expected; /* its status; 0 means unknown */
	bool stream;	   /* it is a stream of events */
	bool head;
	bool cut;      /* the server has ended meanwhile */
	json_t *words; /* that must arrive; NULL means unknown */
	char reply[REPLY_MAX];
	size_t n;
};

static struct fuzz_client client[N_CLIENTS];
static int crowd[N_CROWD];

static int connect_from(const char *text)
{
	struct sockaddr_in6 sin6 = {.sin6_family = AF_INET6, .sin6_port = htons(4000)};
	struct sockaddr_in sin = {.sin_family = AF_INET, .sin_port = htons(4000)};
	bool v6 = strchr(text, ':');
	int fd[2];

	fuzz_assert(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0,
			    fd) == 0);
	fuzz_assert(inet_pton(v6 ? AF_INET6 : AF_INET, text,
			    v6 ? (void *)&sin6.sin6_addr : &sin.sin_addr) == 1);
	/* it closes the socket if it has no room */
	(void)MHD_add_connection(library, fd[0],
		v6 ? (struct sockaddr *)&sin6 : (struct sockaddr *)&sin,
		v6 ? sizeof(sin6) : sizeof(sin));
	return fd[1];
}

static void disconnect(struct fuzz_client *c)
{
	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
	json_decref(c->words);
	c->words = NULL;
}

static void connect_client(struct fuzz_client *c, unsigned from)
{
	disconnect(c);
	c->from = &addresses[from % array_len(addresses)];
	c->fd = connect_from(c->from->text);
	c->expected = 0;
	c->whole = c->stream = c->head = c->cut = false;
	c->n = 0;
	*c->reply = '\0';
}

/* Returns false if the server has closed. */
static bool hear(struct fuzz_client *c)
{
	ssize_t n;

	do {
		n = recv(c->fd, c->reply + c->n, REPLY_MAX - 1 - c->n, 0);
		if (n > 0)
			c->n += (size_t)n;
		fuzz_assert(c->n < REPLY_MAX - 1);
	} while (n > 0);
	c->reply[c->n] = '\0';
	return n < 0 && (errno == EAGAIN || errno == EINTR);
}

static void say(struct fuzz_client *c, const void *p, size_t n)
{
	if (c->fd >= 0)
		(void)send(c->fd, p, n, MSG_NOSIGNAL);
}

/* ---- answers ---- */

static void check_json(const struct fuzz_client *c, unsigned status, const char *body)
{
	json_t *j = json_loads(body, JSON_REJECT_DUPLICATES, NULL);

	fuzz_assert(json_is_object(j));
	fuzz_assert(json_is_string(json_object_get(j, "error")) == (status != 200));
	if (c->words)
		fuzz_assert(json_equal(json_object_get(j, "words"), c->words));
	json_decref(j);
}

static bool is_known(unsigned status)
{
	for (unsigned i = 0; i < HTTP_CODES; i++)
		if (http_code[i] == status)
			return true;
	return false;
}

/* What has come, until the connection has ended or longer. */
static void check_reply(struct fuzz_client *c, bool ended)
{
	char *at = c->reply, *body, *length;
	unsigned status;

	while (strncmp(at, "HTTP/1.1 100 ", 13) == 0 && strstr(at, "\r\n\r\n"))
		at = strstr(at, "\r\n\r\n") + 4;
	body = strstr(at, "\r\n\r\n");
	if (!body)
		return;
	body += 4;
	fuzz_assert(sscanf(at, "HTTP/1.%*1[01] %3u ", &status) == 1);
	length = strstr(at, "\r\nContent-Length: ");
	fuzz_assert(status != 200 || c->from->allowed);
	fuzz_assert(!c->expected || status == c->expected);
	fuzz_assert(!c->whole || is_known(status));
	/* the library's own errors are not checked: 0.9.75 sends the head of 413
	 * twice */
	if (!strstr(at, "\r\nX-Content-Type-Options: nosniff") && !c->whole)
		return;
	if (!length || length > body || !ended || c->cut)
		return;
	if (!*body && (c->head || !c->whole)) /* perhaps the answer to HEAD */
		return;
	if (strlen(body) < strtoul(length + 18, NULL, 10) && stats().n_evicted > 0)
		return;
	fuzz_assert(strlen(body) == strtoul(length + 18, NULL, 10));
	length = strstr(at, "\r\nContent-Type: application/json");
	if (length && length < body)
		check_json(c, status, body);
}

/* Waits for the answer to a whole request. */
static void finish(struct fuzz_client *c)
{
	bool open = true;

	if (c->fd < 0)
		return;
	for (unsigned i = 0; i < PATIENCE && c->whole && open; i++) {
		if (i > 20)
			now = mono_add_ms(now, LONG_MS);
		serve();
		open = hear(c);
		if (c->stream && strstr(c->reply, "data: "))
			break;
	}
	if (c->whole && c->n == 0)
		fuzz_assert(stats().n_evicted > 0);
	open = open && hear(c);
	fuzz_assert(!c->whole || c->stream || !open);
	check_reply(c, !open);
	disconnect(c);
}

/* ---- requests that are put together ---- */

static const char *const methods[] = {
	"GET", "GET", "GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"};

static const struct {
	const char *fields;
	unsigned status; /* 0 means that it is accepted */
	bool none;	 /* HTTP/1.0 does not need one */
} hosts[] = {
	{"Host: localhost\r\n", 0},
	{"hOST:127.0.0.1:8080\r\n", 0},
	{"Host: [::1]\r\n", 0},
	{"Host: 192.0.2.77\r\n", 0},
	{"Host: router.lan:80\r\n", 0},
	{"Host: attacker.example\r\n", 403},
	{"Host: 127.0.0.1.attacker.example:80\r\n", 403},
	{"Host: localhost:80.attacker.example\r\n", 400},
	{"Host: localhost\r\nHost: localhost\r\n", 400},
	{"Host: localhost\r\nhost: attacker.example\r\n", 400},
	{"Accept: text/html\r\n", 400, true},
	{"Host:\r\n", 400},
	{"X-Forwarded-Host: localhost\r\nHost: attacker.example\r\n", 403},
};

enum kind {
	KIND_NONE,   /* there is no such path */
	KIND_TEXT,   /* a file, or JSON without arguments */
	KIND_STREAM, /* of events */
	KIND_ROUTE,  /* a command */
	KIND_NAMED,  /* a command that web-names off refuses */
};

static const struct {
	const char *path;
	enum kind kind;
} paths[] = {
	{"/api/v1/explain", KIND_NAMED},
	{"/api/v1/top", KIND_ROUTE},
	{"/api/v1/mfc", KIND_ROUTE},
	{"/api/v1/groups", KIND_ROUTE},
	{"/api/v1/upstream", KIND_ROUTE},
	{"/api/v1/quality", KIND_ROUTE},
	{"/api/v1/interfaces", KIND_NAMED},
	{"/api/v1/stats", KIND_NAMED},
	{"/api/v1/health", KIND_NAMED},
	{"/api/v1/version", KIND_ROUTE},
	{"/api/v1/zaps", KIND_ROUTE},
	{"/api/v1/history", KIND_ROUTE},
	{"/api/v1/", KIND_TEXT},
	{"/api/v1/day", KIND_TEXT},
	{"/api/v1/events", KIND_STREAM},
	{"/", KIND_TEXT},
	{"/%70age.js", KIND_TEXT},
	{"/plain", KIND_ROUTE},
	{"/api/v1/none", KIND_NONE},
	{"/api/v1/clear%20group", KIND_NONE},
	{"/api/v1/top/", KIND_NONE},
	{"/index.html", KIND_NONE},
	{"/../page.js", KIND_NONE},
	{"//page.js", KIND_NONE},
};

/* Their names, and the word that is before the value in the command. */
static const char *const arguments[][2] = {
	{"group", " "}, {"source", " "}, {"from", " from "}, {"on", " on "}};
static const char *const others[] = {
	"sort", "offset", "limit", "filter", "since", "blocks", "Group", "x"};

/* A byte of the input each, so that the target knows what must arrive. */
static size_t put_value(char *out, const uint8_t *p, size_t n)
{
	char *o = out;

	for (size_t i = 0; i < n; i++)
		if ((p[i] >= '0' && p[i] <= '9') || (p[i] >= 'a' && p[i] <= 'z') ||
			p[i] == '.')
			*o++ = (char)p[i];
		else
			o += sprintf(o, "%%%02X", p[i]);
	return (size_t)(o - out);
}

/* Is it refused before it gets to the command? The value ends at the first zero. */
static bool is_refused(const char *value)
{
	for (const char *s = value; *s; s++)
		if ((unsigned char)*s <= 0x20 || *s == 0x7f)
			return true;
	return !*value;
}

struct query {
	char text[16 * VALUE_MAX];
	size_t n;
	char words[6 * VALUE_MAX];
	bool refused;
};

static void add(struct query *q, struct rd *r, const char *name, const char *before)
{
	size_t n = rd_u8(r) + (size_t)fuzz_below(r, 45);
	char value[VALUE_MAX + 1] = "";

	n = n < rd_left(r) ? n : rd_left(r);
	if (n)
		memcpy(value, r->p, n);
	q->n += (size_t)sprintf(q->text + q->n, "%c%s=", q->n ? '&' : '?', name);
	q->n += put_value(q->text + q->n, rd_take(r, n), n);
	if (!before)
		return;
	strcat(q->words, *q->words ? before : before + 1);
	strcat(q->words, value);
	q->refused |= is_refused(value);
}

/* The arguments of "explain", whose words are compared, or any others. */
static void make_query(struct rd *r, struct query *q, bool explain)
{
	unsigned which = rd_u8(r);

	if (explain) {
		for (unsigned i = 0; i < array_len(arguments); i++)
			if (which >> i & 1)
				add(q, r, arguments[i][0], arguments[i][1]);
		return;
	}
	for (unsigned i = 0; i < array_len(others) && q->n < 8 * VALUE_MAX; i++)
		if (which >> i & 1)
			add(q, r, others[i], NULL);
}

/* 0 if the command decides. */
static unsigned expected_status(const struct fuzz_client *c, unsigned host,
	unsigned method, bool old, enum kind kind)
{
	if (!c->from->allowed)
		return 403;
	if (hosts[host].status && !(old && hosts[host].none))
		return hosts[host].status;
	if (method > 3)
		return 405;
	if (kind == KIND_NONE)
		return 404;
	if (kind == KIND_NAMED && !app.cfg->web_names)
		return 403;
	if (kind == KIND_ROUTE || kind == KIND_NAMED)
		return 0;
	return 200;
}

static void ask(struct fuzz_client *c, struct rd *r)
{
	unsigned how = rd_u8(r), method = how % array_len(methods);
	unsigned host = fuzz_below(r, array_len(hosts));
	unsigned path = fuzz_below(r, array_len(paths));
	bool old = how & 64, explain = path == 0;
	struct query q = {.n = 0};
	char head[128 + sizeof(q.text)];
	size_t n, piece = 1 + rd_u8(r) * 4u;

	connect_client(c, how >> 3 & 7);
	make_query(r, &q, explain);
	n = (size_t)snprintf(head, sizeof(head), "%s %s%s HTTP/1.%d\r\n%s\r\n",
		methods[method], paths[path].path, q.text, !old, hosts[host].fields);
	c->whole = true;
	c->expected = expected_status(c, host, method, old, paths[path].kind);
	c->head = method == 3;
	c->stream = c->expected == 200 && paths[path].kind == KIND_STREAM && !c->head;
	if (explain && c->expected == 0) {
		bool refused = q.refused ||
			strlen("explain ") + strlen(q.words) >= HTTP_SHARE_KEY;

		c->expected = refused ? 400 : is_echo && *q.words ? 200 : 0;
		c->words = refused || !is_echo ? NULL : json_of_text(q.words);
	}
	for (size_t i = 0; i < n; i += piece) {
		say(c, head + i, n - i < piece ? n - i : piece);
		serve();
	}
	if (how & 128)
		finish(c);
}

/* ---- inputs ---- */

/* Many clients of one address, or of two, that send a part of a request or nothing. */
static void gather(struct rd *r)
{
	unsigned n = fuzz_below(r, N_CROWD), how = rd_u8(r);

	for (unsigned i = 0; i < n; i++) {
		if (crowd[i] >= 0)
			close(crowd[i]);
		crowd[i] = connect_from(i % 2 && how & 1 ? "10.0.1.3" : "10.0.1.4");
		if (how & 2)
			(void)send(crowd[i], "GET /api/v1/top", how >> 4, MSG_NOSIGNAL);
		if (how & 4)
			serve();
	}
}

static void disperse(void)
{
	for (unsigned i = 0; i < N_CROWD; i++) {
		if (crowd[i] >= 0)
			close(crowd[i]);
		crowd[i] = -1;
	}
}

static void happen(struct rd *r)
{
	char name[IFNAMSIZ] = "";
	unsigned how = rd_u8(r);

	for (unsigned i = 0; i < how % IFNAMSIZ; i++)
		name[i] = (char)rd_u8(r);
	app_web_event(&app, "event",
		&(struct log_about){.interface = how & 16 ? name : NULL,
			.group = how & 32  ? "239.1.2.3"
				: how & 64 ? name
					   : NULL,
			.host = how & 128 ? "10.0.1.2" : NULL},
		"something has happened");
	app_web_stir(&app, now);
}

/* As by a reload of the configuration: the server stays, or moves and tells those that
 * wait to come again. */
static void restart(bool moves)
{
	for (unsigned i = 0; i < N_CLIENTS; i++) {
		client[i].whole = false;
		client[i].expected = 0;
		client[i].cut = true;
	}
	app_web_reload(&app, moves ? elsewhere : app.cfg);
	fuzz_assert(app.web_listener.http);
	http_go_on(app.web_listener.http);
}

static void step(struct rd *r)
{
	unsigned op = rd_u8(r), arg = op >> 4;
	struct fuzz_client *c = &client[arg % N_CLIENTS];
	size_t n;

	switch (op % 16) {
	case 0:
	case 1:
		for (unsigned i = 0; i <= arg; i++)
			serve();
		break;
	case 2:
		finish(c);
		break;
	case 3:
		happen(r);
		break;
	case 4:
		now = mono_add_ms(now, 1 << arg);
		break;
	case 5:
		gather(r);
		break;
	case 6:
		if (arg & 1)
			disperse();
		else
			restart(arg & 2);
		break;
	case 7:
		/* the library may take this for the end of the connection */
		c->whole = false;
		if (c->fd >= 0)
			shutdown(c->fd, SHUT_WR);
		break;
	case 8:
	case 9:
	case 10:
		if (c->fd < 0)
			connect_client(c, arg / N_CLIENTS);
		n = rd_u8(r);
		n = n < rd_left(r) ? n : rd_left(r);
		say(c, rd_take(r, n), n);
		break;
	default:
		ask(c, r);
		break;
	}
}

/* Nothing is left of what clients have done, and the next one is served. */
static void check_end(void)
{
	static const char last[] =
		"GET /api/v1/version HTTP/1.1\r\nHost: localhost\r\n\r\n";

	for (unsigned i = 0; i < 400 && stats().n_connections > 0; i++) {
		now = mono_add_ms(now, LONG_MS);
		serve();
	}
	fuzz_assert(stats().n_connections == 0);
	fuzz_assert(http_n_streams(app.web_listener.http) == 0);
	for (unsigned i = 0; i < HTTP_MAX_CONNECTIONS; i++)
		fuzz_assert(!app.web_listener.share.waiting[i].q);
	connect_client(&client[0], 0);
	client[0].whole = true;
	client[0].expected = 200;
	say(&client[0], last, strlen(last));
	finish(&client[0]);
	fuzz_assert(strstr(client[0].reply, "{\"name\":\"ringcastd\"}"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rd r = rd_init(data, size);
	unsigned how = rd_u8(&r);

	now = mono_from_ms(1000000);
	is_echo = how & 2;
	for (unsigned i = 0; i < N_CROWD; i++)
		crowd[i] = -1;
	for (unsigned i = 0; i < N_CLIENTS; i++)
		client[i].fd = -1;
	begin_server(how & 1);
	while (fuzz_more(&r))
		step(&r);
	for (unsigned i = 0; i < N_CLIENTS; i++)
		finish(&client[i]);
	disperse();
	check_end();
	app_http_stop(&app);
	fuzz_assert(!watched);
	return 0;
}
