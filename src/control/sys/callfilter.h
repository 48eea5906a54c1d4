/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * A seccomp filter that admits the system calls that the daemon makes once it has
 * started. Any other one ends the process with SIGSYS. doc/service.md says what each is
 * for. Does not log.
 */

#include <stdbool.h>
#include <stdint.h>

struct callfilter_options {
	/* Permits the use of existing rings of io_uring, but no further ones. The
	 * filter does not see the requests of a ring, and a ring that sends can also
	 * connect TCP sockets. Do not set both options if connections must be kept
	 * out. */
	bool io_uring;
	bool tcp; /* permits listening TCP sockets */
};

/* Returns why this build has no filter, as a static text for the log, or NULL if it has
 * one. */
const char *callfilter_missing(void);

/* Installs the filter permanently, for all threads of the process and those that they
 * start. Needs "no new privileges". Returns 0; -EOPNOTSUPP, see callfilter_missing();
 * or another -errno of the kernel. */
int callfilter_apply(const struct callfilter_options *o);

/* For tests: writes the filter of another architecture (AUDIT_ARCH_* of linux/audit.h)
 * into a file, as the kernel would get it. Returns 0 or -errno. */
int callfilter_export(const struct callfilter_options *o, uint32_t arch, int fd);
