/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The metrics of streams and zaps in a scrape: the streams that were judged last, as
 * many as metrics-groups says, are copied at once, because they can change between two
 * slices. Then one family after the other is written.
 */

#include "control/show/scrape_priv.h"

#include "base/cleanup.h"
#include "base/minmax.h"
#include "control/quality/stream_log.h"
#include "control/quality/zaps.h"

#include <stdio.h>
#include <string.h>

#define STREAMS_PER_SLICE 256
#define LANS_PER_SLICE	  8

struct scrape_stream {
	struct quality_stream stream;
	char in[IFNAMSIZ];
	struct metrics_span labels;
	uint64_t place_seconds[_STREAM_PLACE_N];
	uint64_t missing, reordered, continuity, outages, media, faulty, viewers;
	int64_t delay_factor_ns;
};

static void copy_stream(struct scrape *s, const struct stream_entry *e)
{
	const struct proxy_port *pp = view_instances(s->app)->port[e->stream.port];
	struct scrape_stream *v = &s->stream[s->n_streams++];

	*v = (struct scrape_stream){.stream = e->stream,
		.missing = e->total[QUALITY_RTP_MISSING],
		.reordered = e->total[QUALITY_RTP_REORDERED],
		.continuity = e->total[QUALITY_TS_CONTINUITY],
		.outages = e->total[QUALITY_OUTAGES],
		.media = e->total[QUALITY_MEDIA_BYTES],
		.faulty = e->faulty,
		.viewers = e->viewers,
		.delay_factor_ns = e->result.df_ns};
	memcpy(v->place_seconds, e->place_seconds, sizeof(v->place_seconds));
	snprintf(v->in, sizeof(v->in), "%s", pp ? pp->name : "");
}

bool scrape_read_streams(struct scrape *s)
{
	const struct stream_log *log = view_streams(s->app);
	const struct stream_entry *e = NULL;
	size_t max = view_config(s->app)->metrics_groups;

	if (!log)
		return false;
	s->n_streams_known = stream_log_size(log);
	max = min(max, s->n_streams_known);
	s->stream = calloc(max + 1, sizeof(*s->stream));
	while (s->stream && s->n_streams < max && (e = stream_log_next(log, e)))
		copy_stream(s, e);
	return false;
}

/* ---- text ---- */

static void stream_labels(struct scrape *s, struct scrape_stream *v)
{
	char text[ADDR_STRLEN];

	if (v->labels.len) {
		metrics_labels_again(&s->m, v->labels);
		return;
	}
	metrics_label(&s->m, "group", addr_format(&v->stream.group, text));
	metrics_label(&s->m, "source", addr_format(&v->stream.source, text));
	metrics_label_uint(&s->m, "port", v->stream.dport);
	metrics_label(&s->m, "interface", v->in);
	v->labels = metrics_labels(&s->m);
}

static void stream_seconds(struct scrape *s, struct scrape_stream *v)
{
	for (unsigned p = STREAM_UNKNOWN + 1; p < _STREAM_PLACE_N; p++) {
		metrics_sample(&s->m);
		stream_labels(s, v);
		metrics_label(
			&s->m, "verdict", stream_place_name((enum stream_place)p));
		metrics_uint(&s->m, v->place_seconds[p]);
	}
}

static void stream_delay_factor(struct scrape *s, struct scrape_stream *v)
{
	if (v->delay_factor_ns < 0)
		return;
	metrics_sample(&s->m);
	stream_labels(s, v);
	metrics_ns(&s->m, (uint64_t)v->delay_factor_ns);
}

#define STREAM(member) offsetof(struct scrape_stream, member)

static const struct {
	enum metric id;
	size_t offset; /* of the number to write, if `write` is NULL */
	void (*write)(struct scrape *s, struct scrape_stream *v);
} stream_family[] = {
	{METRIC_STREAM_SECONDS, 0, stream_seconds},
	{METRIC_STREAM_FAULTY, STREAM(faulty), NULL},
	{METRIC_STREAM_VIEWERS, STREAM(viewers), NULL},
	{METRIC_STREAM_MISSING, STREAM(missing), NULL},
	{METRIC_STREAM_REORDERED, STREAM(reordered), NULL},
	{METRIC_STREAM_CONTINUITY, STREAM(continuity), NULL},
	{METRIC_STREAM_OUTAGES, STREAM(outages), NULL},
	{METRIC_STREAM_MEDIA, STREAM(media), NULL},
	{METRIC_STREAM_DELAY_FACTOR, 0, stream_delay_factor},
};

bool scrape_write_streams(struct scrape *s)
{
	size_t per_family = (s->n_streams + STREAMS_PER_SLICE - 1) / STREAMS_PER_SLICE;
	size_t k = per_family ? s->part / per_family : s->part;
	size_t i = per_family ? s->part % per_family * STREAMS_PER_SLICE : 0;
	size_t end = i + STREAMS_PER_SLICE;

	if (k >= array_len(stream_family))
		return false;
	if (i == 0)
		metrics_begin(&s->m, stream_family[k].id);
	for (; i < end && i < s->n_streams; i++) {
		struct scrape_stream *v = &s->stream[i];
		uint64_t n;

		if (stream_family[k].write) {
			stream_family[k].write(s, v);
			continue;
		}
		memcpy(&n, (const char *)v + stream_family[k].offset, sizeof(n));
		metrics_sample(&s->m);
		stream_labels(s, v);
		metrics_uint(&s->m, n);
	}
	return true;
}

/* ---- zaps ---- */

/* A LAN without any zap has no histogram. */
static void zap_lan(struct scrape *s, const struct scrape_port *p)
{
	const struct zaps_times *t = view_zaps(s->app)->lan[p->number];
	double bound_s[ZAPS_BUCKETS - 1];

	for (unsigned i = 0; i < ZAPS_BUCKETS - 1; i++)
		bound_s[i] = zaps_bound_ms[i] / 1e3;
	for (unsigned w = 0; w < _ZAPS_WAIT_N; w++) {
		const char *const labels[] = {"interface", p->name, "wait",
			zaps_wait_name((enum zaps_wait)w), NULL};

		if (t[w].n > 0)
			metrics_histogram(&s->m, labels, t[w].bucket, bound_s,
				ZAPS_BUCKETS, t[w].sum_ms * (uint64_t)NS_PER_MS);
	}
}

bool scrape_write_zaps(struct scrape *s)
{
	unsigned i = s->part * LANS_PER_SLICE, end = i + LANS_PER_SLICE;

	if (i == 0)
		metrics_begin(&s->m, METRIC_ZAP);
	for (; view_zaps(s->app) && i < end && i < s->n_ports; i++)
		if (s->port[i].role == CONFIG_ROLE_DOWNSTREAM)
			zap_lan(s, &s->port[i]);
	return end < s->n_ports;
}
