/* SPDX-License-Identifier: GPL-2.0-or-later */

/* ctl: requests in pieces, several clients, clients that misbehave, the socket file.
 * Server and clients live in one thread: whoever waits runs the loop. */

#include "control/ctl.h"
#include "control/json.h"
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#define PATIENCE_MS 20000

struct fixture {
	struct loop *loop;
	struct ctl *ctl;
	mono_t deadline;
	char dir[64], path[96];
	char *large; /* a reply of `n_large` octets */
	size_t n_large;
};

static mono_t deadline(void *ctx)
{
	struct fixture *f = ctx;

	return f->deadline;
}

static void tick(void *ctx, mono_t now)
{
	fail_msg("nothing happened in %d ms", PATIENCE_MS);
}

static json_t *cmd_echo(void *ctx, const char *args)
{
	return json_pack("{s:s}", "args", args);
}

static json_t *cmd_show_mfc(void *ctx, const char *args)
{
	return json_pack("{s:[]}", "mfc");
}

static json_t *cmd_fail(void *ctx, const char *args)
{
	return ctl_error("no '%s' here", args);
}

static json_t *cmd_none(void *ctx, const char *args)
{
	return NULL;
}

static json_t *cmd_large(void *ctx, const char *args)
{
	struct fixture *f = ctx;

	return json_pack("{s:s%}", "x", f->large, f->n_large);
}

static const struct ctl_command commands[] = {
	{"echo", cmd_echo},
	{"show mfc", cmd_show_mfc},
	{"fail", cmd_fail},
	{"none", cmd_none},
	{"large", cmd_large},
	{NULL, NULL},
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct loop_ops ops = {.deadline = deadline, .tick = tick, .ctx = f};

	assert_int_equal(loop_new(&ops, &f->loop), 0);
	f->deadline = mono_add_ms(loop_now(f->loop), PATIENCE_MS);
	strcpy(f->dir, P_tmpdir "/test_ctl.XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	snprintf(f->path, sizeof(f->path), "%s/sock", f->dir);
	assert_int_equal(ctl_new(f->loop, f->path, commands, f, &f->ctl), 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	f->ctl = ctl_free(f->ctl);
	unlink(f->path);
	rmdir(f->dir);
	loop_free(f->loop);
	free(f->large);
	free(f);
	return 0;
}

static int client(struct fixture *f)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	strcpy(sun.sun_path, f->path);
	assert_true(fd >= 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&sun, sizeof(sun)), 0);
	return fd;
}

