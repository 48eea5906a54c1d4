/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Evidence of other forwarders under virtual time: which router stops, when it stops
 * and resumes (K04), and which hosts do not count as forwarders (F3). A case is a
 * script with a letter for each interval of a quarter of a second:
 *
 *   c   a batch of ours and the other's copies of it; h copies of half, q of a quarter
 *   d   ours alone
 *   k   copies alone
 *   1   ours and a single copy
 *   s   ours, and copies in super-frames
 *   S   ours in super-frames, and copies
 *   t   ours in super-frames, and half as many tiny datagrams as they hold
 *   B   ours, a thousand times as many as in an interval
 *   .   neither
 *
 * The state after each interval is "-" (we forward), "S" (on standby), or "0" (no
 * entry).
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
	struct forwarder_count ours;
};

static void run_init(struct run *r)
{
	*r = (struct run){.f.acts = true,
		.group = a("239.1.2.3"),
		.source = a("10.0.0.1"),
		.now = mono_from_ms(1000000)};
}

#define BATCH 25 /* datagrams of an interval */

#define BYTES 1344 /* of an IP packet */
#define SUPER 8	   /* datagrams of a super-frame */
#define TINY  36   /* bytes of a datagram that carries nearly nothing */

static unsigned n_copies(char what, unsigned sampling)
{
	unsigned n = strchr("ck", what) ? BATCH : what == 'h' ? (BATCH + 1) / 2 : 1;

	if (!strchr("ckhqs1StB", what))
		return 0;
	if (what == 'B')
		n = 1000 * BATCH;
	if (strchr("St", what))
		n = what == 'S' ? BATCH : BATCH / 2;
	if (what == 'q')
		n = BATCH / 4 + 1;
	if (what == 's')
		n = BATCH / SUPER;
	return sampling ? 1 : n;
}

static void receive(struct run *r, bool super)
{
	r->ours.packets += super ? BATCH / SUPER : BATCH;
	r->ours.bytes +=
		super ? BATCH * (BYTES - 28) + BATCH / SUPER * 28 : BATCH * BYTES;
}

/* One interval; the state after it. */
static char step(struct run *r, char what, const struct gm_mac *mac, unsigned sampling,
	const struct forwarder_rank *rank)
{
	uint32_t bytes = what == 's' ? SUPER * (BYTES - 28) + 28
		: what == 't'	     ? TINY
				     : BYTES;

	r->now = mono_add_ms(r->now, FORWARDER_INTERVAL_MS);
	if (strchr("cd1hqsStB", what))
		receive(r, strchr("St", what));
	for (unsigned i = n_copies(what, sampling); i; i--)
		assert_true(forwarder_copy(&r->f, r->now, &r->group, &r->source, mac,
				    bytes) >= 0);
	if (r->f.n)
		forwarder_decide(&r->f, r->now, 0, &r->ours, sampling, rank);
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
	forwarder_clear(&r.f);
}

static void k04_which_router_stops(void **state)
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
			"---------------------S", &high, {false, own, third}},
		{"we are querier", "ccccc", "-----", &low, {true, own, {{0}}}},
		{"we are querier, and it stays", "cccccccccccccccccccccc",
			"---------------------S", &low, {true, own, {{0}}}},
		{"a run with a pause is two", "cccccccccccc.........cccccccccccc",
			"---------------------------------", &low, {true, own, {{0}}}},
		{"what we do not receive", "kkkkk", "-----", &low, {false, own, third}},
		{"then we do", "kkkckk", "---SSS", &low, {false, own, third}},
		{"its copies come in super-frames", "sssss", "-SSSS", &low,
			{false, own, third}},
		{"what we receive comes in super-frames", "SSSSS", "-SSSS", &low,
			{false, own, third}},
		{"and then it does not", "SSSSSScccccccc", "-SSSSSSSSSSSSS", &low,
			{false, own, third}},
		{"tiny datagrams and our super-frames", "ttttttttttttttttttttttttt",
			"-------------------------", &low, {false, own, low}},
		{"a moment of much is not five seconds", "BB1111111111111111111111111",
			"---------------------------", &low, {true, own, {{0}}}},
		{"it forwards the half", "hhhhh", "-SSSS", &low, {false, own, third}},
		{"it begins while we know of it", "1dddddddccccc", "----------SSS",
			&low, {false, own, third}},
		{"a quarter is not the stream",
			"qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq",
			"----------------------------------------", &low,
			{false, own, low}},
	};

	(void)state;
	for (size_t i = 0; i < array_len(v); i++)
		play(v[i].name, v[i].script, v[i].want, v[i].mac, &v[i].rank);
}

