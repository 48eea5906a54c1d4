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
	/* Use the existing rings, but no further ones. The filter does not see the
	 * requests of a ring, and a ring that sends can also connect TCP sockets, so do
	 * not set both if connections must be kept out. */
	bool io_uring;
	bool tcp; /* make listening TCP sockets */
};

/* Why this build has no filter, as text for the log, or NULL if it has one. */
const char *callfilter_missing(void);

/* Installs the filter permanently, for all threads of the process and those that they
 * start. Needs "no new privileges". Returns 0; -EOPNOTSUPP, see callfilter_missing();
 * or another -errno of the kernel. */
int callfilter_apply(const struct callfilter_options *o);

/* For tests: writes the filter of another architecture (AUDIT_ARCH_* of linux/audit.h)
 * into a file, as the kernel would get it. Returns 0 or -errno. */
int callfilter_export(const struct callfilter_options *o, uint32_t arch, int fd);
