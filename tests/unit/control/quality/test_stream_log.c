/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Streams, their verdicts and their history: items 2, 4 and 5 of the quality of
 * streams. A table of intervals is fed second by second. */

#include "control/quality/stream_log.h"
#include "test.h"

#include <errno.h>

#define START	 1020 /* seconds, a whole minute */
#define DATA_PPS 100
#define MEMORY	 (1u << 20)

static struct stream_log *l;
static struct quality_view view;
static struct stream_local local;
static struct stream_entry *e;
static int64_t now_s;

static mono_t at(int64_t s)
{
	return (mono_t){s * NS_PER_SEC};
}

static struct quality_stream key(unsigned i)
{
	return (struct quality_stream){
		.group = ADDR_V4(239, 1, (uint8_t)(i >> 8), (uint8_t)i),
		.source = ADDR_V4(10, 0, 0, 1),
		.dport = 5000,
		.port = 1};
}

static void begin(size_t memory)
{
	assert_int_equal(stream_log_new(1, memory, &l), 0);
	now_s = START;
	view = (struct quality_view){.stream = key(1),
		.generation = 1,
		.kind = QUALITY_RTP_TS,
		.first = at(START),
		.last = at(START)};
	local = (struct stream_local){.wanted = true, .viewers = 2};
	e = NULL;
}

static int set_up(void **state)
{
	begin(MEMORY);
	return 0;
}

static int tear_down(void **state)
{
	l = stream_log_free(l);
	return 0;
}

/* A second passes, in which `n` datagrams come and `lost` are missing. */
static enum stream_event second(unsigned n, unsigned lost)
{
	now_s++;
	view.count[QUALITY_DATAGRAMS] += n;
	view.count[QUALITY_RTP_MISSING] += lost;
	view.result.rtp_lost += lost;
	view.result.rate_bps = n * 10000u;
	view.full += n;
	view.silent = n == 0;
	if (n)
		view.last = (mono_t){now_s * NS_PER_SEC - NS_PER_MS};
	return stream_log_see(l, at(now_s), &view, &local, &e);
}

static struct history_sum range(int64_t from_s, int64_t to_s)
{
	struct history_sum sum;

	history_range(&e->history, at(now_s), at(from_s), at(to_s), &sum);
	return sum;
}

/* ---- verdicts ---- */

static void an_interval_is_what_lies_between_two_views(void **state)
{
	static const struct {
		const char *what;
		unsigned n, lost;
		bool ring;    /* drops are noticed in this second */
		uint64_t mtu; /* copies refused in this second */
		bool unwanted, asked;
		enum stream_place place;
		enum stream_event event;
	} s[] = {
		{"clean", 100, 0, 0, 0, 0, 0, STREAM_CLEAN, STREAM_NOTHING},
		{"the provider loses", 100, 2, 0, 0, 0, 0, STREAM_PROVIDER,
			STREAM_FAULT_NEW},
		{"clean again, but told later", 100, 0, 0, 0, 0, 0, STREAM_CLEAN,
			STREAM_NOTHING},
		{"the ring loses, which is news", 100, 1, true, 0, 0, 0, STREAM_ROUTER,
			STREAM_FAULT_NEW},
		{"found one second later", 100, 1, 0, 0, 0, 0, STREAM_ROUTER,
			STREAM_NOTHING},
		{"two seconds later", 100, 1, 0, 0, 0, 0, STREAM_PROVIDER,
			STREAM_NOTHING},
		{"the ring loses others", 100, 0, true, 0, 0, 0, STREAM_PERHAPS,
			STREAM_NOTHING},
		{"perhaps still", 100, 0, 0, 0, 0, 0, STREAM_PERHAPS, STREAM_NOTHING},
		{"an MTU, which is also news", 100, 0, 0, 7, 0, 0, STREAM_ROUTER,
			STREAM_FAULT_NEW},
		{"the same again", 100, 0, 0, 7, 0, 0, STREAM_ROUTER, STREAM_NOTHING},
		{"a host asks", 100, 0, 0, 0, 0, true, STREAM_BEYOND, STREAM_NOTHING},
		{"nobody wants it", 100, 5, 0, 0, true, 0, STREAM_UNKNOWN,
			STREAM_NOTHING},
	};

	(void)second(DATA_PPS, 0);
	for (size_t i = 0; i < array_len(s); i++) {
		enum stream_event event;

		if (s[i].ring)
			local.ring_at = at(now_s + 1);
		local.refused[STREAM_DROP_MTU] += s[i].mtu;
		local.wanted = !s[i].unwanted;
		local.asked = s[i].asked;
		event = second(s[i].n, s[i].lost);
		if (e->now.place != s[i].place || event != s[i].event)
			fail_msg("%s: %s, event %d", s[i].what,
				stream_place_name(e->now.place), event);
	}
	assert_int_equal(e->dropped[STREAM_DROP_MTU], 14);
	assert_int_equal(e->provider_seconds, 2);
	assert_int_equal(e->router_seconds, 4);
	assert_int_equal(stream_entry_lost(e), 2 + 1 + 1 + 1 + 5);
}

