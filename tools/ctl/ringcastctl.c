/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Command line client of the control socket: joins its words to one request line, reads
 * one line of JSON and prints it as text or, with --json, as it is. Exit status: 0
 * done, 1 usage or the daemon cannot be reached, 4 the daemon answered with an error.
 */

#include "build_config.h"
#include "tools/ctl/command_name.h"
#include "tools/ctl/ctl_capture.h"
#include "tools/ctl/ctl_client.h"
#include "tools/ctl/ctl_commands.h"
#include "tools/ctl/ctl_convert.h"
#include "tools/ctl/ctl_explain.h"
#include "tools/ctl/ctl_list.h"
#include "tools/ctl/ctl_tables.h"
#include "tools/ctl/ctl_watch.h"

#include "base/cleanup.h"
#include "control/sys/ctl.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* A command is a line for the daemon, and `print` shows the reply, or `list` its rows.
 * Or `run` does everything: it gets the command's name as argv[0] and the words after
 * it. */
struct command {
	const char *name;
	const char *argument; /* NULL if it takes none; "[...]" if it is optional */
	const char *help;
	int (*print)(const struct ctl_context *ctx, json_t *reply, FILE *out);
	int (*run)(const struct ctl_context *ctx, int argc, char **argv);
	const struct ctl_list *list;
	const char *request; /* the command of the daemon, if not `name` */
};

static int help(const struct ctl_context *ctx, int argc, char **argv);

static const struct command commands[] = {
	{"show interfaces", "[INTERFACE]", "counters, role and state",
		.list = &ctl_list_interfaces},
	{"show groups", "[FILTER]", "groups that members have joined",
		.list = &ctl_list_groups},
	{"show groups detail", "[FILTER]", "with hosts, timers and modes",
		.list = &ctl_list_groups_detail},
	{"show mfc", "[FILTER]", "forwarding entries with rates",
		.list = &ctl_list_mfc},
	{"show upstream", "[FILTER]", "what is reported upstream",
		.list = &ctl_list_upstream},
	{"show zaps", "[FILTER]", "how long hosts wait for a stream",
		.list = &ctl_list_zaps},
	{"show stats", NULL, "what became of frames and messages", ctl_print_stats},
	{"show config", NULL, "configuration, every value spelt out", ctl_print_config},
	{"show version", NULL, "of the daemon, and how it sends", ctl_print_version,
		.request = "version"},
	{"explain", "GROUP [SOURCE]",
		"why a stream does not arrive, and what to change", .run = ctl_explain},
	{"quality", "[FILTER]", "where the faults of streams happen, now and lately",
		.run = ctl_quality},
	{"watch", NULL, "interfaces, drops and streams, live", .run = ctl_watch},
	{"monitor", NULL, "events as they happen: groups, hosts, streams, links",
		.run = ctl_monitor},
	{"capture", "[FILTER]", "membership messages as they come and go",
		.run = ctl_capture_run},
	{"health", NULL, "exit with 0 when all is well, else say what is wrong",
		.run = ctl_health},
	{"metrics", NULL, "metrics as text, for Prometheus", .run = ctl_metrics},
	{"page", NULL, "the address of the page for browsers", ctl_print_page},
	{"log", "[LEVEL]", "show or change the level: error to debug, or default",
		ctl_print_log},
	{"clear group", "GROUP [IF]",
		"query its members at once; without an answer it ends",
		ctl_print_clear},
	{"reload", NULL, "read the configuration file again", ctl_print_reload},
	{"upgrade", NULL, "let another ringcastd take over without a gap",
		.run = ctl_upgrade},
	{"convert", "FILE...", "translate the configuration of another program",
		.run = ctl_convert},
	{"version", NULL, "the same as show version", ctl_print_version},
	{"help", "[COMMAND]", "this text, or that of a command", .run = help},
};

