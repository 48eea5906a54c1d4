/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * `ringcastctl upgrade`: the daemon gives its sockets to its service manager and ends,
 * and the manager starts the next one with them, doc/upgrade.md. This command requests
 * that and waits for it. It starts no program, so an answer cannot make it start one.
 */

#include "tools/ctl/ctl_commands.h"

#include "base/cleanup.h"
#include "tools/ctl/ctl_cell.h"

#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#define UP_WAIT_MS 15000
#define STEP_MS	   50

/* Sends a line before the time `end`; returns its answer, or NULL. */
static json_t *hear(int fd, int64_t end)
{
	struct ctl_reply line = {0};
	json_t *reply = NULL;
	int r = 0;

	while (r == 0) {
		struct pollfd p = {.fd = fd, .events = POLLIN};
		int64_t left = end - ctl_client_now_ms();

		if (left <= 0 || poll(&p, 1, (int)left) <= 0)
			break;
		r = ctl_client_receive(fd, &line);
	}
	if (r > 0)
		reply = ctl_client_parse(line.line, false, NULL);
	ctl_client_forget(&line);
	return reply;
}

/* Is it the answer of a ringcastd other than the process `old`? */
static bool is_next(const json_t *reply, long long old)
{
	long long pid = cell_num(reply, "pid");

	return strcmp(cell_str(reply, "name"), "ringcastd") == 0 && pid > 0 &&
		pid != old;
}

/* The answer of the next process, or NULL. That process inherits the socket, where a
 * request waits for it meanwhile. */
static json_t *wait_up(const char *path, long long old)
{
	const struct timespec pause = {.tv_nsec = STEP_MS * 1000000L};
	int64_t end = ctl_client_now_ms() + UP_WAIT_MS;
	json_t *reply = NULL;

	while (!reply && ctl_client_now_ms() < end) {
		_cleanup_(closep) int fd = ctl_client_open(path);

		if (fd >= 0 && ctl_client_send(fd, "version") == 0)
			reply = hear(fd, end);
		if (reply && !is_next(reply, old)) {
			json_decref(reply);
			reply = NULL;
		}
		if (!reply)
			nanosleep(&pause, NULL);
	}
	return reply;
}

static int upgrade(const struct ctl_context *ctx)
{
	_cleanup_(closep) int fd = ctl_client_connect(ctx->path);
	json_t *old, *new = NULL;
	int status;

	if (fd < 0)
		return CTL_EXIT_UNREACHABLE;
	status = ctl_client_request(fd, ctx->path, "upgrade", false, &old);
	if (status != CTL_EXIT_OK)
		return status;
	if (!json_is_true(json_object_get(old, "ok")) || cell_num(old, "pid") <= 0) {
		fputs("ringcastctl: the answer does not come from a ringcastd that can hand over; "
		      "check\nwhich program listens on the socket, and the log of the "
		      "daemon.\n",
			stderr);
		json_decref(old);
		return CTL_EXIT_DAEMON;
	}
	/* the old process sends nothing more, and ends */
	if (ctl_client_drain(fd) != -EAGAIN)
		new = wait_up(ctx->path, cell_num(old, "pid"));
	if (!new)
		fputs("ringcastctl: the daemon has handed over, but no new one answers. "
		      "The service\nmanager has its sockets: see its log, then start the "
		      "service. Its unit needs\nRestartForceExitStatus=5.\n",
			stderr);
	else if (ctx->as_json)
		printf("{\"ok\":true,\"pid\":%lld}\n", cell_num(new, "pid"));
	else
		printf("process %lld has taken over from %lld\n", cell_num(new, "pid"),
			cell_num(old, "pid"));
	json_decref(old);
	json_decref(new);
	return new ? CTL_EXIT_OK : CTL_EXIT_DAEMON;
}

static const char usage[] =
	"usage: ringcastctl [-s SOCKET] [--json] upgrade\n"
	"\n"
	"Let another ringcastd take over from the running one, without a gap: it gets the\n"
	"sockets, the groups and their timers from the service manager, which starts it.\n"
	"The manager must keep descriptors, as systemd does; without such a manager the\n"
	"daemon continues as it is. Check the new program first:\n"
	"  ringcastd -C /etc/ringcast.conf && ringcastctl upgrade\n";

int ctl_upgrade(const struct ctl_context *ctx, int argc, char **argv)
{
	static const struct option options[] = {
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	int c = getopt_long(argc, argv, "h", options, NULL);

	if (c == -1 && optind == argc)
		return upgrade(ctx);
	fputs(usage, c == 'h' ? stdout : stderr);
	return c == 'h' ? CTL_EXIT_OK : CTL_EXIT_USAGE;
}
