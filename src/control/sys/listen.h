/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Descriptors that the process was started with: LISTEN_FDS and LISTEN_FDNAMES as
 * sd_listen_fds(3) describes them. In a live upgrade they come from the process before,
 * by the way of the service manager's store. Who takes one checks what it is.
 */

#include <stdbool.h>
#include <stddef.h>

#define LISTEN_NAME_MAX 64

struct listen_fd {
	char name[LISTEN_NAME_MAX];
	int fd; /* -1 means taken */
};

struct listen_fds {
	struct listen_fd *v; /* owned, like the descriptors */
	size_t n, cap;
};

/* Read and remove the variables; before the process forks, as they name its id. None
 * are a success. 0, -ENOMEM, -EINVAL: they make no sense. */
int listen_collect(struct listen_fds *ret);
void listen_deinit(struct listen_fds *l); /* closes those that nobody took */
/* -1 if there is none of that name */
int listen_take(struct listen_fds *l, const char *name);
/* Another one; the list owns the descriptor. 0 or -ENOMEM (then it is closed). */
int listen_add(struct listen_fds *l, const char *name, int fd);
