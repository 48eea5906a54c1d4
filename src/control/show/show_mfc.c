/* SPDX-License-Identifier: GPL-2.0-or-later */

/* "show mfc", see show.h: the forwarding table. */

#include "control/show/show_mfc.h"

#include "base/cleanup.h"
#include "control/quality/stream_log.h"
#include "control/show/show.h"
#include "control/show/show_answer.h"
#include "control/show/show_wanted.h"
#include "control/show/view.h"

#include <stdlib.h>
#include <time.h>

struct mfc_answer {
	struct show_answer a;
	struct fib_cursor at;
	struct show_wanted wanted;
	int work;
};

static json_t *rate_json(bool known, uint64_t per_second)
{
	return known ? json_integer((json_int_t)per_second) : json_null();
}

/* {"source", "in"} of a datagram that must not be sent from there, or null */
static json_t *refused_json(struct app *app, const struct fib_view *v)
{
	const struct proxy_port *pp;
	struct refusal r;

	if (!view_refused_sender(app, v, &r))
		return json_null();
	pp = view_instances(app)->port[r.port];
	return json_pack("{so so}", "source", json_of_addr(&r.from), "in",
		pp ? json_of_text(pp->name) : json_null());
}

/* Returns null if there was no datagram, or if the clock was set back. */
static json_t *idle_json(const struct fib_view *v)
{
	int32_t age = fib_age_s(v, (uint64_t)time(NULL));

	return age < 0 ? json_null() : json_integer(age);
}

/* Says where the faults of its streams are at present; null if none is known. */
static json_t *quality_json(const struct app *app, const struct fib_view *v)
{
	const struct stream_log *log = view_streams(app);
	enum stream_place place = log && v->seen
		? stream_log_worst(log, &v->group, &v->last_source)
		: STREAM_UNKNOWN;

	return place == STREAM_UNKNOWN ? json_null()
				       : json_string(stream_place_name(place));
}

unsigned show_count_members(const struct app *app, const struct fib_view *v)
{
	unsigned n = 0;

	portset_for_each (&v->out, port) {
		const struct proxy_port *pp = view_instances(app)->port[port];
		const struct mgroup *g = pp && pp->role == CONFIG_ROLE_DOWNSTREAM
			? mgroup_find(&pp->groups, &v->group)
			: NULL;

		if (g)
			n += g->n_host ? (unsigned)g->n_host : 1;
	}
	return n;
}

json_t *show_mfc_entry(struct app *app, const struct fib_view *v, const struct rate *r)
{
	bool any_source = addr_is_any(&v->source);
	const struct proxy_port *in = v->seen && v->last_port < PORT_MAX
		? view_instances(app)->port[v->last_port]
		: NULL;

	return json_pack("{ss so so so so so so sI sI sI so so so so so}", "instance",
		instances_name(view_instances(app), v->instance), "group",
		json_of_addr(&v->group), "channel",
		show_channel(app, &v->group, v->seen ? &v->last_source : &v->source),
		"origin", any_source ? json_string("*") : json_of_addr(&v->source),
		"last_source", v->seen ? json_of_addr(&v->last_source) : json_null(),
		"in", in ? json_of_text(in->name) : json_null(), "out",
		show_ports(app, &v->out), "packets", (json_int_t)v->packets, "bytes",
		(json_int_t)v->bytes, "wrong", (json_int_t)v->wrong, "packets_per_s",
		rate_json(r->known, r->packets), "bytes_per_s",
		rate_json(r->known, r->bytes), "idle_s", idle_json(v), "refused",
		refused_json(app, v), "quality", quality_json(app, v));
}

struct rate show_rate_of(struct app *app, const struct fib_view *v)
{
	return rate_of(&view_memory(app)->rates, v->instance, &v->source, &v->group,
		v->packets, v->bytes);
}

json_t *show_rate_interval(struct app *app)
{
	int64_t ms = view_memory(app)->rates.interval_ms;

	return ms ? json_integer(ms) : json_null();
}

/* ---- a reading of all counters ---- */

static void read_rate(const struct fib_view *v, void *arg)
{
	show_rate_of(arg, v);
}

bool show_rates_ready(struct app *app, struct show_rates *r)
{
	struct fib *fib = dataplane_fib(view_dataplane(app));
	struct view_memory *m = view_memory(app);

	if (r->ready)
		return true;
	if (!r->waiting && m->n_reading == 0)
		m->reading = (struct fib_cursor){
			.end = !rate_begin(&m->rates, view_now(app), fib_size(fib))};
	m->n_reading += !r->waiting;
	r->waiting = true;
	for (int work = SHOW_WORK; !m->reading.end && work > 0; work--)
		fib_step(fib, &m->reading, read_rate, app);
	if (!m->reading.end)
		return false;
	rate_end(&m->rates);
	r->ready = true;
	show_rates_leave(app, r);
	return true;
}

void show_rates_leave(struct app *app, struct show_rates *r)
{
	struct view_memory *m = view_memory(app);

	if (!r->waiting)
		return;
	r->waiting = false;
	/* drops a reading whose counters would be of two different times */
	if (--m->n_reading == 0 && !m->reading.end)
		rate_abandon(&m->rates);
}

/* ---- the table ---- */

/* An address is that of the source, an interface one that the stream comes from or is
 * sent to. */
static bool show_mfc_is_wanted(struct mfc_answer *m, const struct fib_view *v)
{
	const struct show_wanted *w = &m->wanted;
	struct refusal r;
	bool refused;

	if (!show_wants_group(w, &v->group))
		return false;
	refused =
		(w->has_address || w->has_port) && view_refused_sender(m->a.app, v, &r);
	return (show_wants_address(w, v->seen ? &v->last_source : &v->source) ||
		       show_wants_address(w, &v->source) ||
		       (refused && show_wants_address(w, &r.from))) &&
		(!w->has_port || portset_has(&v->out, w->port) ||
			(v->seen && v->last_port == w->port) ||
			(refused && r.port == w->port));
}

static void mfc_entry(const struct fib_view *v, void *arg)
{
	struct mfc_answer *m = arg;
	struct rate r;

	if (!show_mfc_is_wanted(m, v))
		return;
	r = show_rate_of(m->a.app, v);
	show_item(&m->a, show_mfc_entry(m->a.app, v, &r));
	m->work -= SHOW_ROW + (int)portset_count(&v->out);
}

static int show_mfc_piece(struct ctl_answer *answer)
{
	struct mfc_answer *m = container_of(answer, struct mfc_answer, a.answer);
	struct app *app = m->a.app;

	if (!show_rates_ready(app, &m->a.rates))
		return 1;
	if (show_first(&m->a)) {
		show_open(&m->a,
			json_pack("{so so}", "rate_interval_ms",
				show_rate_interval(app), "refused_senders",
				view_refused_senders(app)));
		show_begin(&m->a, ",\"mfc\":[");
	}
	for (m->work = SHOW_WORK; !m->at.end && m->work > 0; m->work--)
		fib_step(dataplane_fib(view_dataplane(app)), &m->at, mfc_entry, m);
	if (!m->at.end)
		return 1;
	show_end(&m->a, "]}");
	return 0;
}

json_t *show_mfc(void *ctx, const char *args, struct ctl_answer **ret)
{
	static const struct ctl_answer_ops ops = {show_mfc_piece, show_answer_closed};
	struct mfc_answer *m = show_answer_new(ctx, &ops, sizeof(*m), ret);

	if (!m)
		return NULL;
	return show_answer_refused(show_wanted_read(ctx, args, &m->wanted), ret);
}
