/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * What the daemon may still do with files, by Landlock (Linux 5.13 and later): a set of
 * directories is filled while all of them can be reached, and put in force later.
 * Nothing can be written, made or removed then. Does not log.
 */

#include <stdbool.h>
#include <stdint.h>

enum landlock_right {
	LANDLOCK_READ = 1 << 0,
	LANDLOCK_LIST = 1 << 1, /* what is in a directory */
};

struct landlock {
	int fd;	     /* -1 means none */
	int version; /* of the kernel's Landlock */
};

/* A set that allows nothing. 0; -ENOSYS, -EOPNOTSUPP: the kernel has no Landlock, or it
 * is switched off; other -errno. Either way landlock_deinit() is fine. */
int landlock_init(struct landlock *ret);
void landlock_deinit(struct landlock *l);

/* Allow `rights` (enum landlock_right) for the file, or for the directory and all that
 * is, or comes, below. 0 or -errno: then nothing is allowed there. */
int landlock_allow(struct landlock *l, const char *path, unsigned rights);
/* The same with a descriptor, O_PATH is enough. */
int landlock_allow_fd(struct landlock *l, int fd, unsigned rights);

/* Allow binding a TCP socket to the port. 0 or -errno; 0 also where the version does
 * not know ports (before Linux 6.7), and then none is refused. */
int landlock_allow_bind(struct landlock *l, uint16_t port);

/* From now on, for this thread and those it starts, for good: what is open stays so.
 * Where the version knows them, it also refuses TCP connections, other TCP ports and
 * signals to others. Needs "no new privileges". 0 or -errno. */
int landlock_apply(const struct landlock *l);
