/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * How long the thread looks away: the function itself, then a ring of the kernel and a
 * thread under virtual time, with the loads that are called home, hotel, campus and
 * studio. Time is in microseconds here, frames are 1,500 bytes of the ring.
 */

#include "dataplane/forward/collect.h"

#include "test.h"

#include <stdbool.h>
#include <stdio.h>

#define RING	 (8u << 20)
#define FRAME	 1500u
#define BOUND_US 8000u
#define MS	 UINT64_C(1000000)

static uint64_t wait_us(uint64_t frames, uint64_t period_us)
{
	struct collect_ring r = {frames * FRAME, RING, collect_block(RING)};

	return collect_wait(BOUND_US * 1000, period_us * 1000, &r, 1) / 1000;
}

static void rings_are_a_part_of_the_memory(void **state)
{
	static const struct {
		uint64_t memory;
		uint32_t ring;
	} t[] = {
		{0, 8u << 20}, /* not known */
		{16u << 20, 512u << 10},
		{64u << 20, 1u << 20},
		{(64u << 20) - 1, 512u << 10},
		{128u << 20, 2u << 20},
		{UINT64_C(512) << 20, 8u << 20},
		{UINT64_C(1) << 40, 8u << 20},
	};

	for (size_t i = 0; i < array_len(t); i++)
		assert_int_equal(collect_ring(t[i].memory), t[i].ring);
	/* the timer of a ring may fire and leave room for twice the time that it takes */
	assert_true(collect_ring(1) / collect_block(collect_ring(1)) >= 4);
}

static void blocks_are_a_part_of_the_ring(void **state)
{
	assert_int_equal(collect_block(1u << 30), 512u << 10);
	assert_int_equal(collect_block(8u << 20), 512u << 10);
	assert_int_equal(collect_block(4u << 20), 256u << 10);
	assert_int_equal(collect_block(64u << 10), 128u << 10); /* shrinks when made */
}

static void thin_streams_are_left_to_the_kernel(void **state)
{
	assert_int_equal(collect_wait(8 * MS, 8 * MS, NULL, 0), 0);
	assert_int_equal(wait_us(1, 8000), 0);
	assert_int_equal(wait_us(26, 8000), 0);	  /* 4 x 800 per second */
	assert_int_equal(wait_us(320, 8000), 0);  /* 50 x 800: one block of 350 */
	assert_int_equal(wait_us(1, 1000000), 0); /* after a pause */
}

static void the_busier_the_shorter(void **state)
{
	uint64_t last = wait_us(900, 8000);

	assert_in_range(last, 2000, 8000);
	for (uint64_t frames = 1200; frames < 200000; frames *= 2) {
		uint64_t wait = wait_us(frames, 8000);

		assert_true(wait <= last);
		last = wait;
	}
	assert_int_equal(last, 0);
}

static void a_thin_ring_beside_a_busy_one_is_not_kept_waiting(void **state)
{
	struct collect_ring r[] = {
		{2000 * FRAME, RING, collect_block(RING)},
		{2000 * FRAME, RING, collect_block(RING)},
	};

	assert_true(collect_wait(8 * MS, 8 * MS, r, 2) > 0);
	r[1].taken = 3 * FRAME;
	assert_int_equal(collect_wait(8 * MS, 8 * MS, r, 2), 0);
}

static void a_small_ring_is_looked_at_more_often(void **state)
{
	struct collect_ring large = {2000 * FRAME, 64u << 20, 512u << 10};
	struct collect_ring small = {2000 * FRAME, 2u << 20, 128u << 10};
	uint64_t wait = collect_wait(8 * MS, 8 * MS, &small, 1);

	assert_true(wait < collect_wait(8 * MS, 8 * MS, &large, 1));
	/* at 10 Gbit/s half of it at most */
	assert_true(wait * 5 / 4 <= small.size / 2);
}

/* ---- a ring and a thread ---- */

struct sim {
	uint64_t now; /* microseconds */
	double credit;
	unsigned n_open;	 /* frames in the block that is being filled */
	uint64_t first[2000];	 /* when the first frame of each closed block came */
	unsigned size[2000];	 /* its frames */
	unsigned n_closed, most; /* blocks */
	uint64_t open_since, worst, lost, taken, wakeups;
};

