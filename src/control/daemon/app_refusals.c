/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Refusals. Refused reports are recorded here from the notes of the core, refused
 * datagrams by the threads of the data plane. A stream that members wait for, and whose
 * source must not send on its interface, is logged once. The threads only record, so
 * that they never have to wake the control thread. Their records are read a moment
 * after a membership has changed, and otherwise when the daemon is awake anyway.
 */

#include "control/daemon/app_priv.h"

#include "base/cleanup.h"
#include "control/member/policy.h"
#include "control/report/explain.h"
#include "control/show/json.h"

#define LOOK_MS	   2000 /* after a change, so that the stream has had time to arrive */
#define BETWEEN_MS 5000 /* between readings without a change */

void app_refusals_note(struct app *app, mono_t now, const struct effect *e)
{
	if (explain_is_refused_join(e->note.note))
		refusals_note(&app->reports,
			&(struct refusal){.port = e->port,
				.why = e->note.note,
				.group = e->note.group,
				.from = e->note.peer,
				.value = e->note.value,
				.n = 1,
				.at = (uint64_t)now.ns});
}

void app_refusals_changed(struct app *app, mono_t now)
{
	app->refusals_at = mono_min(app->refusals_at, mono_add_ms(now, LOOK_MS));
}

/* ---- sources that must not send ---- */

/* Does the port forward the frames of sources that may send there? */
static bool receives(const struct proxy_port *pp)
{
	return pp->role == CONFIG_ROLE_UPSTREAM ||
		pp->proxy->cfg->forward_from_downstream != CONFIG_FORWARD_NONE;
}

/* Does a member want the group anywhere? */
static bool app_refusals_is_wanted(
	struct app *app, unsigned instance, const struct addr *group)
{
	struct addr any = addr_any(addr_family(group));
	struct fib_view v;

	return fib_read(dataplane_fib(app->dp), instance, &any, group, &v) &&
		!portset_empty(&v.out);
}

/* Returns false if it may send there by now, or if no member waits for it. */
static bool is_missed(struct app *app, const struct refusal *r)
{
	const struct proxy_port *pp =
		r->port < PORT_MAX ? app->instances->port[r->port] : NULL;

	return r->why == VERDICT_WRONG_INPUT && pp && receives(pp) &&
		!policy_sender(pp->cfg, pp->subnet, pp->n_subnet, &r->from) &&
		app_refusals_is_wanted(app, pp->proxy->instance, &r->group);
}

/* Has the source been logged? Remembers it. */
static bool is_said(struct app *app, unsigned port, const struct addr *source)
{
	for (size_t i = 0; i < array_len(app->said); i++)
		if (app->said[i].port == port && addr_eq(&app->said[i].source, source))
			return true;
	app->said[app->next_said].port = port;
	app->said[app->next_said].source = *source;
	app->next_said = (app->next_said + 1) % array_len(app->said);
	return false;
}

static void say_source(void *arg, const struct refusal *r)
{
	struct app *app = arg;
	char group[ADDR_STRLEN], source[ADDR_STRLEN];
	const struct proxy_port *pp;

	if (!is_missed(app, r) || is_said(app, r->port, &r->from))
		return;
	pp = app->instances->port[r->port];
	addr_format(&r->from, source);
	log_limited(&app_limits(app, r->port)->source, loop_now(app->loop),
		LOG_LEVEL_NOTICE,
		&(struct log_about){.interface = pp->name,
			.group = addr_format(&r->group, group),
			.source = source,
			.cause = "altnet"},
		"datagrams are refused, because the source is in no subnet and no altnet "
		"of %s: add 'altnet %s/%d', or its network, to the phyint block of %s",
		pp->name, source, addr_is_v4(&r->from) ? 32 : 128, pp->name);
}

mono_t app_refusals_deadline(const struct app *app)
{
	return app->refusals_at;
}

void app_refusals_tick(struct app *app, mono_t now)
{
	uint64_t n = dataplane_n_refusals(app->dp);

	if (!mono_due(app->refusals_at, now) &&
		(n == app->n_refusals || !mono_due(app->refusals_next, now)))
		return;
	app->refusals_at = MONO_NEVER;
	app->refusals_next = mono_add_ms(now, BETWEEN_MS);
	if (n != app->n_refusals)
		dataplane_refusals(app->dp, NULL, say_source, app);
	app->n_refusals = n;
}

/* ---- the last one ---- */

struct search {
	struct app *app;
	unsigned instance;
	bool found;
	struct refusal *ret;
};

static void take_later(void *arg, const struct refusal *r)
{
	struct search *s = arg;
	const struct proxy_port *pp =
		r->port < PORT_MAX ? s->app->instances->port[r->port] : NULL;

	if (r->why != VERDICT_WRONG_INPUT || !pp || !receives(pp) ||
		pp->proxy->instance != s->instance || (s->found && r->at < s->ret->at))
		return;
	*s->ret = *r;
	s->found = true;
}

bool view_refused_sender(struct app *app, const struct fib_view *v, struct refusal *ret)
{
	struct search s = {app, v->instance, false, ret};

	if (v->wrong > 0)
		dataplane_refusals(app->dp, &v->group, take_later, &s);
	/* later datagrams were accepted, so it is over */
	return s.found && (!v->seen || fib_age_s(v, latency_stamp_s(ret->at)) > 0);
}

#define SENDERS_MAX 16

struct senders {
	struct app *app;
	json_t *list;
	struct refusal v[SENDERS_MAX];
	size_t n;
};

static void list_sender(void *arg, const struct refusal *r)
{
	struct senders *s = arg;

	for (size_t i = 0; i < s->n; i++)
		if (s->v[i].port == r->port && addr_eq(&s->v[i].from, &r->from))
			return;
	if (s->n == SENDERS_MAX || !is_missed(s->app, r))
		return;
	s->v[s->n++] = *r;
	json_array_append_new(s->list,
		json_pack("{so so}", "source", json_of_addr(&r->from), "in",
			json_of_text(s->app->instances->port[r->port]->name)));
}

json_t *view_refused_senders(struct app *app)
{
	struct senders s = {.app = app, .list = json_array()};

	dataplane_refusals(app->dp, NULL, list_sender, &s);
	return s.list;
}
