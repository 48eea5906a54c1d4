/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Datagrams of one stream through the analyser: whole or cut, repeated, edited, with
 * time passing between them. The oracles are relations between the counters and the
 * bounds of the tables. quality_until() may be called at any moment without a change of
 * the results.
 *
 * The second analyser begins as a copy of the first when quality_until() is called for
 * the first time, because until then both would have had the same calls.
 */

#include "dataplane/quality/quality.h"
#include "fuzz.h"

#ifdef __SANITIZE_ADDRESS__
#define HAS_ASAN 1
#elif defined(__has_feature)
#define HAS_ASAN __has_feature(address_sanitizer)
#else
#define HAS_ASAN 0
#endif
#if HAS_ASAN
#include <sanitizer/asan_interface.h>
#endif

/* The oracles are not under test. Their comparisons do not help to find new inputs, and
 * recording them takes most of the time. */
#ifdef __clang__
#define ORACLE __attribute__((no_sanitize("coverage")))
#else
#define ORACLE
#endif

#define DATAGRAM_MAX 1500u

struct run {
	struct quality q, looked_at; /* the second is also queried in between */
	bool looked;		     /* the second has begun */
	uint64_t continuity;	     /* the count at the last look at the PIDs */
	mono_t now;
	uint8_t last[DATAGRAM_MAX];
	size_t len;
};

static ORACLE uint64_t sum(
	const struct quality *q, enum quality_count a, enum quality_count b)
{
	uint64_t n = 0;

	for (enum quality_count c = a; c <= b; c++)
		n += q->count[c];
	return n;
}

/* Holds after each datagram. */
static ORACLE void check(const struct quality *q)
{
	const uint64_t *c = q->count;

	fuzz_assert(c[QUALITY_RTP_REORDERED] <= c[QUALITY_RTP_MISSING]);
	fuzz_assert(c[QUALITY_ERROR_SECONDS] <= c[QUALITY_SECONDS]);
	fuzz_assert(c[QUALITY_MEDIA_BYTES] <= c[QUALITY_BYTES]);
	fuzz_assert(c[QUALITY_TRUNCATED] <= c[QUALITY_DATAGRAMS]);
	fuzz_assert(sum(q, QUALITY_RTP_REORDERED, QUALITY_RTP_SKIPPED) <=
		c[QUALITY_DATAGRAMS] + c[QUALITY_RTP_RESTARTS] +
			c[QUALITY_RTP_SSRC_CHANGES]);
	fuzz_assert(sum(q, QUALITY_TS_NULL, QUALITY_TS_SYNC_BYTES) +
			c[QUALITY_TS_TRANSPORT_ERRORS] + c[QUALITY_TS_CONTINUITY] +
			c[QUALITY_TS_DUPLICATES] <=
		c[QUALITY_TS_PACKETS]);
	fuzz_assert(c[QUALITY_TS_SYNC_LOSSES] * 2 <= c[QUALITY_TS_SYNC_BYTES]);
	fuzz_assert(c[QUALITY_TS_MISSING] <= c[QUALITY_TS_CONTINUITY] * 15);
	fuzz_assert(c[QUALITY_TS_PCR_DISCONTINUITIES] <= c[QUALITY_TS_PCR]);
	fuzz_assert(c[QUALITY_TS_RANDOM_ACCESS] <= c[QUALITY_TS_PACKETS]);
	fuzz_assert(q->kind < _QUALITY_KIND_N && q->misfits < 16);
	fuzz_assert(q->ts.n_pids <= QUALITY_PIDS && q->ts.n_pmts <= QUALITY_PMTS);
	fuzz_assert(q->ts.n_clocks <= QUALITY_CLOCKS);
	fuzz_assert(q->arrival.vb_min <= q->arrival.vb_max);
}

static void check_pids(const struct quality *q)
{
	uint16_t pid, errors;
	uint64_t by_pid = 0;

	for (unsigned at = 0; (at = quality_next_pid(q, at, &pid, &errors));)
		by_pid += errors;
	fuzz_assert(by_pid <= q->count[QUALITY_TS_CONTINUITY]);
}

