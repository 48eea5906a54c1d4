/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Files of /proc, see proctext.h. A call for a long file reads what the kernel returns
 * for one read(2). */

#include "control/sys/proctext.h"

#include "base/array.h"
#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#define PIECE 4096 /* the most bytes that one read(2) of a seq_file returns */

int proctext_read(struct proctext *t, int proc, const char *path)
{
	ssize_t n;

	if (!t->open) {
		t->fd = openat(proc, path, O_RDONLY | O_CLOEXEC);
		if (t->fd < 0)
			return -errno;
		t->open = true;
	}
	if (array_reserve(t->text, t->cap, t->len + PIECE + 1, 4 * PIECE) < 0)
		return -ENOMEM;
	n = read(t->fd, t->text + t->len, PIECE);
	if (n < 0)
		return errno == EINTR ? 1 : -errno;
	t->len += (size_t)n;
	t->text[t->len] = '\0';
	return n > 0 && t->len < PROCTEXT_MAX;
}

void proctext_deinit(struct proctext *t)
{
	if (t->open)
		close(t->fd);
	free(t->text);
	*t = (struct proctext){0};
}

size_t proctext_short(int proc, const char *path, char *buf, size_t size)
{
	_cleanup_(closep) int fd = openat(proc, path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, buf, size - 1);

	n = n < 0 ? 0 : n;
	buf[n] = '\0';
	return (size_t)n;
}

mono_t proctext_again(mono_t now, int64_t cost_ns, int64_t least_ms)
{
	return mono_max(mono_add_ms(now, least_ms), mono_add_ns(now, 20 * cost_ns));
}
