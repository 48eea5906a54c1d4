/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * "show quality" and "show zaps", see show.h: the quality of each stream, and how long
 * hosts wait.
 *
 * Request: show quality [since SECONDS] [blocks N] [FILTER]
 */

#include "base/cleanup.h"
#include "base/minmax.h"
#include "build_config.h"
#include "control/config/config_text.h"
#include "control/quality/stream_log.h"
#include "control/quality/zaps.h"
#include "control/show/show.h"
#include "control/show/show_answer.h"
#include "control/show/show_wanted.h"

#include <stdlib.h>
#include <string.h>

#define SINCE_DEFAULT_S 3600
#define SINCE_MIN_S	60
#define SINCE_MAX_S	(30 * 24 * 3600)
#define BLOCKS_MAX	240

struct quality_answer {
	struct show_answer a;
	struct show_wanted wanted;
	uint32_t since_s, blocks;
	struct quality_stream *key; /* of all streams when it began; a.owned */
	size_t n, next;
	unsigned block;	 /* of the row that is being written */
	mono_t now, end; /* of the range: that of the present bucket */
};

/* ---- request ---- */

/* "since 7200": takes both words. Returns false if the number is wrong. */
static bool take_number(
	const char **args, const char *word, uint32_t max, uint32_t *ret)
{
	size_t n = strlen(word);
	const char *p = *args, *end;
	uint64_t v;

	if (strncmp(p, word, n) != 0 || p[n] != ' ')
		return true;
	p += n + strspn(p + n, " ");
	end = config_scan_number(p, &v);
	if (!end || v == 0 || v > max || (*end && *end != ' '))
		return false;
	*ret = (uint32_t)v;
	*args = end + strspn(end, " ");
	return true;
}

/* ---- rows ---- */

static json_t *ms_or_null(int64_t ns)
{
	return ns < 0 ? json_null() : json_real((double)ns / NS_PER_MS);
}

static json_t *sum_json(const struct history_sum *s)
{
	json_t *o = json_object();

	json_put_count(o, "seconds", s->judged);
	json_put_count(o, "provider_seconds", s->provider);
	json_put_count(o, "router_seconds", s->router);
	json_put_count(o, "lost", s->lost);
	json_put_count(o, "continuity", s->continuity);
	json_put_count(o, "gap_ms", s->gap_ms);
	json_put_count(o, "rate_bps", s->rate_bps);
	json_put_count(o, "viewers", s->viewers);
	json_object_set_new(
		o, "verdict", json_string(stream_place_name(stream_log_place(s))));
	return o;
}

static json_t *drop_json(const struct stream_verdict *v)
{
	return v->drop == STREAM_DROP_NONE ? json_null()
					   : json_string(stream_drop_name(v->drop));
}

/* The last fault, or null. */
static json_t *fault_json(const struct stream_entry *e, mono_t now)
{
	if (!mono_is_set(e->fault_at))
		return json_null();
	return json_pack("{ss so ss ss so sb so}", "verdict",
		stream_place_name(e->fault.place), "drop", drop_json(&e->fault), "text",
		e->fault.router		  ? stream_drop_text(e->fault.drop)
			: e->fault.silent ? "nothing arrived for more than a second"
					  : "it arrived with faults",
		"advice", e->fault.router ? stream_drop_advice(e->fault.drop) : "",
		"age_ms", json_integer(mono_ms_since(e->fault_at, now)), "lasts",
		(int)e->faulty, "since_ms",
		json_integer(mono_ms_since(e->faulty_since, now)));
}

static json_t *counters_json(const struct stream_entry *e)
{
	json_t *o = json_object();

	for (unsigned c = 0; c < _QUALITY_COUNT_N; c++)
		json_put_count(
			o, quality_count_name((enum quality_count)c), e->total[c]);
	return o;
}

/* What this router has dropped. For the ring it is the seconds in which the ring was to
 * blame. */
static json_t *dropped_json(const struct stream_entry *e)
{
	json_t *o = json_object();

	for (unsigned d = STREAM_DROP_NONE + 1; d < _STREAM_DROP_N; d++)
		if (e->dropped[d])
			json_put_count(o, stream_drop_name((enum stream_drop)d),
				e->dropped[d]);
	return o;
}

