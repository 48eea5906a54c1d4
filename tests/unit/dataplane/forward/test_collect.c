/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * How long the thread stops looking: the function alone, then with a simulated ring and
 * thread under virtual time, and with loads called home, hotel, campus and studio.
 * Times are in microseconds, and frames take 1,500 bytes of the ring.
 */

#include "dataplane/forward/collect.h"

#include "test.h"

#include <stdbool.h>
#include <stdio.h>

#define RING	 (8u << 20)
#define FRAME	 1500u
#define BOUND_US 8000u
#define LIMIT_US 10000u /* bound on the time until a frame is sent */
#define MS	 UINT64_C(1000000)

static uint64_t wait_ns(
	uint64_t period_us, uint64_t busy_us, const struct collect_ring *r, size_t n)
{
	const struct collect_turn t = {
		BOUND_US * 1000, period_us * 1000, busy_us * 1000};

	return collect_wait(&t, r, n);
}

static uint64_t wait_us(uint64_t frames, uint64_t period_us, uint64_t busy_us)
{
	struct collect_ring r = {frames * FRAME, RING, COLLECT_BLOCK};

	return wait_ns(period_us, busy_us, &r, 1) / 1000;
}

static void rings_are_a_part_of_the_memory(void **state)
{
	static const struct {
		uint64_t memory;
		uint32_t ring;
	} t[] = {
		{0, 8u << 20}, /* unknown */
		{16u << 20, 512u << 10},
		{64u << 20, 1u << 20},
		{(64u << 20) - 1, 512u << 10},
		{128u << 20, 2u << 20},
		{UINT64_C(512) << 20, 8u << 20},
		{UINT64_C(1) << 40, 8u << 20},
	};

	for (size_t i = 0; i < array_len(t); i++)
		assert_int_equal(collect_ring(t[i].memory), t[i].ring);
	/* when a ring's timer fires, there must be room for two more periods */
	assert_true(collect_ring(1) / COLLECT_BLOCK >= 4);
}

static void thin_streams_are_left_to_the_kernel(void **state)
{
	assert_int_equal(wait_ns(8000, 0, NULL, 0), 0);
	assert_int_equal(wait_us(1, 8000, 0), 0);
	assert_int_equal(wait_us(26, 8000, 0), 0);     /* 4 x 800 per second */
	assert_int_equal(wait_us(160, 8000, 1000), 0); /* less than two blocks */
	assert_int_equal(wait_us(1, 1000000, 0), 0);   /* after a pause */
}

static void the_busier_the_shorter(void **state)
{
	uint64_t last = wait_us(900, 8000, 0);

	assert_in_range(last, 2000, LIMIT_US);
	for (uint64_t frames = 1200; frames < 200000; frames *= 2) {
		uint64_t wait = wait_us(frames, 8000, 0);

		assert_true(wait <= last + last / 10);
		last = wait;
	}
	assert_int_equal(last, 0);
}

/* The next wait is shorter by the time that the burst takes to send. */
static void the_time_to_send_counts(void **state)
{
	uint64_t last = wait_us(320, 8000, 0);

	assert_in_range(last, 7000, 8000);
	for (uint64_t busy = 1000; busy <= 8000; busy += 1000) {
		uint64_t wait = wait_us(320, 8000, busy), look = wait + busy;
		uint64_t block = 8000 * (COLLECT_BLOCK / FRAME) / 320;

		assert_true(wait == 0 || wait < last);
		if (wait > 0)
			assert_in_range((block + look) * (8000 + busy) / 8000,
				LIMIT_US - 100, LIMIT_US);
		last = wait;
	}
	assert_int_equal(last, 0);
}

static void a_thin_ring_next_to_a_busy_one_does_not_wait(void **state)
{
	struct collect_ring r[] = {
		{2000 * FRAME, RING, COLLECT_BLOCK},
		{2000 * FRAME, RING, COLLECT_BLOCK},
	};

	assert_true(wait_ns(8000, 0, r, 2) > (LIMIT_US - BOUND_US) * 1000);
	/* its frames may already have waited for the timer */
	r[1].taken = 3 * FRAME;
	assert_int_equal(wait_ns(8000, 0, r, 2), (LIMIT_US - BOUND_US) * 1000);
	assert_int_equal(wait_ns(8000, 4000, r, 2), 0);
}

static void a_small_ring_is_looked_at_more_often(void **state)
{
	struct collect_ring large = {2000 * FRAME, 64u << 20, COLLECT_BLOCK};
	struct collect_ring small = {2000 * FRAME, 2u << 20, COLLECT_BLOCK};

	assert_true(wait_ns(8000, 0, &small, 1) < wait_ns(8000, 0, &large, 1));
	/* at 10 Gbit/s half of it fills before the thread notices */
	assert_in_range(
		collect_part(small.size) * 5 / 4, small.size / 2 - 100, small.size / 2);
	/* a smaller ring would need too many wake-ups */
	small.size = 1u << 20;
	assert_int_equal(wait_ns(8000, 0, &small, 1), 0);
}

/* ---- a simulated ring and thread ---- */

struct sim {
	uint64_t now; /* in microseconds */
	double rate, surge_rate;
	uint64_t surge_at;
	double credit;
	unsigned n_open;	 /* frames in the open block */
	uint64_t first[2000];	 /* arrival of the first frame of each closed block */
	unsigned size[2000];	 /* its number of frames */
	unsigned n_closed, most; /* in blocks */
	unsigned n_held;	 /* held by the thread until they are sent */
	uint64_t open_since, worst, lost, taken, wakeups;
};

#define N_BLOCKS (RING / COLLECT_BLOCK)

