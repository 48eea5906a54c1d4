/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The control socket with up to three clients, which send anything in any pieces
 * through real sockets. Each request line gets one reply, one line of JSON, in order. A
 * client that sends nonsense does not disturb the others. "clear group" and "monitor"
 * are implemented here, because this program has no daemon. A client that follows
 * receives whole events after the reply, and is told how many are missing. The event
 * loop is simulated: a client with something to read or room to write is served when
 * the input says so.
 */

#include "control/daemon/app_priv.h"
#include "control/show/json.h"
#include "control/show/monitor.h"
#include "control/sys/ctl.h"
#include "fuzz.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>

#define N_CLIENTS  3
#define N_REQUESTS 2048 /* per client; the rest of the input is ignored */

/* ---- the event loop, as ctl.c sees it ---- */

#define N_WATCHED 64

static struct {
	struct loop_fd *fd;
	uint32_t events;
} watched[N_WATCHED];

int loop_add(struct loop *l, struct loop_fd *f)
{
	for (unsigned i = 0; i < N_WATCHED; i++)
		if (!watched[i].fd) {
			watched[i].fd = f;
			watched[i].events = EPOLLIN;
			f->loop = l;
			return 0;
		}
	return -ENOMEM;
}

int loop_change(struct loop_fd *f, uint32_t events)
{
	for (unsigned i = 0; i < N_WATCHED; i++)
		if (watched[i].fd == f)
			watched[i].events = events;
	return 0;
}

void loop_del(struct loop_fd *f)
{
	for (unsigned i = 0; i < N_WATCHED; i++)
		if (f->loop && watched[i].fd == f)
			watched[i].fd = NULL;
	f->loop = NULL;
}

mono_t loop_now(const struct loop *l)
{
	return mono_from_ms(1000);
}

static struct ctl *ctl;

/* Runs one round. */
static void serve(void)
{
	for (unsigned i = 0; i < N_WATCHED; i++)
		if (watched[i].fd) {
			uint32_t events = watched[i].events & (EPOLLIN | EPOLLOUT);

			watched[i].fd->fn(watched[i].fd, events);
		}
	ctl_tick(ctl);
}

/* ---- commands ---- */

static json_t *cmd_echo(void *ctx, const char *args)
{
	return ctl_error("%s", args);
}

static json_t *cmd_show(void *ctx, const char *args)
{
	return json_pack("{s:[]}", "mfc");
}

static json_t *cmd_none(void *ctx, const char *args)
{
	return NULL;
}

static struct monitor monitor;
static unsigned n_said; /* events so far */

static json_t *cmd_clear(void *ctx, const char *args)
{
	static struct instances instances;
	static struct app app = {.instances = &instances};

	return app_clear_group(&app, args);
}

static json_t *cmd_monitor(void *ctx, const char *args, struct ctl_stream **ret)
{
	return monitor_open(&monitor, args, ret);
}

/* Sends an event of about that size if a client follows. */
static void say_event(unsigned size)
{
	static const struct monitor_subject subject = {.event = "group_new"};
	static char text[1 << 15];

	if (!monitor_has_followers(&monitor))
		return;
	n_said++;
	if (!monitor_wants(&monitor, loop_now(NULL), &subject))
		return;
	memset(text, 'x', size);
	text[size] = '\0';
	monitor_say(&monitor, &subject,
		json_pack("{ss ss}", "event", "group_new", "text", text));
}

static const struct ctl_command commands[] = {
	{"clear group", cmd_clear},
	{"monitor", .stream = cmd_monitor},
	{"echo", cmd_echo},
	{"show mfc", cmd_show},
	{"none", cmd_none},
	{NULL, NULL},
};

/* ---- clients ---- */

struct fuzz_client {
	int fd;
	size_t line;	    /* bytes of the unfinished line */
	unsigned n_request; /* complete lines sent */
	unsigned n_reply;
	bool too_long;	  /* a line was too long; one reply and the end follow */
	bool asked;	  /* to follow; later lines are not requests */
	bool follows;	  /* has been told that it follows */
	unsigned n_event; /* including those reported as lost */
	char text[CTL_MAX_REQUEST]; /* the unfinished line */
	char reply[65536];
	size_t n;
};

static struct fuzz_client client[N_CLIENTS];
static char path[64];

static void clean_up(void)
{
	unlink(path);
	*strrchr(path, '/') = '\0';
	rmdir(path);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	char dir[] = P_tmpdir "/fuzz_ctl.XXXXXX";

	fuzz_assert(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/sock", dir);
	atexit(clean_up);
	return 0;
}

static void connect_client(struct fuzz_client *c)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};

	c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	c->line = c->n = c->n_request = c->n_reply = c->n_event = 0;
	c->too_long = c->asked = c->follows = false;
	strcpy(sun.sun_path, path);
	fuzz_assert(c->fd >= 0);
	fuzz_assert(connect(c->fd, (struct sockaddr *)&sun, sizeof(sun)) == 0);
	serve();
}

