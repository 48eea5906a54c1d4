/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * RTP (RFC 3550): the header (5.1, 5.3.1), sequence numbers as in A.1 and A.3, jitter
 * as in A.8, and what FEC of SMPTE 2022-1 looks like.
 *
 * RFC 3550 cannot tell a late datagram from a duplicate. A bit for each of the last 128
 * numbers does, so `missing` counts numbers that were skipped and `reordered` those of
 * them that came after all. Unlike in A.1, a new sequence needs two packets in a row,
 * so a number that fits nowhere is forgotten when one that fits has come.
 */

#include "dataplane/quality/quality_rtp.h"

#include "base/bytes.h"
#include "base/minmax.h"
#include "dataplane/quality/quality_ts.h"

/* RFC 3550 A.1 */
#define MAX_DROPOUT  3000u
#define MAX_MISORDER 100u
#define SINCE_MAX    128u

/* Clock rates of static payload types (RFC 3551 6). 0 means dynamic or unassigned. */
static uint32_t clock_rate(uint8_t type)
{
	if (type <= 18)
		return type == 10 || type == 11	 ? 44100
			: type == 6		 ? 16000
			: type == 14		 ? 90000
			: type == 16		 ? 11025
			: type == 17		 ? 22050
			: type == 1 || type == 2 ? 0
						 : 8000;
	return type == 25 || type == 26 || type == 28 || (type >= 31 && type <= 34)
		? 90000
		: 0;
}

bool rtp_parse(const uint8_t *p, size_t captured, size_t len, struct rtp_head *ret)
{
	size_t offset = RTP_HLEN, padding = 0;

	if (captured < RTP_HLEN || p[0] >> 6 != 2)
		return false;
	*ret = (struct rtp_head){.type = p[1] & 0x7f,
		.seq = get_u16be(p + 2),
		.timestamp = get_u32be(p + 4),
		.ssrc = get_u32be(p + 8),
		/* 64 to 95 would be RTCP 192 to 223 (RFC 5761 4) */
		.control = p[1] >= 192 && p[1] <= 223};
	offset += (p[0] & 15u) * 4;
	if (p[0] & 0x10) {
		if (offset + 4 <= captured)
			offset += get_u16be(p + offset + 2) * 4u;
		offset += 4;
	}
	if (p[0] & 0x20 && captured == len) {
		padding = p[len - 1];
		if (padding == 0)
			return false;
	}
	if (offset + padding > len)
		return false;
	ret->offset = offset;
	ret->len = len - offset - padding;
	return true;
}

/* The FEC header (2022-1 8.3): E set, no mask, XOR, no second header, matrix of
 * `offset` columns and NA rows. */
bool rtp_is_fec(const uint8_t *p, size_t captured, const struct rtp_head *h)
{
	const uint8_t *f = p + h->offset;

	if (h->type < 96 || h->len < 16 || captured < h->offset + 16)
		return false;
	return f[4] & 0x80 && f[5] == 0 && f[6] == 0 && f[7] == 0 &&
		(f[12] & 0xbf) == 0 && f[13] != 0 && f[14] != 0;
}

static bool is_seen(const struct quality_rtp *r, uint16_t seq)
{
	return r->seen[seq / 64 % 2] >> seq % 64 & 1;
}

static void mark_seen(struct quality_rtp *r, uint16_t seq)
{
	r->seen[seq / 64 % 2] |= UINT64_C(1) << seq % 64;
}

/* Moves the window, and clears the bits of numbers that have left it. */
static void unsee(struct quality_rtp *r, uint16_t from, uint16_t n)
{
	if (n >= 128)
		r->seen[0] = r->seen[1] = 0;
	for (; n > 0 && n < 128; n--, from++)
		r->seen[from / 64 % 2] &= ~(UINT64_C(1) << from % 64);
}

