/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <sys/socket.h>

/* sendmmsg(2) as one system call, which not every C library makes of it. The fields
 * that a library adds to struct msghdr for padding must be 0. */
int tx_sendmmsg(int fd, struct mmsghdr *v, unsigned n, int flags);
