/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* May root act on what is answered on a socket? Who can answer at a path, or put
 * another socket there, can tell root anything, and have root command another program.
 */

#include <stdbool.h>
#include <sys/types.h>

/* Is `path`, at which `peer` answers, one that only root and that user can change? That
 * holds for every directory on the way, also through symbolic links. The last one
 * belongs to the peer; of root's it may be one where everybody may make files and none
 * may remove those of others (sticky), if the socket in it is root's. */
bool ctl_trust_path(const char *path, uid_t peer);
/* The same for the other end of the connection `fd`. Who is not root trusts
 * everybody. */
bool ctl_trust_peer(int fd, const char *path);
