/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The streams of a thread: places, times, budget, orders of control, and what readers
 * see. test_quality_readers.c has readers in other threads.
 */

#include "quality_watch_fixture.h"

/* ---- what is read ---- */

static struct quality_view seen[N_STREAMS + 1];
static unsigned n_seen;

static void see(void *arg, const struct quality_view *v)
{
	assert_in_range(n_seen, 0, N_STREAMS);
	seen[n_seen++] = *v;
}

static const struct quality_view *look(unsigned g)
{
	struct addr group = group_of(g);

	n_seen = 0;
	quality_watch_views(w, &group, see, NULL);
	assert_in_range(n_seen, 0, 1);
	return n_seen ? &seen[0] : NULL;
}

static uint64_t counted(unsigned g, enum quality_count c)
{
	const struct quality_view *v = look(g);

	assert_non_null(v);
	return v->count[c];
}

static struct quality_watch_stats stats(void)
{
	struct quality_watch_stats s = {0};

	quality_watch_stats(w, &s);
	return s;
}

/* Everything that has arrived was given to the watch. */
static void tick(void)
{
	quality_watch_tick(w, (mono_t){at_ns}, (mono_t){at_ns});
}

/* ---- cases ---- */

static void a_stream_is_published_by_the_second(void **state)
{
	unsigned cc = 0;
	const struct quality_view *v;

	tv(7, &cc);
	v = look(7);
	assert_non_null(v);
	assert_int_equal(v->kind, QUALITY_TS);
	assert_int_equal(v->count[QUALITY_DATAGRAMS], 1);
	assert_int_equal(v->stream.port, 3);
	assert_int_equal(v->stream.dport, 5000);
	assert_true(addr_eq(&v->stream.source, &source));
	assert_int_equal(v->first.ns, at_ns);
	for (unsigned i = 0; i < 50; i++) {
		pass(10);
		tv(7, &cc);
	}
	assert_int_equal(counted(7, QUALITY_DATAGRAMS), 1);
	assert_int_equal(look(7)->last.ns, at_ns); /* is always new */
	for (unsigned i = 50; i < 101; i++) {
		pass(10);
		tv(7, &cc);
	}
	assert_in_range(counted(7, QUALITY_DATAGRAMS), 100, 102);
	assert_null(look(8));
	assert_int_equal(stats().streams, 1);
	assert_int_equal(stats().full, 102);
}

static void a_fault_is_published_at_once(void **state)
{
	unsigned cc = 0;

	tv(7, &cc);
	pass(1);
	cc++;
	tv(7, &cc);
	assert_int_equal(counted(7, QUALITY_TS_CONTINUITY), 1);
	assert_int_equal(counted(7, QUALITY_DATAGRAMS), 2);
}

static void the_rest_is_published_when_it_is_due(void **state)
{
	unsigned cc = 0;

	assert_int_equal(quality_watch_due(w).ns, INT64_MAX);
	for (unsigned i = 0; i < 20; i++) {
		tv(7, &cc);
		pass(1);
	}
	assert_int_equal(counted(7, QUALITY_DATAGRAMS), 1);
	assert_true(quality_watch_due(w).ns > at_ns);
	at_ns = quality_watch_due(w).ns;
	tick();
	assert_int_equal(counted(7, QUALITY_DATAGRAMS), 20);
	assert_int_equal(counted(7, QUALITY_OUTAGES), 0);
	at_ns = quality_watch_due(w).ns;
	tick();
	assert_int_equal(counted(7, QUALITY_OUTAGES), 1);
	assert_int_equal(quality_watch_due(w).ns, INT64_MAX);
	tv(7, &cc);
	assert_int_equal(counted(7, QUALITY_OUTAGES), 1);
}

