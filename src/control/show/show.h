/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The state of the daemon as JSON: each function answers the command of its name, and
 * its ctx is a struct app. Field names: doc/control-socket.md.
 */

#include "control/sys/ctl.h"

json_t *show_interfaces(void *ctx, const char *args, struct ctl_answer **ret);
json_t *show_groups(void *ctx, const char *args, struct ctl_answer **ret);
json_t *show_groups_detail(void *ctx, const char *args, struct ctl_answer **ret);
json_t *show_mfc(void *ctx, const char *args, struct ctl_answer **ret);
json_t *show_top(void *ctx, const char *args, struct ctl_answer **ret);
json_t *show_explain(void *ctx, const char *args, struct ctl_answer **ret);
json_t *show_upstream(void *ctx, const char *args, struct ctl_answer **ret);
json_t *show_stats(void *ctx, const char *args, struct ctl_answer **ret);
json_t *show_quality(void *ctx, const char *args, struct ctl_answer **ret);
json_t *show_zaps(void *ctx, const char *args, struct ctl_answer **ret);
json_t *show_config(void *ctx, const char *args, struct ctl_answer **ret);
json_t *show_metrics(void *ctx, const char *args, struct ctl_answer **ret);
/* Answer as the functions without "unnamed" do, but without the addresses of hosts. */
json_t *show_groups_unnamed(void *ctx, const char *args, struct ctl_answer **ret);
json_t *show_zaps_unnamed(void *ctx, const char *args, struct ctl_answer **ret);
/* Answers with viewers and faults of the last 24 hours, for the page. It is not a
 * command. */
json_t *show_history(void *ctx, const char *args, struct ctl_answer **ret);
/* Answers with HTML instead of JSON: a page of the streams that needs no script. */
json_t *show_plain(void *ctx, const char *args, struct ctl_answer **ret);
json_t *show_version(void *ctx, const char *args);
json_t *show_health(void *ctx, const char *args);