/* Copies the captured bytes to the end of memory that was allocated once, so that the
 * sanitizer finds a read beyond them. What is before them is poisoned, except up to
 * seven bytes. */
static const uint8_t *captured_bytes(const struct run *r, size_t captured)
{
	static uint8_t *memory;
	uint8_t *begin;

	if (!memory)
		memory = malloc(DATAGRAM_MAX);
	fuzz_assert(memory);
	begin = memory + DATAGRAM_MAX - captured;
#if HAS_ASAN
	ASAN_UNPOISON_MEMORY_REGION(memory, DATAGRAM_MAX);
	ASAN_POISON_MEMORY_REGION(memory, DATAGRAM_MAX - captured);
#endif
	memcpy(begin, r->last, captured);
	return begin;
}

static void put(struct run *r, size_t captured)
{
	const uint8_t *p = captured_bytes(r, captured);

	quality_datagram(&r->q, p, captured, r->len, r->now);
	if (r->looked)
		quality_datagram(&r->looked_at, p, captured, r->len, r->now);
	check(&r->q);
}

static uint32_t crc(const uint8_t *p, size_t n)
{
	uint32_t c = UINT32_MAX;

	for (size_t i = 0; i < n * 8; i++) {
		uint32_t bit = c >> 31 ^ (p[i / 8] >> (7 - i % 8) & 1u);

		c = c << 1 ^ (bit ? 0x04c11db7u : 0);
	}
	return c;
}

/* A PAT or PMT with n entries, each made from a byte, and with the right CRC. */
static void make_table(struct rd *in, uint8_t *p, unsigned n)
{
	static const uint8_t stream_type[] = {0x02, 0x1b, 0x24, 0x06};
	unsigned what = rd_u8(in), end = what & 1 ? 12 : 8;
	uint8_t *s = p + 5;
	uint32_t checksum;

	p[1] |= 0x40;
	memset(p + 4, 0, 20);
	for (unsigned i = 0; i < n; i++) {
		uint8_t byte = rd_u8(in);
		const uint8_t stream[] = {stream_type[byte & 3], 0, byte >> 2, 0, 0};
		const uint8_t program[] = {0, (uint8_t)(i + 1), 0, byte};

		memcpy(s + end, what & 1 ? stream : program, what & 1 ? 5 : 4);
		end += what & 1 ? 5 : 4;
	}
	s[0] = what & 1 ? 2 : 0;
	s[2] = (uint8_t)(end + 1); /* what follows, with the CRC */
	if (what & 0x80)	   /* and perhaps in the next packet */
		s[2] = (uint8_t)(s[2] + rd_u8(in));
	s[5] = (uint8_t)(what >> 1);
	checksum = crc(s, end);
	put_u16be(s + end, checksum >> 16);
	put_u16be(s + end + 2, checksum & 0xffff);
}

/* Makes a TS packet from a few bytes of input. */
static void make_packet(struct rd *in, uint8_t *p)
{
	unsigned what = rd_u8(in);

	/* all 1, or all 0 with a start code at the end, or a pattern in which any
	 * longer table has many entries */
	memset(p, what & 0x20 ? 0 : 0xff, 188);
	p[187] = what & 0x20 ? 1 : 0xff;
	for (unsigned i = 0; i < 188 && (what & 0x60) == 0x40; i++)
		p[i] = (uint8_t)i;
	p[0] = what & 0x80 ? rd_u8(in) : 0x47;
	p[1] = rd_u8(in) & 0xe1;
	p[2] = rd_u8(in);
	p[3] = rd_u8(in);
	if ((what & 0x60) == 0x60) {
		make_table(in, p, what & 31);
		return;
	}
	for (unsigned i = 0; i < (what & 31); i++)
		p[4 + i] = rd_u8(in);
}

