/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Client of the control socket, see ctl_client.h: one request line, one line of JSON
 * (doc/control-socket.md). Shared by all commands.
 */

#include "tools/ctl/ctl_client.h"

#include "base/cleanup.h"
#include "base/sys/clock.h"
#include "control/sys/ctl.h"
#include "tools/ctl/ctl_trust.h"
#include "tools/ctl/patience.h"
#include "tools/ctl/printable.h"

#include <errno.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

/* The socket is there, and its mode lets only a group in. */
static void name_the_group(const char *path)
{
	const struct passwd *me = getpwuid(geteuid());
	struct stat st;
	const struct group *group = stat(path, &st) == 0 ? getgrgid(st.st_gid) : NULL;

	if (!group || st.st_gid == 0) {
		fputs("Run this command as root or as a member of the socket's group.\n",
			stderr);
		return;
	}
	fprintf(stderr,
		"Run this command as root, or become a member of the group %s:\n"
		"  sudo adduser %s %s     (and log in again)\n",
		group->gr_name, me ? me->pw_name : "USER", group->gr_name);
}

static void explain_unreachable(const char *path, int err)
{
	fprintf(stderr, "ringcastctl: cannot reach the daemon at %s: %s\n", path,
		strerror(err));
	if (err == ENOENT || err == ECONNREFUSED)
		fputs("Start ringcastd, or name its socket with -s if it uses another one\n"
		      "(option -s of ringcastd, control-socket in its configuration).\n",
			stderr);
	else if (err == EACCES)
		name_the_group(path);
	else if (err == EPERM)
		fputs("The program that answers there belongs neither to root nor to the owner of the\n"
		      "directory, or other users may write to it or change the path to it. Run this\n"
		      "command as the user of the daemon, or put its socket into a directory that\n"
		      "this user owns, below directories of root.\n",
			stderr);
}

int ctl_client_open(const char *path)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	struct timeval wait = {.tv_sec = PATIENCE_SILENCE_MS / 1000};
	_cleanup_(closep) int fd = -1;

	if (strlen(path) >= sizeof(sun.sun_path))
		return -ENAMETOOLONG;
	strcpy(sun.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait));
	if (connect(fd, (const struct sockaddr *)&sun, sizeof(sun)) < 0)
		return -errno;
	return ctl_trust_peer(fd, path) ? take_fd(&fd) : -EPERM;
}

/* A user without the right to connect cannot try whether a daemon listens, but the
 * kernel's list of sockets shows it. */
static bool is_in_use(const char *path)
{
	FILE *f = fopen("/proc/net/unix", "re");
	size_t size = 0, n = strlen(path);
	_cleanup_(freep) char *line = NULL;
	bool found = !f;

	while (!found && getline(&line, &size, f) > 0) {
		const char *at = strchr(line, '/');

		found = at && strncmp(at, path, n) == 0 && at[n] == '\n';
	}
	if (f)
		fclose(f);
	return found;
}

const char *ctl_client_default_path(void)
{
	static const char *const paths[] = {CTL_DEFAULT_PATH, CTL_SERVICE_PATH};
	const char *path = getenv("RINGCAST_SOCKET");

	if (path && *path)
		return path;
	for (size_t i = 0; i < array_len(paths); i++) {
		int fd = ctl_client_open(paths[i]);

		if (fd >= 0)
			close(fd);
		if (fd >= 0 || fd == -EPERM || (fd == -EACCES && is_in_use(paths[i])))
			return paths[i];
	}
	return paths[0];
}

int ctl_client_connect(const char *path)
{
	int fd = ctl_client_open(path);

	if (fd < 0)
		explain_unreachable(path, -fd);
	return fd;
}

bool ctl_client_option(struct ctl_context *ctx, int c)
{
	switch (c) {
	case 's':
		ctx->path = optarg;
		return true;
	case 'p':
		ctx->pretty = true;
		ctx->as_json = true;
		return true;
	case 'j':
		ctx->as_json = true;
		return true;
	case 'w':
		ctx->view.detail = TEXT_WIDE;
		ctx->view.width = 0;
		return true;
	case 'b':
		ctx->view.detail = TEXT_BRIEF;
		return true;
	case 'H':
		ctx->view.no_header = true;
		return true;
	default:
		return false;
	}
}

/* ---- requests ---- */

bool ctl_client_add_words(
	char request[CTL_MAX_REQUEST], char *const *words, size_t n_words)
{
	size_t len = strlen(request);

	for (size_t i = 0; i < n_words && len < CTL_MAX_REQUEST; i++)
		len += (size_t)snprintf(
			request + len, CTL_MAX_REQUEST - len, " %s", words[i]);
	if (len < CTL_MAX_REQUEST - 1 && !strpbrk(request, "\r\n"))
		return true;
	fputs("ringcastctl: the command is too long or has line breaks\n", stderr);
	return false;
}

