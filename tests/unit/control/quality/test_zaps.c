/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Zaps and hosts that ask again and again: items 2 and 3 of the quality of streams. */

#include "control/quality/zaps.h"
#include "test.h"

#define LAN  3
#define WAIT (ZAPS_WAIT_MS / 1000)

static struct zaps *z;
static const struct addr group = ADDR_V4(239, 1, 2, 3), other = ADDR_V4(239, 1, 2, 4);
static const struct addr host = ADDR_V4(10, 1, 0, 2),
			 second_host = ADDR_V4(10, 1, 0, 3);

static int set_up(void **state)
{
	z = calloc(1, sizeof(*z));
	assert_non_null(z);
	zaps_init(z, 1);
	return 0;
}

static int tear_down(void **state)
{
	zaps_deinit(z);
	free(z);
	return 0;
}

static mono_t ms(int64_t t)
{
	return mono_from_ms(100000 + t);
}

static struct quality_view view(
	uint32_t mark, int64_t first, int64_t pat, int64_t random)
{
	return (struct quality_view){.stream = {.group = group},
		.mark = mark,
		.mark_first = first < 0 ? MONO_UNSET : ms(first),
		.mark_pat = pat < 0 ? MONO_UNSET : ms(pat),
		.mark_random = random < 0 ? MONO_UNSET : ms(random)};
}

static uint32_t join(int64_t t, const struct addr *g, const struct addr *h)
{
	return zaps_ask(z, ms(t), LAN, g, h, false, true);
}

static void the_times_of_a_zap(void **state)
{
	uint32_t mark = join(0, &group, &host);
	const struct zap *zap = zaps_recent(z, 0);
	struct quality_view v = view(mark, 31, -1, -1);

	assert_int_equal(mark, 1);
	assert_true(zaps_is_pending(z, &group));
	assert_false(zaps_is_pending(z, &other));
	zaps_sent(z, ms(2), &group);
	zaps_sent(z, ms(500), &group); /* repeated */
	zaps_see(z, &v);
	assert_false(zap->done);
	v = view(mark, 31, 80, 420);
	zaps_see(z, &v);
	assert_true(zap->done);
	assert_int_equal(zap->sent.ns - zap->asked.ns, 2 * NS_PER_MS);
	assert_int_equal(zap->first.ns - zap->asked.ns, 31 * NS_PER_MS);
	assert_int_equal(zap->pat.ns - zap->asked.ns, 80 * NS_PER_MS);
	assert_int_equal(zap->random.ns - zap->asked.ns, 420 * NS_PER_MS);
	assert_int_equal(z->lan[LAN][ZAPS_FIRST].n, 1);
	assert_int_equal(z->lan[LAN][ZAPS_FIRST].bucket[2], 1); /* up to 50 ms */
	assert_int_equal(z->lan[LAN][ZAPS_RANDOM].bucket[5], 1);
	assert_int_equal(z->lan[LAN][ZAPS_RANDOM].sum_ms, 420);
	assert_false(zaps_is_pending(z, &group));
}

static void the_bounds_of_the_histogram(void **state)
{
	static const struct {
		int64_t ms;
		unsigned bucket;
	} rows[] = {
		{0, 0}, {10, 0}, {11, 1}, {100, 3}, {5001, 9}, {10000, 9}, {10001, 10}};

	for (size_t i = 0; i < array_len(rows); i++) {
		uint64_t before = z->lan[LAN][ZAPS_LEAVE].bucket[rows[i].bucket];

		zaps_leave(z, ms(0), LAN, &group, &host);
		zaps_gone(z, ms(20000), LAN, &group, ms(rows[i].ms));
		assert_int_equal(
			z->lan[LAN][ZAPS_LEAVE].bucket[rows[i].bucket], before + 1);
	}
}

