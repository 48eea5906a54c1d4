/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Followers of events: what they receive, and what they lose when they do not read. */

#include "control/show/monitor.h"

#include "ctl_fixture.h"

struct fixture {
	struct ctl_fixture server;
	struct monitor monitor;
};

static json_t *cmd_monitor(void *ctx, const char *args, struct ctl_stream **ret)
{
	struct fixture *f = ctx;

	return monitor_open(&f->monitor, args, ret);
}

static const struct monitor_subject any = {.event = "group_new"};

static const struct ctl_command commands[] = {
	{"monitor", .stream = cmd_monitor, .right = CTL_READ},
	{NULL, NULL},
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	ctl_fixture_init(&f->server, commands, f);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	ctl_fixture_deinit(&f->server);
	free(f);
	return 0;
}

static int follower_of(struct fixture *f, const char *line)
{
	int fd = client(&f->server);

	say(fd, line);
	assert_string_equal(hear(&f->server, fd), "{\"monitor\":\"events\"}");
	return fd;
}

static int follower(struct fixture *f)
{
	return follower_of(f, "monitor\n");
}

/* The "event" of the next line, which must have a time; its count is written to
 * *ret_count. */
static const char *next_event(struct fixture *f, int fd, json_int_t *ret_count)
{
	static char name[32];
	json_t *e = json_loads(hear(&f->server, fd), 0, NULL);

	assert_non_null(e);
	assert_true(json_integer_value(json_object_get(e, "unix_ms")) > 0);
	snprintf(name, sizeof(name), "%s",
		json_string_value(json_object_get(e, "event")));
	*ret_count = json_integer_value(json_object_get(e, "count"));
	json_decref(e);
	return name;
}

static void say_event(struct fixture *f, const char *name, size_t size)
{
	char *filler = calloc(1, size + 1);

	memset(filler, 'x', size);
	monitor_say(&f->monitor, &(struct monitor_subject){.event = name},
		json_pack("{ss ss}", "event", name, "text", filler));
	free(filler);
}

static void nobody_follows(void **state)
{
	struct fixture *f = *state;
	int fd = client(&f->server);

	assert_false(monitor_has_followers(&f->monitor));
	assert_false(monitor_wants(&f->monitor, mono_from_ms(1), &any));
	say(fd, "monitor everything\n");
	assert_string_equal(hear(&f->server, fd),
		"{\"error\":\"'everything' is not understood: monitor takes "
		"only=KIND,..., one group=GROUP, and up to 16 interface=NAME\"}");
	assert_false(monitor_has_followers(&f->monitor));
	close(fd);
}

static void tell(
	struct fixture *f, const char *event, const char *interface, const char *group)
{
	struct monitor_subject s = {event, interface, group};
	json_t *e = json_pack("{ss ss}", "event", event, "text", "t");

	if (interface)
		json_object_set_new(e, "interface", json_string(interface));
	if (group)
		json_object_set_new(e, "group", json_string(group));
	if (monitor_wants(&f->monitor, mono_from_ms(1), &s))
		monitor_say(&f->monitor, &s, e);
	else
		json_decref(e);
}

static void filters(void **state)
{
	struct fixture *f = *state;
	int kinds = follower_of(f, "monitor only=stream,link\n");
	int groups = follower_of(
		f, "monitor group=239.1.0.0/16 interface=lan1 interface=wan\n");
	json_int_t count;

	tell(f, "group_new", "lan2", "239.1.2.3");
	tell(f, "reload", NULL, NULL);
	tell(f, "link_down", "lan1", NULL);
	tell(f, "host_joined", "lan1", "239.2.2.3");
	tell(f, "group_limit", "lan1", "239.1.9.9");
	tell(f, "stream_arrives", "wan", "239.1.2.3");
	assert_string_equal(next_event(f, kinds, &count), "link_down");
	assert_string_equal(next_event(f, kinds, &count), "stream_arrives");
	assert_string_equal(next_event(f, groups, &count), "group_limit");
	assert_string_equal(next_event(f, groups, &count), "stream_arrives");
	close(kinds);
	close(groups);
}

static void each_event_has_a_kind(void **state)
{
	static const char *const rows[][2] = {
		{"group", "group_gone"},
		{"host", "host_left"},
		{"link", "link_back"},
		{"querier", "querier_lost"},
		{"querier", "older_querier"},
		{"forwarder", "forwarder_stopped"},
		{"stream", "stream_ended"},
		{"refused", "group_limit"},
		{"refused", "host_quota"},
		{"refused", "messages_limited"},
		{"refused", "report_foreign"},
		{"reload", "reload_refused"},
	};
	struct fixture *f = *state;
	char line[64];
	json_int_t count;

	for (size_t i = 0; i < array_len(rows); i++) {
		int fd;

		snprintf(line, sizeof(line), "monitor only=%s\n", rows[i][0]);
		fd = follower_of(f, line);
		for (size_t k = 0; k < array_len(rows); k++)
			if (strcmp(rows[k][0], rows[i][0]) != 0)
				tell(f, rows[k][1], NULL, NULL);
		tell(f, rows[i][1], NULL, NULL);
		assert_string_equal(next_event(f, fd, &count), rows[i][1]);
		shutdown(fd, SHUT_WR);
		assert_null(hear(&f->server, fd));
		close(fd);
	}
}

