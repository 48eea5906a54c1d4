/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The page of web-listen: its files, the JSON behind it (/api/v1/, the answers of the
 * control socket), and a stream of events that tells open pages when to ask again. It
 * changes nothing. An answer is made once for all clients that ask, one piece in each
 * round of the loop. After each answer the page rests for REST_FACTOR times its cost.
 * So neither many pages nor strange questions take more than a quarter of the control
 * thread, and a packet waits for one piece at most.
 */

#include "control/daemon/app_priv.h"

#include "base/array.h"
#include "base/cleanup.h"
#include "base/sys/clock.h"
#include "build_config.h"
#include "control/config/endpoint.h"
#include "control/daemon/page_files.h"
#include "control/report/recent.h"
#include "control/show/json.h"
#include "control/show/show.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FRESH_FACTOR 9 /* a body is given to all for this many times its cost */
#define REST_FACTOR  3
#define ANSWER_MAX   (16 << 20) /* bytes */
#define TICK_MS	     2000	/* open pages ask at this interval */
#define STIR_MS	     250	/* and at most at this one if something has changed */
#define PLAIN_KEY    "plain"

enum web_rule {
	WEB_ALWAYS = 1,
	WEB_NAMED,   /* refused with web-names off */
	WEB_UNNAMED, /* `unnamed` answers then */
};

/* What /api/v1/PATH answers, and which arguments of the query it takes. */
struct web_route {
	const char *path;
	const char *command; /* of the control socket; NULL if `own` answers */
	enum web_rule rule;
	const char *arguments[6]; /* names; "filter" is words as they are */
	json_t *(*unnamed)(void *ctx, const char *args, struct ctl_answer **ret);
	json_t *(*own)(void *ctx, const char *args, struct ctl_answer **ret);
};

static json_t *day(void *ctx, const char *args, struct ctl_answer **ret);

static const struct web_route routes[] = {
	{"top", "show top", WEB_ALWAYS, {"sort", "offset", "limit", "filter"}},
	{"mfc", "show mfc", WEB_ALWAYS, {"filter"}},
	{"groups", "show groups", WEB_UNNAMED, {"filter"}, show_groups_unnamed},
	{"interfaces", "show interfaces", WEB_NAMED, {"filter"}},
	{"upstream", "show upstream", WEB_ALWAYS, {"filter"}},
	{"stats", "show stats", WEB_NAMED, {NULL}},
	{"quality", "show quality", WEB_ALWAYS, {"since", "blocks", "filter"}},
	{"zaps", "show zaps", WEB_UNNAMED, {"filter"}, show_zaps_unnamed},
	{"history", .rule = WEB_ALWAYS, .own = show_history},
	{"day", .rule = WEB_ALWAYS, .own = day},
	{"explain", "explain", WEB_NAMED, {"group", "source", "from", "on"}},
	{"health", "health", WEB_NAMED, {NULL}},
	{"version", "version", WEB_ALWAYS, {NULL}},
};

struct web {
	struct http_body **file; /* of page_files */
	/* the answer that is being made */
	bool wanted; /* something is to be made */
	bool begun;
	const struct web_route *route; /* NULL for the plain page */
	struct ctl_answer *answer;
	struct web_text {
		char *s; /* owned */
		size_t len, cap;
		bool too_large;
	} text;
	unsigned code;
	uint64_t cost_ns;
	mono_t rest_until;
	/* the stream of events */
	mono_t tick_at, stir_at,
		stirred_at; /* stir_at is MONO_NEVER if nothing changed */
	struct recent recent;
};

static const char security[] =
	"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
	"connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors "
	"'none'";

/* The fields of every answer; the type is that of the body. */
#define FIELDS(type)                                                                   \
	{                                                                              \
		"Content-Type", type, "Content-Security-Policy", security,             \
			"X-Content-Type-Options", "nosniff", "X-Frame-Options",        \
			"DENY", "Referrer-Policy", "no-referrer",                      \
			"Cross-Origin-Resource-Policy", "same-origin",                 \
			"Cache-Control", "no-store", "Connection", "close", NULL       \
	}

static struct http_body *json_body(json_t *value)
{
	static const char *const fields[] = FIELDS("application/json; charset=utf-8");
	char *text = value ? json_dumps(value, JSON_COMPACT) : NULL;

	json_decref(value);
	return text ? http_body_new(fields, text, strlen(text)) : NULL;
}

static void answer_json(struct http_request *q, unsigned code, json_t *value)
{
	struct http_body *b = json_body(value);

	http_answer(q, code, b);
	http_body_free(b);
}

