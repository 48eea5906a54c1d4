/* SPDX-License-Identifier: GPL-2.0-or-later */

/* ringcastctl metrics: prints the text that metrics-listen serves, for people and for
 * collectors of text files. */

#include "tools/ctl/ctl_commands.h"

#include "base/cleanup.h"
#include "tools/ctl/ctl_cell.h"

#include <getopt.h>
#include <stdio.h>

static const char usage_text[] =
	"usage: ringcastctl [-s SOCKET] metrics [--openmetrics]\n"
	"\n"
	"Print the metrics of the daemon as text, in the format of Prometheus.\n"
	"\n"
	"  -o, --openmetrics  in the format of OpenMetrics, with units and an end mark\n"
	"  -h, --help         this text\n"
	"\n"
	"For the textfile collector of node_exporter:\n"
	"  ringcastctl metrics >ringcast.prom.new && mv ringcast.prom.new ringcast.prom\n";

static int print(const struct ctl_context *ctx, bool openmetrics)
{
	const char *request = openmetrics ? "metrics openmetrics" : "metrics";
	_cleanup_(closep) int fd = ctl_client_connect(ctx->path);
	json_t *reply;
	int status;

	if (fd < 0)
		return CTL_EXIT_UNREACHABLE;
	status = ctl_client_request(fd, ctx->path, request, ctx->as_json, &reply);
	if (status != CTL_EXIT_OK)
		return status;
	if (ctx->as_json)
		ctl_client_print_json(ctx, reply, NULL);
	else
		fputs(cell_str(reply, "text"), stdout);
	json_decref(reply);
	return CTL_EXIT_OK;
}

int ctl_metrics(const struct ctl_context *ctx, int argc, char **argv)
{
	static const struct option options[] = {
		{"openmetrics", no_argument, NULL, 'o'},
		{"json", no_argument, NULL, 'j'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	struct ctl_context here = *ctx;
	bool openmetrics = false;
	int c;

	while ((c = getopt_long(argc, argv, "ojh", options, NULL)) != -1) {
		switch (c) {
		case 'o':
			openmetrics = true;
			break;
		case 'j':
			here.as_json = true;
			break;
		case 'h':
			fputs(usage_text, stdout);
			return CTL_EXIT_OK;
		default: /* getopt has said what is wrong */
			fputs(usage_text, stderr);
			return CTL_EXIT_USAGE;
		}
	}
	if (optind < argc) {
		fprintf(stderr, "ringcastctl: 'metrics' takes no argument '%s'\n",
			argv[optind]);
		return CTL_EXIT_USAGE;
	}
	return print(&here, openmetrics);
}