static void close_block(struct sim *s)
{
	if (s->n_open == 0)
		return;
	s->first[s->n_held + s->n_closed] = s->open_since;
	s->size[s->n_held + s->n_closed++] = s->n_open;
	s->n_open = 0;
	if (s->n_held + s->n_closed > s->most)
		s->most = s->n_held + s->n_closed;
}

/* Simulates one microsecond. */
static void step(struct sim *s)
{
	double rate = s->now >= s->surge_at ? s->surge_rate : s->rate;
	unsigned room = COLLECT_BLOCK / FRAME;

	s->now++;
	for (s->credit += rate / 1e6; s->credit >= 1; s->credit--) {
		if (s->n_held + s->n_closed >= N_BLOCKS - 1 && s->n_open == room) {
			s->lost++;
			continue;
		}
		if (s->n_open == room)
			close_block(s);
		if (s->n_open++ == 0)
			s->open_since = s->now;
	}
	if (s->now % BOUND_US == 0)
		close_block(s);
}

static void pass(struct sim *s, uint64_t us)
{
	while (us-- > 0)
		step(s);
}

/* Takes and sends all closed blocks. Returns their bytes. */
static uint64_t serve(struct sim *s, double us_per_frame)
{
	unsigned n = s->n_closed, frames = 0;

	for (unsigned i = 0; i < n; i++)
		frames += s->size[i];
	s->n_held = n;
	s->n_closed = 0;
	pass(s, (uint64_t)(frames * us_per_frame));
	if (n > 0 && s->now - s->first[0] > s->worst)
		s->worst = s->now - s->first[0];
	memmove(s->first, s->first + n, s->n_closed * sizeof(s->first[0]));
	memmove(s->size, s->size + n, s->n_closed * sizeof(s->size[0]));
	s->n_held = 0;
	s->taken += frames;
	return (uint64_t)frames * FRAME;
}

/* Waits as the worker does. */
static void look_away(struct sim *s, uint64_t us)
{
	uint64_t part = collect_part(RING) / 1000, some;

	for (; us > 0 && s->n_closed <= N_BLOCKS / 4; us -= some) {
		some = us < part ? us : part;
		pass(s, some);
		s->wakeups++;
	}
}

/* Runs the thread like the worker. From `surge_at` on the link is fully loaded. */
static void run(
	struct sim *s, double frames_per_s, double us_per_frame, uint64_t surge_at)
{
	uint64_t looked = 0, before = 0, ns;

	*s = (struct sim){.rate = frames_per_s,
		.surge_at = surge_at,
		.surge_rate = 1.25e9 / FRAME};
	while (s->now < 1000000) {
		struct collect_ring r = {serve(s, us_per_frame), RING, COLLECT_BLOCK};
		struct collect_turn t = {BOUND_US * 1000, (looked - before) * 1000,
			(s->now - looked) * 1000};

		if (r.taken > 0) {
			ns = collect_wait(&t, &r, t.period_ns > 0);
			before = looked;
			look_away(s, ns / 1000);
		} else {
			while (s->now < 1000000 && s->n_closed == 0)
				step(s);
			s->wakeups++;
		}
		looked = s->now;
	}
}

/* A high estimate of the time per copy, without joining. */
#define COPY_US 1.1

static void television(void **state)
{
	static const struct {
		const char *name;
		double rate, ports;
		unsigned wakeups;
	} load[] = {
		{"one", 800, 1, 300},
		{"home", 4 * 800, 2, 300},
		{"home, 16 LANs", 4 * 800, 16, 300},
		{"hotel", 50 * 800, 4, 500},
		{"hotel, 8 LANs", 50 * 800, 8, 500},
		{"hotel, 16 LANs", 50 * 800, 16, 700},
		{"half a hotel, 16 LANs", 25 * 800, 16, 500},
		{"studio", 130000, 4, 700},
		{"campus", 400 * 800, 2, 700},
		{"line rate", 1.25e9 / FRAME, 0, 2000},
	};
	static struct sim s;

	for (size_t i = 0; i < array_len(load); i++) {
		run(&s, load[i].rate, load[i].ports * COPY_US, UINT64_MAX);
		print_message("%s: %ju wake-ups, at most %ju us, %u blocks\n",
			load[i].name, (uintmax_t)s.wakeups, (uintmax_t)s.worst, s.most);
		assert_int_equal(s.lost, 0);
		assert_true(s.worst <= LIMIT_US);
		assert_true(s.most <= N_BLOCKS / 2);
		assert_true(s.wakeups <= load[i].wakeups);
	}
}

static void a_surge_finds_room(void **state)
{
	static struct sim s;

	for (double rate = 800; rate < 400000; rate *= 1.7)
		for (uint64_t at = 500000; at < 510000; at += 170) {
			run(&s, rate, 0, at);
			assert_int_equal(s.lost, 0);
		}
}

static void silence_wakes_nobody(void **state)
{
	static struct sim s;

	run(&s, 0, 0, UINT64_MAX);
	assert_int_equal(s.wakeups, 1); /* then the test ends */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rings_are_a_part_of_the_memory),
		cmocka_unit_test(thin_streams_are_left_to_the_kernel),
		cmocka_unit_test(the_busier_the_shorter),
		cmocka_unit_test(the_time_to_send_counts),
		cmocka_unit_test(a_thin_ring_next_to_a_busy_one_does_not_wait),
		cmocka_unit_test(a_small_ring_is_looked_at_more_often),
		cmocka_unit_test(television),
		cmocka_unit_test(a_surge_finds_room),
		cmocka_unit_test(silence_wakes_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
