/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "control/quality/stream_history.h"
#include "base/minmax.h"

#include <string.h>

#define BITS_PER_UNIT 10000 /* of `rate` */

static const struct {
	int64_t ns;
	uint32_t max; /* buckets that are kept */
} levels[_HISTORY_LEVEL_N] = {
	[HISTORY_MINUTES] = {60 * NS_PER_SEC, HISTORY_MINUTES_MAX},
	[HISTORY_HOURS] = {3600 * NS_PER_SEC, HISTORY_HOURS_MAX},
};

/* number of the bucket that contains `t` */
static uint32_t number_of(enum history_level level, mono_t t)
{
	int64_t n = t.ns > 0 ? t.ns / levels[level].ns : 0;

	return n > UINT32_MAX ? UINT32_MAX : (uint32_t)n;
}

static void grow16(uint16_t *v, uint64_t by)
{
	*v = by > (uint64_t)(UINT16_MAX - *v) ? UINT16_MAX : (uint16_t)(*v + by);
}

static void raise16(uint16_t *v, uint64_t to)
{
	*v = (uint16_t)max(*v, min(to, UINT16_MAX));
}

static void fill_bucket(struct history_bucket *b, const struct history_second *s)
{
	grow16(&b->judged, 1);
	grow16(&b->provider, s->provider);
	grow16(&b->router, s->router);
	grow16(&b->lost, s->lost);
	grow16(&b->continuity, s->continuity);
	raise16(&b->gap_ms, s->gap_ns > 0 ? (uint64_t)(s->gap_ns / NS_PER_MS) : 0);
	b->viewers = (uint8_t)max(b->viewers, min(s->viewers, UINT8_MAX));
	b->flags |= (uint8_t)((s->perhaps ? HISTORY_PERHAPS : 0) |
		(s->beyond ? HISTORY_BEYOND : 0));
}

/* A process that takes over does not know the sum, and continues from the mean. */
static void fill_rate(struct history *h, enum history_level level, uint32_t number,
	struct history_bucket *b, uint64_t rate_bps)
{
	if (h->rate_at[level] != number)
		h->rate_sum[level] =
			(uint64_t)b->rate * BITS_PER_UNIT * (b->judged - 1u);
	h->rate_at[level] = number;
	h->rate_sum[level] += rate_bps;
	b->rate = 0;
	raise16(&b->rate, h->rate_sum[level] / b->judged / BITS_PER_UNIT);
}

static bool has_bucket(
	const struct history *h, enum history_level level, uint32_t bucket)
{
	const struct history_chunk *c = h->newest[level];

	return c && c->number >= bucket / HISTORY_CHUNK;
}

unsigned history_needs(const struct history *h, mono_t now)
{
	unsigned n = 0;

	for (unsigned l = 0; l < _HISTORY_LEVEL_N; l++)
		n += !has_bucket(h, (enum history_level)l,
			number_of((enum history_level)l, now));
	return n;
}

/* Is its last bucket older than buckets are kept? */
static bool is_old(
	const struct history_chunk *c, enum history_level level, uint32_t bucket)
{
	uint32_t keep = bucket < levels[level].max ? 0 : bucket - levels[level].max;

	return (c->number + UINT64_C(1)) * HISTORY_CHUNK <= keep;
}

/* Moves the chunks whose last bucket is too old to *ret_old. */
static void drop_old_chunks(struct history *h, enum history_level level,
	uint32_t bucket, struct history_chunk **ret_old)
{
	struct history_chunk **at = &h->newest[level], *c;

	while (*at && !is_old(*at, level, bucket))
		at = &(*at)->older;
	while ((c = *at)) {
		*at = c->older;
		c->older = *ret_old;
		*ret_old = c;
	}
}

bool history_add(struct history *h, mono_t now, const struct history_second *s,
	struct history_chunk **fresh, struct history_chunk **ret_old)
{
	bool all = true;

