/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * MPEG-TS packets: synchronisation, continuity, PAT and PMT, clocks (ISO/IEC 13818-1
 * 2.4.3 and 2.4.4, TR 101 290 5.2).
 *
 * Continuity of a PID: the counter grows by one with each packet that has a payload,
 * and does not change with others. A packet with payload that repeats the counter of
 * the previous one is a duplicate if bytes 12 to 15, which a PCR never covers, are also
 * equal; only one duplicate is legal. With discontinuity_indicator any value is legal.
 * After an error the received value is taken as right, so one fault counts once.
 *
 * Continuity is not judged where a packet in between could not be read (sync byte,
 * transport error), because it might have been of any PID.
 */

#include "dataplane/quality/quality_ts.h"

#include "base/bytes.h"
#include "dataplane/quality/quality_picture.h"

#include <string.h>

#define NULL_PID 0x1fffu

#define LATE_NS	      (500 * NS_PER_MS)
#define CLOCK_STEP_NS (100 * NS_PER_MS)
#define SYNC_LOST     2 /* wrong in a row (TR 101 290 5.2.1) */
#define SYNC_FOUND    5

#define PID_SEEN      1u /* cc and epoch are those of a packet */
#define PID_DUPLICATE 2u /* that packet has come twice */
#define PID_PAT	      4u
#define PID_PMT	      8u
#define PID_CLOCK     16u
#define PID_USED      32u
#define PID_MARK      64u /* the packet with this counter had payload, and this mark */

/* Mask and value of the first four bytes of the most frequent packet: sync byte right,
 * no error, nothing begins in it, in the clear, payload alone. */
#define PLAIN_MASK 0xffc000f0u
#define PLAIN	   0x47000010u

#define CLOCK_WRAP ((INT64_C(1) << 33) * 300)
#define NO_PCR	   UINT64_MAX

unsigned ts_size(const uint8_t *p, size_t captured, size_t len)
{
	static const unsigned sizes[] = {TS_SIZE, TS_SIZE_R};

	for (unsigned i = 0; i < 2; i++) {
		bool right = len >= sizes[i] && len % sizes[i] == 0;

		for (size_t at = 0; right && at < captured; at += sizes[i])
			right = p[at] == TS_SYNC;
		if (right)
			return sizes[i];
	}
	return 0;
}

/* The place of a PID, or where it would have its place. */
static unsigned place_of_pid(const struct quality_ts *ts, unsigned pid)
{
	const unsigned n = sizeof(ts->pid) / sizeof(ts->pid[0]);
	unsigned at = (pid * 0x9e5fu >> 4) % n;

	while (ts->pid[at].flags & PID_USED && ts->pid[at].pid != pid)
		at = (at + 1) % n;
	return at;
}

/* The record of a PID, a new one if there is none; NULL if there are too many. */
static struct quality_pid *find_pid(struct quality_ts *ts, unsigned pid)
{
	unsigned at = place_of_pid(ts, pid);

	ts->recent = (uint8_t)at;
	if (!(ts->pid[at].flags & PID_USED)) {
		if (ts->n_pids == QUALITY_PIDS)
			return NULL;
		ts->n_pids++;
		ts->pid[at].pid = (uint16_t)pid;
		ts->pid[at].flags = PID_USED;
	}
	return &ts->pid[at];
}

void ts_begin(struct quality *q, unsigned packet_size, mono_t at)
{
	struct quality_ts *ts = &q->ts;
	mono_t pat = ts->first_pat_at, random = ts->first_random_at;
	int64_t pat_gap = ts->pat_gap_ns, pmt_gap = ts->pmt_gap_ns;

	*ts = (struct quality_ts){.packet_size = (uint16_t)packet_size,
		.pat_at = at,
		.first_pat_at = pat,
		.first_random_at = random,
		.pat_gap_ns = pat_gap,
		.pmt_gap_ns = pmt_gap};
	find_pid(ts, 0)->flags |= PID_PAT;
}

/* ---- tables ---- */

