/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Memory that runs out on demand. For programs linked with --wrap of the functions
 * below (fail_alloc_args in tests/meson.build); include it in one file of the program.
 */

#include <stdbool.h>
#include <stdlib.h>
#include <sys/mman.h>

/* Requests that succeed before one fails, once; -1 if none fails. */
static long fail_alloc_after = -1;

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t size);
void *__real_reallocarray(void *p, size_t n, size_t size);
char *__real_strdup(const char *s);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t size);
void *__wrap_reallocarray(void *p, size_t n, size_t size);
char *__wrap_strdup(const char *s);

static bool fail_alloc_now(void)
{
	return fail_alloc_after >= 0 && fail_alloc_after-- == 0;
}

void *__wrap_malloc(size_t size)
{
	return fail_alloc_now() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size)
{
	return fail_alloc_now() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t size)
{
	return fail_alloc_now() ? NULL : __real_realloc(p, size);
}

void *__wrap_reallocarray(void *p, size_t n, size_t size)
{
	return fail_alloc_now() ? NULL : __real_reallocarray(p, n, size);
}

char *__wrap_strdup(const char *s)
{
	return fail_alloc_now() ? NULL : __real_strdup(s);
}

/* mmap(2), also under its name for 64-bit file offsets. */
#define FAIL_ALLOC_MMAP(name)                                                          \
	void *__real_##name(                                                           \
		void *p, size_t size, int prot, int flags, int fd, off_t offset);      \
	void *__wrap_##name(                                                           \
		void *p, size_t size, int prot, int flags, int fd, off_t offset);      \
	void *__wrap_##name(                                                           \
		void *p, size_t size, int prot, int flags, int fd, off_t offset)       \
	{                                                                              \
		return fail_alloc_now()                                                \
			? MAP_FAILED                                                   \
			: __real_##name(p, size, prot, flags, fd, offset);             \
	}

FAIL_ALLOC_MMAP(mmap)
#ifdef __USE_LARGEFILE64
FAIL_ALLOC_MMAP(mmap64)
#endif
