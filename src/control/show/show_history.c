/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * What the page shows of the last 24 hours, see show.h: viewers over time, the most
 * watched groups, and faults. The streams are added group by group, in several pieces;
 * the answer is written at the end.
 */

#include "base/cleanup.h"
#include "base/sys/clock.h"
#include "control/quality/stream_day.h"
#include "control/show/show.h"
#include "control/show/show_answer.h"

#include <limits.h>
#include <stdlib.h>

#define BLOCK	    15 /* minutes */
#define N_BLOCKS    (HISTORY_MINUTES_MAX / BLOCK)
#define NO_INSTANCE UINT_MAX

struct history_key {
	struct quality_stream stream;
	unsigned instance;
};

struct history_answer {
	struct show_answer a;
	struct stream_day day;
	struct history_key *key; /* of all streams when it began, by group; a.owned */
	size_t n, next;
	mono_t now, started; /* of CLOCK_MONOTONIC */
	int64_t unix_ms;     /* of `now` */
};

static int by_group(const void *a, const void *b)
{
	const struct history_key *x = a, *y = b;
	int r = addr_cmp(&x->stream.group, &y->stream.group);

	return r ? r : (x->instance > y->instance) - (x->instance < y->instance);
}

/* A stream whose port has gone counts as one of an instance by itself. */
static struct history_key history_key_of(
	const struct app *app, const struct quality_stream *s)
{
	const struct proxy_port *pp = view_instances(app)->port[s->port];

	return (struct history_key){
		.stream = *s, .instance = pp ? pp->proxy->instance : NO_INSTANCE};
}

static void show_history_begin(struct history_answer *h)
{
	const struct stream_log *log = view_streams(h->a.app);
	const struct stream_entry *e = NULL;
	struct app *app = h->a.app;

	h->now = view_system_now(app);
	h->started = mono_add_ns(h->now, view_started(app).ns - view_now(app).ns);
	h->unix_ms = clock_ns(CLOCK_REALTIME) / NS_PER_MS;
	stream_day_begin(&h->day, h->now);
	h->a.owned = h->key = calloc(stream_log_size(log) + 1, sizeof(*h->key));
	if (!h->key) {
		h->a.answer.failed = true;
		return;
	}
	while ((e = stream_log_next(log, e)))
		h->key[h->n++] = history_key_of(app, &e->stream);
	qsort(h->key, h->n, sizeof(*h->key), by_group);
}

/* ---- writing ---- */

/* Returns null for a time when the daemon did not run yet. */
static json_t *show_viewers(const struct history_answer *h, unsigned block)
{
	int64_t minutes = (int64_t)(block + 1) * BLOCK - HISTORY_MINUTES_MAX;

	if (mono_before(mono_add_ms(h->day.end, minutes * 60000), h->started))
		return json_null();
	return json_integer(stream_day_viewers(&h->day, block * BLOCK, BLOCK));
}

static json_t *show_watched(
	const struct history_answer *h, const struct stream_day_watched *w)
{
	const char *instance = w->instance == NO_INSTANCE
		? ""
		: instances_name(view_instances(h->a.app), w->instance);

	return json_pack("{ss so so si sI}", "instance", instance, "group",
		json_of_addr(&w->group), "channel",
		show_channel(h->a.app, &w->group, NULL), "viewers", (int)w->viewers,
		"viewer_minutes", (json_int_t)w->viewer_minutes);
}

static json_t *show_fault(
	const struct history_answer *h, const struct stream_day_fault *f)
{
	const struct proxy_port *pp = view_instances(h->a.app)->port[f->stream.port];
	int64_t ago_ms = mono_ms_since(f->begin, h->now);
	json_t *o = json_pack("{sI sI so so so si so ss}", "unix_ms",
		(json_int_t)(h->unix_ms - ago_ms), "minutes",
		(json_int_t)((f->end.ns - f->begin.ns) / (60 * NS_PER_SEC)), "group",
		json_of_addr(&f->stream.group), "channel",
		show_channel(h->a.app, &f->stream.group, &f->stream.source), "source",
		json_of_addr(&f->stream.source), "port", (int)f->stream.dport, "in",
		pp ? json_of_text(pp->name) : json_null(), "verdict",
		stream_place_name(stream_log_place(&f->sum)));

	json_put_count(o, "provider_seconds", f->sum.provider);
	json_put_count(o, "router_seconds", f->sum.router);
	json_put_count(o, "lost", f->sum.lost);
	json_put_count(o, "continuity", f->sum.continuity);
	json_put_count(o, "gap_ms", f->sum.gap_ms);
	return o;
}

static void write_history(struct history_answer *h)
{
	const struct stream_day *d = &h->day;

	show_open(&h->a,
		json_pack("{sI si sI}", "unix_ms", (json_int_t)h->unix_ms,
			"block_minutes", BLOCK, "forgotten",
			(json_int_t)d->n_forgotten));
	show_begin(&h->a, ",\"viewers\":[");
	for (unsigned i = 0; i < N_BLOCKS; i++)
		show_item(&h->a, show_viewers(h, i));
	show_end(&h->a, "]");
	show_begin(&h->a, ",\"watched\":[");
	for (size_t i = 0; i < d->n_watched; i++)
		show_item(&h->a, show_watched(h, &d->watched[i]));
	show_end(&h->a, "]");
	show_begin(&h->a, ",\"faults\":[");
	for (size_t i = 0; i < d->n_faults; i++)
		show_item(&h->a, show_fault(h, &d->fault[i]));
	show_end(&h->a, "]}");
}

/* ---- pieces ---- */

static int show_history_piece(struct ctl_answer *answer)
{
	struct history_answer *h =
		container_of(answer, struct history_answer, a.answer);
	const struct stream_log *log = view_streams(h->a.app);

	/* sorting thousands of streams is a piece by itself */
	if (show_first(&h->a)) {
		show_history_begin(h);
		return 1;
	}
	for (int work = SHOW_WORK; h->next < h->n && work > 0; work -= SHOW_ROW) {
		const struct history_key *k = &h->key[h->next++];
		const struct stream_entry *e = stream_log_find(log, &k->stream);

		if (e)
			stream_day_add(&h->day, e, k->instance);
	}
	if (h->next < h->n)
		return 1;
	stream_day_end(&h->day);
	write_history(h);
	return 0;
}

json_t *show_history(void *ctx, const char *args, struct ctl_answer **ret)
{
	static const struct ctl_answer_ops ops = {
		show_history_piece, show_answer_closed};

	if (!view_streams(ctx))
		return ctl_error("the quality of streams is not measured: the "
				 "configuration says 'quality off'");
	(void)show_answer_new(ctx, &ops, sizeof(struct history_answer), ret);
	return NULL;
}
