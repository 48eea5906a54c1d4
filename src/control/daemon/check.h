/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * What `ringcastd -C` sees of the system: whether anything keeps interfaces from their
 * role at the moment, and files from being read. Changes nothing.
 */

#include "control/config/config.h"

/* Logs a warning for each interface that is named in the file and is down, or the port
 * of a bridge, and for an upstream without an IPv4 address. `path` is that of the
 * file. */
void check_links(const char *path, const struct config *cfg);
/* Logs a warning for each file of channel-names and host-names that cannot be read.
 * Relative paths begin at `dir`. */
void check_files(const char *path, int dir, const struct config *cfg);
