/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Merging (R133 to R137, R140, R145) and the forwarding entries that follow. The
 * property test compares both with naive models after every step; its seed is printed.
 */

#include "base/rng.h"
#include "control/member/mdb.h"
#include "support_gm.h"
#include "test.h"

#include <stdio.h>

#define N_PORTS 4

static struct mgroup_db dbs[PORT_MAX];
static struct mgroup_db *by_port[PORT_MAX];
static struct mdb mdb;
static struct effects fx;
static enum family fam;
static const struct gm_filter *merged;

static void setup(void)
{
	struct mgroup_params p = {.gm = gm_params_default};

	mdb_init(&mdb, 7, 1);
	for (unsigned i = 1; i <= N_PORTS; i++) {
		assert_int_equal(mgroup_db_init(&dbs[i], i, &p, i), 0);
		dbs[i].role[fam].forwards = true;
		by_port[i] = &dbs[i];
	}
}

static void teardown(void)
{
	for (unsigned i = 1; i <= N_PORTS; i++) {
		mgroup_db_deinit(&dbs[i]);
		by_port[i] = NULL;
	}
	mdb_deinit(&mdb);
	effects_deinit(&fx);
}

/* Give a port exactly this membership; an empty INCLUDE removes it. */
static void port_is(unsigned port, enum gm_mode mode, const char *list)
{
	struct addr src[10], group = gm_group(fam, 1);
	struct gm_msg msg = {.version = GM_V3, .from = gm_host(fam, 9)};
	struct mgroup *g = mgroup_find(by_port[port], &group);
	struct gm_record rec = {
		.type = mode == GM_INCLUDE ? GM_IS_IN : GM_IS_EX,
		.group = group,
		.src = src,
		.n_src = gm_sources(fam, list, src),
	};
	struct effects own = {0};

	if (g)
		mgroup_drop(by_port[port], g);
	mgroup_input(by_port[port], mono_from_ms(1), &msg, &rec, &own);
	effects_deinit(&own);
	effects_clear(&fx);
	assert_int_equal(mdb_update(&mdb, by_port, port, &group, &fx, &merged), 0);
}

static void assert_merged(enum gm_mode mode, const char *list)
{
	char buf[16];

	assert_int_equal(merged->mode, mode);
	assert_string_equal(gm_digits(merged->src.v, merged->src.n, buf), list);
}

#define FOR_BOTH_FAMILIES for (fam = 0; fam < _FAMILY_N; fam++)

static void r133_merge_rules(void **state)
{
	FOR_BOTH_FAMILIES
	{
		setup();
		port_is(1, GM_EXCLUDE, "12");
		port_is(2, GM_EXCLUDE, "23");
		assert_merged(GM_EXCLUDE, "2");
		port_is(3, GM_INCLUDE, "2");
		assert_merged(GM_EXCLUDE, "");
		port_is(1, GM_INCLUDE, "");
		assert_merged(GM_EXCLUDE, "3");
		port_is(2, GM_INCLUDE, "1");
		assert_merged(GM_INCLUDE, "12");
		port_is(2, GM_EXCLUDE, ""); /* as an IGMPv2 member */
		assert_merged(GM_EXCLUDE, "");
		port_is(2, GM_INCLUDE, "");
		port_is(3, GM_INCLUDE, "");
		assert_merged(GM_INCLUDE, "");
		assert_int_equal(mdb.groups.n, 0);
		teardown();
	}
}

/* The effects as text: "*:12 1:2" means (*,G) to ports 1 and 2 and (1,G) to port 2; "x"
 * means deleted. */
static const char *fib_text(char buf[256])
{
	buf[0] = '\0';
	effects_for_each (&fx, e) {
		size_t n = strlen(buf);
		bool any = addr_is_any(&e->fib.source);

		n += (size_t)snprintf(buf + n, 256 - n, "%s%c:", n ? " " : "",
			any ? '*' : gm_digit(&e->fib.source));
		if (e->type == EFFECT_FIB_DEL)
			snprintf(buf + n, 256 - n, "x");
		else
			portset_for_each (&e->fib.out, port)
				n += (size_t)snprintf(buf + n, 256 - n, "%u", port);
	}
	return buf;
}

#define assert_fib(want)                                                               \
	do {                                                                           \
		char _b[256];                                                          \
		assert_string_equal(fib_text(_b), want);                               \
	} while (0)

static void forwarding_entries_are_differences(void **state)
{
	FOR_BOTH_FAMILIES
	{
		setup();
		port_is(1, GM_EXCLUDE, "");
		assert_fib("*:1");
		port_is(2, GM_EXCLUDE, "");
		assert_fib("*:12");
		port_is(2, GM_EXCLUDE, "");
		assert_fib(""); /* a repetition changes nothing */
		port_is(2, GM_EXCLUDE, "3");
		assert_fib("3:1");
		port_is(2, GM_INCLUDE, "34");
		assert_fib("3:12 4:12 *:1");
		teardown();
	}
}

static void ssm_entries_come_before_the_group(void **state)
{
	FOR_BOTH_FAMILIES
	{
		setup();
		port_is(1, GM_INCLUDE, "1");
		assert_fib("1:1 *:");
		port_is(2, GM_INCLUDE, "2");
		assert_fib("2:2");
		port_is(1, GM_INCLUDE, "");
		assert_fib("1:x");
		port_is(2, GM_INCLUDE, "");
		assert_fib("*:x 2:x");
		teardown();
	}
}