static void what_is_a_zap(void **state)
{
	static const struct {
		const char *what;
		int64_t ms;
		bool member, change, zap;
	} rows[] = {
		{"a first report", 0, false, true, true},
		{"its repetition", 1000, true, true, false},
		{"an answer to a query", 30000, true, false, false},
		{"the same host after a leave", 60000, false, true, true},
		{"an IGMPv2 report of a new member", 120000, false, false, true},
	};

	for (size_t i = 0; i < array_len(rows); i++) {
		zaps_tick(z, ms(rows[i].ms));
		if ((zaps_ask(z, ms(rows[i].ms), LAN, &group, &host, rows[i].member,
			     rows[i].change) != 0) != rows[i].zap)
			fail_msg("%s", rows[i].what);
	}
	/* a host that is not tracked waits only once */
	assert_int_not_equal(join(200000, &other, &host), 0);
	assert_int_equal(join(200500, &other, &host), 0);
	assert_int_not_equal(join(200500, &other, &second_host), 0);
}

static void nothing_comes(void **state)
{
	uint32_t mark = join(0, &group, &host);
	struct quality_view v = view(mark - 1, 5, 5, 5);

	zaps_see(z, &v); /* an older mark */
	zaps_tick(z, ms(ZAPS_WAIT_MS - 1));
	assert_true(zaps_is_pending(z, &group));
	zaps_tick(z, ms(ZAPS_WAIT_MS));
	assert_false(zaps_is_pending(z, &group));
	assert_int_equal(z->lan[LAN][ZAPS_FIRST].missed, 1);
	assert_int_equal(z->lan[LAN][ZAPS_FIRST].n, 0);
	assert_int_equal(z->lan[LAN][ZAPS_RANDOM].missed, 0);
}

static void a_later_mark_answers_for_both(void **state)
{
	uint32_t first = join(0, &group, &host);
	uint32_t second = join(100, &group, &second_host);
	struct quality_view v = view(first, 20, -1, -1);

	v.mark = second;
	v.mark_first = ms(130);
	v.mark_random = ms(300);
	zaps_see(z, &v);
	assert_int_equal(zaps_recent(z, 1)->first.ns, ms(130).ns);
	assert_int_equal(zaps_recent(z, 0)->random.ns, ms(300).ns);
	assert_int_equal(z->lan[LAN][ZAPS_RANDOM].n, 2);
}

static void a_host_that_gives_up_is_not_counted(void **state)
{
	uint32_t mark = join(0, &group, &host);
	struct quality_view v = view(mark, 40, -1, -1);

	zaps_leave(z, ms(30), LAN, &group, &host);
	assert_false(zaps_is_pending(z, &group));
	assert_int_equal(z->lan[LAN][ZAPS_FIRST].missed, 0);
	mark = join(35, &group, &host);
	v.mark = mark;
	zaps_see(z, &v);
	zaps_leave(z, ms(50), LAN, &group, &host);
	assert_int_equal(z->lan[LAN][ZAPS_FIRST].n, 1);
	assert_int_equal(z->lan[LAN][ZAPS_FIRST].sum_ms, 5);
}

static void the_last_leave_counts(void **state)
{
	zaps_leave(z, ms(0), LAN, &group, &host);
	zaps_leave(z, ms(500), LAN, &group, &host);
	zaps_leave(z, ms(700), LAN + 1, &group, &host);
	zaps_leave(z, ms(700), LAN, &other, &host);
	zaps_gone(z, ms(2500), LAN, &group, ms(9000));
	assert_int_equal(z->lan[LAN][ZAPS_LEAVE].n, 1);
	assert_int_equal(z->lan[LAN][ZAPS_LEAVE].sum_ms, 2000);
	/* no leave was heard: the membership has ended by itself */
	zaps_gone(z, ms(3000), LAN, &group, ms(3000));
	/* no datagram has come */
	zaps_gone(z, ms(3000), LAN, &other, MONO_UNSET);
	assert_int_equal(z->lan[LAN][ZAPS_LEAVE].n, 1);
}