static void k04_which_router_continues(void **state)
{
	const struct forwarder_rank rank = {false, own, high};
	static const struct {
		const char *name, *script, *want;
	} v[] = {
		{"the other is gone", "ccdddd", "-SSSS-"},
		{"the provider pauses", "cc....................",
			"-SSSSSSSSSSSSSSSSSSSSS"},
		{"and continues", "cc........ccccc", "-SSSSSSSSSSSSSS"},
		{"and the other does not", "cc........ddd", "-SSSSSSSSSSS-"},
		{"copies come an interval late", "ccdkdkdkdk", "-SSSSSSSSS"},
		{"thin: one datagram in two seconds", "cc.......c.......c.......c",
			"-SSSSSSSSSSSSSSSSSSSSSSSSS"},
		{"thin, and the other is gone", "cc.......d..", "-SSSSSSSSSS-"},
		{"and its copies come in super-frames", "ccssssssssssss",
			"-SSSSSSSSSSSSS"},
		{"it comes back", "ccddddccc", "-SSSS--SS"},
		{"a quarter of its copies is lost on the way", "cchchchchchchchch",
			"-SSSSSSSSSSSSSSSS"},
		{"it is gone, and a single copy comes in its name", "cc111111111111",
			"-SSSS---------"},
		{"an entry nobody needs is forgotten",
			"ccdddd......................................",
			"-SSSS------------------------------------000"},
	};

	(void)state;
	for (size_t i = 0; i < array_len(v); i++)
		play(v[i].name, v[i].script, v[i].want, &high, &rank);
}

/* F3: for a minute a host sends single datagrams from the source address of the
 * provider's stream, with any MAC address. We keep forwarding and do not count the host
 * as a forwarder. A real forwarder of a stream of one datagram per second looks the
 * same and is also ignored. */
static void f3_single_datagrams_are_no_forwarder(void **state)
{
	const struct {
		const char *name;
		unsigned every; /* intervals */
		const struct gm_mac *mac;
		struct forwarder_rank rank;
	} v[] = {
		{"one a second, lower than ours", 4, &low, {false, own, third}},
		{"one a second, the querier's MAC", 4, &high, {false, own, high}},
		{"one a second, to the querier", 4, &low, {true, own, {{0}}}},
		{"four a second", 1, &low, {false, own, third}},
	};

	(void)state;
	for (size_t i = 0; i < array_len(v); i++) {
		struct run r;

		run_init(&r);
		for (unsigned interval = 0; interval < 60 * 4; interval++) {
			char what = interval % v[i].every == 0 ? '1' : 'd';

			if (step(&r, what, v[i].mac, 0, &v[i].rank) != '-')
				fail_msg("%s: standby at interval %u", v[i].name,
					interval);
			assert_int_equal(forwarder_n_double(&r.f, r.now), 0);
		}
		forwarder_clear(&r.f);
	}
}

/* F3: bursts that imitate a forwarder silence us no longer than they last. */
static void f3_bursts_get_no_more_than_they_last(void **state)
{
	const struct forwarder_rank rank = {false, own, third};
	unsigned silent = 0, sent = 0;
	struct run r;
	char now = '-';

	(void)state;
	run_init(&r);
	for (unsigned i = 0; i < 300 * 4; i++) {
		/* send while we forward; pause until we forward again */
		bool burst = now == '-';

		now = step(&r, burst ? 'c' : 'd', &low, 0, &rank);
		silent += now == 'S';
		sent += burst;
	}
	assert_in_range(silent, 1, 2 * sent + 8 * 4);
	forwarder_clear(&r.f);
}

/* F3: occasional datagrams do not replace the real forwarder in the comparison. Its MAC
 * address is higher than ours, so it stops and we continue. */
