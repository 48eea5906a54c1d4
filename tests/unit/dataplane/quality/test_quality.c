/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The analyser by table: short texts describe datagrams, and rows list the counters.
 * tests/tools/test_quality.py has whole streams with lists of faults.
 */

#include "dataplane/quality/quality.h"
#include "test.h"

#include <stdio.h>

#define MS (1000 * 1000)

static struct quality q;
static uint8_t buf[4096];
static mono_t now;

static void begin(void)
{
	quality_init(&q);
	now = mono_from_ms(5000);
}

static void put(size_t len)
{
	quality_datagram(&q, buf, len, len, now);
	now = mono_add_ms(now, 1);
}

struct want {
	enum quality_count count;
	uint64_t n;
};
#define WANTS 6

static void check(const char *name, const struct want want[WANTS])
{
	for (unsigned i = 0; i < WANTS && want[i].n; i++)
		if (q.count[want[i].count] != want[i].n)
			fail_msg("%s: %s is %llu, not %llu", name,
				quality_count_name(want[i].count),
				(unsigned long long)q.count[want[i].count],
				(unsigned long long)want[i].n);
}

/* Counters that `want` does not name must be 0. */
static void check_rest(const char *name, const struct want want[WANTS],
	enum quality_count from, enum quality_count to)
{
	for (enum quality_count c = from; c <= to; c++) {
		bool named = false;

		for (unsigned i = 0; i < WANTS && want[i].n; i++)
			named = named || want[i].count == c;
		if (!named && q.count[c])
			fail_msg("%s: %s is %llu, not 0", name, quality_count_name(c),
				(unsigned long long)q.count[c]);
	}
}

/* ---- RTP ---- */

static size_t rtp(unsigned seq, unsigned ssrc, unsigned type)
{
	memset(buf, 0, 60);
	buf[0] = 0x80;
	buf[1] = (uint8_t)type;
	buf[2] = (uint8_t)(seq >> 8);
	buf[3] = (uint8_t)seq;
	buf[11] = (uint8_t)ssrc;
	return 60;
}

static void rtp_sequences(void **state)
{
	/* a letter before a number means another SSRC */
	static const struct {
		const char *name, *numbers;
		struct want want[WANTS];
	} t[] = {
		{"in order", "1 2 3 4", {{0}}},
		{"over the end", "65534 65535 0 1", {{0}}},
		{"one lost", "1 2 4 5", {{QUALITY_RTP_MISSING, 1}}},
		{"lost over the end", "65534 65535 3 4", {{QUALITY_RTP_MISSING, 3}}},
		{"late", "1 2 4 3 5",
			{{QUALITY_RTP_MISSING, 1}, {QUALITY_RTP_REORDERED, 1}}},
		{"late over the end", "65534 65535 1 0 2",
			{{QUALITY_RTP_MISSING, 1}, {QUALITY_RTP_REORDERED, 1}}},
		{"twice", "1 2 3 3 4", {{QUALITY_RTP_DUPLICATED, 1}}},
		{"the first one twice", "1 2 1 3", {{QUALITY_RTP_DUPLICATED, 1}}},
		{"late and twice", "1 2 4 3 3 5",
			{{QUALITY_RTP_MISSING, 1}, {QUALITY_RTP_REORDERED, 1},
				{QUALITY_RTP_DUPLICATED, 1}}},
		{"before the first", "10 11 9 12", {{QUALITY_RTP_SKIPPED, 1}}},
		{"2,999 ahead are a gap", "1 2 3001 3002",
			{{QUALITY_RTP_MISSING, 2998}}},
		{"3,000 ahead are a restart", "1 2 3002 3003 3004",
			{{QUALITY_RTP_RESTARTS, 1}, {QUALITY_RTP_SKIPPED, 1}}},
		{"99 behind are late", "1 2 200 101 201",
			{{QUALITY_RTP_MISSING, 197}, {QUALITY_RTP_REORDERED, 1}}},
		{"100 behind are in no sequence", "1 2 200 100 201",
			{{QUALITY_RTP_MISSING, 197}, {QUALITY_RTP_SKIPPED, 1}}},
		{"101 behind twice are a restart", "1 2 200 99 100 101",
			{{QUALITY_RTP_MISSING, 197}, {QUALITY_RTP_RESTARTS, 1},
				{QUALITY_RTP_SKIPPED, 1}}},
		{"a lone number", "1 2 9000 3 4", {{QUALITY_RTP_SKIPPED, 1}}},
		{"two lone numbers, not in a row", "1 2 9000 3 9001 4",
			{{QUALITY_RTP_SKIPPED, 2}}},
		{"another SSRC", "1 2 b7 b8 b9",
			{{QUALITY_RTP_SSRC_CHANGES, 1}, {QUALITY_RTP_SKIPPED, 1}}},
		{"an SSRC between", "1 2 b7 3 b8 4", {{QUALITY_RTP_SKIPPED, 2}}},
		{"a window that has moved on", "1 2 4 102 3 103 5",
			{{QUALITY_RTP_MISSING, 98}, {QUALITY_RTP_REORDERED, 2}}},
	};

	for (size_t i = 0; i < array_len(t); i++) {
		const char *p = t[i].numbers;

		begin();
		while (*p) {
			unsigned ssrc = *p == 'b' ? 2 : 1;

			p += *p == 'b';
			put(rtp((unsigned)strtoul(p, (char **)(void *)&p, 10), ssrc,
				96));
			p += strspn(p, " ");
		}
		assert_int_equal(q.kind, QUALITY_RTP);
		check(t[i].name, t[i].want);
		check_rest(t[i].name, t[i].want, QUALITY_MISFITS, QUALITY_RTP_CONTROL);
	}
}

