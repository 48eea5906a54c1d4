/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* ringcastctl convert; needs no daemon. */

#include "tools/ctl/ctl_client.h"

/* Exit status: 0 done, 1 wrong usage or a file that cannot be read or written, 2 the
 * input is refused. */
int ctl_convert(const struct ctl_context *ctx, int argc, char **argv);