static void add_figures(json_t *o, const struct stream_entry *e, mono_t now)
{
	const struct quality_result *r = &e->result;

	json_object_set_new(o, "rate_bps", json_integer((json_int_t)r->rate_bps));
	json_object_set_new(o, "delay_factor_ms", ms_or_null(r->df_ns));
	json_object_set_new(o, "delay_factor_max_ms", ms_or_null(r->df_max_ns));
	json_object_set_new(o, "media_loss_rate", json_integer((json_int_t)r->mlr));
	json_object_set_new(
		o, "media_loss_rate_max", json_integer((json_int_t)r->mlr_max));
	json_object_set_new(o, "jitter_ms", ms_or_null(r->jitter_ns));
	json_object_set_new(o, "jitter_max_ms", ms_or_null(r->jitter_max_ns));
	json_object_set_new(o, "gap_max_ms", ms_or_null(e->gap_max_ns));
	json_object_set_new(o, "lost", json_integer((json_int_t)stream_entry_lost(e)));
	json_object_set_new(o, "full", json_integer((json_int_t)e->total_full));
	json_object_set_new(o, "light", json_integer((json_int_t)e->total_light));
	json_object_set_new(
		o, "fragments", json_integer((json_int_t)e->total_fragments));
	json_object_set_new(o, "idle_ms", json_of_ms_since(e->last, now));
	json_object_set_new(o, "known_ms", json_integer(mono_ms_since(e->first, now)));
}

static json_t *stream_row_json(
	const struct quality_answer *q, const struct stream_entry *e)
{
	const struct proxy_port *pp = view_instances(q->a.app)->port[e->stream.port];
	mono_t from = mono_add_ms(q->end, q->since_s * -INT64_C(1000));
	struct history_sum sum;
	json_t *o;

	history_range(&e->history, q->now, from, q->end, &sum);
	o = json_pack("{ss so so so si so ss sb si ss so so so so so}", "instance",
		pp ? show_instance(q->a.app, pp) : "", "group",
		json_of_addr(&e->stream.group), "channel",
		show_channel(q->a.app, &e->stream.group, &e->stream.source), "source",
		json_of_addr(&e->stream.source), "port", (int)e->stream.dport, "in",
		pp ? json_of_text(pp->name) : json_null(), "kind",
		quality_kind_name(e->kind), "wanted", (int)e->wanted, "viewers",
		(int)e->viewers, "verdict",
		stream_place_name(stream_entry_present(e)->place), "drop",
		drop_json(stream_entry_present(e)), "fault", fault_json(e, q->now),
		"range", sum_json(&sum), "dropped", dropped_json(e), "counters",
		counters_json(e));
	add_figures(o, e, q->now);
	return o;
}

/* Block `i`, the oldest first; null if nothing was judged in it. */
static json_t *block_json(
	const struct quality_answer *q, const struct stream_entry *e, unsigned i)
{
	int64_t length = (int64_t)q->since_s * NS_PER_SEC / q->blocks;
	mono_t from = mono_add_ns(q->end, ((int64_t)i - q->blocks) * length);
	struct history_sum sum;

	history_range(&e->history, q->now, from, mono_add_ns(from, length), &sum);
	return sum.judged ? sum_json(&sum) : json_null();
}

static bool show_quality_is_wanted(
	const struct quality_answer *q, const struct quality_stream *s)
{
	return show_wants_group(&q->wanted, &s->group) &&
		show_wants_address(&q->wanted, &s->source) &&
		show_wants_port(&q->wanted, s->port);
}

/* A row, or the next part of its blocks. Returns the work. */
static int write_row(struct quality_answer *q)
{
	const struct stream_log *log = view_streams(q->a.app);
	const struct stream_entry *e = stream_log_find(log, &q->key[q->next]);
	int work = SHOW_ROW;

	/* a row that has been begun is completed, without the rest of its blocks */
	if (!e && q->block == 0) {
		q->next++;
		return 1;
	}
	if (q->block == 0) {
		show_open(&q->a, stream_row_json(q, e));
		show_begin(&q->a, ",\"blocks\":[");
		work += SHOW_ROW;
	}
	for (; e && q->block < q->blocks && work < SHOW_WORK / 2; work += SHOW_ROW)
		show_item(&q->a, block_json(q, e, q->block++));
	if (e && q->block < q->blocks)
		return work;
	show_end(&q->a, "]}");
	q->block = 0;
	q->next++;
	return work;
}

