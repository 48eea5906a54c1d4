/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Evidence of other forwarders under virtual time: who stops, when, and when it goes on
 * (K04). A case is a script of quarters of a second, "c" a turn with a copy of the
 * other and a datagram of ours, "d" with a datagram of ours alone, "k" with a copy
 * alone, "." with neither; the state after each turn is "-" (we forward), "S" (on
 * standby) or "0" (there is no entry).
 */

#include "control/member/forwarder.h"
#include "support_gm.h"
#include "test.h"

#include <errno.h>

static const struct gm_mac low = {{2, [5] = 1}}, own = {{2, [5] = 5}},
			   high = {{2, [5] = 9}}, third = {{2, [5] = 7}};

struct run {
	struct forwarder f;
	struct addr group, source;
	mono_t now;
	uint64_t packets;
};

static void run_init(struct run *r)
{
	*r = (struct run){.f.acts = true,
		.group = a("239.1.2.3"),
		.source = a("10.0.0.1"),
		.now = mono_from_ms(1000000)};
}

/* One turn; the state after it. */
static char step(struct run *r, char what, const struct gm_mac *mac, unsigned sampling,
	const struct forwarder_rank *rank)
{
	r->now = mono_add_ms(r->now, FORWARDER_TURN_MS);
	r->packets += (what == 'c' || what == 'd') * 25u;
	if (what == 'c' || what == 'k')
		assert_true(
			forwarder_copy(&r->f, r->now, &r->group, &r->source, mac) >= 0);
	if (r->f.n)
		forwarder_turn(&r->f, r->now, 0, r->packets, sampling, rank);
	if (r->f.n == 0)
		return '0';
	return r->f.v[0].standby ? 'S' : '-';
}

static void play(const char *name, const char *script, const char *want,
	const struct gm_mac *mac, const struct forwarder_rank *rank)
{
	struct run r;

	run_init(&r);
	for (size_t i = 0; script[i]; i++) {
		char got = step(&r, script[i], mac, 0, rank);

		if (got != want[i])
			fail_msg("%s: %c at %zu, not %c", name, got, i, want[i]);
	}
	forwarder_deinit(&r.f);
}

static void k04_who_stops(void **state)
{
	const struct {
		const char *name, *script, *want;
		const struct gm_mac *mac;
		struct forwarder_rank rank;
	} v[] = {
		{"the elected one forwards", "ccc", "-SS", &high, {false, own, high}},
		{"third querier, lower", "ccc", "-SS", &low, {false, own, third}},
		{"third querier, higher", "ccccc", "-----", &high, {false, own, third}},
		{"third querier, higher, and it stays", "cccccccccccccccccccccc",
			"--------------------SS", &high, {false, own, third}},
		{"we are querier", "ccccc", "-----", &low, {true, own, {{0}}}},
		{"we are querier, and it stays", "cccccccccccccccccccccc",
			"--------------------SS", &low, {true, own, {{0}}}},
		{"a run with a pause is two", "cccccccccccc.........cccccccccccc",
			"---------------------------------", &low, {true, own, {{0}}}},
		{"what we do not receive", "kkkkk", "-----", &low, {false, own, third}},
		{"then we do", "kkkckk", "---SSS", &low, {false, own, third}},
	};

	(void)state;
	for (size_t i = 0; i < array_len(v); i++)
		play(v[i].name, v[i].script, v[i].want, v[i].mac, &v[i].rank);
}

static void k04_who_goes_on(void **state)
{
	const struct forwarder_rank rank = {false, own, high};
	static const struct {
		const char *name, *script, *want;
	} v[] = {
		{"the other is gone", "ccdddd", "-SSSS-"},
		{"the provider pauses", "cc....................",
			"-SSSSSSSSSSSSSSSSSSSSS"},
		{"and goes on", "cc........ccccc", "-SSSSSSSSSSSSSS"},
		{"and the other does not", "cc........ddd", "-SSSSSSSSSSS-"},
		{"copies come a turn late", "ccdkdkdkdk", "-SSSSSSSSS"},
		{"thin: one datagram in two seconds", "cc.......c.......c.......c",
			"-SSSSSSSSSSSSSSSSSSSSSSSSS"},
		{"thin, and the other is gone", "cc.......d..", "-SSSSSSSSSS-"},
		{"it comes back", "ccddddc", "-SSSS-S"},
		{"an entry nobody needs is forgotten",
			"ccdddd......................................",
			"-SSSS------------------------------------000"},
	};

	(void)state;
	for (size_t i = 0; i < array_len(v); i++)
		play(v[i].name, v[i].script, v[i].want, &high, &rank);
}

/* Copies that are lost on the way to the sensor make us come back less and less often.
 */
