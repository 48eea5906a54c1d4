/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Finds which of two ways to send is cheaper for this load, on this machine. Neither
 * always is: io_uring saves system calls, and sendmmsg(2) saves the copy of each
 * message. Now and then the thread tries both in successive turns, so that both have
 * the same load, and keeps the way that was cheaper in most pairs of turns. A disturbed
 * turn counts no more than others. Pure.
 */

#include <stdbool.h>
#include <stdint.h>

/* Turns with fewer copies say little. */
#define CHOICE_COPIES_MIN 4
/* Pairs of a trial, and how many of them the other way must win to replace the present
 * one. If both cost the same, that happens by chance in about one of 40 trials. */
#define CHOICE_PAIRS	 32
#define CHOICE_PAIRS_WON 22
/* After so many turns a trial ends, even if the turns made too few pairs. */
#define CHOICE_TURNS_MAX 512
/* Turns between two trials: at first, and if trials confirm the choice */
#define CHOICE_REST_MIN 16384u
#define CHOICE_REST_MAX 262144u

enum choice_way { CHOICE_MMSG, CHOICE_URING, _CHOICE_WAY_N };

struct choice {
	enum choice_way way; /* outside of trials */
	bool trying;
	bool second;		 /* the next turn is the second one of a pair */
	bool other_first;	 /* of this pair */
	unsigned n_pairs, n_won; /* of this trial; won by the other way */
	unsigned n_turns, rest;	 /* turns of this trial; turns before the next one */
	unsigned last_rest;	 /* what `rest` began with */
	uint64_t first_copies, first_ns; /* the first turn of the pair */
};

/* Begins with a way, and with a trial after CHOICE_PAIRS turns. */
void choice_init(struct choice *c, enum choice_way way);
/* Returns the way for the next turn. */
enum choice_way choice_next(const struct choice *c);
/* Takes what a turn has sent, in the way of choice_next(), and how long that took. The
 * time is only used if `trying` was set before the turn. Returns true at the end of a
 * trial. */
bool choice_sent(struct choice *c, uint64_t copies, uint64_t ns);
