/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Restricts the daemon's access to files with Landlock (Linux 5.13 and later). A set of
 * directories is filled while all of them can be reached, and put in force later. From
 * then on nothing can be written, made or removed. Does not log.
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

/* Makes a set that allows nothing. Returns 0; -ENOSYS or -EOPNOTSUPP if the kernel has
 * no Landlock or it is switched off; or another -errno. landlock_deinit() is allowed in
 * each case. */
int landlock_init(struct landlock *ret);
void landlock_deinit(struct landlock *l);

/* Allows `rights` (enum landlock_right) for the file, or for the directory and
 * everything below it, now and later. Returns 0, or -errno with nothing allowed
 * there. */
int landlock_allow(struct landlock *l, const char *path, unsigned rights);
/* The same with a descriptor, O_PATH is enough. */
int landlock_allow_fd(struct landlock *l, int fd, unsigned rights);

/* Allow binding a TCP socket to the port. Returns 0 or -errno; also 0 if the version
 * does not know ports (before Linux 6.7), in which case no port is refused. */
int landlock_allow_bind(struct landlock *l, uint16_t port);

/* Enforces the set permanently for this thread and those that it starts; open files
 * stay open. If the version knows them, this also refuses TCP connections, other TCP
 * ports and signals to others. Needs "no new privileges". 0 or -errno. */
int landlock_apply(const struct landlock *l);
