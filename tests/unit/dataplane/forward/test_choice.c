/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The choice between two ways to send, with simulated costs: of a turn, of a copy, and
 * of disturbances that have nothing to do with the way.
 */

#include "dataplane/forward/choice.h"

#include "test.h"

static struct choice c;
static uint64_t cost[_CHOICE_WAY_N]; /* nanoseconds of a copy */
static uint64_t n_turns[_CHOICE_WAY_N];

static int setup(void **state)
{
	choice_init(&c, CHOICE_URING);
	memset(n_turns, 0, sizeof(n_turns));
	return 0;
}

/* `disturbance` is the time of something else that ran during the turn. */
static void turn(uint64_t copies, uint64_t disturbance)
{
	enum choice_way way = choice_next(&c);

	n_turns[way]++;
	choice_sent(&c, copies, c.trying ? 2000 + copies * cost[way] + disturbance : 0);
}

static void set_cost(uint64_t mmsg, uint64_t uring)
{
	cost[CHOICE_MMSG] = mmsg;
	cost[CHOICE_URING] = uring;
}

/* Turns until the next trial has ended. */
static unsigned play_trial(uint64_t copies)
{
	unsigned n = 0;

	for (; !c.trying; n++)
		turn(copies, 0);
	for (; c.trying; n++)
		turn(copies, 0);
	return n;
}

static void the_cheaper_way_is_taken(void **state)
{
	set_cost(500, 550);
	play_trial(48);
	assert_int_equal(c.way, CHOICE_MMSG);
	set_cost(550, 500);
	play_trial(48);
	assert_int_equal(c.way, CHOICE_URING);
	play_trial(48);
	assert_int_equal(c.way, CHOICE_URING);
}

static void a_trial_takes_each_way_for_half_of_its_turns(void **state)
{
	set_cost(500, 500);
	while (!c.trying)
		turn(16, 0);
	memset(n_turns, 0, sizeof(n_turns));
	while (c.trying)
		turn(16, 0);
	assert_int_equal(n_turns[CHOICE_URING], CHOICE_PAIRS);
	assert_int_equal(n_turns[CHOICE_MMSG], CHOICE_PAIRS);
}

static void a_way_that_wins_half_of_the_pairs_changes_nothing(void **state)
{
	bool favour = false;
	unsigned n = 0;

	set_cost(500, 500);
	while (!c.trying)
		turn(16, 0);
	/* each second pair prefers the other way */
	for (; c.trying; n++) {
		favour = n / 2 % 2;
		cost[CHOICE_MMSG] = favour ? 400 : 600;
		turn(16, 0);
	}
	assert_int_equal(c.way, CHOICE_URING);
}

static void one_long_disturbance_decides_nothing(void **state)
{
	set_cost(450, 500);
	while (!c.trying)
		turn(16, 0);
	/* a way that is disturbed loses this pair and no other */
	for (unsigned n = 0; c.trying; n++)
		turn(16, n % 16 == 1 ? 100 * 1000 * 1000 : 0);
	assert_int_equal(c.way, CHOICE_MMSG);
}

/* Each pair begins with the other way in turn, so a cost of the first turn hits
 * both. */
static void the_order_of_a_pair_does_not_matter(void **state)
{
	for (unsigned late = 0; late < 2; late++) {
		setup(NULL);
		set_cost(500, 500);
		while (!c.trying)
			turn(16, 0);
		while (c.trying)
			turn(16, c.second == late ? 3000 : 0);
		assert_int_equal(c.way, CHOICE_URING);
		assert_in_range(c.n_won, CHOICE_PAIRS / 2, CHOICE_PAIRS / 2);
	}
}

static void trials_become_rarer_while_they_confirm(void **state)
{
	unsigned rest = 0;

	set_cost(550, 500);
	play_trial(16);
	for (unsigned expected = CHOICE_REST_MIN; expected < CHOICE_REST_MAX;
		expected *= 2) {
		assert_int_equal(c.rest, expected);
		rest = play_trial(16);
		assert_int_equal(rest, expected + 2 * CHOICE_PAIRS);
	}
	assert_int_equal(c.rest, CHOICE_REST_MAX);
	play_trial(16);
	assert_int_equal(c.rest, CHOICE_REST_MAX);
	set_cost(500, 550);
	play_trial(16);
	assert_int_equal(c.way, CHOICE_MMSG);
	assert_int_equal(c.rest, CHOICE_REST_MIN);
}

static void turns_without_copies_are_no_part_of_it(void **state)
{
	set_cost(500, 550);
	for (unsigned n = 0; n < 2 * CHOICE_REST_MAX; n++)
		turn(n % 2 ? CHOICE_COPIES_MIN - 1 : 0, 0);
	assert_false(c.trying);
	play_trial(CHOICE_COPIES_MIN);
	assert_int_equal(c.way, CHOICE_MMSG);
}

/* A turn has a cost of its own, so the way that happens to have the long turns would
 * win. */
static void turns_of_very_different_size_are_not_compared(void **state)
{
	set_cost(500, 500);
	while (!c.trying)
		turn(16, 0);
	while (c.trying)
		turn(choice_next(&c) == CHOICE_MMSG ? 200 : 16, 0);
	assert_int_equal(c.way, CHOICE_URING);
	assert_int_equal(c.n_turns, CHOICE_TURNS_MAX);
	assert_int_equal(c.n_pairs, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(the_cheaper_way_is_taken, setup),
		cmocka_unit_test_setup(
			a_trial_takes_each_way_for_half_of_its_turns, setup),
		cmocka_unit_test_setup(
			a_way_that_wins_half_of_the_pairs_changes_nothing, setup),
		cmocka_unit_test_setup(one_long_disturbance_decides_nothing, setup),
		cmocka_unit_test_setup(the_order_of_a_pair_does_not_matter, setup),
		cmocka_unit_test_setup(trials_become_rarer_while_they_confirm, setup),
		cmocka_unit_test_setup(turns_without_copies_are_no_part_of_it, setup),
		cmocka_unit_test_setup(
			turns_of_very_different_size_are_not_compared, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
