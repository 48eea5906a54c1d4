/* SPDX-License-Identifier: GPL-2.0-or-later */

/* ringcastctl monitor: events of the daemon as they happen, a line each, until an
 * interrupt. */

#include "tools/ctl/ctl_commands.h"

#include "base/addr.h"
#include "base/cleanup.h"
#include "control/sys/ctl.h"
#include "tools/ctl/ctl_cell.h"
#include "tools/ctl/printable.h"

#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define EVENTS_MAX 65536 /* bytes of an event, of which most have 200 */
#define ENDED                                                                                \
	"the daemon has ended the connection: it is stopping, or root or a user with fewer " \
	"streams took the place; try again"

static const char usage_text[] =
	"usage: ringcastctl [-s SOCKET] monitor [--only KINDS] [GROUP] [INTERFACE...]\n"
	"\n"
	"Prints events as they happen, a line each, until Ctrl-C: groups and hosts that\n"
	"come and go, streams that arrive and end, links, queriers, refused messages,\n"
	"limits, reloads. Name a group or a range of groups, and interfaces, to see only\n"
	"theirs. A line that says how many events were lost means that they were not read\n"
	"in time.\n"
	"\n"
	"  -o, --only KINDS  group, host, stream, link, querier, forwarder, refused or\n"
	"                    reload, several with commas between them\n"
	"  -j, --json        as JSON, a line each\n"
	"  -h, --help        this text\n";

/* "17:40:01.123 lan1: group 239.1.2.3 host 10.0.1.2: group has its first member" */
static void print_text(const json_t *event)
{
	static const char *const keys[] = {"group", "source", "host"};
	const char *interface = cell_str(event, "interface"), *blank = "";
	json_int_t ms = json_integer_value(json_object_get(event, "unix_ms"));
	const json_t *number = json_object_get(event, "value");
	/* other replies may have several lines */
	_cleanup_(freep) char *text = strdup(cell_str(event, "text"));
	time_t seconds = (time_t)(ms / 1000);
	char clock[16] = "";
	struct tm tm;

	if (localtime_r(&seconds, &tm))
		strftime(clock, sizeof(clock), "%H:%M:%S", &tm);
	printf("%s.%03d ", clock, (int)(ms % 1000));
	if (*interface)
		printf("%s: ", interface);
	for (size_t i = 0; i < array_len(keys); i++) {
		const char *value = cell_str(event, keys[i]);

		if (*value) {
			printf("%s%s %s", blank, keys[i], value);
			blank = " ";
		}
	}
	printf("%s%s", *blank ? ": " : "", text ? printable(text, "") : "");
	if (json_is_integer(number))
		printf(" (%lld)", (long long)json_integer_value(number));
	number = json_object_get(event, "count");
	if (json_is_integer(number))
		printf(" (%lld)", (long long)json_integer_value(number));
	putchar('\n');
}

static void print_event(const struct ctl_context *ctx, const char *line)
{
	json_t *event = ctl_client_parse(line, ctx->as_json, NULL);

	if (event && ctx->as_json)
		ctl_client_print_json(ctx, event, line);
	else if (json_is_object(event))
		print_text(event);
	json_decref(event);
}

/* Prints one or more lines. Returns false if the reader has gone. */
static bool print_events(const struct ctl_context *ctx, char *lines)
{
	char *save = NULL, *line;

	for (line = strtok_r(lines, "\n", &save); line;
		line = strtok_r(NULL, "\n", &save))
		print_event(ctx, line);
	return fflush(stdout) == 0;
}

/* Prints the complete lines, and keeps the rest in `buf`. Returns false if the reader
 * has gone. */
static bool take_lines(const struct ctl_context *ctx, char *buf, size_t *n)
{
	char *last = memrchr(buf, '\n', *n);
	size_t len;

	if (!last)
		return true;
	*last = '\0';
	if (!print_events(ctx, buf))
		return false;
	len = (size_t)(last + 1 - buf);
	memmove(buf, buf + len, *n - len);
	*n -= len;
	return true;
}

/* Why the stream has ended, or NULL if we have ended it. */
static const char *follow_lines(const struct ctl_context *ctx, int fd)
{
	char buf[EVENTS_MAX];
	sigset_t waiting;
	size_t n = 0;

	ctl_client_catch(&waiting);
	while (!ctl_client_interrupted) {
		struct pollfd p = {.fd = fd, .events = POLLIN};
		ssize_t got;

		if (ppoll(&p, 1, NULL, &waiting) < 0)
			continue;
		got = recv(fd, buf + n, sizeof(buf) - n, MSG_DONTWAIT);
		if (got < 0 && (errno == EAGAIN || errno == EINTR))
			continue;
		if (got <= 0)
			return ENDED;
		n += (size_t)got;
		if (!take_lines(ctx, buf, &n))
			return NULL;
		if (n == sizeof(buf))
			return "an event is longer than any event of ringcastd";
	}
	return NULL;
}

static int follow(const struct ctl_context *ctx, int fd)
{
	const char *why = follow_lines(ctx, fd);

	if (!why)
		return CTL_EXIT_OK;
	fprintf(stderr, "ringcastctl: %s\n", why);
	return CTL_EXIT_DAEMON;
}

/* "monitor only=stream interface=lan1". False after a message. */
static bool build_request(
	const char *only, char *const *words, int n, char request[CTL_MAX_REQUEST])
{
	int len = snprintf(request, CTL_MAX_REQUEST, "monitor%s%s",
		only ? " only=" : "", only ? only : "");

	for (int i = 0; i < n && len < CTL_MAX_REQUEST; i++) {
		bool host_bits;
		struct prefix p;
		bool is_group = prefix_parse(words[i], &p, &host_bits) == 0;

		len += snprintf(request + len, (size_t)(CTL_MAX_REQUEST - len),
			" %s=%s", is_group ? "group" : "interface", words[i]);
	}
	if (len < CTL_MAX_REQUEST - 1 && !strpbrk(request, "\r\n"))
		return true;
	fputs("ringcastctl: the command is too long or has line breaks\n", stderr);
	return false;
}

int ctl_monitor(const struct ctl_context *context, int argc, char **argv)
{
	static const struct option options[] = {
		{"only", required_argument, NULL, 'o'},
		{"json", no_argument, NULL, 'j'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	struct ctl_context ctx = *context;
	char request[CTL_MAX_REQUEST];
	_cleanup_(closep) int fd = -1;
	const char *only = NULL;
	int c, status;

	ctx.pretty = false; /* a line for each event */
	while ((c = getopt_long(argc, argv, "o:jh", options, NULL)) != -1) {
		if (c == 'j') {
			ctx.as_json = true;
			continue;
		}
		if (c == 'o') {
			only = optarg;
			continue;
		}
		fputs(usage_text, c == 'h' ? stdout : stderr);
		return c == 'h' ? CTL_EXIT_OK : CTL_EXIT_USAGE;
	}
	if (!build_request(only, argv + optind, argc - optind, request))
		return CTL_EXIT_USAGE;
	fd = ctl_client_connect(ctx.path);
	if (fd < 0)
		return CTL_EXIT_UNREACHABLE;
	status = ctl_client_stream(fd, ctx.path, request);
	if (status != CTL_EXIT_OK)
		return status;
	if (isatty(STDERR_FILENO))
		fputs("following events; Ctrl-C ends\n", stderr);
	return follow(&ctx, fd);
}
