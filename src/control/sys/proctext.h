/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Text files of /proc. A file that any local user can make long is read piece by piece,
 * because the kernel writes it slowly; proctext also says how long to wait before
 * reading it again. A short file is read at once.
 */

#include "base/mono.h"

#include <stdbool.h>
#include <stddef.h>

#define PROCTEXT_MAX (512u << 10) /* bytes; the rest of a longer file is not read */

/* All zero before the first call of proctext_read(). */
struct proctext {
	bool open;
	int fd;
	char *text; /* owned; what has been read, ends with '\0' */
	size_t len, cap;
};

/* Reads a piece of the file `path` below the directory `proc`. The first call opens the
 * file. Returns 1 if there is more, 0 at the end or at PROCTEXT_MAX, or -errno if there
 * is no such file or no memory. After 0 `text` is not NULL. */
int proctext_read(struct proctext *t, int proc, const char *path);
void proctext_deinit(struct proctext *t);

/* Reads the beginning of a short file below the directory `proc` and ends it with '\0'.
 * Returns its bytes, or 0 if it cannot be read. */
size_t proctext_short(int proc, const char *path, char *buf, size_t size);

/* Returns when work that ended at `now` and took `cost_ns` may be done again: at least
 * `least_ms` later, and late enough that it takes at most a twentieth of the thread's
 * time. */
mono_t proctext_again(mono_t now, int64_t cost_ns, int64_t least_ms);
