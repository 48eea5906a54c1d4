/* SPDX-License-Identifier: GPL-2.0-or-later */

/* "show groups detail" as text: a paragraph for each group. See ctl_list.h. */

#include "base/cleanup.h"
#include "tools/ctl/ctl_cell.h"
#include "tools/ctl/ctl_list.h"

#include <stdlib.h>
#include <string.h>

static void print_timer(const json_t *o, const char *key, const char *what, FILE *out)
{
	char buf[CELL_DURATION_LEN];

	if (json_is_integer(json_object_get(o, key)))
		fprintf(out, ", %s %s", what,
			cell_format_duration(cell_num(o, key), buf));
}

/* "lan1 239.1.2.3 (News): exclude, IGMPv3, group timer 4m12s, up 1h03m, reported by
 * 10.0.1.2" */
static void print_head(const json_t *g, FILE *out)
{
	bool ipv6 = strchr(cell_str(g, "group"), ':') != NULL;
	const char *channel = cell_str(g, "channel");

	fprintf(out, "%s %s%s%s%s: %s, %sv%lld", cell_str(g, "interface"),
		cell_str(g, "group"), *channel ? " (" : "", channel,
		*channel ? ")" : "", cell_str(g, "mode"), ipv6 ? "MLD" : "IGMP",
		cell_num(g, "version"));
	print_timer(g, "timer_ms", "group timer", out);
	print_timer(g, "uptime_ms", "up", out);
	fprintf(out, ", last report from %s\n", cell_str(g, "last_reporter"));
}

/* which router is querier, and the queries to come */
static void print_queries(const json_t *g, FILE *out)
{
	fputs(cell_yes(g, "querier") ? "  we are querier"
				     : "  another router is querier",
		out);
	print_timer(g, "next_query_ms", "next general query in", out);
	if (cell_num(g, "query_repeats") > 0)
		fprintf(out, ", group queries still to send: %lld",
			cell_num(g, "query_repeats"));
	print_timer(g, "next_repeat_ms", "next of them in", out);
	fputc('\n', out);
}

/* what prevents a fast leave */
static void print_leave(const json_t *g, FILE *out)
{
	bool older = json_is_integer(json_object_get(g, "older_v1_ms")) ||
		json_is_integer(json_object_get(g, "older_v2_ms"));

	if (!older && !cell_yes(g, "fast_leave"))
		return;
	fprintf(out, "  fast leave %s", cell_yes(g, "fast_leave") ? "on" : "off");
	print_timer(g, "older_v1_ms", "hosts of version 1 for another", out);
	print_timer(g, "older_v2_ms", "hosts of version 2 for another", out);
	print_timer(g, "untracked_ms", "hosts that are not tracked for another", out);
	fputc('\n', out);
}

static void print_sources(const json_t *g, FILE *out)
{
	static const struct text_column columns[] = {
		{"  Source"},
		{"State"},
		{"Timer", true},
		{"Queries", true},
	};
	struct text_table t = TEXT_TABLE(columns);
	const json_t *list = json_object_get(g, "sources"), *s;
	size_t i;

	json_array_foreach(list, i, s)
	{
		text_table_add(&t, "  %s", cell_str(s, "address"));
		text_table_add(&t, "%s", cell_yes(s, "blocked") ? "blocked" : "wanted");
		cell_duration(&t, s, "timer_ms");
		cell_number(&t, s, "query_repeats");
	}
	if (t.n > 0)
		text_table_print(&t, out);
	if (cell_num(g, "n_sources") > (long long)json_array_size(list))
		fprintf(out, "  and %lld more sources\n",
			cell_num(g, "n_sources") - (long long)json_array_size(list));
	text_table_deinit(&t);
}

static void print_hosts(const json_t *g, FILE *out)
{
	static const struct text_column columns[] = {
		{"  Host"},
		{"Version", true},
		{"Mode"},
		{"Timer", true},
		{"Sources"},
	};
	struct text_table t = TEXT_TABLE(columns);
	const json_t *h;
	size_t i;

	json_array_foreach(json_object_get(g, "hosts"), i, h)
	{
		text_table_add(&t, "  %s", cell_str(h, "address"));
		cell_number(&t, h, "version");
		cell_text(&t, h, "mode");
		cell_duration(&t, h, "timer_ms");
		cell_list(&t, json_object_get(h, "sources"), CELL_MAX_SOURCES);
	}
	if (t.n > 0)
		text_table_print(&t, out);
	else
		fputs("  no host is tracked: members of older versions do not say "
		      "who they are\n",
			out);
	text_table_deinit(&t);
}

/* The sentences of a group, in lines of the width. */
static void print_sentences(const json_t *g, const struct text_view *view, FILE *out)
{
	_cleanup_(freep) char *text = NULL;
	char *save = NULL, *line;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	if (!f)
		return;
	print_head(g, f);
	print_queries(g, f);
	print_leave(g, f);
	if (fclose(f) != 0 || !text)
		return;
	for (line = strtok_r(text, "\n", &save); line;
		line = strtok_r(NULL, "\n", &save)) {
		size_t blanks = strspn(line, " ");

		fprintf(out, "%*s", (int)blanks, "");
		text_wrap(line + blanks, 4, (int)view->width, out);
	}
}

static void print_group(
	const json_t *g, size_t number, const struct text_view *view, FILE *out)
{
	if (number > 0)
		fputc('\n', out);
	print_sentences(g, view, out);
	print_sources(g, out);
	print_hosts(g, out);
}

static void print_rest(
	const json_t *reply, size_t n_rows, const struct text_view *view, FILE *out)
{
	if (n_rows == 0)
		fputs("no such group\n", out);
	if (cell_num(reply, "total") > cell_num(reply, "shown"))
		fprintf(out,
			"\n%lld of %lld groups; name a group or an interface to see "
			"others\n",
			cell_num(reply, "shown"), cell_num(reply, "total"));
}

const struct ctl_list ctl_list_groups_detail = {
	.key = "groups",
	.depth = 1,
	.print = print_group,
	.sort = {"interface", "group"},
	.rest = print_rest,
};
