/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Landlock, see landlock.h. There is no wrapper in libc, and the header of the system
 * may be older than the kernel or missing, so the kernel's structures are defined here.
 */

#include "control/sys/landlock.h"

#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The numbers are the same on all architectures, except that those of alpha are 110
 * higher. */
#ifndef SYS_landlock_create_ruleset
#ifdef __alpha__
#define SYS_landlock_create_ruleset 554
#define SYS_landlock_add_rule	    555
#define SYS_landlock_restrict_self  556
#else
#define SYS_landlock_create_ruleset 444
#define SYS_landlock_add_rule	    445
#define SYS_landlock_restrict_self  446
#endif
#endif

#define CREATE_VERSION	  1u /* LANDLOCK_CREATE_RULESET_VERSION */
#define RULE_PATH_BENEATH 1
#define RULE_NET_PORT	  2

/* LANDLOCK_ACCESS_FS_* */
#define FS_READ_FILE (UINT64_C(1) << 2)
#define FS_READ_DIR  (UINT64_C(1) << 3)
#define FS_FIRST(n)  ((UINT64_C(1) << (n)) - 1)
/* LANDLOCK_ACCESS_NET_*, LANDLOCK_SCOPE_SIGNAL. Not the scope of abstract sockets,
 * because ringcastd processes exchange datagrams there. */
#define NET_BIND_TCP	(UINT64_C(1) << 0)
#define NET_CONNECT_TCP (UINT64_C(1) << 1)
#define SCOPE_SIGNAL	(UINT64_C(1) << 1)

struct ruleset_attr {
	uint64_t fs, net, scoped;
};

struct path_beneath_attr {
	uint64_t allowed;
	int32_t parent_fd;
} __attribute__((packed));

struct net_port_attr {
	uint64_t allowed, port;
};

/* The accesses that a Landlock version can refuse; all of them are refused unless
 * allowed. A kernel accepts a longer attribute than it knows if the rest is zero. */
static struct ruleset_attr handled(int version)
{
	struct ruleset_attr a = {.fs = FS_FIRST(13)}; /* to make_sym */

	if (version >= 2)
		a.fs = FS_FIRST(14); /* refer */
	if (version >= 3)
		a.fs = FS_FIRST(15); /* truncate */
	if (version >= 4)
		a.net = NET_BIND_TCP | NET_CONNECT_TCP;
	if (version >= 5)
		a.fs = FS_FIRST(16); /* ioctl of devices */
	if (version >= 6)
		a.scoped = SCOPE_SIGNAL;
	return a;
}

int landlock_init(struct landlock *ret)
{
	struct ruleset_attr a;

	*ret = (struct landlock){.fd = -1};
	ret->version =
		(int)syscall(SYS_landlock_create_ruleset, NULL, 0, CREATE_VERSION);
	if (ret->version < 0)
		return -errno;
	a = handled(ret->version);
	ret->fd = (int)syscall(SYS_landlock_create_ruleset, &a, sizeof(a), 0);
	return ret->fd < 0 ? -errno : 0;
}

void landlock_deinit(struct landlock *l)
{
	closep(&l->fd);
	l->fd = -1;
}

int landlock_allow_fd(struct landlock *l, int fd, unsigned rights)
{
	struct path_beneath_attr a = {.parent_fd = fd};
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (rights & LANDLOCK_READ)
		a.allowed |= FS_READ_FILE;
	/* the kernel accepts this only for directories */
	if ((rights & LANDLOCK_LIST) && S_ISDIR(st.st_mode))
		a.allowed |= FS_READ_DIR;
	if (syscall(SYS_landlock_add_rule, l->fd, RULE_PATH_BENEATH, &a, 0) < 0)
		return -errno;
	return 0;
}

int landlock_allow(struct landlock *l, const char *path, unsigned rights)
{
	_cleanup_(closep) int fd = open(path, O_PATH | O_CLOEXEC);

	return fd < 0 ? -errno : landlock_allow_fd(l, fd, rights);
}

int landlock_allow_bind(struct landlock *l, uint16_t port)
{
	const struct net_port_attr a = {.allowed = NET_BIND_TCP, .port = port};

	if (l->version < 4)
		return 0;
	return syscall(SYS_landlock_add_rule, l->fd, RULE_NET_PORT, &a, 0) < 0 ? -errno
									       : 0;
}

int landlock_apply(const struct landlock *l)
{
	return syscall(SYS_landlock_restrict_self, l->fd, 0) < 0 ? -errno : 0;
}
