/* SPDX-License-Identifier: GPL-2.0-or-later */

/* What was found in the streams of a capture, see quality_print.h. */

#include "tools/replay/quality_print.h"

#include "base/cleanup.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>

/* ---- for people ---- */

/* Two figures a line: a name of up to 23 columns and a value of up to 12, twice. */
struct sheet {
	FILE *out;
	bool right; /* the next one is the right one */
};

static _printf_(3, 4) void figure(
	struct sheet *s, const char *name, const char *format, ...)
{
	char value[32];
	va_list args;

	va_start(args, format);
	vsnprintf(value, sizeof(value), format, args);
	va_end(args);
	fprintf(s->out, "  %-23s %12s%s", name, value, s->right ? "\n" : "");
	s->right = !s->right;
}

static void count(struct sheet *s, const struct quality *q, const char *name,
	enum quality_count c)
{
	figure(s, name, "%" PRIu64, q->count[c]);
}

static void millis(struct sheet *s, const char *name, int64_t ns)
{
	if (ns < 0)
		figure(s, name, "-");
	else if (ns >= 10 * NS_PER_SEC)
		figure(s, name, "%.0f s", (double)ns / 1e9);
	else
		figure(s, name, "%.3f ms", (double)ns / 1e6);
}

static void end_of_part(struct sheet *s)
{
	if (s->right)
		fputc('\n', s->out);
	s->right = false;
}

static bool is_ts(const struct quality *q)
{
	return q->kind == QUALITY_TS || q->kind == QUALITY_RTP_TS;
}

static bool is_rtp(const struct quality *q)
{
	return q->kind == QUALITY_RTP || q->kind == QUALITY_RTP_TS;
}

/* bits of media per second, from the first datagram to the last */
static double mean_rate(const struct quality *q, const struct quality_result *r)
{
	return r->length_ns
		? (double)q->count[QUALITY_MEDIA_BYTES] * 8e9 / (double)r->length_ns
		: 0;
}

static void print_arrival(
	struct sheet *s, const struct quality *q, const struct quality_result *r)
{
	count(s, q, "datagrams", QUALITY_DATAGRAMS);
	millis(s, "length", r->length_ns);
	if (q->count[QUALITY_SECONDS])
		figure(s, "mean rate", "%.0f kbit/s", mean_rate(q, r) / 1e3);
	else /* a single burst could give any rate */
		figure(s, "mean rate", "-");
	millis(s, "longest gap", q->arrival.gap_max_ns);
	count(s, q, "silent gaps", QUALITY_SILENT_GAPS);
	count(s, q, "outages", QUALITY_OUTAGES);
	millis(s, "delay factor, highest", r->df_max_ns);
	figure(s, "media loss rate, high.", "%" PRIu64 " /s", r->mlr_max);
	count(s, q, "seconds", QUALITY_SECONDS);
	count(s, q, "seconds with errors", QUALITY_ERROR_SECONDS);
	end_of_part(s);
}

static void print_rtp(
	struct sheet *s, const struct quality *q, const struct quality_result *r)
{
	figure(s, "RTP lost", "%" PRIu64, r->rtp_lost);
	count(s, q, "RTP duplicated", QUALITY_RTP_DUPLICATED);
	count(s, q, "RTP reordered", QUALITY_RTP_REORDERED);
	count(s, q, "RTP in no sequence", QUALITY_RTP_SKIPPED);
	count(s, q, "RTP restarts", QUALITY_RTP_RESTARTS);
	count(s, q, "RTP SSRC changes", QUALITY_RTP_SSRC_CHANGES);
	millis(s, "RTP jitter", r->jitter_ns);
	millis(s, "RTP jitter, highest", r->jitter_max_ns);
	count(s, q, "RTP timestamp jumps", QUALITY_RTP_TIMESTAMP_JUMPS);
	end_of_part(s);
}

