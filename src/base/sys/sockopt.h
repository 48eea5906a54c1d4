/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Options of a socket. Each function returns 0 or -errno. */

#include <errno.h>
#include <linux/filter.h>
#include <sys/socket.h>

static inline int sockopt_set(int fd, int level, int option, int value)
{
	return setsockopt(fd, level, option, &value, sizeof(value)) < 0 ? -errno : 0;
}

/* Sets the size of a buffer. `force`, SO_RCVBUFFORCE or SO_SNDBUFFORCE, needs
 * CAP_NET_ADMIN. Without it, `plain` gives at most what net.core allows. */
static inline int sockopt_set_buffer(int fd, int force, int plain, int bytes)
{
	int r = sockopt_set(fd, SOL_SOCKET, force, bytes);

	return r < 0 ? sockopt_set(fd, SOL_SOCKET, plain, bytes) : 0;
}

/* Takes a copy of the program, which replaces the one before. */
static inline int sockopt_set_filter(int fd, const struct sock_fprog *prog)
{
	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, prog, sizeof(*prog)) < 0
		? -errno
		: 0;
}
