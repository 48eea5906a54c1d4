/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "ctl_client.h"

/* `ringcastctl upgrade [--binary PATH]`: argv[0] is "upgrade". Exit status. */
int ctl_upgrade(const struct ctl_context *ctx, int argc, char **argv);
