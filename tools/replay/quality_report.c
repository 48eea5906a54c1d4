/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Captures through the analyser of streams, see quality_report.h. */

#include "tools/replay/quality_report.h"

#include "base/cleanup.h"
#include "tools/replay/quality_print.h"

#include <stdio.h>

static int report(const char *path, struct capture *c, bool json)
{
	_cleanup_(quality_streams_deinit) struct quality_streams s;
	int e = 0;

	quality_streams_init(&s);
	for (; e == 0 && capture_peek(c); capture_next(c))
		e = quality_streams_put(&s, capture_peek(c));
	quality_streams_end(&s);
	if (e == 0 && json)
		e = quality_print_json(&s, path, stdout);
	else if (e == 0)
		quality_print(&s, stdout);
	if (e == 0)
		return 0;
	fputs("ringcast-replay: out of memory\n", stderr);
	return 1;
}

int quality_report(char *const *paths, bool json)
{
	int status = 0;

	for (size_t i = 0; status == 0 && paths[i]; i++) {
		char error[256];
		struct capture *c = capture_open(paths[i], error, sizeof(error));

		if (!c) {
			fprintf(stderr, "ringcast-replay: %s: %s\n", paths[i], error);
			return 1;
		}
		if (!json && paths[1])
			printf("%s%s:\n", i ? "\n" : "", paths[i]);
		status = report(paths[i], c, json);
		capture_close(c);
	}
	return status;
}