/* The thread did not run for a while. Datagrams that have arrived wait in its ring. */
static void waiting_in_a_ring_is_not_silence(void **state)
{
	struct addr group = group_of(7);
	int64_t stopped;
	unsigned cc = 0, other = 0;

	for (unsigned i = 0; i < 500; i++) {
		tv(7, &cc);
		tv(8, &other);
		pass(5);
	}
	tick();
	stopped = at_ns;
	pass(3000);
	for (int64_t ms = 0; ms < 3000; ms += 5) {
		tv(8, &other); /* comes first, and could begin an outage of the other */
		quality_watch_tick(w, (mono_t){at_ns}, (mono_t){stopped + ms * MS});
		burst_begins();
		quality_watch_flow(w, 3, &source, &group);
		quality_watch_datagram(w, 5000, television(&cc, false, false), TV_LEN,
			real(stopped + ms * MS));
		quality_watch_end(w);
		assert_false(look(7)->silent);
	}
	tick();
	assert_int_equal(counted(7, QUALITY_DATAGRAMS), 1100);
	assert_int_equal(counted(7, QUALITY_OUTAGES), 0);
	assert_int_equal(counted(7, QUALITY_ERROR_SECONDS), 0);
	assert_false(look(7)->silent);
	pass(1100);
	tick();
	assert_int_equal(counted(7, QUALITY_OUTAGES), 1);
	assert_true(look(7)->silent);
	tv(7, &cc);
	assert_false(look(7)->silent);
}

/* A thread that always has something to do publishes, but knows of no silence. */
static void a_busy_thread_publishes(void **state)
{
	unsigned cc = 0, other = 0;

	tv(7, &cc);
	tv(7, &cc);
	assert_int_equal(counted(7, QUALITY_DATAGRAMS), 1);
	for (unsigned i = 0; i < 2500; i++) {
		pass(1);
		tv(8, &other);
	}
	assert_int_equal(counted(7, QUALITY_DATAGRAMS), 2);
	assert_int_equal(counted(7, QUALITY_OUTAGES), 0);
	assert_false(look(7)->silent);
	tick();
	assert_int_equal(counted(7, QUALITY_OUTAGES), 1);
	assert_true(look(7)->silent);
}

/* Returns how many streams, except the first, have published their second datagram. */
static unsigned n_published(unsigned n)
{
	unsigned found = 0;

	for (unsigned g = 1; g < n; g++)
		found += counted(g, QUALITY_DATAGRAMS) == 2;
	return found;
}

static void many_streams_take_several_ticks(void **state)
{
	enum { MANY = 1000 };
	unsigned cc[MANY] = {0}, ticks = 0, before = 0, after;

	end(state);
	assert_int_equal(
		quality_watch_new(QUALITY_MODE_AUTO, MANY, 1000 * 1000, &w), 0);
	for (unsigned i = 0; i < 2 * MANY; i++) {
		if (i == MANY)
			pass(10);
		tv(i % MANY, &cc[i % MANY]);
	}
	assert_int_equal(n_published(MANY), 0);
	at_ns = quality_watch_due(w).ns;
	for (; before < MANY - 1; ticks++) {
		tick();
		after = n_published(MANY);
		assert_in_range(after - before, 1, MANY / 5);
		tv(0, &cc[0]); /* datagrams come in between */
		before = n_published(MANY);
	}
	/* a part by each tick, and one after the datagrams that follow it */
	assert_in_range(ticks, 4, 20);
	/* and the next round comes a second later */
	assert_int_equal(quality_watch_due(w).ns, at_ns + 1000 * MS);
	for (unsigned g = 1; g < MANY; g++)
		assert_int_equal(counted(g, QUALITY_OUTAGES), 0);
	pass(1001);
	while (quality_watch_due(w).ns <= at_ns)
		tick();
	for (unsigned g = 1; g < MANY; g++)
		assert_int_equal(counted(g, QUALITY_OUTAGES), 1);
}

