/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Streams of the control socket: how they begin and end, and clients that are slow,
 * gone, or too many. */

#include "ctl_fixture.h"

struct stream {
	struct ctl_stream s;
	bool open;
	unsigned n_closed;
};

struct fixture {
	struct ctl_fixture server;
	struct stream stream[CTL_MAX_STREAMS + 1];
	unsigned n;
};

static struct stream *stream_of(struct ctl_stream *s)
{
	return container_of(s, struct stream, s);
}

static void opened(struct ctl_stream *s)
{
	stream_of(s)->open = true;
	assert_true(ctl_stream_write(s, "first\n", 6));
}

static void ending(struct ctl_stream *s)
{
	assert_true(ctl_stream_write(s, "last\n", 5));
}

static void closed(struct ctl_stream *s)
{
	struct stream *st = stream_of(s);

	st->open = false;
	st->n_closed++;
	assert_false(ctl_stream_write(s, "x", 1));
}

static const struct ctl_stream_ops ops = {
	.opened = opened, .ending = ending, .closed = closed};

static json_t *cmd_stream(void *ctx, const char *args, struct ctl_stream **ret)
{
	struct fixture *f = ctx;
	struct stream *s = &f->stream[f->n];

	if (strcmp(args, "yes") != 0 && strcmp(args, "no memory") != 0)
		return ctl_error("not '%s'", args);
	f->n++;
	s->s.ops = &ops;
	*ret = &s->s;
	if (*args == 'n')
		return NULL; /* no memory for the reply */
	return json_pack("{s:b}", "ok", 1);
}

static json_t *cmd_echo(void *ctx, const char *args)
{
	return json_pack("{s:s}", "args", args);
}

static const struct ctl_command commands[] = {
	{"stream", .stream = cmd_stream},
	{"echo", cmd_echo},
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
	for (unsigned i = 0; i < f->n; i++) {
		assert_false(f->stream[i].open);
		assert_int_equal(f->stream[i].n_closed, 1);
	}
	free(f);
	return 0;
}

/* a client whose stream has begun */
static int subscriber(struct fixture *f)
{
	int fd = client(&f->server);

	say(fd, "stream yes\n");
	assert_string_equal(hear(&f->server, fd), "{\"ok\":true}");
	assert_string_equal(hear(&f->server, fd), "first");
	return fd;
}

static void begins_behind_the_reply(void **state)
{
	struct fixture *f = *state;
	int fd = client(&f->server);

	say(fd, "stream no\n");
	assert_string_equal(hear(&f->server, fd), "{\"error\":\"not 'no'\"}");
	/* lines after the request are not requests */
	say(fd, "echo 1\nstream yes\necho 2\n");
	assert_string_equal(hear(&f->server, fd), "{\"args\":\"1\"}");
	assert_string_equal(hear(&f->server, fd), "{\"ok\":true}");
	assert_string_equal(hear(&f->server, fd), "first");
	say(fd, "echo 3\n");
	assert_true(ctl_stream_write(&f->stream[0].s, "a\n", 2));
	assert_true(ctl_stream_write(&f->stream[0].s, "b\n", 2));
	assert_string_equal(hear(&f->server, fd), "a");
	assert_string_equal(hear(&f->server, fd), "b");
	close(fd);
}

static void without_a_reply_there_is_none(void **state)
{
	struct fixture *f = *state;
	int fd = client(&f->server);

	say(fd, "stream no memory\necho 1\n");
	assert_string_equal(hear(&f->server, fd), "{\"error\":\"out of memory\"}");
	assert_string_equal(hear(&f->server, fd), "{\"args\":\"1\"}");
	assert_int_equal(f->stream[0].n_closed, 1);
	close(fd);
}

static void half_close_brings_the_last_words(void **state)
{
	struct fixture *f = *state;
	int fd = subscriber(f);

	shutdown(fd, SHUT_WR);
	assert_string_equal(hear(&f->server, fd), "last");
	assert_null(hear(&f->server, fd));
	assert_int_equal(f->stream[0].n_closed, 1);
	close(fd);
}

