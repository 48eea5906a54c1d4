/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Restricts the daemon's access to files with Landlock (Linux 5.13 and later). A set of
 * directories is filled while all of them can be reached, and enforced later. From then
 * on no file can be written, made or removed. Does not log.
 */

#include <stdbool.h>
#include <stdint.h>

enum landlock_right {
	LANDLOCK_READ = 1 << 0,
	LANDLOCK_LIST = 1 << 1, /* list directories */
};

struct landlock {
	int fd;	     /* the set, owned, or -1 */
	int version; /* of the kernel's Landlock */
};

/* Makes a set that allows nothing. Returns 0; -ENOSYS or -EOPNOTSUPP if the kernel has
 * no Landlock or it is switched off; or another -errno. landlock_deinit() is allowed in
 * each case. */
int landlock_init(struct landlock *ret);
void landlock_deinit(struct landlock *l);

/* Allows `rights` (enum landlock_right) for a file, or for a directory and everything
 * that is below it now or later. Returns 0, or -errno; then nothing is allowed
 * there. */
int landlock_allow(struct landlock *l, const char *path, unsigned rights);
/* Does the same for a descriptor of the file or directory; O_PATH is enough. */
int landlock_allow_fd(struct landlock *l, int fd, unsigned rights);

/* Allows binding a TCP socket to the port. Returns 0 or -errno; also 0 if the version
 * does not know ports (before Linux 6.7), in which case no port is refused. */
int landlock_allow_bind(struct landlock *l, uint16_t port);

/* Enforces the set permanently for this thread and the threads that it starts. Open
 * files stay open. If the kernel's version can, it also refuses TCP connections, other
 * TCP ports and signals to other processes. Needs "no new privileges". Returns 0 or
 * -errno. */
int landlock_apply(const struct landlock *l);
