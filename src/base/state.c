/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * State for the next process, see state.h. Numbers are big-endian as on the wire. Pure.
 *
 * Header: 8 bytes magic, u32 version, u64 bytes that follow the header, u64 checksum of
 * these, u64 time of writing.
 */

#include "base/state.h"

#include "base/array.h"
#include "base/cleanup.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define HEADER_LEN 36
#define COUNTS_MAX 256
/* no timer is longer: robustness 255 and the longest query interval, 31744 s */
#define LONGEST_TIMER (100 * 86400 * NS_PER_SEC)

static const uint8_t magic[8] = {'r', 'c', 's', 't', 'a', 't', 'e', '\n'};

/* ---- writing ---- */

static uint8_t *state_room(struct state_out *o, size_t n)
{
	uint8_t *p;

	if (o->bad)
		return NULL;
	if (o->n + n > STATE_MAX || array_reserve(o->buf, o->cap, o->n + n, 4096) < 0) {
		o->bad = true;
		return NULL;
	}
	p = o->buf + o->n;
	o->n += n;
	return p;
}

static void state_put(struct state_out *o, const void *v, size_t n)
{
	uint8_t *p = state_room(o, n);

	if (p && n)
		memcpy(p, v, n);
}

static void write_number(uint8_t *p, uint64_t v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		p[i] = (uint8_t)(v >> (8 * (n - 1 - i)));
}

static void put_number(struct state_out *o, uint64_t v, size_t n)
{
	uint8_t *p = state_room(o, n);

	if (p)
		write_number(p, v, n);
}

/* FNV-1a by words: detects accidents; there is no attacker to keep out */
static uint64_t state_checksum(const uint8_t *p, size_t n)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < n; i++)
		h = (h ^ p[i]) * UINT64_C(0x100000001b3);
	return h;
}

void state_out_init(struct state_out *o, mono_t now, mono_t system_now)
{
	*o = (struct state_out){.ahead_ns = system_now.ns - now.ns};
	state_put(o, magic, sizeof(magic));
	state_put_u32(o, STATE_VERSION);
	state_put_u64(o, 0);
	state_put_u64(o, 0);
	state_put_time(o, now);
}

void state_out_deinit(struct state_out *o)
{
	free(o->buf);
	*o = (struct state_out){0};
}

int state_out_seal(struct state_out *o)
{
	if (o->bad)
		return -ENOMEM;
	write_number(o->buf + 12, o->n - HEADER_LEN, 8);
	write_number(
		o->buf + 20, state_checksum(o->buf + HEADER_LEN, o->n - HEADER_LEN), 8);
	return 0;
}

void state_put_u8(struct state_out *o, uint8_t v)
{
	put_number(o, v, 1);
}

void state_put_u32(struct state_out *o, uint32_t v)
{
	put_number(o, v, 4);
}

void state_put_u64(struct state_out *o, uint64_t v)
{
	put_number(o, v, 8);
}

void state_put_time(struct state_out *o, mono_t t)
{
	bool is_time = mono_is_set(t) && t.ns != MONO_NEVER.ns;

	state_put_u64(o, (uint64_t)(is_time ? t.ns + o->ahead_ns : t.ns));
}

void state_put_addr(struct state_out *o, const struct addr *a)
{
	state_put(o, a->b, sizeof(a->b));
}

void state_put_addrs(struct state_out *o, const struct addr *v, size_t n)
{
	state_put_u32(o, (uint32_t)n);
	for (size_t i = 0; i < n; i++)
		state_put_addr(o, &v[i]);
}

void state_put_text(struct state_out *o, const char *s)
{
	size_t n = strnlen(s, 255);

	state_put_u8(o, (uint8_t)n);
	state_put(o, s, n);
}

void state_put_counts(struct state_out *o, const uint64_t *v, uint32_t n)
{
	state_put_u32(o, n);
	for (uint32_t i = 0; i < n; i++)
		state_put_u64(o, v[i]);
}

size_t state_begin(struct state_out *o, uint32_t tag)
{
	state_put_u32(o, tag);
	state_put_u32(o, 0);
	return o->n;
}

void state_end(struct state_out *o, size_t begun)
{
	if (!o->bad)
		write_number(o->buf + begun - 4, o->n - begun, 4);
}

/* ---- reading ---- */

static uint64_t get_number(struct state_in *in, size_t n)
{
	const uint8_t *p = rd_take(&in->rd, n);
	uint64_t v = 0;

	for (size_t i = 0; p && i < n; i++)
		v = v << 8 | p[i];
	return v;
}

