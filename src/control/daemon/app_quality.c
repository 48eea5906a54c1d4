/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The quality of streams over time. Once per second while streams flow, the views of
 * the data plane are copied and judged with what control knows of the same second:
 * drops of this router, and whether the stream is wanted. Many streams are judged in
 * several rounds of the loop. Reports of hosts begin zaps, which the threads time.
 *
 * Times are those of the system's CLOCK_MONOTONIC, which the threads also have; that of
 * the loop leaves gaps out.
 */

#include "control/daemon/app_priv.h"

#include "base/array.h"
#include "base/cleanup.h"
#include "control/quality/stream_log.h"
#include "control/quality/zaps.h"
#include "control/show/show_mfc.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define LOOK_MS	  1000
#define WORK	  1024 /* in one round of the loop: a view takes 8 + its outputs */
#define VIEW_WORK 8
#define ZAPS_FEW  16
#define TAG_LOG	  1
#define TAG_ZAPS  2
#define TAG_RING  3

struct app_quality {
	struct app *app;
	struct stream_log *log;
	struct zaps zaps;
	mono_t due; /* MONO_NEVER while nothing flows */
	/* the views that are being judged, as they were at `read_at` */
	struct quality_view *view;
	size_t n_views, cap_views, next_view;
	mono_t read_at;
	bool flows;	       /* datagrams came between the last two readings */
	bool open;	       /* some views must be judged again */
	uint64_t frames;       /* frames received until the last reading */
	struct portset inputs; /* where the streams come in */
	uint64_t n_ring_drops[PORT_MAX];
	uint64_t n_unwatched; /* datagrams of streams without a place, when last read */
	mono_t ring_at[PORT_MAX]; /* when drops were last noticed */
	struct log_limit limit;
};

/* ---- drops of this router ---- */

static const enum stream_drop drop_of[_VERDICT_N] = {
	[VERDICT_TRUNCATED] = STREAM_DROP_SLOT,
	[VERDICT_CHECKSUM_UNFIXABLE] = STREAM_DROP_CHECKSUM,
	[VERDICT_MTU_DF] = STREAM_DROP_MTU,
	[VERDICT_FRAG_FAILED] = STREAM_DROP_FRAGMENT,
	[VERDICT_PORT_DOWN] = STREAM_DROP_DOWN,
	[VERDICT_TX_FULL] = STREAM_DROP_FULL,
	[VERDICT_TX_QUEUE] = STREAM_DROP_QUEUE,
	[VERDICT_TX_SIZE] = STREAM_DROP_SIZE,
	[VERDICT_TX_ERROR] = STREAM_DROP_ERROR,
};

static void read_ring(struct app_quality *q, unsigned port, mono_t now)
{
	struct dataplane_port_stats s;
	uint64_t n;

	dataplane_port_stats(q->app->dp, port, &s);
	n = s.count[PORT_COUNT_RING_DROPS];
	if (n > q->n_ring_drops[port])
		q->ring_at[port] = now;
	q->n_ring_drops[port] = n;
}

/* Reads the counters of dropped frames. An upstream is read even before a stream is
 * known there; otherwise the drops at the beginning of its first stream would be
 * missed. */
static void read_rings(struct app_quality *q, mono_t now)
{
	proxy_ports_for_each (q->app->instances->port, pp)
		if (pp->role == CONFIG_ROLE_UPSTREAM ||
			portset_has(&q->inputs, pp->port))
			read_ring(q, pp->port, now);
}

static void add_refusal(void *arg, const struct refusal *r)
{
	struct stream_local *local = arg;

	if (r->why < _VERDICT_N && drop_of[r->why] != STREAM_DROP_NONE)
		local->refused[drop_of[r->why]] += r->n;
}

/* ---- judging ---- */

/* The forwarding entry of a stream. Returns false if no output gets it. */
static bool read_outputs(
	struct app *app, const struct quality_stream *s, struct fib_view *ret)
{
	const struct proxy_port *pp = app->instances->port[s->port];
	struct addr any = addr_any(addr_family(&s->group));
	struct fib *fib = dataplane_fib(app->dp);