	for (unsigned i = 0; i < _HISTORY_LEVEL_N; i++) {
		enum history_level level = (enum history_level)i;
		uint32_t number = number_of(level, now);
		struct history_bucket *b;
		struct history_chunk *c;

		if (!has_bucket(h, level, number)) {
			drop_old_chunks(h, level, number, ret_old);
			c = *fresh;
			if (!c) {
				all = false;
				continue;
			}
			*fresh = c->older;
			memset(c, 0, sizeof(*c));
			c->number = number / HISTORY_CHUNK;
			c->older = h->newest[level];
			h->newest[level] = c;
		}
		b = &h->newest[level]->bucket[number % HISTORY_CHUNK];
		fill_bucket(b, s);
		fill_rate(h, level, number, b, s->rate_bps);
	}
	return all;
}

static int64_t begin_ns(const struct history_chunk *c, unsigned level)
{
	return c ? (int64_t)c->number * HISTORY_CHUNK * levels[level].ns : INT64_MAX;
}

struct history_chunk *history_give(struct history *h)
{
	struct history_chunk **last[_HISTORY_LEVEL_N], *c;
	unsigned l;

	for (l = 0; l < _HISTORY_LEVEL_N; l++) {
		last[l] = &h->newest[l];
		while (*last[l] && (*last[l])->older)
			last[l] = &(*last[l])->older;
	}
	/* drop minutes first, because an hour in the same memory covers a longer time
	 */
	l = begin_ns(*last[HISTORY_MINUTES], HISTORY_MINUTES) != INT64_MAX
		? HISTORY_MINUTES
		: HISTORY_HOURS;
	c = *last[l];
	if (c)
		*last[l] = NULL;
	return c;
}

void history_sum_add(struct history_sum *sum, const struct history_bucket *b)
{
	uint64_t judged = sum->judged + b->judged;

	if (b->judged == 0)
		return;
	sum->rate_bps = (sum->rate_bps * sum->judged +
				(uint64_t)b->rate * BITS_PER_UNIT * b->judged) /
		judged;
	sum->judged = judged;
	sum->provider += b->provider;
	sum->router += b->router;
	sum->lost += b->lost;
	sum->continuity += b->continuity;
	sum->gap_ms = max(sum->gap_ms, b->gap_ms);
	sum->viewers = max(sum->viewers, b->viewers);
	sum->perhaps |= (b->flags & HISTORY_PERHAPS) != 0;
	sum->beyond |= (b->flags & HISTORY_BEYOND) != 0;
}

mono_t history_end(mono_t now, uint32_t since_s, uint32_t *ret_bucket_s)
{
	enum history_level level =
		since_s <= HISTORY_MINUTES_MAX * 60 ? HISTORY_MINUTES : HISTORY_HOURS;

	*ret_bucket_s = (uint32_t)(levels[level].ns / NS_PER_SEC);
	return (mono_t){(number_of(level, now) + INT64_C(1)) * levels[level].ns};
}

void history_range(const struct history *h, mono_t now, mono_t from, mono_t to,
	struct history_sum *ret)
{
	enum history_level level =
		now.ns - from.ns <= HISTORY_MINUTES_MAX * levels[HISTORY_MINUTES].ns
		? HISTORY_MINUTES
		: HISTORY_HOURS;
	int64_t ns = levels[level].ns;

	*ret = (struct history_sum){0};
	for (const struct history_chunk *c = h->newest[level]; c; c = c->older)
		for (unsigned i = 0; i < HISTORY_CHUNK; i++) {
			int64_t begin = ((int64_t)c->number * HISTORY_CHUNK + i) * ns;

			if (begin >= from.ns && begin < to.ns)
				history_sum_add(ret, &c->bucket[i]);
		}
}