static void a_busy_thread_publishes_many(void **state)
{
	enum { MANY = 1000 };
	unsigned cc[MANY] = {0};

	end(state);
	assert_int_equal(
		quality_watch_new(QUALITY_MODE_AUTO, MANY, 1000 * 1000, &w), 0);
	for (unsigned i = 0; i < 2 * MANY; i++) {
		if (i == MANY)
			pass(10);
		tv(i % MANY, &cc[i % MANY]);
	}
	/* there is never a moment without datagrams */
	for (unsigned i = 0; i < 2100; i++) {
		pass(1);
		tv(0, &cc[0]);
	}
	assert_int_equal(n_published(MANY), MANY - 1);
}

static void all_is_published_on_demand(void **state)
{
	unsigned cc[2] = {0};

	for (unsigned i = 0; i < 5; i++) {
		tv(1, &cc[0]);
		tv(2, &cc[1]);
		pass(2);
	}
	quality_watch_flush(w);
	assert_int_equal(counted(1, QUALITY_DATAGRAMS), 5);
	assert_int_equal(counted(2, QUALITY_DATAGRAMS), 5);
}

static void ports_of_a_group_are_streams(void **state)
{
	struct addr group = group_of(7);
	unsigned cc = 0;

	burst_begins();
	quality_watch_flow(w, 3, &source, &group);
	for (unsigned i = 0; i < 12; i++)
		quality_watch_datagram(w, (uint16_t)(5000 + i % 3),
			i % 3 ? (const uint8_t *)"x" : television(&cc, false, false),
			i % 3 ? 1 : TV_LEN, real(at_ns));
	quality_watch_end(w);
	quality_watch_flush(w);
	n_seen = 0;
	quality_watch_views(w, NULL, see, NULL);
	assert_int_equal(n_seen, 3);
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(seen[i].count[QUALITY_DATAGRAMS], 4);
		assert_int_equal(seen[i].stream.dport, 5000 + i);
		assert_int_equal(seen[i].count[QUALITY_TS_CONTINUITY], 0);
	}
}

static void fragments_are_counted(void **state)
{
	struct addr group = group_of(7);

	burst_begins();
	quality_watch_flow(w, 3, &source, &group);
	quality_watch_fragment(w, false, 0, real(at_ns)); /* of what is not known */
	quality_watch_fragment(w, true, 5000, real(at_ns));
	quality_watch_fragment(w, false, 0, real(at_ns));
	quality_watch_end(w);
	burst_begins();
	quality_watch_flow(w, 3, &source, &group);
	quality_watch_fragment(w, false, 0, real(at_ns));
	quality_watch_end(w);
	quality_watch_flush(w);
	assert_int_equal(look(7)->fragments, 3);
	assert_int_equal(look(7)->count[QUALITY_DATAGRAMS], 0);
	assert_int_equal(stats().unwatched, 1);
}

static void only_silent_streams_make_room(void **state)
{
	unsigned cc[N_STREAMS + 2] = {0};
	uint32_t generation;

	for (unsigned g = 0; g <= N_STREAMS; g++)
		tv(g, &cc[g]);
	assert_int_equal(stats().streams, N_STREAMS);
	assert_int_equal(stats().unwatched, 1);
	assert_null(look(N_STREAMS));
	generation = look(1)->generation;
	for (unsigned s = 0; s < 10; s++) {
		pass(1000);
		tv(0, &cc[0]);
		tick();
	}
	/* all except the first are silent for ten seconds now */
	tv(N_STREAMS, &cc[N_STREAMS]);
	assert_non_null(look(N_STREAMS));
	assert_int_equal(counted(N_STREAMS, QUALITY_DATAGRAMS), 1);
	assert_int_not_equal(look(N_STREAMS)->generation, generation);
	assert_non_null(look(0));
	n_seen = 0;
	quality_watch_views(w, NULL, see, NULL);
	assert_int_equal(n_seen, N_STREAMS);
}

static void many_new_streams_cost_little(void **state)
{
	unsigned cc = 0;

	for (unsigned g = 0; g < N_STREAMS; g++) {
		cc = 0;
		tv(g, &cc);
	}
	burst_begins();
	for (unsigned g = 1000; g < 1100; g++) {
		struct addr group = group_of(g);

		quality_watch_flow(w, 3, &source, &group);
		quality_watch_datagram(w, 5000, (const uint8_t *)"x", 1, real(at_ns));
	}
	quality_watch_end(w);
	assert_int_equal(stats().unwatched, 100);
}

