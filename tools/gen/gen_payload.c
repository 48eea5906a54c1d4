/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Writing and checking the payload of ringcast-gen. The checker builds the expected
 * payload from the stamp and compares all of it, so no byte escapes and the format is
 * described once.
 */

#include "tools/gen/gen_payload.h"

#include "base/bytes.h"
#include "base/rng.h"

#include <string.h>

#define MAGIC	     0x52434731u /* "RCG1" */
#define TS_SYNC	     0x47
#define TS_HEADER    4
#define PATTERN_TURN 256

/* FNV-1a finds damage in the stamp; all other bytes are compared */
static uint32_t stamp_check(const uint8_t *p, size_t n)
{
	uint32_t h = 2166136261u;

	for (size_t i = 0; i < n; i++)
		h = (h ^ p[i]) * 16777619u;
	return h;
}

static const uint8_t *pattern_at(uint64_t seq)
{
	static uint8_t pattern[65536 + PATTERN_TURN];
	static bool filled;

	if (!filled) {
		struct rng rng;

		rng_seed(&rng, MAGIC);
		for (size_t i = 0; i < sizeof(pattern); i++)
			pattern[i] = (uint8_t)rng_next(&rng);
		filled = true;
	}
	return pattern + seq % PATTERN_TURN;
}

void gen_payload_write(
	uint8_t *buf, size_t size, bool ts, const struct gen_stamp *stamp)
{
	uint8_t *start = buf + (ts ? TS_HEADER : 0);
	struct wr w = wr_init(start, GEN_PAYLOAD_MIN);

	memcpy(buf, pattern_at(stamp->seq), size);
	for (size_t at = 0; ts && at + GEN_TS_PACKET <= size; at += GEN_TS_PACKET) {
		buf[at] = TS_SYNC;
		buf[at + 1] = 0x1f; /* PID 0x1fff: null packets */
		buf[at + 2] = 0xff;
		buf[at + 3] = 0x10;
	}
	wr_u32be(&w, MAGIC);
	wr_u32be(&w, stamp->stream);
	wr_u32be(&w, (uint32_t)(stamp->seq >> 32));
	wr_u32be(&w, (uint32_t)stamp->seq);
	wr_u32be(&w, (uint32_t)((uint64_t)stamp->sent_ns >> 32));
	wr_u32be(&w, (uint32_t)stamp->sent_ns);
	wr_u32be(&w, (uint32_t)size);
	wr_u32be(&w, stamp_check(start, GEN_PAYLOAD_MIN - 4));
}

enum gen_payload gen_payload_read(
	const uint8_t *buf, size_t size, struct gen_stamp *ret)
{
	static uint8_t expected[65536];
	bool ts = size >= GEN_PAYLOAD_MIN_TS && buf[0] == TS_SYNC;
	size_t skip = ts ? TS_HEADER : 0;
	struct gen_stamp s;
	struct rd r;

	if (size < GEN_PAYLOAD_MIN || size > sizeof(expected))
		return GEN_PAYLOAD_FOREIGN;
	r = rd_init(buf + skip, size - skip);
	if (rd_u32be(&r) != MAGIC)
		return GEN_PAYLOAD_FOREIGN;
	s.stream = rd_u32be(&r);
	s.seq = (uint64_t)rd_u32be(&r) << 32;
	s.seq |= rd_u32be(&r);
	s.sent_ns = (int64_t)((uint64_t)rd_u32be(&r) << 32);
	s.sent_ns |= rd_u32be(&r);

	gen_payload_write(expected, size, ts, &s);
	if (memcmp(buf, expected, size) != 0)
		return GEN_PAYLOAD_CORRUPT;
	*ret = s;
	return GEN_PAYLOAD_GOOD;
}