static void headers_that_are_none(void **state)
{
	static const struct {
		const char *name;
		uint8_t at, octet;
	} t[] = {
		{"version", 0, 0x40},
		{"more CSRCs than there is room for", 0, 0x8f},
		{"extension longer than the datagram", 0, 0x90},
		{"padding of 0 bytes", 0, 0xa0},
	};

	for (size_t i = 0; i < array_len(t); i++) {
		begin();
		for (unsigned n = 0; n < 40; n++) {
			rtp(n, 1, 96);
			buf[14] = 0xff;
			buf[t[i].at] = t[i].octet;
			put(60);
		}
		if (q.kind != QUALITY_UNKNOWN)
			fail_msg("%s", t[i].name);
		begin();
		put(rtp(1, 1, 96));
		put(rtp(2, 1, 96));
		rtp(3, 1, 96);
		buf[14] = 0xff;
		buf[t[i].at] = t[i].octet;
		put(60);
		assert_int_equal(q.count[QUALITY_MISFITS], 1);
	}
}

static void jitter_of_rfc_3550_a_8(void **state)
{
	/* frames of 20 ms of G.711, the last of them 5 ms late: 40 units at 8 kHz, of
	 * which a sixteenth counts as jitter */
	struct quality_result r;

	begin();
	for (unsigned n = 0; n < 4; n++) {
		rtp(n, 1, 8);
		buf[6] = (uint8_t)(n * 160 >> 8);
		buf[7] = (uint8_t)(n * 160);
		now = mono_from_ms(5000 + n * 20 + (n == 3 ? 5 : 0));
		put(60);
	}
	quality_result(&q, &r);
	assert_int_equal(q.rtp.jitter, 40);
	assert_int_equal(r.jitter_ns, 40 / 16 * NS_PER_SEC / 8000);
	assert_int_equal(r.jitter_max_ns, r.jitter_ns);
	rtp(4, 1, 8);
	now = mono_add_ms(now, 3000);
	put(60);
	assert_int_equal(q.count[QUALITY_RTP_TIMESTAMP_JUMPS], 1);
	assert_int_equal(q.rtp.jitter, 40);
}

static void clock_rates(void **state)
{
	static const struct {
		uint8_t type;
		uint32_t rate;
	} t[] = {{0, 8000}, {1, 0}, {2, 0}, {6, 16000}, {10, 44100}, {11, 44100},
		{14, 90000}, {16, 11025}, {17, 22050}, {18, 8000}, {25, 90000},
		{26, 90000}, {27, 0}, {28, 90000}, {32, 90000}, {34, 90000}, {35, 0},
		{96, 0}};

	for (size_t i = 0; i < array_len(t); i++) {
		begin();
		put(rtp(1, 1, t[i].type));
		put(rtp(2, 1, t[i].type));
		assert_int_equal(q.rtp.clock_rate, t[i].rate);
	}
}

/* ---- MPEG-TS ---- */

