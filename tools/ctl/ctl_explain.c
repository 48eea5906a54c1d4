/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * `ringcastctl explain GROUP [SOURCE] [--from INTERFACE] [--on INTERFACE]`, see
 * ctl_explain.h: asks the daemon to check a stream and prints the checks. Those that
 * refuse have advice. The exit status is the verdict.
 */

#include "tools/ctl/ctl_explain.h"

#include "base/cleanup.h"
#include "control/sys/ctl.h"
#include "tools/ctl/ctl_cell.h"
#include "tools/ctl/term_style.h"

#include <getopt.h>
#include <string.h>

#define WIDTH 88

enum {
	FLOWS = 0,
	STOPPED = 1,
	DOUBTFUL = 2,
	NO_ANSWER = 3, /* wrong usage, or no answer */
};

static void usage(FILE *out)
{
	fputs("usage: ringcastctl explain GROUP [SOURCE] [--from INTERFACE] [--on INTERFACE]\n"
	      "\n"
	      "Why does this stream not arrive? Walks through the checks of the daemon and\n"
	      "says which one refuses it and what to change. GROUP may be what a playlist\n"
	      "has: 239.1.2.3:5000, udp://@239.1.2.3:5000, rtp://SOURCE@GROUP:PORT.\n"
	      "\n"
	      "exit status: 0 it arrives, 1 it is stopped, 2 that is not certain, 3 wrong\n"
	      "usage or no daemon, 4 the daemon refuses the question\n"
	      "\n"
	      "options:\n"
	      "  -f, --from INTERFACE  where the stream comes in; default: an upstream\n"
	      "  -o, --on INTERFACE    where it should go out; default: any downstream\n"
	      "  -j, --json            the checks as JSON\n"
	      "  -p, --pretty          the same, over several lines\n"
	      "  -h, --help            this text\n",
		out);
}

/* Verdicts that need attention are bold if that is allowed: "NO", and "?" that is not
 * certain. */
static void print_mark(const char *verdict, FILE *out)
{
	const char *mark = "?";
	bool bold = false;

	if (strcmp(verdict, "pass") == 0)
		mark = "ok";
	else if (strcmp(verdict, "note") == 0)
		mark = "--";
	else
		bold = term_style_allowed(out);
	if (strcmp(verdict, "refuse") == 0)
		mark = "NO";
	fprintf(out, "  %s%-2s%s ", bold ? TERM_BOLD : "", mark,
		bold ? TERM_NORMAL : "");
}

static void print_check(const json_t *c, FILE *out)
{
	print_mark(cell_str(c, "verdict"), out);
	fprintf(out, "%-9s %-10s ", cell_str(c, "check"),
		*cell_str(c, "interface") ? cell_str(c, "interface") : "-");
	text_wrap(cell_str(c, "text"), 26, WIDTH, out);
	if (!*cell_str(c, "advice"))
		return;
	fprintf(out, "%26s", "-> ");
	text_wrap(cell_str(c, "advice"), 26, WIDTH, out);
}

static void print_instance(const json_t *list, const char *instance, FILE *out)
{
	const json_t *c;
	size_t i;

	json_array_foreach(list, i, c)
	{
		if (strcmp(cell_str(c, "instance"), instance) == 0)
			print_check(c, out);
	}
}

/* "239.1.2.3 (News) from 10.0.0.1: refuse", the summary, the checks by instance */
static void print_answer(const json_t *reply, FILE *out)
{
	const json_t *list = json_object_get(reply, "checks"), *c;
	const char *last = NULL, *source = cell_str(reply, "source");
	const char *channel = cell_str(reply, "channel");
	char head[1024];
	size_t i;

	snprintf(head, sizeof(head), "%s%s%s%s%s%s: %s", cell_str(reply, "group"),
		*channel ? " (" : "", channel, *channel ? ")" : "",
		*source ? " from " : "", source, cell_str(reply, "summary"));
	text_wrap(head, 2, WIDTH, out);
	json_array_foreach(list, i, c)
	{
		const char *instance = cell_str(c, "instance");

		if (last && strcmp(last, instance) == 0)
			continue;
		fputc('\n', out);
		if (*instance)
			fprintf(out, "instance %s\n", instance);
		print_instance(list, instance, out);
		last = instance;
	}
}

static int status_of(const json_t *reply)
{
	const char *verdict = cell_str(reply, "verdict");

	return strcmp(verdict, "pass") == 0	 ? FLOWS
		: strcmp(verdict, "refuse") == 0 ? STOPPED
						 : DOUBTFUL;
}

static int ask(const struct ctl_context *ctx, char *const *words, int n,
	const char *from, const char *on)
{
	char request[CTL_MAX_REQUEST];
	_cleanup_(closep) int fd = -1;
	json_t *reply;
	int status;

	snprintf(request, sizeof(request), "explain %s%s%s%s%s%s%s", words[0],
		n > 1 ? " " : "", n > 1 ? words[1] : "", from ? " from " : "",
		from ? from : "", on ? " on " : "", on ? on : "");
	if (strpbrk(request, "\r\n")) {
		fputs("ringcastctl: the command has line breaks\n", stderr);
		return NO_ANSWER;
	}
	fd = ctl_client_connect(ctx->path);
	if (fd < 0)
		return NO_ANSWER;
	status = ctl_client_request(fd, ctx->path, request, ctx->as_json, &reply);
	if (status != CTL_EXIT_OK)
		return status == CTL_EXIT_DAEMON ? status : NO_ANSWER;
	if (ctx->as_json)
		ctl_client_print_json(ctx, reply, NULL);
	else
		print_answer(reply, stdout);
	status = status_of(reply);
	json_decref(reply);
	return status;
}

int ctl_explain(const struct ctl_context *context, int argc, char **argv)
{
	static const struct option options[] = {
		{"from", required_argument, NULL, 'f'},
		{"on", required_argument, NULL, 'o'},
		{"socket", required_argument, NULL, 's'},
		{"json", no_argument, NULL, 'j'},
		{"pretty", no_argument, NULL, 'p'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	struct ctl_context ctx = *context;
	const char *from = NULL, *on = NULL;
	int c;

	while ((c = getopt_long(argc, argv, "f:o:s:jph", options, NULL)) != -1) {
		if (ctl_client_option(&ctx, c))
			continue;
		switch (c) {
		case 'f':
			from = optarg;
			break;
		case 'o':
			on = optarg;
			break;
		case 'h':
			usage(stdout);
			return CTL_EXIT_OK;
		default: /* getopt has said what is wrong */
			usage(stderr);
			return NO_ANSWER;
		}
	}
	if (argc - optind < 1 || argc - optind > 2) {
		usage(stderr);
		return NO_ANSWER;
	}
	return ask(&ctx, argv + optind, argc - optind, from, on);
}