/* Datagrams that waited in the ring are looked at long after the drop was noticed. */
static void a_backlog_of_the_ring_counts_as_ours(void **state)
{
	(void)second(DATA_PPS, 0);
	local.ring_at = at(now_s + 1);
	for (int i = 0; i < 5; i++) {
		now_s++;
		view.count[QUALITY_DATAGRAMS] += DATA_PPS;
		view.full += DATA_PPS;
		view.count[QUALITY_RTP_MISSING]++;
		view.result.rtp_lost++;
		view.last.ns += NS_PER_SEC / 10; /* of the datagram, far behind */
		(void)stream_log_see(l, at(now_s), &view, &local, &e);
		assert_int_equal(e->now.place, STREAM_ROUTER);
	}
}

static void clean_is_told_after_a_minute(void **state)
{
	enum stream_event event = STREAM_NOTHING;
	int64_t fault_s;

	(void)second(DATA_PPS, 0);
	assert_int_equal(second(DATA_PPS, 4), STREAM_FAULT_NEW);
	fault_s = now_s;
	assert_int_equal(second(DATA_PPS, 1), STREAM_NOTHING);
	assert_int_equal(e->faulty_lost, 5);
	while (event == STREAM_NOTHING && now_s < fault_s + 100)
		event = second(DATA_PPS, 0);
	assert_int_equal(event, STREAM_BECAME_CLEAN);
	assert_int_equal(now_s, fault_s + 1 + STREAM_LOG_CLEAN_MS / 1000);
	assert_int_equal(second(DATA_PPS, 1), STREAM_FAULT_NEW);
	assert_int_equal(e->faulty_lost, 1);
}

static void an_outage_counts_for_ten_minutes(void **state)
{
	for (int i = 0; i < 3; i++)
		(void)second(DATA_PPS, 0);
	view.last = at(now_s + 1);
	assert_int_equal(
		stream_log_see(l, at(now_s + 1), &view, &local, &e), STREAM_NOTHING);
	now_s++;
	assert_int_equal(second(0, 0), STREAM_NOTHING); /* no more than a second */
	assert_int_equal(second(0, 0), STREAM_FAULT_NEW);
	for (int i = 0; i < 700; i++)
		(void)second(0, 0);
	assert_int_equal(e->now.place, STREAM_UNKNOWN);
	assert_false(e->open);
	assert_in_range(e->provider_seconds, 597, 600);
	assert_in_range(range(START, now_s).gap_ms, UINT16_MAX, UINT16_MAX);
}

static void no_outage_without_a_member(void **state)
{
	(void)second(DATA_PPS, 0);
	(void)second(DATA_PPS, 0);
	local.wanted = false;
	for (int i = 0; i < 20; i++)
		(void)second(0, 0);
	assert_int_equal(e->provider_seconds, 0);
	assert_false(e->open);
	/* a member is back, and the first datagram takes a moment */
	local.wanted = true;
	for (int i = 0; i < 5; i++)
		(void)second(0, 0);
	assert_int_equal(e->provider_seconds, 0);
	for (int i = 0; i < 2; i++)
		(void)second(DATA_PPS, 0);
	assert_int_equal(e->now.place, STREAM_CLEAN);
	for (int i = 0; i < 3; i++)
		(void)second(0, 0);
	assert_int_equal(e->now.place, STREAM_PROVIDER);
}