static void r137_r140_r141_only_where_we_are_querier(void **state)
{
	FOR_BOTH_FAMILIES
	{
		struct addr group = gm_group(fam, 1);

		setup();
		port_is(1, GM_EXCLUDE, "");
		port_is(2, GM_EXCLUDE, "");
		dbs[2].role[fam].forwards = false;
		effects_clear(&fx);
		mdb_update(&mdb, by_port, 2, &group, &fx, &merged);
		assert_fib("*:1");
		assert_merged(GM_EXCLUDE, "");
		port_is(1, GM_INCLUDE, "");
		assert_fib("*:");
		assert_merged(GM_EXCLUDE, ""); /* the membership stays upstream */
		dbs[2].role[fam].forwards = true;
		effects_clear(&fx);
		mdb_update(&mdb, by_port, 2, &group, &fx, &merged);
		assert_fib("*:2");
		teardown();
	}
}

/* Emitting all entries and removing the others repairs a table that missed effects. */
static void lost_effects_are_repaired(void **state)
{
	FOR_BOTH_FAMILIES
	{
		struct addr group = gm_group(fam, 1), any = addr_any(fam);
		struct addr s1 = gm_source(fam, '1'), s4 = gm_source(fam, '4');

		setup();
		port_is(1, GM_INCLUDE, "1");
		port_is(2, GM_EXCLUDE, "4");
		effects_clear(&fx);
		mdb_emit_all(&mdb, &fx);
		assert_fib("1:12 4: *:2");
		assert_true(mdb_has_entry(&mdb, &group, &any));
		assert_true(mdb_has_entry(&mdb, &group, &s1));
		assert_true(mdb_has_entry(&mdb, &group, &s4));
		port_is(2, GM_INCLUDE, "");
		assert_false(mdb_has_entry(&mdb, &group, &s4));
		port_is(1, GM_INCLUDE, "");
		assert_false(mdb_has_entry(&mdb, &group, &any));
		teardown();
	}
}

/* ---- property: equal to naive models ---- */

struct model {
	enum gm_mode mode;
	unsigned mask; /* sources 1..6 as bits 1..6 */
};

static struct portset naive_out(const struct model m[], unsigned source)
{
	struct portset out = {{0}};

	for (unsigned p = 1; p <= N_PORTS; p++)
		if ((m[p].mode == GM_INCLUDE) == (bool)(m[p].mask >> source & 1))
			portset_add(&out, p);
	return out;
}

static void check_fib(
	const struct model m[], struct portset table[8], const bool has[8])
{
	/* source 0 means any source that no host names */
	for (unsigned s = 0; s <= 6; s++) {
		struct portset want = naive_out(m, s);
		struct portset got = {{0}};

		if (has[s])
			got = table[s];
		else if (has[0])
			got = table[0];
		assert_true(portset_eq(&want, &got));
	}
}

static void check_merged(const struct model m[])
{
	unsigned in = 0, ex = 0x7e;
	bool any_ex = false;
	char want[16] = "";

	for (unsigned p = 1; p <= N_PORTS; p++) {
		if (m[p].mode == GM_INCLUDE) {
			in |= m[p].mask;
		} else {
			ex &= m[p].mask;
			any_ex = true;
		}
	}
	for (unsigned s = 1, n = 0; s <= 6; s++)
		if ((any_ex ? ex & ~in : in) >> s & 1)
			want[n++] = (char)('0' + s);
	assert_merged(any_ex ? GM_EXCLUDE : GM_INCLUDE, want);
}

static void random_steps_equal_naive_models(void **state)
{
	FOR_BOTH_FAMILIES
	{
		struct model m[N_PORTS + 1];
		struct portset table[8] = {{{0}}};
		bool has[8] = {false};
		struct rng rng;

		print_message("seed 99\n");
		rng_seed(&rng, 99);
		setup();
		for (unsigned p = 0; p <= N_PORTS; p++)
			m[p] = (struct model){GM_INCLUDE, 0};
		for (int step = 0; step < 3000; step++) {
			unsigned p = 1 + (unsigned)rng_below(&rng, N_PORTS), n = 0;
			char list[16] = "";

			m[p].mode = rng_below(&rng, 2) ? GM_INCLUDE : GM_EXCLUDE;
			m[p].mask = (unsigned)rng_below(&rng, 128) & 0x7e;
			if (rng_below(&rng, 4) == 0)
				m[p] = (struct model){GM_INCLUDE, 0};
			for (unsigned s = 1; s <= 6; s++)
				if (m[p].mask >> s & 1)
					list[n++] = (char)('0' + s);
			port_is(p, m[p].mode, list);
			effects_for_each (&fx, e) {
				unsigned s = addr_is_any(&e->fib.source)
					? 0
					: e->fib.source.b[15];

				assert_int_equal(e->fib.instance, 7);
				has[s] = e->type == EFFECT_FIB_SET;
				if (has[s])
					table[s] = e->fib.out;
			}
			check_fib(m, table, has);
			check_merged(m);
		}
		teardown();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(r133_merge_rules),
		cmocka_unit_test(forwarding_entries_are_differences),
		cmocka_unit_test(ssm_entries_come_before_the_group),
		cmocka_unit_test(r137_r140_r141_only_where_we_are_querier),
		cmocka_unit_test(lost_effects_are_repaired),
		cmocka_unit_test(random_steps_equal_naive_models),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
