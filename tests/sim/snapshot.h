/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The state of a proxy as text, with groups, sources and stations as numbers, so that
 * states can be compared over time and between families. */

#include "sim_proxy.h"

/* The caller frees the text. With `times` it includes every deadline, counted from
 * now. */
char *snapshot(const struct sim_proxy *x, bool times);
