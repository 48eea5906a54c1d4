/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * One thread watches streams, others read the views and give orders. A program of its
 * own, because the counters of gcov are not atomic, and for the thread sanitizer.
 */

#include "quality_watch_fixture.h"

#include <pthread.h>
#include <stdatomic.h>

static atomic_bool stop;
static _Atomic uint64_t n_read;

static void check_view(void *arg, const struct quality_view *v)
{
	/* what belongs together was read together */
	assert_int_equal(v->count[QUALITY_TS_PACKETS], 7 * v->full);
	assert_int_equal(v->count[QUALITY_DATAGRAMS], v->full + v->light);
	assert_int_equal(v->count[QUALITY_BYTES], TV_LEN * v->count[QUALITY_DATAGRAMS]);
	assert_true(v->last.ns >= v->first.ns);
	atomic_fetch_add(&n_read, 1);
}

static void *reader(void *arg)
{
	while (!atomic_load(&stop))
		quality_watch_views(w, NULL, check_view, NULL);
	return NULL;
}

static void *control(void *arg)
{
	for (unsigned i = 1; !atomic_load(&stop); i++) {
		struct addr group = group_of(i % 100);
		struct quality_watch_stats s = {0};

		quality_watch_mark(w, &group, i, (mono_t){100 * NS_PER_SEC + i});
		quality_watch_restart(w, &group, (mono_t){100 * NS_PER_SEC + i});
		quality_watch_stats(w, &s);
		assert_true(s.streams <= s.max);
	}
	return NULL;
}

static void readers_see_whole_views(void **state)
{
	pthread_t thread[3];
	unsigned cc[100] = {0};

	atomic_store(&stop, false);
	atomic_store(&n_read, 0);
	assert_int_equal(pthread_create(&thread[0], NULL, reader, NULL), 0);
	assert_int_equal(pthread_create(&thread[1], NULL, reader, NULL), 0);
	assert_int_equal(pthread_create(&thread[2], NULL, control, NULL), 0);
	/* more streams than there are places, with long pauses: they take turns */
	for (unsigned i = 0; i < 40000 || atomic_load(&n_read) < 1000; i++) {
		unsigned g = i / 400 % 100;

		cc[g] += i % 3 == 0;
		tv(g, &cc[g]);
		pass(i % 400 == 399 ? 5000 : 1);
		quality_watch_tick(w, (mono_t){at_ns}, (mono_t){at_ns});
	}
	atomic_store(&stop, true);
	for (unsigned i = 0; i < 3; i++)
		pthread_join(thread[i], NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {CASE(readers_see_whole_views)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
