/* SPDX-License-Identifier: GPL-2.0-or-later */

/* See memory.h; proc(5), and the kernel's cgroup-v2.rst and cgroup-v1/memory.rst. */

#include "control/sys/memory.h"

#include "base/cleanup.h"
#include "base/minmax.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME_MAX_LEN (2 * PATH_MAX) /* below the root of a test; a longer one is cut */

/* The number in the first line of a file, after its prefix. 0 if there is none, or if
 * it is "max". */
static uint64_t read_size(const char *path, const char *prefix)
{
	_cleanup_(fclosep) FILE *f = fopen(path, "re");
	size_t len = strlen(prefix);
	char line[128];

	return f && fgets(line, sizeof(line), f) && strncmp(line, prefix, len) == 0
		? strtoull(line + len, NULL, 10)
		: 0;
}

static uint64_t read_total(const char *root)
{
	char path[NAME_MAX_LEN];

	snprintf(path, sizeof(path), "%s/proc/meminfo", root);
	return read_size(path, "MemTotal:") * 1024; /* "kB" */
}

/* Returns the smaller one of two sizes, of which 0 means unknown. */
static uint64_t smaller(uint64_t a, uint64_t b)
{
	if (a == 0 || b == 0)
		return a ? a : b;
	return min(a, b);
}

/* The lowest limit of a control group and of the groups that contain it. `group` begins
 * with a slash; it is cut on the way up. */
static uint64_t lowest_limit(
	const char *root, const char *hierarchy, const char *file, char *group)
{
	uint64_t least = 0;

	for (;;) {
		char *cut = strrchr(group, '/'), path[NAME_MAX_LEN];

		snprintf(path, sizeof(path), "%s/sys/fs/cgroup%s%s/%s", root, hierarchy,
			group, file);
		least = smaller(least, read_size(path, ""));
		if (!cut)
			return least;
		*cut = '\0';
	}
}

/* "12:cpu,memory:/group" of version 1, "0::/group" of version 2 */
static uint64_t limit_of_line(const char *root, char *line)
{
	char *kinds = strchr(line, ':');
	char *group = kinds ? strchr(kinds + 1, ':') : NULL;

	if (!group)
		return 0;
	*group++ = '\0';
	kinds++;
	group[strcspn(group, "\n")] = '\0';
	if (*kinds == '\0')
		return lowest_limit(root, "", "memory.max", group);
	for (char *kind = strsep(&kinds, ","); kind; kind = strsep(&kinds, ","))
		if (strcmp(kind, "memory") == 0)
			return lowest_limit(
				root, "/memory", "memory.limit_in_bytes", group);
	return 0;
}

uint64_t memory_size(const char *root)
{
	_cleanup_(fclosep) FILE *f = NULL;
	char line[PATH_MAX + 128], path[NAME_MAX_LEN];
	uint64_t size = read_total(root);

	snprintf(path, sizeof(path), "%s/proc/self/cgroup", root);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f))
		size = smaller(size, limit_of_line(root, line));
	return size;
}
