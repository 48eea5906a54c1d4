/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Start a program as another process was started: in its namespaces and directory, with
 * its arguments, user and standard streams, and with descriptors in LISTEN_FDS.
 */

#include <stdbool.h>
#include <sys/types.h>

enum { SPAWN_NET, SPAWN_MNT, SPAWN_PID, SPAWN_NAMESPACES };

struct spawn_place {
	int ns[SPAWN_NAMESPACES]; /* descriptors of those that are not ours; -1 */
	const char *directory;	  /* NULL: stay */
	uid_t uid;
	gid_t gid;
	int stdio[3]; /* -1: ours */
};

struct spawn_fds {
	int *fd;
	char **name;
	unsigned n;
};

void spawn_place_init(struct spawn_place *p);
/* Which namespaces a process is in; errno says why not. 0 or -errno. */
int spawn_look_at(struct spawn_place *p, pid_t pid);

/* `program` is an open file or, if it is -1, `path` is used, which is also how a
 * program is started whose path still is that file, because its name is seen in lists
 * of processes. `fds` may be NULL. In a session of its own if `detach`. Process id or
 * -errno. */
pid_t spawn(int program, const char *path, char *const argv[],
	const struct spawn_place *place, const struct spawn_fds *fds, bool detach);
