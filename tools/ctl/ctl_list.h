/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Replies that may have any number of rows, printed while they arrive: the program
 * needs memory only for some of the rows. If the reply breaks off, earlier rows are
 * already printed.
 */

#include "tools/ctl/ctl_client.h"
#include "tools/ctl/ctl_rows.h"
#include "tools/ctl/text_table.h"

struct ctl_list {
	const char *key; /* of the rows, see ctl_rows.h */
	unsigned depth;
	struct text_table table; /* its columns */
	void (*row)(struct text_table *t, const json_t *row);
	/* Instead of a table: prints one row and its number. All rows are kept, and
	 * sorted by these members first. */
	void (*print)(const json_t *row, size_t number, const struct text_view *view,
		FILE *out);
	const char *sort[2];
	/* Prints the text after the rows, unless only rows are wanted. May be NULL. */
	void (*rest)(const json_t *reply, size_t n_rows, const struct text_view *view,
		FILE *out);
	/* Whether to ask again a second later; `head` is the reply before its rows. May
	 * be NULL. */
	bool (*again)(const json_t *head);
	/* Instead of all of these; exit status. */
	int (*show)(int fd, const struct ctl_context *ctx, const char *request);
};

extern const struct ctl_list ctl_list_interfaces, ctl_list_groups,
	ctl_list_groups_detail, ctl_list_mfc, ctl_list_upstream, ctl_list_zaps;

/* Ask and print, as JSON if the context says so. Exit status. */
int ctl_list_show(int fd, const struct ctl_context *ctx, const char *request,
	const struct ctl_list *list);
