/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * `ringcastctl quality [FILTER] [--since 2h]`: where the faults of each stream happen.
 * A table with the figures of that time, and below it a line of blocks for each stream:
 * the higher a block, the larger the part of its seconds that had faults. A second line
 * says where these happened. One sentence follows for a stream that has faults now.
 */

#include "base/array.h"
#include "base/cleanup.h"
#include "control/sys/ctl.h"
#include "tools/ctl/ctl_cell.h"
#include "tools/ctl/ctl_client.h"
#include "tools/ctl/ctl_commands.h"
#include "tools/ctl/ctl_list.h"
#include "tools/ctl/text_table.h"

#include <getopt.h>
#include <string.h>

#define BLOCKS		60
#define BLOCKS_WIDE	120
#define BLOCK_BYTES	4 /* of a character */
#define SINCE_DEFAULT_S 3600

static void usage(FILE *out)
{
	fputs("usage: ringcastctl quality [FILTER] [--since TIME]\n"
	      "\n"
	      "Where do the faults of the streams happen: before this router (provider), in\n"
	      "it (router), or after it (beyond)? FILTER is a group or a range of groups, the\n"
	      "address or network of a source, and the interface where the streams come in.\n"
	      "\n"
	      "options:\n"
	      "  -t, --since TIME  how far back: 90s, 30m, 2h, 7d; else 1h; 30d at most\n"
	      "  -w, --wide  -b, --brief  -H, --no-header  all columns, few, rows alone\n"
	      "  -j, --json        every figure and the blocks as JSON\n"
	      "  -p, --pretty      the same, over several lines\n"
	      "  -h, --help        this text\n",
		out);
}

/* ---- blocks ---- */

struct line {
	char *title, *blocks, *places, *sentence;
};

struct run {
	struct text_table table;
	const struct ctl_context *ctx;
	bool unicode;
	struct line *line;
	size_t n_lines, cap_lines;
};

/* Does the terminal show more than ASCII? */
static bool has_unicode(void)
{
	static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};

	for (size_t i = 0; i < array_len(names); i++) {
		const char *value = getenv(names[i]);

		if (value && *value)
			return strcasestr(value, "utf-8") || strcasestr(value, "utf8");
	}
	return false;
}

static const char *block_of(const json_t *block, bool unicode)
{
	static const char *const ascii[] = {".", "_", "-", "=", "#"};
	static const char *const nice[] = {
		"\u00b7", "\u2581", "\u2583", "\u2585", "\u2588"};
	long long judged = cell_num(block, "seconds");
	long long bad =
		cell_num(block, "provider_seconds") + cell_num(block, "router_seconds");
	unsigned level = judged <= 0 ? 0
		: bad <= 0	     ? 1
		: 10 * bad < judged  ? 2
		: 2 * bad < judged   ? 3
				     : 4;

	return unicode ? nice[level] : ascii[level];
}

/* What happened in it: P, R, B, or a blank */
static char place_of(const json_t *block)
{
	const char *verdict = cell_str(block, "verdict");

	return strcmp(verdict, "provider") == 0	 ? 'P'
		: strcmp(verdict, "router") == 0 ? 'R'
		: strcmp(verdict, "beyond") == 0 ? 'B'
						 : ' ';
}

static void draw(const json_t *row, bool unicode, struct line *line)
{
	const json_t *blocks = json_object_get(row, "blocks"), *block;
	size_t n = json_array_size(blocks), i, end = 0;

	line->blocks = calloc(n + 1, BLOCK_BYTES);
	line->places = calloc(n + 1, 1);
	if (!line->blocks || !line->places)
		return;
	json_array_foreach(blocks, i, block)
	{
		strcat(line->blocks, block_of(block, unicode));
		line->places[i] = place_of(block);
		if (line->places[i] != ' ')
			end = i + 1;
	}
	line->places[end] = '\0';
}

/* ---- sentences ---- */

/* "239.1.2.3 from 10.0.0.1: damaged in this router, because the ring was full; ..." */
static char *sentence(const json_t *row)
{
	const json_t *fault = json_object_get(row, "fault");
	const char *verdict = cell_str(row, "verdict");
	char *text = NULL;
	int r = 0;

	if (strcmp(verdict, "router") == 0)
		r = asprintf(&text, "damaged in this router, because %s: %s",
			cell_str(fault, "text"), cell_str(fault, "advice"));
	else if (strcmp(verdict, "provider") == 0)
		r = asprintf(&text,
			"it arrives with faults or pauses, and nothing was lost in this "
			"router: ask the provider, or look at the line to it");
	else if (strcmp(verdict, "beyond") == 0)
		r = asprintf(&text,
			"it arrives and leaves without faults, but a host asks for it "
			"again and again: look at the LAN and at that host");
	else if (strcmp(verdict, "perhaps") == 0)
		r = asprintf(&text,
			"no fault was seen, but a receive ring of its input has lost "
			"frames of some stream: raise ring-size");
	return r < 0 ? NULL : text;
}