/* A packet per word: letter of the PID, counter, and further properties. */
static size_t packets(const char *text)
{
	static unsigned serial;
	uint8_t *p = buf;

	for (; *text; text += strspn(text, " "), p += 188) {
		unsigned pid = *text == '0' ? 0
			: *text == 'n'	    ? 0x1fff
					    : (uint8_t)*text;

		memset(p, 0xff, 188);
		p[0] = 0x47;
		p[1] = (uint8_t)(pid >> 8);
		p[2] = (uint8_t)pid;
		p[3] = (uint8_t)(0x10 | strtoul(text + 1, (char **)(void *)&text, 10));
		p[12] = (uint8_t)(++serial >> 8);
		p[13] = (uint8_t)serial;
		for (; *text && *text != ' '; text++) {
			switch (*text) {
			case 'D': /* discontinuity_indicator */
			case 'R': /* random_access_indicator */
				p[5] = (uint8_t)((p[3] & 0x20 ? p[5] : 0) |
					(*text == 'D' ? 0x80 : 0x40));
				p[3] |= 0x20;
				p[4] = 1;
				break;
			case 'a': /* no payload */
				p[3] = (uint8_t)(0x20 | (p[3] & 15));
				p[4] = 183;
				p[5] = p[5] == 0xff ? 0 : p[5];
				break;
			case '=': /* the bytes of the packet before it */
				memcpy(p, p - 188, 188);
				break;
			case 'E':
				p[1] |= 0x80;
				break;
			case 'S':
				p[3] |= 0x80;
				break;
			case 'r': /* reserved adaptation_field_control */
				p[3] &= 0xcf;
				break;
			case '!':
				p[0] = 0x48;
				break;
			default:
				fail_msg("what is '%c'?", *text);
			}
		}
	}
	return (size_t)(p - buf);
}

static void continuity(void **state)
{
	static const struct {
		const char *name, *packets;
		struct want want[WANTS];
	} t[] = {
		{"in order, two PIDs", "v0 a5 v1 v2 a6 v3", {{0}}},
		{"16 is 0", "v14 v15 v0", {{0}}},
		{"one missing", "v0 v1 v3 v4",
			{{QUALITY_TS_CONTINUITY, 1}, {QUALITY_TS_MISSING, 1}}},
		{"fourteen missing", "v0 v1 v0 v1",
			{{QUALITY_TS_CONTINUITY, 1}, {QUALITY_TS_MISSING, 14}}},
		{"a legal duplicate", "v0 v1 v1= v2", {{QUALITY_TS_DUPLICATES, 1}}},
		{"duplicate before another PID", "v0 v1 v1= a5 v2",
			{{QUALITY_TS_DUPLICATES, 1}}},
		{"three of them", "v0 v1 v1= v1= v2",
			{{QUALITY_TS_DUPLICATES, 1}, {QUALITY_TS_CONTINUITY, 1}}},
		{"the same counter with other bytes", "v0 v1 v1 v2",
			{{QUALITY_TS_CONTINUITY, 1}, {QUALITY_TS_MISSING, 15}}},
		{"two duplicates, one after the other", "v0 v0= v1 v1= v2",
			{{QUALITY_TS_DUPLICATES, 2}}},
		{"no payload: the counter stays", "v0 v1 v1a v1a v2", {{0}}},
		{"no payload, but it rises", "v0 v1 v2a v3",
			{{QUALITY_TS_CONTINUITY, 1}, {QUALITY_TS_MISSING, 1}}},
		{"no payload first", "v1a v2 v3", {{0}}},
		{"signalled", "v0 v1 v9D v10", {{QUALITY_TS_SIGNALLED, 1}}},
		{"signalled without payload", "v0 v1 v9Da v10",
			{{QUALITY_TS_SIGNALLED, 1}}},
		{"signalled for one PID alone", "v0 a0 v9D a5 v10",
			{{QUALITY_TS_SIGNALLED, 1}, {QUALITY_TS_CONTINUITY, 1},
				{QUALITY_TS_MISSING, 4}}},
		{"null packets have no counter", "v0 n0 n0 n5 v1",
			{{QUALITY_TS_NULL, 3}}},
		{"reserved control field", "v0 v1 v7r v2", {{0}}},
		{"transport error: other packets are not affected", "v0 v9E v2 v3",
			{{QUALITY_TS_TRANSPORT_ERRORS, 1}}},
		{"sync byte: the same", "v0 v1! v2 v3", {{QUALITY_TS_SYNC_BYTES, 1}}},
		{"synchronisation", "v0 v1! v2! v3 v4 v5 v6 v7 v9",
			{{QUALITY_TS_SYNC_BYTES, 2}, {QUALITY_TS_SYNC_LOSSES, 1},
				{QUALITY_TS_CONTINUITY, 1}, {QUALITY_TS_MISSING, 1}}},
		{"until five are good", "v0 v1! v2! v3 v4 v5 v6 v9",
			{{QUALITY_TS_SYNC_BYTES, 2}, {QUALITY_TS_SYNC_LOSSES, 1}}},
		{"not yet found", "v0 v1! v2! v3 v4! v5 v6 v7 v8",
			{{QUALITY_TS_SYNC_BYTES, 3}, {QUALITY_TS_SYNC_LOSSES, 1}}},
		{"scrambled", "v0S v1S v2", {{QUALITY_TS_SCRAMBLED, 2}}},
		{"random access", "v0 v1R v2 v3R", {{QUALITY_TS_RANDOM_ACCESS, 2}}},
	};

	for (size_t i = 0; i < array_len(t); i++) {
		begin();
		put(packets("v15")); /* makes the stream known as MPEG-TS */
		q.ts.epoch++;
		put(packets(t[i].packets));
		assert_int_equal(q.kind, QUALITY_TS);
		check(t[i].name, t[i].want);
		check_rest(t[i].name, t[i].want, QUALITY_TS_NULL, QUALITY_TS_UNWATCHED);
		check_rest(t[i].name, t[i].want, QUALITY_MISFITS, QUALITY_RTP_CONTROL);
	}
}

