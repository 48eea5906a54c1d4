/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Declarations that the files of the analyser share, see quality.h. */

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

/* Call it for each datagram before anything else. Sets arrival.last to the time of the
 * datagram. Returns true if this has completed a second. */
bool quality_arrived(struct quality *q, mono_t at);
/* Call it for each datagram when its bytes of media are known. */
void quality_arrival_media(struct quality *q, size_t media);

/* ---- RTP ---- */

struct rtp_head {
	uint32_t timestamp, ssrc;
	uint16_t seq;
	uint8_t type;
	bool control; /* the packet is RTCP, and the other members are not set */
	/* The payload without extension and padding, as far as these were captured. */
	size_t offset, len;
};

/* Returns false if it is not RTP, or too little was captured to know. */
bool rtp_parse(const uint8_t *p, size_t captured, size_t len, struct rtp_head *ret);
bool rtp_is_fec(const uint8_t *p, size_t captured, const struct rtp_head *h);

enum rtp_place {
	RTP_NEXT,  /* it continues the stream */
	RTP_AFTER, /* it continues the stream, but something is missing before it */
	RTP_LATE,
	RTP_DUPLICATE,
	RTP_ELSEWHERE,
};
/* Begins a sequence with this packet. */
void rtp_begin(struct quality *q, const struct rtp_head *h);
/* Counts the packet and says where it belongs. The jitter is calculated from `at`. */
enum rtp_place rtp_put(struct quality *q, const struct rtp_head *h, mono_t at);

/* ---- MPEG-TS ---- */

/* Returns the size of the packets of a datagram: 188 or 204, or 0 if it is not MPEG-TS. A
 * sync byte that was not captured is assumed to be right. */
unsigned ts_size(const uint8_t *p, size_t captured, size_t len);
/* Forgets everything. The age of the PAT counts from `at`. */
void ts_begin(struct quality *q, unsigned packet_size, mono_t at);
/* Continuity is not judged across this moment. */
static inline void ts_gap(struct quality *q)
{
	q->ts.epoch++;
}
/* Looks at all packets of a datagram that was captured as a whole. Returns false, after
 * ts_gap(), if it contains no packets: its length is wrong, or no sync byte is right. */
bool ts_put(struct quality *q, const uint8_t *p, size_t len, mono_t at);
/* Packets could not be looked at, so the ages begin again. */
void ts_unseen(struct quality *q, mono_t at);
/* What comes is compared with nothing that came before. */
void ts_resume(struct quality *q, mono_t at);
/* Codecs that are known by their stream_type in the PMT (13818-1 table 2-34). */
enum ts_video {
	TS_VIDEO_NONE,
	TS_VIDEO_MPEG2, /* also MPEG-1 */
	TS_VIDEO_H264,
	TS_VIDEO_H265,
};
enum ts_video ts_video_of(uint8_t stream_type);
/* Can a decoder begin with the PES packet that begins here? `p` is the payload of its first
 * TS packet, which is not scrambled. Nothing beyond `len` is looked at. */
bool ts_video_entry(enum ts_video video, const uint8_t *p, size_t len);
/* Counts a PAT or PMT that is late at `now`. */
void ts_until(struct quality *q, mono_t now);