static void k04_no_flapping(void **state)
{
	const struct forwarder_rank rank = {false, own, high};
	unsigned resumed = 0;
	struct run r;
	char before = 'S';

	(void)state;
	run_init(&r);
	for (unsigned i = 0; i < 60 * 4; i++) {
		char now = step(&r, i % 8 == 0 ? 'c' : 'd', &high, 0, &rank);

		resumed += before == 'S' && now == '-';
		before = now;
	}
	assert_in_range(resumed, 0, 8);
	forwarder_deinit(&r.f);
}

/* One of 1,024 is looked at: a second without a sample says nothing. */
static void k04_samples(void **state)
{
	const struct forwarder_rank rank = {false, own, high};
	unsigned turns = 0;
	struct run r;

	(void)state;
	run_init(&r);
	step(&r, 'c', &high, 10, &rank);
	assert_int_equal(step(&r, 'c', &high, 10, &rank), 'S');
	while (step(&r, 'd', &high, 10, &rank) == 'S')
		turns++;
	assert_int_equal(turns, 8 * 1024 / 25);
	forwarder_deinit(&r.f);
}

static void k04_only_noted_where_it_may_not_act(void **state)
{
	const struct forwarder_rank rank = {false, own, high};
	struct run r;

	(void)state;
	run_init(&r);
	step(&r, 'c', &high, 0, &rank);
	assert_int_equal(step(&r, 'c', &high, 0, &rank), 'S');
	assert_int_equal(forwarder_n_double(&r.f, r.now), 0);
	r.f.acts = false; /* forwarding always, by a reload */
	assert_int_equal(step(&r, 'c', &high, 0, &rank), '-');
	assert_int_equal(step(&r, 'c', &high, 0, &rank), '-');
	assert_int_equal(forwarder_n_double(&r.f, r.now), 1);
	forwarder_deinit(&r.f);
}

static void the_table_is_bounded_and_in_order(void **state)
{
	struct forwarder f = {.acts = true};
	struct addr source = a("10.0.0.1"), group;
	size_t n;

	(void)state;
	for (unsigned i = 0; i < FORWARDER_MAX + 10; i++) {
		unsigned k = i * 7919 % 65521;

		group = ADDR_V4(239, 1, (uint8_t)(k >> 8), (uint8_t)k);
		assert_int_equal(
			forwarder_copy(&f, mono_from_ms(1), &group, &source, &low),
			i < FORWARDER_MAX ? 1 : -ENOSPC);
	}
	assert_int_equal(f.n, FORWARDER_MAX);
	assert_int_equal(f.n_refused, 10);
	for (size_t i = 1; i < f.n; i++)
		assert_true(addr_cmp(&f.v[i - 1].group, &f.v[i].group) < 0);
	group = f.v[100].group;
	assert_ptr_equal(forwarder_of_group(&f, &group, &n), &f.v[100]);
	assert_int_equal(n, 1);
	forwarder_forget(&f, 100);
	assert_null(forwarder_find(&f, &group, &source));
	forwarder_deinit(&f);
}

static void an_upgrade_keeps_the_decision(void **state)
{
	const struct forwarder_rank rank = {false, own, high};
	struct forwarder next = {.acts = true};
	struct state_out o;
	struct state_in in;
	struct run r;

	(void)state;
	run_init(&r);
	step(&r, 'c', &high, 0, &rank);
	step(&r, 'c', &high, 0, &rank);
	state_out_init(&o, r.now, r.now);
	forwarder_export(&r.f, &o);
	assert_int_equal(state_out_seal(&o), 0);
	assert_int_equal(state_in_init(&in, o.buf, o.n, r.now, 1000), STATE_OK);
	assert_int_equal(forwarder_import(&next, FAMILY_IPV4, &in), 0);
	assert_int_equal(next.n_standby, 1);
	forwarder_deinit(&r.f);
	r.f = next;
	/* the first turn only learns where the counter stands */
	assert_int_equal(step(&r, 'd', &high, 0, &rank), 'S');
	assert_int_equal(step(&r, 'c', &high, 0, &rank), 'S');
	forwarder_deinit(&r.f);
	next = (struct forwarder){.acts = true};
	assert_int_equal(state_in_init(&in, o.buf, o.n, r.now, 100000), STATE_OK);
	assert_int_equal(forwarder_import(&next, FAMILY_IPV6, &in), -EINVAL);
	forwarder_deinit(&next);
	state_out_deinit(&o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(k04_who_stops),
		cmocka_unit_test(k04_who_goes_on),
		cmocka_unit_test(k04_no_flapping),
		cmocka_unit_test(k04_samples),
		cmocka_unit_test(k04_only_noted_where_it_may_not_act),
		cmocka_unit_test(the_table_is_bounded_and_in_order),
		cmocka_unit_test(an_upgrade_keeps_the_decision),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