static void errors_by_pid(void **state)
{
	uint16_t pid, errors;
	unsigned at;

	begin();
	put(packets("v0 a0 v2 a1 v4 v5"));
	at = quality_next_pid(&q, 0, &pid, &errors);
	assert_int_equal(pid, 'v');
	assert_int_equal(errors, 2);
	assert_int_equal(quality_next_pid(&q, at, &pid, &errors), 0);
}

static const uint8_t pat[] = {0x00, 0xb0, 0x0d, 0x00, 0x01, 0xc1, 0x00, 0x00, 0x00,
	0x01, 0xf0, 0x00, 0x2a, 0xb1, 0x04, 0xb2}; /* program 1, PMT on 0x1000 */

static void put_pat(unsigned cc)
{
	packets("00");
	buf[1] = 0x40;
	buf[3] = (uint8_t)(0x10 | (cc & 15));
	buf[4] = 0;
	memcpy(buf + 5, pat, sizeof(pat));
}

static void put_pmt(unsigned cc)
{
	packets("00");
	buf[1] = 0x50;
	buf[3] = (uint8_t)(0x10 | (cc & 15));
	buf[4] = 0;
	buf[5] = 2;
}

static void pat_and_pmt(void **state)
{
	begin();
	put_pat(0);
	put(188);
	assert_int_equal(q.count[QUALITY_TS_PAT], 1);
	assert_int_equal(q.ts.n_pmts, 1);
	put_pmt(0);
	put(188);
	assert_int_equal(q.count[QUALITY_TS_PMT], 1);
	now = mono_add_ms(now, 498); /* 500 ms after the PAT */
	put_pat(1);
	put(188);
	assert_int_equal(q.count[QUALITY_TS_PAT_LATE], 0);
	now = mono_add_ms(now, 500); /* 501 ms */
	put_pat(2);
	put(188);
	assert_int_equal(q.count[QUALITY_TS_PAT_LATE], 1);
	assert_int_equal(q.ts.pat_gap_ns, 501 * MS);
	quality_until(&q, now); /* the PMT was not seen for a second */
	assert_int_equal(q.count[QUALITY_TS_PMT_LATE], 1);
	put_pat(3);
	buf[14]++;
	put(188);
	assert_int_equal(q.count[QUALITY_TS_PAT_CRC], 1);
	put_pat(4);
	buf[5] = 1; /* a table that does not belong here */
	put(188);
	put_pat(5);
	buf[4] = 180; /* pointer_field beyond the packet */
	put(188);
	put_pat(6);
	buf[7] = 2; /* too short for a PAT */
	put(188);
	assert_int_equal(q.count[QUALITY_TS_PAT_CRC], 2);
	assert_int_equal(q.count[QUALITY_TS_PAT], 3);
	assert_int_equal(q.count[QUALITY_TS_CONTINUITY], 0);
}