static bool is_below(const struct command *c, const char *first)
{
	size_t n = strlen(first);

	return strncmp(c->name, first, n) == 0 && c->name[n] == ' ';
}

static int larger(int a, int b)
{
	return a > b ? a : b;
}

/* Without `out` it only returns the length. */
static int print_name(const struct command *c, FILE *out, int width)
{
	char name[64];

	snprintf(name, sizeof(name), "%s%s%s", c->name, c->argument ? " " : "",
		c->argument ? c->argument : "");
	return out ? fprintf(out, "  %-*s", width, name) : (int)strlen(name);
}

/* The commands below "show", or, with NULL, the others and one line for all of "show".
 * Two blanks at least before the help: shell completion reads this list. */
static void print_commands(const char *below, FILE *out)
{
	const struct command all = {"show", "WHAT"};
	int width = print_name(&all, NULL, 0);

	for (size_t i = 0; i < array_len(commands); i++) {
		const struct command *c = &commands[i];

		if (below ? is_below(c, below) : !is_below(c, "show"))
			width = larger(width, print_name(c, NULL, 0));
	}
	if (!below) {
		print_name(&all, out, width);
		fputs("  interfaces, groups, mfc, ...; show --help has all\n", out);
	}
	for (size_t i = 0; i < array_len(commands); i++) {
		const struct command *c = &commands[i];

		if (below ? !is_below(c, below) : is_below(c, "show"))
			continue;
		print_name(c, out, width);
		fprintf(out, "  %s\n", c->help);
	}
}

static const char usage_line[] = "usage: ringcastctl [-s SOCKET] [--json] ";

static const char filter_text[] =
	"FILTER is a group or a range of groups, the address or network of a host or a\n"
	"source, and an interface, each once at most: 239.1.0.0/16 10.0.1.17 lan1\n";

static const char table_options[] =
	"Tables: -w, --wide has all columns, -b, --brief few of them and the first table\n"
	"alone, -H, --no-header rows alone. JSON: -j, --json, and -p, --pretty over\n"
	"several lines. Counters that are zero also: -a, --all.\n";

/* At most 24 lines of 80 columns, so that a small terminal shows all of it. */
static void print_usage(FILE *out)
{
	fprintf(out, "%sCOMMAND\ncommands:\n", usage_line);
	print_commands(NULL, out);
	fputs("\n"
	      "options:\n"
	      "  -s, --socket SOCKET  -j, --json  -p, --pretty  its socket; reply as JSON\n"
	      "  -a, --all  -b, --brief  -H, --no-header  -w, --wide  of show: what to print\n"
	      "  -V, --version  -h, --help  of this program; after a command what it does\n",
		out);
}

static void print_usage_below(const char *first, FILE *out)
{
	fprintf(out, "%s%s ...\n\ncommands:\n", usage_line, first);
	print_commands(first, out);
	if (strcmp(first, "show") == 0)
		fprintf(out, "\n%s\n%s", filter_text, table_options);
}

static void print_command_usage(const struct command *c, FILE *out)
{
	fprintf(out, "%s%s%s%s\n\n%c%s.\n", usage_line, c->name, c->argument ? " " : "",
		c->argument ? c->argument : "", toupper((unsigned char)c->help[0]),
		c->help + 1);
	if (c->argument && strcmp(c->argument, "[FILTER]") == 0)
		fprintf(out, "\n%s", filter_text);
	if (is_below(c, "show"))
		fprintf(out, "\n%s", table_options);
}

/* The command that the first words name, or NULL; then *ret_match says why. */
static const struct command *find_command(
	char *const *words, int n_words, struct command_match *ret_match)
{
	const char *names[array_len(commands)];

	for (size_t i = 0; i < array_len(commands); i++)
		names[i] = commands[i].name;
	command_find(names, array_len(names), words, (size_t)n_words, ret_match);
	return ret_match->number < 0 ? NULL : &commands[ret_match->number];
}

