/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "dataplane/forward/choice.h"

static enum choice_way other(enum choice_way way)
{
	return way == CHOICE_MMSG ? CHOICE_URING : CHOICE_MMSG;
}

void choice_init(struct choice *c, enum choice_way way)
{
	*c = (struct choice){
		.way = way, .rest = CHOICE_PAIRS, .last_rest = CHOICE_REST_MIN / 2};
}

enum choice_way choice_next(const struct choice *c)
{
	return c->trying && c->second != c->other_first ? other(c->way) : c->way;
}

static void end_trial(struct choice *c)
{
	unsigned longer = c->last_rest * 2;

	c->trying = false;
	if (c->n_won >= CHOICE_PAIRS_WON) {
		c->way = other(c->way);
		longer = CHOICE_REST_MIN;
	}
	c->rest = c->last_rest = longer < CHOICE_REST_MAX ? longer : CHOICE_REST_MAX;
}

/* Turns that sent much less or more than each other do not make a pair, because each
 * turn has a cost that does not depend on the copies. */
static bool alike(uint64_t a, uint64_t b)
{
	return a <= 2 * b && b <= 2 * a;
}

static void judge_pair(struct choice *c, uint64_t copies, uint64_t ns)
{
	bool first_won = c->first_ns * copies < ns * c->first_copies;

	c->n_pairs++;
	c->n_won += first_won == c->other_first;
	/* which way comes first alternates, because it may have the colder cache */
	c->other_first = !c->other_first;
}

static void begin_trial(struct choice *c)
{
	c->trying = true;
	c->second = c->other_first = false;
	c->n_pairs = c->n_won = c->n_turns = 0;
}

bool choice_sent(struct choice *c, uint64_t copies, uint64_t ns)
{
	if (copies < CHOICE_COPIES_MIN)
		return false;
	if (!c->trying) {
		if (--c->rest == 0)
			begin_trial(c);
		return false;
	}
	if (c->second && alike(copies, c->first_copies))
		judge_pair(c, copies, ns);
	c->second = !c->second;
	c->first_copies = copies;
	c->first_ns = ns;
	if (c->n_pairs < CHOICE_PAIRS && ++c->n_turns < CHOICE_TURNS_MAX)
		return false;
	end_trial(c);
	return true;
}