/* ---- rows ---- */

static const struct text_column columns[] = {
	{"Group", .min = 15},
	{"Source", .min = 15},
	{"Port", true, TEXT_NORMAL},
	{"In", .from = TEXT_NORMAL},
	{"Kind", .from = TEXT_WIDE},
	{"Now"},
	{"Faulty", true},
	{"Lost", true},
	{"Cont", true, TEXT_NORMAL},
	{"Gap", true, TEXT_NORMAL},
	{"Bit/s", true, TEXT_NORMAL},
	{"Jitter", true, TEXT_WIDE},
	{"DF", true, TEXT_WIDE},
	{"Hosts", true},
	{"Channel", .min = 12, .optional = true},
};

static void add_ms(struct text_table *t, const json_t *o, const char *key)
{
	const json_t *v = json_object_get(o, key);
	char buf[CELL_DURATION_LEN];
	double ms = json_is_number(v) ? json_number_value(v) : -1;

	if (ms < 0 || ms > 1e12)
		text_table_add(t, "-");
	else if (ms < 1000)
		text_table_add(t, "%.0fms", ms);
	else
		text_table_add(t, "%s", cell_format_duration((long long)ms, buf));
}

/* "12s", of "3600s": seconds with faults; a stream that was not judged has "-" */
static void add_faulty(struct text_table *t, const json_t *range)
{
	char bad[CELL_DURATION_LEN];
	long long n =
		cell_num(range, "provider_seconds") + cell_num(range, "router_seconds");

	if (cell_num(range, "seconds") == 0)
		text_table_add(t, "-");
	else if (n == 0)
		text_table_add(t, "0");
	else
		text_table_add(t, "%s", cell_format_duration(1000 * n, bad));
}

static void add_line(struct run *run, const json_t *row)
{
	struct line *line;

	if (array_reserve(run->line, run->cap_lines, run->n_lines + 1, 16) < 0)
		return;
	line = &run->line[run->n_lines++];
	*line = (struct line){.sentence = sentence(row)};
	if (asprintf(&line->title, "%s from %s", cell_str(row, "group"),
		    cell_str(row, "source")) < 0)
		line->title = NULL;
	draw(row, run->unicode, line);
}

static void add_row(void *ctx, const json_t *head, json_t *row)
{
	struct run *run = ctx;
	struct text_table *t = &run->table;
	const json_t *range = json_object_get(row, "range");

	ctl_client_clean_row(row);
	cell_text(t, row, "group");
	cell_text(t, row, "source");
	cell_number(t, row, "port");
	cell_text(t, row, "in");
	cell_text(t, row, "kind");
	cell_text(t, row, "verdict");
	add_faulty(t, range);
	cell_number(t, range, "lost");
	cell_number(t, range, "continuity");
	add_ms(t, range, "gap_ms");
	cell_scaled(t, row, "rate_bps", 1);
	add_ms(t, row, "jitter_ms");
	add_ms(t, row, "delay_factor_ms");
	cell_number(t, row, "viewers");
	cell_text(t, row, "channel");
	text_table_flow(t, stdout);
	add_line(run, row);
}

/* ---- after the table ---- */

static int compare_lines(const void *a_, const void *b_)
{
	const struct line *a = a_, *b = b_;

	return a->title && b->title ? text_compare(a->title, b->title) : 0;
}

static int longest_title(const struct run *run)
{
	size_t n = 0;

	for (size_t i = 0; i < run->n_lines; i++)
		if (run->line[i].title && strlen(run->line[i].title) > n)
			n = strlen(run->line[i].title);
	return (int)n;
}

static void print_legend(const struct run *run, const json_t *reply, FILE *out)
{
	char since[CELL_DURATION_LEN], block[CELL_DURATION_LEN];
	long long n = cell_num(reply, "blocks");

	fprintf(out, "\nThe last %s",
		cell_format_duration(cell_num(reply, "since_ms"), since));
	if (n > 0)
		fprintf(out, ", %s a block",
			cell_format_duration(cell_num(reply, "since_ms") / n, block));
	fprintf(out, ": %s\n",
		run->unicode
			? "\u00b7 nothing, \u2581 clean, \u2583\u2585\u2588 faults "
			  "of the provider (P) or in this router (R)"
			: ". nothing, _ clean, -=# faults of the provider (P) or in "
			  "this router (R)");
}

static void print_lines(struct run *run, const json_t *reply, FILE *out)
{
	int width = longest_title(run);

	if (run->n_lines == 0) {
		fputs("\nno stream has been seen\n", out);
		return;
	}
	qsort(run->line, run->n_lines, sizeof(*run->line), compare_lines);
	print_legend(run, reply, out);
	for (size_t i = 0; i < run->n_lines; i++) {
		const struct line *l = &run->line[i];

		fprintf(out, "%-*s  %s\n", width, l->title ? l->title : "",
			l->blocks ? l->blocks : "");
		if (l->places && *l->places)
			fprintf(out, "%*s  %s\n", width, "", l->places);
		if (!l->sentence)
			continue;
		fputs("    ", out);
		text_wrap(l->sentence, 4, (int)run->ctx->view.width, out);
	}
}

