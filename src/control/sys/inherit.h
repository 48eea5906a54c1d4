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
	int fd; /* -1 means taken */
};

struct inherit_fds {
	struct inherit_fd *v; /* owned, like the descriptors */
	size_t n, cap;
};

/* Reads and removes the variables. Must come before the process forks, because they
 * name its id. Missing variables are a success. Returns 0, -ENOMEM, or -EINVAL if they
 * are invalid. */
int inherit_collect(struct inherit_fds *ret);
void inherit_deinit(struct inherit_fds *l); /* closes descriptors that were not taken */
/* -1 if there is none of that name */
int inherit_take(struct inherit_fds *l, const char *name);
/* Adds one; the list owns the descriptor. Returns 0, or -ENOMEM with the descriptor
 * closed. */
int inherit_add(struct inherit_fds *l, const char *name, int fd);
