/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The user that has created a Unix socket of this network namespace, according to the
 * kernel. The name of the socket proves nothing, because any local user can bind any
 * free abstract name.
 */

#include <stdint.h>
#include <sys/types.h>

/* Returns a descriptor for sockowner_uid(), which the caller closes; -EOPNOTSUPP if
 * this kernel does not tell (it has no CONFIG_UNIX_DIAG, or is older than 5.3); or
 * another -errno. Call it before a filter of system calls forbids it. */
int sockowner_open(void);

/* Finds the user of the socket with this inode and this abstract name (without its
 * leading NUL). Returns 0, -ENOENT if there is no such socket or it has another name,
 * or another -errno if the kernel does not tell. */
int sockowner_uid(int fd, uint64_t inode, const char *name, uid_t *ret);
