/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The system calls that the daemon makes once it has started, as a seccomp filter.
 * Any other one ends the process with SIGSYS. What each is for: doc/service.md. Does
 * not log.
 */

#include <stdbool.h>
#include <stdint.h>

struct callfilter_options {
	/* Use the rings that there are; no further ones. The filter does not see what a
	 * ring is asked for, and a ring that sends also connects sockets of TCP, so one
	 * who wants to keep connections out does not set both. */
	bool io_uring;
	bool tcp; /* make sockets that TCP clients connect to */
};

/* Why this build has no filter, for a line of the log; NULL if it has one. */
const char *callfilter_missing(void);

/* From now on, for all threads of the process and those they start, for good. Needs "no
 * new privileges". 0, -EOPNOTSUPP: callfilter_missing(), other -errno: the kernel
 * refuses.
 */
int callfilter_apply(const struct callfilter_options *o);

/* The filter of another architecture (AUDIT_ARCH_* of linux/audit.h), as the kernel
 * would get it, into a file: for tests. 0 or -errno. */
int callfilter_export(const struct callfilter_options *o, uint32_t arch, int fd);