static bool asks_to_follow(const struct fuzz_client *c)
{
	static const char name[] = "monitor", blank[] = " \t\r";
	size_t n = strnlen(c->text, c->line), at;

	while (n > 0 && strchr(blank, c->text[n - 1]))
		n--;
	for (at = 0; at < n && (c->text[at] == ' ' || c->text[at] == '\t');)
		at++;
	return n - at == strlen(name) && memcmp(c->text + at, name, n - at) == 0;
}

/* Counts the replies that the server must send. */
static void expect(struct fuzz_client *c, const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n && !c->too_long && !c->asked; i++) {
		if (p[i] == '\n') {
			c->n_request++;
			c->asked = asks_to_follow(c);
			c->line = 0;
			continue;
		}
		c->text[c->line++] = (char)p[i];
		c->too_long = c->line == CTL_MAX_REQUEST;
	}
}

static void check_reply(struct fuzz_client *c, const json_t *j)
{
	fuzz_assert(json_is_object(j) && json_object_size(j) == 1);
	c->n_reply++;
	c->follows = json_object_get(j, "monitor") != NULL;
	fuzz_assert(!c->follows || c->asked);
}

static void check_event(struct fuzz_client *c, const json_t *j)
{
	const json_t *count = json_object_get(j, "count");

	fuzz_assert(json_is_string(json_object_get(j, "event")));
	fuzz_assert(json_is_integer(json_object_get(j, "unix_ms")));
	c->n_event += count ? (unsigned)json_integer_value(count) : 1;
	fuzz_assert(c->n_event <= n_said);
}

static void check_replies(struct fuzz_client *c)
{
	char *start = c->reply, *end;

	while ((end = memchr(start, '\n', c->n - (size_t)(start - c->reply)))) {
		json_t *j = json_loadb(start, (size_t)(end - start), 0, NULL);

		if (c->follows)
			check_event(c, j);
		else
			check_reply(c, j);
		json_decref(j);
		start = end + 1;
	}
	c->n -= (size_t)(start - c->reply);
	memmove(c->reply, start, c->n);
}

/* Returns 0 if the server has closed. */
static ssize_t hear(struct fuzz_client *c)
{
	ssize_t n;

	while ((n = recv(c->fd, c->reply + c->n, sizeof(c->reply) - c->n, 0)) > 0) {
		c->n += (size_t)n;
		check_replies(c);
		fuzz_assert(c->n < sizeof(c->reply));
	}
	return n;
}

static void say(struct fuzz_client *c, const uint8_t *p, size_t n)
{
	ssize_t sent;

	if (c->too_long || c->n_request > N_REQUESTS)
		return;
	sent = send(c->fd, p, n, MSG_NOSIGNAL);
	if (sent > 0)
		expect(c, p, (size_t)sent);
}

/* Checks that all requests are answered. Then the client closes, and the server
 * notices. */
static void finish(struct fuzz_client *c)
{
	if (c->fd < 0)
		return;
	shutdown(c->fd, SHUT_WR);
	for (unsigned i = 0; i < 10000 && hear(c) != 0; i++)
		serve();
	fuzz_assert(c->n == 0);
	fuzz_assert(c->n_reply == c->n_request + c->too_long);
	fuzz_assert(c->follows == c->asked);
	close(c->fd);
	c->fd = -1;
	serve();
}

static struct fuzz_client *connected(unsigned i)
{
	if (client[i].fd < 0)
		connect_client(&client[i]);
	return &client[i];
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rd r = rd_init(data, size);

	n_said = 0;
	fuzz_assert(ctl_new((void *)watched, path, -1, commands, NULL, &ctl) == 0);
	for (unsigned i = 0; i < N_CLIENTS; i++)
		client[i].fd = -1;
	while (fuzz_more(&r)) {
		unsigned op = rd_u8(&r), i = op / 4 % N_CLIENTS;
		size_t n = rd_left(&r) < op ? rd_left(&r) : op;

		switch (op % 4) {
		case 0: /* one round of the server, perhaps with an event */
			if (op & 128)
				say_event(1u << (op / 4 % 15));
			serve();
			break;
		case 1: /* the client closes at once */
			if (client[i].fd >= 0)
				close(client[i].fd);
			client[i].fd = -1;
			break;
		case 2: /* repeats the same bytes, which gives long lines */
			for (unsigned k = 0; k < 20; k++)
				say(connected(i), r.p, n);
			rd_take(&r, n);
			break;
		default:
			say(connected(i), r.p, n);
			rd_take(&r, n);
			break;
		}
	}
	for (unsigned i = 0; i < N_CLIENTS; i++)
		finish(&client[i]);
	ctl = ctl_free(ctl);
	monitor = (struct monitor){0};
	for (unsigned i = 0; i < N_WATCHED; i++)
		fuzz_assert(!watched[i].fd);
	return 0;
}
