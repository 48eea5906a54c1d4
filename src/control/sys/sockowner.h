/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Who has made a Unix socket of this network namespace, in the kernel's words. Its name
 * says nothing of that: any local user can bind any abstract name that is free.
 */

#include <stdint.h>
#include <sys/types.h>

/* A descriptor to ask with, or -errno, -EOPNOTSUPP: this kernel does not tell (it has
 * no CONFIG_UNIX_DIAG, or is older than 5.3). To be opened before a filter of system
 * calls forbids it. */
int sockowner_open(void);

/* The user of the socket with this inode and this abstract name (without its leading
 * NUL). 0, -ENOENT: there is none, or it has another name; another -errno: the kernel
 * does not say. */
int sockowner_uid(int fd, uint64_t inode, const char *name, uid_t *ret);
