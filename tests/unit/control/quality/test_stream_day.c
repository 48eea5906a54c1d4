/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The last 24 hours of all streams: histories are filled minute by minute. */

#include "control/quality/stream_day.h"
#include "test.h"

#include <stdlib.h>

#define NOW_MIN (40 * 60 + 30) /* minutes; not at the beginning of a chunk */

static struct stream_day day;

static struct stream_entry stream(unsigned group, uint16_t dport)
{
	return (struct stream_entry){
		.stream = {
			.group = ADDR_V4(239, 1, (uint8_t)(group >> 8), (uint8_t)group),
			.source = ADDR_V4(10, 0, 0, 1),
			.dport = dport,
			.port = 1}};
}

static void drop(struct stream_entry *e)
{
	struct history_chunk *c;

	while ((c = history_give(&e->history)))
		free(c);
}

static mono_t minute(int64_t m)
{
	return (mono_t){m * 60 * NS_PER_SEC};
}

/* So many equal seconds of a minute. */
static void add(
	struct stream_entry *e, int64_t m, unsigned seconds, struct history_second s)
{
	for (unsigned i = 0; i < seconds; i++) {
		mono_t at = mono_add_ms(minute(m), i * 1000);
		struct history_chunk *fresh = NULL, *old = NULL, *c;

		for (unsigned n = history_needs(&e->history, at); n > 0; n--) {
			c = calloc(1, sizeof(*c));
			assert_non_null(c);
			c->older = fresh;
			fresh = c;
		}
		assert_true(history_add(&e->history, at, &s, &fresh, &old));
		assert_null(fresh);
		while ((c = old)) {
			old = c->older;
			free(c);
		}
	}
}

static struct history_second seen_by(unsigned viewers)
{
	return (struct history_second){.viewers = viewers};
}

static int set_up(void **state)
{
	stream_day_begin(&day, mono_add_ms(minute(NOW_MIN), 5000));
	return 0;
}

/* ---- viewers ---- */

static void viewers_of_a_group_count_once(void **state)
{
	struct stream_entry video = stream(1, 5000), fec = stream(1, 5002),
			    other = stream(2, 5000);

	add(&video, NOW_MIN - 1, 3, seen_by(3));
	add(&fec, NOW_MIN - 1, 3, seen_by(3));
	add(&fec, NOW_MIN, 1, seen_by(4));
	add(&other, NOW_MIN - 1, 1, seen_by(2));
	stream_day_add(&day, &video, 0);
	stream_day_add(&day, &fec, 0);
	stream_day_add(&day, &other, 0);
	stream_day_end(&day);
	assert_int_equal(day.viewers[HISTORY_MINUTES_MAX - 3], 0);
	assert_int_equal(day.viewers[HISTORY_MINUTES_MAX - 2], 5);
	assert_int_equal(day.viewers[HISTORY_MINUTES_MAX - 1], 4);
	assert_int_equal(stream_day_viewers(&day, HISTORY_MINUTES_MAX - 15, 15), 5);
	assert_int_equal(stream_day_viewers(&day, HISTORY_MINUTES_MAX - 1, 15), 4);
	assert_int_equal(stream_day_viewers(&day, 0, HISTORY_MINUTES_MAX - 15), 0);
	assert_int_equal(day.n_watched, 2);
	assert_true(addr_eq(&day.watched[0].group, &video.stream.group));
	assert_int_equal(day.watched[0].viewer_minutes, 7);
	assert_int_equal(day.watched[0].viewers, 4);
	assert_int_equal(day.watched[1].viewer_minutes, 2);
	drop(&video);
	drop(&fec);
	drop(&other);
}

/* Two providers may send different channels to the same address. */
static void each_instance_has_its_own_viewers(void **state)
{
	struct stream_entry e = stream(1, 5000), other = stream(1, 5000);

	add(&e, NOW_MIN, 1, seen_by(3));
	add(&other, NOW_MIN, 1, seen_by(2));
	other.stream.port = 2;
	stream_day_add(&day, &e, 0);
	stream_day_add(&day, &other, 1);
	stream_day_end(&day);
	assert_int_equal(stream_day_viewers(&day, HISTORY_MINUTES_MAX - 1, 1), 5);
	assert_int_equal(day.n_watched, 2);
	assert_int_equal(day.watched[0].instance, 0);
	assert_int_equal(day.watched[0].viewers, 3);
	assert_int_equal(day.watched[1].instance, 1);
	assert_int_equal(day.watched[1].viewers, 2);
	drop(&e);
	drop(&other);
}

static void only_the_last_day_counts(void **state)
{
	int64_t first = NOW_MIN + 1 - HISTORY_MINUTES_MAX;
	struct stream_entry e = stream(1, 5000);
	const struct history_bucket *b[HISTORY_MINUTES_MAX];

	add(&e, first - 1, 1, seen_by(9));
	add(&e, first, 1, seen_by(1));
	/* one that began after the answer did */
	add(&e, NOW_MIN + 1, 1, seen_by(7));
	history_day(&e.history, day.end, b);
	assert_non_null(b[0]);
	assert_int_equal(b[0]->viewers, 1);
	for (unsigned i = 1; i < HISTORY_MINUTES_MAX; i++)
		assert_null(b[i]);
	stream_day_add(&day, &e, 0);
	stream_day_end(&day);
	assert_int_equal(day.viewers[0], 1);
	assert_int_equal(stream_day_viewers(&day, 0, HISTORY_MINUTES_MAX), 1);
	assert_int_equal(day.watched[0].viewer_minutes, 1);
	drop(&e);
}

