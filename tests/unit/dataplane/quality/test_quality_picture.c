/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Where a decoder can begin: PES packets of three codecs, made by hand, and the tables
 * that name their PIDs. */

#include "dataplane/quality/quality.h"
#include "dataplane/quality/quality_picture.h"
#include "test.h"

#define VIDEO 0x100u

static uint8_t text_byte(const char *two)
{
	char hex[] = {two[0], two[1], '\0'};

	return (uint8_t)strtoul(hex, NULL, 16);
}

/* Bytes of a text of hexadecimal numbers with spaces. */
static size_t bytes(const char *text, uint8_t *to)
{
	size_t n = 0;

	while (*(text += strspn(text, " "))) {
		to[n++] = text_byte(text);
		text += 2;
	}
	return n;
}

/* ---- PES packets ---- */

/* of a video: no length, a PTS in a header of 5 bytes */
#define PES "000001 e0 0000 80 80 05 21 00 01 00 01 "
#define M2  TS_VIDEO_MPEG2
#define H4  TS_VIDEO_H264
#define H5  TS_VIDEO_H265

static const struct {
	const char *what;
	enum ts_video video;
	bool entry;
	const char *pes;
} pes[] = {
	/* sequence header of 720 * 576, group of pictures, picture */
	{"MPEG-2 I", M2, true,
		PES "000001b3 2d0240 33 24 9f23 81 000001b5 148a 00 01 00 00 "
		    "000001b8 00 08 00 40 00000100 000f fff8 000001b5 8f"},
	{"MPEG-2 sequence header alone", M2, true, PES "000001b3 2d0240 33 24"},
	{"MPEG-2 picture header is cut", M2, true, PES "000001b3 2d0240 00000100 00"},
	{"MPEG-2 P after a sequence header", M2, false,
		PES "000001b3 2d0240 33 24 9f23 81 00000100 0017 fff8"},
	{"MPEG-2 B", M2, false, PES "00000100 001f fff8 000001b5 8f"},
	{"MPEG-2 I without a sequence header", M2, false,
		PES "000001b8 00 08 00 40 00000100 000f fff8"},
	{"MPEG-2 slice", M2, false, PES "00000101 12 000001b3 2d0240"},
	{"MPEG-2 is not H.264", M2, false, PES "00000165 88 84"},

	/* delimiter, SPS, PPS, slice */
	{"H.264 IDR", H4, true,
		PES "0000000109 10 0000000167 64 00 28 ac 0000000168 ee 3c 80 "
		    "00000165 88 84"},
	{"H.264 IDR without SPS", H4, true, PES "0000000109 10 00000165 88 84"},
	{"H.264 IDR of low nal_ref_idc", H4, true, PES "00000125 88"},
	{"H.264 SPS alone", H4, true, PES "0000000109 10 0000000167 64 00 28 ac"},
	{"H.264 SPS, then I with slice_type 7", H4, true,
		PES "0000000109 10 0000000167 64 00 28 00000141 88 84"},
	{"H.264 SPS, then I with slice_type 2", H4, true,
		PES "0000000109 10 0000000167 64 00 28 00000141 b8 84"},
	{"H.264 SPS, then P with slice_type 5", H4, false,
		PES "0000000109 30 0000000167 64 00 28 00000141 9a 02"},
	{"H.264 SPS, then P with slice_type 0", H4, false,
		PES "0000000109 30 0000000167 64 00 28 00000141 e0 02"},
	{"H.264 SPS, then a slice that is cut", H4, false,
		PES "0000000109 30 0000000167 64 00 28 00000141"},
	{"H.264 I without SPS", H4, false, PES "0000000109 10 00000141 88 84"},
	{"H.264 P", H4, false, PES "0000000109 30 00000141 9a 02"},
	{"H.264 delimiter alone", H4, false, PES "0000000109 10"},
	{"H.264 SEI with recovery point alone", H4, false,
		PES "0000000109 10 00000106 06 01 c4 80"},

	/* delimiter, VPS, SPS, PPS, slice */
	{"H.265 IDR_W_RADL", H5, true,
		PES "000000014601 10 000000014001 0c 000000014201 01 000000014401 c1 "
		    "000000012601 af"},
	{"H.265 BLA_W_LP", H5, true, PES "000000012001 af"},
	{"H.265 CRA_NUT", H5, true, PES "000000014601 10 000000012a01 af"},
	{"H.265 reserved IRAP", H5, false, PES "000000012c01 af"},
	{"H.265 VPS alone", H5, true, PES "000000014601 10 000000014001 0c"},
	{"H.265 SPS alone", H5, true, PES "000000014201 01"},
	{"H.265 TRAIL_R after parameters", H5, false,
		PES "000000014001 0c 000000014201 01 000000010201 d0"},
	{"H.265 TRAIL_R", H5, false, PES "000000014601 10 000000010201 d0"},
	{"H.265 RASL_R", H5, false, PES "000000011201 d0"},

	{"no codec", TS_VIDEO_NONE, false, PES "0000000109 10 00000165 88"},
	{"audio", H4, false, "000001 c0 0000 80 80 05 21 00 01 00 01 00000165 88"},
	{"extended stream_id", H4, true,
		"000001 fd 0000 80 80 05 21 00 01 00 01 00000165 88"},
	{"a scrambled PES packet", H4, false,
		"000001 e0 0000 90 80 05 21 00 01 00 01 00000165 88"},
	{"no PES packet", H4, false, "000002 e0 0000 80 80 00 00000165 88"},
	{"start code in the stuffing of the header", H4, false,
		"000001 e0 0000 80 00 06 00000165 88 ff"},
	{"the header is longer than the packet", H4, false,
		"000001 e0 0000 80 80 ff 21 00 01 00 01 00000165 88"},
	{"a header without video", H4, false, "000001 e0 0000 80 00 00"},
	{"a part of a header", H4, false, "000001 e0 0000 80 00"},
	{"nothing", H4, false, ""},
};