static void print_sampling(const json_t *reply, const struct text_view *view, FILE *out)
{
	if (cell_yes(reply, "sampling")) {
		fputc('\n', out);
		text_wrap(
			"More MPEG-TS arrives than is analysed in full: the streams take "
			"turns. Loss in RTP and arrival are always seen (quality auto).",
			0, (int)view->width, out);
	}
	if (cell_num(reply, "unwatched") > 0)
		fprintf(out,
			"\n%lld datagrams were of streams beyond the first %lld.\n",
			cell_num(reply, "unwatched"), cell_num(reply, "watched_max"));
}

static void forget(struct run *run)
{
	for (size_t i = 0; i < run->n_lines; i++) {
		free(run->line[i].title);
		free(run->line[i].blocks);
		free(run->line[i].places);
		free(run->line[i].sentence);
	}
	free(run->line);
	text_table_deinit(&run->table);
}

static int show_text(int fd, const struct ctl_context *ctx, const char *request)
{
	struct run run = {.table = TEXT_TABLE_SORT(columns, text_compare_two),
		.ctx = ctx,
		.unicode = has_unicode()};
	struct ctl_rows rows = {
		.key = "quality", .depth = 1, .row = add_row, .ctx = &run};
	json_t *reply = NULL;
	int status;

	run.table.view = &ctx->view;
	status = ctl_client_rows(fd, ctx->path, request, &rows, &reply);
	if (status == CTL_EXIT_OK || run.table.n > 0)
		text_table_print(&run.table, stdout);
	if (status == CTL_EXIT_OK && !ctx->view.no_header &&
		ctx->view.detail != TEXT_BRIEF) {
		print_lines(&run, reply, stdout);
		print_sampling(reply, &ctx->view, stdout);
	}
	json_decref(reply);
	forget(&run);
	return status;
}

static int show(const struct ctl_context *ctx, const char *request)
{
	static const struct ctl_list list = {
		.key = "quality", .depth = 1, .show = show_text};
	_cleanup_(closep) int fd = ctl_client_connect(ctx->path);

	return fd < 0 ? CTL_EXIT_UNREACHABLE : ctl_list_show(fd, ctx, request, &list);
}

/* ---- command line ---- */

/* "90s", "30m", "2h", "7d", or a number of seconds. 0 if it is not one of these. */
static unsigned long parse_time(const char *text)
{
	static const struct {
		char unit;
		unsigned long s;
	} units[] = {{'\0', 1}, {'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}};
	unsigned long v;
	char *end;

	if (*text < '0' || *text > '9')
		return 0;
	v = strtoul(text, &end, 10);
	for (size_t i = 0; i < array_len(units); i++)
		if (*end == units[i].unit && (!*end || !end[1]) && v <= 100000000)
			return v * units[i].s;
	return 0;
}

/* Returns -1 to continue, else the exit status. */
static int take_option(struct ctl_context *ctx, int c, unsigned long *since_s)
{
	if (ctl_client_option(ctx, c))
		return -1;
	switch (c) {
	case 't':
		*since_s = parse_time(optarg);
		if (*since_s)
			return -1;
		fprintf(stderr,
			"ringcastctl: '%s' is not a time: write 90s, 30m, 2h or 7d\n",
			optarg);
		return CTL_EXIT_USAGE;
	case 'h':
		usage(stdout);
		return CTL_EXIT_OK;
	default: /* getopt has said what is wrong */
		usage(stderr);
		return CTL_EXIT_USAGE;
	}
}

int ctl_quality(const struct ctl_context *context, int argc, char **argv)
{
	static const struct option options[] = {
		{"since", required_argument, NULL, 't'},
		{"socket", required_argument, NULL, 's'},
		{"json", no_argument, NULL, 'j'},
		{"pretty", no_argument, NULL, 'p'},
		{"wide", no_argument, NULL, 'w'},
		{"brief", no_argument, NULL, 'b'},
		{"no-header", no_argument, NULL, 'H'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	unsigned long since_s = SINCE_DEFAULT_S;
	struct ctl_context ctx = *context;
	char request[CTL_MAX_REQUEST];
	int c, status;

	while ((c = getopt_long(argc, argv, "t:s:jpwbHh", options, NULL)) != -1) {
		status = take_option(&ctx, c, &since_s);
		if (status >= 0)
			return status;
	}
	snprintf(request, sizeof(request), "show quality since %lu blocks %d", since_s,
		ctx.view.detail == TEXT_WIDE ? BLOCKS_WIDE : BLOCKS);
	if (!ctl_client_add_words(request, argv + optind, (size_t)(argc - optind)))
		return CTL_EXIT_USAGE;
	return show(&ctx, request);
}
