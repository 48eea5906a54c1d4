/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Finds the kind of each datagram of a stream, and passes its parts to the analysers of
 * arrival, RTP and MPEG-TS. See quality.h.
 *
 * A stream begins as unknown. MPEG-TS is recognised in one datagram, by its sync bytes.
 * Other RTP needs two datagrams with one SSRC and consecutive numbers, because a
 * quarter of all data looks like a header (RFC 3550 A.1, MIN_SEQUENTIAL). The kind
 * changes when 16 datagrams in a row are not of that kind.
 */

#include "dataplane/quality/quality.h"

#include "base/cleanup.h"
#include "base/minmax.h"
#include "dataplane/quality/quality_arrival.h"
#include "dataplane/quality/quality_rtp.h"
#include "dataplane/quality/quality_ts.h"

#include <assert.h>

#define MISFITS_MAX 16

static_assert(sizeof(struct quality) <= 4608, "the size that quality.h promises");

void quality_init(struct quality *q)
{
	*q = (struct quality){0};
}

struct datagram {
	const uint8_t *p;
	size_t captured, len;
	mono_t at;
};

static bool is_whole(const struct datagram *d)
{
	return d->captured == d->len;
}

/* Packet size of MPEG-TS in RTP, or 0. */
static unsigned rtp_ts_size(const struct datagram *d, const struct rtp_head *h)
{
	size_t captured = d->captured > h->offset ? d->captured - h->offset : 0;

	if (h->type != RTP_TS)
		return 0;
	/* without what pads it */
	return ts_size(d->p + h->offset, min(captured, h->len), h->len);
}

/* If the padding was not captured, the length is not a multiple of the packet size. */
static bool begin_rtp_ts(
	struct quality *q, const struct datagram *d, const struct rtp_head *h)
{
	unsigned size = rtp_ts_size(d, h);

	if (!size)
		return false;
	q->kind = QUALITY_RTP_TS;
	ts_begin(q, size, d->at);
	return true;
}

/* Handles a datagram of an unknown stream. Returns true if the kind is now known. */
static bool recognise(struct quality *q, const struct datagram *d)
{
	struct quality_rtp *r = &q->rtp;
	unsigned size = d->captured ? ts_size(d->p, d->captured, d->len) : 0;
	struct rtp_head h;
	bool second;

	if (size) {
		q->kind = QUALITY_TS;
		ts_begin(q, size, d->at);
		return true;
	}
	if (!rtp_parse(d->p, d->captured, d->len, &h) || h.control) {
		r->has_next = false;
		return false;
	}
	second = r->has_next && h.ssrc == r->next_ssrc && h.seq == r->next;
	if (begin_rtp_ts(q, d, &h)) {
		r->begun = false;
		return true;
	}
	r->has_next = true;
	r->next_ssrc = h.ssrc;
	r->next = (uint16_t)(h.seq + 1);
	if (!second)
		return false;
	q->kind = rtp_is_fec(d->p, d->captured, &h) ? QUALITY_FEC : QUALITY_RTP;
	h.seq--; /* the first of the two, so that this one is the next */
	rtp_begin(q, &h);
	return true;
}

static void misfit(struct quality *q, mono_t at)
{
	quality_add(q, QUALITY_MISFITS, 1);
	if (++q->misfits < MISFITS_MAX)
		return;
	ts_until(q, at);
	q->misfits = 0;
	q->kind = QUALITY_UNKNOWN;
	q->rtp.has_next = false;
	quality_add(q, QUALITY_KIND_CHANGES, 1);
}

/* Handles MPEG-TS that begins `offset` bytes into the datagram. Returns bytes of
 * media. */
static size_t put_ts(
	struct quality *q, const struct datagram *d, size_t offset, size_t len)
{
	size_t media = len / q->ts.packet_size * TS_SIZE;

	if (!is_whole(d)) {
		ts_unseen(q, d->at);
		return media;
	}
	if (!ts_put(q, d->p + offset, len, d->at)) {
		misfit(q, d->at);
		return len;
	}
	q->misfits = 0;
	return media;
}

/* Handles a datagram of an RTP stream. Returns bytes of media. */
static size_t put_rtp(struct quality *q, const struct datagram *d)
{
	struct rtp_head h;
	enum rtp_place place;

	if (!rtp_parse(d->p, d->captured, d->len, &h)) {
		if (is_whole(d) || d->captured >= RTP_HLEN)
			misfit(q, d->at);
		else
			ts_unseen(q, d->at);
		return d->len;
	}
	if (h.control) {
		quality_add(q, QUALITY_RTP_CONTROL, 1);
		return 0;
	}
	place = rtp_put(q, &h, d->at);
	if (place == RTP_DUPLICATE)
		return 0;
	if (q->kind == QUALITY_RTP) {
		q->misfits = 0;
		if (place == RTP_LATE || place == RTP_ELSEWHERE ||
			!begin_rtp_ts(q, d, &h))
			return h.len;
		quality_add(q, QUALITY_KIND_CHANGES, 1);
	}
	if (place == RTP_LATE || place == RTP_ELSEWHERE)
		return h.len / q->ts.packet_size * TS_SIZE;
	if (h.type != RTP_TS) {
		ts_gap(q);
		misfit(q, d->at);
		return h.len;
	}
	return put_ts(q, d, h.offset, h.len);
}

static void put_fec(struct quality *q, const struct datagram *d)
{
	struct rtp_head h;

	if (is_whole(d) &&
		(!rtp_parse(d->p, d->captured, d->len, &h) ||
			(!h.control && !rtp_is_fec(d->p, d->captured, &h))))
		misfit(q, d->at);
	else
		q->misfits = 0;
}

