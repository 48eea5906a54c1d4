/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * `ringcastctl upgrade`: another binary takes over from the running daemon,
 * doc/upgrade.md. The new binary is tried first: does it run, does it take the
 * configuration? Under a service manager the rest is up to that. Else the daemon's
 * descriptors come here, the new binary is started with them, and if it does not answer
 * on the control socket, the old one again.
 */

#include "ctl_upgrade.h"

#include "ctl_spawn.h"

#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>

#define UP_WAIT_MS  15000
#define STEP_MS	    50
#define MAX_FDS	    4096
#define PER_MESSAGE 64

struct upgrade {
	const struct ctl_context *ctx;
	int control; /* connection to the daemon that goes */
	char binary[PATH_MAX];
	pid_t pid;	/* as we see it */
	long their_pid; /* as the daemon sees it */
	int old_exe;	/* the program that runs now, whatever its path is by now */
	json_t *info;
	char **argv; /* of the daemon; points into info */
	struct spawn_place place;
	struct spawn_fds fds;
};

/* ---- what runs now ---- */

/* One line from the daemon; *ret_pid (may be NULL) is who has sent it. malloc'ed. */
static char *read_line(int fd, pid_t *ret_pid)
{
	_cleanup_(freep) char *line = NULL;
	size_t n = 0, cap = 0;

	for (;;) {
		union {
			struct cmsghdr hdr;
			char buf[CMSG_SPACE(sizeof(struct ucred))];
		} control = {0};
		struct iovec iov;
		struct msghdr msg = {.msg_iov = &iov,
			.msg_iovlen = 1,
			.msg_control = control.buf,
			.msg_controllen = sizeof(control.buf)};
		struct cmsghdr *c;
		ssize_t got;

		if (n + 1 >= cap) {
			char *larger = realloc(line, cap += 4096);

			if (!larger)
				return NULL;
			line = larger;
		}
		/* octet by octet: what follows the line is not ours to read */
		iov = (struct iovec){line + n, 1};
		got = recvmsg(fd, &msg, MSG_CMSG_CLOEXEC);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return NULL;
		c = CMSG_FIRSTHDR(&msg);
		if (ret_pid && c && c->cmsg_type == SCM_CREDENTIALS) {
			struct ucred who;

			memcpy(&who, CMSG_DATA(c), sizeof(who));
			*ret_pid = who.pid;
		}
		if (line[n] == '\n')
			break;
		n++;
	}
	line[n] = '\0';
	return take_ptr(line);
}

static bool say(int fd, const char *text)
{
	size_t len = strlen(text);

	return send(fd, text, len, MSG_NOSIGNAL) == (ssize_t)len;
}

/* A reply as an object, or NULL after a message. */
static json_t *parse(const char *line)
{
	json_t *reply = line ? json_loads(line, 0, NULL) : NULL;
	const char *text = json_string_value(json_object_get(reply, "error"));

	if (json_is_object(reply) && !text)
		return reply;
	fprintf(stderr, "ringcastctl: %s\n", text ? text : "no answer from the daemon");
	json_decref(reply);
	return NULL;
}

static json_t *ask(int fd, const char *request, pid_t *ret_pid)
{
	_cleanup_(freep) char *line = say(fd, request) ? read_line(fd, ret_pid) : NULL;

	return parse(line);
}

static const char *info_text(const struct upgrade *u, const char *key)
{
	const char *s = json_string_value(json_object_get(u->info, key));

	return s ? s : "";
}

static bool list_argv(struct upgrade *u)
{
	const json_t *list = json_object_get(u->info, "argv");
	size_t n = json_array_size(list);

	u->argv = calloc(n + 1, sizeof(*u->argv));
	for (size_t i = 0; u->argv && i < n; i++)
		u->argv[i] =
			(char *)(uintptr_t)json_string_value(json_array_get(list, i));
	return u->argv && n > 0 && u->argv[0];
}

/* the path of a program that runs: what the link says, without the note of the kernel
 * that another file has taken its place */
