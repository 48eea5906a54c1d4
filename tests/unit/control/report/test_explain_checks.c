/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The list of checks: which outputs share a line, and the checks that do not decide
 * whether the stream arrives.
 */

#include "explain_fixture.h"
#include "fail_alloc.h"

/* 40 hotel rooms that watch, of which one has a fault: the others share one line. */
static void rooms_where_all_is_well_are_one_line(void **state)
{
	struct explain_output out[40];
	struct explain e = {0};
	struct situation s;
	unsigned together = 0, alone = 0;

	arrives(&s);
	for (size_t i = 0; i < array_len(out); i++) {
		out[i] = s.out[0];
		snprintf(out[i].i.name, IFNAMSIZ, "room%zu", i + 1);
	}
	out[20].doubled = true;
	s.f.input = s.in;
	s.f.output = out;
	s.f.n_output = array_len(out);
	explain(&s.f, &e);
	assert_int_equal(e.verdict, EXPLAIN_PASS);
	assert_non_null(strstr(e.summary, "datagrams arrive twice"));
	for (size_t i = 0; i < e.n; i++) {
		if (strcmp(e.check[i].check, "members") != 0)
			continue;
		together += !*e.check[i].interface;
		alone += strcmp(e.check[i].interface, "room21") == 0;
	}
	assert_int_equal(together, 1);
	assert_int_equal(alone, 1);
	assert_true(e.n < 20);
	explain_deinit(&e);
}

/* 40 hotel rooms, one of which watches: the others share one line, and none counts as
 * refusing. */
static void rooms_that_never_asked_are_one_line(void **state)
{
	struct explain_output out[40];
	struct explain e = {0};
	struct situation s;
	unsigned refused_checks = 0, about_rooms = 0;

	arrives(&s);
	for (size_t i = 0; i < array_len(out); i++) {
		out[i] = s.out[i == 0 ? 0 : 1];
		snprintf(out[i].i.name, IFNAMSIZ, "room%zu", i + 1);
	}
	s.f.input = s.in;
	s.f.output = out;
	s.f.n_output = array_len(out);
	explain(&s.f, &e);
	assert_int_equal(e.verdict, EXPLAIN_PASS);
	assert_string_equal(e.summary, FLOWS);
	for (size_t i = 0; i < e.n; i++) {
		refused_checks += e.check[i].verdict == EXPLAIN_REFUSE;
		about_rooms += strcmp(e.check[i].check, "members") == 0 &&
			!*e.check[i].interface;
	}
	assert_int_equal(refused_checks, 0);
	assert_int_equal(about_rooms, 1);
	assert_true(e.n < 20);
	explain_deinit(&e);
}

static void one_host_and_several(void **state)
{
	static const char *const want[] = {
		NULL, "1 host on lan1 wants it", "2 hosts on lan1 want it"};

	for (unsigned n = 1; n <= 2; n++) {
		struct explain e = {0};
		struct situation s;
		bool found = false;

		arrives(&s);
		s.out[0].n_hosts = n;
		judge(&s, &e);
		for (size_t i = 0; i < e.n; i++)
			found |= strcmp(e.check[i].text, want[n]) == 0;
		assert_true(found);
		explain_deinit(&e);
	}
}

/* The names are words of the control socket. */
static void verdicts_have_names(void **state)
{
	assert_string_equal(explain_verdict_name(EXPLAIN_PASS), "pass");
	assert_string_equal(explain_verdict_name(EXPLAIN_REFUSE), "refuse");
	assert_string_equal(explain_verdict_name(EXPLAIN_UNKNOWN), "unknown");
	assert_string_equal(explain_verdict_name(EXPLAIN_NOTE), "note");
}

/* The caller learns that the list is incomplete; 40 outputs need more than one
 * allocation. */
static void memory_runs_out(void **state)
{
	struct explain_output out[40];

	for (long n = 0;; n++) {
		struct explain e = {0};
		struct situation s;

		arrives(&s);
		for (size_t i = 0; i < array_len(out); i++)
			out[i] = s.out[0];
		for (size_t i = 0; i < array_len(out); i++)
			out[i].not_sent = 1; /* so that each has its own checks */
		s.f.input = s.in;
		s.f.output = out;
		s.f.n_output = array_len(out);
		fail_alloc_after = n;
		explain(&s.f, &e);
		assert_int_equal(e.lost, fail_alloc_after < 0);
		assert_true(*e.summary);
		explain_deinit(&e);
		if (fail_alloc_after >= 0) {
			assert_true(n >= 3);
			break;
		}
	}
	fail_alloc_after = -1;
}

static const struct explain_check *judge_joined(struct situation *s, struct explain *e)
{
	judge(s, e);
	for (size_t i = 0; i < e->n; i++)
		if (strcmp(e->check[i].check, "joined") == 0)
			return &e->check[i];
	return NULL;
}