bool quality_datagram(struct quality *q, const uint8_t *payload, size_t captured,
	size_t len, mono_t at)
{
	bool complete = quality_arrived(q, at);
	struct datagram d = {payload, captured, len, q->arrival.last};
	size_t media = len;

	quality_add(q, QUALITY_DATAGRAMS, 1);
	quality_add(q, QUALITY_BYTES, len);
	quality_add(q, QUALITY_TRUNCATED, captured < len);
	if (q->kind != QUALITY_UNKNOWN || recognise(q, &d)) {
		switch (q->kind) {
		case QUALITY_TS:
			media = put_ts(q, &d, 0, len);
			break;
		case QUALITY_RTP_TS:
		case QUALITY_RTP:
			media = put_rtp(q, &d);
			break;
		case QUALITY_FEC:
			put_fec(q, &d);
			break;
		case QUALITY_UNKNOWN:
		case _QUALITY_KIND_N:
			break;
		}
	}
	quality_arrival_media(q, media);
	return complete;
}

void quality_resume(struct quality *q)
{
	q->rests = q->started;
}

static int64_t jitter_ns(const struct quality_rtp *r, uint32_t jitter)
{
	return r->clock_rate ? (int64_t)(jitter / 16) * NS_PER_SEC / r->clock_rate : -1;
}

void quality_result(const struct quality *q, struct quality_result *ret)
{
	const struct quality_arrival *a = &q->arrival;

	*ret = (struct quality_result){
		.rtp_lost =
			q->count[QUALITY_RTP_MISSING] - q->count[QUALITY_RTP_REORDERED],
		.jitter_ns = jitter_ns(&q->rtp, q->rtp.jitter),
		.jitter_max_ns = jitter_ns(&q->rtp, q->rtp.jitter_max),
		.df_ns = a->df_ns,
		.df_max_ns = a->df_max_ns,
		.mlr = a->mlr,
		.mlr_max = a->mlr_max,
		.rate_bps = a->rate * 8,
		.length_ns = a->last.ns - a->first.ns,
	};
}

/* ---- names ---- */

static const char count_names[_QUALITY_COUNT_N][24] = {
	[QUALITY_DATAGRAMS] = "datagrams",
	[QUALITY_BYTES] = "bytes",
	[QUALITY_MEDIA_BYTES] = "media_bytes",
	[QUALITY_TRUNCATED] = "truncated",
	[QUALITY_MISFITS] = "misfits",
	[QUALITY_KIND_CHANGES] = "kind_changes",
	[QUALITY_TIME_STEPS] = "time_steps",
	[QUALITY_SILENT_GAPS] = "silent_gaps",
	[QUALITY_OUTAGES] = "outages",
	[QUALITY_SECONDS] = "seconds",
	[QUALITY_ERROR_SECONDS] = "error_seconds",
	[QUALITY_RTP_MISSING] = "rtp_missing",
	[QUALITY_RTP_REORDERED] = "rtp_reordered",
	[QUALITY_RTP_DUPLICATED] = "rtp_duplicated",
	[QUALITY_RTP_RESTARTS] = "rtp_restarts",
	[QUALITY_RTP_SSRC_CHANGES] = "rtp_ssrc_changes",
	[QUALITY_RTP_SKIPPED] = "rtp_skipped",
	[QUALITY_RTP_TIMESTAMP_JUMPS] = "rtp_timestamp_jumps",
	[QUALITY_RTP_CONTROL] = "rtp_control",
	[QUALITY_TS_PACKETS] = "ts_packets",
	[QUALITY_TS_NULL] = "ts_null",
	[QUALITY_TS_SYNC_BYTES] = "ts_sync_bytes",
	[QUALITY_TS_SYNC_LOSSES] = "ts_sync_losses",
	[QUALITY_TS_CONTINUITY] = "ts_continuity",
	[QUALITY_TS_MISSING] = "ts_missing",
	[QUALITY_TS_DUPLICATES] = "ts_duplicates",
	[QUALITY_TS_SIGNALLED] = "ts_signalled",
	[QUALITY_TS_TRANSPORT_ERRORS] = "ts_transport_errors",
	[QUALITY_TS_SCRAMBLED] = "ts_scrambled",
	[QUALITY_TS_PAT] = "ts_pat",
	[QUALITY_TS_PAT_LATE] = "ts_pat_late",
	[QUALITY_TS_PAT_CRC] = "ts_pat_crc",
	[QUALITY_TS_PMT] = "ts_pmt",
	[QUALITY_TS_PMT_LATE] = "ts_pmt_late",
	[QUALITY_TS_PCR] = "ts_pcr",
	[QUALITY_TS_PCR_DISCONTINUITIES] = "ts_pcr_discontinuities",
	[QUALITY_TS_RANDOM_ACCESS] = "ts_random_access",
	[QUALITY_TS_UNWATCHED] = "ts_unwatched",
};

const char *quality_count_name(enum quality_count c)
{
	return count_names[c];
}

const char *quality_kind_name(enum quality_kind k)
{
	static const char names[_QUALITY_KIND_N][16] = {
		[QUALITY_UNKNOWN] = "unknown",
		[QUALITY_TS] = "MPEG-TS",
		[QUALITY_RTP_TS] = "MPEG-TS in RTP",
		[QUALITY_RTP] = "RTP",
		[QUALITY_FEC] = "2022-1 FEC",
	};

	return names[k];
}

unsigned quality_next_pid(
	const struct quality *q, unsigned at, uint16_t *ret_pid, uint16_t *ret_errors)
{
	for (; at < array_len(q->ts.pid); at++) {
		if (q->ts.pid[at].errors == 0)
			continue;
		*ret_pid = q->ts.pid[at].pid;
		*ret_errors = q->ts.pid[at].errors;
		return at + 1;
	}
	return 0;
}