static int find_binary(struct upgrade *u)
{
	static const char gone[] = " (deleted)";
	char link[64];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/%d/exe", (int)u->pid);
	u->old_exe = open(link, O_PATH | O_CLOEXEC);
	if (u->old_exe < 0)
		return -errno;
	if (*u->binary)
		return 0;
	n = readlink(link, u->binary, sizeof(u->binary) - 1);
	if (n < 0)
		return -errno;
	u->binary[n] = '\0';
	if ((size_t)n > strlen(gone) && strcmp(u->binary + n - strlen(gone), gone) == 0)
		u->binary[(size_t)n - strlen(gone)] = '\0';
	return 0;
}

static bool look(struct upgrade *u)
{
	int on = 1, r;

	u->control = ctl_client_connect(u->ctx->path);
	if (u->control < 0)
		return false;
	setsockopt(u->control, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on));
	u->info = ask(u->control, "upgrade info\n", &u->pid);
	if (!u->info || !list_argv(u))
		return false;
	u->their_pid = (long)json_integer_value(json_object_get(u->info, "pid"));
	u->place.directory = info_text(u, "directory");
	u->place.uid = (uid_t)json_integer_value(json_object_get(u->info, "uid"));
	u->place.gid = (gid_t)json_integer_value(json_object_get(u->info, "gid"));
	r = find_binary(u);
	if (r == 0)
		r = spawn_look_at(&u->place, u->pid);
	if (r < 0)
		fprintf(stderr,
			"ringcastctl: cannot look at process %d: %s; an upgrade is made "
			"by root or by the user of the daemon\n",
			(int)u->pid, strerror(-r));
	return r == 0;
}

/* ---- is the new binary fit? ---- */

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static bool try_it(struct upgrade *u, const char *option, const char *argument)
{
	char *argv[] = {u->binary, (char *)(uintptr_t)option,
		(char *)(uintptr_t)argument, NULL};
	pid_t pid = spawn(-1, u->binary, argv, &u->place, NULL, false);
	int status;

	if (pid < 0) {
		fprintf(stderr, "ringcastctl: cannot start a program: %s\n",
			strerror(-pid));
		return false;
	}
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return false;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return true;
	fprintf(stderr, "ringcastctl: %s %s %s: failed; the daemon goes on as it is\n",
		u->binary, option, argument ? argument : "");
	return false;
}

/* What -V and -C print is of interest only when they fail, and then it is on stderr. */
static bool is_fit(struct upgrade *u)
{
	_cleanup_(closep) int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	bool ok;

	u->place.stdio[1] = null;
	ok = try_it(u, "-V", NULL) && try_it(u, "-C", info_text(u, "config"));
	u->place.stdio[1] = -1;
	return ok;
}

/* ---- is it up? ---- */

struct probe {
	int fd; /* -1: not connected */
	char buf[1024];
	size_t n;
};

/* The process that answers, 0: none yet. The answer is awaited for one step. */
static long who_answers(struct probe *p, const char *path)
{
	struct pollfd pfd;
	json_t *reply;
	ssize_t got;
	long pid;

	if (p->fd < 0) {
		p->n = 0;
		p->fd = ctl_client_open(path);
		if (p->fd >= 0)
			(void)say(p->fd, "version\n");
	}
	pfd = (struct pollfd){.fd = p->fd, .events = POLLIN};
	if (poll(&pfd, 1, STEP_MS) <= 0 || p->fd < 0)
		return 0;
	got = recv(p->fd, p->buf + p->n, sizeof(p->buf) - 1 - p->n, MSG_DONTWAIT);
	if (got > 0) {
		p->n += (size_t)got;
		p->buf[p->n] = '\0';
		if (!strchr(p->buf, '\n'))
			return 0;
	}
	close(take_fd(&p->fd));
	if (got <= 0)
		return 0;
	reply = json_loads(p->buf, JSON_DISABLE_EOF_CHECK, NULL);
	pid = (long)json_integer_value(json_object_get(reply, "pid"));
	json_decref(reply);
	return pid;
}

/* Until another process than the old one answers; 0: none does. `child` is the one that
 * was started, or -1: then the service manager starts it. */
