/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * See tx_sendmmsg.h. The function of musl calls sendmsg(2) once per message on 64-bit
 * machines, because a caller might have left something in the padding.
 */

#include "dataplane/io/tx_sendmmsg.h"

#include <sys/syscall.h>
#include <unistd.h>

int tx_sendmmsg(int fd, struct mmsghdr *v, unsigned n, int flags)
{
#ifdef __GLIBC__
	return sendmmsg(fd, v, n, flags);
#else
	return (int)syscall(SYS_sendmmsg, fd, v, n, flags);
#endif
}
