/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Privileges: the daemon needs CAP_NET_RAW and nothing else. Capabilities belong to
 * threads, so all of this must happen before the first thread is started. Does not log.
 */

#include <stdbool.h>
#include <sys/types.h>

bool privdrop_have_net_raw(void); /* is CAP_NET_RAW effective in this thread? */

/* Raises the soft limit of open descriptors to the hard one. Returns 0 or -errno. */
int privdrop_raise_nofile(void);

struct privdrop_id {
	uid_t uid;
	gid_t gid;
};

/* Finds the user of that name, and its group. Returns 0, -ENOENT if there is none, or
 * another -errno. */
int privdrop_find_user(const char *name, struct privdrop_id *ret);
/* Does this thread have the capabilities to become that user, and do the ids exist in
 * this user namespace? */
bool privdrop_may_become(const struct privdrop_id *id);

/* Enters `chroot_dir` and becomes `id` without further groups; NULL skips a step. Then
 * keeps only CAP_NET_RAW. The process cannot regain more: the bounding set is empty
 * where that is permitted, and execve(2) gives no new privileges. Returns 0, or -errno
 * with the step that failed in *ret_what, for example "chroot"; static. */
int privdrop_apply(
	const char *chroot_dir, const struct privdrop_id *id, const char **ret_what);