static long wait_up(const struct upgrade *u, pid_t child)
{
	int64_t end = now_ms() + UP_WAIT_MS;
	struct probe p = {.fd = -1};
	long pid = 0;

	while (now_ms() < end) {
		int status;

		pid = who_answers(&p, u->ctx->path);
		if (pid != 0 && pid != u->their_pid)
			break;
		pid = 0;
		if (child > 0 && waitpid(child, &status, WNOHANG) == child) {
			/* 0: it has gone into the background */
			if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
				break;
			child = -1;
		}
	}
	closep(&p.fd);
	return pid;
}

static int report(const struct upgrade *u, long pid)
{
	if (u->ctx->as_json)
		printf("{\"ok\":true,\"pid\":%ld}\n", pid);
	else
		printf("process %ld has taken over from %ld\n", pid, u->their_pid);
	return CTL_EXIT_OK;
}

/* ---- the two ways ---- */

static int by_manager(struct upgrade *u)
{
	json_t *reply = ask(u->control, "upgrade store\n", NULL);
	long pid;

	if (!reply)
		return CTL_EXIT_DAEMON;
	json_decref(reply);
	pid = wait_up(u, -1);
	if (pid)
		return report(u, pid);
	fputs("ringcastctl: the daemon has handed over, but no new one answers; does the\n"
	      "unit have RestartForceExitStatus=5? See the journal.\n",
		stderr);
	return CTL_EXIT_DAEMON;
}

static bool list_names(struct upgrade *u, json_t *line)
{
	json_t *names = json_object_get(line, "fds");
	size_t n = json_array_size(names);

	if (n == 0 || n > MAX_FDS)
		return false;
	u->fds.name = calloc(n, sizeof(*u->fds.name));
	u->fds.fd = calloc(n, sizeof(*u->fds.fd));
	for (size_t i = 0; u->fds.name && u->fds.fd && i < n; i++) {
		const char *s = json_string_value(json_array_get(names, i));

		u->fds.name[i] = s ? strdup(s) : NULL;
		u->fds.fd[i] = -1;
		if (!u->fds.name[i])
			return false;
		u->fds.n++;
	}
	return u->fds.n == n;
}

static unsigned receive_some(int from, int *fd, unsigned max)
{
	union {
		struct cmsghdr hdr;
		char buf[CMSG_SPACE(PER_MESSAGE * sizeof(int)) +
			CMSG_SPACE(sizeof(struct ucred))];
	} control = {0};
	char octet;
	struct iovec iov = {&octet, 1};
	struct msghdr msg = {.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.buf,
		.msg_controllen = sizeof(control.buf)};
	unsigned n = 0;

	if (recvmsg(from, &msg, MSG_CMSG_CLOEXEC) != 1)
		return 0;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&msg); c; c = CMSG_NXTHDR(&msg, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		n = (unsigned)((c->cmsg_len - CMSG_LEN(0)) / sizeof(int));
		if (n > max)
			return 0;
		memcpy(fd, CMSG_DATA(c), n * sizeof(int));
	}
	return n;
}

/* The first three are the daemon's standard streams. */
static void take_stdio(struct upgrade *u)
{
	unsigned left = 0;

	for (unsigned i = 0; i < u->fds.n; i++) {
		unsigned k;

		if (sscanf(u->fds.name[i], "stdio-%u", &k) == 1 && k < 3) {
			u->place.stdio[k] = u->fds.fd[i];
			free(u->fds.name[i]);
			continue;
		}
		u->fds.fd[left] = u->fds.fd[i];
		u->fds.name[left++] = u->fds.name[i];
	}
	u->fds.n = left;
}

static bool receive_fds(struct upgrade *u)
{
	_cleanup_(freep) char *line = say(u->control, "upgrade hand-over\n")
		? read_line(u->control, NULL)
		: NULL;
	json_t *names = parse(line);
	bool ok = names && list_names(u, names);
	unsigned done = 0, n = 1;

	json_decref(names);
	for (; ok && done < u->fds.n && n; done += n)
		n = receive_some(u->control, u->fds.fd + done, u->fds.n - done);
	if (!ok || done != u->fds.n) {
		fputs("ringcastctl: not all descriptors have arrived; the daemon goes "
		      "on\n",
			stderr);
		return false;
	}
	take_stdio(u);
	return say(u->control, "+");
}

