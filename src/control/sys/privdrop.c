/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Giving up privileges, see privdrop.h. */

#include "control/sys/privdrop.h"

#include "base/cleanup.h"

#include <cap-ng.h>
#include <errno.h>
#include <linux/capability.h>
#include <pwd.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

bool privdrop_have_net_raw(void)
{
	if (capng_get_caps_process() != 0)
		return false;
	return capng_have_capability(CAPNG_EFFECTIVE, CAP_NET_RAW) == 1;
}

int privdrop_raise_nofile(void)
{
	struct rlimit lim;

	if (getrlimit(RLIMIT_NOFILE, &lim) < 0)
		return -errno;
	lim.rlim_cur = lim.rlim_max;
	return setrlimit(RLIMIT_NOFILE, &lim) < 0 ? -errno : 0;
}

/* getpwnam() says by errno 0 that a name is unknown. That must not count as success. */
int privdrop_find_user(const char *name, struct privdrop_id *ret)
{
	const struct passwd *pw;

	errno = 0;
	pw = getpwnam(name);
	if (!pw)
		return errno != 0 ? -errno : -ENOENT;
	*ret = (struct privdrop_id){.uid = pw->pw_uid, .gid = pw->pw_gid};
	return 0;
}

/* A user namespace may know only a few ids, for example root's. */
static bool is_mapped(const char *map, unsigned id)
{
	_cleanup_(fclosep) FILE *f = fopen(map, "re");
	unsigned first, n;
	char line[64];
	bool found = !f; /* without /proc, setuid(2) will tell */

	while (f && !found && fgets(line, sizeof(line), f))
		found = sscanf(line, "%u %*u %u", &first, &n) == 2 && id >= first &&
			id - first < n;
	return found;
}

bool privdrop_may_become(const struct privdrop_id *id)
{
	return capng_get_caps_process() == 0 &&
		capng_have_capability(CAPNG_EFFECTIVE, CAP_SETUID) == 1 &&
		capng_have_capability(CAPNG_EFFECTIVE, CAP_SETGID) == 1 &&
		is_mapped("/proc/self/uid_map", id->uid) &&
		is_mapped("/proc/self/gid_map", id->gid);
}

static int enter_root(const char *dir)
{
	if (chroot(dir) < 0)
		return -errno;
	return chdir("/") < 0 ? -errno : 0;
}

static void choose_net_raw(void)
{
	capng_clear(CAPNG_SELECT_BOTH);
	capng_update(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED, CAP_NET_RAW);
}

static int become(const struct privdrop_id *id)
{
	choose_net_raw();
	errno = 0;
	if (capng_change_id((int)id->uid, (int)id->gid, CAPNG_DROP_SUPP_GRP) != 0)
		return errno != 0 ? -errno : -EPERM;
	return 0;
}

static int keep_net_raw(void)
{
	choose_net_raw();
	if (capng_apply(CAPNG_SELECT_CAPS) != 0)
		return -EPERM;
	return privdrop_have_net_raw() ? 0 : -EPERM;
}

/* While root can still do it: after become() the bounding set cannot be changed. */
static int empty_bounding_set(void)
{
	if (capng_get_caps_process() != 0)
		return -EPERM;
	if (capng_have_capability(CAPNG_EFFECTIVE, CAP_SETPCAP) != 1)
		return 0;
	capng_clear(CAPNG_SELECT_BOUNDS);
	return capng_apply(CAPNG_SELECT_BOUNDS) != 0 ? -EPERM : 0;
}

int privdrop_apply(
	const char *chroot_dir, const struct privdrop_id *id, const char **ret_what)
{
	int r = 0;

	*ret_what = "chroot";
	if (chroot_dir)
		r = enter_root(chroot_dir);
	if (r < 0)
		return r;
	*ret_what = "capability bounding set";
	r = empty_bounding_set();
	if (r < 0)
		return r;
	*ret_what = "user";
	if (id)
		r = become(id);
	if (r < 0)
		return r;
	*ret_what = "capabilities";
	r = keep_net_raw();
	if (r < 0)
		return r;
	*ret_what = "no new privileges";
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ? -errno : 0;
}
