/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Host side: the bound on messages that queries and changes cause, the completeness of
 * reports within it, and the order of hosts. Scripts: see support/upstream_fixture.h.
 */

#include "upstream_fixture.h"

#include <stdlib.h>
#include <string.h>

#define MANY 12288 /* the groups that one host may have by default */

/* The most messages of one kind in any second. */
#define PER_SECOND (UPSTREAM_BURST + UPSTREAM_RATE)

/* Times of the messages, to find the busiest second. */
struct sent {
	int64_t *ns;
	size_t n, cap;
};

static void collect(struct upstream_fixture *t, struct sent *s)
{
	for (size_t i = 0; i < t->fx.n; i++) {
		if (s->n == s->cap) {
			s->cap = s->cap ? 2 * s->cap : 1024;
			s->ns = realloc(s->ns, s->cap * sizeof(*s->ns));
			assert_non_null(s->ns);
		}
		s->ns[s->n++] = t->now.ns;
	}
	effects_clear(&t->fx);
}

static size_t busiest_second(const struct sent *s)
{
	size_t most = 0;

	for (size_t i = 0, j = 0; j < s->n; j++) {
		while (s->ns[j] - s->ns[i] >= NS_PER_SEC)
			i++;
		if (j - i + 1 > most)
			most = j - i + 1;
	}
	return most;
}

/* Like fixture_run(), and keeps the time of each message. */
static void run(struct upstream_fixture *t, int64_t ms, struct sent *s)
{
	mono_t until = mono_add_ms(t->now, ms), at;

	while (mono_due(at = upstream_deadline(&t->upstream), until)) {
		t->now = mono_max(at, t->now);
		upstream_tick(&t->upstream, t->now, &t->fx);
		collect(t, s);
	}
	t->now = until;
}

/* Joins n groups that the provider already knows. */
static void join_many(struct upstream_fixture *t, unsigned n)
{
	upstream_link_down(&t->upstream);
	for (unsigned i = 0; i < n; i++) {
		struct addr group = fixture_group(t->family, i);

		fixture_set(t, &group, GM_EXCLUDE, NULL, 0);
	}
	upstream_link_up(&t->upstream, t->now, &t->link);
	fixture_run(t, 600000);
	effects_clear(&t->fx);
}

/* F10: each type of query, at one, ten and a thousand per second, with the shortest
 * response time. The link never carries more than the allowed rate. */
static void f10_no_query_is_amplified(void **state)
{
	static const struct {
		const char *name;
		enum gm_version version;
		bool specific;
	} types[] = {
		{"general v1", GM_V1, false},
		{"general v2", GM_V2, false},
		{"general v3", GM_V3, false},
		{"group v2", GM_V2, true},
		{"group v3", GM_V3, true},
	};
	static const unsigned rates[] = {1, 10, 1000};

	for (enum family family = 0; family < _FAMILY_N; family++)
		for (size_t i = 0; i < array_len(types); i++)
			for (size_t r = 0; r < array_len(rates); r++) {
				struct upstream_fixture t;
				struct sent sent = {0};

				if (family == FAMILY_IPV6 && types[i].version == GM_V1)
					continue;
				fixture_init(&t, family);
				if (types[i].version != GM_V3)
					fixture_query(
						&t, types[i].version, NULL, NULL, 0, 1);
				join_many(&t, MANY);
				for (unsigned n = 0; n < 10 * rates[r]; n++) {
					struct addr group =
						fixture_group(family, n % MANY);

					fixture_query(&t, types[i].version,
						types[i].specific ? &group : NULL, NULL,
						0, 1);
					run(&t, 1000 / rates[r], &sent);
				}
				print_message("IPv%d %s, %u in a second: at most %zu "
					      "out, %zu in ten\n",
					family == FAMILY_IPV4 ? 4 : 6, types[i].name,
					rates[r], busiest_second(&sent), sent.n);
				assert_true(sent.n > 0);
				assert_true(busiest_second(&sent) <= PER_SECOND);
				if (rates[r] >= PER_SECOND / 2)
					assert_true(
						busiest_second(&sent) <= 2 * rates[r]);
				free(sent.ns);
				fixture_deinit(&t);
			}
}

/* F10: the provider gets all answers, each group once: hundreds of groups within the
 * response time, more groups later. */