static void programs_of_a_long_pat(void **state)
{
	begin();
	put_pat(0);
	buf[6] = 0xb1; /* 256 bytes longer, so the CRC is in another packet */
	for (unsigned i = 0; i < 43; i++) {
		uint8_t *p = buf + 13 + 4 * i;

		p[0] = 0;
		p[1] = (uint8_t)i; /* number 0 is not a program */
		p[2] = 0xe1;
		p[3] = (uint8_t)i;
	}
	put(188);
	assert_int_equal(q.count[QUALITY_TS_PAT], 1);
	assert_int_equal(q.ts.n_pmts, QUALITY_PMTS);
	assert_int_equal(q.count[QUALITY_TS_UNWATCHED], 42 - QUALITY_PMTS);
	put_pat(1);
	buf[10] = 0xc1; /* the same version, then one that is not yet current */
	put(188);
	buf[3]++;
	buf[10] = 0xc0;
	put(188);
	assert_int_equal(q.ts.n_pmts, QUALITY_PMTS);
}

static void put_pcr(unsigned cc, int64_t ms, bool signalled)
{
	uint64_t base = (uint64_t)ms * 90;

	packets("v0");
	buf[3] = (uint8_t)(0x30 | cc);
	buf[4] = 7;
	buf[5] = signalled ? 0x90 : 0x10;
	for (unsigned i = 0; i < 4; i++)
		buf[6 + i] = (uint8_t)(base >> (25 - 8 * i));
	buf[10] = (uint8_t)(base << 7 | 0x7e);
	buf[11] = 0;
	put(188);
}

static void clocks(void **state)
{
	static const struct {
		const char *name;
		int64_t arrival_ms, step_ms;
		bool signalled;
		uint64_t n;
	} t[] = {
		{"regular", 40, 40, false, 0},
		{"bursts", 1, 40, false, 0},
		{"seldom", 150, 150, false, 0},
		{"after loss", 800, 850, false, 0},
		{"stopped", 40, 0, false, 0},
		{"back", 40, -4000, false, 1},
		{"a little back", 40, -10, false, 0},
		{"ahead", 40, 4000, false, 1},
		{"signalled", 40, 4000, true, 0},
		{"over the end", 40, (INT64_C(1) << 33) / 90 + 40, false, 0},
	};

	for (size_t i = 0; i < array_len(t); i++) {
		begin();
		put_pcr(0, 10000, false);
		now = mono_add_ms(now, t[i].arrival_ms - 1);
		put_pcr(1, 10000 + t[i].step_ms, t[i].signalled);
		assert_int_equal(q.count[QUALITY_TS_PCR], 2);
		if (q.count[QUALITY_TS_PCR_DISCONTINUITIES] != t[i].n)
			fail_msg("%s", t[i].name);
	}
}

/* ---- arrival ---- */

/* A datagram of 100 bytes per step. */
static void arrive(int64_t from_ms, int64_t to_ms, int64_t step_ms)
{
	memset(buf, 0x11, 100);
	for (int64_t ms = from_ms; ms < to_ms; ms += step_ms)
		quality_datagram(&q, buf, 100, 100, mono_from_ms(5000 + ms));
}

static void gaps(void **state)
{
	begin();
	arrive(0, 1000, 5);
	arrive(1000, 1500, 5);
	arrive(1515, 2000, 5); /* 20 ms are not more than 20 ms */
	assert_int_equal(q.count[QUALITY_SILENT_GAPS], 0);
	arrive(2016, 2500, 5); /* 21 ms */
	assert_int_equal(q.count[QUALITY_SILENT_GAPS], 1);
	arrive(3495, 4000, 5); /* exactly 1,000 ms are not an outage */
	assert_int_equal(q.count[QUALITY_OUTAGES], 0);
	assert_int_equal(q.count[QUALITY_SILENT_GAPS], 2);
	arrive(4996, 5000, 5); /* 1,001 ms */
	assert_int_equal(q.count[QUALITY_OUTAGES], 1);
	assert_int_equal(q.count[QUALITY_SILENT_GAPS], 2);
	assert_int_equal(q.arrival.gap_max_ns, 1001 * MS);
}

