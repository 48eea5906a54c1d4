/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Privileges: the daemon needs CAP_NET_RAW and nothing else. Capabilities belong to
 * threads, so all of this comes before the first thread is started. Does not log.
 */

#include <stdbool.h>
#include <sys/types.h>

bool privdrop_have_net_raw(void); /* effective in this thread */

/* Raise the soft limit of open descriptors to the hard one. 0 or -errno. */
int privdrop_raise_nofile(void);

struct privdrop_id {
	uid_t uid;
	gid_t gid;
};

/* The user of that name with its group. 0, -ENOENT: there is none, other -errno. */
int privdrop_find_user(const char *name, struct privdrop_id *ret);
/* The capabilities for it are there, and the ids exist in this user namespace. */
bool privdrop_may_become(const struct privdrop_id *id);

/* Enter `chroot_dir` (NULL means none) and become `id` without further groups (NULL
 * means the user stays), then keep CAP_NET_RAW alone, in no way extendable: no other
 * capability, empty bounding set where that is permitted, no new privileges by execve.
 * 0 or -errno, and *ret_what then names the step that failed, for example "chroot". */
int privdrop_apply(
	const char *chroot_dir, const struct privdrop_id *id, const char **ret_what);
