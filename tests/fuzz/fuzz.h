/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Shared by all fuzz targets. A target is one file fuzz_NAME.c with the entry point of
 * libFuzzer, which AFL++ also accepts: `tools/fuzz NAME SECONDS`. Linked with
 * fuzz_main.c it is a plain program that replays files, as tools/test does.
 *
 * An input must always have the same effect, so a target keeps no state between inputs.
 * It aborts when an oracle fails, not because the input is invalid.
 */

#include "base/bytes.h"
#include "base/cleanup.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
/* optional, called once */
int LLVMFuzzerInitialize(int *argc, char ***argv);

/* Unlike assert(), this is part of every build. */
#define fuzz_assert(condition)                                                         \
	do {                                                                           \
		if (!(condition)) {                                                    \
			fprintf(stderr, "%s:%d: %s: %s does not hold\n", __FILE__,     \
				__LINE__, __func__, #condition);                       \
			abort();                                                       \
		}                                                                      \
	} while (0)

/* A choice in [0, n) from one byte, or 0 at the end of the input. */
static inline unsigned fuzz_below(struct rd *r, unsigned n)
{
	return rd_u8(r) % n;
}

static inline bool fuzz_more(const struct rd *r)
{
	return !r->bad && rd_left(r) > 0;
}

/* A copy of the rest of the input in memory of exactly that size, so that the sanitizer
 * finds reads beyond its end. The caller frees it. */
static inline uint8_t *fuzz_rest(struct rd *r, size_t *ret_len)
{
	size_t len = r->bad ? 0 : rd_left(r);
	const uint8_t *from = rd_take(r, len);
	uint8_t *copy = calloc(len ? len : 1, 1);

	fuzz_assert(copy);
	if (from && len)
		memcpy(copy, from, len);
	*ret_len = len;
	return copy;
}