static void an_outage_is_seen_while_it_lasts(void **state)
{
	begin();
	arrive(0, 1000, 5);
	assert_false(quality_until(&q, mono_from_ms(4000))); /* in the past */
	assert_true(quality_until(&q, mono_from_ms(5000 + 1995)));
	assert_int_equal(q.count[QUALITY_OUTAGES], 0);
	quality_until(&q, mono_from_ms(5000 + 1996));
	assert_int_equal(q.count[QUALITY_OUTAGES], 1);
	assert_true(quality_until(&q, mono_from_ms(5000 + 4500)));
	assert_int_equal(q.count[QUALITY_OUTAGES], 1);
	assert_int_equal(q.count[QUALITY_SECONDS], 4);
	/* the outage began at 995 ms and lasts a second at 1,995 ms */
	assert_int_equal(q.count[QUALITY_ERROR_SECONDS], 3);
	arrive(5500, 8000, 5);
	assert_int_equal(q.count[QUALITY_OUTAGES], 1);
	assert_int_equal(q.count[QUALITY_SECONDS], 7);
	assert_int_equal(q.count[QUALITY_ERROR_SECONDS], 5);
	quality_init(&q);
	assert_false(quality_until(&q, now));
}

static void delivery_index(void **state)
{
	struct quality_result r;

	begin();
	arrive(0, 1000, 5);
	quality_result(&q, &r);
	assert_int_equal(r.df_ns, -1);
	arrive(1000, 2000, 5);
	arrive(2000, 2005, 5);
	quality_result(&q, &r);
	/* evenly spaced, so at most one datagram of 5 ms waits */
	assert_in_range(r.df_ns, 5 * MS - 10, 5 * MS + 10);
	assert_int_equal(r.rate_bps, 200 * 100 * 8);
	/* ten at a time */
	for (int64_t ms = 2050; ms <= 4000; ms += 50)
		for (unsigned i = 0; i < 10; i++)
			arrive(ms, ms + 1, 1);
	quality_result(&q, &r);
	assert_in_range(r.df_ns, 50 * MS - 10, 50 * MS + 10);
	/* a second without datagrams has no rate */
	quality_until(&q, mono_from_ms(5000 + 6100));
	quality_result(&q, &r);
	assert_int_equal(r.rate_bps, 0);
	assert_int_equal(r.mlr, 0);
}

static void media_loss_rate(void **state)
{
	struct quality_result r;

	begin();
	for (unsigned n = 0; n < 400; n++) {
		if (n == 100 || n == 101 || n == 300)
			continue;
		now = mono_from_ms(5000 + n * 5);
		put(rtp(n, 1, 96));
	}
	now = mono_from_ms(7000);
	put(rtp(400, 1, 96));
	quality_result(&q, &r);
	assert_int_equal(r.mlr, 1);
	assert_int_equal(r.mlr_max, 2);
	assert_int_equal(r.rtp_lost, 3);
	assert_int_equal(q.count[QUALITY_ERROR_SECONDS], 2);
}

static void kinds(void **state)
{
	/* two datagrams of each, and the kind that is recognised */
	static const struct {
		const char *name;
		uint8_t first, type;
		size_t len, sync_at, sync_step;
		enum quality_kind kind;
		unsigned size;
	} t[] = {
		{"TS", 0x47, 0, 1316, 0, 188, QUALITY_TS, 188},
		{"TS with Reed-Solomon", 0x47, 0, 1428, 0, 204, QUALITY_TS, 204},
		{"too short", 0x47, 0, 187, 0, 188, QUALITY_UNKNOWN, 0},
		{"a sync byte is wrong", 0x47, 0, 1316, 188, 188 * 6, QUALITY_UNKNOWN,
			0},
		{"RTP with TS", 0x80, 33, 12 + 1316, 12, 188, QUALITY_RTP_TS, 188},
		{"with marker", 0x80, 0x80 | 33, 12 + 1316, 12, 188, QUALITY_RTP_TS,
			188},
		{"RTP with 204", 0x80, 33, 12 + 408, 12, 204, QUALITY_RTP_TS, 204},
		{"type 33 without TS", 0x80, 33, 12 + 188, 2000, 188, QUALITY_RTP, 0},
		{"RTP", 0x80, 96, 100, 2000, 188, QUALITY_RTP, 0},
		{"RTCP", 0x80, 200, 100, 2000, 188, QUALITY_UNKNOWN, 0},
		{"no version 2", 0x40, 96, 100, 2000, 188, QUALITY_UNKNOWN, 0},
	};

	for (size_t i = 0; i < array_len(t); i++) {
		begin();
		for (unsigned n = 0; n < 2; n++) {
			memset(buf, 0, sizeof(buf));
			buf[0] = t[i].first;
			buf[1] = t[i].type;
			buf[3] = (uint8_t)n;
			for (size_t at = t[i].sync_at; at < t[i].len;
				at += t[i].sync_step)
				buf[at] = 0x47;
			put(t[i].len);
		}
		if (q.kind != t[i].kind || q.ts.packet_size != t[i].size)
			fail_msg("%s: %s %u", t[i].name, quality_kind_name(q.kind),
				q.ts.packet_size);
	}
}

