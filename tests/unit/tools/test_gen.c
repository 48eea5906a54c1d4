/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Payload and bookkeeping of ringcast-gen, which other tests measure with. */

#include "base/rng.h"
#include "test.h"
#include "tools/gen/gen_track.h"

#define SIZE 1316

static struct gen_track track;
static uint8_t buf[GEN_PAYLOAD_MAX];

static void hear(uint32_t stream, uint64_t seq, int64_t sent_ns, int64_t now_ns)
{
	const struct gen_stamp stamp = {
		.stream = stream, .seq = seq, .sent_ns = sent_ns};
	struct gen_stream_key key;

	memset(&key, 0, sizeof(key));
	key.source = a("10.0.0.1");
	key.group = a("239.1.2.3");
	gen_payload_write(buf, SIZE, false, &stamp);
	gen_track_datagram(&track, &key, buf, SIZE, now_ns);
}

static void payload_round_trip(void **state)
{
	static const size_t size[] = {32, 33, 188, 1316, 9000, GEN_PAYLOAD_MAX};
	const struct gen_stamp in = {
		0xfeed0001, UINT64_C(0x123456789abc), 987654321012345};

	for (size_t i = 0; i < array_len(size); i++) {
		struct gen_stamp out;

		gen_payload_write(buf, size[i], false, &in);
		assert_int_equal(
			gen_payload_read(buf, size[i], &out), GEN_PAYLOAD_GOOD);
		assert_int_equal(out.stream, in.stream);
		assert_true(out.seq == in.seq);
		assert_true(out.sent_ns == in.sent_ns);
	}
}

static void ts_payload_is_null_packets(void **state)
{
	struct gen_stamp in = {1, 2, 3}, out;

	gen_payload_write(buf, SIZE, true, &in);
	for (size_t at = 0; at < SIZE; at += 188) {
		assert_int_equal(buf[at], 0x47);
		assert_int_equal(buf[at + 1] << 8 | buf[at + 2], 0x1fff);
	}
	assert_int_equal(gen_payload_read(buf, SIZE, &out), GEN_PAYLOAD_GOOD);
	assert_int_equal(out.seq, 2);
}

/* Damage to any byte, or to the length, is found. */
static void every_damage_is_seen(void **state)
{
	for (int ts = 0; ts < 2; ts++) {
		struct gen_stamp in = {1, 2, 3}, out;

		gen_payload_write(buf, SIZE, ts, &in);
		for (size_t i = 0; i < SIZE; i++) {
			buf[i] ^= 0x10;
			assert_int_not_equal(
				gen_payload_read(buf, SIZE, &out), GEN_PAYLOAD_GOOD);
			buf[i] ^= 0x10;
		}
		assert_int_equal(
			gen_payload_read(buf, SIZE - 1, &out), GEN_PAYLOAD_CORRUPT);
		buf[SIZE - 1] ^= 1;
		assert_int_equal(
			gen_payload_read(buf, SIZE, &out), GEN_PAYLOAD_CORRUPT);
	}
	memset(buf, 0, sizeof(buf));
	for (size_t n = 0; n < 200; n++)
		assert_int_equal(gen_payload_read(buf, n, NULL), GEN_PAYLOAD_FOREIGN);
}

static void losses_duplicates_and_order(void **state)
{
	static const uint64_t seq[] = {
		100, 101, 104, 103, 103, 99, 110, 110, 5000, 4999};
	struct gen_count c;

	gen_track_init(&track);
	for (size_t i = 0; i < array_len(seq); i++)
		hear(7, seq[i], 0, 0);
	c = gen_track_total(&track);
	assert_int_equal(c.n_received, 10);
	assert_int_equal(c.n_duplicate, 2);
	assert_int_equal(c.n_reordered, 3); /* 103, 99, 4999 */
	assert_int_equal(c.n_lost, 5000 - 99 + 1 - 8);
	hear(8, 1, 0, 0); /* another run of the sender is a new stream */
	assert_int_equal(gen_track_total(&track).n_lost, c.n_lost);
	assert_int_equal(track.streams.n, 2);
	gen_track_deinit(&track);
}

/* Compared with a plain table of received numbers, shuffled within the window. */
static void counts_equal_a_model(void **state)
{
	enum { N = 20000 };
	static uint8_t heard[N + 64];
	uint64_t n_dup = 0, n_unique = 0, low = UINT64_MAX, high = 0;
	struct gen_count c;
	struct rng rng;

	print_message("seed 11\n");
	rng_seed(&rng, 11);
	gen_track_init(&track);
	for (uint64_t i = 0; i < N; i++) {
		uint64_t seq = i + rng_below(&rng, 64);

		if (rng_below(&rng, 10) == 0)
			continue;
		hear(1, seq, 0, 0);
		if (heard[seq]++)
			n_dup++;
		else
			n_unique++;
		low = seq < low ? seq : low;
		high = seq > high ? seq : high;
	}
	c = gen_track_total(&track);
	assert_true(n_dup > 0 && c.n_reordered > 0);
	assert_int_equal(c.n_duplicate, n_dup);
	assert_int_equal(c.n_lost, high - low + 1 - n_unique);
	gen_track_deinit(&track);
}

static void percentiles(void **state)
{
	gen_track_init(&track);
	assert_int_equal(gen_latency_percentile(&track.latency, 50), 0);
	for (int64_t i = 1; i <= 1000; i++)
		hear(1, (uint64_t)i, 0, i * 1000);
	assert_int_equal(track.latency.min, 1000);
	assert_int_equal(track.latency.max, 1000000);
	assert_in_range(gen_latency_percentile(&track.latency, 50), 485000, 515000);
	assert_in_range(gen_latency_percentile(&track.latency, 99), 960000, 1000000);
	assert_in_range(gen_latency_percentile(&track.latency, 100), 970000, 1000000);
	hear(1, 1001, 500, 400); /* times of another clock */
	hear(1, 1002, 0, INT64_MAX);
	assert_int_equal(track.latency.n, 1001);
	assert_true(track.latency.max == INT64_MAX);
	gen_track_deinit(&track);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(payload_round_trip),
		cmocka_unit_test(ts_payload_is_null_packets),
		cmocka_unit_test(every_damage_is_seen),
		cmocka_unit_test(losses_duplicates_and_order),
		cmocka_unit_test(counts_equal_a_model),
		cmocka_unit_test(percentiles),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