/* ---- pieces ---- */

static void show_quality_begin(struct quality_answer *q)
{
	struct quality_watch_stats s = {0};
	const struct stream_log *log = view_streams(q->a.app);
	const struct stream_entry *e = NULL;

	q->a.owned = q->key = calloc(stream_log_size(log) + 1, sizeof(*q->key));
	while (q->key && (e = stream_log_next(log, e)))
		if (show_quality_is_wanted(q, &e->stream))
			q->key[q->n++] = e->stream;
	dataplane_quality_stats(view_dataplane(q->a.app), &s);
	show_open(&q->a,
		json_pack("{ss sI sI sI sb sI sI sI sI sI}", "version",
			RINGCAST_VERSION, "since_ms", (json_int_t)q->since_s * 1000,
			"blocks", (json_int_t)q->blocks, "streams",
			(json_int_t)stream_log_size(log), "sampling", (int)s.sampling,
			"watched", (json_int_t)s.streams, "watched_max",
			(json_int_t)s.max, "full", (json_int_t)s.full, "light",
			(json_int_t)s.light, "unwatched", (json_int_t)s.unwatched));
	show_begin(&q->a, ",\"quality\":[");
}

static int show_quality_piece(struct ctl_answer *answer)
{
	struct quality_answer *q =
		container_of(answer, struct quality_answer, a.answer);

	if (show_first(&q->a))
		show_quality_begin(q);
	for (int work = SHOW_WORK; q->next < q->n && work > 0;)
		work -= write_row(q);
	if (q->next < q->n)
		return 1;
	show_end(&q->a, "]}");
	return 0;
}

/* A block has at least one bucket. */
static void set_range(struct quality_answer *q)
{
	uint32_t bucket_s;

	q->since_s = max(q->since_s, SINCE_MIN_S);
	q->now = view_system_now(q->a.app);
	q->end = history_end(q->now, q->since_s, &bucket_s);
	if (q->blocks > q->since_s / bucket_s)
		q->blocks = q->since_s / bucket_s;
}

json_t *show_quality(void *ctx, const char *args, struct ctl_answer **ret)
{
	static const struct ctl_answer_ops ops = {
		show_quality_piece, show_answer_closed};
	struct quality_answer *q;
	json_t *error;

	if (!view_streams(ctx))
		return ctl_error("the quality of streams is not measured: the "
				 "configuration says 'quality off'");
	q = show_answer_new(ctx, &ops, sizeof(*q), ret);
	if (!q)
		return NULL;
	q->since_s = SINCE_DEFAULT_S;
	if (!take_number(&args, "since", SINCE_MAX_S, &q->since_s) ||
		!take_number(&args, "blocks", BLOCKS_MAX, &q->blocks))
		error = ctl_error(
			"show quality takes: since SECONDS (to %u), blocks N (to %u), "
			"and a filter",
			SINCE_MAX_S, BLOCKS_MAX);
	else
		error = show_wanted_read(ctx, args, &q->wanted);
	set_range(q);
	return show_answer_refused(error, ret);
}

/* ---- zaps ---- */

struct zaps_answer {
	struct show_answer a;
	struct show_wanted wanted;
	size_t next;
	bool unnamed; /* addresses of hosts are left out */
};

static json_t *ms_after(mono_t t, mono_t asked)
{
	return mono_is_set(t) ? json_real((double)(t.ns - asked.ns) / NS_PER_MS)
			      : json_null();
}

static json_t *zap_json(const struct zaps_answer *z, const struct zap *zap)
{
	const struct proxy_port *pp = view_instances(z->a.app)->port[zap->port];
	struct addr any = addr_any(addr_family(&zap->group));
	mono_t now = view_system_now(z->a.app);

	return json_pack("{so so so so so sI sb so so so so}", "interface",
		pp ? json_of_text(pp->name) : json_null(), "group",
		json_of_addr(&zap->group), "channel",
		show_channel(z->a.app, &zap->group, &any), "host",
		z->unnamed ? json_null() : json_of_addr(&zap->host), "name",
		z->unnamed ? json_null()
			   : json_of_text(view_host_name(z->a.app, &zap->host)),
		"age_ms", (json_int_t)mono_ms_since(zap->asked, now), "done",
		(int)zap->done, "report_ms", ms_after(zap->sent, zap->asked),
		"first_ms", ms_after(zap->first, zap->asked), "pat_ms",
		ms_after(zap->pat, zap->asked), "random_access_ms",
		ms_after(zap->random, zap->asked));
}