static void announcements_have_no_outages(void **state)
{
	view.kind = QUALITY_UNKNOWN;
	for (int i = 0; i < 5; i++) {
		for (int k = 0; k < 5; k++)
			(void)second(3, 0);
		for (int k = 0; k < 30; k++)
			assert_int_equal(second(0, 0), STREAM_NOTHING);
		view.count[QUALITY_OUTAGES]++;
	}
	assert_int_equal(e->provider_seconds, 0);
	assert_false(e->open);
	/* a steady one has one, and another only when it is steady again */
	for (int k = 0; k <= STREAM_LOG_STEADY + 1; k++)
		(void)second(3, 0);
	assert_int_equal(second(0, 0), STREAM_FAULT_NEW);
	assert_true(e->fault.silent);
	view.count[QUALITY_OUTAGES]++;
	(void)second(3, 0);
	assert_int_equal(e->provider_seconds, 2);
	(void)second(3, 0);
	for (int k = 0; k < 5; k++)
		(void)second(0, 0);
	assert_int_equal(e->provider_seconds, 2);
}

static void a_light_look_says_nothing_of_ts(void **state)
{
	view.kind = QUALITY_TS;
	(void)second(DATA_PPS, 0);
	(void)second(DATA_PPS, 0);
	assert_int_equal(e->now.place, STREAM_CLEAN);
	for (unsigned k = 0; k < _QUALITY_KIND_N; k++) {
		view.kind = (enum quality_kind)k;
		now_s++;
		view.count[QUALITY_DATAGRAMS] += DATA_PPS;
		view.light += DATA_PPS;
		view.last = (mono_t){now_s * NS_PER_SEC - 1};
		(void)stream_log_see(l, at(now_s), &view, &local, &e);
		assert_int_equal(
			e->now.place, k == QUALITY_TS ? STREAM_UNKNOWN : STREAM_CLEAN);
	}
}

static void a_new_generation_begins_at_0(void **state)
{
	(void)second(DATA_PPS, 3);
	(void)second(DATA_PPS, 0);
	memset(view.count, 0, sizeof(view.count));
	view.generation++;
	view.result.rtp_lost = 0;
	view.full = 0;
	(void)second(40, 1);
	assert_int_equal(e->total[QUALITY_DATAGRAMS], 2 * DATA_PPS + 40);
	assert_int_equal(stream_entry_lost(e), 4);
	assert_int_equal(e->total_full, 2 * DATA_PPS + 40);
	/* the slot that was left behind is not mixed in */
	view.generation--;
	view.count[QUALITY_DATAGRAMS] = 5000;
	view.last.ns -= 5 * NS_PER_SEC;
	(void)stream_log_see(l, at(now_s), &view, &local, &e);
	assert_int_equal(e->total[QUALITY_DATAGRAMS], 2 * DATA_PPS + 40);
}

static void what_comes_late_was_not_lost(void **state)
{
	(void)second(DATA_PPS, 2);
	view.count[QUALITY_RTP_REORDERED] += 2;
	view.result.rtp_lost -= 2;
	(void)second(DATA_PPS, 0);
	assert_int_equal(stream_entry_lost(e), 0);
	assert_int_equal(e->now.place, STREAM_CLEAN);
}

static void the_worst_of_several_ports(void **state)
{
	const struct quality_stream k = key(1);

	assert_int_equal(stream_log_worst(l, &k.group, &k.source), STREAM_UNKNOWN);
	(void)second(DATA_PPS, 0);
	view.stream.dport++;
	(void)second(DATA_PPS, 0);
	assert_int_equal(stream_log_worst(l, &k.group, &k.source), STREAM_CLEAN);
	(void)second(DATA_PPS, 1);
	assert_int_equal(stream_log_worst(l, &k.group, &k.source), STREAM_PROVIDER);
	(void)second(DATA_PPS, 0); /* within the minute */
	assert_int_equal(stream_log_worst(l, &k.group, &k.source), STREAM_PROVIDER);
	assert_int_equal(stream_log_worst(l, &k.source, &k.group), STREAM_UNKNOWN);
}

/* ---- history ---- */