/* A gap in the sections of a PID: count it once, remember the longest. */
static void age(struct quality *q, mono_t from, mono_t now, bool *late,
	int64_t *longest, enum quality_count c)
{
	int64_t gap = now.ns - from.ns;

	if (gap > *longest)
		*longest = gap;
	if (gap > LATE_NS && !*late) {
		*late = true;
		quality_add(q, c, 1);
	}
}

static void age_pat(struct quality *q, mono_t now)
{
	age(q, q->ts.pat_at, now, &q->ts.late, &q->ts.pat_gap_ns, QUALITY_TS_PAT_LATE);
}

static void age_pmt(struct quality *q, struct quality_pmt *m, mono_t now)
{
	age(q, m->at, now, &m->late, &q->ts.pmt_gap_ns, QUALITY_TS_PMT_LATE);
}

void ts_until(struct quality *q, mono_t now)
{
	if (q->kind != QUALITY_TS && q->kind != QUALITY_RTP_TS)
		return;
	age_pat(q, now);
	for (unsigned i = 0; i < q->ts.n_pmts; i++)
		age_pmt(q, &q->ts.pmt[i], now);
}

static void begin_ages(struct quality_ts *ts, mono_t at)
{
	ts->pat_at = at;
	ts->late = false;
	for (unsigned i = 0; i < ts->n_pmts; i++) {
		ts->pmt[i].at = at;
		ts->pmt[i].late = false;
	}
}

void ts_unseen(struct quality *q, mono_t at)
{
	ts_until(q, at);
	begin_ages(&q->ts, at);
	ts_gap(q);
}

void ts_resume(struct quality *q, mono_t at)
{
	begin_ages(&q->ts, at);
	for (unsigned i = 0; i < q->ts.n_clocks; i++)
		q->ts.clock[i].pcr = NO_PCR;
	ts_gap(q);
}

/* A section that begins in this packet: its table_id is at *ret_at; false if there is
 * none. */
static bool section(const uint8_t *p, unsigned payload, unsigned *ret_at)
{
	if (!(p[1] & 0x40) || payload >= TS_SIZE)
		return false;
	*ret_at = payload + 1 + p[payload];
	return *ret_at + 8 <= TS_SIZE;
}

/* CRC of ISO/IEC 13818-1 annex A; 0 over a section that is whole */
static uint32_t crc(const uint8_t *p, size_t n)
{
	static const uint32_t half[16] = {0, 0x04c11db7, 0x09823b6e, 0x0d4326d9,
		0x130476dc, 0x17c56b6b, 0x1a864db2, 0x1e475005, 0x2608edb8, 0x22c9f00f,
		0x2f8ad6d6, 0x2b4bcb61, 0x350c9b64, 0x31cd86d3, 0x3c8ea00a, 0x384fbdbd};
	uint32_t c = UINT32_MAX;

	for (size_t i = 0; i < n; i++) {
		c = c << 4 ^ half[c >> 28 ^ p[i] >> 4];
		c = c << 4 ^ half[c >> 28 ^ (p[i] & 15)];
	}
	return c;
}

static void watch_pmt(struct quality *q, unsigned pid, mono_t at)
{
	struct quality_ts *ts = &q->ts;
	struct quality_pid *rec = find_pid(ts, pid);

	if (rec && rec->flags & PID_PMT)
		return;
	if (!rec || ts->n_pmts == QUALITY_PMTS) {
		quality_add(q, QUALITY_TS_UNWATCHED, 1);
		return;
	}
	rec->flags |= PID_PMT;
	ts->pmt[ts->n_pmts++] = (struct quality_pmt){.at = at, .pid = (uint16_t)pid};
}

/* Another table: the programs of the old one are forgotten. */
static void new_pat(struct quality *q, unsigned stream, unsigned version, mono_t at)
{
	struct quality_ts *ts = &q->ts;

	ts->has_pat = true;
	ts->pat_stream = (uint16_t)stream;
	ts->pat_version = (uint8_t)version;
	for (unsigned i = 0; i < ts->n_pmts; i++) {
		age_pmt(q, &ts->pmt[i], at);
		find_pid(ts, ts->pmt[i].pid)->flags &= (uint8_t)~PID_PMT;
	}
	ts->n_pmts = 0;
}