static bool show_zap_is_wanted(const struct zaps_answer *z, const struct zap *zap)
{
	return show_wants_group(&z->wanted, &zap->group) &&
		show_wants_address(&z->wanted, &zap->host) &&
		show_wants_port(&z->wanted, zap->port);
}

static json_t *times_json(const struct zaps_times *t)
{
	json_t *buckets = json_array();

	for (unsigned i = 0; i < ZAPS_BUCKETS; i++)
		json_array_append_new(buckets, json_integer((json_int_t)t->bucket[i]));
	return json_pack("{sI sI so so}", "n", (json_int_t)t->n, "missed",
		(json_int_t)t->missed, "mean_ms",
		t->n ? json_real((double)t->sum_ms / (double)t->n) : json_null(),
		"buckets", buckets);
}

static json_t *lan_json(const struct proxy_port *pp, const struct zaps *zaps)
{
	json_t *o = json_pack("{so}", "interface", json_of_text(pp->name));

	for (unsigned w = 0; w < _ZAPS_WAIT_N; w++)
		json_object_set_new(o, zaps_wait_name((enum zaps_wait)w),
			times_json(&zaps->lan[pp->port][w]));
	return o;
}

static void show_zaps_begin(struct zaps_answer *z)
{
	json_t *bounds = json_array();

	for (unsigned i = 0; i < ZAPS_BUCKETS - 1; i++)
		json_array_append_new(bounds, json_integer(zaps_bound_ms[i]));
	show_open(&z->a,
		json_pack("{ss sI so}", "version", RINGCAST_VERSION, "total",
			(json_int_t)view_zaps(z->a.app)->n, "bounds_ms", bounds));
	show_begin(&z->a, ",\"zaps\":[");
}

static int show_zaps_piece(struct ctl_answer *answer)
{
	struct zaps_answer *z = container_of(answer, struct zaps_answer, a.answer);
	const struct zaps *zaps = view_zaps(z->a.app);
	const struct zap *zap;
	int work = SHOW_WORK;

	if (show_first(&z->a))
		show_zaps_begin(z);
	for (; work > 0 && (zap = zaps_recent(zaps, z->next)); work -= SHOW_ROW) {
		z->next++;
		if (show_zap_is_wanted(z, zap))
			show_item(&z->a, zap_json(z, zap));
	}
	if (work <= 0)
		return 1;
	show_end(&z->a, "]");
	show_begin(&z->a, ",\"lans\":[");
	proxy_ports_for_each (view_instances(z->a.app)->port, pp)
		if (pp->role == CONFIG_ROLE_DOWNSTREAM &&
			show_wants_port(&z->wanted, pp->port))
			show_item(&z->a, lan_json(pp, zaps));
	show_end(&z->a, "]}");
	return 0;
}

static json_t *zaps_new(
	void *ctx, const char *args, bool unnamed, struct ctl_answer **ret)
{
	static const struct ctl_answer_ops ops = {show_zaps_piece, show_answer_closed};
	struct zaps_answer *z;
	json_t *error;

	if (!view_zaps(ctx))
		return ctl_error(
			"zaps are not measured: the configuration says 'quality "
			"off'");
	z = show_answer_new(ctx, &ops, sizeof(*z), ret);
	if (!z)
		return NULL;
	z->unnamed = unnamed;
	error = show_wanted_read(ctx, args, &z->wanted);
	if (!error && unnamed && z->wanted.has_address)
		error = ctl_error("an address would tell what its host watches");
	return show_answer_refused(error, ret);
}

json_t *show_zaps(void *ctx, const char *args, struct ctl_answer **ret)
{
	return zaps_new(ctx, args, false, ret);
}

json_t *show_zaps_unnamed(void *ctx, const char *args, struct ctl_answer **ret)
{
	return zaps_new(ctx, args, true, ret);
}
