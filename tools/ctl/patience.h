/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * How long to wait for an answer. The other side may be another program, which sends a
 * few bytes from time to time, or never stops. Pure: the caller measures time.
 */

#include <stdint.h>

#define PATIENCE_SILENCE_MS 20000 /* the longest time without any byte */
/* After that time, this many bytes must have come for each second of waiting. */
#define PATIENCE_RATE	4096
#define PATIENCE_ALL_MS 600000 /* the longest time for the whole answer */
/* A list of 500,000 entries has less than 1 GB. */
#define PATIENCE_BYTES_MAX ((uint64_t)8 << 30)

/* All zero at the beginning. */
struct patience {
	int64_t waited_ms; /* without the time in which our own output was read */
	uint64_t n;	   /* bytes that have come */
};

/* Returns for how many milliseconds to wait for more, or 0 if it has taken too long. */
int64_t patience_left(const struct patience *p);
