/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>

/* Prints the quality of the streams in each of the files, one after the other: tables,
 * or one JSON object a line. `paths` ends with NULL. Returns the exit status; errors
 * are printed on standard error. */
int quality_report(char *const *paths, bool json);
