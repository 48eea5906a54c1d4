/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * "show upstream" as text: the upstreams, the groups that are reported on them, and
 * what the kernel holds. See ctl_list.h. The first table counts the groups of the
 * second, so a reply with more groups than are kept is asked for twice.
 */

#include "tools/ctl/ctl_cell.h"
#include "tools/ctl/ctl_client.h"
#include "tools/ctl/ctl_list.h"

#include <string.h>

#define UPSTREAMS 256

struct upstream {
	struct ctl_rows rows;
	struct text_table table;
	size_t n[UPSTREAMS][2]; /* groups of each, IPv4 and IPv6 */
	bool flow;		/* print groups at once; the first table is out */
};

/* "wan", or "wan via voice" with a report-interface */
static void add_upstream_name(struct text_table *t, const json_t *u)
{
	const char *name = cell_str(u, "interface"),
		   *via = cell_str(u, "report_interface");
	bool other = *via && strcmp(via, name) != 0;

	text_table_add(t, "%s%s%s", name, other ? " via " : "", other ? via : "");
}

/* a line for each family that is spoken */
static void add_upstream(struct text_table *t, const json_t *u, const char *key,
	const char *protocol, size_t n_groups)
{
	const json_t *f = json_object_get(u, key);
	bool ipv6 = strcmp(key, "ipv6") == 0;

	if (!f)
		return;
	add_upstream_name(t, u);
	text_table_add(t, "%s", cell_yes(u, "up") ? "up" : "down");
	cell_text(t, ipv6 ? f : u, "address");
	text_table_add(t, "%sv%lld", protocol, cell_num(f, "version"));
	cell_number(t, f, "robustness");
	cell_text(t, f, "querier");
	cell_duration(t, f, "last_query_ms");
	text_table_add(t, "%zu", n_groups);
}

static int compare_links(const char *const *a, const char *const *b)
{
	int c = text_compare(a[0], b[0]);

	return c ? c : text_compare(a[3], b[3]); /* IGMP before MLD */
}

static void print_links(const struct upstream *run, const json_t *links, FILE *out)
{
	static const struct text_column columns[] = {
		{"Interface"},
		{"State"},
		{"Address", .from = TEXT_NORMAL, .min = 15},
		{"Protocol"},
		{"Robustness", true, TEXT_WIDE},
		{"Querier", .from = TEXT_NORMAL, .min = 15},
		{"LastQuery", true, TEXT_NORMAL},
		{"Groups", true},
	};
	struct text_table t = TEXT_TABLE_SORT(columns, compare_links);
	const json_t *u;
	size_t n;

	t.view = run->table.view;
	json_array_foreach(links, n, u)
	{
		add_upstream(&t, u, "ipv4", "IGMP", n < UPSTREAMS ? run->n[n][0] : 0);
		add_upstream(&t, u, "ipv6", "MLD", n < UPSTREAMS ? run->n[n][1] : 0);
	}
	text_table_print(&t, out);
	text_table_deinit(&t);
}

static void add_pending(struct text_table *t, const json_t *g)
{
	const json_t *pending = json_object_get(g, "pending");

	if (json_is_boolean(pending))
		text_table_add(t, "%s", json_is_true(pending) ? "yes" : "no");
	else if (json_is_string(pending))
		cell_text(t, g, "pending");
	else
		cell_number(t, g, "pending");
}

/* Groups of programs on the router: the kernel reports them, and we do not leave
 * them. */
static void print_kernel(const struct text_view *view, const json_t *links, FILE *out)
{
	static const struct text_column columns[] = {
		{"Interface"},
		{"Held by the kernel"},
		{"Sources"},
	};
	struct text_table t = TEXT_TABLE(columns);
	const json_t *u, *g;
	size_t n, k;

	t.view = view;
	json_array_foreach(links, n, u)
	{
		json_array_foreach(json_object_get(u, "kernel"), k, g)
		{
			const json_t *sources = json_object_get(g, "sources");

			cell_text(&t, u, "interface");
			cell_text(&t, g, "group");
			if (json_is_array(sources))
				cell_list(&t, sources, CELL_MAX_SOURCES);
			else
				text_table_add(&t, "all");
		}
	}
	if (t.n > 0) {
		fputc('\n', out);
		text_table_print(&t, out);
	}
	text_table_deinit(&t);
}

static void row(void *ctx, const json_t *head, json_t *g)
{
	struct upstream *run = ctx;
	const json_t *links = json_object_get(head, "upstream");
	size_t i = json_array_size(links) - 1;

	if (!run->flow) {
		if (i < UPSTREAMS)
			run->n[i][strchr(cell_str(g, "group"), ':') != NULL]++;
		if (run->rows.n_rows >= TEXT_TABLE_SORTED)
			return;
	}
	cell_text(&run->table, json_array_get(links, i), "interface");
	cell_text(&run->table, g, "group");
	cell_text(&run->table, g, "mode");
	add_pending(&run->table, g);
	cell_duration(&run->table, g, "next_ms");
	cell_list_short(
		&run->table, json_object_get(g, "sources"), CELL_MAX_SOURCES, 30);
	if (run->flow)
		text_table_flow(&run->table, stdout);
}

static int ask(struct upstream *run, int fd, const struct ctl_context *ctx,
	const char *request, json_t **ret_reply)
{
	run->rows = (struct ctl_rows){.key = ctl_list_upstream.key,
		.depth = ctl_list_upstream.depth,
		.row = row,
		.ctx = run};
	return ctl_client_rows(fd, ctx->path, request, &run->rows, ret_reply);
}

static int show(int fd, const struct ctl_context *ctx, const char *request)
{
	static const struct text_column columns[] = {
		{"Interface"},
		{"Group", .min = 15},
		{"Mode"},
		{"Pending"},
		{"Next", true},
		{"Sources", .min = 15},
	};
	struct upstream run = {.table = TEXT_TABLE_SORT(columns, text_compare_two)};
	json_t *reply = NULL, *second = NULL;
	const json_t *links;
	int status;

	run.table.view = &ctx->view;
	status = ask(&run, fd, ctx, request, &reply);
	links = json_object_get(reply, "upstream");
	if (status == CTL_EXIT_OK)
		print_links(&run, links, stdout);
	if (ctx->view.detail == TEXT_BRIEF)
		goto end;
	if (run.table.n > 0 && status == CTL_EXIT_OK)
		fputc('\n', stdout);
	if (status == CTL_EXIT_OK && run.rows.n_rows > TEXT_TABLE_SORTED) {
		text_table_deinit(&run.table);
		run.flow = true;
		status = ask(&run, fd, ctx, request, &second);
	}
	if (run.table.n > 0)
		text_table_print(&run.table, stdout);
	if (status == CTL_EXIT_OK)
		print_kernel(&ctx->view, links, stdout);
end:
	text_table_deinit(&run.table);
	json_decref(second);
	json_decref(reply);
	return status;
}

const struct ctl_list ctl_list_upstream = {
	.key = "groups",
	.depth = 3,
	.show = show,
};
