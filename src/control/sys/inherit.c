/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Inherited descriptors, see inherit.h. Does not log. */

#include "control/sys/inherit.h"

#include "base/array.h"
#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#define FIRST_FD 3 /* SD_LISTEN_FDS_START */
#define MAX_FDS	 4096

/* a decimal number, or -1 */
static long inherit_number(const char *name)
{
	const char *text = getenv(name);
	char *end;
	long n;

	if (!text || !*text)
		return -1;
	n = strtol(text, &end, 10);
	return *end || n < 0 ? -1 : n;
}

int inherit_add(struct inherit_fds *l, const char *name, int fd)
{
	struct inherit_fd *e;

	if (array_reserve(l->v, l->cap, l->n + 1, 16) < 0) {
		close(fd);
		return -ENOMEM;
	}
	e = &l->v[l->n++];
	*e = (struct inherit_fd){.fd = fd};
	memcpy(e->name, name, strnlen(name, sizeof(e->name) - 1));
	return 0;
}

static int collect(struct inherit_fds *l, long n, char *names)
{
	for (int fd = FIRST_FD; fd < FIRST_FD + n; fd++) {
		char *name = names ? strsep(&names, ":") : NULL;
		int r;

		if (fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
			return -EINVAL;
		r = inherit_add(l, name ? name : "", fd);
		if (r < 0)
			return r;
	}
	return 0;
}

int inherit_collect(struct inherit_fds *ret)
{
	long pid = inherit_number("LISTEN_PID"), n = inherit_number("LISTEN_FDS");
	const char *text = getenv("LISTEN_FDNAMES");
	_cleanup_(freep) char *names = text ? strdup(text) : NULL;
	int r = 0;

	*ret = (struct inherit_fds){0};
	/* variables for another process are left alone */
	if (pid != getpid() || n <= 0)
		return 0;
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
	r = n > MAX_FDS ? -EINVAL : collect(ret, n, names);
	if (r < 0)
		inherit_deinit(ret);
	return r;
}

void inherit_deinit(struct inherit_fds *l)
{
	for (size_t i = 0; i < l->n; i++)
		closep(&l->v[i].fd);
	free(l->v);
	*l = (struct inherit_fds){0};
}

int inherit_take(struct inherit_fds *l, const char *name)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->v[i].fd >= 0 && strcmp(l->v[i].name, name) == 0)
			return take_fd(&l->v[i].fd);
	return -1;
}
