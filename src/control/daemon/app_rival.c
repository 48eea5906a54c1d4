/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Other multicast daemons: when we search for them, what is logged, and what is shown.
 * We search at start and after a reload, when the kernel reports that its multicast
 * routing has changed hands (netlink), when another trusted ringcastd sends a message
 * (rival_claim.c), when a client asks (show), and otherwise at most once a minute in a
 * round that happens anyway: an idle daemon stays silent. A warning names each new
 * rival once, with what to do; a rival that has gone is also logged.
 */

#include "control/daemon/app_priv.h"

#include "base/sys/clock.h"
#include "control/show/json.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

/* a program adds its interfaces one after the other */
#define SETTLE_MS 300
/* the greatest age of a shown result, and of one after a message */
#define FRESH_MS 2000
/* between searches without a reason */
#define REGULAR_MS 60000
/* messages per round, and a pause after those of strangers, because any user can send
 * them */
#define HEAR_MAX 16
#define DEAF_MS	 250

static const char *const family_title[_FAMILY_N] = {"IPv4", "IPv6"};

/* ---- our interfaces ---- */

static bool is_ours(
	const struct app *app, const struct rival *r, const char *name, int ifindex)
{
	return r->kind == RIVAL_RINGCASTD ? ifindex && rival_has_index(r, ifindex)
					  : rival_has_name(r, name);
}

/* Names of our interfaces that the rival also has; returns their number. */
static unsigned shared(const struct app *app, const struct rival *r, char *buf,
	size_t size, json_t *list)
{
	size_t len = 0;
	unsigned n = 0;

	buf[0] = '\0';
	proxy_ports_for_each (app->instances->port, pp) {
		if (!is_ours(app, r, pp->name, pp->ifindex))
			continue;
		n++;
		if (list)
			json_array_append_new(list, json_of_text(pp->name));
		if (len + sizeof(pp->name) + 2 < size)
			len += (size_t)snprintf(buf + len, size - len, "%s%s",
				len ? ", " : "", pp->name);
	}
	return n;
}

static const char *who(const struct rival *r, char buf[64])
{
	if (r->pid)
		snprintf(buf, 64, "%s (pid %d)", r->program, r->pid);
	else
		snprintf(buf, 64, "%s", *r->program ? r->program : "another program");
	return buf;
}

/* ---- log lines ---- */

/* What it means and what to do, or NULL if it does no harm. */
static const char *rival_advice(const struct app *app, const struct rival *r)
{
	char names[RIVAL_TEXT];
	bool any = shared(app, r, names, sizeof(names), NULL) > 0;

	switch (r->kind) {
	case RIVAL_ROUTING:
		return any ? "datagrams arrive twice; stop one of the two" : NULL;
	case RIVAL_PROGRAM:
		return r->sure
			? "two of them answer the same hosts and providers; stop "
			  "one of the two"
			: NULL;
	case RIVAL_RINGCASTD:
		return any
			? "datagrams arrive twice; leave each interface to one of the "
			  "two"
			: NULL;
	case RIVAL_SOCKET:
		return NULL;
	}
	return NULL;
}

static void say_new(const struct app *app, const struct rival *r)
{
	const char *what = rival_advice(app, r);
	enum log_level level = what ? LOG_LEVEL_WARNING : LOG_LEVEL_INFO;
	char names[RIVAL_TEXT], name[64];
	bool any = shared(app, r, names, sizeof(names), NULL) > 0;

	who(r, name);
	switch (r->kind) {
	case RIVAL_ROUTING:
		log_write(level,
			"%s uses the kernel's %s multicast routing%s%s%s%s: %s", name,
			family_title[r->family],
			*r->where ? " on " : ", on no interface yet",
			any ? names : r->where, any || !*r->where ? "" : ", ",
			any || !*r->where ? "" : "not ours",
			what ? what : "this is not a conflict");
		break;
	case RIVAL_PROGRAM:
		log_write(level, "%s runs %s: %s", name,
			r->sure ? "in this network namespace"
				: "here, perhaps in this network namespace",
			what ? what : "if so, stop one of the two");
		break;
	case RIVAL_RINGCASTD:
		log_write(level, "another %s %s%s: %s", name,
			any ? "also has " : "has other interfaces", any ? names : "",
			what ? what : "this is not a conflict");
		break;
	case RIVAL_SOCKET:
		log_write(level,
			"user %u has a raw socket for IGMP; if its program is another "
			"multicast daemon, stop one of the two",
			r->uid);
		break;
	}
}

