/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* May root trust answers on a socket? A user that can answer at the path, or replace
 * the socket, can tell root anything and make root command another program. */

#include <stdbool.h>
#include <sys/types.h>

/* Can only root and the user `peer` change `path`? Every directory on the path is
 * checked, also through symbolic links. The last directory must belong to the peer. If
 * it belongs to root, everybody may make files there, provided that it is sticky and
 * the socket belongs to root. */
bool ctl_trust_path(const char *path, uid_t peer);
/* The same for the other end of the connection `fd`. Users other than root trust every
 * peer. */
bool ctl_trust_peer(int fd, const char *path);
