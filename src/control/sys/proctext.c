/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "control/sys/proctext.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#define PIECE 4096 /* what one call returns of a seq_file */

static int make_room(struct proctext *t)
{
	size_t cap = t->cap ? 2 * t->cap : 4 * PIECE;
	char *more;

	if (t->cap - t->len > PIECE)
		return 0;
	more = realloc(t->text, cap);
	if (!more)
		return -ENOMEM;
	t->text = more;
	t->cap = cap;
	return 0;
}

int proctext_read(struct proctext *t, int proc, const char *path)
{
	ssize_t n;

	if (!t->open) {
		t->fd = openat(proc, path, O_RDONLY | O_CLOEXEC);
		if (t->fd < 0)
			return -errno;
		t->open = true;
	}
	if (make_room(t) < 0)
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

mono_t proctext_again(mono_t now, int64_t cost_ns, int64_t least_ms)
{
	return mono_max(mono_add_ms(now, least_ms), mono_add_ns(now, 20 * cost_ns));
}