static void pes_packets(void **state)
{
	uint8_t buf[188];

	for (size_t i = 0; i < array_len(pes); i++) {
		size_t n = bytes(pes[i].pes, buf);
		uint8_t *exact = malloc(n ? n : 1);

		memcpy(exact, buf, n);
		if (ts_video_entry(pes[i].video, exact, n) != pes[i].entry)
			fail_msg("%s", pes[i].what);
		free(exact);
	}
}

static void cut_anywhere(void **state)
{
	uint8_t buf[188];

	/* reads beyond the end would be found by the sanitizer */
	for (size_t i = 0; i < array_len(pes); i++)
		for (size_t n = bytes(pes[i].pes, buf); n > 0; n--) {
			uint8_t *exact = malloc(n);

			memcpy(exact, buf, n);
			(void)ts_video_entry(pes[i].video, exact, n);
			free(exact);
		}
}

static void stream_types(void **state)
{
	static const uint8_t known[][2] = {{0x01, TS_VIDEO_MPEG2},
		{0x02, TS_VIDEO_MPEG2}, {0x1b, TS_VIDEO_H264}, {0x24, TS_VIDEO_H265}};
	enum ts_video all[256] = {TS_VIDEO_NONE};

	for (size_t i = 0; i < array_len(known); i++)
		all[known[i][0]] = known[i][1];
	for (unsigned i = 0; i < 256; i++)
		assert_int_equal(ts_video_of((uint8_t)i), all[i]);
}

/* ---- in a stream ---- */

static struct quality q;
static mono_t now;
static unsigned counters[8192];

static int begin(void **state)
{
	quality_init(&q);
	now = mono_from_ms(1000);
	memset(counters, 0, sizeof(counters));
	return 0;
}

/* A packet whose payload begins with the bytes of a text. `scrambling` are the upper
 * bits of its fourth byte. */
static void put(unsigned pid, bool start, unsigned scrambling, const char *text)
{
	uint8_t p[188];

	memset(p, 0xff, sizeof(p));
	p[0] = 0x47;
	p[1] = (uint8_t)((start ? 0x40 : 0) | pid >> 8);
	p[2] = (uint8_t)pid;
	p[3] = (uint8_t)(scrambling | 0x10 | (counters[pid]++ & 15));
	(void)bytes(text, p + 4);
	now = mono_add_ns(now, NS_PER_MS);
	quality_datagram(&q, p, sizeof(p), sizeof(p), now);
}

