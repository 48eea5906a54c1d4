/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Limits of the group state machine: of a port, of a group and of a host (R082). */

#include "mgroup_fixture.h"

static void r082_limits_refuse_and_count(void **state)
{
	FOR_BOTH_FAMILIES
	{
		struct mgroup_params p = {
			.gm = gm_params_default, .max_groups = 1, .max_sources = 2};
		struct gm_msg msg = {.version = GM_V3, .from = gm_host(fam, 9)};
		struct gm_record rec = {.type = GM_IS_EX, .group = gm_group(fam, 2)};

		setup_db(&p);
		send_at(T0, GM_V3, 9, GM_IS_IN, "123");
		assert_state("IN 12");
		assert_int_equal(fx.v[0].note.note, NOTE_SOURCE_LIMIT);
		assert_int_equal(
			mgroup_input(&db, mono_from_ms(T0), &msg, &rec, &fx), 0);
		assert_null(mgroup_find(&db, &rec.group));
		assert_int_equal(db.n_refused, 2);
		assert_state("IN 12");
		teardown_db();
	}
}

static int join_from(unsigned host, unsigned number)
{
	struct gm_msg msg = {.version = GM_V3, .from = gm_host(fam, host)};
	struct gm_record rec = {.type = GM_IS_EX, .group = gm_group(fam, number)};

	effects_clear(&fx);
	return mgroup_input(&db, mono_from_ms(T0), &msg, &rec, &fx);
}

static void r082_one_host_leaves_room(void **state)
{
	FOR_BOTH_FAMILIES
	{
		struct mgroup_params p = {.gm = gm_params_default,
			.max_groups = 3,
			.max_groups_per_host = 2};
		struct addr second = gm_group(fam, 2);

		setup_db(&p);
		assert_int_equal(join_from(7, 1), 1);
		assert_int_equal(join_from(7, 2), 1);
		assert_int_equal(join_from(7, 3), 0);
		assert_int_equal(fx.v[0].note.note, NOTE_HOST_QUOTA);
		assert_int_equal(fx.v[0].note.value, 2);
		assert_int_equal(db.n_refused, 1);
		/* somebody else gets it; whoever comes to a group later pays nothing */
		assert_int_equal(join_from(8, 3), 1);
		assert_int_equal(join_from(7, 3), 0);
		assert_int_equal(join_from(9, 4), 0);
		assert_int_equal(fx.v[0].note.note, NOTE_GROUP_LIMIT);
		/* a group that ends is given back to whom it was charged */
		mgroup_drop(&db, mgroup_find(&db, &second));
		assert_int_equal(join_from(7, 5), 1);
		teardown_db();
	}
}

/* E.g. ALLOW of new sources again and again: each is refused by max-sources, and the
 * host's own list must not grow either. */
static void r082_host_names_sources_for_ever(void **state)
{
	FOR_BOTH_FAMILIES
	{
		struct mgroup_params p = {.gm = gm_params_default, .max_sources = 3};

		setup_db(&p);
		send_at(T0, GM_V3, 9, GM_IS_EX, "");
		send_at(T0, GM_V3, 9, GM_BLOCK, "12");
		assert_int_equal(group()->n_host, 1);
		send_at(T0, GM_V3, 9, GM_BLOCK, "34");
		assert_int_equal(group()->n_host, 0);
		assert_true(mono_before(mono_from_ms(T0), group()->untracked_until));
		teardown_db();
	}
}

static void r082_addresses_of_a_port(void **state)
{
	FOR_BOTH_FAMILIES
	{
		struct mgroup_params p = {.gm = gm_params_default};

		setup_db(&p);
		db.max_addr = 8;
		send_at(T0, GM_V3, 9, GM_IS_IN, "12"); /* both, the host, both again */
		assert_int_equal(db.n_addr, 5);
		send_at(T0, GM_V3, 8, GM_IS_IN, "3");
		assert_state("IN 123");
		assert_int_equal(db.n_addr, 8);
		send_at(T0, GM_V3, 7, GM_IS_IN,
			"4"); /* neither the source nor the host */
		assert_state("IN 123");
		assert_int_equal(db.n_addr, 8);
		assert_int_equal(db.n_refused, 1);
		mgroup_drop(&db, mgroup_find(&db, &group()->group));
		assert_int_equal(db.n_addr, 0);
		teardown_db();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(r082_limits_refuse_and_count),
		cmocka_unit_test(r082_one_host_leaves_room),
		cmocka_unit_test(r082_host_names_sources_for_ever),
		cmocka_unit_test(r082_addresses_of_a_port),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
