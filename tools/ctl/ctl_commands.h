/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Commands of ringcastctl that parse their own options, each in ctl_NAME.c. They get
 * their name as argv[0] and return the exit status. */

#include "tools/ctl/ctl_client.h"

int ctl_health(const struct ctl_context *ctx, int argc, char **argv);
int ctl_metrics(const struct ctl_context *ctx, int argc, char **argv);
int ctl_monitor(const struct ctl_context *ctx, int argc, char **argv);
int ctl_quality(const struct ctl_context *ctx, int argc, char **argv);
int ctl_upgrade(const struct ctl_context *ctx, int argc, char **argv);