	if (!pp)
		return false;
	if (!fib_read(fib, pp->proxy->instance, &s->source, &s->group, ret) &&
		!fib_read(fib, pp->proxy->instance, &any, &s->group, ret))
		return false;
	portset_del(&ret->out, s->port);
	return !portset_empty(&ret->out);
}

static void say_faulty(const struct stream_entry *e, char *buf, size_t size)
{
	if (e->fault.router)
		snprintf(buf, size,
			"the stream is damaged in this router, because %s: %s",
			stream_drop_text(e->fault.drop),
			stream_drop_advice(e->fault.drop));
	else if (e->fault.silent)
		snprintf(buf, size,
			"nothing of the stream has arrived for more than a second, and "
			"nothing was lost here: ask the provider, or look at the line to "
			"it");
	else if (e->faulty_lost)
		snprintf(buf, size,
			"the stream arrives damaged (%llu datagrams are missing), and "
			"nothing was lost here: ask the provider, or look at the line to "
			"it",
			(unsigned long long)e->faulty_lost);
	else
		snprintf(buf, size,
			"the stream arrives damaged, and nothing was lost here: ask the "
			"provider, or look at the line to it");
}

static void say(struct app *app, const struct stream_entry *e, enum stream_event event)
{
	bool faulty = event == STREAM_FAULT_NEW;
	char group[ADDR_STRLEN], source[ADDR_STRLEN], text[320];
	struct log_about subject = {
		.interface = app_port_name(app, e->stream.port),
		.group = addr_format(&e->stream.group, group),
		.source = addr_format(&e->stream.source, source),
		.cause = faulty ? "stream-faulty" : "stream-clean",
	};
	mono_t now = loop_now(app->loop);

	if (faulty)
		say_faulty(e, text, sizeof(text));
	else
		snprintf(text, sizeof(text),
			"the stream is clean again, after %llu second%s with faults",
			(unsigned long long)e->faulty_seconds,
			e->faulty_seconds == 1 ? "" : "s");
	app_monitor_note(
		app, now, faulty ? "stream_faulty" : "stream_clean", &subject, text, 0);
	app_web_stir(app, now);
	log_limited(&app->quality->limit, now, LOG_LEVEL_NOTICE, &subject, "%s", text);
}

/* Returns the work that this has cost. */
static int judge_stream(struct app_quality *q, const struct quality_view *v)
{
	struct app *app = q->app;
	struct stream_local local = {.ring_at = q->ring_at[v->stream.port]};
	struct fib_view entry;
	struct stream_entry *e;
	enum stream_event event;
	int work = VIEW_WORK;

	portset_add(&q->inputs, v->stream.port);
	local.wanted = read_outputs(app, &v->stream, &entry);
	if (local.wanted) {
		local.viewers = show_count_members(app, &entry);
		local.asked = zaps_again(&q->zaps, q->read_at, &v->stream.group);
		work += (int)portset_count(&entry.out);
	}
	dataplane_refusals(app->dp, &v->stream.group, add_refusal, &local);
	event = stream_log_see(q->log, q->read_at, v, &local, &e);
	q->open |= e && e->open;
	if (e && event != STREAM_NOTHING)
		say(app, e, event);
	return work;
}

static void keep_unseen(void *arg, const struct quality_view *v)
{
	struct app_quality *q = arg;

	/* without memory it is judged a second later */
	if (array_reserve(q->view, q->cap_views, q->n_views + 1, 16) == 0)
		q->view[q->n_views++] = *v;
}

static void keep_view(void *arg, const struct quality_view *v)
{
	struct app_quality *q = arg;

	zaps_see(&q->zaps, v);
	keep_unseen(q, v);
}