static void small_machines_have_few(void **state)
{
	assert_int_equal(quality_watch_streams(0), QUALITY_WATCH_STREAMS);
	assert_int_equal(
		quality_watch_streams(UINT64_C(16) << 30), QUALITY_WATCH_STREAMS);
	assert_in_range(quality_watch_streams(256 << 20), 900, 1000);
	assert_in_range(quality_watch_streams(64 << 20), 225, 250);
	assert_int_equal(quality_watch_streams(1 << 20), 128);
}

/* ---- time ---- */

static void the_clock_is_set(void **state)
{
	static const int64_t by_ms[] = {3600 * 1000, -3600 * 1000, 50, -50};
	unsigned cc = 0;

	tv(7, &cc);
	for (unsigned i = 0; i < array_len(by_ms); i++) {
		for (unsigned k = 0; k < 300; k++) {
			pass(5);
			tv(7, &cc);
		}
		clock_set += by_ms[i] * MS;
	}
	quality_watch_flush(w);
	assert_int_equal(counted(7, QUALITY_DATAGRAMS), 1201);
	assert_int_equal(counted(7, QUALITY_TIME_STEPS), 0);
	assert_int_equal(counted(7, QUALITY_SILENT_GAPS), 0);
	assert_int_equal(counted(7, QUALITY_OUTAGES), 0);
	assert_int_equal(look(7)->gap_max_ns, 5 * MS);
	assert_int_equal(look(7)->last.ns, at_ns);
}

static void readings_that_are_far_apart_are_not_used(void **state)
{
	struct addr group = group_of(7);
	unsigned cc = 0;

	tv(7, &cc);
	pass(50);
	/* interrupted for 40 ms after the second reading */
	quality_watch_begin(w,
		&(struct quality_moment){
			{at_ns - 40 * MS}, {at_ns}, real(at_ns - 40 * MS)});
	quality_watch_flow(w, 3, &source, &group);
	quality_watch_datagram(
		w, 5000, television(&cc, false, false), TV_LEN, real(at_ns - 45 * MS));
	quality_watch_end(w);
	assert_int_equal(look(7)->last.ns, at_ns - 45 * MS);
}

static void times_are_between_the_last_and_now(void **state)
{
	struct addr group = group_of(7);
	unsigned cc = 0;

	tv(7, &cc);
	burst_begins();
	quality_watch_flow(w, 3, &source, &group);
	for (int i = -1; i <= 1; i++)
		quality_watch_datagram(w, 5000, television(&cc, false, false), TV_LEN,
			real(at_ns) + i * 90 * NS_PER_SEC);
	quality_watch_end(w);
	quality_watch_flush(w);
	assert_int_equal(look(7)->last.ns, at_ns + 100);
	assert_int_equal(counted(7, QUALITY_TIME_STEPS), 0);
}

/* ---- budget ---- */

/* Streams of 200 datagrams per second each. */
static void play(unsigned n, unsigned seconds, unsigned *cc)
{
	for (unsigned i = 0; i < seconds * 200; i++) {
		pass(5);
		for (unsigned g = 0; g < n; g++)
			tv(g, &cc[g]);
	}
	quality_watch_flush(w);
}

static void streams_take_turns(void **state)
{
	unsigned cc[20] = {0};
	uint64_t full = 0, light = 0;

	play(4, 3, cc); /* 800 per second are within the budget */
	assert_false(stats().sampling);
	assert_int_equal(stats().light, 0);
	play(20, 20, cc); /* 4,000 per second are four times the budget */
	assert_true(stats().sampling);
	for (unsigned g = 0; g < 20; g++) {
		const struct quality_view *v = look(g);

		assert_int_equal(v->full + v->light, v->count[QUALITY_DATAGRAMS]);
		assert_int_equal(v->light, v->count[QUALITY_TRUNCATED]);
		assert_int_equal(v->count[QUALITY_TS_CONTINUITY], 0);
		/* each has its turn, and a fair one */
		assert_in_range(v->full, 600, 2200);
		full += v->full;
		light += v->light;
	}
	assert_int_equal(full, stats().full);
	assert_int_equal(light, stats().light);
	assert_in_range(full, 10000, 27000);
	pass(3000);
	tick();
	assert_false(stats().sampling);
}