enum state_bad state_in_init(struct state_in *in, const void *buf, size_t len,
	mono_t now, int64_t max_age_ms)
{
	const uint8_t *start;
	uint64_t bytes, sum;

	*in = (struct state_in){.rd = rd_init(buf, len)};
	start = rd_take(&in->rd, sizeof(magic));
	if (!start || memcmp(start, magic, sizeof(magic)) != 0)
		return STATE_FOREIGN;
	if (state_get_u32(in) != STATE_VERSION)
		return STATE_OTHER_VERSION;
	bytes = state_get_u64(in);
	sum = state_get_u64(in);
	in->written.ns = (int64_t)state_get_u64(in);
	if (in->rd.bad || bytes != rd_left(&in->rd))
		return STATE_CUT_OFF;
	if (state_checksum(in->rd.p, rd_left(&in->rd)) != sum)
		return STATE_DAMAGED;
	if (mono_before(now, in->written) || in->written.ns < 0 ||
		mono_ms_since(in->written, now) > max_age_ms)
		return STATE_TOO_OLD;
	return STATE_OK;
}

const char *state_bad_text(enum state_bad bad)
{
	static const char *const text[] = {
		[STATE_OK] = "is good",
		[STATE_FOREIGN] = "is not from ringcastd",
		[STATE_OTHER_VERSION] = "has the format of another version",
		[STATE_CUT_OFF] = "is cut off",
		[STATE_DAMAGED] = "is damaged",
		[STATE_TOO_OLD] = "is too old",
	};

	return (unsigned)bad < array_len(text) ? text[bad] : "";
}

void state_set_bad(struct state_in *in)
{
	in->rd.bad = true;
	in->rd.p = in->rd.end;
}

uint8_t state_get_u8(struct state_in *in)
{
	return (uint8_t)get_number(in, 1);
}

uint32_t state_get_u32(struct state_in *in)
{
	return (uint32_t)get_number(in, 4);
}

uint64_t state_get_u64(struct state_in *in)
{
	return get_number(in, 8);
}

uint32_t state_get_up_to(struct state_in *in, uint32_t max)
{
	uint32_t v = state_get_u32(in);

	if (v <= max)
		return v;
	state_set_bad(in);
	return 0;
}

bool state_get_bool(struct state_in *in)
{
	uint8_t v = state_get_u8(in);

	if (v > 1)
		state_set_bad(in);
	return v == 1;
}

mono_t state_get_time(struct state_in *in)
{
	mono_t t = {(int64_t)state_get_u64(in)};

	if (in->rd.bad)
		return MONO_NEVER;
	if (t.ns == 0 || t.ns == MONO_NEVER.ns)
		return t;
	if (t.ns > 0 && t.ns < in->written.ns + LONGEST_TIMER)
		return t;
	state_set_bad(in);
	return MONO_NEVER;
}

struct addr state_get_addr(struct state_in *in)
{
	struct addr a = {{0}};
	const uint8_t *p = rd_take(&in->rd, sizeof(a.b));

	if (p)
		memcpy(a.b, p, sizeof(a.b));
	return a;
}

size_t state_get_count(struct state_in *in, size_t size)
{
	size_t n = state_get_u32(in);

	if (n <= rd_left(&in->rd) / size)
		return n;
	state_set_bad(in);
	return 0;
}

void state_get_counts(struct state_in *in, uint64_t *v, uint32_t n)
{
	uint32_t n_written = state_get_up_to(in, COUNTS_MAX);

	for (uint32_t i = 0; i < n_written; i++) {
		uint64_t count = state_get_u64(in);

		if (i < n)
			v[i] = count;
	}
}

void state_get_text(struct state_in *in, char *buf, size_t size)
{
	size_t n = state_get_u8(in);
	const uint8_t *p = rd_take(&in->rd, n);

	buf[0] = '\0';
	if (!p || n >= size || memchr(p, '\0', n)) {
		state_set_bad(in);
		return;
	}
	memcpy(buf, p, n);
	buf[n] = '\0';
}

bool state_get_section(
	struct state_in *in, uint32_t *ret_tag, struct state_in *ret_section)
{
	uint32_t tag, len;
	const uint8_t *p;

	if (in->rd.bad || rd_left(&in->rd) == 0)
		return false;
	tag = state_get_u32(in);
	len = state_get_u32(in);
	p = rd_take(&in->rd, len);
	if (!p)
		return false;
	*ret_tag = tag;
	*ret_section = (struct state_in){.rd = rd_init(p, len), .written = in->written};
	return true;
}
