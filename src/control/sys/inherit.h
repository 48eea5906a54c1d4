/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Descriptors that the process was started with: LISTEN_FDS and LISTEN_FDNAMES as
 * sd_listen_fds(3) describes them. In a live upgrade they come from the old process
 * through the service manager's store. The user of a descriptor must check what it is.
 */

#include <stdbool.h>
#include <stddef.h>

#define LISTEN_NAME_MAX 64

struct inherit_fd {
	char name[LISTEN_NAME_MAX];
	int fd; /* -1 if it was taken */
};

struct inherit_fds {
	struct inherit_fd *v; /* owned, like the descriptors */
	size_t n, cap;
};

/* Reads and removes the variables. Call it before the process forks, because the
 * variables are for one process id. Returns 0, also if they are missing, -ENOMEM, or
 * -EINVAL if they are invalid. */
int inherit_collect(struct inherit_fds *ret);
void inherit_deinit(struct inherit_fds *l); /* closes descriptors that were not taken */
/* Returns the descriptor of that name, which the caller then owns, or -1. */
int inherit_take(struct inherit_fds *l, const char *name);
/* Adds a descriptor, which the list then owns. Returns 0, or -ENOMEM after it has
 * closed the descriptor. */
int inherit_add(struct inherit_fds *l, const char *name, int fd);
