/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * What `ringcastd -C` sees of interfaces that are there: whether anything keeps them from
 * their role at the moment. Reads the system, changes nothing.
 */

#include "control/config/config.h"

/* Logs a warning for each interface that is named in the file and is down, or the port of a
 * bridge, and for an upstream without an IPv4 address. `path` is that of the file. */
void check_links(const char *path, const struct config *cfg);
