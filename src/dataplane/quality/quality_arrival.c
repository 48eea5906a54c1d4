/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * When datagrams come: gaps, outages, seconds with errors, the media delivery index of
 * RFC 4445. Time is cut into seconds from the first datagram on.
 *
 * The usual spacing is a running mean of the longest gap of each second, of which a new
 * second is an eighth. If a sender sends a burst per picture, it is the distance
 * between bursts. A gap counts in the second in which it ends. An outage does not
 * count, and a silent gap counts as three times the usual spacing at most. So one pause
 * changes little, but a pause in every second becomes usual.
 *
 * RFC 4445 takes the media rate as given. Here it is that of the last second without
 * silence, so the first second has no delay factor.
 */

#include "dataplane/quality/quality_arrival.h"

#include "base/minmax.h"
#include "dataplane/quality/quality_ts.h"

#define SILENT_TIMES  3
#define SILENT_MIN_NS (20 * NS_PER_MS)
#define OUTAGE_NS     NS_PER_SEC

static void start_arrival(struct quality *q, mono_t at)
{
	struct quality_arrival *a = &q->arrival;

	q->started = true;
	a->first = a->last = at;
	a->second_end = mono_add_ns(at, NS_PER_SEC);
	a->silent_ns = INT64_MAX;
	a->df_ns = a->df_max_ns = -1;
}

/* After quality_resume(). The usual spacing stays known. A fault of the second that was
 * cut short counts in the one that begins. */
static void arrival_resume(struct quality *q, mono_t at)
{
	struct quality_arrival *a = &q->arrival;

	q->rests = false;
	a->last = at;
	a->second_end = mono_add_ns(at, NS_PER_SEC);
	a->peak_ns = 0;
	a->second_bytes = 0;
	a->vb_min = a->vb_max = 0;
	a->silent = a->in_outage = false;
	q->rtp.begun = q->rtp.has_next = false;
	ts_resume(q, at);
}

static int64_t faults(const struct quality *q)
{
	const uint64_t *c = q->count;

	return (int64_t)(c[QUALITY_RTP_MISSING] - c[QUALITY_RTP_REORDERED] +
		c[QUALITY_MISFITS] + c[QUALITY_TS_CONTINUITY] +
		c[QUALITY_TS_SYNC_BYTES] + c[QUALITY_TS_TRANSPORT_ERRORS]);
}

static uint64_t media_lost(const struct quality *q)
{
	return q->kind == QUALITY_TS ? q->count[QUALITY_TS_MISSING]
				     : q->count[QUALITY_RTP_MISSING];
}

static void learn_spacing(struct quality_arrival *a)
{
	int64_t peak = a->peak_ns;

	if (peak == 0)
		return;
	if (a->usual_ns == 0)
		a->usual_ns = peak;
	a->usual_ns += (min(peak, SILENT_TIMES * a->usual_ns) - a->usual_ns) / 8;
	a->silent_ns = SILENT_TIMES * a->usual_ns;
	a->silent_ns = max(a->silent_ns, SILENT_MIN_NS);
}

/* RFC 4445 3 */
static void delivery_index(struct quality *q)
{
	struct quality_arrival *a = &q->arrival;
	uint64_t lost = media_lost(q);

	a->mlr = lost > a->loss_before ? lost - a->loss_before : 0;
	a->loss_before = lost;
	a->mlr_max = max(a->mlr_max, a->mlr);
	if (a->ns_per_byte > 0 && a->second_bytes) {
		a->df_ns = (int64_t)(a->vb_max - a->vb_min);
		a->df_max_ns = max(a->df_max_ns, a->df_ns);
	}
	if (a->second_bytes && !a->silent)
		a->ns_per_byte = 1e9 / (double)a->second_bytes;
	a->rate = a->second_bytes;
}

/* How many of the n seconds, the first of which ends at second_end and the last not
 * after `now`, contain a moment at which the outage had already lasted for OUTAGE_NS?
 * These are always the last ones. */
