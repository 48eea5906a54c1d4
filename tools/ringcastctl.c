/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Command line client of the control socket: joins its words to one request line, reads
 * one line of JSON and prints it as text or, with --json, as it is. Exit status: 0
 * done, 1 usage or the daemon cannot be reached, 4 the daemon answered with an error.
 */

#include "build_config.h"
#include "ctl_tables.h"

#include "base/cleanup.h"
#include "control/ctl.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#define ANSWER_WAIT_S 20

enum {
	EXIT_USAGE = 1,
	EXIT_UNREACHABLE = 1,
	EXIT_DAEMON = 4,
};

struct command {
	const char *name;
	const char *argument; /* NULL: takes none */
	const char *help;
	int (*print)(json_t *reply, FILE *out);
};

static const struct command commands[] = {
	{"show interfaces", NULL, "interfaces with counters, role and state",
		ctl_print_interfaces},
	{"show groups", NULL, "groups that members have joined, by interface",
		ctl_print_groups},
	{"show mfc", NULL, "forwarding entries", ctl_print_mfc},
	{"show upstream", NULL, "what is reported upstream", ctl_print_upstream},
	{"show stats", NULL, "counters of the data plane and of the control thread",
		ctl_print_stats},
	{"show config", NULL, "the configuration in force, every value spelt out",
		ctl_print_config},
	{"log", "LEVEL", "log error, warning, notice, info or debug from now on",
		ctl_print_nothing},
	{"reload", NULL, "read the configuration file again", ctl_print_reload},
	{"version", NULL, "version of the daemon and how it sends", ctl_print_version},
};

static void print_usage(FILE *out)
{
	fputs("usage: ringcastctl [-s SOCKET] [--json] COMMAND\n"
	      "\n"
	      "commands:\n",
		out);
	for (size_t i = 0; i < array_len(commands); i++) {
		char name[32];

		snprintf(name, sizeof(name), "%s %s", commands[i].name,
			commands[i].argument ? commands[i].argument : "");
		fprintf(out, "  %-18s %s\n", name, commands[i].help);
	}
	fputs("\n"
	      "options:\n"
	      "  -s, --socket SOCKET  control socket of the daemon (" CTL_DEFAULT_PATH
	      ")\n"
	      "  -j, --json           print the reply as JSON\n"
	      "  -V, --version        version of this program\n"
	      "  -h, --help           this text\n",
		out);
}

/* "show mfc" -> its entry; NULL and a message when there is none or the argument count
 * is wrong. `request` gets the line. */
static const struct command *find_command(
	char **words, int n_words, char *request, size_t size)
{
	size_t len = 0;

	request[0] = '\0';
	for (int i = 0; i < n_words && len < size; i++)
		len += (size_t)snprintf(
			request + len, size - len, "%s%s", i ? " " : "", words[i]);
	if (len >= size - 1 || strpbrk(request, "\r\n")) {
		fputs("ringcastctl: the command is too long or has line breaks\n",
			stderr);
		return NULL;
	}
	for (size_t i = 0; i < array_len(commands); i++) {
		size_t n = strlen(commands[i].name);
		bool more = request[n] == ' ';

		if (strncmp(request, commands[i].name, n) != 0 || (request[n] && !more))
			continue;
		if (more == (commands[i].argument != NULL))
			return &commands[i];
		fprintf(stderr, "ringcastctl: '%s' %s%s\n", commands[i].name,
			more ? "takes no argument" : "needs an argument: ",
			more ? "" : commands[i].argument);
		return NULL;
	}
	fprintf(stderr, "ringcastctl: unknown command '%s'; see ringcastctl --help\n",
		request);
	return NULL;
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
		fputs("Run this command as root or as a member of the socket's group.\n",
			stderr);
}

/* descriptor or -errno */
static int connect_to(const char *path)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	struct timeval wait = {.tv_sec = ANSWER_WAIT_S};
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
	return take_fd(&fd);
}

