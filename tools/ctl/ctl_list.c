/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Replies with many rows, see ctl_list.h. */

#include "tools/ctl/ctl_list.h"

#include "base/cleanup.h"
#include "tools/ctl/ctl_cell.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct run {
	const struct ctl_list *list;
	struct ctl_rows rows;
	struct text_table table;
	json_t *kept; /* rows that take several lines each */
	bool may_repeat, repeat;
};

static void row(void *ctx, const json_t *head, json_t *row)
{
	struct run *run = ctx;

	if (run->may_repeat && run->list->again && run->list->again(head)) {
		run->repeat = true;
		run->rows.row = NULL;
		return;
	}
	ctl_client_clean_row(row);
	if (run->list->print) {
		json_array_append(run->kept, row);
		return;
	}
	run->list->row(&run->table, row);
	text_table_flow(&run->table, stdout);
}

static int compare_kept(const void *a_, const void *b_, void *arg)
{
	const json_t *a = *(json_t *const *)a_, *b = *(json_t *const *)b_;
	const char *const *key = arg;
	int c = text_compare(cell_str(a, key[0]), cell_str(b, key[0]));

	return c ? c : text_compare(cell_str(a, key[1]), cell_str(b, key[1]));
}

static void print_kept(const struct run *run, const struct text_view *view)
{
	size_t n = json_array_size(run->kept);
	_cleanup_(freep) json_t **rows = calloc(n + 1, sizeof(*rows));
	const char *key[] = {run->list->sort[0], run->list->sort[1]};

	for (size_t i = 0; rows && i < n; i++)
		rows[i] = json_array_get(run->kept, i);
	if (rows)
		qsort_r(rows, n, sizeof(*rows), compare_kept, key);
	for (size_t i = 0; rows && i < n; i++)
		run->list->print(rows[i], i, view, stdout);
}

static int ask(struct run *run, int fd, const struct ctl_context *ctx,
	const char *request, json_t **ret_reply)
{
	run->rows = (struct ctl_rows){.key = run->list->key,
		.depth = run->list->depth,
		.row = row,
		.ctx = run};
	return ctl_client_rows(fd, ctx->path, request, &run->rows, ret_reply);
}

/* "show mfc 239.1.2.3" has more words than the two that name the list. */
static bool is_filtered(const char *request)
{
	const char *space = strchr(request, ' ');

	return space && strchr(space + 1, ' ');
}

static void print_text(struct run *run, const struct ctl_context *ctx,
	const char *request, int status, const json_t *reply)
{
	const struct ctl_list *list = run->list;
	bool rows_alone = ctx->view.no_header || ctx->view.detail == TEXT_BRIEF;
	struct text_view view = ctx->view;

	view.filtered = is_filtered(request);
	if (list->print)
		print_kept(run, &ctx->view);
	else if (status == CTL_EXIT_OK || run->table.n > 0)
		text_table_print(&run->table, stdout);
	if (status == CTL_EXIT_OK && list->rest && (list->print || !rows_alone))
		list->rest(reply, run->rows.n_rows, &view, stdout);
}

static int show_text(int fd, const struct ctl_context *ctx, const char *request,
	const struct ctl_list *list)
{
	struct run run = {.list = list,
		.table = list->table,
		.kept = json_array(),
		.may_repeat = true};
	json_t *reply = NULL;
	int status;

	run.table.view = &ctx->view;
	status = ask(&run, fd, ctx, request, &reply);
	if (status == CTL_EXIT_OK && run.repeat) {
		json_decref(reply);
		reply = NULL;
		sleep(1);
		run.may_repeat = false;
		status = ask(&run, fd, ctx, request, &reply);
	}
	print_text(&run, ctx, request, status, reply);
	text_table_deinit(&run.table);
	json_decref(run.kept);
	json_decref(reply);
	return status;
}

int ctl_list_show(int fd, const struct ctl_context *ctx, const char *request,
	const struct ctl_list *list)
{
	struct ctl_rows rows = {.key = list->key,
		.depth = list->depth,
		.json = stdout,
		.pretty = ctx->pretty};
	json_t *reply = NULL;
	int status;

	if (!ctx->as_json)
		return list->show ? list->show(fd, ctx, request)
				  : show_text(fd, ctx, request, list);
	status = ctl_client_rows(fd, ctx->path, request, &rows, &reply);
	json_decref(reply);
	return status;
}
