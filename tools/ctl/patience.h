/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * How long to wait for an answer. The other side may be another program, which sends a
 * little from time to time, or never stops. Pure: the caller measures time.
 */

#include <stdint.h>

#define PATIENCE_SILENCE_MS 20000 /* without any byte */
/* after that time the answer must have brought this many bytes for each second of
 * waiting */
#define PATIENCE_RATE	4096
#define PATIENCE_ALL_MS 600000
/* a list of 500,000 entries has less than 1 GB */
#define PATIENCE_BYTES_MAX ((uint64_t)8 << 30)

/* All zero at the beginning. */
struct patience {
	int64_t waited_ms; /* without the time that the reader of our own output took */
	uint64_t n;	   /* bytes that have come */
};

/* Milliseconds to wait for more; 0 if it has taken too long. */
int64_t patience_left(const struct patience *p);