static void read_views(struct app_quality *q)
{
	struct quality_watch_stats s = {0};

	q->read_at = view_system_now(q->app);
	q->n_views = q->next_view = 0;
	q->flows = app_datagrams_arrive(q->app, &q->frames);
	if (q->flows || q->open)
		read_rings(q, q->read_at);
	q->open = false;
	dataplane_quality(q->app->dp, NULL, keep_view, q);
	/* A stream for which a thread has no place may flow although no thread sees
	 * it. */
	dataplane_quality_stats(q->app->dp, &s);
	if (s.unwatched == q->n_unwatched)
		stream_log_unseen(q->log, q->read_at, keep_unseen, q);
	q->n_unwatched = s.unwatched;
	zaps_tick(&q->zaps, q->read_at);
}

/* Stops judging while no stream flows. If a host has just asked for a stream, which may
 * begin at any moment, checks again after LOOK_MS. If more than ZAPS_FEW streams are
 * awaited, as after a start, checks only once, after ZAPS_WAIT_MS. */
static void wait_for_zaps(struct app_quality *q, mono_t now)
{
	unsigned n = q->zaps.n_pending;

	free(take_ptr(q->view));
	q->cap_views = q->n_views = q->next_view = 0;
	q->due = MONO_NEVER;
	if (n > 0)
		q->due = mono_add_ms(now, n <= ZAPS_FEW ? LOOK_MS : ZAPS_WAIT_MS);
}

mono_t app_quality_deadline(const struct app *app)
{
	return app->quality ? app->quality->due : MONO_NEVER;
}

void app_quality_tick(struct app *app, mono_t now)
{
	struct app_quality *q = app->quality;
	int work = WORK;

	if (!q || !mono_due(q->due, now))
		return;
	if (q->next_view == q->n_views)
		read_views(q);
	while (q->next_view < q->n_views && work > 0)
		work -= judge_stream(q, &q->view[q->next_view++]);
	if (q->next_view < q->n_views)
		return; /* the rest in the next round */
	if (q->flows || q->open)
		q->due = mono_add_ms(now, LOOK_MS);
	else
		wait_for_zaps(q, now);
}

void app_quality_stir(struct app *app, mono_t now)
{
	struct app_quality *q = app->quality;

	if (q && q->due.ns == MONO_NEVER.ns)
		q->due = mono_add_ms(now, LOOK_MS);
}

/* ---- zaps ---- */

/* What a record says: its sender wants the group, or wants nothing of it any more, or
 * it answers a query. Reports of IGMPv1, v2 and MLDv1 do not say which. */
enum says {
	SAYS_NOTHING,
	SAYS_JOIN,
	SAYS_LEAVE,
};

static enum says what_says(const struct gm_msg *msg, const struct gm_record *rec)
{
	switch (rec->type) {
	case GM_IS_EX:
		return msg->version < GM_V3 ? SAYS_JOIN : SAYS_NOTHING;
	case GM_TO_EX:
	case GM_ALLOW:
		return SAYS_JOIN;
	case GM_TO_IN:
		return rec->n_src ? SAYS_JOIN : SAYS_LEAVE;
	case GM_BLOCK:
		return rec->n_src ? SAYS_LEAVE : SAYS_NOTHING;
	case GM_IS_IN:
		break;
	}
	return SAYS_NOTHING;
}

/* A repeated request for named sources is often one for other sources. */
static bool says_again(const struct gm_msg *msg, const struct gm_record *rec)
{
	return msg->version == GM_V3 &&
		(rec->type == GM_TO_EX || rec->type == GM_TO_IN);
}

static bool is_member(const struct proxy_port *pp, mono_t now, const struct addr *group,
	const struct addr *host)
{
	const struct mgroup *g = mgroup_find(&pp->groups, group);

	for (size_t i = 0; g && i < g->n_host; i++)
		if (addr_eq(&g->host[i].addr, host) && !mono_due(g->host[i].until, now))
			return true;
	return false;
}

uint64_t app_members(const struct app *app, mono_t now, const struct proxy_port *pp,
	const struct gm_msg *msg)
{
	bool all = monitor_has_followers(&app->monitor);
	uint64_t members = 0;

	if ((!app->quality && !all) || msg->kind != GM_REPORT ||
		pp->role != CONFIG_ROLE_DOWNSTREAM)
		return 0;
	for (size_t i = 0; i < msg->n_rec && i < 64; i++)
		if ((all || what_says(msg, &msg->rec[i]) != SAYS_NOTHING) &&
			is_member(pp, now, &msg->rec[i].group, &msg->from))
			members |= UINT64_C(1) << i;
	return members;
}

