/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Streams and zaps, and the state of them that a live upgrade hands over: seconds of a
 * few streams with jumps of time, then edits of the state. Memory stays within its
 * bound and history in its order, whatever the state says. Without an edit it is taken.
 * What was taken is the same after another hand-over. The checksum is corrected, so
 * that the edits reach the code that reads them.
 */

#include "control/quality/stream_log.h"
#include "control/quality/zaps.h"

#include "fuzz.h"

#include <errno.h>

#define STATE_HEAD 40 /* bytes of the header, see base/state.c */
#define N_STREAMS  5
#define MEMORY	   (64u << 10)
#define TAG_LOG	   1
#define TAG_ZAPS   2

struct bench {
	struct stream_log *log;
	struct zaps *zaps;
	struct quality_view view[N_STREAMS];
	mono_t now;
};

static struct bench bench_new(mono_t now)
{
	struct bench b = {.now = now};

	fuzz_assert(stream_log_new(1, MEMORY, &b.log) == 0);
	b.zaps = calloc(1, sizeof(*b.zaps));
	fuzz_assert(b.zaps);
	zaps_init(b.zaps, 1);
	for (unsigned i = 0; i < N_STREAMS; i++)
		b.view[i] = (struct quality_view){
			.stream = {.group = ADDR_V4(239, 1, 2, (uint8_t)i),
				.source = ADDR_V4(10, 0, 0, 1),
				.dport = 5000,
				.port = (uint8_t)(i % 3)},
			.generation = 1,
			.first = now,
			.last = now};
	return b;
}

static void bench_free(struct bench *b)
{
	stream_log_free(b->log);
	zaps_deinit(b->zaps);
	free(b->zaps);
}

static void check_history(const struct history *h)
{
	for (unsigned level = 0; level < _HISTORY_LEVEL_N; level++)
		for (const struct history_chunk *c = h->newest[level]; c; c = c->older)
			fuzz_assert(!c->older || c->older->number < c->number);
}

static void check(const struct bench *b)
{
	const struct stream_entry *e = NULL;
	struct history_sum sum;
	size_t n = 0;

	fuzz_assert(stream_log_memory(b->log) <= MEMORY);
	while ((e = stream_log_next(b->log, e))) {
		n++;
		check_history(&e->history);
		history_range(&e->history, b->now, MONO_UNSET, b->now, &sum);
		fuzz_assert(stream_log_find(b->log, &e->stream) == e);
	}
	fuzz_assert(n == stream_log_size(b->log));
	fuzz_assert(
		b->zaps->n_pending <= ZAPS_RECENT && b->zaps->n_pending <= b->zaps->n);
}

static void see(struct bench *b, unsigned i, unsigned how)
{
	struct quality_view *v = &b->view[i];
	struct stream_local local = {
		.wanted = !(how & 1),
		.viewers = how,
		.asked = how & 2,
		.ring_at = how & 4 ? b->now : MONO_UNSET,
		.refused = {[STREAM_DROP_FULL] = how / 8 % 4},
	};
	struct stream_entry *e;

	v->kind = (enum quality_kind)(how % _QUALITY_KIND_N);
	v->count[QUALITY_DATAGRAMS] += how;
	v->full += how;
	v->count[QUALITY_RTP_MISSING] += how / 32 % 3;
	v->result.rtp_lost = v->count[QUALITY_RTP_MISSING];
	v->result.rate_bps = how * UINT64_C(1000003);
	if (how & 16)
		v->last = b->now;
	if (how == 255) {
		v->generation++;
		memset(v->count, 0, sizeof(v->count));
	}
	(void)stream_log_see(b->log, b->now, v, &local, &e);
	v->mark = b->zaps->mark;
	v->mark_first = v->last;
	v->mark_random = how & 64 ? v->last : MONO_UNSET;
	zaps_see(b->zaps, v);
}

static void ask(struct bench *b, unsigned i, unsigned how)
{
	const struct addr *group = &b->view[i].stream.group;
	struct addr host = ADDR_V4(10, 1, 0, (uint8_t)(how % 8));

	if (how & 8)
		zaps_leave(b->zaps, b->now, how % 3, group, &host);
	else
		(void)zaps_ask(
			b->zaps, b->now, how % 3, group, &host, how & 16, how & 32);
	if (how & 64)
		zaps_sent(b->zaps, b->now, group);
	if (how & 128)
		zaps_gone(b->zaps, b->now, how % 3, group, b->view[i].last);
	(void)zaps_again(b->zaps, b->now, group);
}

