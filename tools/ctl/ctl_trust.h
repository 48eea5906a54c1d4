/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* May root trust answers on a socket? A user that can answer at the path, or replace
 * the socket, can tell root anything and make root command another program. */

#include <stdbool.h>
#include <sys/types.h>

/* Can only root and the user `peer` change `path`? That holds for every directory on
 * the way, also through symbolic links. The last one belongs to the peer; of root's it
 * may be one where everybody may make files and none may remove those of others
 * (sticky), if the socket in it is root's. */
bool ctl_trust_path(const char *path, uid_t peer);
/* The same for the other end of the connection `fd`. Users other than root trust every
 * peer. */
bool ctl_trust_peer(int fd, const char *path);