static int64_t seconds_out(const struct quality_arrival *a, int64_t n, mono_t now)
{
	int64_t from = a->last.ns + OUTAGE_NS - a->second_end.ns, before;

	if (now.ns <= a->last.ns + OUTAGE_NS)
		return 0;
	before = from < 0 ? 0 : from / NS_PER_SEC + 1;
	return before < n ? n - before : 0;
}

/* The seconds that end before `now` are over; the last datagram came in the first of
 * them, or before. */
static void close_seconds(struct quality *q, mono_t now)
{
	struct quality_arrival *a = &q->arrival;
	int64_t n = (now.ns - a->second_end.ns) / NS_PER_SEC + 1;
	int64_t out = seconds_out(a, n, now), now_faults = faults(q);
	bool error = a->error || now_faults > a->faults_before;

	quality_add(q, QUALITY_SECONDS, (uint64_t)n);
	quality_add(q, QUALITY_ERROR_SECONDS, (uint64_t)out + (out < n && error));
	/* this includes a stream that has just become silent */
	if (a->second_end.ns - a->last.ns > min(a->silent_ns, OUTAGE_NS))
		a->silent = true;
	a->faults_before = now_faults;
	learn_spacing(a);
	delivery_index(q);
	if (n > 1) /* the last one was empty */
		a->rate = a->mlr = 0;
	a->second_end = mono_add_ns(a->second_end, n * NS_PER_SEC);
	a->peak_ns = 0;
	a->second_bytes = 0;
	a->vb_min = a->vb_max = 0;
	a->silent = a->error = false;
}

/* An outage counts as soon as it is one. */
static void outage(struct quality *q)
{
	struct quality_arrival *a = &q->arrival;

	a->error = a->silent = true;
	quality_add(q, QUALITY_OUTAGES, !a->in_outage);
	a->in_outage = true;
}

static bool pass_time(struct quality *q, mono_t now)
{
	bool complete = now.ns >= q->arrival.second_end.ns;

	if (complete) {
		close_seconds(q, now);
		ts_until(q, now);
	}
	return complete;
}

bool quality_arrived(struct quality *q, mono_t at)
{
	struct quality_arrival *a = &q->arrival;
	bool complete;
	int64_t gap;

	if (!q->started)
		start_arrival(q, at);
	if (q->rests)
		arrival_resume(q, at);
	if (mono_before(at, a->last)) {
		quality_add(q, QUALITY_TIME_STEPS, 1);
		at = a->last;
	}
	complete = pass_time(q, at);
	gap = at.ns - a->last.ns;
	a->gap_max_ns = max(a->gap_max_ns, gap);
	if (gap > OUTAGE_NS) {
		outage(q);
	} else if (gap > a->silent_ns) {
		a->silent = true;
		quality_add(q, QUALITY_SILENT_GAPS, 1);
	}
	if (gap > a->peak_ns && gap <= OUTAGE_NS)
		a->peak_ns = gap;
	a->in_outage = false;
	a->last = at;
	return complete;
}

void quality_arrival_media(struct quality *q, size_t media)
{
	struct quality_arrival *a = &q->arrival;
	double t = (double)(a->last.ns - a->second_end.ns + NS_PER_SEC);
	double before = (double)a->second_bytes * a->ns_per_byte - t, after;

	quality_add(q, QUALITY_MEDIA_BYTES, media);
	a->second_bytes += media;
	after = (double)a->second_bytes * a->ns_per_byte - t;
	a->vb_min = min(a->vb_min, before);
	a->vb_max = max(a->vb_max, after);
}

bool quality_until(struct quality *q, mono_t now)
{
	bool complete;
	int64_t gap;

	if (!q->started || q->rests || mono_before(now, q->arrival.last))
		return false;
	complete = pass_time(q, now);
	gap = now.ns - q->arrival.last.ns;
	q->arrival.gap_max_ns = max(q->arrival.gap_max_ns, gap);
	if (gap > OUTAGE_NS)
		outage(q);
	ts_until(q, now);
	return complete;
}
