/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Cleanup attribute helpers and the few macros that every file may use. */

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define _cleanup_(fn)  __attribute__((__cleanup__(fn)))
#define _printf_(f, a) __attribute__((__format__(__printf__, f, a)))

#define array_len(a) (sizeof(a) / sizeof((a)[0]))

#define container_of(ptr, type, member)                                                \
	((type *)(void *)((char *)(ptr)-offsetof(type, member)))

/* takes the pointer out of the variable, which is NULL afterwards */
#define take_ptr(p)                                                                    \
	({                                                                             \
		__typeof__(p) _taken = (p);                                            \
		(p) = NULL;                                                            \
		_taken;                                                                \
	})

static inline int take_fd(int *fd)
{
	int was = *fd;

	*fd = -1;
	return was;
}

static inline void freep(void *p)
{
	free(*(void **)p);
}

static inline void closep(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static inline void fclosep(FILE **f)
{
	if (*f)
		fclose(*f);
}