/* One line without its newline, malloc'ed; NULL and errno. */
static char *read_line(int fd)
{
	_cleanup_(freep) char *line = NULL;
	size_t n = 0, cap = 0;

	for (;;) {
		ssize_t got;

		if (n + 1 >= cap) {
			char *larger = realloc(line, cap ? 2 * cap : 65536);

			if (!larger)
				return NULL;
			line = larger;
			cap = cap ? 2 * cap : 65536;
		}
		got = recv(fd, line + n, cap - n - 1, 0);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return NULL;
		if (got == 0) {
			errno = ECONNRESET;
			return NULL;
		}
		n += (size_t)got;
		if (line[n - 1] == '\n')
			break;
	}
	line[n - 1] = '\0';
	return take_ptr(line);
}

static int send_all(int fd, const char *buf, size_t len)
{
	while (len > 0) {
		ssize_t n = send(fd, buf, len, MSG_NOSIGNAL);

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0) {
			buf += n;
			len -= (size_t)n;
		}
	}
	return 0;
}

static int print_reply(const struct command *command, const char *line, bool as_json)
{
	json_error_t error;
	json_t *reply = json_loads(line, 0, &error);
	const char *text = json_string_value(json_object_get(reply, "error"));
	int status;

	if (as_json && reply)
		puts(line);
	if (!json_is_object(reply)) {
		fprintf(stderr, "ringcastctl: the reply is no JSON object%s%s\n",
			reply ? "" : ": ", reply ? "" : error.text);
		status = EXIT_DAEMON;
	} else if (text) {
		if (!as_json)
			fprintf(stderr, "ringcastctl: %s\n", text);
		status = EXIT_DAEMON;
	} else if (as_json) {
		status = json_is_false(json_object_get(reply, "ok")) ? EXIT_DAEMON : 0;
	} else {
		status = command->print(reply, stdout);
	}
	json_decref(reply);
	return status;
}

static int run(
	const char *path, const struct command *command, char *request, bool as_json)
{
	_cleanup_(closep) int fd = connect_to(path);
	_cleanup_(freep) char *line = NULL;
	size_t n = strlen(request);
	int r;

	if (fd < 0) {
		explain_unreachable(path, -fd);
		return EXIT_UNREACHABLE;
	}
	request[n] = '\n'; /* find_command has left room; the length is known */
	r = send_all(fd, request, n + 1);
	request[n] = '\0';
	if (r == 0) {
		line = read_line(fd);
		r = line ? 0 : -errno;
	}
	if (r < 0) {
		fprintf(stderr, "ringcastctl: no answer from the daemon at %s: %s\n",
			path,
			r == -EAGAIN ? "it does not react in time" : strerror(-r));
		return EXIT_UNREACHABLE;
	}
	return print_reply(command, line, as_json);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{"socket", required_argument, NULL, 's'},
		{"json", no_argument, NULL, 'j'},
		{"version", no_argument, NULL, 'V'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	const char *path = CTL_DEFAULT_PATH;
	const struct command *command;
	bool as_json = false;
	char request[CTL_MAX_REQUEST];
	int c, status;

	while ((c = getopt_long(argc, argv, "s:jVh", options, NULL)) != -1) {
		switch (c) {
		case 's':
			path = optarg;
			break;
		case 'j':
			as_json = true;
			break;
		case 'V':
			puts("ringcastctl " RINGCAST_VERSION);
			return 0;
		case 'h':
			print_usage(stdout);
			return 0;
		default: /* getopt has said what is wrong */
			print_usage(stderr);
			return EXIT_USAGE;
		}
	}
	if (optind == argc) {
		print_usage(stderr);
		return EXIT_USAGE;
	}
	command = find_command(argv + optind, argc - optind, request, sizeof(request));
	if (!command)
		return EXIT_USAGE;
	status = run(path, command, request, as_json);
	if (fflush(stdout) != 0 && status == 0) {
		fprintf(stderr, "ringcastctl: cannot write: %s\n", strerror(errno));
		return 1;
	}
	return status;
}
