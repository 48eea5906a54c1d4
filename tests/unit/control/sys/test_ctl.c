/* SPDX-License-Identifier: GPL-2.0-or-later */

/* ctl: requests in pieces, several clients, misbehaving clients, and the socket
 * file. */

#include "control/show/json.h"
#include "control/sys/ctl.h"
#include "ctl_fixture.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>

struct fixture {
	struct ctl_fixture server;
	char *large; /* a reply of `n_large` bytes */
	size_t n_large;
};

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

	ctl_fixture_init(&f->server, commands, f);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	ctl_fixture_deinit(&f->server);
	free(f->large);
	free(f);
	return 0;
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
	int fd = client(&f->server);

	for (size_t i = 0; i < array_len(c); i++) {
		say(fd, c[i].request);
		assert_string_equal(hear(&f->server, fd), c[i].reply);
	}
	close(fd);
}

static void lines_may_come_in_pieces(void **state)
{
	struct fixture *f = *state;
	int fd = client(&f->server), other = client(&f->server);

	say(fd, "ec");
	say(other, "echo first\n");
	assert_string_equal(hear(&f->server, other), "{\"args\":\"first\"}");
	say(fd, "ho 1\necho 2\necho");
	assert_string_equal(hear(&f->server, fd), "{\"args\":\"1\"}");
	assert_string_equal(hear(&f->server, fd), "{\"args\":\"2\"}");
	say(other, "echo second\n");
	assert_string_equal(hear(&f->server, other), "{\"args\":\"second\"}");
	say(fd, " 3\n");
	assert_string_equal(hear(&f->server, fd), "{\"args\":\"3\"}");
	close(fd);
	close(other);
}

static void half_closed_client_gets_its_answer(void **state)
{
	struct fixture *f = *state;
	int fd = client(&f->server);

	say(fd, "show mfc\n");
	shutdown(fd, SHUT_WR);
	assert_string_equal(hear(&f->server, fd), "{\"mfc\":[]}");
	assert_null(hear(&f->server, fd));
	close(fd);
}

static void longest_line_and_one_more(void **state)
{
	struct fixture *f = *state;
	char line[CTL_MAX_REQUEST + 2];
	int fd = client(&f->server);

	memset(line, 'x', sizeof(line));
	memcpy(line, "echo ", 5);
	line[CTL_MAX_REQUEST - 1] = '\n';
	line[CTL_MAX_REQUEST] = '\0';
	say(fd, line);
	assert_int_equal(strlen(hear(&f->server, fd)),
		CTL_MAX_REQUEST - 1 - 5 + strlen("{\"args\":\"\"}"));

	line[CTL_MAX_REQUEST - 1] = 'x';
	line[CTL_MAX_REQUEST] = '\n';
	line[CTL_MAX_REQUEST + 1] = '\0';
	say(fd, line);
	assert_string_equal(
		hear(&f->server, fd), "{\"error\":\"the request line is too long\"}");
	assert_null(hear(&f->server, fd));
	close(fd);
}

static void make_large(struct fixture *f, size_t n)
{
	f->large = malloc(n);
	assert_non_null(f->large);
	memset(f->large, 'x', n);
	f->n_large = n;
}

static void large_reply_arrives_whole(void **state)
{
	struct fixture *f = *state;
	int slow, quick;

	make_large(f, 2 << 20);
	slow = client(&f->server);
	quick = client(&f->server);
	say(slow, "large\necho after\n");
	say(quick, "echo quick\n");
	assert_string_equal(hear(&f->server, quick), "{\"args\":\"quick\"}");
	swallow(&f->server, slow, f->n_large + strlen("{\"x\":\"\"}\n"));
	assert_string_equal(hear(&f->server, slow), "{\"args\":\"after\"}");
	close(slow);
	close(quick);
}

/* F12: further requests of a client that does not read stay in its socket, and other
 * clients do not wait for it. */
static void f12_a_client_that_never_reads_costs_one_reply(void **state)
{
	struct fixture *f = *state;
	struct ctl_stats stats;
	size_t n_large = 0;
	int slow, quick;

	make_large(f, 1 << 20);
	slow = client(&f->server);
	quick = client(&f->server);
	while (send(slow, "large\n", 6, MSG_NOSIGNAL | MSG_DONTWAIT) == 6)
		n_large++;
	assert_true(n_large > 100);
	for (unsigned i = 0; i < 100; i++) {
		say(quick, "echo still here\n");
		assert_string_equal(
			hear(&f->server, quick), "{\"args\":\"still here\"}");
	}
	ctl_stats(f->server.ctl, &stats);
	assert_int_equal(stats.n_clients, 2);
	assert_in_range(stats.pending, 1, f->n_large + 16);
	/* when it reads, it gets all replies */
	for (unsigned i = 0; i < 8; i++)
		swallow(&f->server, slow, f->n_large + strlen("{\"x\":\"\"}\n"));
	close(slow);
	close(quick);
}

static void reply_beyond_the_limit_is_an_error(void **state)
{
	struct fixture *f = *state;
	int fd;

	make_large(f, CTL_MAX_PENDING + 1);
	fd = client(&f->server);
	say(fd, "large\n");
	assert_string_equal(
		hear(&f->server, fd), "{\"error\":\"the reply is too large\"}");
	say(fd, "echo on\n");
	assert_string_equal(hear(&f->server, fd), "{\"args\":\"on\"}");
	close(fd);
}