static bool same_rival(const struct rival *a, const struct rival *b)
{
	return a->kind == b->kind && a->family == b->family && a->pid == b->pid &&
		a->uid == b->uid && a->sure == b->sure &&
		strcmp(a->where, b->where) == 0;
}

/* Is `b` the same rival as `a` in another state? Then one line is enough. */
static bool is_successor(const struct rival *a, const struct rival *b)
{
	return a->kind == b->kind && a->family == b->family &&
		(a->pid == b->pid || a->kind == RIVAL_ROUTING);
}

static const struct app_rival *app_rival_find(const struct app_rival *v, size_t n,
	const struct rival *r, bool (*fn)(const struct rival *, const struct rival *))
{
	for (size_t i = 0; i < n; i++)
		if (fn(&v[i].rival, r))
			return &v[i];
	return NULL;
}

static void say_gone(const struct app_rival *gone)
{
	char name[64];

	log_notice("%s is gone%s", who(&gone->rival, name),
		gone->rival.kind == RIVAL_ROUTING
			? " from the kernel's multicast routing"
			: "");
}

static bool may_say(struct app_rivals *rs, mono_t now)
{
	uint64_t hidden;

	if (!log_limit_take(&rs->limit, now, &hidden))
		return false;
	if (hidden)
		log_notice("other multicast daemons came and went %llu more times; "
			   "'ringcastctl show interfaces' lists those that are there",
			(unsigned long long)hidden);
	return true;
}

/* Adopts the result of a search, and logs what is new and what is gone. Even if the
 * list is unchanged, its interfaces may have become ours. */
static void adopt_rivals(struct app *app, mono_t now, const struct rival_list *list)
{
	struct app_rivals *rs = &app->rivals;
	struct app_rival next[RIVAL_MAX];

	for (size_t i = 0; i < list->n; i++) {
		const struct rival *r = &list->v[i];
		const struct app_rival *old =
			app_rival_find(rs->v, rs->n, r, same_rival);
		const struct app_rival *before =
			app_rival_find(rs->v, rs->n, r, is_successor);

		next[i] = (struct app_rival){.rival = *r,
			.since = before ? before->since : now,
			.harmful = rival_advice(app, r) != NULL};
		if ((!old || (next[i].harmful && !old->harmful)) && may_say(rs, now))
			say_new(app, r);
	}
	for (size_t i = 0; i < rs->n; i++) {
		size_t k = 0;

		while (k < list->n && !is_successor(&rs->v[i].rival, &list->v[k]))
			k++;
		if (k == list->n && may_say(rs, now))
			say_gone(&rs->v[i]);
	}
	memcpy(rs->v, next, list->n * sizeof(next[0]));
	rs->n = list->n;
}

/* ---- searching ---- */

static void look(struct app_rivals *rs, bool programs, struct rival_list *ret)
{
	struct rival_belief belief = {.own = rs->claim.name,
		.believes = rival_claim_believes,
		.ctx = &rs->claim};

	rival_claim_look(&rs->claim);
	rival_look(rs->proc, &belief, programs, ret);
}

void app_rival_look(struct app *app, mono_t now, bool thorough)
{
	struct app_rivals *rs = &app->rivals;
	int64_t begin = clock_ns(CLOCK_MONOTONIC);
	struct rival_list list;

	rs->look_at = MONO_NEVER;
	rs->looked_at = now;
	look(rs, thorough, &list);
	/* while this is unchanged, the programs are also unchanged */
	if (thorough || list.evidence != rs->evidence) {
		if (!thorough)
			look(rs, true, &list);
		rs->evidence = list.evidence;
		adopt_rivals(app, now, &list);
	}
	rival_claim_looked(&rs->claim);
	rs->rest = proctext_again(now, clock_ns(CLOCK_MONOTONIC) - begin, 0);
}

static void look_soon(struct app *app, int64_t after_last_ms)
{
	struct app_rivals *rs = &app->rivals;
	mono_t now = loop_now(app->loop);

	if (rs->look_at.ns == MONO_NEVER.ns)
		rs->look_at = mono_max(rs->rest,
			mono_max(mono_add_ms(now, SETTLE_MS),
				mono_add_ms(rs->looked_at, after_last_ms)));
}

void app_rival_tick(struct app *app, mono_t now)
{
	struct app_rivals *rs = &app->rivals;

	if (mono_due(rs->deaf_until, now)) {
		rs->deaf_until = MONO_NEVER;
		(void)loop_change(&rs->fd, EPOLLIN);
	}
	if (mono_due(rs->look_at, now) ||
		mono_due(mono_add_ms(rs->looked_at, REGULAR_MS), now))
		app_rival_look(app, now, false);
}

