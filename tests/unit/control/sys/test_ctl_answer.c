/* SPDX-License-Identifier: GPL-2.0-or-later */

/* ctl: replies in pieces (F7) and the order in which clients are served (F12). */

#include "base/cleanup.h"
#include "control/sys/ctl.h"
#include "ctl_fixture.h"

#define N_PIECES  1000
#define N_PIPE	  1000 /* requests per client */
#define PIECE_LEN 1000

struct fixture {
	struct ctl_fixture server;
	unsigned n_open;   /* unfinished answers */
	unsigned n_pieces; /* of all answers */
	unsigned n_round;  /* pieces and requests in this round */
	int fail_at;	   /* the piece that fails, or -1 */
};

struct list {
	struct ctl_answer answer;
	struct fixture *f;
	int n;
};

static int piece(struct ctl_answer *answer)
{
	struct list *l = container_of(answer, struct list, answer);
	char item[PIECE_LEN + 3];

	l->f->n_round++;
	l->f->n_pieces++;
	if (l->n == l->f->fail_at)
		return -EIO;
	memset(item, 'x', sizeof(item));
	item[0] = l->n ? ',' : '[';
	item[1] = item[PIECE_LEN + 2] = '"';
	ctl_answer_write(answer, item, sizeof(item));
	if (++l->n < N_PIECES)
		return 1;
	ctl_answer_write(answer, "]", 1);
	return 0;
}

static void closed(struct ctl_answer *answer)
{
	struct list *l = container_of(answer, struct list, answer);

	l->f->n_open--;
	free(l);
}

static json_t *cmd_list(void *ctx, const char *args, struct ctl_answer **ret)
{
	static const struct ctl_answer_ops ops = {piece, closed};
	struct fixture *f = ctx;
	struct list *l;

	if (*args)
		return ctl_error("no '%s' here", args);
	l = calloc(1, sizeof(*l));
	assert_non_null(l);
	*l = (struct list){.answer.ops = &ops, .f = f};
	f->n_open++;
	*ret = &l->answer;
	return NULL;
}

static json_t *cmd_echo(void *ctx, const char *args)
{
	struct fixture *f = ctx;

	f->n_round++;
	return json_pack("{ss}", "args", args);
}

static const struct ctl_command commands[] = {
	{"list", .answer = cmd_list},
	{"echo", cmd_echo},
	{NULL, NULL},
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	f->fail_at = -1;
	ctl_fixture_init(&f->server, commands, f);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	ctl_fixture_deinit(&f->server);
	assert_int_equal(f->n_open, 0);
	free(f);
	return 0;
}

/* Runs one round, which serves at most one client. */
static void round_of(struct fixture *f)
{
	f->n_round = 0;
	assert_int_equal(loop_round(f->server.loop), 0);
	assert_in_range(f->n_round, 0, 1);
}

static size_t pending(const struct fixture *f)
{
	struct ctl_stats s;

	ctl_stats(f->server.ctl, &s);
	return s.pending;
}

static void f7_a_list_arrives_whole(void **state)
{
	static char text[N_PIECES * (PIECE_LEN + 4)];
	struct fixture *f = *state;
	int fd = client(&f->server);
	json_t *list = NULL;
	size_t n = 0;

	say(fd, "list\necho after\n");
	for (char *end = NULL; !end; end = memchr(text, '\n', n)) {
		ssize_t got = recv(fd, text + n, sizeof(text) - n, MSG_DONTWAIT);

		n += got > 0 ? (size_t)got : 0;
		round_of(f);
	}
	list = json_loadb(text, n, JSON_DISABLE_EOF_CHECK, NULL);
	assert_int_equal(json_array_size(list), N_PIECES);
	json_decref(list);
	assert_int_equal(f->n_open, 0);
	assert_non_null(strstr(text, "]\n"));
	close(fd);
}

/* No piece is made before the client has read the ones before, whatever others
 * request. */
