/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Giving up privileges, see privdrop.h. Called once by main, after the configuration is
 * read and the control socket is bound, before any thread.
 */

#include "control/privdrop.h"

#include <cap-ng.h>
#include <errno.h>
#include <linux/capability.h>
#include <pwd.h>
#include <stddef.h>
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

/* An unknown name must not be taken for success, and getpwnam tells it by errno 0. */
static int find_user(const char *user, uid_t *ret_uid, gid_t *ret_gid)
{
	const struct passwd *pw;

	errno = 0;
	pw = getpwnam(user);
	if (!pw)
		return errno != 0 ? -errno : -ENOENT;
	*ret_uid = pw->pw_uid;
	*ret_gid = pw->pw_gid;
	return 0;
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

static int become(uid_t uid, gid_t gid)
{
	choose_net_raw();
	errno = 0;
	if (capng_change_id((int)uid, (int)gid, CAPNG_DROP_SUPP_GRP) != 0)
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

/* While root can still do it: become() leaves no way to touch the bounding set. */
static int empty_bounding_set(void)
{
	if (capng_get_caps_process() != 0)
		return -EPERM;
	if (capng_have_capability(CAPNG_EFFECTIVE, CAP_SETPCAP) != 1)
		return 0;
	capng_clear(CAPNG_SELECT_BOUNDS);
	return capng_apply(CAPNG_SELECT_BOUNDS) != 0 ? -EPERM : 0;
}

int privdrop_apply(const char *chroot_dir, const char *user, const char **ret_what)
{
	uid_t uid = 0;
	gid_t gid = 0;
	int r = 0;

	*ret_what = "user";
	if (user)
		r = find_user(user, &uid, &gid); /* before the files are out of reach */
	if (r < 0)
		return r;
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
	if (user)
		r = become(uid, gid);
	if (r < 0)
		return r;
	*ret_what = "capabilities";
	r = keep_net_raw();
	if (r < 0)
		return r;
	*ret_what = "no new privileges";
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ? -errno : 0;
}