static void cut_datagrams(void **state)
{
	begin();
	memset(buf, 0, sizeof(buf));
	for (size_t at = 0; at < 1316; at += 188)
		buf[at] = 0x47;
	quality_datagram(&q, buf, 60, 1316, now);
	assert_int_equal(q.kind, QUALITY_TS);
	quality_datagram(&q, buf, 60, 1316, now);
	assert_int_equal(q.count[QUALITY_TRUNCATED], 2);
	assert_int_equal(q.count[QUALITY_TS_PACKETS], 0);
	assert_int_equal(q.count[QUALITY_MEDIA_BYTES], 2 * 1316);
	begin();
	for (unsigned n = 0; n < 3; n++) {
		rtp(n, 1, 33);
		quality_datagram(&q, buf, 12, 12 + 1316, now);
	}
	assert_int_equal(q.kind, QUALITY_RTP_TS);
	quality_datagram(&q, buf, 4, 12 + 1316, now);
	assert_int_equal(q.count[QUALITY_MISFITS], 0);
	begin(); /* RTP in which MPEG-TS begins later */
	put(rtp(1, 1, 33));
	put(rtp(2, 1, 33));
	assert_int_equal(q.kind, QUALITY_RTP);
	quality_datagram(&q, buf, 4, 100, now);
	assert_int_equal(q.count[QUALITY_MISFITS], 0);
	rtp(3, 1, 33);
	buf[12] = 0x47;
	put(12 + 188);
	assert_int_equal(q.kind, QUALITY_RTP_TS);
	assert_int_equal(q.count[QUALITY_KIND_CHANGES], 1);
	rtp(4, 1, 97); /* another payload type does not count as MPEG-TS */
	put(12 + 188);
	assert_int_equal(q.count[QUALITY_MISFITS], 1);
	rtp(5, 1, 33);
	put(12 + 187);
	assert_int_equal(q.count[QUALITY_MISFITS], 2);
}

static void fec_that_stops(void **state)
{
	static const uint8_t head[16] = {
		0, 0, 0, 0, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 5, 10, 0};

	begin();
	for (unsigned n = 0; n < 18; n++) {
		size_t len = rtp(n, 0, 96);

		if (n < 2)
			memcpy(buf + 12, head, sizeof(head));
		put(len);
		assert_int_equal(
			q.kind, n == 0 || n == 17 ? QUALITY_UNKNOWN : QUALITY_FEC);
	}
	assert_int_equal(q.count[QUALITY_KIND_CHANGES], 1);
}

/* ---- pauses that mean nothing ---- */

static void nothing_is_compared_across_a_pause(void **state)
{
	static const struct want none[WANTS] = {{0}};

	begin();
	for (unsigned n = 1; n <= 3; n++)
		put(rtp(n, 1, 96));
	quality_resume(&q);
	now = mono_add_ms(now, 4000);
	for (unsigned n = 9; n <= 11; n++)
		put(rtp(n, 1, 96));
	check_rest("numbers", none, QUALITY_MISFITS, QUALITY_RTP_CONTROL);
	quality_resume(&q);
	for (unsigned n = 30000; n <= 30002; n++)
		put(rtp(n, 2, 96));
	check_rest("another sender", none, QUALITY_MISFITS, QUALITY_RTP_CONTROL);
	put(rtp(30004, 2, 96)); /* and after it, all is judged */
	assert_int_equal(q.count[QUALITY_RTP_MISSING], 1);

	begin();
	put(packets("v0 a0 v1"));
	quality_resume(&q);
	put(packets("v9 a5 v10 a6"));
	check_rest("continuity", none, QUALITY_TS_NULL, QUALITY_TS_UNWATCHED);
	put(packets("v12"));
	assert_int_equal(q.count[QUALITY_TS_CONTINUITY], 1);
}