static void say(int fd, const char *text)
{
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

/* the next line without newline; NULL: the server has closed */
static const char *hear(struct fixture *f, int fd)
{
	static char line[8192];
	size_t n = 0;

	for (;;) {
		ssize_t got = recv(fd, line + n, 1, MSG_DONTWAIT);

		if (got == 0 || (got < 0 && errno == ECONNRESET))
			return NULL;
		if (got < 0) {
			assert_int_equal(errno, EAGAIN);
			assert_int_equal(loop_round(f->loop), 0);
			continue;
		}
		if (line[n] == '\n')
			break;
		assert_true(++n < sizeof(line));
	}
	line[n] = '\0';
	return line;
}

static void answers_commands(void **state)
{
	static const struct {
		const char *request, *reply;
	} c[] = {
		{"show mfc\n", "{\"mfc\":[]}"},
		{"show mfc\r\n", "{\"mfc\":[]}"},
		{"  echo \n", "{\"args\":\"\"}"},
		{"echo a  b \n", "{\"args\":\"a  b\"}"},
		{"fail x\n", "{\"error\":\"no 'x' here\"}"},
		{"none\n", "{\"error\":\"out of memory\"}"},
		{"\n", "{\"error\":\"unknown command ''\"}"},
		{"echoes\n", "{\"error\":\"unknown command 'echoes'\"}"},
		{"show  mfc\n", "{\"error\":\"unknown command 'show  mfc'\"}"},
		{"\xff\x01\n", "{\"error\":\"unknown command '?\?'\"}"},
	};
	struct fixture *f = *state;
	int fd = client(f);

	for (size_t i = 0; i < array_len(c); i++) {
		say(fd, c[i].request);
		assert_string_equal(hear(f, fd), c[i].reply);
	}
	close(fd);
}

static void lines_may_come_in_pieces(void **state)
{
	struct fixture *f = *state;
	int fd = client(f), other = client(f);

	say(fd, "ec");
	say(other, "echo first\n");
	assert_string_equal(hear(f, other), "{\"args\":\"first\"}");
	say(fd, "ho 1\necho 2\necho");
	assert_string_equal(hear(f, fd), "{\"args\":\"1\"}");
	assert_string_equal(hear(f, fd), "{\"args\":\"2\"}");
	say(other, "echo second\n");
	assert_string_equal(hear(f, other), "{\"args\":\"second\"}");
	say(fd, " 3\n");
	assert_string_equal(hear(f, fd), "{\"args\":\"3\"}");
	close(fd);
	close(other);
}

static void half_closed_client_gets_its_answer(void **state)
{
	struct fixture *f = *state;
	int fd = client(f);

	say(fd, "show mfc\n");
	shutdown(fd, SHUT_WR);
	assert_string_equal(hear(f, fd), "{\"mfc\":[]}");
	assert_null(hear(f, fd));
	close(fd);
}

static void longest_line_and_one_more(void **state)
{
	struct fixture *f = *state;
	char line[CTL_MAX_REQUEST + 2];
	int fd = client(f);

	memset(line, 'x', sizeof(line));
	memcpy(line, "echo ", 5);
	line[CTL_MAX_REQUEST - 1] = '\n';
	line[CTL_MAX_REQUEST] = '\0';
	say(fd, line);
	assert_int_equal(strlen(hear(f, fd)),
		CTL_MAX_REQUEST - 1 - 5 + strlen("{\"args\":\"\"}"));

	line[CTL_MAX_REQUEST - 1] = 'x';
	line[CTL_MAX_REQUEST] = '\n';
	line[CTL_MAX_REQUEST + 1] = '\0';
	say(fd, line);
	assert_string_equal(
		hear(f, fd), "{\"error\":\"the request line is too long\"}");
	assert_null(hear(f, fd));
	close(fd);
}

static void make_large(struct fixture *f, size_t n)
{
	f->large = malloc(n);
	assert_non_null(f->large);
	memset(f->large, 'x', n);
	f->n_large = n;
}

/* Read `n` octets while the server writes them. */
static void swallow(struct fixture *f, int fd, size_t n)
{
	static char buf[1 << 16];

	while (n > 0) {
		ssize_t got =
			recv(fd, buf, n < sizeof(buf) ? n : sizeof(buf), MSG_DONTWAIT);

		assert_true(got > 0 || (got < 0 && errno == EAGAIN));
		if (got > 0)
			n -= (size_t)got;
		else
			assert_int_equal(loop_round(f->loop), 0);
	}
}

static void large_reply_arrives_whole(void **state)
{
	struct fixture *f = *state;
	int slow, quick;

	make_large(f, 4 << 20);
	slow = client(f);
	quick = client(f);
	say(slow, "large\necho after\n");
	say(quick, "echo quick\n");
	assert_string_equal(hear(f, quick), "{\"args\":\"quick\"}");
	swallow(f, slow, f->n_large + strlen("{\"x\":\"\"}\n"));
	assert_string_equal(hear(f, slow), "{\"args\":\"after\"}");
	close(slow);
	close(quick);
}

static void who_does_not_read_is_dropped(void **state)
{
	struct fixture *f = *state;
	int slow, quick;

	make_large(f, 8 << 20);
	slow = client(f);
	quick = client(f);
	for (size_t i = 0; i < CTL_MAX_PENDING / f->n_large + 1; i++)
		say(slow, "large\n");
	say(quick, "echo still here\n");
	assert_string_equal(hear(f, quick), "{\"args\":\"still here\"}");
	/* the descriptor goes dead without the client reading anything */
	for (;;) {
		if (send(slow, "\n", 1, MSG_NOSIGNAL) < 0)
			break;
		assert_int_equal(loop_round(f->loop), 0);
	}
	assert_int_equal(errno, EPIPE);
	say(quick, "echo again\n");
	assert_string_equal(hear(f, quick), "{\"args\":\"again\"}");
	close(slow);
	close(quick);
}

static void reply_beyond_the_limit_is_an_error(void **state)
{
	struct fixture *f = *state;
	int fd;

	make_large(f, CTL_MAX_PENDING + 1);
	fd = client(f);
	say(fd, "large\n");
	assert_string_equal(hear(f, fd), "{\"error\":\"the reply is too large\"}");
	say(fd, "echo on\n");
	assert_string_equal(hear(f, fd), "{\"args\":\"on\"}");
	close(fd);
}

static void one_client_too_many_displaces_the_idlest(void **state)
{
	struct fixture *f = *state;
	int fd[CTL_MAX_CLIENTS + 1];

	for (size_t i = 0; i < CTL_MAX_CLIENTS; i++) {
		fd[i] = client(f);
		say(fd[i], "echo\n");
		assert_string_equal(hear(f, fd[i]), "{\"args\":\"\"}");
	}
	say(fd[0], "echo\n");
	assert_string_equal(hear(f, fd[0]), "{\"args\":\"\"}");
	fd[CTL_MAX_CLIENTS] = client(f);
	say(fd[CTL_MAX_CLIENTS], "echo\n");
	assert_string_equal(hear(f, fd[CTL_MAX_CLIENTS]), "{\"args\":\"\"}");
	assert_null(hear(f, fd[1]));
	say(fd[0], "echo\n");
	assert_string_equal(hear(f, fd[0]), "{\"args\":\"\"}");
	for (size_t i = 0; i < array_len(fd); i++)
		close(fd[i]);
}

static void no_descriptor_left_means_hanging_up(void **state)
{
	struct fixture *f = *state;
	struct rlimit old, tight;
	int first = client(f), second, filler[64], n = 0;

	say(first, "echo\n");
	assert_string_equal(hear(f, first), "{\"args\":\"\"}");
	second = client(f);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	tight = old;
	tight.rlim_cur = (rlim_t)second + 1;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &tight), 0);
	while ((filler[n] = dup(second)) >= 0)
		assert_true(++n < (int)array_len(filler));
	assert_int_equal(errno, EMFILE);
	assert_null(hear(f, second));
	say(first, "echo again\n");
	assert_string_equal(hear(f, first), "{\"args\":\"again\"}");

	while (n > 0)
		close(filler[--n]);
	close(second);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	second = client(f);
	say(second, "echo\n");
	assert_string_equal(hear(f, second), "{\"args\":\"\"}");
	close(first);
	close(second);
}