static int complain(const struct command_match *m)
{
	fprintf(stderr, "ringcastctl: %s\n", m->why);
	if (m->number == COMMAND_INCOMPLETE) {
		fputc('\n', stderr);
		print_usage_below(m->right, stderr);
	}
	return CTL_EXIT_USAGE;
}

/* Prints help about the words. Returns the exit status. */
static int print_help_of(const struct ctl_context *ctx, char *const *words, int n_words)
{
	static char option[] = "--help";
	struct command_match m;
	const struct command *c = find_command(words, n_words, &m);

	if (c && c->run && c->run != help) {
		char *argv[] = {words[m.used - 1], option, NULL};

		optind = 0; /* it reads its options from the start */
		return c->run(ctx, 2, argv);
	}
	if (!c && (m.number != COMMAND_INCOMPLETE || m.used < (size_t)n_words))
		return complain(&m);
	if (!c)
		print_usage_below(m.right, stdout);
	else if (c->run)
		print_usage(stdout);
	else
		print_command_usage(c, stdout);
	return CTL_EXIT_OK;
}

static int help(const struct ctl_context *ctx, int argc, char **argv)
{
	if (argc > 1 && argv[1][0] != '-')
		return print_help_of(ctx, argv + 1, argc - 1);
	print_usage(stdout);
	return CTL_EXIT_OK;
}

/* Makes the line for the daemon. Returns false after a message. */
static bool build_request(const struct command *c, char *const *words, int n_words,
	char request[CTL_MAX_REQUEST])
{
	if (n_words > 0 ? !c->argument : c->argument && *c->argument != '[') {
		fprintf(stderr, "ringcastctl: '%s' %s%s\n", c->name,
			n_words > 0 ? "takes no argument" : "needs an argument: ",
			n_words > 0 ? "" : c->argument);
		return false;
	}
	snprintf(request, CTL_MAX_REQUEST, "%s", c->request ? c->request : c->name);
	return ctl_client_add_words(request, words, (size_t)n_words);
}

static int print_reply(
	const struct ctl_context *ctx, const struct command *command, const char *line)
{
	bool as_json = ctx->as_json;
	json_error_t error;
	json_t *reply = ctl_client_parse(line, as_json, &error);
	bool failed = json_object_get(reply, "error");
	int status;

	if (as_json && reply)
		ctl_client_print_json(ctx, reply, line);
	if (!json_is_object(reply) || failed) {
		if (!as_json || !failed)
			ctl_client_complain(reply, &error);
		status = CTL_EXIT_DAEMON;
	} else if (as_json) {
		status = json_is_false(json_object_get(reply, "ok")) ? CTL_EXIT_DAEMON
								     : 0;
	} else {
		status = command->print(ctx, reply, stdout);
	}
	json_decref(reply);
	return status;
}

static int ask(const struct ctl_context *ctx, const struct command *command,
	const char *request)
{
	_cleanup_(closep) int fd = ctl_client_connect(ctx->path);
	_cleanup_(freep) char *line = NULL;

	if (fd < 0)
		return CTL_EXIT_UNREACHABLE;
	if (command->list)
		return ctl_list_show(fd, ctx, request, command->list);
	line = ctl_client_line(fd, ctx->path, request);
	if (!line)
		return CTL_EXIT_UNREACHABLE;
	return print_reply(ctx, command, line);
}

/* Options of all commands. Returns -1 to continue, else the exit status. With `stop` it
 * stops at the first word. */