mono_t app_rival_deadline(const struct app *app)
{
	return mono_min(app->rivals.look_at, app->rivals.deaf_until);
}

void app_rival_routing(void *ctx)
{
	look_soon(ctx, 0);
}

/* ---- other ringcastd ---- */

static void tell_others(const struct app_rivals *rs, int fd)
{
	for (size_t i = 0; i < rs->n; i++) {
		char name[RIVAL_TEXT];

		if (rs->v[i].rival.kind != RIVAL_RINGCASTD)
			continue;
		rival_claim_of(&rs->v[i].rival, name);
		rival_claim_ask(fd, name);
	}
}

static void on_claim(struct loop_fd *f, uint32_t events)
{
	struct app_rivals *rs = container_of(f, struct app_rivals, fd);
	bool strange = false;
	int said = 0;

	for (int i = 0; i < HEAR_MAX && (said = rival_claim_hear(&rs->claim)) >= 0;
		i++) {
		strange |= said == RIVAL_SAID_STRANGE;
		if (said == RIVAL_SAID_NEW)
			look_soon(rs->app, 0);
	}
	if (!strange)
		return;
	rs->deaf_until = mono_add_ms(loop_now(rs->app->loop), DEAF_MS);
	(void)loop_change(f, 0);
}

/* Binds the new socket before it closes the old one, so that one is always visible. */
static void claim(struct app *app, const char *name)
{
	struct app_rivals *rs = &app->rivals;
	int fd = rival_claim_socket(name);

	if (fd < 0) {
		log_info("cannot tell other ringcastd which interfaces are ours: %s",
			strerror(-fd));
		return;
	}
	loop_del(&rs->fd);
	rival_claim_set(&rs->claim, fd, name);
	rs->fd.fd = fd;
	rs->fd.fn = on_claim;
	rs->deaf_until = MONO_NEVER;
	loop_add(app->loop, &rs->fd);
	tell_others(rs, fd);
}

static size_t add_index(int *v, size_t n, int ifindex)
{
	for (size_t i = 0; i < n; i++)
		if (v[i] == ifindex)
			return n;
	if (ifindex)
		v[n++] = ifindex;
	return n;
}

void app_rival_ports(struct app *app)
{
	int ifindex[2 * PORT_MAX];
	char name[RIVAL_TEXT] = "";
	size_t n = 0;

	if (!app->rivals.started)
		return;
	proxy_ports_for_each (app->instances->port, pp) {
		n = add_index(ifindex, n, pp->ifindex);
		n = add_index(ifindex, n, pp->report_ifindex);
	}
	rival_claim_format(name, getpid(), app->rivals.token, ifindex, n);
	if (strcmp(name, app->rivals.claim.name) == 0)
		return;
	claim(app, name);
	app->rivals.evidence = 0; /* other interfaces may be shared now */
	look_soon(app, FRESH_MS);
}

/* ---- life ---- */

void app_rival_init(struct app *app)
{
	app->rivals = (struct app_rivals){.app = app,
		.proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC),
		.fd = {.fd = -1},
		.look_at = MONO_NEVER,
		.deaf_until = MONO_NEVER,
		.limit = LOG_LIMIT(20, 60000)};
	rival_claim_init(&app->rivals.claim, getuid());
}

void app_rival_start(struct app *app, uint32_t token)
{
	app->rivals.started = true;
	app->rivals.token = token;
	app_rival_ports(app);
	app_rival_look(app, loop_now(app->loop), true);
}

void app_rival_stop(struct app *app)
{
	struct app_rivals *rs = &app->rivals;
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	loop_del(&rs->fd);
	rival_claim_deinit(&rs->claim);
	if (fd >= 0) {
		tell_others(rs, fd); /* that we are gone */
		close(fd);
	}
	if (rs->proc >= 0)
		close(rs->proc);
}

/* ---- replies ---- */