static void make_datagram(struct run *r, struct rd *in)
{
	unsigned what = rd_u8(in), n = what & 3, size = what & 4 ? 204 : 188;

	r->len = 0;
	if (what & 8) {
		const uint8_t head[12] = {rd_u8(in), what & 16 ? 33 : rd_u8(in),
			rd_u8(in), rd_u8(in), 0, 0, rd_u8(in), rd_u8(in), 0, 0, 0,
			rd_u8(in)};

		memcpy(r->last, head, sizeof(head));
		r->len = sizeof(head);
	}
	for (unsigned i = 0; i < n; i++, r->len += size) {
		make_packet(in, r->last + r->len);
		memset(r->last + r->len + 188, 0, size - 188);
	}
	for (unsigned i = what >> 5; i > 0; i--)
		r->last[r->len++] = rd_u8(in);
}

/* Changes counter and number of the last datagram. */
static void step(struct run *r, unsigned by)
{
	if (r->len > 3 && r->last[0] == 0x47)
		r->last[3] = (uint8_t)((r->last[3] & 0xf0) | ((r->last[3] + by) & 15));
	else if (r->len > 3)
		r->last[3] = (uint8_t)(r->last[3] + by);
	if (r->len > 15 && r->last[0] != 0x47)
		r->last[15] =
			(uint8_t)((r->last[15] & 0xf0) | ((r->last[15] + by) & 15));
}

/* The next datagrams are of another PID. */
static void step_pid(struct run *r)
{
	if (r->len > 2 && r->last[0] == 0x47)
		r->last[2]++;
	else if (r->len > 14)
		r->last[14]++;
}

static void pass(struct run *r, struct rd *in)
{
	static const int64_t unit[] = {1000, NS_PER_MS, 250 * NS_PER_MS, NS_PER_SEC};
	unsigned what = rd_u8(in);

	r->now.ns += unit[what & 3] * (what >> 2);
	if (!(what & 4))
		return;
	if (!r->looked)
		r->looked_at = r->q;
	r->looked = true;
	quality_until(&r->looked_at, r->now);
}

/* An event that quality_until() finds first is not counted again by the next
 * datagram. */
static void same_in_the_end(struct run *r)
{
	struct quality_result a, b;

	if (!r->looked)
		r->looked_at = r->q;
	quality_until(&r->q, r->now);
	quality_until(&r->looked_at, r->now);
	for (enum quality_count c = 0; c < _QUALITY_COUNT_N; c++)
		fuzz_assert(r->q.count[c] == r->looked_at.count[c]);
	quality_result(&r->q, &a);
	quality_result(&r->looked_at, &b);
	fuzz_assert(a.df_max_ns == b.df_max_ns && a.mlr_max == b.mlr_max);
	fuzz_assert(a.length_ns == b.length_ns && a.rtp_lost == b.rtp_lost);
	fuzz_assert(r->q.ts.pat_gap_ns == r->looked_at.ts.pat_gap_ns);
	fuzz_assert(r->q.arrival.gap_max_ns == r->looked_at.arrival.gap_max_ns);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct run run;
	struct run *r = &run;
	struct rd in = rd_init(data, size);

	*r = (struct run){.now = mono_from_ms(1000)};
	while (fuzz_more(&in)) {
		unsigned what = rd_u8(&in);

		if (what & 1)
			make_datagram(r, &in);
		else if (what & 2)
			step(r, what >> 5);
		if (what & 4)
			pass(r, &in);
		/* often repeats the datagram, so that short inputs give long streams */
		for (unsigned n = what & 8 ? rd_u8(&in) % 40 : 1; n > 0; n--) {
			put(r, what & 16 && r->len ? rd_u8(&in) % r->len : r->len);
			r->now.ns += 1000000;
			step(r, 1);
			if (what & 64)
				step_pid(r);
		}
		if (r->q.count[QUALITY_TS_CONTINUITY] != r->continuity)
			check_pids(&r->q);
		r->continuity = r->q.count[QUALITY_TS_CONTINUITY];
	}
	check_pids(&r->q);
	same_in_the_end(r);
	return 0;
}
