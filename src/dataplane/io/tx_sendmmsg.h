/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <sys/socket.h>

/* sendmmsg(2), as one system call with every C library. Fields of the headers that the
 * library added for padding are 0. */
int tx_sendmmsg(int fd, struct mmsghdr *v, unsigned n, int flags);
