/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The cost of a change for others: a record that changes many sources is merged while
 * there is credit, each group once, and groups with little work are served meanwhile.
 * The tests count steps and measure no time.
 */

#include "proxy_fixture.h"

#define N_SOURCES 300
#define N_GROUPS  5

static struct proxy_fixture t;

static const char *const text[] = {"phyint wan upstream altnet 0.0.0.0/0\n"
				   "phyint lan1 downstream\nphyint lan2 downstream\n"
				   "phyint lan3 downstream\n"};

static struct addr numbered(unsigned n)
{
	struct addr a = gm_source(t.family, '0');

	a.b[14] = (uint8_t)(1 + (n >> 8));
	a.b[15] = (uint8_t)n;
	return a;
}

/* One report about groups first, first + 1, ... with a list of N_SOURCES or without. */
static void report(const char *lan, enum gm_record_type type, unsigned first,
	size_t n_rec, bool listed)
{
	struct addr src[N_SOURCES];
	struct gm_record rec[N_GROUPS];
	struct gm_msg msg = {.kind = GM_REPORT,
		.family = t.family,
		.version = GM_V3,
		.from = px_addr(t.family, lan, 1),
		.rec = rec,
		.n_rec = n_rec};

	for (unsigned i = 0; i < N_SOURCES; i++)
		src[i] = numbered(i);
	for (unsigned i = 0; i < n_rec; i++)
		rec[i] = (struct gm_record){.type = type,
			.group = gm_group(t.family, first + i),
			.src = src,
			.n_src = listed ? N_SOURCES : 0};
	assert_int_equal(
		proxy_input(t.proxy, t.now, px_port(&t, lan)->port, &msg, &t.fx),
		GM_OK);
}

static void spend_all(void)
{
	t.proxy->credit = -1;
	t.proxy->credit_at = t.now;
}

static size_t count(enum effect_type type)
{
	size_t n = 0;

	effects_for_each (&t.fx, e)
		n += e->type == type;
	return n;
}

/* Sets up N_GROUPS groups on lan1 with long lists, and uses up the credit. */
static void setup(enum family family)
{
	px_init(&t, family, text);
	px_sync(&t);
	t.now = mono_add_ms(t.now, 100000);
	proxy_tick(t.proxy, t.now, &t.fx);
	for (unsigned i = 0; i < N_GROUPS; i++)
		report("lan1", GM_ALLOW, 1 + i, 1, true);
	t.now = mono_add_ms(t.now, 3000);
	proxy_tick(t.proxy, t.now, &t.fx);
	effects_clear(&t.fx);
	assert_null(t.proxy->waiting.first);
	spend_all();
}

static void run_until_merged(void)
{
	for (unsigned i = 0; i < 1000 && t.proxy->waiting.first; i++) {
		mono_t at = proxy_deadline(t.proxy);

		assert_true(mono_before(t.now, at)); /* no busy loop meanwhile */
		t.now = at;
		proxy_tick(t.proxy, t.now, &t.fx);
	}
	assert_null(t.proxy->waiting.first);
}

static void assert_mode(enum gm_mode mode, size_t n_src)
{
	for (unsigned i = 0; i < N_GROUPS; i++) {
		struct addr group = gm_group(t.family, 1 + i);
		const struct mdb_group *m = mdb_find(&t.proxy->mdb, &group);

		assert_non_null(m);
		assert_int_equal(m->merged.mode, mode);
		assert_int_equal(m->merged.src.n, n_src);
	}
}

static void a_mode_of_many_sources_waits_for_credit(void **state)
{
	for (unsigned f = 0; f < _FAMILY_N; f++) {
		setup((enum family)f);
		report("lan2", GM_TO_EX, 1, N_GROUPS, false);
		assert_int_equal(count(EFFECT_FIB_SET), 0);
		assert_int_equal(count(EFFECT_REPORT), 0);
		assert_mode(GM_INCLUDE, N_SOURCES);
		run_until_merged();
		assert_mode(GM_EXCLUDE, 0);
		/* each source of lan1, and unnamed sources, now also go to lan2 */
		assert_int_equal(count(EFFECT_FIB_SET), N_GROUPS * (N_SOURCES + 1));
		px_deinit(&t);
	}
}

/* Repeating a report does not repeat the work. */
static void a_group_waits_once(void **state)
{
	for (unsigned f = 0; f < _FAMILY_N; f++) {
		setup((enum family)f);
		for (unsigned i = 0; i < 20; i++)
			report("lan2", GM_TO_EX, 1, N_GROUPS, i % 2);
		assert_int_equal(count(EFFECT_FIB_SET), 0);
		run_until_merged();
		assert_mode(GM_EXCLUDE, 0);
		assert_int_equal(count(EFFECT_FIB_SET), N_GROUPS * (N_SOURCES + 1));
		px_deinit(&t);
	}
}

static void a_small_group_does_not_wait(void **state)
{
	for (unsigned f = 0; f < _FAMILY_N; f++) {
		setup((enum family)f);
		report("lan2", GM_TO_EX, 1, N_GROUPS, false);
		report("lan3", GM_TO_EX, 100, 1, false);
		assert_int_equal(count(EFFECT_FIB_SET), 1);
		assert_non_null(t.proxy->waiting.first);
		px_deinit(&t);
	}
}

/* A change by the operator is complete when the call returns. */
static void an_interface_that_goes_waits_for_nothing(void **state)
{
	for (unsigned f = 0; f < _FAMILY_N; f++) {
		setup((enum family)f);
		report("lan2", GM_TO_EX, 1, N_GROUPS, false);
		px_link(&t, "lan1", "gone");
		px_sync(&t);
		assert_null(t.proxy->waiting.first);
		assert_mode(GM_EXCLUDE, 0);
		px_deinit(&t);
	}
}

/* Deadlines of many groups at one instant also wait for credit. */
static void deadlines_of_one_instant_take_turns(void **state)
{
	for (unsigned f = 0; f < _FAMILY_N; f++) {
		unsigned n = 0;

		setup((enum family)f);
		t.now = mgroup_deadline(&px_port(&t, "lan1")->groups);
		while (t.proxy->mdb.groups.n > 0 && n < 10000) {
			spend_all();
			t.now = proxy_deadline(t.proxy);
			proxy_tick(t.proxy, t.now, &t.fx);
			n++;
		}
		assert_true(n > 1 && n < 10000);
		px_deinit(&t);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_mode_of_many_sources_waits_for_credit),
		cmocka_unit_test(a_group_waits_once),
		cmocka_unit_test(a_small_group_does_not_wait),
		cmocka_unit_test(an_interface_that_goes_waits_for_nothing),
		cmocka_unit_test(deadlines_of_one_instant_take_turns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