static void without_a_budget_all_is_looked_at(void **state)
{
	unsigned cc[20] = {0};

	end(state);
	assert_int_equal(begin_as(QUALITY_MODE_ON), 0);
	play(20, 4, cc);
	assert_int_equal(stats().light, 0);
	assert_false(stats().sampling);
}

static void rtp_loss_is_found_lightly(void **state)
{
	uint8_t buf[12 + TV_LEN] = {0x80, 33};
	struct addr group = group_of(50);
	unsigned cc[20] = {0}, inner = 0, seq = 0;

	for (unsigned i = 0; i < 4000; i++) {
		pass(5);
		for (unsigned g = 0; g < 10; g++)
			tv(g, &cc[g]);
		seq += i % 100 == 50 ? 2 : 1;
		buf[2] = (uint8_t)(seq >> 8);
		buf[3] = (uint8_t)seq;
		memcpy(buf + 12, television(&inner, false, false), TV_LEN);
		burst_begins();
		quality_watch_flow(w, 3, &source, &group);
		quality_watch_datagram(w, 5000, buf, sizeof(buf), real(at_ns));
		quality_watch_end(w);
	}
	quality_watch_flush(w);
	assert_true(look(50)->light > 1000 && look(50)->full > 500);
	assert_int_equal(counted(50, QUALITY_RTP_MISSING), 40);
	assert_int_equal(counted(50, QUALITY_TS_CONTINUITY), 0);
}

/* ---- orders ---- */

static void marked_datagram(unsigned g, unsigned *cc, bool pat, bool random)
{
	struct addr group = group_of(g);

	burst_begins();
	quality_watch_flow(w, 3, &source, &group);
	quality_watch_datagram(
		w, 5000, television(cc, pat, random), TV_LEN, real(at_ns));
	quality_watch_end(w);
}

static void a_mark_is_answered(void **state)
{
	struct addr group = group_of(7);
	unsigned cc = 0, other = 0;
	int64_t first, pat;

	marked_datagram(7, &cc, true, true); /* before the mark */
	pass(10);
	quality_watch_mark(w, &group, 42, (mono_t){at_ns});
	assert_int_equal(look(7)->mark, 0);
	pass(10);
	first = at_ns;
	marked_datagram(7, &cc, false, false);
	tv(8, &other);
	assert_int_equal(look(7)->mark, 42);
	assert_int_equal(look(7)->mark_first.ns, first);
	assert_int_equal(look(7)->mark_pat.ns, 0);
	pass(10);
	pat = at_ns;
	marked_datagram(7, &cc, true, false);
	pass(10);
	marked_datagram(7, &cc, true, true);
	assert_int_equal(look(7)->mark_first.ns, first);
	assert_int_equal(look(7)->mark_pat.ns, pat);
	assert_int_equal(look(7)->mark_random.ns, at_ns);
	assert_int_equal(look(8)->mark, 0);
	quality_watch_mark(w, &group, 43, (mono_t){at_ns + 1});
	pass(10);
	marked_datagram(7, &cc, false, false);
	assert_int_equal(look(7)->mark, 43);
	assert_int_equal(look(7)->mark_pat.ns, 0);
}