/* ---- answers ---- */

int64_t ctl_client_now_ms(void)
{
	return clock_ns(CLOCK_MONOTONIC) / NS_PER_MS;
}

/* Reads bytes of an answer. Returns their number, 0 at the end of the connection, or
 * -errno; -EAGAIN if they take too long. */
static ssize_t receive(struct patience *p, int fd, void *buf, size_t size)
{
	for (;;) {
		struct pollfd at = {.fd = fd, .events = POLLIN};
		int64_t left = patience_left(p), begin = ctl_client_now_ms();
		ssize_t n;

		if (p->n > PATIENCE_BYTES_MAX)
			return -EMSGSIZE;
		if (left == 0 || poll(&at, 1, (int)left) == 0)
			return -EAGAIN;
		p->waited_ms += ctl_client_now_ms() - begin;
		n = recv(fd, buf, size, MSG_DONTWAIT);
		if (n >= 0) {
			p->n += (uint64_t)n;
			return n;
		}
		if (errno != EAGAIN && errno != EINTR)
			return -errno;
	}
}

/* Makes room for one more byte and a NUL. On failure returns false and sets errno. */
static bool has_room(char **line, size_t n, size_t *cap)
{
	size_t larger = *cap ? 2 * *cap : 65536;
	char *p;

	if (n + 1 < *cap)
		return true;
	p = larger > CTL_CLIENT_LINE_MAX ? NULL : realloc(*line, larger);
	if (!p) {
		errno = larger > CTL_CLIENT_LINE_MAX ? EMSGSIZE : ENOMEM;
		return false;
	}
	*line = p;
	*cap = larger;
	return true;
}

/* One line without its newline, malloc'ed; returns NULL and sets errno on failure. With
 * `exact`, bytes after it stay unread. */
static char *read_line(int fd, bool exact)
{
	_cleanup_(freep) char *line = NULL;
	struct patience patience = {0};
	size_t n = 0, cap = 0;

	do {
		ssize_t got;

		if (!has_room(&line, n, &cap))
			return NULL;
		got = receive(&patience, fd, line + n, exact ? 1 : cap - n - 1);
		if (got <= 0) {
			errno = got < 0 ? (int)-got : ECONNRESET;
			return NULL;
		}
		n += (size_t)got;
	} while (line[n - 1] != '\n');
	line[n - 1] = '\0';
	return take_ptr(line);
}

int ctl_client_drain(int fd)
{
	struct patience patience = {0};
	char bytes[256];
	ssize_t n;

	while ((n = receive(&patience, fd, bytes, sizeof(bytes))) > 0)
		;
	return (int)n;
}

int ctl_client_send(int fd, const char *request)
{
	_cleanup_(freep) char *line = NULL;
	int len = asprintf(&line, "%s\n", request), done = 0;

	if (len < 0) {
		line = NULL;
		return -ENOMEM;
	}
	while (done < len) {
		ssize_t n = send(fd, line + done, (size_t)(len - done), MSG_NOSIGNAL);

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0)
			done += (int)n;
	}
	return 0;
}

int ctl_client_receive(int fd, struct ctl_reply *r)
{
	for (;;) {
		ssize_t got;

		if (!has_room(&r->line, r->n, &r->cap))
			return -errno;
		got = recv(fd, r->line + r->n, r->cap - r->n - 1, MSG_DONTWAIT);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return errno == EAGAIN ? 0 : -errno;
		if (got == 0)
			return -ECONNRESET;
		r->n += (size_t)got;
		if (r->line[r->n - 1] == '\n') {
			r->line[r->n - 1] = '\0';
			return 1;
		}
	}
}

void ctl_client_forget(struct ctl_reply *r)
{
	free(r->line);
	*r = (struct ctl_reply){0};
}

static void say_silent(const char *path, int e)
{
	fprintf(stderr, "ringcastctl: no answer from the daemon at %s: %s\n", path,
		e == -EAGAIN ? "it does not react in time"
			: e == -EMSGSIZE
			? "its answer is longer than any answer of ringcastd"
			: strerror(-e));
}

static char *ask_line(int fd, const char *path, const char *request, bool exact)
{
	char *line = NULL;
	int r = ctl_client_send(fd, request);

	if (r == 0) {
		line = read_line(fd, exact);
		r = line ? 0 : -errno;
	}
	if (r < 0)
		say_silent(path, r);
	return line;
}

char *ctl_client_line(int fd, const char *path, const char *request)
{
	return ask_line(fd, path, request, false);
}