static int parse_options(
	struct ctl_context *ctx, int argc, char **argv, bool stop, bool *ret_help)
{
	static const struct option options[] = {
		{"socket", required_argument, NULL, 's'},
		{"json", no_argument, NULL, 'j'},
		{"pretty", no_argument, NULL, 'p'},
		{"wide", no_argument, NULL, 'w'},
		{"brief", no_argument, NULL, 'b'},
		{"no-header", no_argument, NULL, 'H'},
		{"all", no_argument, NULL, 'a'},
		{"version", no_argument, NULL, 'V'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	int c;

	while ((c = getopt_long(argc, argv, stop ? "+s:jpwbHaVh" : "s:jpwbHaVh",
			options, NULL)) != -1) {
		if (ctl_client_option(ctx, c))
			continue;
		switch (c) {
		case 'a':
			ctx->all = true;
			break;
		case 'V':
			puts("ringcastctl " RINGCAST_VERSION);
			return CTL_EXIT_OK;
		case 'h':
			*ret_help = true;
			break;
		default: /* getopt has said what is wrong */
			print_usage(stderr);
			return CTL_EXIT_USAGE;
		}
	}
	return -1;
}

static int run_command(struct ctl_context *ctx, char **words, int n_words)
{
	char request[CTL_MAX_REQUEST];
	struct command_match m;
	const struct command *command = find_command(words, n_words, &m);

	if (!command)
		return complain(&m);
	if (!build_request(command, words + m.used, n_words - (int)m.used, request))
		return CTL_EXIT_USAGE;
	if (!ctx->path)
		ctx->path = ctl_client_default_path();
	return ask(ctx, command, request);
}

/* Makes two words of a quoted "show mfc". The new list is not freed, because getopt
 * points into it. */
static void split_word(int *argc, char ***argv, int at)
{
	static char **list;
	char *save = NULL, *w;
	int n = 0;

	if (at >= *argc || !strchr((*argv)[at], ' '))
		return;
	list = calloc((size_t)*argc + strlen((*argv)[at]) + 1, sizeof(*list));
	if (!list)
		return;
	for (int i = 0; i < at; i++)
		list[n++] = (*argv)[i];
	for (w = strtok_r((*argv)[at], " ", &save); w; w = strtok_r(NULL, " ", &save))
		list[n++] = w;
	for (int i = at + 1; i < *argc; i++)
		list[n++] = (*argv)[i];
	*argv = list;
	*argc = n;
}

static int run(struct ctl_context *ctx, int argc, char **argv)
{
	const struct command *command;
	struct command_match m;
	bool wants_help = false;
	int status;

	status = parse_options(ctx, argc, argv, true, &wants_help);
	split_word(&argc, &argv, optind);
	if (status < 0 && optind < argc && !wants_help) {
		command = find_command(argv + optind, argc - optind, &m);
		if (command && command->run) {
			int first = optind + (int)m.used - 1;

			if (!ctx->path && command->run != help)
				ctx->path = ctl_client_default_path();
			optind = 0; /* it reads its options from the start */
			return command->run(ctx, argc - first, argv + first);
		}
		optind = 0; /* again, with the options between and after words */
		status = parse_options(ctx, argc, argv, false, &wants_help);
	}
	if (status >= 0)
		return status;
	if (optind < argc)
		return wants_help ? print_help_of(ctx, argv + optind, argc - optind)
				  : run_command(ctx, argv + optind, argc - optind);
	print_usage(wants_help ? stdout : stderr);
	return wants_help ? CTL_EXIT_OK : CTL_EXIT_USAGE;
}

#define LINE_WIDTH 80 /* unless a terminal has another */

/* On a terminal, cells are cut so that lines fit; files and pipes get whole cells. */
static struct text_view default_view(void)
{
	struct text_view view = {.detail = TEXT_NORMAL, .width = LINE_WIDTH};
	struct winsize size;

	if (isatty(STDOUT_FILENO)) {
		view.cut = true;
		if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
			view.width = size.ws_col;
	}
	return view;
}

int main(int argc, char **argv)
{
	struct ctl_context ctx = {.view = default_view()};
	int status = run(&ctx, argc, argv);

	if (fflush(stdout) != 0 && status == 0) {
		fprintf(stderr, "ringcastctl: cannot write: %s\n", strerror(errno));
		return CTL_EXIT_USAGE;
	}
	return status;
}
