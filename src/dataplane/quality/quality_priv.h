/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The parts of the analyser, see quality.h. */

#include "base/bytes.h"
#include "dataplane/quality/quality.h"

#include <string.h>

#define TS_SYNC	  0x47
#define TS_SIZE	  188u
#define TS_SIZE_R 204u /* with 16 bytes of Reed-Solomon code */
#define RTP_HLEN  12u
#define RTP_TS	  33u

static inline void quality_add(struct quality *q, enum quality_count c, uint64_t n)
{
	q->count[c] += n;
}

/* ---- arrival ---- */

/* Before the datagram is looked at. Returns true if this has completed a second; its
 * time is now arrival.last. */
bool quality_arrived(struct quality *q, mono_t at);
/* and after that, with its bytes of media */
void quality_arrival_media(struct quality *q, size_t media);

/* ---- RTP ---- */

struct rtp_head {
	uint32_t timestamp, ssrc;
	uint16_t seq;
	uint8_t type;
	bool control; /* it is RTCP, and nothing else is known */
	/* of the payload; without extension and padding as far as they were captured */
	size_t offset, len;
};

/* Returns false if it is not RTP, or too little was captured to know. */
bool rtp_parse(const uint8_t *p, size_t captured, size_t len, struct rtp_head *ret);
bool rtp_is_fec(const uint8_t *p, size_t captured, const struct rtp_head *h);

enum rtp_place {
	RTP_NEXT,  /* what it has is the next of the stream */
	RTP_AFTER, /* the same, but something is missing before it */
	RTP_LATE,
	RTP_DUPLICATE,
	RTP_ELSEWHERE,
};
/* Begin with this one, and nothing before it. */
void rtp_begin(struct quality *q, const struct rtp_head *h);
/* Counts; `at` for the jitter. */
enum rtp_place rtp_put(struct quality *q, const struct rtp_head *h, mono_t at);

/* ---- MPEG-TS ---- */

/* Size of packets: 188, 204, or 0 if it is not MPEG-TS. A sync byte that was not
 * captured is taken to be right. */
unsigned ts_size(const uint8_t *p, size_t captured, size_t len);
/* Forget everything; `at` begins the age of the PAT. */
void ts_begin(struct quality *q, unsigned packet_size, mono_t at);
/* Continuity is not judged across this moment. */
static inline void ts_gap(struct quality *q)
{
	q->ts.epoch++;
}
/* All packets of a datagram that was captured. Returns false, with a gap, if there are
 * none: its length is wrong, or no sync byte is right. */
bool ts_put(struct quality *q, const uint8_t *p, size_t len, mono_t at);
/* Packets could not be looked at, so ages begin again. */
void ts_unseen(struct quality *q, mono_t at);
/* Nothing is compared with what was before this moment. */
void ts_resume(struct quality *q, mono_t at);
/* Ages of PAT and PMT. */
void ts_until(struct quality *q, mono_t now);
