/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Where a decoder can begin, for encoders that do not set random_access_indicator: the
 * first bytes of a PES packet of video (ISO/IEC 13818-1 2.4.3.6), as far as they are in
 * its first TS packet.
 *
 * A decoder needs the parameters of the video and a picture that is coded by itself.
 * The parameters are the sequence header of MPEG-1 and MPEG-2 (13818-2 6.2.2.1) and the
 * parameter sets of H.264 and H.265, and such a picture follows them. If it begins in a
 * later TS packet, the parameters alone count. A picture after them that needs others
 * does not.
 */

#include "dataplane/quality/quality_picture.h"

#define PES_HLEN	9u
#define PES_EXTENDED_ID 0xfdu /* 13818-1 table 2-22 */

#define MPEG2_PICTURE	0x00u
#define MPEG2_SLICE_MIN 0x01u
#define MPEG2_SLICE_MAX 0xafu
#define MPEG2_SEQUENCE	0xb3u

/* H.264 table 7-1 */
#define H264_SLICE 1u
#define H264_IDR   5u
#define H264_SPS   7u

/* H.265 table 7-1 */
#define H265_SLICE_MAX 9u
#define H265_IRAP_MIN  16u
#define H265_IRAP_MAX  21u
#define H265_VPS       32u
#define H265_SPS       33u

/* What a unit between two start codes means. */
enum unit {
	UNIT_OTHER,
	UNIT_PARAMETERS,
	UNIT_ENTRY,   /* a decoder can begin with this picture */
	UNIT_ALONE,   /* it can, if it already has the parameters */
	UNIT_PICTURE, /* it needs other pictures */
};

enum ts_video ts_video_of(uint8_t stream_type)
{
	switch (stream_type) {
	case 0x01:
	case 0x02:
		return TS_VIDEO_MPEG2;
	case 0x1b:
		return TS_VIDEO_H264;
	case 0x24:
		return TS_VIDEO_H265;
	default:
		return TS_VIDEO_NONE;
	}
}

/* `p` has `len` bytes, at least one, after the start code */
static enum unit mpeg2(const uint8_t *p, size_t len)
{
	if (p[0] == MPEG2_SEQUENCE)
		return UNIT_PARAMETERS;
	if (p[0] == MPEG2_PICTURE && len >= 3) /* picture_coding_type 1 is I */
		return (p[2] >> 3 & 7) == 1 ? UNIT_ALONE : UNIT_PICTURE;
	return p[0] >= MPEG2_SLICE_MIN && p[0] <= MPEG2_SLICE_MAX ? UNIT_PICTURE
								  : UNIT_OTHER;
}

static enum unit h264(const uint8_t *p, size_t len)
{
	switch (p[0] & 31) {
	case H264_IDR:
		return UNIT_ENTRY;
	case H264_SPS:
		return UNIT_PARAMETERS;
	case H264_SLICE:
		/* first_mb_in_slice 0 is the bit 1; then slice_type 2 (011) and 7
		 * (0001000) are I */
		if (len >= 2 && ((p[1] & 0xf0) == 0xb0 || p[1] == 0x88))
			return UNIT_ALONE;
		return UNIT_PICTURE;
	default:
		return UNIT_OTHER;
	}
}

static enum unit h265(const uint8_t *p)
{
	unsigned type = p[0] >> 1 & 63;

	if (type >= H265_IRAP_MIN && type <= H265_IRAP_MAX)
		return UNIT_ENTRY;
	if (type == H265_VPS || type == H265_SPS)
		return UNIT_PARAMETERS;
	return type <= H265_SLICE_MAX ? UNIT_PICTURE : UNIT_OTHER;
}

static enum unit read_unit(enum ts_video video, const uint8_t *p, size_t len)
{
	switch (video) {
	case TS_VIDEO_MPEG2:
		return mpeg2(p, len);
	case TS_VIDEO_H264:
		return h264(p, len);
	case TS_VIDEO_H265:
		return h265(p);
	case TS_VIDEO_NONE:
		break;
	}
	return UNIT_OTHER;
}

/* Returns where the video begins in a PES packet, or `len` if it is not video,
 * scrambled, or begins later. */
static size_t video_offset(const uint8_t *p, size_t len)
{
	if (len < PES_HLEN || p[0] != 0 || p[1] != 0 || p[2] != 1)
		return len;
	if ((p[3] & 0xf0) != 0xe0 && p[3] != PES_EXTENDED_ID)
		return len;
	if ((p[6] & 0xf0) != 0x80) /* '10', PES_scrambling_control 00 */
		return len;
	return PES_HLEN + p[8] < len ? PES_HLEN + p[8] : len;
}

bool ts_video_entry(enum ts_video video, const uint8_t *p, size_t len)
{
	bool parameters = false;

	for (size_t i = video_offset(p, len); i + 4 <= len; i++) {
		if (p[i] != 0 || p[i + 1] != 0 || p[i + 2] != 1)
			continue;
		switch (read_unit(video, p + i + 3, len - i - 3)) {
		case UNIT_ENTRY:
			return true;
		case UNIT_ALONE:
			return parameters;
		case UNIT_PICTURE:
			return false;
		case UNIT_PARAMETERS:
			parameters = true;
			break;
		case UNIT_OTHER:
			break;
		}
		i += 3;
	}
	return parameters;
}