/* ---- making an answer ---- */

static int append(const char *s, size_t len, void *arg)
{
	struct web_text *t = arg;

	t->too_large |= t->len + len > ANSWER_MAX;
	if (t->too_large || array_reserve(t->s, t->cap, t->len + len, 4096) < 0)
		return -1;
	memcpy(t->s + t->len, s, len);
	t->len += len;
	return 0;
}

static void want_answer(void *ctx, const char *key)
{
	struct app *app = ctx;

	app->web->wanted = true;
	app->web->begun = false;
}

static const struct ctl_command *command_of(const struct web_route *r)
{
	for (const struct ctl_command *k = app_commands; r->command && k->name; k++)
		if (strcmp(k->name, r->command) == 0)
			return k;
	return NULL;
}

static bool is_answered(const struct web_route *r)
{
	return r->own || command_of(r);
}

/* An answer that is complete at once, which an error is. */
static void take_whole(struct web *w, json_t *value)
{
	bool error = json_object_get(value, "error") != NULL;

	w->code = error ? 400 : 200;
	if (!value || json_dump_callback(value, append, &w->text, JSON_COMPACT) < 0)
		w->code = 503;
	json_decref(value);
}

/* The key is "PATH ARGUMENTS". */
static void begin_answer(struct app *app, struct web *w)
{
	const char *key = app->web_listener.share.making;
	size_t n = strcspn(key, " ");
	const char *args = key + n + (key[n] == ' ');
	const struct ctl_command *k;
	json_t *whole = NULL;

	w->begun = true;
	w->cost_ns = 0;
	w->route = NULL;
	w->code = 200;
	w->text = (struct web_text){.len = 0};
	for (size_t i = 0; i < array_len(routes); i++)
		if (strlen(routes[i].path) == n && strncmp(key, routes[i].path, n) == 0)
			w->route = &routes[i];
	k = w->route ? command_of(w->route) : NULL;
	if (!w->route)
		whole = show_plain(app, args, &w->answer);
	else if (w->route->rule == WEB_UNNAMED && !app->cfg->web_names)
		whole = w->route->unnamed(app, args, &w->answer);
	else if (w->route->own)
		whole = w->route->own(app, args, &w->answer);
	else if (k && k->answer)
		whole = k->answer(app, args, &w->answer);
	else if (k)
		whole = k->fn(app, args);
	if (w->answer)
		ctl_answer_begin(w->answer, append, &w->text);
	else
		take_whole(w, whole);
}

static void finish_answer(struct app *app, struct web *w, mono_t now)
{
	static const char *const json[] = FIELDS("application/json; charset=utf-8");
	static const char *const html[] = FIELDS("text/html; charset=utf-8");
	struct http_body *b = NULL;

	if (w->code == 503)
		free(w->text.s);
	else
		b = http_body_new(w->route ? json : html, w->text.s, w->text.len);
	if (w->code == 503 && w->text.too_large)
		b = json_body(ctl_error("the answer is too large; ask with a filter"));
	w->text = (struct web_text){.len = 0};
	w->wanted = false;
	w->rest_until = mono_add_ns(now, (int64_t)w->cost_ns * REST_FACTOR);
	http_share_give(&app->web_listener.share, w->code, b, now,
		mono_add_ns(now, (int64_t)w->cost_ns * FRESH_FACTOR));
	http_go_on(app->web_listener.http);
}

/* One piece. */
static void work_on_answer(struct app *app, struct web *w, mono_t now)
{
	uint64_t before = (uint64_t)clock_ns(CLOCK_THREAD_CPUTIME_ID);
	int r = 1;

	if (w->begun)
		r = ctl_answer_piece(w->answer);
	else
		begin_answer(app, w);
	if (r <= 0)
		w->answer = NULL; /* it is closed */
	if (r < 0)
		w->code = 503;
	w->cost_ns += (uint64_t)clock_ns(CLOCK_THREAD_CPUTIME_ID) - before;
	if (!w->answer)
		finish_answer(app, w, now);
}

static void drop_answer(struct web *w)
{
	if (w->answer)
		w->answer->ops->closed(w->answer);
	w->answer = NULL;
	free(w->text.s);
	w->text = (struct web_text){.len = 0};
	w->wanted = false;
}

/* ---- requests ---- */

/* Letters, digits and what addresses, names and words of filters have; no control
 * characters, because the control socket's lines have none. */
static bool is_plain(const char *s, bool words)
{
	for (; *s; s++)
		if ((unsigned char)*s < 0x20 || *s == 0x7f || (*s == ' ' && !words))
			return false;
	return true;
}

