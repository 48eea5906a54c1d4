/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* `ringcastctl explain`: why a stream does not arrive. */

#include "tools/ctl/ctl_client.h"

int ctl_explain(const struct ctl_context *ctx, int argc, char **argv);
