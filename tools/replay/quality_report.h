/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>

/* Prints the quality of the streams in each of the files, one after the other: as
 * tables, or as a line of JSON for each file. `paths` ends with NULL. Prints errors on
 * standard error. Returns the exit status. */
int quality_report(char *const *paths, bool json);
