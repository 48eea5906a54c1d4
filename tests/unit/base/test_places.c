/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Places that users share: which user gets one, and which user loses one for it. */

#include "base/places.h"
#include "test.h"

#define ROOT 0

static const struct places rule = {.max = 8, .kept = 2, .per_user = 4};

struct fixture {
	struct place v[8];
	size_t n;
	int64_t clock;
};

static struct place place_of(struct fixture *f, uid_t uid)
{
	return (struct place){.number = (unsigned)f->clock,
		.uid = uid,
		.root = uid == ROOT,
		.since = f->clock++};
}

/* Gives the user one more place. Returns the number of the place that it replaces, or
 * -1. */
static int take(struct fixture *f, uid_t uid)
{
	const struct place *victim;
	unsigned number;
	size_t at;

	switch (places_find(&rule, f->v, f->n, uid, uid == ROOT, &victim)) {
	case PLACE_FREE:
		assert_true(f->n < rule.max);
		f->v[f->n++] = place_of(f, uid);
		return -1;
	case PLACE_MADE:
		number = victim->number;
		at = (size_t)(victim - f->v);
		f->v[at] = place_of(f, uid);
		return (int)number;
	case PLACE_USER_MAX:
	case PLACE_FULL:
		break;
	}
	fail_msg("user %u gets no place", (unsigned)uid);
	return 0;
}

static enum place_found asks(const struct fixture *f, uid_t uid)
{
	const struct place *victim;

	return places_find(&rule, f->v, f->n, uid, uid == ROOT, &victim);
}

static unsigned held_by(const struct fixture *f, uid_t uid)
{
	unsigned count = 0;

	for (size_t i = 0; i < f->n; i++)
		count += f->v[i].uid == uid;
	return count;
}

static void one_user_has_a_few(void **state)
{
	struct fixture f = {0};

	for (unsigned i = 0; i < rule.per_user; i++)
		assert_int_equal(take(&f, 7), -1);
	assert_int_equal(asks(&f, 7), PLACE_USER_MAX);
	assert_int_equal(take(&f, 8), -1);
	assert_int_equal(take(&f, ROOT), -1);
}

static void some_are_kept_for_root(void **state)
{
	struct fixture f = {0};

	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(take(&f, 7), -1);
		assert_int_equal(take(&f, 8), -1);
	}
	assert_int_equal(asks(&f, 7), PLACE_FULL);
	assert_int_equal(take(&f, ROOT), -1);
	assert_int_equal(take(&f, ROOT), -1);
	assert_int_equal(held_by(&f, 7) + held_by(&f, 8), 6);
}

static void newcomer_gets_one_of_the_largest_owner(void **state)
{
	struct fixture f = {0};

	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(take(&f, 7), -1); /* places 0 to 3 */
	assert_int_equal(take(&f, 8), -1);
	assert_int_equal(take(&f, 8), -1);
	assert_int_equal(take(&f, 9), 0); /* the oldest of the four */
	assert_int_equal(take(&f, 9), 1);
	/* All have two. A user with none may take one; a user with two must not. */
	assert_int_equal(held_by(&f, 7), 2);
	assert_int_equal(asks(&f, 9), PLACE_FULL);
	assert_int_equal(take(&f, 10), 2);
	assert_int_equal(asks(&f, 10), PLACE_FULL);
	assert_int_equal(asks(&f, 7), PLACE_FULL);
}

static void root_gets_all_and_loses_none(void **state)
{
	struct fixture f = {0};

	for (unsigned i = 0; i < 4; i++)
		take(&f, 7); /* places 0 to 3 */
	take(&f, 8);
	take(&f, 8); /* place 5 */
	assert_int_equal(take(&f, ROOT), -1);
	assert_int_equal(take(&f, ROOT), -1);
	assert_int_equal(take(&f, ROOT), 0);
	assert_int_equal(take(&f, ROOT), 1);
	assert_int_equal(take(&f, ROOT), 2); /* all have two, and this one is older */
	for (unsigned i = 0; i < 3; i++)
		take(&f, ROOT);
	assert_int_equal(held_by(&f, ROOT), rule.max);
	assert_int_equal(asks(&f, ROOT), PLACE_FULL);
	assert_int_equal(asks(&f, 7), PLACE_FULL);
	assert_null(places_greediest(f.v, f.n));
	assert_null(places_greediest(NULL, 0));
}

/* A place marked as root is not charged to its user's share. */
static void starter_counts_as_root(void **state)
{
	struct place v[] = {{.uid = 5, .root = true}, {.uid = 5, .root = true},
		{.uid = 5, .root = true}, {.uid = 5, .root = true}, {.uid = 9}};
	const struct place *victim;

	assert_int_equal(
		places_find(&rule, v, array_len(v), 5, true, &victim), PLACE_FREE);
	assert_ptr_equal(places_greediest(v, array_len(v)), &v[4]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_user_has_a_few),
		cmocka_unit_test(some_are_kept_for_root),
		cmocka_unit_test(newcomer_gets_one_of_the_largest_owner),
		cmocka_unit_test(root_gets_all_and_loses_none),
		cmocka_unit_test(starter_counts_as_root),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