/* Events that pass no filter never count as lost, however many there are. */
static void what_nobody_wants_is_not_lost(void **state)
{
	struct fixture *f = *state;
	int fd = follower_of(f, "monitor only=link\n");
	json_int_t count;

	for (unsigned i = 0; i < 3 * MONITOR_BURST; i++)
		tell(f, "host_joined", "lan1", NULL);
	tell(f, "link_up", "lan1", NULL);
	assert_string_equal(next_event(f, fd, &count), "link_up");
	close(fd);
}

static void requests_that_are_wrong(void **state)
{
	static const char *const lines[] = {"monitor only=streams\n",
		"monitor group=lan1\n", "monitor interface=\n",
		"monitor interface=longer-than-a-name\n",
		"monitor group=239.1.1.1 group=239.1.1.2\n", "monitor lan1\n"};
	struct fixture *f = *state;
	int fd = client(&f->server);

	for (size_t i = 0; i < array_len(lines); i++) {
		say(fd, lines[i]);
		assert_non_null(strstr(hear(&f->server, fd), "\"error\""));
	}
	assert_false(monitor_has_followers(&f->monitor));
	close(fd);
}

static void all_get_every_event(void **state)
{
	struct fixture *f = *state;
	int a = follower(f), b = follower(f);
	json_int_t count;

	assert_true(monitor_wants(&f->monitor, mono_from_ms(1), &any));
	say_event(f, "one", 1);
	say_event(f, "two", 1);
	assert_string_equal(next_event(f, a, &count), "one");
	assert_string_equal(next_event(f, a, &count), "two");
	assert_string_equal(next_event(f, b, &count), "one");
	shutdown(a, SHUT_WR);
	assert_null(hear(&f->server, a));
	say_event(f, "three", 1);
	assert_string_equal(next_event(f, b, &count), "two");
	assert_string_equal(next_event(f, b, &count), "three");
	close(a);
	close(b);
}

/* The queue of a follower is bounded. It learns how many events are missing and where,
 * and the other followers lose none. */
static void slow_follower_is_told_what_it_lost(void **state)
{
	enum { SIZE = 10000, N = 400, FIRST = 40 };
	struct fixture *f = *state;
	int slow = follower(f), quick;
	json_int_t count = 0, got = 0, lost = 0;
	const char *name;

	for (unsigned i = 0; i < N; i++)
		say_event(f, "big", SIZE);
	quick = follower(f);
	say_event(f, "big", SIZE);
	assert_string_equal(next_event(f, quick, &count), "big");
	while (got < FIRST && strcmp(next_event(f, slow, &count), "big") == 0)
		got++;
	say_event(f, "small", 1);
	assert_string_equal(next_event(f, quick, &count), "small");
	while (strcmp(name = next_event(f, slow, &count), "small") != 0) {
		got += strcmp(name, "big") == 0;
		lost += count;
	}
	assert_true(lost > 0 && got >= CTL_MAX_STREAM_PENDING / (2 * SIZE));
	assert_int_equal(got + lost, N + 1);
	close(slow);
	close(quick);
}

static void storm_costs_no_more_than_its_rate(void **state)
{
	struct fixture *f = *state;
	int fd = follower(f);
	json_int_t count;
	unsigned n = 0;

	while (monitor_wants(&f->monitor, mono_from_ms(1000), &any))
		n++;
	assert_int_equal(n, MONITOR_BURST);
	for (unsigned i = 0; i < 9; i++)
		assert_false(monitor_wants(&f->monitor, mono_from_ms(1000), &any));
	assert_true(monitor_wants(&f->monitor, mono_from_ms(1001), &any));
	say_event(f, "calm", 1);
	assert_string_equal(next_event(f, fd, &count), "lost");
	assert_int_equal(count, 10);
	assert_string_equal(next_event(f, fd, &count), "calm");
	for (n = 1; monitor_wants(&f->monitor, mono_from_ms(2000), &any);)
		n++;
	assert_int_equal(n, MONITOR_RATE);
	/* the last line before the end */
	shutdown(fd, SHUT_WR);
	assert_string_equal(next_event(f, fd, &count), "lost");
	assert_null(hear(&f->server, fd));
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(nobody_follows, setup, teardown),
		cmocka_unit_test_setup_teardown(filters, setup, teardown),
		cmocka_unit_test_setup_teardown(each_event_has_a_kind, setup, teardown),
		cmocka_unit_test_setup_teardown(
			what_nobody_wants_is_not_lost, setup, teardown),
		cmocka_unit_test_setup_teardown(
			requests_that_are_wrong, setup, teardown),
		cmocka_unit_test_setup_teardown(all_get_every_event, setup, teardown),
		cmocka_unit_test_setup_teardown(
			slow_follower_is_told_what_it_lost, setup, teardown),
		cmocka_unit_test_setup_teardown(
			storm_costs_no_more_than_its_rate, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
