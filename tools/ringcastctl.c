/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Command line client of the control socket: joins its words to one request line, reads
 * one line of JSON and prints it as text or, with --json, as it is. Exit status: 0
 * done, 1 usage or the daemon cannot be reached, 4 the daemon answered with an error.
 */

#include "build_config.h"
#include "ctl_capture.h"
#include "ctl_client.h"
#include "ctl_commands.h"
#include "ctl_convert.h"
#include "ctl_explain.h"
#include "ctl_tables.h"
#include "ctl_watch.h"

#include "base/cleanup.h"
#include "control/ctl.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A command is a line for the daemon whose reply `print` shows, or, with `run`, a
 * program of its own: it gets its name as argv[0] and what follows, options included.
 */
struct command {
	const char *name;
	const char *argument; /* NULL: takes none; "[...]": may do without */
	const char *help;
	int (*print)(json_t *reply, FILE *out);
	int (*run)(const struct ctl_context *ctx, int argc, char **argv);
	bool (*again)(const json_t *reply); /* ask once more, a second later */
};

static const struct command commands[] = {
	{"show interfaces", NULL, "interfaces with counters, role and state",
		ctl_print_interfaces},
	{"show groups detail", "[GROUP] [INTERFACE]",
		"the same with hosts, timers and modes", ctl_print_groups_detail},
	{"show groups", NULL, "groups that members have joined, by interface",
		ctl_print_groups},
	{"show mfc", NULL, "forwarding entries with rates", ctl_print_mfc,
		.again = ctl_mfc_again},
	{"show upstream", NULL, "what is reported upstream", ctl_print_upstream},
	{"show stats", NULL, "counters of the data plane and of the control thread",
		ctl_print_stats},
	{"show config", NULL, "the configuration in force, every value spelt out",
		ctl_print_config},
	{"explain", "GROUP [SOURCE] [--from IF]",
		"why a stream does not arrive, and what to change", .run = ctl_explain},
	{"watch", "[OPTIONS]",
		"all of it at a glance, again and again; see watch --help",
		.run = ctl_watch},
	{"capture", "[OPTION]...",
		"membership messages as they come and go; --help says more",
		.run = ctl_capture_run},
	{"metrics", NULL, "metrics as text, --openmetrics for the other format",
		.run = ctl_metrics},
	{"health", NULL, "exit with 0 when all is well, else say what is wrong",
		.run = ctl_health},
	{"log", "[LEVEL]",
		"the log level; error, warning, notice, info, debug or default change it",
		ctl_print_log},
	{"reload", NULL, "read the configuration file again", ctl_print_reload},
	{"upgrade", NULL, "let another ringcastd take over without a gap", NULL,
		ctl_upgrade},
	{"version", NULL, "version of the daemon and how it sends", ctl_print_version},
	{"convert", "[OPTION]... FILE...",
		"translate the configuration of another program; --help says more",
		.run = ctl_convert},
};

static void print_usage(FILE *out)
{
	fputs("usage: ringcastctl [-s SOCKET] [--json] COMMAND\n"
	      "\n"
	      "commands:\n",
		out);
	for (size_t i = 0; i < array_len(commands); i++) {
		char name[64];

		snprintf(name, sizeof(name), "%s %s", commands[i].name,
			commands[i].argument ? commands[i].argument : "");
		/* two blanks at least: shell completion reads this list */
		fprintf(out, "  %-36s  %s\n", name, commands[i].help);
	}
	fputs("\n"
	      "options:\n"
	      "  -s, --socket SOCKET  control socket of the daemon\n"
	      "  -j, --json           print the reply as JSON\n"
	      "  -V, --version        version of this program\n"
	      "  -h, --help           this text\n"
	      "\n"
	      "Without -s: $RINGCAST_SOCKET, else " CTL_DEFAULT_PATH
	      " or, of the service,\n" CTL_SERVICE_PATH ", whichever answers.\n",
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
		const char *argument = commands[i].argument;
		bool more = request[n] == ' ';

		if (strncmp(request, commands[i].name, n) != 0 || (request[n] && !more))
			continue;
		if (more ? argument != NULL : !argument || *argument == '[')
			return &commands[i];
		fprintf(stderr, "ringcastctl: '%s' %s%s\n", commands[i].name,
			more ? "takes no argument" : "needs an argument: ",
			more ? "" : argument);
		return NULL;
	}
	fprintf(stderr, "ringcastctl: unknown command '%s'; see ringcastctl --help\n",
		request);
	return NULL;
}