static void print_ts(struct sheet *s, const struct quality *q)
{
	count(s, q, "TS packets", QUALITY_TS_PACKETS);
	count(s, q, "TS null packets", QUALITY_TS_NULL);
	count(s, q, "TS continuity errors", QUALITY_TS_CONTINUITY);
	count(s, q, "TS packets missing", QUALITY_TS_MISSING);
	count(s, q, "TS transport errors", QUALITY_TS_TRANSPORT_ERRORS);
	count(s, q, "TS legal duplicates", QUALITY_TS_DUPLICATES);
	count(s, q, "TS sync byte errors", QUALITY_TS_SYNC_BYTES);
	count(s, q, "TS sync losses", QUALITY_TS_SYNC_LOSSES);
	count(s, q, "TS discont. signalled", QUALITY_TS_SIGNALLED);
	count(s, q, "TS PCR discontinuities", QUALITY_TS_PCR_DISCONTINUITIES);
	count(s, q, "TS scrambled packets", QUALITY_TS_SCRAMBLED);
	count(s, q, "TS random access", QUALITY_TS_RANDOM_ACCESS);
	count(s, q, "PAT gaps over 0.5 s", QUALITY_TS_PAT_LATE);
	millis(s, "PAT gap, longest", q->ts.pat_gap_ns);
	count(s, q, "PMT gaps over 0.5 s", QUALITY_TS_PMT_LATE);
	millis(s, "PMT gap, longest", q->ts.pmt_gap_ns);
	end_of_part(s);
}

/* Says what limits the figures. */
static void print_notes(const struct quality_stream *st, FILE *out)
{
	const struct quality *q = &st->q;
	uint16_t pid, errors;

	for (unsigned at = 0; (at = quality_next_pid(q, at, &pid, &errors));)
		fprintf(out, "  PID %u (0x%04x): %u continuity errors\n", pid, pid,
			errors);
	if (is_ts(q) && !q->count[QUALITY_TS_PAT] && !q->count[QUALITY_TRUNCATED])
		fputs("  no PAT was seen\n", out);
	if (q->count[QUALITY_TRUNCATED])
		fprintf(out,
			"  %" PRIu64
			" datagrams were cut short when they were captured. "
			"In them\n"
			"  continuity, sync bytes, PAT, PMT and PCR cannot be judged: "
			"capture whole\n"
			"  frames (tcpdump -s 0).\n",
			q->count[QUALITY_TRUNCATED]);
	if (q->count[QUALITY_MISFITS] || q->count[QUALITY_KIND_CHANGES])
		fprintf(out,
			"  %" PRIu64
			" datagrams were of another kind; the kind changed "
			"%" PRIu64 " times\n",
			q->count[QUALITY_MISFITS], q->count[QUALITY_KIND_CHANGES]);
	if (q->count[QUALITY_TS_PAT_CRC])
		fprintf(out, "  %" PRIu64 " PAT sections had a wrong CRC\n",
			q->count[QUALITY_TS_PAT_CRC]);
	if (q->count[QUALITY_TS_UNWATCHED])
		fprintf(out,
			"  %" PRIu64
			" packets were of PIDs or programs beyond those watched\n",
			q->count[QUALITY_TS_UNWATCHED]);
	if (q->count[QUALITY_TIME_STEPS])
		fprintf(out,
			"  %" PRIu64 " datagrams have an earlier time than the one "
			"before\n",
			q->count[QUALITY_TIME_STEPS]);
	if (st->super_frames)
		fprintf(out,
			"  %" PRIu64 " super-frames were cut into datagrams again\n",
			st->super_frames);
}

static void print_stream(const struct quality_stream *st, FILE *out)
{
	char source[ADDR_STRLEN], group[ADDR_STRLEN];
	struct sheet s = {.out = out};
	const struct quality *q = &st->q;
	struct quality_result r;

	quality_result(q, &r);
	fprintf(out, "%s port %u", addr_format(&st->group, group), st->port);
	fprintf(out, " from %s: %s", addr_format(&st->source, source),
		quality_kind_name(q->kind));
	fputs(is_ts(q) && q->ts.packet_size == 204 ? ", 204-byte packets\n" : "\n",
		out);
	print_arrival(&s, q, &r);
	if (is_rtp(q))
		print_rtp(&s, q, &r);
	if (is_ts(q))
		print_ts(&s, q);
	print_notes(st, out);
}

void quality_print(const struct quality_streams *s, FILE *out)
{
	for (size_t i = 0; i < s->n; i++) {
		if (i)
			fputc('\n', out);
		print_stream(s->stream[i], out);
	}
	if (s->n == 0)
		fputs("No multicast stream (UDP to a group beyond the link).\n", out);
	if (s->fragments)
		fprintf(out, "%" PRIu64 " fragments of datagrams were not analysed.\n",
			s->fragments);
	if (s->other)
		fprintf(out, "%" PRIu64 " datagrams belong to more than %d streams.\n",
			s->other, STREAMS_MAX);
}

/* ---- for programs ---- */