static void take_view(void *arg, const struct quality_view *v)
{
	zaps_see(arg, v);
}

/* Updates the zaps of a group from what its analyser knows by now. */
static void look_at_zaps(struct app_quality *q, const struct addr *group)
{
	if (zaps_is_pending(&q->zaps, group))
		dataplane_quality(q->app->dp, group, take_view, &q->zaps);
}

static void leaves(struct app_quality *q, const struct proxy_port *pp,
	const struct gm_msg *msg, const struct gm_record *rec)
{
	look_at_zaps(q, &rec->group);
	zaps_leave(
		&q->zaps, view_system_now(q->app), pp->port, &rec->group, &msg->from);
}

static void joins(struct app_quality *q, const struct proxy_port *pp,
	const struct gm_msg *msg, const struct gm_record *rec, bool member)
{
	struct app *app = q->app;
	uint32_t mark;

	/* a later mark replaces an earlier one of the group */
	if (!member)
		look_at_zaps(q, &rec->group);
	mark = zaps_ask(&q->zaps, view_system_now(app), pp->port, &rec->group,
		&msg->from, member, says_again(msg, rec));
	if (mark)
		dataplane_quality_mark(app->dp, &rec->group, mark);
}

void app_quality_report(struct app *app, mono_t now, const struct proxy_port *pp,
	const struct gm_msg *msg, uint64_t members)
{
	struct app_quality *q = app->quality;

	if (!q || msg->kind != GM_REPORT || pp->role != CONFIG_ROLE_DOWNSTREAM)
		return;
	for (size_t i = 0; i < msg->n_rec && i < 64; i++) {
		const struct gm_record *rec = &msg->rec[i];
		bool member = members >> i & 1;
		enum says says = what_says(msg, rec);

		/* without the group the report was refused */
		if (says == SAYS_JOIN && mgroup_find(&pp->groups, &rec->group))
			joins(q, pp, msg, rec, member);
		else if (says == SAYS_LEAVE && member)
			leaves(q, pp, msg, rec);
	}
	app_quality_stir(app, now);
}

void app_quality_sent(struct app *app, const struct effect *e)
{
	struct app_quality *q = app->quality;
	mono_t at = mono_add_ms(view_system_now(app), e->report.delay_ms);

	for (size_t i = 0; q && q->zaps.n_pending && i < e->report.n_rec; i++) {
		const struct gm_record *rec = &e->report.rec[i];
		struct gm_msg msg = {.version = e->report.version};

		if (what_says(&msg, rec) == SAYS_JOIN)
			zaps_sent(&q->zaps, at, &rec->group);
	}
}

static void latest(void *arg, const struct quality_view *v)
{
	mono_t *last = arg;

	*last = mono_max(*last, v->last);
}

void app_quality_gone(struct app *app, unsigned port, const struct addr *group)
{
	struct app_quality *q = app->quality;
	mono_t last = MONO_UNSET;

	if (!q || !zaps_is_leaving(&q->zaps, port, group))
		return;
	dataplane_quality(app->dp, group, latest, &last);
	zaps_gone(&q->zaps, view_system_now(app), port, group, last);
}

void app_quality_ended(struct app *app, const struct addr *group)
{
	if (app->quality)
		dataplane_quality_restart(app->dp, group);
}

/* ---- life ---- */

#define MEMORY_MAX (8u << 20)
#define MEMORY_MIN (256u << 10)

/* Returns the configured size, or else the 256th part of the machine's memory, within
 * limits. */
static size_t wanted_memory(const struct app *app)
{
	uint64_t part = app->memory / 256;

	if (app->cfg->quality_memory)
		return app->cfg->quality_memory;
	if (app->memory == 0 || part > MEMORY_MAX)
		return MEMORY_MAX;
	return part < MEMORY_MIN ? MEMORY_MIN : (size_t)part;
}