static int print_reply(const struct command *command, const char *line, bool as_json)
{
	json_error_t error;
	json_t *reply = ctl_client_parse(line, as_json, &error);
	bool failed = json_object_get(reply, "error");
	int status;

	if (as_json && reply)
		ctl_client_print_json(reply, line);
	if (!json_is_object(reply) || failed) {
		if (!as_json || !failed)
			ctl_client_complain(reply, &error);
		status = CTL_EXIT_DAEMON;
	} else if (as_json) {
		status = json_is_false(json_object_get(reply, "ok")) ? CTL_EXIT_DAEMON
								     : 0;
	} else {
		status = command->print(reply, stdout);
	}
	json_decref(reply);
	return status;
}

static bool wants_again(const struct command *command, const char *line)
{
	json_t *reply = json_loads(line, 0, NULL);
	bool again = reply && command->again(reply);

	json_decref(reply);
	return again;
}

static int ask(const struct ctl_context *ctx, const struct command *command,
	const char *request)
{
	_cleanup_(closep) int fd = ctl_client_connect(ctx->path);
	_cleanup_(freep) char *line = NULL;

	if (fd < 0)
		return CTL_EXIT_UNREACHABLE;
	line = ctl_client_line(fd, ctx->path, request);
	if (line && command->again && !ctx->as_json && wants_again(command, line)) {
		sleep(1);
		free(line);
		line = ctl_client_line(fd, ctx->path, request);
	}
	if (!line)
		return CTL_EXIT_UNREACHABLE;
	return print_reply(command, line, ctx->as_json);
}

/* The command that is a program of its own, or NULL; *ret_words is how many words its
 * name has. */
static const struct command *find_program(char **words, int n_words, int *ret_words)
{
	for (size_t i = 0; i < array_len(commands); i++) {
		const char *name = commands[i].name;
		int n = 0;

		while (n < n_words && strncmp(name, words[n], strlen(words[n])) == 0) {
			name += strlen(words[n++]);
			if (*name != ' ')
				break;
			name++;
		}
		if (commands[i].run && *name == '\0') {
			*ret_words = n;
			return &commands[i];
		}
	}
	return NULL;
}

/* Options of all commands. -1: go on; else the exit status. `stop`: at the first word.
 */
static int parse_options(struct ctl_context *ctx, int argc, char **argv, bool stop)
{
	static const struct option options[] = {
		{"socket", required_argument, NULL, 's'},
		{"json", no_argument, NULL, 'j'},
		{"version", no_argument, NULL, 'V'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	int c;

	while ((c = getopt_long(
			argc, argv, stop ? "+s:jVh" : "s:jVh", options, NULL)) != -1) {
		switch (c) {
		case 's':
			ctx->path = optarg;
			break;
		case 'j':
			ctx->as_json = true;
			break;
		case 'V':
			puts("ringcastctl " RINGCAST_VERSION);
			return CTL_EXIT_OK;
		case 'h':
			print_usage(stdout);
			return CTL_EXIT_OK;
		default: /* getopt has said what is wrong */
			print_usage(stderr);
			return CTL_EXIT_USAGE;
		}
	}
	return -1;
}

static int run(struct ctl_context *ctx, int argc, char **argv)
{
	int status = parse_options(ctx, argc, argv, true), n_words;
	const struct command *command;
	char request[CTL_MAX_REQUEST];

	if (status >= 0)
		return status;
	command = find_program(argv + optind, argc - optind, &n_words);
	if (!ctx->path && command)
		ctx->path = ctl_client_default_path();
	if (command) {
		int first = optind + n_words - 1;

		optind = 0; /* the command reads its options from the start */
		return command->run(ctx, argc - first, argv + first);
	}
	optind = 0; /* once more, with the options between and behind the words */
	status = parse_options(ctx, argc, argv, false);
	if (status >= 0)
		return status;
	if (optind == argc) {
		print_usage(stderr);
		return CTL_EXIT_USAGE;
	}
	command = find_command(argv + optind, argc - optind, request, sizeof(request));
	if (!ctx->path && command)
		ctx->path = ctl_client_default_path();
	return command ? ask(ctx, command, request) : CTL_EXIT_USAGE;
}

int main(int argc, char **argv)
{
	struct ctl_context ctx = {0};
	int status = run(&ctx, argc, argv);

	if (fflush(stdout) != 0 && status == 0) {
		fprintf(stderr, "ringcastctl: cannot write: %s\n", strerror(errno));
		return CTL_EXIT_USAGE;
	}
	return status;
}