static void f3_the_majority_is_the_other(void **state)
{
	const struct forwarder_rank rank = {false, own, third};
	struct run r;

	(void)state;
	run_init(&r);
	for (unsigned i = 0; i < 16; i++) {
		r.now = mono_add_ms(r.now, FORWARDER_INTERVAL_MS);
		receive(&r, false);
		forwarder_copy(&r.f, r.now, &r.group, &r.source, &low, BYTES);
		for (unsigned k = 0; k < BATCH; k++)
			forwarder_copy(&r.f, r.now, &r.group, &r.source, &high, BYTES);
		forwarder_copy(&r.f, r.now, &r.group, &r.source, &low, BYTES);
		assert_int_equal(forwarder_decide(&r.f, r.now, 0, &r.ours, 0, &rank),
			FORWARDER_SAME);
		assert_true(gm_mac_eq(&r.f.v[0].mac, &high));
	}
	assert_int_equal(forwarder_n_double(&r.f, r.now), 1);
	forwarder_clear(&r.f);
}

/* Turns in which the counter of the stream is unknown prove nothing, neither then nor
 * later. */
static void an_unknown_interval_counts_for_nothing(void **state)
{
	const struct forwarder_rank rank = {false, own, third};
	const struct forwarder_count unknown = {.packets = FORWARDER_UNKNOWN};
	struct run r;

	(void)state;
	run_init(&r);
	r.ours = (struct forwarder_count){1000000, 1000000ull * BYTES};
	step(&r, 'c', &low, 0, &rank);
	assert_int_equal(step(&r, 'c', &low, 0, &rank), 'S');
	for (unsigned i = 0; i < 8; i++) {
		assert_int_equal(forwarder_decide(&r.f, r.now, 0, &unknown, 0, &rank),
			FORWARDER_SAME);
		assert_int_equal(step(&r, 'c', &low, 0, &rank), 'S');
		assert_int_equal(r.f.v[0].missed, 0);
	}
	forwarder_clear(&r.f);
}

/* When copies get lost before our sensor, we resume less and less often. */
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
	forwarder_clear(&r.f);
}

/* The sensor looks at one frame of 1,024, so a second without a sample proves
 * nothing. */
static void k04_samples(void **state)
{
	const struct forwarder_rank rank = {false, own, high};
	unsigned intervals = 0;
	struct run r;

	(void)state;
	run_init(&r);
	step(&r, 'c', &high, 10, &rank);
	assert_int_equal(step(&r, 'c', &high, 10, &rank), 'S');
	while (step(&r, 'd', &high, 10, &rank) == 'S')
		intervals++;
	assert_int_equal(intervals, 8 * 1024 / 25);
	forwarder_clear(&r.f);
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
	r.f.acts = false; /* a reload makes us always forward */
	assert_int_equal(step(&r, 'c', &high, 0, &rank), '-');
	assert_int_equal(step(&r, 'c', &high, 0, &rank), '-');
	assert_int_equal(forwarder_n_double(&r.f, r.now), 1);
	forwarder_clear(&r.f);
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
		assert_int_equal(forwarder_copy(&f, mono_from_ms(1), &group, &source,
					 &low, BYTES),
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
	forwarder_clear(&f);
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
	forwarder_clear(&r.f);
	r.f = next;
	/* the first decision only reads the counter */
	assert_int_equal(step(&r, 'd', &high, 0, &rank), 'S');
	assert_int_equal(step(&r, 'c', &high, 0, &rank), 'S');
	forwarder_clear(&r.f);
	next = (struct forwarder){.acts = true};
	assert_int_equal(state_in_init(&in, o.buf, o.n, r.now, 100000), STATE_OK);
	assert_int_equal(forwarder_import(&next, FAMILY_IPV6, &in), -EINVAL);
	forwarder_clear(&next);
	state_out_deinit(&o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(k04_which_router_stops),
		cmocka_unit_test(k04_which_router_continues),
		cmocka_unit_test(f3_single_datagrams_are_no_forwarder),
		cmocka_unit_test(f3_bursts_get_no_more_than_they_last),
		cmocka_unit_test(f3_the_majority_is_the_other),
		cmocka_unit_test(an_unknown_interval_counts_for_nothing),
		cmocka_unit_test(k04_no_flapping),
		cmocka_unit_test(k04_samples),
		cmocka_unit_test(k04_only_noted_where_it_may_not_act),
		cmocka_unit_test(the_table_is_bounded_and_in_order),
		cmocka_unit_test(an_upgrade_keeps_the_decision),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
