/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* ringcastctl capture: membership messages and data frames, as lines or as pcapng. */

#include "tools/ctl/ctl_client.h"

int ctl_capture_run(const struct ctl_context *ctx, int argc, char **argv);
