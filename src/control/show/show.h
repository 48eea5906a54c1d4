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
/* The same as without "unnamed", except that they have no addresses of hosts. */
json_t *show_groups_unnamed(void *ctx, const char *args, struct ctl_answer **ret);
json_t *show_zaps_unnamed(void *ctx, const char *args, struct ctl_answer **ret);
/* No command: viewers and faults of the last 24 hours, for the page. */
json_t *show_history(void *ctx, const char *args, struct ctl_answer **ret);
/* No JSON: the streams as a page of HTML that needs no script. */
json_t *show_plain(void *ctx, const char *args, struct ctl_answer **ret);
json_t *show_version(void *ctx, const char *args);
json_t *show_health(void *ctx, const char *args);