static void joining_is_told_with_its_reasons(void **state)
{
	const struct explain_check *c;
	struct explain e = {0};
	struct situation s;

	arrives(&s);
	assert_null(judge_joined(&s, &e));
	s.f.joined = (struct joined_counts){.datagrams = 316, .messages = 200};
	s.f.joined.end[JOINED_ID] = 121;
	s.f.joined.end[JOINED_LAST] = 60;
	s.f.joined.end[JOINED_SIZE] = 19;
	c = judge_joined(&s, &e);
	assert_non_null(c);
	assert_int_equal(c->verdict, EXPLAIN_NOTE);
	assert_string_equal(c->text,
		"1.58 of its datagrams leave in one message; 61 % of the messages end "
		"there because the IP identifications do not rise; 30 %: no other one had "
		"arrived by then; 10 %: the sizes differ");
	assert_non_null(strstr(c->advice, "DF"));
	assert_int_equal(e.verdict, EXPLAIN_PASS);
	/* every text fits, with the largest numbers */
	for (unsigned i = 0; i < _JOINED_N; i++) {
		s.f.joined = (struct joined_counts){UINT32_MAX, UINT32_MAX, {0}};
		for (unsigned k = 0; k < _JOINED_N; k++)
			s.f.joined.end[k] = UINT32_MAX / 10;
		s.f.joined.end[i] += UINT32_MAX / 10;
		c = judge_joined(&s, &e);
		assert_in_range(strlen(c->text), 1, EXPLAIN_TEXT_LEN - 2);
	}
	explain_deinit(&e);
}

/* item 5 of the quality of streams */
static void quality_is_told_with_its_place(void **state)
{
	static const struct {
		uint64_t judged, provider, router, lost;
		enum stream_place place;
		enum stream_drop drop;
		const char *text, *advice; /* or NULL */
		bool in_summary;
	} rows[] = {
		{3600, 0, 0, 0, STREAM_CLEAN, STREAM_DROP_NONE, "3600 s without faults",
			NULL, false},
		{3600, 12, 0, 34, STREAM_PROVIDER, STREAM_DROP_NONE,
			"12 of 3600 s with faults, before this router; 34 datagrams lost",
			"ask the provider", true},
		{60, 0, 3, 9, STREAM_ROUTER, STREAM_DROP_RING,
			"3 of 60 s with faults, in this router; 9 datagrams lost",
			"raise ring-size", true},
		{60, 5, 2, 0, STREAM_CLEAN, STREAM_DROP_MTU,
			"7 of 60 s with faults, 5 before this router and 2 in it",
			"ask the provider", true},
		{600, 0, 0, 0, STREAM_BEYOND, STREAM_DROP_NONE, "600 s without faults",
			"look at the LAN", false},
		{0, 0, 0, 0, STREAM_UNKNOWN, STREAM_DROP_NONE, NULL, NULL, false},
	};

	for (size_t i = 0; i < array_len(rows); i++) {
		struct explain_stream stream = {.source = a("10.9.0.1"),
			.port = 5000,
			.kind = "MPEG-TS",
			.place = rows[i].place,
			.drop = rows[i].drop,
			.judged = rows[i].judged,
			.provider = rows[i].provider,
			.router = rows[i].router,
			.lost = rows[i].lost};
		struct situation s;
		struct explain e = {0};
		const struct explain_check *c = NULL;

		arrives(&s);
		s.f.input = s.in;
		s.f.output = s.out;
		s.f.stream = &stream;
		s.f.n_stream = 1;
		explain(&s.f, &e);
		assert_int_equal(e.verdict, EXPLAIN_PASS);
		for (size_t k = 0; k < e.n; k++)
			if (strcmp(e.check[k].check, "quality") == 0)
				c = &e.check[k];
		assert_int_equal(c != NULL, rows[i].text != NULL);
		if (c) {
			assert_non_null(strstr(c->text, rows[i].text));
			assert_non_null(strstr(c->text, "10.9.0.1 to port 5000"));
			assert_int_equal(c->verdict, EXPLAIN_NOTE);
			assert_int_equal(*c->advice != '\0', rows[i].advice != NULL);
			assert_non_null(strstr(
				c->advice, rows[i].advice ? rows[i].advice : ""));
		}
		assert_int_equal(
			strstr(e.summary, "faults within the last hour") != NULL,
			rows[i].in_summary);
		explain_deinit(&e);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(quality_is_told_with_its_place),
		cmocka_unit_test(rooms_where_all_is_well_are_one_line),
		cmocka_unit_test(rooms_that_never_asked_are_one_line),
		cmocka_unit_test(one_host_and_several),
		cmocka_unit_test(verdicts_have_names),
		cmocka_unit_test(joining_is_told_with_its_reasons),
		cmocka_unit_test(memory_runs_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
