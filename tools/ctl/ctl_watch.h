/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* `ringcastctl watch`: shows the daemon's state and refreshes it. */

#include "tools/ctl/ctl_client.h"

int ctl_watch(const struct ctl_context *ctx, int argc, char **argv);