static void one_client_too_many_displaces_the_idlest(void **state)
{
	struct fixture *f = *state;
	int fd[CTL_MAX_CLIENTS + 1];

	for (size_t i = 0; i < CTL_MAX_CLIENTS; i++) {
		fd[i] = client(&f->server);
		say(fd[i], "echo\n");
		assert_string_equal(hear(&f->server, fd[i]), "{\"args\":\"\"}");
	}
	say(fd[0], "echo\n");
	assert_string_equal(hear(&f->server, fd[0]), "{\"args\":\"\"}");
	fd[CTL_MAX_CLIENTS] = client(&f->server);
	say(fd[CTL_MAX_CLIENTS], "echo\n");
	assert_string_equal(hear(&f->server, fd[CTL_MAX_CLIENTS]), "{\"args\":\"\"}");
	assert_null(hear(&f->server, fd[1]));
	say(fd[0], "echo\n");
	assert_string_equal(hear(&f->server, fd[0]), "{\"args\":\"\"}");
	for (size_t i = 0; i < array_len(fd); i++)
		close(fd[i]);
}

static void no_descriptor_left_means_hanging_up(void **state)
{
	struct fixture *f = *state;
	struct rlimit old, tight;
	int first = client(&f->server), second, filler[64], n = 0;

	say(first, "echo\n");
	assert_string_equal(hear(&f->server, first), "{\"args\":\"\"}");
	second = client(&f->server);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	tight = old;
	tight.rlim_cur = (rlim_t)second + 1;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &tight), 0);
	while ((filler[n] = dup(second)) >= 0)
		assert_true(++n < (int)array_len(filler));
	assert_int_equal(errno, EMFILE);
	assert_null(hear(&f->server, second));
	say(first, "echo again\n");
	assert_string_equal(hear(&f->server, first), "{\"args\":\"again\"}");

	while (n > 0)
		close(filler[--n]);
	close(second);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	second = client(&f->server);
	say(second, "echo\n");
	assert_string_equal(hear(&f->server, second), "{\"args\":\"\"}");
	close(first);
	close(second);
}

static void socket_file(void **state)
{
	struct fixture *f = *state;
	struct ctl *second = NULL;
	struct stat st;

	assert_int_equal(stat(f->server.path, &st), 0);
	assert_true(S_ISSOCK(st.st_mode));
	assert_int_equal(st.st_mode & 07777, 0660);

	/* a daemon answers on the socket, so it is not taken over */
	assert_int_equal(
		ctl_new(f->server.loop, f->server.path, -1, commands, f, &second),
		-EADDRINUSE);
	assert_int_equal(ctl_listener(f->server.path), getpid());
	assert_int_equal(ctl_listener("/nonexistent/socket"), 0);
	assert_int_equal(stat(f->server.path, &st), 0);

	/* the next start replaces it */
	f->server.ctl = ctl_free(f->server.ctl);
	assert_int_equal(stat(f->server.path, &st), 0);
}

static void file_goes_to_a_group(void **state)
{
	struct fixture *f = *state;
	bool root = geteuid() == 0;
	gid_t other = getegid() + 1;
	struct stat st;

	assert_int_equal(ctl_set_group(f->server.ctl, other), root ? 0 : -EPERM);
	assert_int_equal(stat(f->server.path, &st), 0);
	assert_int_equal(st.st_gid, root ? other : getegid());
	assert_int_equal(st.st_mode & 07777, 0660);
	assert_int_equal(ctl_set_group(f->server.ctl, getegid()), 0);
	assert_int_equal(stat(f->server.path, &st), 0);
	assert_int_equal(st.st_gid, getegid());

	/* the path now belongs to another file */
	assert_int_equal(unlink(f->server.path), 0);
	assert_int_equal(ctl_set_group(f->server.ctl, getegid()), -ENOENT);
	assert_int_equal(symlink("/dev/null", f->server.path), 0);
	assert_int_equal(ctl_set_group(f->server.ctl, getegid()), -ESTALE);
}

static void stale_socket_is_replaced(void **state)
{
	struct fixture *f = *state;
	int fd;

	f->server.ctl = ctl_free(f->server.ctl);
	assert_int_equal(ctl_new(f->server.loop, f->server.path, -1, commands, f,
				 &f->server.ctl),
		0);
	fd = client(&f->server);
	say(fd, "show mfc\n");
	assert_string_equal(hear(&f->server, fd), "{\"mfc\":[]}");
	close(fd);
}

static void other_files_are_left_alone(void **state)
{
	struct fixture *f = *state;
	char path[256];
	struct stat st;
	int fd;

	f->server.ctl = ctl_free(f->server.ctl);
	assert_int_equal(unlink(f->server.path), 0);
	fd = open(f->server.path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(ctl_new(f->server.loop, f->server.path, -1, commands, f,
				 &f->server.ctl),
		-EEXIST);
	assert_int_equal(stat(f->server.path, &st), 0);

	memset(path, 'x', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	assert_int_equal(ctl_new(f->server.loop, path, -1, commands, f, &f->server.ctl),
		-ENAMETOOLONG);
	/* below a file, and below a directory that does not exist */
	snprintf(path, sizeof(path), "%s/x", f->server.path);
	assert_int_equal(ctl_new(f->server.loop, path, -1, commands, f, &f->server.ctl),
		-ENOTDIR);
	assert_int_equal(unlink(f->server.path), 0);
	assert_int_equal(ctl_new(f->server.loop, path, -1, commands, f, &f->server.ctl),
		-ENOENT);
	assert_null(f->server.ctl);
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
		t(f12_a_client_that_never_reads_costs_one_reply),
		t(reply_beyond_the_limit_is_an_error),
		t(one_client_too_many_displaces_the_idlest),
		t(no_descriptor_left_means_hanging_up),
		t(socket_file),
		t(file_goes_to_a_group),
		t(stale_socket_is_replaced),
		t(other_files_are_left_alone),
		cmocka_unit_test(small_values),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
