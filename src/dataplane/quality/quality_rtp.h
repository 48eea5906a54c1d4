/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Headers and sequences of RTP (RFC 3550). A part of quality.h. */

#include "dataplane/quality/quality.h"

#define RTP_HLEN 12u
#define RTP_TS	 33u /* payload type of MPEG-TS (RFC 3551) */

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

/* Where a packet belongs in the sequence. */
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