static void f7_a_slow_reader_stops_its_answer(void **state)
{
	struct fixture *f = *state;
	int slow = client(&f->server), quick = client(&f->server);
	unsigned made;

	say(slow, "list\n");
	do {
		made = f->n_pieces;
		say(quick, "echo x\n");
		assert_string_equal(hear(&f->server, quick), "{\"args\":\"x\"}");
		assert_true(pending(f) <= CTL_ANSWER_ROOM + PIECE_LEN + 3);
	} while (f->n_pieces != made);
	assert_true(made < N_PIECES);
	assert_int_equal(f->n_open, 1);
	swallow(&f->server, slow, N_PIECES * (PIECE_LEN + 3) + 2);
	assert_int_equal(f->n_open, 0);
	close(slow);
	close(quick);
}

static void f12_pipelines_of_all_clients_leave_one_turn_a_round(void **state)
{
	struct fixture *f = *state;
	int fd[CTL_MAX_CLIENTS];
	unsigned rounds = 0;

	for (unsigned i = 0; i < CTL_MAX_CLIENTS; i++) {
		fd[i] = client(&f->server);
		for (unsigned k = 0; i > 0 && k < N_PIPE; k++)
			if (send(fd[i], "list\n", 5, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
				break; /* its socket is full */
	}
	for (unsigned i = 0; i < 4 * CTL_MAX_CLIENTS; i++)
		round_of(f);
	assert_int_equal(f->n_open, CTL_MAX_CLIENTS - 1);
	/* every other client has one turn before it */
	say(fd[0], "echo x\n");
	while (recv(fd[0], &(char){0}, 1, MSG_DONTWAIT | MSG_PEEK) < 0) {
		round_of(f);
		assert_in_range(++rounds, 1, CTL_MAX_CLIENTS + 1);
	}
	assert_string_equal(hear(&f->server, fd[0]), "{\"args\":\"x\"}");
	for (unsigned i = 0; i < 2000; i++)
		round_of(f);
	assert_true(pending(f) <=
		(CTL_MAX_CLIENTS - 1) * (CTL_ANSWER_ROOM + PIECE_LEN + 3));
	for (unsigned i = 0; i < CTL_MAX_CLIENTS; i++)
		close(fd[i]);
	for (unsigned i = 0; f->n_open > 0; i++)
		assert_int_equal(loop_round(f->server.loop), 0);
}

/* An error in the middle of an answer can only close the connection, so the line stays
 * incomplete. */
static void f7_an_answer_that_fails_is_not_a_line(void **state)
{
	struct fixture *f = *state;
	int fd = client(&f->server);

	f->fail_at = 2;
	say(fd, "list\n");
	assert_null(hear(&f->server, fd));
	assert_int_equal(f->n_open, 0);
	close(fd);
}

static void f7_an_answer_that_cannot_begin_is_an_error(void **state)
{
	struct fixture *f = *state;
	int fd = client(&f->server);

	f->fail_at = 0;
	say(fd, "list\nlist please\n");
	assert_string_equal(hear(&f->server, fd), "{\"error\":\"out of memory\"}");
	assert_string_equal(hear(&f->server, fd), "{\"error\":\"no 'please' here\"}");
	close(fd);
}

/* Requests before the end of the stream count, as in `echo reload | nc -N`. */
static void requests_before_the_end_are_answered(void **state)
{
	struct fixture *f = *state;
	int fd = client(&f->server);

	say(fd, "echo 1\nlist\necho 2\n");
	shutdown(fd, SHUT_WR);
	assert_string_equal(hear(&f->server, fd), "{\"args\":\"1\"}");
	swallow(&f->server, fd, N_PIECES * (PIECE_LEN + 3) + 2);
	assert_string_equal(hear(&f->server, fd), "{\"args\":\"2\"}");
	assert_null(hear(&f->server, fd));
	close(fd);
	fd = client(&f->server);
	say(fd, "echo 3\n");
	close(fd);
	f->n_round = 0;
	while (f->n_round == 0)
		assert_int_equal(loop_round(f->server.loop), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
		T(f7_a_list_arrives_whole),
		T(f7_a_slow_reader_stops_its_answer),
		T(f12_pipelines_of_all_clients_leave_one_turn_a_round),
		T(f7_an_answer_that_fails_is_not_a_line),
		T(f7_an_answer_that_cannot_begin_is_an_error),
		T(requests_before_the_end_are_answered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
