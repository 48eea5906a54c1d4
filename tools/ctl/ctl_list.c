/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Replies with many rows, see ctl_list.h. Called by ringcastctl.c. */

#include "tools/ctl/ctl_list.h"

#include <unistd.h>

struct run {
	const struct ctl_list *list;
	struct ctl_rows rows;
	struct text_table table;
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
		run->list->print(row, run->rows.n_rows, stdout);
		return;
	}
	run->list->row(&run->table, row);
	text_table_flow(&run->table, stdout);
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

static int show_text(int fd, const struct ctl_context *ctx, const char *request,
	const struct ctl_list *list)
{
	struct run run = {.list = list, .table = list->table, .may_repeat = true};
	json_t *reply = NULL;
	int status = ask(&run, fd, ctx, request, &reply);

	if (status == CTL_EXIT_OK && run.repeat) {
		json_decref(reply);
		reply = NULL;
		sleep(1);
		run.may_repeat = false;
		status = ask(&run, fd, ctx, request, &reply);
	}
	if (!list->print && (status == CTL_EXIT_OK || run.table.n > 0))
		text_table_print(&run.table, stdout);
	if (status == CTL_EXIT_OK && list->rest)
		list->rest(reply, run.rows.n_rows, stdout);
	text_table_deinit(&run.table);
	json_decref(reply);
	return status;
}

int ctl_list_show(int fd, const struct ctl_context *ctx, const char *request,
	const struct ctl_list *list)
{
	struct ctl_rows rows = {.key = list->key,
		.depth = list->depth,
		.json = stdout,
		.for_people = isatty(STDOUT_FILENO)};
	json_t *reply = NULL;
	int status;

	if (!ctx->as_json)
		return list->show ? list->show(fd, ctx, request)
				  : show_text(fd, ctx, request, list);
	status = ctl_client_rows(fd, ctx->path, request, &rows, &reply);
	json_decref(reply);
	return status;
}
