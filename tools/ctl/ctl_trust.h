/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* May root trust answers on a socket? A user that can answer at the path, or replace
 * the socket, can tell root anything and let root command another program. */

#include <stdbool.h>
#include <sys/types.h>

/* Can only root and the user `peer` change `path`? Every directory on the path is
 * checked, also through symbolic links. The last directory must belong to the peer.
 * Only if the peer is root, it may be open to everybody, provided that it is sticky and
 * the socket belongs to root. */
bool ctl_trust_path(const char *path, uid_t peer);
/* Asks the same about the user at the other end of the connection `fd`. Users other
 * than root trust every peer. */
bool ctl_trust_peer(int fd, const char *path);
