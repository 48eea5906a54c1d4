/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Privileges: the daemon needs CAP_NET_RAW and nothing else. Capabilities belong to
 * threads, so all of this comes before the first thread is started. Does not log.
 */

#include <stdbool.h>

bool privdrop_have_net_raw(void); /* effective in this thread */

/* Raise the soft limit of open descriptors to the hard one. 0 or -errno. */
int privdrop_raise_nofile(void);

/* Enter `chroot` and become `user` with its group (NULL: leave as it is), then keep
 * CAP_NET_RAW alone, in no way extendable: no other capability, empty bounding set
 * where that is permitted, no new privileges by execve. Without `user` the user id
 * stays. 0 or -errno, and *ret_what then names the step that failed, for example
 * "chroot". */
int privdrop_apply(const char *chroot_dir, const char *user, const char **ret_what);
