/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* A list of processors as taskset(1) and the kernel write it: "2", "0,2-5". */

#include <stddef.h>

#define CPULIST_MAX 64	   /* processors in a list */
#define CPULIST_CPU 65535u /* highest number */

/* Fills in the processors in the order of the list. Returns their number, or 0 if the
 * text is not a list or the list is too long. */
size_t cpulist_parse(const char *s, unsigned ret[CPULIST_MAX]);