/* `s` is a section with table_id 0, of which `left` bytes are in the packet */
static void read_pat(struct quality *q, const uint8_t *s, unsigned left, mono_t at)
{
	struct quality_ts *ts = &q->ts;
	unsigned end = 3 + (get_u16be(s + 1) & 0xfffu);
	unsigned stream = get_u16be(s + 3), version = s[5] >> 1 & 31;

	if (end < 12 || (end <= left && crc(s, end) != 0)) {
		quality_add(q, QUALITY_TS_PAT_CRC, 1);
		return;
	}
	quality_add(q, QUALITY_TS_PAT, 1);
	age_pat(q, at);
	ts->pat_at = at;
	ts->late = false;
	if (!mono_is_set(ts->first_pat_at))
		ts->first_pat_at = at;
	if (!(s[5] & 1)) /* not yet current */
		return;
	if (!ts->has_pat || stream != ts->pat_stream || version != ts->pat_version)
		new_pat(q, stream, version, at);
	if (end > left + 4) /* the last four bytes are the CRC */
		end = left + 4;
	for (unsigned i = 8; i + 4 <= end - 4; i += 4)
		if (get_u16be(s + i) != 0) /* 0 is the network information table */
			watch_pmt(q, get_u16be(s + i + 2) & 0x1fffu, at);
}

/* A PID that has no packets yet gets its record if it is video. */
static void know_video(struct quality_ts *ts, unsigned pid, enum ts_video video)
{
	struct quality_pid *rec = video && pid != NULL_PID
		? find_pid(ts, pid)
		: &ts->pid[place_of_pid(ts, pid)];

	if (rec && rec->flags & PID_USED)
		rec->video = (uint8_t)video;
}

/* `s` is a section with table_id 2, of which `left` bytes are in the packet. The rest
 * of a longer one is ignored. */
static void read_stream_list(struct quality_ts *ts, const uint8_t *s, unsigned left)
{
	unsigned end = 3 + (get_u16be(s + 1) & 0xfffu);

	if (end < 16 || left < 12 || !(s[5] & 1) || (end <= left && crc(s, end) != 0))
		return;
	end = end - 4 < left ? end - 4 : left;
	for (unsigned i = 12 + (get_u16be(s + 10) & 0xfffu); i + 5 <= end;
		i += 5 + (get_u16be(s + i + 3) & 0xfffu))
		know_video(ts, get_u16be(s + i + 1) & 0x1fffu, ts_video_of(s[i]));
}

static void read_pmt(struct quality *q, unsigned pid, mono_t at)
{
	struct quality_ts *ts = &q->ts;

	for (unsigned i = 0; i < ts->n_pmts; i++) {
		struct quality_pmt *m = &ts->pmt[i];

		if (m->pid != pid)
			continue;
		quality_add(q, QUALITY_TS_PMT, 1);
		age_pmt(q, m, at);
		m->at = at;
		m->late = false;
	}
}

static void tables(struct quality *q, const struct quality_pid *rec, const uint8_t *p,
	unsigned payload, mono_t at)
{
	uint8_t flags = rec->flags;
	unsigned pid = rec->pid, s;

	if (p[3] & 0xc0 || !section(p, payload, &s))
		return;
	if (flags & PID_PAT && p[s] == 0)
		read_pat(q, p + s, TS_SIZE - s, at);
	if (!(flags & PID_PMT) || p[s] != 2)
		return;
	read_pmt(q, pid, at);
	read_stream_list(&q->ts, p + s, TS_SIZE - s);
}

/* ---- clocks ---- */

static int64_t clock_distance(int64_t a, int64_t b)
{
	return a < b ? b - a : a - b;
}

/* Is a PCR too far from the last one? No discontinuity_indicator announces the PCR. */
static bool is_clock_step(const struct quality_clock *c, uint64_t pcr, mono_t at)
{
	int64_t step;

	if (c->pcr == NO_PCR)
		return false;
	step = ((int64_t)pcr - (int64_t)c->pcr + CLOCK_WRAP) % CLOCK_WRAP;
	if (step > CLOCK_WRAP / 2)
		step -= CLOCK_WRAP;
	step = step * 1000 / 27;
	return (step < 0 || step > CLOCK_STEP_NS) &&
		clock_distance(step, at.ns - c->at.ns) > CLOCK_STEP_NS;
}