static void f10_answers_are_complete(void **state)
{
	static const struct {
		unsigned n;
		uint32_t max_ms;
		int64_t within_ms;
	} c[] = {
		{50, 1, 1000},
		{50, 1000, 1000},
		{250, 1000, 1000},
		{1000, 10000, 10000},
		{MANY, 1, MANY * 1000 / UPSTREAM_RATE + 1000},
	};

	for (size_t i = 0; i < array_len(c); i++) {
		struct upstream_fixture t;
		bool *seen = calloc(c[i].n, sizeof(*seen));
		unsigned n = 0;

		assert_non_null(seen);
		fixture_init(&t, FAMILY_IPV4);
		fixture_query(&t, GM_V2, NULL, NULL, 0, 1000);
		join_many(&t, c[i].n);
		fixture_query(&t, GM_V2, NULL, NULL, 0, c[i].max_ms);
		fixture_run(&t, c[i].within_ms);
		effects_for_each (&t.fx, e) {
			const struct addr *g = &e->report.rec->group;
			unsigned at =
				(g->b[13] - 1u) << 16 | g->b[14] * 256u | g->b[15];

			assert_false(seen[at]);
			seen[at] = true;
			n++;
		}
		assert_int_equal(n, c[i].n);
		effects_clear(&t.fx);
		fixture_run(&t, 1000000);
		assert_int_equal(t.fx.n, 0);
		free(seen);
		fixture_deinit(&t);
	}
}

/* F10: the response time is at least a millisecond per message. */
static void f10_response_time_has_a_floor(void **state)
{
	struct upstream_fixture t;
	mono_t asked;

	fixture_init(&t, FAMILY_IPV4);
	fixture_query(&t, GM_V2, NULL, NULL, 0, 1000);
	join_many(&t, 100);
	asked = t.now;
	fixture_query(&t, GM_V2, NULL, NULL, 0, 1);
	for (unsigned i = 0; i < 100; i++) {
		fixture_act(&t, "next");
		assert_int_equal(t.fx.n, 1);
		effects_clear(&t.fx);
	}
	assert_in_range(t.now.ns - asked.ns, 80 * NS_PER_MS, 101 * NS_PER_MS);
	fixture_deinit(&t);
}

/* ---- storms of a LAN ---- */

struct storm {
	const char *name;
	enum gm_version version;
	unsigned n_hosts;     /* hosts that make the storm, on LAN 1 */
	unsigned n_sources;   /* sources per change; 0 means a join or a leave */
	unsigned per_second;  /* changes */
	unsigned honest_port; /* LAN of the honest hosts */
	int p99_ms;
};

static void set_filter_by(struct upstream_fixture *t, unsigned group,
	const struct gm_filter *filter, unsigned port, unsigned host)
{
	struct addr g = fixture_group(t->family, group), by;
	struct host_cause cause = {.port = port, .by = &by};

	by = fixture_source(t->family, host);
	by.b[13] = (uint8_t)(host >> 16);
	assert_int_equal(upstream_set(&t->upstream, t->now, &g, filter, &cause), 0);
}

static void set_by(struct upstream_fixture *t, unsigned group, bool join, unsigned port,
	unsigned host)
{
	struct gm_filter filter = {.mode = join ? GM_EXCLUDE : GM_INCLUDE};

	set_filter_by(t, group, &filter, port, host);
}

static bool says(const struct upstream_fixture *t, unsigned group)
{
	struct addr g = fixture_group(t->family, group);

	effects_for_each (&t->fx, e)
		for (size_t i = 0; i < e->report.n_rec; i++)
			if (addr_eq(&e->report.rec[i].group, &g))
				return true;
	return false;
}

