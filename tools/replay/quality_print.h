/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Prints the streams of a capture for people, in 80 columns. */

#include "tools/replay/quality_streams.h"

#include <stdio.h>

void quality_print(const struct quality_streams *s, FILE *out);
/* Prints them for programs, as one line of JSON. Returns 0 or -ENOMEM. */
int quality_print_json(const struct quality_streams *s, const char *path, FILE *out);