static void a_mark_comes_before_the_stream(void **state)
{
	struct addr group = group_of(7), late = group_of(9);
	unsigned cc = 0, other = 0;

	burst_begins();
	quality_watch_end(w);
	quality_watch_mark(w, &group, 5, (mono_t){at_ns});
	quality_watch_mark(w, &late, 6, (mono_t){at_ns});
	pass(59 * 1000);
	marked_datagram(7, &cc, true, true);
	assert_int_equal(look(7)->mark, 5);
	assert_int_equal(look(7)->mark_random.ns, at_ns);
	pass(2 * 1000);
	tv(9, &other);
	assert_int_equal(look(9)->mark, 0);
	quality_watch_restart(w, &late, (mono_t){at_ns});
	pass(10);
	tv(9, &other);
	quality_watch_flush(w);
	assert_int_equal(look(9)->mark, 0);
}

static void a_datagram_before_the_mark_is_not_an_answer(void **state)
{
	struct addr group = group_of(7);
	unsigned cc = 0;

	tv(7, &cc);
	pass(20);
	quality_watch_mark(w, &group, 42, (mono_t){at_ns - 10 * MS});
	burst_begins();
	quality_watch_flow(w, 3, &source, &group);
	quality_watch_datagram(
		w, 5000, television(&cc, true, true), TV_LEN, real(at_ns - 15 * MS));
	quality_watch_end(w);
	quality_watch_flush(w);
	assert_int_equal(look(7)->mark, 42);
	assert_int_equal(look(7)->mark_first.ns, 0);
	assert_int_equal(look(7)->mark_pat.ns, 0);
}

static void a_group_that_nobody_wants(void **state)
{
	struct addr group = group_of(7);
	unsigned cc = 0;

	for (unsigned i = 0; i < 400; i++) {
		pass(5);
		tv(7, &cc);
	}
	quality_watch_restart(w, &group, (mono_t){at_ns + 1000});
	for (unsigned i = 0; i < 5; i++) {
		pass(1000);
		tick();
	}
	assert_int_equal(counted(7, QUALITY_OUTAGES), 0);
	assert_int_equal(counted(7, QUALITY_DATAGRAMS), 400);
	cc += 5;
	tv(7, &cc);
	pass(5);
	tv(7, &cc);
	quality_watch_flush(w);
	assert_int_equal(counted(7, QUALITY_OUTAGES), 0);
	assert_int_equal(counted(7, QUALITY_TS_CONTINUITY), 0);
	assert_int_equal(counted(7, QUALITY_DATAGRAMS), 402);
	cc += 5;
	tv(7, &cc); /* the order holds for one pause */
	assert_int_equal(counted(7, QUALITY_TS_CONTINUITY), 1);
}

static void a_late_datagram_does_not_use_up_the_restart(void **state)
{
	struct addr group = group_of(7);
	unsigned cc = 0;

	tv(7, &cc);
	pass(10);
	quality_watch_restart(w, &group, (mono_t){at_ns});
	burst_begins();
	quality_watch_flow(w, 3, &source, &group);
	quality_watch_datagram(
		w, 5000, television(&cc, false, false), TV_LEN, real(at_ns - 5 * MS));
	quality_watch_end(w);
	pass(3000);
	cc += 3;
	tv(7, &cc);
	assert_int_equal(counted(7, QUALITY_OUTAGES), 0);
	assert_int_equal(counted(7, QUALITY_TS_CONTINUITY), 0);
}

/* The first datagram of a stream waited in a ring while its group was given up. */
static void a_restart_comes_before_the_stream_is_known(void **state)
{
	struct addr group = group_of(7);
	unsigned cc = 0;

	burst_begins();
	quality_watch_end(w);
	quality_watch_restart(w, &group, (mono_t){at_ns});
	pass(10);
	burst_begins(); /* the order is taken */
	quality_watch_end(w);
	burst_begins();
	quality_watch_flow(w, 3, &source, &group);
	quality_watch_datagram(
		w, 5000, television(&cc, false, false), TV_LEN, real(at_ns - 15 * MS));
	quality_watch_end(w);
	pass(3000);
	tick();
	assert_int_equal(counted(7, QUALITY_OUTAGES), 0);
	cc += 3;
	tv(7, &cc);
	assert_int_equal(counted(7, QUALITY_OUTAGES), 0);
	assert_int_equal(counted(7, QUALITY_TS_CONTINUITY), 0);
	pass(3000);
	tick(); /* this pause is of the provider */
	assert_int_equal(counted(7, QUALITY_OUTAGES), 1);
}