static void the_most_watched_are_kept(void **state)
{
	/* the group 7 is watched for 7 minutes, in an order that has ups and downs */
	for (unsigned i = 0; i < 23; i++) {
		unsigned group = 1 + i * 5 % 23;
		struct stream_entry e = stream(group, 5000);

		for (unsigned m = 0; m < group; m++)
			add(&e, NOW_MIN - m, 1, seen_by(1));
		stream_day_add(&day, &e, 0);
		drop(&e);
	}
	stream_day_end(&day);
	assert_int_equal(day.n_watched, STREAM_DAY_WATCHED);
	for (unsigned i = 0; i < STREAM_DAY_WATCHED; i++) {
		struct stream_entry e = stream(23 - i, 5000);

		assert_true(addr_eq(&day.watched[i].group, &e.stream.group));
		assert_int_equal(day.watched[i].viewer_minutes, 23 - i);
	}
}

static void a_stream_that_nobody_watches_is_not_ranked(void **state)
{
	struct stream_entry e = stream(1, 5000);

	add(&e, NOW_MIN, 5, seen_by(0));
	stream_day_add(&day, &e, 0);
	stream_day_end(&day);
	assert_int_equal(day.n_watched, 0);
	drop(&e);
}

/* ---- faults ---- */

static void minutes_in_a_row_are_one_fault(void **state)
{
	static const struct history_second provider = {
		.provider = true, .lost = 3, .gap_ns = 2 * NS_PER_SEC};
	static const struct history_second router = {.router = true, .lost = 1};
	struct stream_entry e = stream(1, 5000), other = stream(2, 5000);
	const struct stream_day_fault *f = day.fault;

	add(&e, NOW_MIN - 9, 2, provider);
	add(&e, NOW_MIN - 8, 1, provider);
	add(&e, NOW_MIN - 7, 60, seen_by(1)); /* clean */
	add(&e, NOW_MIN - 6, 4, router);
	add(&e, NOW_MIN - 6, 1, provider);
	/* nothing was judged in between */
	add(&e, NOW_MIN, 1, provider);
	add(&other, NOW_MIN - 7, 1, provider);
	stream_day_add(&day, &e, 0);
	stream_day_add(&day, &other, 0);
	stream_day_end(&day);
	assert_int_equal(day.n_faults, 4);
	assert_int_equal(day.n_forgotten, 0);
	assert_int_equal(f[0].begin.ns, minute(NOW_MIN).ns);
	assert_int_equal(f[0].end.ns, day.end.ns);
	assert_int_equal(f[1].begin.ns, minute(NOW_MIN - 6).ns);
	assert_int_equal(f[1].sum.router, 4);
	assert_int_equal(f[1].sum.provider, 1);
	assert_int_equal(stream_log_place(&f[1].sum), STREAM_ROUTER);
	assert_true(addr_eq(&f[2].stream.group, &other.stream.group));
	assert_int_equal(f[3].begin.ns, minute(NOW_MIN - 9).ns);
	assert_int_equal(f[3].end.ns, minute(NOW_MIN - 7).ns);
	assert_int_equal(f[3].sum.provider, 3);
	assert_int_equal(f[3].sum.lost, 9);
	assert_int_equal(f[3].sum.gap_ms, 2000);
	assert_int_equal(stream_log_place(&f[3].sum), STREAM_PROVIDER);
	drop(&e);
	drop(&other);
}

static void the_newest_faults_are_kept(void **state)
{
	static const struct history_second bad = {.provider = true};

	/* the older ones first, then newer ones, then again */
	for (unsigned i = 0; i < 3; i++) {
		static const unsigned first[] = {200, 100, 300};
		struct stream_entry e = stream(i, 5000);

		for (unsigned n = 0; n < 40; n++)
			add(&e, NOW_MIN - first[i] + 2 * n, 1, bad);
		stream_day_add(&day, &e, 0);
		drop(&e);
	}
	stream_day_end(&day);
	assert_int_equal(day.n_faults, STREAM_DAY_FAULTS);
	assert_int_equal(day.n_forgotten, 120 - STREAM_DAY_FAULTS);
	assert_int_equal(day.fault[0].begin.ns, minute(NOW_MIN - 100 + 78).ns);
	assert_int_equal(day.fault[39].begin.ns, minute(NOW_MIN - 100).ns);
	for (unsigned i = 1; i < STREAM_DAY_FAULTS; i++)
		assert_true(mono_before(day.fault[i].begin, day.fault[i - 1].begin));
	assert_int_equal(day.fault[STREAM_DAY_FAULTS - 1].begin.ns,
		minute(NOW_MIN - 200 + 78 - 2 * 23).ns);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(viewers_of_a_group_count_once, set_up),
		cmocka_unit_test_setup(each_instance_has_its_own_viewers, set_up),
		cmocka_unit_test_setup(only_the_last_day_counts, set_up),
		cmocka_unit_test_setup(the_most_watched_are_kept, set_up),
		cmocka_unit_test_setup(
			a_stream_that_nobody_watches_is_not_ranked, set_up),
		cmocka_unit_test_setup(minutes_in_a_row_are_one_fault, set_up),
		cmocka_unit_test_setup(the_newest_faults_are_kept, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