/* Texts with several lines are members "text" of the reply itself. */
static void clean(json_t *value, const char *key, unsigned depth)
{
	const char *keep = depth == 1 && strcmp(key, "text") == 0 ? "\n\t" : "";
	_cleanup_(freep) char *text = NULL;
	json_t *v;
	size_t i;
	void *next;

	if (json_is_string(value)) {
		text = strdup(json_string_value(value));
		if (!text || json_string_set(value, printable(text, keep)) < 0)
			json_string_set(value, "?");
	}
	json_array_foreach(value, i, v)
	{
		clean(v, "", depth + 1);
	}
	json_object_foreach_safe(value, next, key, v)
	{
		_cleanup_(freep) char *name = strdup(key);

		clean(v, key, depth + 1);
		if (name && strcmp(printable(name, ""), key) == 0)
			continue;
		if (name)
			json_object_set(value, name, v);
		json_object_del(value, key);
	}
}

void ctl_client_clean_row(json_t *row)
{
	clean(row, "", 2);
}

json_t *ctl_client_parse(const char *line, bool as_json, json_error_t *ret_error)
{
	json_t *reply = json_loads(line, 0, ret_error);

	if (reply && !as_json)
		clean(reply, "", 0);
	return reply;
}

void ctl_client_print_json(
	const struct ctl_context *ctx, const json_t *reply, const char *line)
{
	_cleanup_(freep) char *text = NULL;

	if (!line || ctx->pretty)
		text = json_dumps(reply, ctx->pretty ? JSON_INDENT(2) : JSON_COMPACT);
	if (text)
		line = text;
	if (line)
		printable_json(line, strlen(line), stdout);
	putchar('\n');
}

void ctl_client_complain(const json_t *reply, const json_error_t *error)
{
	const char *said = json_string_value(json_object_get(reply, "error"));
	_cleanup_(freep) char *text = strdup(said ? said : reply ? "" : error->text);

	fprintf(stderr, "ringcastctl: %s%s%s\n",
		said ? "" : "the reply is not a JSON object",
		!said && !reply ? ": " : "", text ? printable(text, "") : "");
}

static int ask_object(int fd, const char *path, const char *request, bool exact,
	bool as_json, json_t **ret_reply)
{
	_cleanup_(freep) char *line = ask_line(fd, path, request, exact);
	json_error_t error;
	json_t *reply;

	if (!line)
		return CTL_EXIT_UNREACHABLE;
	reply = ctl_client_parse(line, as_json, &error);
	if (json_is_object(reply) && !json_object_get(reply, "error")) {
		*ret_reply = reply;
		return CTL_EXIT_OK;
	}
	ctl_client_complain(reply, &error);
	json_decref(reply);
	return CTL_EXIT_DAEMON;
}

int ctl_client_request(
	int fd, const char *path, const char *request, bool as_json, json_t **ret_reply)
{
	return ask_object(fd, path, request, false, as_json, ret_reply);
}

/* Returns 1 and *ret_reply, -EBADMSG if the reply is not JSON, or another -errno. */
static int receive_rows(int fd, struct ctl_rows *rows, json_t **ret_reply)
{
	struct patience patience = {0};
	char buf[65536];

	for (;;) {
		ssize_t n = receive(&patience, fd, buf, sizeof(buf));
		int e;

		if (n <= 0)
			return n < 0 ? (int)n : -ECONNRESET;
		e = ctl_rows_feed(rows, buf, (size_t)n, ret_reply);
		if (e != 0)
			return e;
	}
}

int ctl_client_rows(int fd, const char *path, const char *request,
	struct ctl_rows *rows, json_t **ret_reply)
{
	json_t *reply = NULL;
	bool failed;
	int e = ctl_client_send(fd, request);

	if (e == 0)
		e = receive_rows(fd, rows, &reply);
	ctl_rows_deinit(rows);
	if (e < 0 && e != -EBADMSG) {
		say_silent(path, e);
		return CTL_EXIT_UNREACHABLE;
	}
	if (!rows->json)
		clean(reply, "", 0);
	failed = json_object_get(reply, "error") != NULL;
	if (json_is_object(reply) && !failed) {
		*ret_reply = reply;
		return CTL_EXIT_OK;
	}
	if (!failed || !rows->json)
		ctl_client_complain(reply, &rows->error);
	json_decref(reply);
	return CTL_EXIT_DAEMON;
}

int ctl_client_stream(int fd, const char *path, const char *request)
{
	json_t *reply = NULL;
	int status = ask_object(fd, path, request, true, false, &reply);

	json_decref(reply);
	return status;
}

/* ---- signals ---- */

volatile sig_atomic_t ctl_client_interrupted;

static void on_signal(int signo)
{
	ctl_client_interrupted = 1;
}

void ctl_client_catch(sigset_t *ret_waiting)
{
	struct sigaction sa = {.sa_handler = on_signal};
	sigset_t block;

	sigemptyset(&block);
	sigaddset(&block, SIGINT);
	sigaddset(&block, SIGTERM);
	sigprocmask(SIG_BLOCK, &block, ret_waiting);
	sigdelset(ret_waiting, SIGINT);
	sigdelset(ret_waiting, SIGTERM);
	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	signal(SIGPIPE, SIG_IGN);
}