/* "sort rate limit 50", or the words themselves */
static bool add_argument(char key[HTTP_SHARE_KEY], const char *route, const char *name,
	const char *value)
{
	bool words = strcmp(name, "filter") == 0, top = strcmp(route, "top") == 0;
	bool bare = (words && !top) || strcmp(name, "group") == 0 ||
		strcmp(name, "source") == 0;
	size_t n = strlen(key);

	if (!is_plain(value, words) || !*value)
		return false;
	return (size_t)snprintf(key + n, HTTP_SHARE_KEY - n, " %s%s%s",
		       bare ? "" : name, bare ? "" : " ", value) < HTTP_SHARE_KEY - n;
}

static void api(struct app *app, struct http_request *q, const struct web_route *r)
{
	char key[HTTP_SHARE_KEY];

	if (r->rule == WEB_NAMED && !app->cfg->web_names) {
		answer_json(q, 403,
			ctl_error("web-names is off: this answer could tell what a "
				  "host watches"));
		return;
	}
	snprintf(key, sizeof(key), "%s", r->path);
	for (size_t i = 0; i < array_len(r->arguments) && r->arguments[i]; i++) {
		const char *value = http_argument(q, r->arguments[i]);

		if (value && !add_argument(key, r->path, r->arguments[i], value)) {
			answer_json(q, 400,
				ctl_error("the argument %s is empty, too long, or has "
					  "characters that no word has",
					r->arguments[i]));
			return;
		}
	}
	http_share_ask(&app->web_listener.share, q, key, loop_now(app->loop));
}

/* ---- events ---- */

static json_t *event_json(
	const struct app *app, const struct recent_event *e, int64_t unix_ms)
{
	return json_pack("{sI ss so so so so ss}", "unix_ms",
		(json_int_t)recent_unix_ms(e, loop_system_now(app->loop), unix_ms),
		"event", e->name, "interface",
		*e->interface ? json_of_text(e->interface) : json_null(), "group",
		e->has_group ? json_of_addr(&e->group) : json_null(), "channel",
		e->has_group
			? json_of_text(channels_name(app->channels, &e->group, NULL))
			: json_null(),
		"host", *e->host ? json_of_text(e->host) : json_null(), "text",
		e->text);
}

/* The newest first. */
static json_t *day(void *ctx, const char *args, struct ctl_answer **ret)
{
	const struct app *app = ctx;
	int64_t unix_ms = clock_ns(CLOCK_REALTIME) / NS_PER_MS;
	const struct recent_event *e;
	json_t *list = json_array();

	for (uint64_t i = 0; (e = recent_get(&app->web->recent, i)); i++)
		if (app->cfg->web_names || !*e->host)
			json_array_append_new(list, event_json(app, e, unix_ms));
	return json_pack("{so sI}", "events", list, "forgotten",
		(json_int_t)recent_forgotten(&app->web->recent));
}

void app_web_event(struct app *app, const char *name, const struct log_about *about,
	const char *text)
{
	struct recent_event *e;

	if (!app->web)
		return;
	e = recent_add(&app->web->recent, loop_system_now(app->loop), name);
	snprintf(e->interface, sizeof(e->interface), "%s",
		about->interface ? about->interface : "");
	snprintf(e->host, sizeof(e->host), "%s", about->host ? about->host : "");
	e->has_group = about->group && addr_parse(about->group, &e->group) == 0;
	snprintf(e->text, sizeof(e->text), "%s", text);
}

static json_t *about_page(const struct app *app)
{
	json_t *list = json_array();

	for (size_t i = 0; i < array_len(routes); i++)
		if (is_answered(&routes[i]) &&
			(routes[i].rule != WEB_NAMED || app->cfg->web_names))
			json_array_append_new(list, json_string(routes[i].path));
	json_array_append_new(list, json_string("events"));
	return json_pack("{si ss sb so}", "api", 1, "version", RINGCAST_VERSION,
		"names", (int)app->cfg->web_names, "paths", list);
}

static void open_events(struct app *app, struct http_request *q)
{
	static const char *const fields[] = FIELDS("text/event-stream");
	mono_t now = loop_now(app->loop);

	if (http_n_streams(app->web_listener.http) == 0)
		app->web->tick_at = mono_add_ms(now, TICK_MS);
	if (!http_stream(q, fields))
		answer_json(q, 503,
			ctl_error("too many pages are open; ask again every few "
				  "seconds instead"));
}