static void socket_file(void **state)
{
	struct fixture *f = *state;
	struct ctl *second = NULL;
	struct stat st;

	assert_int_equal(stat(f->path, &st), 0);
	assert_true(S_ISSOCK(st.st_mode));
	assert_int_equal(st.st_mode & 07777, 0660);

	/* a daemon answers there: not ours to take */
	assert_int_equal(ctl_new(f->loop, f->path, commands, f, &second), -EADDRINUSE);
	assert_int_equal(stat(f->path, &st), 0);

	f->ctl = ctl_free(f->ctl);
	assert_int_equal(stat(f->path, &st), -1);
}

static void stale_socket_is_replaced(void **state)
{
	struct fixture *f = *state;
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	f->ctl = ctl_free(f->ctl);
	strcpy(sun.sun_path, f->path);
	assert_int_equal(bind(fd, (struct sockaddr *)&sun, sizeof(sun)), 0);
	close(fd);
	assert_int_equal(ctl_new(f->loop, f->path, commands, f, &f->ctl), 0);
	fd = client(f);
	say(fd, "show mfc\n");
	assert_string_equal(hear(f, fd), "{\"mfc\":[]}");
	close(fd);
}

static void other_files_are_left_alone(void **state)
{
	struct fixture *f = *state;
	char path[256];
	struct stat st;
	int fd;

	f->ctl = ctl_free(f->ctl);
	fd = open(f->path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(ctl_new(f->loop, f->path, commands, f, &f->ctl), -EEXIST);
	assert_int_equal(stat(f->path, &st), 0);

	memset(path, 'x', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	assert_int_equal(ctl_new(f->loop, path, commands, f, &f->ctl), -ENAMETOOLONG);
	assert_int_equal(
		ctl_new(f->loop, "/nonexistent/x", commands, f, &f->ctl), -ENOENT);
	assert_null(f->ctl);
}

static void file_of_a_successor_stays(void **state)
{
	struct fixture *f = *state;
	struct ctl *second;
	struct stat st;

	assert_int_equal(unlink(f->path), 0);
	assert_int_equal(ctl_new(f->loop, f->path, commands, f, &second), 0);
	f->ctl = ctl_free(f->ctl);
	assert_int_equal(stat(f->path, &st), 0);
	ctl_free(second);
	assert_int_equal(stat(f->path, &st), -1);
}

static void assert_json(json_t *json, const char *want)
{
	char *text = json_dumps(json, JSON_COMPACT | JSON_ENCODE_ANY);

	assert_string_equal(text, want);
	free(text);
	json_decref(json);
}

static void small_values(void **state)
{
	struct addr v[] = {a("10.0.0.1"), a("ff0e::1"), a("0.0.0.0")};
	mono_t now = mono_from_ms(1000);

	assert_json(json_of_addr(&v[1]), "\"ff0e::1\"");
	assert_json(json_of_addr_or_null(&v[0]), "\"10.0.0.1\"");
	assert_json(json_of_addr_or_null(&v[2]), "null");
	assert_json(json_of_addrs(v, 2), "[\"10.0.0.1\",\"ff0e::1\"]");
	assert_json(json_of_addrs(v, 0), "[]");
	assert_json(json_of_mac((const uint8_t[6]){2, 0, 0xab, 0, 0, 1}),
		"\"02:00:ab:00:00:01\"");
	assert_json(json_of_ms_until(mono_from_ms(1250), now), "250");
	assert_json(json_of_ms_until(mono_from_ms(250), now), "0");
	assert_json(json_of_ms_until(MONO_NEVER, now), "null");
	assert_json(json_of_ms_until(MONO_UNSET, now), "null");
	assert_json(json_of_text("eth0"), "\"eth0\"");
	assert_json(json_of_text("e\xfft"), "\"e?t\"");
	assert_json(json_of_text(NULL), "null");
}

#define t(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		t(answers_commands),
		t(lines_may_come_in_pieces),
		t(half_closed_client_gets_its_answer),
		t(longest_line_and_one_more),
		t(large_reply_arrives_whole),
		t(who_does_not_read_is_dropped),
		t(reply_beyond_the_limit_is_an_error),
		t(one_client_too_many_displaces_the_idlest),
		t(no_descriptor_left_means_hanging_up),
		t(socket_file),
		t(stale_socket_is_replaced),
		t(other_files_are_left_alone),
		t(file_of_a_successor_stays),
		cmocka_unit_test(small_values),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
