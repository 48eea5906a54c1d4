/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Starting the next ringcastd, see ctl_spawn.h. Called by ctl_upgrade. */

#include "ctl_spawn.h"

#include "base/cleanup.h"

#include <cap-ng.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#define FIRST_FD	 3 /* SD_LISTEN_FDS_START */
#define EXIT_NOT_STARTED 126

static const struct {
	const char *name;
	int flag;
} namespaces[SPAWN_NAMESPACES] = {
	[SPAWN_NET] = {"net", CLONE_NEWNET},
	[SPAWN_MNT] = {"mnt", CLONE_NEWNS},
	[SPAWN_PID] = {"pid", CLONE_NEWPID},
};

void spawn_place_init(struct spawn_place *p)
{
	*p = (struct spawn_place){.uid = geteuid(), .gid = getegid()};
	for (unsigned i = 0; i < SPAWN_NAMESPACES; i++)
		p->ns[i] = -1;
	for (unsigned i = 0; i < 3; i++)
		p->stdio[i] = -1;
}

int spawn_look_at(struct spawn_place *p, pid_t pid)
{
	for (unsigned i = 0; i < SPAWN_NAMESPACES; i++) {
		char theirs[64], ours[64];
		struct stat a, b;

		snprintf(theirs, sizeof(theirs), "/proc/%d/ns/%s", (int)pid,
			namespaces[i].name);
		snprintf(ours, sizeof(ours), "/proc/self/ns/%s", namespaces[i].name);
		if (stat(theirs, &a) < 0 || stat(ours, &b) < 0)
			return -errno;
		if (a.st_ino == b.st_ino)
			continue;
		p->ns[i] = open(theirs, O_RDONLY | O_CLOEXEC);
		if (p->ns[i] < 0)
			return -errno;
	}
	return 0;
}

/* ---- in the child ---- */

static int enter(const struct spawn_place *p)
{
	for (unsigned i = 0; i < SPAWN_NAMESPACES; i++)
		if (i != SPAWN_PID && p->ns[i] >= 0 &&
			setns(p->ns[i], namespaces[i].flag) < 0)
			return -errno;
	if (p->directory && chdir(p->directory) < 0)
		return -errno;
	return 0;
}

/* Another user, with CAP_NET_RAW as the one before must have had it. */
static int become(const struct spawn_place *p)
{
	const unsigned all = CAPNG_EFFECTIVE | CAPNG_PERMITTED | CAPNG_INHERITABLE;

	if (p->uid == geteuid() && p->gid == getegid())
		return 0;
	capng_clear(CAPNG_SELECT_BOTH);
	capng_update(CAPNG_ADD, (capng_type_t)all, CAP_NET_RAW);
	errno = 0;
	if (capng_change_id((int)p->uid, (int)p->gid, CAPNG_DROP_SUPP_GRP) != 0)
		return errno ? -errno : -EPERM;
	return prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_NET_RAW, 0, 0) < 0
		? -errno
		: 0;
}

/* Out of the way first: the numbers that they get may be taken by others of them. */
static int place_fds(const struct spawn_fds *fds)
{
	int above = FIRST_FD + (int)fds->n;

	for (unsigned i = 0; i < fds->n; i++) {
		fds->fd[i] = fcntl(fds->fd[i], F_DUPFD_CLOEXEC, above);
		if (fds->fd[i] < 0)
			return -errno;
	}
	for (unsigned i = 0; i < fds->n; i++)
		if (dup2(fds->fd[i], FIRST_FD + (int)i) < 0)
			return -errno;
	return 0;
}

static int announce_fds(const struct spawn_fds *fds)
{
	_cleanup_(freep) char *names = NULL;
	char number[16];
	size_t len = 1;

	for (unsigned i = 0; i < fds->n; i++)
		len += strlen(fds->name[i]) + 1;
	names = calloc(1, len);
	if (!names)
		return -ENOMEM;
	for (unsigned i = 0; i < fds->n; i++) {
		if (i)
			strcat(names, ":");
		strcat(names, fds->name[i]);
	}
	snprintf(number, sizeof(number), "%d", (int)getpid());
	setenv("LISTEN_PID", number, 1);
	snprintf(number, sizeof(number), "%u", fds->n);
	setenv("LISTEN_FDS", number, 1);
	setenv("LISTEN_FDNAMES", names, 1);
	return 0;
}

/* The file behind the path is the one that is open. */
static bool is_at(int program, const char *path)
{
	struct stat a, b;

	return path && fstat(program, &a) == 0 && stat(path, &b) == 0 &&
		a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

static int child(int program, const char *path, char *const argv[],
	const struct spawn_place *place, const struct spawn_fds *fds, bool detach)
{
	int above = FIRST_FD + (fds ? (int)fds->n : 0);
	int r = enter(place);

	if (detach)
		setsid();
	for (int i = 0; i < 3 && r == 0; i++)
		if (place->stdio[i] >= 0 && dup2(place->stdio[i], i) < 0)
			r = -errno;
	if (r == 0)
		r = become(place);
	if (program >= 0)
		program = fcntl(program, F_DUPFD_CLOEXEC, above);
	if (r == 0 && fds)
		r = place_fds(fds);
	if (r == 0 && fds)
		r = announce_fds(fds);
	if (r < 0)
		return r;
	if (program < 0 || is_at(program, path))
		execv(path, argv);
	else
		fexecve(program, argv, environ);
	return -errno;
}

pid_t spawn(int program, const char *path, char *const argv[],
	const struct spawn_place *place, const struct spawn_fds *fds, bool detach)
{
	pid_t pid;
	int r;

	/* takes effect for children only */
	if (place->ns[SPAWN_PID] >= 0 && setns(place->ns[SPAWN_PID], CLONE_NEWPID) < 0)
		return -errno;
	fflush(NULL);
	pid = fork();
	if (pid != 0)
		return pid < 0 ? -errno : pid;
	r = child(program, path, argv, place, fds, detach);
	fprintf(stderr, "ringcastctl: cannot start %s: %s\n", path ? path : argv[0],
		strerror(-r));
	_exit(EXIT_NOT_STARTED);
}