static void app_web_request(void *ctx, struct http_request *q, const char *path)
{
	static const char prefix[] = "/api/v1/";
	struct app *app = ctx;
	size_t n = strlen(prefix);

	for (size_t i = 0; i < page_n_files; i++)
		if (strcmp(path, page_files[i].path) == 0) {
			http_answer(q, 200, app->web->file[i]);
			return;
		}
	if (strcmp(path, "/plain") == 0) {
		http_share_ask(
			&app->web_listener.share, q, PLAIN_KEY, loop_now(app->loop));
		return;
	}
	if (strncmp(path, prefix, n) != 0) {
		http_answer_text(q, 404, strdup("there are /, /plain and /api/v1/\n"));
		return;
	}
	path += n;
	for (size_t i = 0; i < array_len(routes); i++)
		if (strcmp(path, routes[i].path) == 0 && is_answered(&routes[i])) {
			api(app, q, &routes[i]);
			return;
		}
	if (strcmp(path, "events") == 0)
		open_events(app, q);
	else if (!*path)
		answer_json(q, 200, about_page(app));
	else
		answer_json(q, 404, ctl_error("/api/v1/ lists what there is"));
}

static void app_web_gone(void *ctx, struct http_request *q)
{
	struct app *app = ctx;

	http_share_gone(&app->web_listener.share, q);
}

/* ---- rounds ---- */

mono_t app_web_deadline(const struct app *app)
{
	const struct web *w = app->web;
	mono_t at;

	if (!w)
		return app->web_listener.retry_at;
	at = mono_min(
		app->web_listener.retry_at, http_deadline(app->web_listener.http));
	if (w->wanted)
		at = mono_min(at, w->begun ? MONO_UNSET : w->rest_until);
	if (http_n_streams(app->web_listener.http) > 0)
		at = mono_min(at, mono_min(w->tick_at, w->stir_at));
	return at;
}

void app_web_stir(struct app *app, mono_t now)
{
	struct web *w = app->web;

	if (w && w->stir_at.ns == MONO_NEVER.ns)
		w->stir_at = mono_max(now, mono_add_ms(w->stirred_at, STIR_MS));
}

static void tell(struct app *app, struct web *w, mono_t now)
{
	if (mono_due(w->stir_at, now)) {
		w->stir_at = MONO_NEVER;
		w->stirred_at = now;
		http_share_forget(&app->web_listener.share);
		if (http_n_streams(app->web_listener.http) > 0)
			http_stream_send(app->web_listener.http, "data: change\n\n");
	}
	if (http_n_streams(app->web_listener.http) > 0 && mono_due(w->tick_at, now)) {
		w->tick_at = mono_add_ms(now, TICK_MS);
		http_stream_send(app->web_listener.http, "data: tick\n\n");
	}
}

void app_web_tick(struct app *app, mono_t now)
{
	struct web *w = app->web;

	if (mono_due(app->web_listener.retry_at, now))
		app_web_listen(app);
	if (!w || !app->web_listener.http)
		return;
	tell(app, w, now);
	if (w->wanted && (w->begun || mono_due(w->rest_until, now)))
		work_on_answer(app, w, now);
	http_tick(app->web_listener.http, now);
}

/* ---- life ---- */

static struct web *web_free(struct web *w)
{
	if (!w)
		return NULL;
	drop_answer(w);
	for (size_t i = 0; w->file && i < page_n_files; i++)
		http_body_free(w->file[i]);
	free(w->file);
	free(w);
	return NULL;
}

static struct web *web_new(void)
{
	struct web *w = calloc(1, sizeof(*w));

	if (!w)
		return NULL;
	w->stir_at = MONO_NEVER;
	w->file = calloc(page_n_files, sizeof(struct http_body *));
	if (!w->file)
		return web_free(w);
	for (size_t i = 0; i < page_n_files; i++) {
		const char *const fields[] = FIELDS(page_files[i].type);

		w->file[i] = http_body_new_static(
			fields, page_files[i].data, page_files[i].len);
		if (!w->file[i])
			return web_free(w);
	}
	return w;
}

/* Without web-allow only this system is answered. */
static struct http_access access_of(const struct config *c)
{
	static const struct prefix nobody;

	return (struct http_access){.private_names = true,
		.allow = c->n_web_allow ? c->web_allow : &nobody,
		.n_allow = c->n_web_allow};
}