static void buckets_have_the_figures(void **state)
{
	struct history_sum sum;
	int64_t from;

	while (now_s % 3600 != 0)
		now_s++;
	view.last = at(now_s);
	from = now_s;
	for (int i = 0; i < 120; i++) {
		view.gap_max_ns = i == 70 ? 250 * NS_PER_MS : view.gap_max_ns;
		local.viewers = i < 60 ? 2 : 5;
		(void)second(i < 60 ? 100 : 300, i == 80 ? 9 : 0);
	}
	sum = range(from, from + 60);
	assert_int_equal(sum.judged, 59); /* the last one ends with the next minute */
	assert_int_equal(sum.provider, 0);
	assert_int_equal(sum.viewers, 2);
	assert_int_equal(sum.rate_bps, 1000000);
	assert_int_equal(stream_log_place(&sum), STREAM_CLEAN);
	sum = range(from + 60, from + 120);
	assert_int_equal(sum.judged, 60);
	assert_int_equal(sum.provider, 1);
	assert_int_equal(sum.lost, 9);
	assert_int_equal(sum.gap_ms, 250);
	assert_int_equal(sum.viewers, 5);
	assert_in_range(sum.rate_bps, 2900000, 3000000);
	assert_int_equal(stream_log_place(&sum), STREAM_PROVIDER);
	assert_int_equal(range(from, from + 240).judged, 120);
	assert_int_equal(range(from + 180, from + 240).judged, 0);
}

static void minutes_are_kept_for_a_day_and_hours_for_a_month(void **state)
{
	const int64_t day = 24 * 3600;
	struct history_sum sum;
	int64_t begun = now_s;

	view.gap_max_ns = 0;
	for (int64_t hour = 0; hour < 40 * 24; hour++) {
		now_s = begun + hour * 3600;
		view.last = at(now_s);
		(void)second(DATA_PPS, 1);
	}
	sum = range(now_s - day, now_s + 1);
	assert_in_range(sum.judged, 24, 25);
	sum = range(now_s - 30 * day, now_s + 1);
	assert_in_range(sum.judged, 30 * 24, 30 * 24 + 1);
	/* chunks of 60 hours are dropped as a whole */
	sum = range(0, now_s + 1);
	assert_in_range(sum.judged, 30 * 24, 30 * 24 + 60);
}

static void the_silent_stream_gives_its_memory_first(void **state)
{
	struct quality_stream silent = key(2), busy = key(1);
	size_t limit = 40 * sizeof(struct history_chunk);

	stream_log_set_memory(l, limit);
	view.stream = silent;
	(void)second(DATA_PPS, 0);
	view.stream = busy;
	for (int64_t hour = 0; hour < 20; hour++) {
		now_s += 3600;
		view.last = at(now_s);
		(void)second(DATA_PPS, 0);
	}
	assert_true(stream_log_memory(l) <= limit);
	assert_non_null(stream_log_find(l, &silent));
	for (int64_t hour = 0; hour < 24; hour++) {
		now_s += 3600;
		view.last = at(now_s);
		(void)second(DATA_PPS, 0);
		assert_true(stream_log_memory(l) <= limit);
	}
	stream_log_set_memory(l, 20 * sizeof(struct history_chunk));
	assert_true(stream_log_memory(l) <= 20 * sizeof(struct history_chunk));
	assert_non_null(stream_log_find(l, &busy));
	assert_null(stream_log_find(l, &silent));
	assert_true(range(now_s - 3600, now_s + 1).judged > 0);
	stream_log_set_memory(l, 0);
	assert_int_equal(stream_log_memory(l), 0);
	assert_int_equal(stream_log_size(l), 0);
	(void)second(DATA_PPS, 0);
	assert_null(e);
}

static void streams_have_a_bound(void **state)
{
	stream_log_set_memory(l, 64u << 20);
	for (unsigned i = 0; i < STREAM_LOG_MAX + 10; i++) {
		view.stream = key(i);
		view.generation = i + 1;
		(void)second(DATA_PPS, 0);
	}
	assert_int_equal(stream_log_size(l), STREAM_LOG_MAX);
	view.stream = key(9);
	assert_null(stream_log_find(l, &view.stream));
}

/* ---- state ---- */

static const char *name_of(void *ctx, unsigned port)
{
	return port == 1 ? "wan" : NULL;
}

static int port_of(void *ctx, const char *name)
{
	return strcmp(name, "wan") == 0 ? *(int *)ctx : -1;
}