/* `p` has a PCR (2.4.3.5) */
static void clock_step(
	struct quality *q, struct quality_pid *rec, const uint8_t *p, mono_t at)
{
	struct quality_ts *ts = &q->ts;
	uint64_t base = (uint64_t)get_u32be(p + 6) << 1 | p[10] >> 7;
	uint64_t pcr = base * 300 + (get_u16be(p + 10) & 0x1ffu);
	struct quality_clock *c;

	quality_add(q, QUALITY_TS_PCR, 1);
	if (!(rec->flags & PID_CLOCK)) {
		if (ts->n_clocks == QUALITY_CLOCKS) {
			quality_add(q, QUALITY_TS_UNWATCHED, 1);
			return;
		}
		rec->flags |= PID_CLOCK;
		rec->clock = ts->n_clocks++;
		ts->clock[rec->clock] = (struct quality_clock){at, pcr};
		return;
	}
	c = &ts->clock[rec->clock];
	if (!(p[5] & 0x80) && is_clock_step(c, pcr, at))
		quality_add(q, QUALITY_TS_PCR_DISCONTINUITIES, 1);
	c->pcr = pcr;
	c->at = at;
}

/* ---- packets ---- */

static void continuity_error(
	struct quality *q, struct quality_pid *rec, unsigned missing)
{
	quality_add(q, QUALITY_TS_CONTINUITY, 1);
	quality_add(q, QUALITY_TS_MISSING, missing);
	if (rec->errors < UINT16_MAX)
		rec->errors++;
}

/* Returns false if the packet is a repetition, which is only counted. */
static bool continuity(struct quality *q, struct quality_pid *rec, unsigned cc,
	bool payload, bool signalled, uint32_t mark)
{
	bool known = rec->flags & PID_SEEN && rec->epoch == q->ts.epoch && !signalled;

	if (known && payload && rec->flags & PID_MARK && cc == rec->cc &&
		mark == rec->mark) {
		if (rec->flags & PID_DUPLICATE)
			continuity_error(q, rec, 0);
		else
			quality_add(q, QUALITY_TS_DUPLICATES, 1);
		rec->flags |= PID_DUPLICATE;
		return false;
	}
	if (known && cc != ((rec->cc + payload) & 15u))
		continuity_error(q, rec, (cc - rec->cc - payload) & 15u);
	if (!known || payload || cc != rec->cc)
		rec->flags &= (uint8_t) ~(PID_DUPLICATE | PID_MARK);
	if (payload) {
		rec->flags |= PID_MARK;
		rec->mark = mark;
	}
	rec->cc = (uint8_t)cc;
	rec->epoch = q->ts.epoch;
	rec->flags |= PID_SEEN;
	return true;
}

/* Can a decoder begin with this packet? Its payload begins at `payload`. */
static bool is_entry(const struct quality_pid *rec, const uint8_t *p, unsigned payload,
	bool indicated)
{
	if (indicated)
		return true;
	/* the first packet of a PES packet, in the clear */
	return rec->video && (p[1] & 0x40) && !(p[3] & 0xc0) && payload < TS_SIZE &&
		ts_video_entry(rec->video, p + payload, TS_SIZE - payload);
}