static int cmp_ms(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

/* Change number n of a storm. One host makes four in a row. With sources, it names
 * other ones than the previous change of the group. */
static void change(struct upstream_fixture *t, const struct storm *s, unsigned n)
{
	unsigned n_groups = s->n_sources ? 16384 : 8192;
	struct gm_filter filter = {.mode = GM_INCLUDE};
	unsigned host = s->n_sources ? n / 4 : n;

	for (unsigned i = 0; i < s->n_sources; i++) {
		struct addr a = fixture_source(t->family, i);

		a.b[13] = (uint8_t)(n / n_groups + 1);
		assert_int_equal(addrset_add(&filter.src, &a), 0);
	}
	if (s->n_sources)
		set_filter_by(t, n % n_groups, &filter, 1, host % s->n_hosts);
	else
		set_by(t, n % n_groups, (n / n_groups) % 2 == 0, 1, host % s->n_hosts);
	addrset_deinit(&filter.src);
}

/* After a storm of 20 seconds, another honest host joins its own group ten times per
 * second. */
static void storm(const struct storm *s, enum family family)
{
	enum { TRIES = 100, BEFORE = 20000 };
	static int wait[TRIES];
	struct upstream_fixture t;
	struct sent sent = {0};
	int n_waits = 0;
	unsigned n = 0;

	fixture_init(&t, family);
	if (s->version != GM_V3)
		fixture_query(&t, s->version, NULL, NULL, 0, 1000);
	memset(wait, 0, sizeof(wait));
	for (unsigned ms = 0; n_waits < TRIES; ms++) {
		int began = (int)ms - BEFORE;
		int64_t before;

		if (began >= 0 && began % 100 == 0 && began / 100 < TRIES)
			set_by(&t, 20000 + (unsigned)began / 100, true, s->honest_port,
				0x800000u + (unsigned)began / 100);
		while (n * UINT64_C(1000) < (uint64_t)ms * s->per_second)
			change(&t, s, n++);
		before = t.now.ns;
		while (mono_due(
			upstream_deadline(&t.upstream), mono_add_ms(t.now, 1))) {
			mono_t at = mono_max(upstream_deadline(&t.upstream), t.now);

			t.now = at;
			upstream_tick(&t.upstream, at, &t.fx);
			for (int w = 0; w <= began / 100 && w < TRIES; w++)
				if (!wait[w] && says(&t, 20000 + (unsigned)w)) {
					wait[w] = began - w * 100 + 1;
					n_waits++;
				}
			collect(&t, &sent);
		}
		t.now.ns = before + NS_PER_MS;
		assert_true(ms < BEFORE + 100 * TRIES + 100000);
	}
	qsort(wait, TRIES, sizeof(*wait), cmp_ms);
	print_message(
		"IPv%d %s: joins told after %d ms (median), %d ms (p99); at most %zu "
		"messages in a second\n",
		family == FAMILY_IPV4 ? 4 : 6, s->name, wait[TRIES / 2],
		wait[TRIES * 99 / 100], busiest_second(&sent));
	assert_true(wait[TRIES * 99 / 100] <= s->p99_ms);
	assert_true(busiest_second(&sent) <= PER_SECOND);
	free(sent.ns);
	fixture_deinit(&t);
}

static void f13_a_storm_keeps_nobody_waiting(void **state)
{
	static const struct storm storms[] = {
		{"v3, one host, another of its LAN joins", GM_V3, 1, 0, 2000, 1, 200},
		{"v3, one host, another LAN joins", GM_V3, 1, 0, 2000, 2, 200},
		{"v3, 1,000 made-up hosts, another LAN joins", GM_V3, 1000, 0, 2000, 2,
			200},
		{"v2, one host, another of its LAN joins", GM_V2, 1, 0, 2000, 1, 200},
		{"v2, one host, another LAN joins", GM_V2, 1, 0, 2000, 2, 200},
		{"v2, 1,000 made-up hosts, another LAN joins", GM_V2, 1000, 0, 2000, 2,
			200},
	};

	for (size_t i = 0; i < array_len(storms); i++)
		for (enum family family = 0; family < _FAMILY_N; family++)
			storm(&storms[i], family);
}

/* F13: made-up hosts and an honest one share a LAN. A host that has sent little is
 * served next, and groups with many sources later. */
static void f13_made_up_hosts_do_not_keep_a_neighbour_waiting(void **state)
{
	static const struct storm storms[] = {
		{"v3, 1,000 made-up hosts, 85 sources a group", GM_V3, 1000, 85, 1200,
			1, 1000},
		{"v3, a new host for each report, 85 sources a group", GM_V3, 1u << 22,
			85, 1200, 1, 1000},
		{"v3, 1,000 made-up hosts, 10,000/s", GM_V3, 1000, 0, 10000, 1, 1000},
		{"v2, 1,000 made-up hosts", GM_V2, 1000, 0, 2000, 1, 1000},
	};

	for (size_t i = 0; i < array_len(storms); i++)
		for (enum family family = 0; family < _FAMILY_N; family++)
			storm(&storms[i], family);
}

/* F13: in the end the remainder of a storm is reported, and groups that were never
 * reported are not left. */
static void f13_nothing_is_lost(void **state)
{
	for (enum gm_version version = GM_V2; version <= GM_V3; version++) {
		bool member[4096] = {false};
		struct upstream_fixture t;

		fixture_init(&t, FAMILY_IPV4);
		if (version != GM_V3)
			fixture_query(&t, version, NULL, NULL, 0, 1000);
		for (unsigned i = 0; i < 30000; i++) {
			set_by(&t, i * 7 % 4096, i % 3 != 0, 1, i % 5);
			if (i % 10 == 0)
				fixture_run(&t, 1);
		}
		fixture_run(&t, 300000);
		effects_for_each (&t.fx, e)
			for (size_t i = 0; i < e->report.n_rec; i++) {
				const struct gm_record *rec = &e->report.rec[i];

				member[rec->group.b[14] * 256u + rec->group.b[15]] =
					rec->type != GM_TO_IN && rec->type != GM_BLOCK;
			}
		for (unsigned i = 0; i < array_len(member); i++) {
			struct addr group = fixture_group(FAMILY_IPV4, i);
			const struct upstream_group *g =
				upstream_find(&t.upstream, &group);

			assert_int_equal(g != NULL, member[i]);
		}
		assert_int_equal(upstream_deadline(&t.upstream).ns, MONO_NEVER.ns);
		fixture_deinit(&t);
	}
}

/* A change that waits while the version changes is reported in the new version. */
static void f13_what_waits_survives_another_version(void **state)
{
	struct upstream_fixture t;
	struct addr group = fixture_group(FAMILY_IPV4, 0);

	fixture_init(&t, FAMILY_IPV4);
	for (unsigned i = 1; i <= 1000; i++)
		set_by(&t, i, true, 1, i);
	set_by(&t, 0, true, 2, 1);
	fixture_query(&t, GM_V2, NULL, NULL, 0, 100);
	upstream_tick(&t.upstream, t.now, &t.fx);
	assert_true(says(&t, 0));
	effects_clear(&t.fx);
	fixture_run(&t, 60000);
	for (unsigned i = 1; i <= 1000; i++)
		assert_true(says(&t, i));
	assert_non_null(upstream_find(&t.upstream, &group));
	fixture_deinit(&t);
}

/* Neither kind of message delays the other. */
static void f13_answers_do_not_wait_for_changes(void **state)
{
	struct upstream_fixture t;

	fixture_init(&t, FAMILY_IPV4);
	fixture_query(&t, GM_V2, NULL, NULL, 0, 1000);
	join_many(&t, 10);
	for (unsigned i = 100; i < 5100; i++)
		set_by(&t, i, true, 1, 1);
	fixture_run(&t, 5000);
	effects_clear(&t.fx);
	for (unsigned i = 0; i < 10; i++) {
		struct addr group = fixture_group(FAMILY_IPV4, i);

		fixture_query(&t, GM_V2, &group, NULL, 0, 1000);
	}
	fixture_run(&t, 1000);
	for (unsigned i = 0; i < 10; i++)
		assert_true(says(&t, i));
	fixture_deinit(&t);
}

/* K12: the repetitions of a leave are separate messages at different times. */
static void k12_last_leaves_are_apart(void **state)
{
	for (uint8_t rv = 1; rv <= 4; rv++) {
		struct upstream_params params = fixture_params;
		struct upstream_fixture t;

		params.gm.robustness = rv;
		fixture_init_with(&t, FAMILY_IPV4, &params, 1);
		fixture_script(&t, "K12", "G ex > to_ex G {}; H in A > allow H {A}");
		upstream_leave_all(&t.upstream, &t.fx);
		assert_int_equal(t.fx.n, rv);
		for (unsigned i = 0; i < rv; i++) {
			assert_int_equal(t.fx.v[i].report.n_rec, 2);
			assert_int_equal(
				t.fx.v[i].report.delay_ms, i * UPSTREAM_LEAVE_GAP_MS);
		}
		fixture_deinit(&t);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(f10_no_query_is_amplified),
		cmocka_unit_test(f10_answers_are_complete),
		cmocka_unit_test(f10_response_time_has_a_floor),
		cmocka_unit_test(f13_a_storm_keeps_nobody_waiting),
		cmocka_unit_test(f13_made_up_hosts_do_not_keep_a_neighbour_waiting),
		cmocka_unit_test(f13_nothing_is_lost),
		cmocka_unit_test(f13_what_waits_survives_another_version),
		cmocka_unit_test(f13_answers_do_not_wait_for_changes),
		cmocka_unit_test(k12_last_leaves_are_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