static int take_over(const struct state_out *o, int port)
{
	struct state_in in;
	struct state_in section;
	uint32_t tag;

	assert_int_equal(state_in_init(&in, o->buf, o->n, at(now_s), 1000), STATE_OK);
	assert_true(state_get_section(&in, &tag, &section));
	return stream_log_import(l, at(now_s), &section, port_of, &port);
}

static void put_all(struct state_out *o)
{
	size_t begun;

	state_out_init(o, at(now_s), at(now_s));
	begun = state_begin(o, 1);
	stream_log_export(l, o, name_of, NULL);
	state_end(o, begun);
	assert_int_equal(state_out_seal(o), 0);
}

static void history_survives_an_upgrade(void **state)
{
	struct quality_stream moved = key(1);
	struct history_sum before, after;
	const struct stream_entry *kept;
	struct state_out o;

	for (int i = 0; i < 5000; i++)
		(void)second(DATA_PPS, i % 100 == 0);
	before = range(START, now_s + 1);
	put_all(&o);
	stream_log_free(l);
	assert_int_equal(stream_log_new(2, MEMORY, &l), 0);
	assert_int_equal(take_over(&o, 7), 0);
	moved.port = 7;
	kept = stream_log_find(l, &moved);
	assert_non_null(kept);
	history_range(&kept->history, at(now_s), at(START), at(now_s + 1), &after);
	assert_int_equal(after.judged, before.judged);
	assert_int_equal(after.provider, before.provider);
	assert_int_equal(after.lost, before.lost);
	assert_int_equal(after.rate_bps, before.rate_bps);
	assert_int_equal(after.viewers, before.viewers);
	assert_int_equal(kept->total[QUALITY_DATAGRAMS], 5000 * DATA_PPS);
	assert_int_equal(stream_entry_lost(kept), 50);
	assert_int_equal(kept->provider_seconds, 50);

	/* the next process counts from 0, and continues the bucket */
	view.stream.port = 7;
	view.generation = 1;
	memset(view.count, 0, sizeof(view.count));
	view.result.rtp_lost = 0;
	view.full = 0;
	(void)second(DATA_PPS, 0);
	assert_int_equal(e->total[QUALITY_DATAGRAMS], 5001 * DATA_PPS);
	after = range(START, now_s + 1);
	assert_int_equal(after.judged, before.judged + 1);
	assert_in_range(after.rate_bps, 980000, 1000000);
	state_out_deinit(&o);
}

static struct quality_view unseen[4];
static unsigned n_unseen;

static void keep_unseen(void *arg, const struct quality_view *v)
{
	assert_in_range(n_unseen, 0, 3);
	unseen[n_unseen++] = *v;
}

/* A second in which no thread of the next process sees the stream. */
static enum stream_event unseen_second(void)
{
	now_s++;
	n_unseen = 0;
	stream_log_unseen(l, at(now_s), keep_unseen, NULL);
	if (n_unseen == 0)
		return STREAM_NOTHING;
	assert_int_equal(n_unseen, 1);
	return stream_log_see(l, at(now_s), &unseen[0], &local, &e);
}

static void upgrade(void)
{
	struct state_out o;

	put_all(&o);
	stream_log_free(l);
	e = NULL;
	assert_int_equal(stream_log_new(2, MEMORY, &l), 0);
	assert_int_equal(take_over(&o, 1), 0);
	state_out_deinit(&o);
	/* the next process counts from 0 */
	memset(view.count, 0, sizeof(view.count));
	view.result.rtp_lost = 0;
	view.full = 0;
}

static void an_outage_lasts_through_an_upgrade(void **state)
{
	int64_t since_ns;

	for (int i = 0; i < 3; i++)
		(void)second(DATA_PPS, 0);
	assert_int_equal(second(0, 0), STREAM_FAULT_NEW);
	(void)second(0, 0);
	since_ns = e->faulty_since.ns;
	assert_int_equal(e->provider_seconds, 2);
	upgrade();
	for (int i = 0; i < 20; i++)
		assert_int_equal(unseen_second(), STREAM_NOTHING);
	assert_true(e->open);
	assert_int_equal(e->provider_seconds, 22);
	assert_int_equal(e->faulty_since.ns, since_ns);
	assert_int_equal(e->now.place, STREAM_PROVIDER);
	assert_true(e->now.silent);
	/* it comes back */
	for (int i = 1; i < STREAM_LOG_CLEAN_MS / 1000; i++)
		assert_int_equal(second(DATA_PPS, 0), STREAM_NOTHING);
	assert_int_equal(second(DATA_PPS, 0), STREAM_BECAME_CLEAN);
	assert_int_equal(e->provider_seconds, 22);
	assert_int_equal(e->total[QUALITY_DATAGRAMS],
		(3 + STREAM_LOG_CLEAN_MS / 1000) * DATA_PPS);
	n_unseen = 0;
	stream_log_unseen(l, at(now_s), keep_unseen, NULL);
	assert_int_equal(n_unseen, 0); /* the threads see it */
}