void app_web_listen(struct app *app)
{
	struct http_options options = {
		.keyword = "web-listen",
		.max_connections = HTTP_MAX_CONNECTIONS,
		.max_per_address = 120,
		.max_streams = 100,
		.access = access_of(app->cfg),
	};
	struct http_ops ops = {
		.request = app_web_request, .gone = app_web_gone, .ctx = app};
	char at[ENDPOINT_STRLEN];
	struct endpoint e;

	if (!app->cfg->web_listen)
		return;
	if (!app->web)
		app->web = web_new();
	if (!app->web) {
		log_err("web-listen: out of memory");
		return;
	}
	if (!app_listener_open(
		    app, &app->web_listener, app->cfg->web_listen, &options, &ops, &e))
		return;
	app->web_listener.share.ops =
		(struct http_share_ops){.make = want_answer, .ctx = app};
	log_info("page: http://%s/", endpoint_format(&e, at));
	app_streams_stir(app, loop_now(app->loop));
}

void app_web_stop(struct app *app)
{
	if (app->web)
		drop_answer(app->web);
	app_listener_close(&app->web_listener);
	app->web = web_free(app->web);
}

/* An answer that is being made, and the answers that are kept, may be from the old
 * configuration, so they are made again. The list of clients is in the
 * configuration. */
static void stay(struct app *app)
{
	struct http_access access = access_of(app->cfg);
	bool wanted = app->web->wanted;

	drop_answer(app->web);
	app->web->wanted = wanted;
	app->web->begun = false;
	http_share_forget(&app->web_listener.share);
	http_set_access(app->web_listener.http, &access);
}

/* A listener whose address stays is not closed, because a port below 1024 could not be
 * bound again. */
void app_web_reload(struct app *app, const struct config *old)
{
	const char *at = app->cfg->web_listen;
	bool may_move = !app_listener_new_port(&app->web_listener, at);
	bool same = at && old->web_listen && strcmp(at, old->web_listen) == 0;

	if (app->web_listener.http && (same || !may_move)) {
		stay(app);
		return;
	}
	if (!may_move)
		return;
	if (app->web)
		drop_answer(app->web);
	app_listener_close(&app->web_listener);
	if (!app->cfg->web_listen)
		app->web = web_free(app->web);
	app->web_listener.error = 0;
	app_web_listen(app);
}

/* ---- the command ---- */

/* An address of this system that a LAN can reach, for a listener on all of them. */
static struct addr reachable(const struct app *app, const struct addr *listens)
{
	proxy_ports_for_each (app->instances->port, pp) {
		const struct iface *i = iface_by_index(&app->ifaces, pp->ifindex);

		if (pp->role != CONFIG_ROLE_DOWNSTREAM)
			continue;
		for (size_t k = 0; i && k < i->n_addr; k++)
			if (addr_is_v4(&i->addr[k].addr))
				return i->addr[k].addr;
	}
	return addr_is_v4(listens) ? ADDR_V4(127, 0, 0, 1) : (struct addr){{[15] = 1}};
}

/* The listener may be there before its address is. */
static bool is_here(const struct app *app, const struct addr *a)
{
	if (addr_is_any(a) || addr_is_loopback(a))
		return true;
	for (size_t i = 0; i < app->ifaces.n; i++)
		if (iface_has_addr(&app->ifaces.v[i], a))
			return true;
	return false;
}

static json_t *no_page(const char *why)
{
	return json_pack("{sn ss}", "url", "reason", why);
}

json_t *app_web_page(void *ctx, const char *args)
{
	struct app *app = ctx;
	const struct config *c = app->cfg;
	char at[ENDPOINT_STRLEN], url[ENDPOINT_STRLEN + 16], why[160];
	struct endpoint e;
	json_t *allow;

	if (!c->web_listen || endpoint_parse(c->web_listen, &e) < 0)
		return no_page("the configuration has no web-listen; write 'web-listen "
			       ":8080' for this system alone, and restart the daemon");
	if (!app->web_listener.http || app->web_listener.port != e.port) {
		snprintf(why, sizeof(why), "web-listen %s: %s", c->web_listen,
			app->web_listener.port != e.port
				? "another port takes a restart of the daemon"
				: strerror(-app->web_listener.error));
		return no_page(why);
	}
	if (!is_here(app, &e.addr)) {
		snprintf(why, sizeof(why),
			"web-listen %s: no interface has this address at the moment",
			c->web_listen);
		return no_page(why);
	}
	allow = json_array();
	for (size_t i = 0; i < c->n_web_allow; i++) {
		char prefix[PREFIX_STRLEN];

		json_array_append_new(
			allow, json_string(prefix_format(&c->web_allow[i], prefix)));
	}
	if (addr_is_any(&e.addr))
		e.addr = reachable(app, &e.addr);
	snprintf(url, sizeof(url), "http://%s/", endpoint_format(&e, at));
	return json_pack(
		"{ss so sb}", "url", url, "allow", allow, "names", (int)c->web_names);
}