void rtp_begin(struct quality *q, const struct rtp_head *h)
{
	struct quality_rtp *r = &q->rtp;

	r->ssrc = h->ssrc;
	r->highest = h->seq;
	r->seen[0] = r->seen[1] = 0;
	r->since = 0;
	r->has_next = r->has_transit = false;
	r->clock_rate = clock_rate(h->type);
	r->begun = true;
	mark_seen(r, h->seq);
	ts_gap(q);
}

/* RFC 3550 A.8. It is 0 from the first datagram of a sequence to the second. */
static void add_jitter(struct quality *q, const struct rtp_head *h, mono_t at)
{
	struct quality_rtp *r = &q->rtp;
	uint64_t ns = (uint64_t)(at.ns - q->arrival.first.ns);
	uint32_t transit = (uint32_t)(ns / 1000000000 * r->clock_rate +
				   ns % 1000000000 * r->clock_rate / 1000000000) -
		h->timestamp;
	int64_t d = (int32_t)(transit - r->transit);

	if (!r->has_transit)
		d = 0;
	r->has_transit = true;
	r->transit = transit;
	if (d < 0)
		d = -d;
	if (d >= r->clock_rate) {
		quality_add(q, QUALITY_RTP_TIMESTAMP_JUMPS, 1);
		return;
	}
	r->jitter += (uint32_t)d - ((r->jitter + 8) >> 4);
	r->jitter_max = max(r->jitter_max, r->jitter);
}

static enum rtp_place elsewhere(struct quality *q, const struct rtp_head *h)
{
	struct quality_rtp *r = &q->rtp;

	if (r->has_next && h->ssrc == r->next_ssrc && h->seq == r->next) {
		quality_add(q,
			h->ssrc == r->ssrc ? QUALITY_RTP_RESTARTS
					   : QUALITY_RTP_SSRC_CHANGES,
			1);
		rtp_begin(q, h);
		return RTP_AFTER;
	}
	r->has_next = true;
	r->next_ssrc = h->ssrc;
	r->next = (uint16_t)(h->seq + 1);
	quality_add(q, QUALITY_RTP_SKIPPED, 1);
	return RTP_ELSEWHERE;
}

static enum rtp_place ahead(struct quality *q, uint16_t seq, uint16_t distance)
{
	struct quality_rtp *r = &q->rtp;

	unsee(r, (uint16_t)(r->highest + 1), distance);
	mark_seen(r, seq);
	r->highest = seq;
	r->since += distance;
	r->since = min(r->since, SINCE_MAX);
	if (distance == 1)
		return RTP_NEXT;
	quality_add(q, QUALITY_RTP_MISSING, distance - 1u);
	ts_gap(q);
	return RTP_AFTER;
}

/* up to 100 numbers ago */
static enum rtp_place behind(struct quality *q, uint16_t seq, uint16_t distance)
{
	struct quality_rtp *r = &q->rtp;

	if (distance > r->since) { /* before the first */
		quality_add(q, QUALITY_RTP_SKIPPED, 1);
		return RTP_ELSEWHERE;
	}
	if (is_seen(r, seq)) {
		quality_add(q, QUALITY_RTP_DUPLICATED, 1);
		return RTP_DUPLICATE;
	}
	mark_seen(r, seq);
	quality_add(q, QUALITY_RTP_REORDERED, 1);
	return RTP_LATE;
}

enum rtp_place rtp_put(struct quality *q, const struct rtp_head *h, mono_t at)
{
	struct quality_rtp *r = &q->rtp;
	uint16_t distance = (uint16_t)(h->seq - r->highest);
	enum rtp_place place;

	if (!r->begun) {
		rtp_begin(q, h);
		place = RTP_AFTER;
	} else if (h->ssrc != r->ssrc ||
		(distance >= MAX_DROPOUT && distance <= 65536u - MAX_MISORDER)) {
		place = elsewhere(q, h);
	} else {
		if (distance && distance < MAX_DROPOUT)
			place = ahead(q, h->seq, distance);
		else
			place = behind(q, h->seq, (uint16_t)-distance);
		r->has_next = false;
	}
	if (place != RTP_ELSEWHERE && r->clock_rate)
		add_jitter(q, h, at);
	return place;
}