static void a_pause_is_not_a_gap(void **state)
{
	begin();
	arrive(0, 1500, 5);
	quality_resume(&q);
	assert_false(quality_until(&q, mono_from_ms(5000 + 9000)));
	arrive(9000, 10500, 5);
	assert_int_equal(q.count[QUALITY_OUTAGES], 0);
	assert_int_equal(q.count[QUALITY_SILENT_GAPS], 0);
	assert_int_equal(q.arrival.gap_max_ns, 5 * MS);
	/* a second before the pause and a second after it: the half is not complete */
	assert_int_equal(q.count[QUALITY_SECONDS], 2);
	assert_int_equal(q.count[QUALITY_ERROR_SECONDS], 0);
	assert_int_equal(q.count[QUALITY_DATAGRAMS], 600);
	arrive(10521, 10522, 5); /* the usual spacing is still known */
	assert_int_equal(q.count[QUALITY_SILENT_GAPS], 1);
	quality_resume(&q);
	quality_datagram(&q, buf, 100, 100, mono_from_ms(1));
	assert_int_equal(q.count[QUALITY_TIME_STEPS], 0);
}

static void a_pause_makes_nothing_old(void **state)
{
	begin();
	put_pat(0);
	put(188);
	put_pmt(0);
	put(188);
	put_pcr(0, 10000, false);
	quality_resume(&q);
	now = mono_add_ms(now, 3000);
	put_pcr(5, 90000, false);
	put_pat(1);
	put(188);
	put_pmt(1);
	put(188);
	assert_int_equal(q.count[QUALITY_TS_PAT_LATE], 0);
	assert_int_equal(q.count[QUALITY_TS_PMT_LATE], 0);
	assert_int_equal(q.ts.pat_gap_ns, 1 * MS);
	assert_int_equal(q.count[QUALITY_TS_PCR_DISCONTINUITIES], 0);
	put_pcr(6, 95000, false);
	assert_int_equal(q.count[QUALITY_TS_PCR_DISCONTINUITIES], 1);
}

static void a_fault_before_a_pause_counts(void **state)
{
	begin();
	put(packets("v0"));
	put(packets("v2"));
	quality_resume(&q);
	now = mono_add_ms(now, 5000);
	for (unsigned n = 0; n < 1100; n++)
		put(packets("n0"));
	assert_int_equal(q.count[QUALITY_SECONDS], 1);
	assert_int_equal(q.count[QUALITY_ERROR_SECONDS], 1);
}

static void names(void **state)
{
	for (enum quality_count c = 0; c < _QUALITY_COUNT_N; c++)
		assert_true(*quality_count_name(c));
	for (enum quality_kind k = 0; k < _QUALITY_KIND_N; k++)
		assert_true(*quality_kind_name(k));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rtp_sequences),
		cmocka_unit_test(headers_that_are_none),
		cmocka_unit_test(jitter_of_rfc_3550_a_8),
		cmocka_unit_test(clock_rates),
		cmocka_unit_test(continuity),
		cmocka_unit_test(errors_by_pid),
		cmocka_unit_test(pat_and_pmt),
		cmocka_unit_test(programs_of_a_long_pat),
		cmocka_unit_test(clocks),
		cmocka_unit_test(gaps),
		cmocka_unit_test(an_outage_is_seen_while_it_lasts),
		cmocka_unit_test(delivery_index),
		cmocka_unit_test(media_loss_rate),
		cmocka_unit_test(kinds),
		cmocka_unit_test(cut_datagrams),
		cmocka_unit_test(fec_that_stops),
		cmocka_unit_test(nothing_is_compared_across_a_pause),
		cmocka_unit_test(a_pause_is_not_a_gap),
		cmocka_unit_test(a_pause_makes_nothing_old),
		cmocka_unit_test(a_fault_before_a_pause_counts),
		cmocka_unit_test(names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
