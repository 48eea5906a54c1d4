/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Statistics of this process from the kernel: memory, descriptors, processor time. Open
 * it before privileges, root directory and file system rights are given up. It can be
 * read at any time after that.
 */

#include <dirent.h>
#include <stdint.h>

struct selfstat {
	int statm; /* -1 if it is not open */
	DIR *fds;  /* NULL if it is not open */
	uint64_t started_ns;
};

struct selfstat selfstat_open(void);
void selfstat_close(struct selfstat *s);

struct selfstat_values {
	uint64_t started_ns;		/* since 1970 */
	uint64_t cpu_ns, thread_cpu_ns; /* of the process; of the calling thread */
	int64_t resident;		/* bytes; -1 if /proc is missing */
	int64_t n_fds;			/* open descriptors; -1 if /proc is missing */
	uint64_t max_fds;
};
void selfstat_read(const struct selfstat *s, struct selfstat_values *ret);