static void step(struct bench *b, struct rd *in)
{
	unsigned what = rd_u8(in), how = rd_u8(in), i = what / 4 % N_STREAMS;

	switch (what % 4) {
	case 0:
		b->now = mono_add_ms(b->now, 1000);
		see(b, i, how);
		break;
	case 1: /* minutes to weeks */
		b->now = mono_add_ms(
			b->now, INT64_C(60000) * (how + 1) * (1 + what / 4));
		see(b, i, how);
		break;
	case 2:
		ask(b, i, how);
		break;
	default:
		b->now = mono_add_ms(b->now, how * 10);
		zaps_tick(b->zaps, b->now);
	}
}

/* ---- state ---- */

static const char *name_of(void *ctx, unsigned port)
{
	static const char *const names[] = {"wan", "lan1", "lan2"};

	return port < array_len(names) ? names[port] : NULL;
}

static int port_of(void *ctx, const char *name)
{
	return strcmp(name, "wan") == 0	    ? 0
		: strcmp(name, "lan1") == 0 ? 1
		: strcmp(name, "lan2") == 0 ? 2
					    : -1;
}

static void put_all(const struct bench *b, struct state_out *o)
{
	size_t at;

	state_out_init(o, b->now, b->now);
	at = state_begin(o, TAG_LOG);
	stream_log_export(b->log, o, name_of, NULL);
	state_end(o, at);
	at = state_begin(o, TAG_ZAPS);
	zaps_export(b->zaps, o, name_of, NULL);
	state_end(o, at);
}

static int get_all(struct bench *b, const struct state_out *o)
{
	struct state_in in, section;
	uint32_t tag;
	int r = 0;

	fuzz_assert(state_in_init(&in, o->buf, o->n, b->now, 1000) == STATE_OK);
	while (r == 0 && state_get_section(&in, &tag, &section)) {
		if (tag == TAG_LOG)
			r = stream_log_import(b->log, b->now, &section, port_of, NULL);
		else if (tag == TAG_ZAPS)
			r = zaps_import(b->zaps, b->now, &section, port_of, NULL);
	}
	return r < 0 || state_is_bad(&in) ? -EINVAL : 0;
}

static bool edit(struct state_out *s, struct rd *in)
{
	unsigned how = rd_u8(in), value;
	size_t at = STATE_HEAD + rd_u16be(in) % (s->n - STATE_HEAD);

	value = rd_u8(in);
	if (how % 8 == 0) {
		s->n = at + 1;
		return true;
	}
	if (how % 8 == 1) {
		s->buf[at] ^= (uint8_t)(1u << value % 8);
		return true;
	}
	if (s->buf[at] == (uint8_t)value)
		return false;
	s->buf[at] = (uint8_t)value;
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rd in = rd_init(data, size);
	unsigned n_steps = rd_u8(&in), n_edits = rd_u8(&in) % 8;
	struct bench b = bench_new((mono_t){INT64_C(7000) * NS_PER_SEC}), next, third;
	struct state_out o, again;
	bool changed = false;
	int r;

	for (unsigned i = 0; i < n_steps && fuzz_more(&in); i++)
		step(&b, &in);
	check(&b);
	put_all(&b, &o);
	for (unsigned i = 0; i < n_edits && fuzz_more(&in); i++)
		changed |= edit(&o, &in);
	fuzz_assert(state_out_seal(&o) == 0);
	next = bench_new(b.now);
	r = get_all(&next, &o);
	fuzz_assert(r == 0 || changed);
	check(&next);
	state_out_deinit(&o);
	/* the first reader has left out what is too old */
	put_all(&next, &o);
	fuzz_assert(state_out_seal(&o) == 0);
	third = bench_new(b.now);
	fuzz_assert(get_all(&third, &o) == 0);
	put_all(&third, &again);
	fuzz_assert(state_out_seal(&again) == 0);
	fuzz_assert(o.n == again.n && memcmp(o.buf, again.buf, o.n) == 0);
	state_out_deinit(&again);
	bench_free(&third);
	/* what was read works */
	while (fuzz_more(&in))
		step(&next, &in);
	check(&next);
	state_out_deinit(&o);
	bench_free(&b);
	bench_free(&next);
	return 0;
}
