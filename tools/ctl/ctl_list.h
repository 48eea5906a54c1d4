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
	const char *key; /* key and depth of the rows, see ctl_rows.h */
	unsigned depth;
	struct text_table table; /* the columns */
	void (*row)(struct text_table *t, const json_t *row);
	/* Prints one row and its number, instead of a table. All rows are kept and
	 * first sorted by the members `sort`. */
	void (*print)(const json_t *row, size_t number, const struct text_view *view,
		FILE *out);
	const char *sort[2];
	/* Prints the text after the rows, unless only rows are wanted. May be NULL. */
	void (*rest)(const json_t *reply, size_t n_rows, const struct text_view *view,
		FILE *out);
	/* Should the command ask again a second later? `head` is the reply before its
	 * rows. May be NULL. */
	bool (*again)(const json_t *head);
	/* Does everything, instead of all other members. Returns the exit status. */
	int (*show)(int fd, const struct ctl_context *ctx, const char *request);
};

extern const struct ctl_list ctl_list_interfaces, ctl_list_groups,
	ctl_list_groups_detail, ctl_list_mfc, ctl_list_upstream, ctl_list_zaps;

/* Asks the daemon and prints the reply, as JSON if the context says so. Returns the
 * exit status. */
int ctl_list_show(int fd, const struct ctl_context *ctx, const char *request,
	const struct ctl_list *list);