/* The slot for orders about a group also holds older orders. */
static void an_old_restart_is_not_a_new_one(void **state)
{
	struct addr group = group_of(7);
	unsigned cc = 0;

	burst_begins();
	quality_watch_end(w);
	quality_watch_restart(w, &group, (mono_t){at_ns});
	pass(10);
	tv(7, &cc);
	quality_watch_mark(w, &group, 3, (mono_t){at_ns});
	pass(10);
	cc++;
	tv(7, &cc);
	assert_int_equal(look(7)->mark, 3);
	assert_int_equal(counted(7, QUALITY_TS_CONTINUITY), 1);
}

static void orders_of_many_groups(void **state)
{
	unsigned cc[N_STREAMS] = {0};

	for (unsigned g = 0; g < N_STREAMS; g++)
		tv(g, &cc[g]);
	for (unsigned g = 0; g < N_STREAMS; g++) {
		struct addr group = group_of(g);

		quality_watch_mark(w, &group, g + 1, (mono_t){at_ns});
	}
	pass(1);
	for (unsigned g = 0; g < N_STREAMS; g++) {
		tv(g, &cc[g]);
		assert_int_equal(look(g)->mark, g + 1);
		assert_int_equal(look(g)->mark_first.ns, at_ns);
	}
}

/* Orders reach the streams that took the places of others, and only these. */
static void orders_after_streams_have_made_room(void **state)
{
	unsigned cc[2 * N_STREAMS] = {0};

	for (unsigned g = 0; g < N_STREAMS; g++)
		tv(g, &cc[g]);
	pass(20000);
	tick();
	for (unsigned g = N_STREAMS; g < 2 * N_STREAMS; g++)
		tv(g, &cc[g]);
	for (unsigned g = 0; g < 2 * N_STREAMS; g++) {
		struct addr group = group_of(g);

		pass(1);
		quality_watch_mark(w, &group, g + 1, (mono_t){at_ns});
		tv(N_STREAMS + g % N_STREAMS, &cc[N_STREAMS + g % N_STREAMS]);
	}
	for (unsigned g = 0; g < N_STREAMS; g++)
		assert_null(look(g));
	for (unsigned g = N_STREAMS; g < 2 * N_STREAMS; g++) {
		assert_int_equal(look(g)->mark, g + 1);
		assert_true(mono_is_set(look(g)->mark_first));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_stream_is_published_by_the_second),
		CASE(a_fault_is_published_at_once),
		CASE(the_rest_is_published_when_it_is_due),
		CASE(waiting_in_a_ring_is_not_silence),
		CASE(a_busy_thread_publishes),
		CASE(many_streams_take_several_ticks),
		CASE(a_busy_thread_publishes_many),
		CASE(all_is_published_on_demand),
		CASE(ports_of_a_group_are_streams),
		CASE(fragments_are_counted),
		CASE(only_silent_streams_make_room),
		CASE(many_new_streams_cost_little),
		CASE(small_machines_have_few),
		CASE(the_clock_is_set),
		CASE(readings_that_are_far_apart_are_not_used),
		CASE(times_are_between_the_last_and_now),
		CASE(streams_take_turns),
		CASE(without_a_budget_all_is_looked_at),
		CASE(rtp_loss_is_found_lightly),
		CASE(a_mark_is_answered),
		CASE(a_mark_comes_before_the_stream),
		CASE(a_datagram_before_the_mark_is_not_an_answer),
		CASE(a_group_that_nobody_wants),
		CASE(a_late_datagram_does_not_use_up_the_restart),
		CASE(a_restart_comes_before_the_stream_is_known),
		CASE(an_old_restart_is_not_a_new_one),
		CASE(orders_of_many_groups),
		CASE(orders_after_streams_have_made_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
