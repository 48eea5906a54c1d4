/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Which daemons root's ringcastctl trusts, see ctl_trust.h. This is checked after
 * connecting: if no other user can change the path of the socket now, no other user
 * could before.
 */

#include "tools/ctl/ctl_trust.h"

#include "base/cleanup.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINKS_MAX 16

static bool is_theirs(const struct stat *st, uid_t peer)
{
	return st->st_uid == 0 || st->st_uid == peer;
}

/* Can other users make files in it? */
static bool is_open(const struct stat *dir)
{
	return (dir->st_mode & S_IWOTH) ||
		((dir->st_mode & S_IWGRP) && dir->st_gid != 0);
}

/* Each directory that the text names, and each link. */
static bool is_way(const char *path, uid_t peer, unsigned links);

/* Our own link is trusted, but its target is also checked. */
static bool is_link_way(const char *path, uid_t peer, unsigned links)
{
	char target[PATH_MAX], whole[2 * PATH_MAX];
	ssize_t n = readlink(path, target, sizeof(target) - 1);
	const char *slash = strrchr(path, '/');

	if (n <= 0 || links == 0)
		return false;
	target[n] = '\0';
	snprintf(whole, sizeof(whole), "%.*s/%s",
		*target == '/' ? 0 : (int)(slash - path), path, target);
	return is_way(whole, peer, links - 1);
}

static bool is_step(const char *path, uid_t peer, unsigned links)
{
	struct stat st;

	if (lstat(path, &st) < 0 || !is_theirs(&st, peer))
		return false;
	if (S_ISLNK(st.st_mode))
		return is_link_way(path, peer, links);
	return !is_open(&st) || !S_ISDIR(st.st_mode) || (st.st_mode & S_ISVTX);
}

static bool is_way(const char *path, uid_t peer, unsigned links)
{
	_cleanup_(freep) char *copy = strdup(path);
	bool ok = copy && is_step("/", peer, links);

	for (char *at = copy; ok && (at = strchr(at + 1, '/')); *at = '/') {
		*at = '\0';
		ok = is_step(copy, peer, links);
	}
	return ok && is_step(copy, peer, links);
}

/* Whether the directory of the socket is the peer's and others cannot replace the
 * socket in it. */
static bool is_own_place(const char *path, uid_t peer)
{
	_cleanup_(freep) char *real = realpath(path, NULL);
	struct stat socket, dir;

	if (!real || lstat(real, &socket) < 0)
		return false;
	*(strrchr(real, '/') + (strrchr(real, '/') == real)) = '\0';
	if (stat(real, &dir) < 0 || dir.st_uid != peer)
		return false;
	if (!is_open(&dir))
		return true;
	return peer == 0 && (dir.st_mode & S_ISVTX) && socket.st_uid == 0;
}

bool ctl_trust_path(const char *path, uid_t peer)
{
	_cleanup_(freep) char *here = *path == '/' ? NULL : realpath(".", NULL);
	_cleanup_(freep) char *whole = NULL;

	if ((*path != '/' && !here) ||
		asprintf(&whole, "%s%s%s", here ? here : "", here ? "/" : "", path) <
			0) {
		whole = NULL;
		return false;
	}
	return is_way(whole, peer, LINKS_MAX) && is_own_place(whole, peer);
}

bool ctl_trust_peer(int fd, const char *path)
{
	struct ucred who;
	socklen_t len = sizeof(who);

	return geteuid() != 0 ||
		(getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len) == 0 &&
			ctl_trust_path(path, who.uid));
}