int app_quality_new(struct app *app, uint64_t seed)
{
	struct app_quality *q;
	int r;

	if (app->cfg->quality == CONFIG_QUALITY_OFF)
		return 0;
	q = calloc(1, sizeof(*q));
	if (!q)
		return -ENOMEM;
	q->app = app;
	q->due = MONO_NEVER;
	q->limit = LOG_LIMIT(10, 6000);
	r = stream_log_new(seed, wanted_memory(app), &q->log);
	if (r < 0) {
		free(q);
		return r;
	}
	zaps_init(&q->zaps, seed ^ 1);
	app->quality = q;
	return 0;
}

void app_quality_free(struct app *app)
{
	struct app_quality *q = take_ptr(app->quality);

	if (!q)
		return;
	q->log = stream_log_free(q->log);
	zaps_deinit(&q->zaps);
	free(q->view);
	free(q);
}

void app_quality_reload(struct app *app)
{
	if (app->quality)
		stream_log_set_memory(app->quality->log, wanted_memory(app));
}

const struct stream_log *view_streams(const struct app *app)
{
	return app->quality ? app->quality->log : NULL;
}

const struct zaps *view_zaps(const struct app *app)
{
	return app->quality ? &app->quality->zaps : NULL;
}

mono_t view_system_now(const struct app *app)
{
	return loop_system_now(app->loop);
}

/* ---- live upgrade ---- */

static const char *name_of_port(void *ctx, unsigned port)
{
	const struct app *app = ctx;
	const struct proxy_port *pp = app->instances->port[port];

	return pp ? pp->name : NULL;
}

static int port_of(void *ctx, const char *name)
{
	const struct app *app = ctx;
	const struct proxy_port *pp = proxy_port_named(app->instances->port, name);

	return pp ? (int)pp->port : -1;
}

void app_quality_export(struct app *app, struct state_out *o)
{
	struct app_quality *q = app->quality;
	size_t at;

	if (!q)
		return;
	/* the last moments: the threads have stopped, and their views are complete */
	read_views(q);
	while (q->next_view < q->n_views)
		(void)judge_stream(q, &q->view[q->next_view++]);
	at = state_begin(o, TAG_LOG);
	stream_log_export(q->log, o, name_of_port, app);
	state_end(o, at);
	at = state_begin(o, TAG_ZAPS);
	zaps_export(&q->zaps, o, name_of_port, app);
	state_end(o, at);
	proxy_ports_for_each (app->instances->port, pp) {
		at = state_begin(o, TAG_RING);
		state_put_text(o, pp->name);
		state_put_u64(o, q->n_ring_drops[pp->port]);
		state_end(o, at);
	}
}

/* Takes over the last count of drops of a ring. The counters of the rings continue
 * across the upgrade, so without it the first comparison would be wrong. */
static int import_ring(struct app_quality *q, struct state_in *in)
{
	char name[IFNAMSIZ];
	uint64_t n;
	int port;

	state_get_text(in, name, sizeof(name));
	n = state_get_u64(in);
	if (state_is_bad(in))
		return -EINVAL;
	port = port_of(q->app, name);
	if (port >= 0)
		q->n_ring_drops[port] = n;
	return 0;
}

void app_quality_import(struct app *app, struct state_in *in)
{
	struct app_quality *q = app->quality;
	mono_t now = view_system_now(app);
	struct state_in section;
	uint32_t tag;
	int r = 0;

	while (q && r == 0 && state_get_section(in, &tag, &section)) {
		if (tag == TAG_LOG)
			r = stream_log_import(q->log, now, &section, port_of, app);
		else if (tag == TAG_ZAPS)
			r = zaps_import(&q->zaps, now, &section, port_of, app);
		else if (tag == TAG_RING)
			r = import_ring(q, &section);
	}
	if (r < 0 || state_is_bad(in))
		log_warn("the quality of streams that was handed over is damaged: what "
			 "could not be read is missing");
	app_quality_stir(app, loop_now(app->loop));
}
