/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Where a decoder of video can begin. A part of quality.h. Pure. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Codecs that are known by their stream_type in the PMT (13818-1 table 2-34). */
enum ts_video {
	TS_VIDEO_NONE,
	TS_VIDEO_MPEG2, /* also MPEG-1 */
	TS_VIDEO_H264,
	TS_VIDEO_H265,
};
enum ts_video ts_video_of(uint8_t stream_type);
/* Can a decoder begin with the PES packet that begins here? `p` is the payload of its
 * first TS packet, which is not scrambled. Nothing beyond `len` is looked at. */
bool ts_video_entry(enum ts_video video, const uint8_t *p, size_t len);