#define PAT	  "00 00b00d 0001 c1 00 00 0001 f000 2ab104b2"
#define PMT_PID	  0x1000u
#define IDR	  PES "0000000109 10 00000165 88 84"
#define PMT_BEGIN "00 02b012 0001 c1 00 00 e100 f000 "

static uint64_t entries(void)
{
	return q.count[QUALITY_TS_RANDOM_ACCESS];
}

static void tables_name_the_video(void **state)
{
	put(0, true, 0, PAT);
	put(VIDEO, true, 0, IDR);
	assert_int_equal(entries(), 0); /* it may be anything */
	put(PMT_PID, true, 0, PMT_BEGIN "1b e100 f000 152d 47bd"); /* a wrong CRC */
	put(VIDEO, true, 0, IDR);
	assert_int_equal(entries(), 0);
	put(PMT_PID, true, 0, PMT_BEGIN "1b e100 f000 15bd4d56");
	put(VIDEO, true, 0, IDR);
	assert_int_equal(entries(), 1);
	assert_int_equal(q.ts.first_random_at.ns, now.ns);
	put(VIDEO, false, 0, IDR); /* nothing begins here */
	put(VIDEO, true, 0x80, IDR);
	put(VIDEO + 1, true, 0, IDR);
	put(VIDEO, true, 0, PES "0000000109 30 00000141 9a");
	assert_int_equal(entries(), 1);
	put(VIDEO, true, 0, IDR);
	assert_int_equal(entries(), 2);
	assert_int_equal(q.count[QUALITY_TS_CONTINUITY], 0);
	/* the PID has another codec now, and then none */
	put(PMT_PID, true, 0, PMT_BEGIN "02 e100 f000 9e8b23d1");
	put(VIDEO, true, 0, IDR);
	assert_int_equal(entries(), 2);
	put(VIDEO, true, 0, PES "000001b3 2d0240 33 24 00000100 000f ff");
	assert_int_equal(entries(), 3);
	put(PMT_PID, true, 0, PMT_BEGIN "06 e100 f000 be7fa052");
	put(VIDEO, true, 0, PES "000001b3 2d0240 33 24 00000100 000f ff");
	assert_int_equal(entries(), 3);
}

static void a_table_that_is_not_yet_current(void **state)
{
	put(0, true, 0, PAT);
	put(PMT_PID, true, 0,
		"00 02b012 0001 c0 00 00 e100 f000 1b e100 f000 124bae50");
	put(VIDEO, true, 0, IDR);
	assert_int_equal(entries(), 0);
}

/* Only the first packet of a long table is read. */
static void a_long_table(void **state)
{
	put(0, true, 0, PAT);
	put(PMT_PID, true, 0,
		"00 02b0ff 0001 c1 00 00 e100 f003 0a0b0c 03 e101 f000 24 e100 f000");
	put(VIDEO, true, 0, PES "000000014601 10 000000012a01 af");
	assert_int_equal(entries(), 1);
	put(PMT_PID, true, 0, "00 02b0ff 0001 c1 00 00 e100 f0ff 1b e100 f000");
	put(VIDEO, true, 0, PES "000000014601 10 000000012a01 af");
	assert_int_equal(entries(), 2);
}

static void an_adaptation_field_before_it(void **state)
{
	put(0, true, 0, PAT);
	put(PMT_PID, true, 0, PMT_BEGIN "1b e100 f000 15bd4d56");
	put(VIDEO, true, 0x20, "01 00 " IDR);
	assert_int_equal(entries(), 1);
	put(VIDEO, true, 0x20, "01 40 " IDR); /* one packet counts once */
	assert_int_equal(entries(), 2);
	put(VIDEO, true, 0x20, "01 40 " PES "0000000109 30 00000141 9a");
	assert_int_equal(entries(), 3);
	put(VIDEO, true, 0x20, "ff 00 " IDR); /* the field is too long */
	assert_int_equal(entries(), 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pes_packets),
		cmocka_unit_test(cut_anywhere),
		cmocka_unit_test(stream_types),
		cmocka_unit_test_setup(tables_name_the_video, begin),
		cmocka_unit_test_setup(a_table_that_is_not_yet_current, begin),
		cmocka_unit_test_setup(a_long_table, begin),
		cmocka_unit_test_setup(an_adaptation_field_before_it, begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
