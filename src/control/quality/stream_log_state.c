/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The streams for the next process, see stream_log_export(). Sections that a reader
 * does not know are skipped. */

#include "control/quality/stream_log_priv.h"

#include <errno.h>

#define TAG_STREAM  1
#define TAG_HISTORY 2

/* The system's clock is the same for both processes. */
static void put_system_time(struct state_out *o, mono_t t)
{
	state_put_u64(o, (uint64_t)t.ns);
}

static void export_entry(
	const struct stream_entry *e, const char *name, struct state_out *o)
{
	size_t at = state_begin(o, TAG_STREAM), history;
	const uint64_t sums[] = {e->total_full, e->total_light, e->total_fragments,
		e->provider_seconds, e->router_seconds, (uint64_t)e->gap_max_ns};

	state_put_text(o, name);
	state_put_addr(o, &e->stream.group);
	state_put_addr(o, &e->stream.source);
	state_put_u32(o, e->stream.dport);
	state_put_u32(o, e->kind);
	put_system_time(o, e->first);
	state_put_counts(o, e->total, _QUALITY_COUNT_N);
	state_put_counts(o, e->dropped, _STREAM_DROP_N);
	state_put_counts(o, e->place_seconds, _STREAM_PLACE_N);
	state_put_counts(o, sums, sizeof(sums) / sizeof(sums[0]));
	history = state_begin(o, TAG_HISTORY);
	history_export(&e->history, o);
	state_end(o, history);
	state_end(o, at);
}

void stream_log_export(const struct stream_log *l, struct state_out *o,
	const char *(*name)(void *ctx, unsigned port), void *ctx)
{
	/* a reader adds each one as the newest */
	for (const struct stream_entry *e = l->oldest; e; e = e->newer) {
		const char *port = name(ctx, e->stream.port);

		if (port)
			export_entry(e, port, o);
	}
}

static int import_history(
	struct stream_log *l, struct stream_entry *e, mono_t now, struct state_in *in)
{
	struct history_chunk read, *c;
	enum history_level level;

	while (history_import(in, now, &level, &read)) {
		c = stream_log_chunk(l, e);
		if (!c)
			return 0; /* as much as there is room for */
		*c = read;
		if (!history_append(&e->history, now, level, c))
			stream_log_give_back(l, c);
	}
	return state_is_bad(in) ? -EINVAL : 0;
}

static void import_sums(struct stream_entry *e, struct state_in *in)
{
	uint64_t sums[6] = {0};

	state_get_counts(in, e->total, _QUALITY_COUNT_N);
	state_get_counts(in, e->dropped, _STREAM_DROP_N);
	state_get_counts(in, e->place_seconds, _STREAM_PLACE_N);
	state_get_counts(in, sums, sizeof(sums) / sizeof(sums[0]));
	e->total_full = sums[0];
	e->total_light = sums[1];
	e->total_fragments = sums[2];
	e->provider_seconds = sums[3];
	e->router_seconds = sums[4];
	e->gap_max_ns = sums[5] <= INT64_MAX ? (int64_t)sums[5] : 0;
}

static int import_entry(struct stream_log *l, mono_t now, struct state_in *in,
	int (*port)(void *ctx, const char *name), void *ctx)
{
	struct quality_stream key = {0};
	struct state_in section;
	struct stream_entry *e;
	char name[IFNAMSIZ];
	uint32_t kind, tag;
	mono_t first;
	int n, r = 0;

	state_get_text(in, name, sizeof(name));
	key.group = state_get_addr(in);
	key.source = state_get_addr(in);
	key.dport = (uint16_t)state_get_up_to(in, UINT16_MAX);
	kind = state_get_up_to(in, _QUALITY_KIND_N - 1);
	first.ns = (int64_t)state_get_u64(in);
	if (state_is_bad(in) || first.ns < 0 || mono_before(now, first))
		return -EINVAL;
	n = port(ctx, name);
	if (n < 0)
		return 0;
	key.port = (uint8_t)n;
	if (stream_log_find(l, &key))
		return -EINVAL;
	e = stream_log_add(l, &key);
	if (!e)
		return 0; /* no room */
	e->kind = (enum quality_kind)kind;
	e->first = first;
	import_sums(e, in);
	while (r == 0 && state_get_section(in, &tag, &section))
		if (tag == TAG_HISTORY)
			r = import_history(l, e, now, &section);
	return r < 0 || state_is_bad(in) ? -EINVAL : 0;
}

int stream_log_import(struct stream_log *l, mono_t now, struct state_in *in,
	int (*port)(void *ctx, const char *name), void *ctx)
{
	struct state_in section;
	uint32_t tag;
	int r = 0;

	while (r == 0 && state_get_section(in, &tag, &section))
		if (tag == TAG_STREAM)
			r = import_entry(l, now, &section, port, ctx);
	return r < 0 || state_is_bad(in) ? -EINVAL : 0;
}
