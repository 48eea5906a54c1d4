/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Replies of the daemon as text, except those with many rows (ctl_list.h). Each
 * function gets the JSON document of its command. A member that is missing or of
 * another type is printed as "-" or not at all, so that tool and daemon may differ in
 * version.
 */

#include "tools/ctl/ctl_client.h"

#include <jansson.h>
#include <stdio.h>

/* Each returns 0, or the exit status of a reply that reports a failure (reload,
 * clear). */
int ctl_print_stats(const struct ctl_context *ctx, json_t *reply, FILE *out);
int ctl_print_config(const struct ctl_context *ctx, json_t *reply, FILE *out);
/* Prints the address of the page. If there is none, prints the reason on stderr and
 * returns CTL_EXIT_DAEMON. */
int ctl_print_page(const struct ctl_context *ctx, json_t *reply, FILE *out);
int ctl_print_version(const struct ctl_context *ctx, json_t *reply, FILE *out);
int ctl_print_reload(const struct ctl_context *ctx, json_t *reply, FILE *out);
int ctl_print_log(const struct ctl_context *ctx, json_t *reply, FILE *out);
int ctl_print_clear(const struct ctl_context *ctx, json_t *reply, FILE *out);