static json_t *rival_json(
	const struct app *app, const struct app_rival *one, mono_t now)
{
	static const char *const kind[] = {[RIVAL_ROUTING] = "kernel routing",
		[RIVAL_PROGRAM] = "program",
		[RIVAL_RINGCASTD] = "ringcastd",
		[RIVAL_SOCKET] = "raw socket"};
	const struct rival *r = &one->rival;
	const char *what = rival_advice(app, r);
	json_t *interfaces = json_array();
	char names[RIVAL_TEXT];

	shared(app, r, names, sizeof(names), interfaces);
	return json_pack("{ss so so so so so sI so so si}", "kind", kind[r->kind],
		"program", *r->program ? json_of_text(r->program) : json_null(), "pid",
		r->pid ? json_integer(r->pid) : json_null(), "family",
		r->kind == RIVAL_ROUTING ? json_string(family_name(r->family))
					 : json_null(),
		"interfaces", interfaces, "address", json_null(), "since_ms",
		(json_int_t)mono_ms_since(one->since, now), "advice",
		what ? json_string(what) : json_null(), "mac", json_null(), "streams",
		0);
}

static json_t *rival_querier_json(
	const struct proxy_port *pp, enum family f, mono_t now)
{
	const struct querier *q = &pp->querier[f];

	return json_pack("{ss so so ss s[o] so sI ss so si}", "kind", "querier",
		"program", json_null(), "pid", json_null(), "family", family_name(f),
		"interfaces", json_of_text(pp->name), "address",
		json_of_addr(&q->other), "since_ms",
		(json_int_t)mono_ms_since(q->standby_since, now), "advice",
		pp->groups.role[f].forwards
			? "it asks the hosts, because its address is lower, and this router "
			  "continues forwarding; if it should not ask, turn its querier off or "
			  "write always-querier"
			: "it asks the hosts, because its address is lower, and this router "
			  "forwards nothing there; if it should not, turn its querier off or "
			  "write always-querier",
		"mac", json_null(), "streams", 0);
}

/* Is the stream the first one of its station? The others are counted with it. */
static bool is_first_of(const struct forwarder *fw, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (gm_mac_eq(&fw->v[k].mac, &fw->v[i].mac))
			return false;
	return true;
}

static json_t *forwarder_json(
	const struct proxy_port *pp, enum family f, size_t first, mono_t now)
{
	const struct forwarder *fw = &pp->forwarder[f];
	const struct forwarder_stream *s = &fw->v[first];
	const struct querier *q = &pp->querier[f];
	bool elected = q->state == QUERIER_STANDBY && gm_mac_eq(&s->mac, &q->other_mac);
	bool standby = s->standby;
	int n = 0;

	for (size_t i = first; i < fw->n; i++) {
		n += gm_mac_eq(&fw->v[i].mac, &s->mac);
		standby |= fw->v[i].standby;
	}
	return json_pack("{ss so so ss s[o] so sI ss so si}", "kind", "forwarder",
		"program", json_null(), "pid", json_null(), "family", family_name(f),
		"interfaces", json_of_text(pp->name), "address",
		elected ? json_of_addr(&q->other) : json_null(), "since_ms",
		(json_int_t)mono_ms_since(s->since, now), "advice",
		standby ? "it forwards the same streams there, so this router leaves them to "
			  "it; if it should not, end multicast forwarding on it or write "
			  "'forwarding always'"
			: "it forwards the same streams there, so datagrams arrive twice; end "
			  "multicast forwarding on one of the two",
		"mac", json_of_mac(s->mac.byte), "streams", n);
}

#define FORWARDERS_SHOWN 8 /* of a port and family */

static void add_others(
	json_t *list, const struct proxy_port *pp, enum family f, mono_t now)
{
	const struct forwarder *fw = &pp->forwarder[f];
	unsigned n = 0;

	if (pp->querier[f].state == QUERIER_STANDBY)
		json_array_append_new(list, rival_querier_json(pp, f, now));
	for (size_t i = 0; i < fw->n && n < FORWARDERS_SHOWN; i++) {
		if ((!fw->v[i].standby && !forwarder_is_double(&fw->v[i], now)) ||
			!is_first_of(fw, i))
			continue;
		json_array_append_new(list, forwarder_json(pp, f, i, now));
		n++;
	}
}

json_t *view_rivals(struct app *app)
{
	struct app_rivals *rs = &app->rivals;
	mono_t now = loop_now(app->loop);
	json_t *list = json_array();

	if (mono_due(mono_add_ms(rs->looked_at, FRESH_MS), now) &&
		mono_due(rs->rest, now))
		app_rival_look(app, now, false);
	for (size_t i = 0; i < rs->n; i++)
		json_array_append_new(list, rival_json(app, &rs->v[i], now));
	proxy_ports_for_each (app->instances->port, pp)
		for (enum family f = 0; f < _FAMILY_N; f++)
			if (pp->role == CONFIG_ROLE_DOWNSTREAM)
				add_others(list, pp, f, now);
	return list;
}