static long start(struct upgrade *u, int program, const char *path)
{
	pid_t child = spawn(program, path, u->argv, &u->place, &u->fds, true);
	long pid = child < 0 ? 0 : wait_up(u, child);

	if (child > 0 && pid == 0) {
		kill(child, SIGKILL);
		waitpid(child, NULL, 0);
	}
	return pid;
}

static int by_hand(struct upgrade *u)
{
	_cleanup_(closep) int program = open(u->binary, O_PATH | O_CLOEXEC);
	long pid;

	if (u->their_pid == 1) {
		fputs("ringcastctl: the daemon is process 1 of its container, which ends "
		      "with it; replace the container\n",
			stderr);
		return CTL_EXIT_DAEMON;
	}
	if (!receive_fds(u))
		return CTL_EXIT_DAEMON;
	pid = start(u, program, u->binary);
	if (pid)
		return report(u, pid);
	fprintf(stderr,
		"ringcastctl: %s does not come up; starting the old one again\n",
		u->binary);
	pid = start(u, u->old_exe, u->binary);
	if (pid)
		fprintf(stderr,
			"ringcastctl: process %ld goes on with the old program\n", pid);
	else
		fputs("ringcastctl: the old one does not come up either: start the daemon\n",
			stderr);
	return CTL_EXIT_DAEMON;
}

/* ---- the command ---- */

static const char usage[] =
	"usage: ringcastctl [-s SOCKET] [--json] upgrade [--binary PATH]\n"
	"\n"
	"Let another ringcastd take over from the running one, without a gap: it gets the\n"
	"sockets, the groups and their timers. Before that it is asked for its version (-V)\n"
	"and to check the configuration (-C).\n"
	"\n"
	"  -b, --binary PATH  program to start (default: the path of the one that runs,\n"
	"                     where an installation has put the new one)\n"
	"\n"
	"Under systemd the service manager starts the new one, as the unit says.\n";

/* -1: go on */
static int parse_options(struct upgrade *u, int argc, char **argv)
{
	static const struct option options[] = {
		{"binary", required_argument, NULL, 'b'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	int c;

	while ((c = getopt_long(argc, argv, "b:h", options, NULL)) != -1) {
		switch (c) {
		case 'b':
			if (!realpath(optarg, u->binary)) {
				fprintf(stderr, "ringcastctl: %s: %s\n", optarg,
					strerror(errno));
				return CTL_EXIT_USAGE;
			}
			break;
		case 'h':
			fputs(usage, stdout);
			return CTL_EXIT_OK;
		default:
			fputs(usage, stderr);
			return CTL_EXIT_USAGE;
		}
	}
	if (optind == argc)
		return -1;
	fputs(usage, stderr);
	return CTL_EXIT_USAGE;
}

int ctl_upgrade(const struct ctl_context *ctx, int argc, char **argv)
{
	struct upgrade u = {.ctx = ctx, .control = -1, .old_exe = -1};
	int status = parse_options(&u, argc, argv);

	if (status >= 0)
		return status;
	spawn_place_init(&u.place);
	if (!look(&u))
		status = u.control < 0 ? CTL_EXIT_UNREACHABLE : CTL_EXIT_DAEMON;
	else if (!is_fit(&u))
		status = CTL_EXIT_DAEMON;
	else if (json_is_true(json_object_get(u.info, "managed")))
		status = by_manager(&u);
	else
		status = by_hand(&u);
	for (unsigned i = 0; i < u.fds.n; i++) {
		closep(&u.fds.fd[i]);
		free(u.fds.name[i]);
	}
	free(u.fds.fd);
	free(u.fds.name);
	free(u.argv);
	json_decref(u.info);
	closep(&u.control);
	closep(&u.old_exe);
	return status;
}