static void set_int(json_t *o, const char *name, uint64_t value)
{
	json_object_set_new(o, name, json_integer((json_int_t)value));
}

/* milliseconds; null if it is not known */
static void set_ms(json_t *o, const char *name, int64_t ns)
{
	json_object_set_new(
		o, name, ns < 0 ? json_null() : json_real((double)ns / 1e6));
}

static void set_first(json_t *o, const char *name, const struct quality *q, mono_t at)
{
	set_ms(o, name, mono_is_set(at) ? at.ns - q->arrival.first.ns : -1);
}

static json_t *counters(const struct quality *q)
{
	json_t *o = json_object();

	for (enum quality_count c = 0; c < _QUALITY_COUNT_N; c++)
		set_int(o, quality_count_name(c), q->count[c]);
	return o;
}

static json_t *pids(const struct quality *q)
{
	json_t *list = json_array();
	uint16_t pid, errors;

	for (unsigned at = 0; (at = quality_next_pid(q, at, &pid, &errors));)
		json_array_append_new(list,
			json_pack("{s:i, s:i}", "pid", pid, "continuity", errors));
	return list;
}

static json_t *unjudged(const struct quality *q)
{
	json_t *list = json_array();

	if (q->count[QUALITY_TRUNCATED]) {
		static const char *const what[] = {
			"continuity", "sync", "pat", "pmt", "pcr"};

		for (size_t i = 0; i < array_len(what); i++)
			json_array_append_new(list, json_string(what[i]));
	}
	return list;
}

static json_t *stream(const struct quality_stream *st)
{
	char source[ADDR_STRLEN], group[ADDR_STRLEN];
	const struct quality *q = &st->q;
	struct quality_result r;
	json_t *o = json_object();

	quality_result(q, &r);
	json_object_set_new(o, "group", json_string(addr_format(&st->group, group)));
	json_object_set_new(o, "source", json_string(addr_format(&st->source, source)));
	set_int(o, "port", st->port);
	json_object_set_new(o, "kind", json_string(quality_kind_name(q->kind)));
	set_int(o, "ts_packet_size", is_ts(q) ? q->ts.packet_size : 0);
	set_int(o, "super_frames", st->super_frames);
	set_ms(o, "length_ms", r.length_ns);
	json_object_set_new(o, "mean_bps",
		q->count[QUALITY_SECONDS] ? json_real(mean_rate(q, &r)) : json_null());
	set_ms(o, "gap_max_ms", q->arrival.gap_max_ns);
	set_ms(o, "usual_spacing_ms", q->arrival.usual_ns ? q->arrival.usual_ns : -1);
	set_ms(o, "delay_factor_ms", r.df_ns);
	set_ms(o, "delay_factor_max_ms", r.df_max_ns);
	set_int(o, "media_loss_rate", r.mlr);
	set_int(o, "media_loss_rate_max", r.mlr_max);
	set_int(o, "rtp_lost", r.rtp_lost);
	set_ms(o, "jitter_ms", is_rtp(q) ? r.jitter_ns : -1);
	set_ms(o, "jitter_max_ms", is_rtp(q) ? r.jitter_max_ns : -1);
	set_ms(o, "pat_gap_max_ms", is_ts(q) ? q->ts.pat_gap_ns : -1);
	set_ms(o, "pmt_gap_max_ms", is_ts(q) ? q->ts.pmt_gap_ns : -1);
	set_first(o, "first_pat_ms", q, q->ts.first_pat_at);
	set_first(o, "first_random_access_ms", q, q->ts.first_random_at);
	json_object_set_new(o, "counters", counters(q));
	json_object_set_new(o, "pids", pids(q));
	json_object_set_new(o, "unjudged", unjudged(q));
	return o;
}

int quality_print_json(const struct quality_streams *s, const char *path, FILE *out)
{
	json_t *o = json_object(), *list = json_array();
	int e;

	for (size_t i = 0; i < s->n; i++)
		json_array_append_new(list, stream(s->stream[i]));
	/* a name that is not UTF-8 is not JSON either */
	json_object_set_new(o, "file", json_string(path));
	json_object_set_new(o, "streams", list);
	set_int(o, "fragments", s->fragments);
	set_int(o, "other_datagrams", s->other);
	e = json_dumpf(o, out, JSON_COMPACT | JSON_REAL_PRECISION(15));
	json_decref(o);
	fputc('\n', out);
	return e < 0 ? -ENOMEM : 0;
}