static void again_and_again(void **state)
{
	for (int i = 0; i < ZAPS_AGAIN; i++) {
		(void)zaps_ask(z, ms(i * 60000), LAN, &group, &host, i > 0, true);
		/* neither a repetition nor an answer to a query is a new request */
		(void)zaps_ask(z, ms(i * 60000 + 900), LAN, &group, &host, true, true);
		(void)zaps_ask(
			z, ms(i * 60000 + 30000), LAN, &group, &host, true, false);
		/* another host asks for it once */
		(void)zaps_ask(
			z, ms(i * 60000), LAN, &group, &second_host, i > 0, false);
		assert_null(zaps_again(z, ms(i * 60000 + 31000), &group));
	}
	(void)zaps_ask(z, ms(240000), LAN, &group, &host, true, true);
	assert_non_null(zaps_again(z, ms(240000), &group));
	assert_true(addr_eq(&zaps_again(z, ms(240000), &group)->host, &host));
	assert_null(zaps_again(z, ms(240000), &other));
	assert_non_null(zaps_again(z, ms(ZAPS_AGAIN_MS - 1), &group));
	assert_null(zaps_again(z, ms(ZAPS_AGAIN_MS), &group));
}

static void many_hosts_and_zaps_have_a_bound(void **state)
{
	for (unsigned i = 0; i < 4 * ZAPS_ASKERS; i++) {
		struct addr h = ADDR_V4(10, 2, (uint8_t)(i >> 8), (uint8_t)i);

		assert_int_not_equal(join(i, i & 1 ? &group : &other, &h), 0);
		assert_true(z->n_pending <= ZAPS_RECENT);
	}
	assert_int_equal(z->n, 4 * ZAPS_ASKERS);
	assert_null(zaps_recent(z, ZAPS_RECENT));
	zaps_tick(z, ms(60000));
	assert_int_equal(z->n_pending, 0);
	assert_int_equal(z->lan[LAN][ZAPS_FIRST].missed, 4 * ZAPS_ASKERS);
}

static const char *name_of(void *ctx, unsigned port)
{
	return port == LAN ? "lan1" : NULL;
}

static int port_of(void *ctx, const char *name)
{
	return strcmp(name, "lan1") == 0 ? 5 : -1;
}

static void zaps_survive_an_upgrade(void **state)
{
	uint32_t mark = join(0, &group, &host);
	struct quality_view v = view(mark, 31, 80, 420);
	struct state_out o;
	struct state_in in;
	struct zap was;

	zaps_see(z, &v);
	was = *zaps_recent(z, 0);
	(void)join(600, &other, &host); /* not finished */
	state_out_init(&o, ms(1000), ms(1000));
	zaps_export(z, &o, name_of, NULL);
	assert_int_equal(state_out_seal(&o), 0);
	tear_down(NULL);
	set_up(NULL);
	assert_int_equal(state_in_init(&in, o.buf, o.n, ms(1000), 1000), STATE_OK);
	assert_int_equal(zaps_import(z, ms(1000), &in, port_of, NULL), 0);
	assert_int_equal(z->n, 1);
	assert_int_equal(zaps_recent(z, 0)->port, 5);
	assert_int_equal(zaps_recent(z, 0)->random.ns, was.random.ns);
	assert_int_equal(z->lan[5][ZAPS_FIRST].n, 1);
	assert_int_equal(z->lan[5][ZAPS_FIRST].sum_ms, 31);
	state_out_deinit(&o);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_times_of_a_zap),
		TEST(the_bounds_of_the_histogram),
		TEST(what_is_a_zap),
		TEST(nothing_comes),
		TEST(a_later_mark_answers_for_both),
		TEST(a_host_that_gives_up_is_not_counted),
		TEST(the_last_leave_counts),
		TEST(again_and_again),
		TEST(many_hosts_and_zaps_have_a_bound),
		TEST(zaps_survive_an_upgrade),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