void history_day(const struct history *h, mono_t end,
	const struct history_bucket *ret[HISTORY_MINUTES_MAX])
{
	int64_t to = end.ns / levels[HISTORY_MINUTES].ns;
	int64_t from = to - HISTORY_MINUTES_MAX;

	memset(ret, 0, HISTORY_MINUTES_MAX * sizeof(*ret));
	for (const struct history_chunk *c = h->newest[HISTORY_MINUTES]; c;
		c = c->older)
		for (unsigned i = 0; i < HISTORY_CHUNK; i++) {
			int64_t number = (int64_t)c->number * HISTORY_CHUNK + i;

			if (number >= from && number < to && c->bucket[i].judged > 0)
				ret[number - from] = &c->bucket[i];
		}
}

/* ---- state ---- */

static void export_chunk(
	enum history_level level, const struct history_chunk *c, struct state_out *o)
{
	uint32_t n = 0;

	for (unsigned i = 0; i < HISTORY_CHUNK; i++)
		n += c->bucket[i].judged > 0;
	state_put_u8(o, (uint8_t)level);
	state_put_u32(o, c->number);
	state_put_u32(o, n);
	for (unsigned i = 0; i < HISTORY_CHUNK; i++) {
		const struct history_bucket *b = &c->bucket[i];

		if (b->judged == 0)
			continue;
		state_put_u8(o, (uint8_t)i);
		state_put_u64(o,
			(uint64_t)b->judged << 48 | (uint64_t)b->provider << 32 |
				(uint64_t)b->router << 16 | b->lost);
		state_put_u64(o,
			(uint64_t)b->continuity << 48 | (uint64_t)b->gap_ms << 32 |
				(uint64_t)b->rate << 16 | (uint64_t)b->viewers << 8 |
				b->flags);
	}
}

void history_export(const struct history *h, struct state_out *o)
{
	for (unsigned l = 0; l < _HISTORY_LEVEL_N; l++) {
		const struct history_chunk *c, *done = NULL;

		/* the list begins with the newest one */
		while (h->newest[l] != done) {
			for (c = h->newest[l]; c->older != done; c = c->older)
				;
			export_chunk((enum history_level)l, c, o);
			done = c;
		}
	}
}

bool history_import(struct state_in *in, mono_t now, enum history_level *ret_level,
	struct history_chunk *ret)
{
	enum history_level level;
	uint32_t n;

	if (state_is_bad(in) || rd_left(&in->rd) == 0)
		return false;
	*ret = (struct history_chunk){0};
	level = state_get_u8(in) ? HISTORY_HOURS : HISTORY_MINUTES;
	ret->number = state_get_up_to(in, number_of(level, now) / HISTORY_CHUNK);
	n = state_get_up_to(in, HISTORY_CHUNK);
	for (uint32_t i = 0; i < n && !state_is_bad(in); i++) {
		unsigned slot = state_get_u8(in);
		uint64_t a = state_get_u64(in), b = state_get_u64(in);

		if (slot >= HISTORY_CHUNK) {
			state_set_bad(in);
			return false;
		}
		ret->bucket[slot] = (struct history_bucket){
			.judged = (uint16_t)(a >> 48),
			.provider = (uint16_t)(a >> 32),
			.router = (uint16_t)(a >> 16),
			.lost = (uint16_t)a,
			.continuity = (uint16_t)(b >> 48),
			.gap_ms = (uint16_t)(b >> 32),
			.rate = (uint16_t)(b >> 16),
			.viewers = (uint8_t)(b >> 8),
			.flags = (uint8_t)b & (HISTORY_PERHAPS | HISTORY_BEYOND)};
	}
	*ret_level = level;
	return !state_is_bad(in);
}

bool history_append(struct history *h, mono_t now, enum history_level level,
	struct history_chunk *chunk)
{
	if ((h->newest[level] && h->newest[level]->number >= chunk->number) ||
		is_old(chunk, level, number_of(level, now)))
		return false;
	chunk->older = h->newest[level];
	h->newest[level] = chunk;
	return true;
}
