/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The reply to `ringcastctl clear group`: which hosts have been asked, and which have
 * not. */

#include "tools/ctl/ctl_cell.h"
#include "tools/ctl/ctl_client.h"
#include "tools/ctl/ctl_tables.h"

int ctl_print_clear(const struct ctl_context *ctx, json_t *reply, FILE *out)
{
	const json_t *asked = json_object_get(reply, "asked"), *row;
	size_t i;

	json_array_foreach(asked, i, row)
	{
		double ms =
			(double)json_integer_value(json_object_get(row, "answer_ms"));

		fprintf(out,
			"%s: asked the hosts for members of %s; without an answer the "
			"membership ends in %g s\n",
			cell_str(row, "interface"), cell_str(reply, "group"),
			ms / 1000);
	}
	json_array_foreach(json_object_get(reply, "not_asked"), i, row)
	{
		const char *querier = cell_str(row, "querier");

		fprintf(out, "%s: not asked: %s%s%s%s\n", cell_str(row, "interface"),
			cell_str(row, "reason"), *querier ? " (" : "", querier,
			*querier ? ")" : "");
	}
	return json_array_size(asked) > 0 ? CTL_EXIT_OK : CTL_EXIT_DAEMON;
}