static void an_outage_ends_after_an_upgrade(void **state)
{
	int n = 0;

	for (int i = 0; i < 3; i++)
		(void)second(DATA_PPS, 0);
	assert_int_equal(second(0, 0), STREAM_FAULT_NEW);
	upgrade();
	do
		(void)unseen_second();
	while (n_unseen && ++n < 1000);
	assert_in_range(n, STREAM_LOG_OUTAGE_MS / 1000 - 10,
		(STREAM_LOG_OUTAGE_MS + STREAM_LOG_CLEAN_MS) / 1000);
	assert_false(e->faulty);
}

/* What the earlier process left in the rings does not count as an outage. */
static void a_stream_flows_through_an_upgrade(void **state)
{
	(void)second(DATA_PPS, 0);
	assert_int_equal(second(DATA_PPS, 3), STREAM_FAULT_NEW);
	now_s += 3; /* an upgrade that takes long */
	upgrade();
	assert_int_equal(unseen_second(), STREAM_NOTHING);
	assert_int_equal(e->provider_seconds, 1);
	assert_true(e->faulty);
	for (int i = 0; i < 70; i++)
		assert_int_not_equal(second(DATA_PPS, 0), STREAM_FAULT_NEW);
	assert_int_equal(e->provider_seconds, 1);
	assert_false(e->faulty);
	assert_int_equal(stream_entry_lost(e), 3);
}

static void a_port_that_is_gone_takes_its_streams_along(void **state)
{
	struct state_out o;

	(void)second(DATA_PPS, 0);
	put_all(&o);
	stream_log_free(l);
	assert_int_equal(stream_log_new(2, MEMORY, &l), 0);
	assert_int_equal(take_over(&o, -1), 0);
	assert_int_equal(stream_log_size(l), 0);
	state_out_deinit(&o);
}

static void a_faulty_state_is_refused(void **state)
{
	struct state_out o;

	(void)second(DATA_PPS, 0);
	state_out_init(&o, at(now_s), at(now_s));
	state_end(&o, ({
		size_t begun = state_begin(&o, 1);

		stream_log_export(l, &o, name_of, NULL);
		stream_log_export(l, &o, name_of, NULL); /* the same stream twice */
		begun;
	}));
	assert_int_equal(state_out_seal(&o), 0);
	stream_log_free(l);
	assert_int_equal(stream_log_new(2, MEMORY, &l), 0);
	assert_int_equal(take_over(&o, 1), -EINVAL);
	state_out_deinit(&o);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_interval_is_what_lies_between_two_views),
		TEST(a_backlog_of_the_ring_counts_as_ours),
		TEST(clean_is_told_after_a_minute),
		TEST(an_outage_counts_for_ten_minutes),
		TEST(no_outage_without_a_member),
		TEST(announcements_have_no_outages),
		TEST(a_light_look_says_nothing_of_ts),
		TEST(a_new_generation_begins_at_0),
		TEST(what_comes_late_was_not_lost),
		TEST(the_worst_of_several_ports),
		TEST(buckets_have_the_figures),
		TEST(minutes_are_kept_for_a_day_and_hours_for_a_month),
		TEST(the_silent_stream_gives_its_memory_first),
		TEST(streams_have_a_bound),
		TEST(history_survives_an_upgrade),
		TEST(an_outage_lasts_through_an_upgrade),
		TEST(an_outage_ends_after_an_upgrade),
		TEST(a_stream_flows_through_an_upgrade),
		TEST(a_port_that_is_gone_takes_its_streams_along),
		TEST(a_faulty_state_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
