/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The state of a proxy as text, with groups, sources and stations by number, so that
 * states can be compared: before and after, of one family and the other. */

#include "sim_proxy.h"

/* malloc'ed; with `times` it includes every deadline, counted from now */
char *snapshot(const struct sim_proxy *x, bool times);
