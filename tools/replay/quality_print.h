/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The streams of a capture for people (80 columns) and for programs. */

#include "tools/replay/quality_streams.h"

#include <stdio.h>

void quality_print(const struct quality_streams *s, FILE *out);
/* One line; returns 0 or -ENOMEM. */
int quality_print_json(const struct quality_streams *s, const char *path, FILE *out);