static void close_block(struct sim *s)
{
	if (s->n_open == 0)
		return;
	s->first[s->n_closed] = s->open_since;
	s->size[s->n_closed++] = s->n_open;
	s->n_open = 0;
	if (s->n_closed > s->most)
		s->most = s->n_closed;
}

/* One microsecond. True: a block was closed. */
static bool step(struct sim *s, double frames_per_s)
{
	unsigned before = s->n_closed, room = collect_block(RING) / FRAME;

	s->now++;
	for (s->credit += frames_per_s / 1e6; s->credit >= 1; s->credit--) {
		if (s->n_closed >= RING / collect_block(RING) - 1 &&
			s->n_open == room) {
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
	return s->n_closed > before;
}

/* All that is closed; returns the bytes. */
static uint64_t take(struct sim *s)
{
	uint64_t bytes = 0;

	for (unsigned i = 0; i < s->n_closed; i++) {
		if (s->now - s->first[i] > s->worst)
			s->worst = s->now - s->first[i];
		bytes += (uint64_t)s->size[i] * FRAME;
		s->taken += s->size[i];
	}
	s->n_closed = 0;
	return bytes;
}

/* The thread during one second: what the worker does before it waits. From `surge_at`
 * on the link brings as much as it can. */
static void run(struct sim *s, double frames_per_s, uint64_t surge_at)
{
	uint64_t looked = 0;

	*s = (struct sim){0};
	while (s->now < 1000000) {
		struct collect_ring r = {take(s), RING, collect_block(RING)};
		uint64_t until = 0;

		if (s->now > looked)
			until = collect_wait(BOUND_US * 1000, (s->now - looked) * 1000,
					&r, r.taken > 0) /
				1000;
		looked = s->now;
		until += s->now;
		for (bool closed = false; s->now < 1000000 &&
			(until > looked ? s->now < until : !closed);)
			closed = step(
				s, s->now >= surge_at ? 1.25e9 / FRAME : frames_per_s);
		s->wakeups++;
	}
}

static void television(void **state)
{
	static const struct {
		const char *name;
		double rate;
	} load[] = {
		{"one", 800},
		{"home", 4 * 800},
		{"hotel", 50 * 800},
		{"studio", 130000},
		{"campus", 400 * 800},
		{"line rate", 1.25e9 / FRAME},
	};
	static struct sim s;

	for (size_t i = 0; i < array_len(load); i++) {
		run(&s, load[i].rate, UINT64_MAX);
		print_message("%s: %ju wake-ups, at most %ju us, %u blocks\n",
			load[i].name, (uintmax_t)s.wakeups, (uintmax_t)s.worst, s.most);
		assert_int_equal(s.lost, 0);
		assert_true(s.worst <= BOUND_US);
		assert_true(s.most <= RING / collect_block(RING) / 2);
		if (load[i].rate > 400 * 800)
			continue;
		assert_true(s.most <= RING / collect_block(RING) / 4);
		assert_true(s.wakeups <= (load[i].rate <= 50 * 800 ? 300 : 500));
	}
}

static void a_surge_finds_room(void **state)
{
	static struct sim s;

	for (double rate = 800; rate < 400000; rate *= 1.7)
		for (uint64_t at = 500000; at < 510000; at += 170) {
			run(&s, rate, at);
			assert_int_equal(s.lost, 0);
		}
}

static void silence_wakes_nobody(void **state)
{
	static struct sim s;

	run(&s, 0, UINT64_MAX);
	assert_int_equal(s.wakeups, 1); /* the end of the test */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rings_are_a_part_of_the_memory),
		cmocka_unit_test(blocks_are_a_part_of_the_ring),
		cmocka_unit_test(thin_streams_are_left_to_the_kernel),
		cmocka_unit_test(the_busier_the_shorter),
		cmocka_unit_test(a_thin_ring_beside_a_busy_one_is_not_kept_waiting),
		cmocka_unit_test(a_small_ring_is_looked_at_more_often),
		cmocka_unit_test(television),
		cmocka_unit_test(a_surge_finds_room),
		cmocka_unit_test(silence_wakes_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
