/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * ringcastctl health: the healthcheck of containers and service managers. Exit status 0
 * means that all is well. Problems and present limits are printed. A thread that is at
 * work is checked again until it makes progress or is found to hang.
 */

#include "tools/ctl/ctl_commands.h"

#include "base/cleanup.h"

#include <getopt.h>
#include <stdio.h>
#include <time.h>

#define LOOKS	30 /* while something is unsure */
#define LOOK_MS 100

static const char usage_text[] =
	"usage: ringcastctl [-s SOCKET] [--json] health [--allow-down] [--quiet]\n"
	"\n"
	"Exit with 0 when the daemon answers, every configured interface is there, up\n"
	"and has its sockets, and every data-plane thread sleeps or progresses. Else\n"
	"print what is wrong and exit with 4; 1 if the daemon does not answer. Limits\n"
	"that a host reached within the last minute are also printed; they do not change\n"
	"the exit status.\n"
	"\n"
	"  -a, --allow-down  interfaces may be missing or down\n"
	"  -q, --quiet       the exit status alone\n"
	"  -h, --help        this text\n"
	"\n"
	"For a container: HEALTHCHECK CMD [\"ringcastctl\", \"health\"]\n";

struct options {
	bool allow_down, quiet;
	struct ctl_context ctx;
};

/* The last answer, or NULL and the exit status. */
static json_t *ask(const struct options *o, int *ret_status)
{
	const struct ctl_context *ctx = &o->ctx;
	const char *request = o->allow_down ? "health allow-down" : "health";
	const struct timespec pause = {.tv_nsec = LOOK_MS * 1000000L};
	_cleanup_(closep) int fd = ctl_client_connect(ctx->path);
	json_t *reply = NULL;

	*ret_status = fd < 0 ? CTL_EXIT_UNREACHABLE : CTL_EXIT_OK;
	for (unsigned i = 0; i < LOOKS && *ret_status == CTL_EXIT_OK; i++) {
		json_decref(reply);
		reply = NULL;
		if (i > 0)
			nanosleep(&pause, NULL);
		*ret_status = ctl_client_request(
			fd, ctx->path, request, ctx->as_json, &reply);
		if (json_array_size(json_object_get(reply, "unsure")) == 0)
			break;
	}
	return reply;
}

static void print_texts(const json_t *list)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *text = json_string_value(json_array_get(list, i));

		if (text)
			puts(text);
	}
}

static int report(const struct options *o, const json_t *reply)
{
	bool ok = json_is_true(json_object_get(reply, "ok"));

	if (o->ctx.as_json)
		ctl_client_print_json(&o->ctx, reply, NULL);
	if (!o->quiet && !o->ctx.as_json) {
		print_texts(json_object_get(reply, "problems"));
		print_texts(json_object_get(reply, "limits"));
		print_texts(json_object_get(reply, "warnings"));
	}
	return ok ? CTL_EXIT_OK : CTL_EXIT_DAEMON;
}

/* returns -1 to continue, else the exit status */
static int parse(struct options *o, int argc, char **argv)
{
	static const struct option options[] = {
		{"allow-down", no_argument, NULL, 'a'},
		{"quiet", no_argument, NULL, 'q'},
		{"json", no_argument, NULL, 'j'},
		{"pretty", no_argument, NULL, 'p'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	int c;

	while ((c = getopt_long(argc, argv, "aqjph", options, NULL)) != -1) {
		if (ctl_client_option(&o->ctx, c))
			continue;
		switch (c) {
		case 'a':
			o->allow_down = true;
			break;
		case 'q':
			o->quiet = true;
			break;
		case 'h':
			fputs(usage_text, stdout);
			return CTL_EXIT_OK;
		default: /* getopt has said what is wrong */
			fputs(usage_text, stderr);
			return CTL_EXIT_USAGE;
		}
	}
	if (optind == argc)
		return -1;
	fprintf(stderr, "ringcastctl: 'health' takes no argument '%s'\n", argv[optind]);
	return CTL_EXIT_USAGE;
}

int ctl_health(const struct ctl_context *ctx, int argc, char **argv)
{
	struct options o = {.ctx = *ctx};
	int status = parse(&o, argc, argv);
	json_t *reply;

	if (status >= 0)
		return status;
	reply = ask(&o, &status);
	if (status == CTL_EXIT_OK)
		status = report(&o, reply);
	json_decref(reply);
	return status;
}