static void end_of_the_server_brings_them_too(void **state)
{
	struct fixture *f = *state;
	int fd = subscriber(f);

	assert_true(ctl_stream_write(&f->stream[0].s, "a\n", 2));
	f->server.ctl = ctl_free(f->server.ctl);
	assert_string_equal(hear(&f->server, fd), "a");
	assert_string_equal(hear(&f->server, fd), "last");
	assert_null(hear(&f->server, fd));
	close(fd);
}

static void slow_client_is_refused_but_stays(void **state)
{
	struct fixture *f = *state;
	int fd = subscriber(f), other = client(&f->server);
	static char line[1000];
	size_t n = 0;

	memset(line, 'x', sizeof(line));
	line[sizeof(line) - 1] = '\n';
	while (ctl_stream_write(&f->stream[0].s, line, sizeof(line)))
		assert_true(++n < 2 * CTL_MAX_STREAM_PENDING / sizeof(line));
	assert_true(n >= CTL_MAX_STREAM_PENDING / sizeof(line));
	assert_true(f->stream[0].open);
	say(other, "echo on\n");
	assert_string_equal(hear(&f->server, other), "{\"args\":\"on\"}");
	/* when the client reads, nothing accepted is missing, and there is room
	 * again */
	swallow(&f->server, fd, n * sizeof(line));
	assert_true(ctl_stream_write(&f->stream[0].s, "again\n", 6));
	assert_string_equal(hear(&f->server, fd), "again");
	/* a full queue still has room for the last line */
	for (n = 0; ctl_stream_write(&f->stream[0].s, line, sizeof(line)); n++)
		;
	shutdown(fd, SHUT_WR);
	swallow(&f->server, fd, n * sizeof(line));
	assert_string_equal(hear(&f->server, fd), "last");
	assert_null(hear(&f->server, fd));
	close(fd);
	close(other);
}

static void client_that_is_gone_is_noticed(void **state)
{
	struct fixture *f = *state;
	int fd = subscriber(f);

	close(fd);
	while (f->stream[0].open)
		assert_int_equal(loop_round(f->server.loop), 0);
}

static void newcomers_do_not_displace_streams(void **state)
{
	struct fixture *f = *state;
	int fd[CTL_MAX_STREAMS], other[CTL_MAX_CLIENTS];

	for (size_t i = 0; i < array_len(fd); i++)
		fd[i] = subscriber(f);
	for (size_t i = 0; i < array_len(other); i++) {
		other[i] = client(&f->server);
		say(other[i], "echo\n");
		assert_string_equal(hear(&f->server, other[i]), "{\"args\":\"\"}");
	}
	say(other[array_len(other) - 1], "stream yes\n");
	assert_non_null(strstr(
		hear(&f->server, other[array_len(other) - 1]), "8 streams already"));
	assert_true(ctl_stream_write(&f->stream[0].s, "a\n", 2));
	assert_string_equal(hear(&f->server, fd[0]), "a");
	for (size_t i = 0; i < array_len(fd); i++)
		close(fd[i]);
	for (size_t i = 0; i < array_len(other); i++)
		close(other[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			begins_behind_the_reply, setup, teardown),
		cmocka_unit_test_setup_teardown(
			without_a_reply_there_is_none, setup, teardown),
		cmocka_unit_test_setup_teardown(
			half_close_brings_the_last_words, setup, teardown),
		cmocka_unit_test_setup_teardown(
			end_of_the_server_brings_them_too, setup, teardown),
		cmocka_unit_test_setup_teardown(
			slow_client_is_refused_but_stays, setup, teardown),
		cmocka_unit_test_setup_teardown(
			client_that_is_gone_is_noticed, setup, teardown),
		cmocka_unit_test_setup_teardown(
			newcomers_do_not_displace_streams, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