/* A packet whose sync byte is right. */
static void ts_packet(struct quality *q, const uint8_t *p, mono_t at)
{
	struct quality_ts *ts = &q->ts;
	unsigned pid = get_u16be(p + 1) & 0x1fffu, control = p[3] >> 4 & 3;
	uint8_t flags = control & 2 && p[4] > 0 ? p[5] : 0;
	struct quality_pid *rec;
	unsigned payload;
	uint32_t mark;

	if (p[1] & 0x80) {
		quality_add(q, QUALITY_TS_TRANSPORT_ERRORS, 1);
		ts_gap(q);
		return;
	}
	if (pid == NULL_PID) {
		quality_add(q, QUALITY_TS_NULL, 1);
		return;
	}
	quality_add(q, QUALITY_TS_SCRAMBLED, p[3] >> 6 != 0);
	rec = find_pid(ts, pid);
	if (!rec) {
		quality_add(q, QUALITY_TS_UNWATCHED, 1);
		return;
	}
	if (control == 0) /* reserved: decoders discard it */
		return;
	quality_add(q, QUALITY_TS_SIGNALLED, flags >> 7);
	memcpy(&mark, p + 12, sizeof(mark));
	if (!continuity(q, rec, p[3] & 15, control & 1, flags & 0x80, mark))
		return;
	payload = !(control & 1) ? TS_SIZE : control & 2 ? 5u + p[4] : 4;
	if (is_entry(rec, p, payload, flags & 0x40)) {
		quality_add(q, QUALITY_TS_RANDOM_ACCESS, 1);
		if (!mono_is_set(ts->first_random_at))
			ts->first_random_at = at;
	}
	if (flags & 0x10 && p[4] >= 7)
		clock_step(q, rec, p, at);
	if (rec->flags & (PID_PAT | PID_PMT) && control & 1)
		tables(q, rec, p, payload, at);
}

/* Handles a packet while synchronisation is lost, from a wrong sync byte until it is
 * certain again. Returns true if this packet may be analysed. */
static bool synchronise(struct quality *q, const uint8_t *p)
{
	struct quality_ts *ts = &q->ts;

	if (p[0] != TS_SYNC) {
		quality_add(q, QUALITY_TS_SYNC_BYTES, 1);
		ts_gap(q);
		ts->good = 0;
		if (!ts->lost && ++ts->bad == SYNC_LOST) {
			quality_add(q, QUALITY_TS_SYNC_LOSSES, 1);
			ts->lost = true;
		}
		return false;
	}
	ts->bad = 0;
	if (ts->lost && ++ts->good == SYNC_FOUND)
		ts->lost = false;
	return !ts->lost;
}

/* The short way for most packets: payload of a PID that is neither new nor a table,
 * with the next counter. Returns false, with nothing changed, for any other packet. */
static inline bool put_plain(
	struct quality_pid *rec, uint32_t head, uint32_t epoch, const uint8_t *p)
{
	if ((rec->flags & ~PID_CLOCK) != (PID_USED | PID_SEEN | PID_MARK) ||
		rec->epoch != epoch || (head & 15) != ((rec->cc + 1u) & 15))
		return false;
	rec->cc = head & 15;
	memcpy(&rec->mark, p + 12, sizeof(rec->mark));
	return true;
}

static void put_packets(
	struct quality *q, const uint8_t *p, const uint8_t *end, mono_t at)
{
	struct quality_ts *ts = &q->ts;
	struct quality_pid *rec = &ts->pid[ts->recent];
	unsigned size = ts->packet_size;
	uint32_t epoch = ts->epoch;
	bool sure = !ts->lost && !ts->bad;

	for (; p < end; p += size) {
		uint32_t head = get_u32be(p);

		if ((head & PLAIN_MASK) == PLAIN && sure) {
			unsigned pid = head >> 8 & 0x1fff;

			if (rec->pid != pid && find_pid(ts, pid))
				rec = &ts->pid[ts->recent];
			if (rec->pid == pid && put_plain(rec, head, epoch, p))
				continue;
		}
		if ((sure && p[0] == TS_SYNC) || synchronise(q, p))
			ts_packet(q, p, at);
		rec = &ts->pid[ts->recent];
		epoch = ts->epoch;
		sure = !ts->lost && !ts->bad;
	}
}

bool ts_put(struct quality *q, const uint8_t *p, size_t len, mono_t at)
{
	unsigned size = q->ts.packet_size;
	bool any = len % size == 0;

	if (any && len && p[0] != TS_SYNC) {
		any = false;
		for (size_t i = 0; i < len; i += size)
			any = any || p[i] == TS_SYNC;
	}
	if (!any || len == 0) {
		ts_gap(q);
		return false;
	}
	quality_add(q, QUALITY_TS_PACKETS, len / size);
	put_packets(q, p, p + len, at);
	return true;
}
