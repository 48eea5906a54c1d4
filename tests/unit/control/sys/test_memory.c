/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The available memory, from files of both versions of control groups. */

#include "base/cleanup.h"
#include "control/sys/memory.h"
#include "test.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static char root[64];

static int set_up(void **state)
{
	snprintf(root, sizeof(root), "/tmp/ringcast-memory-XXXXXX");
	return mkdtemp(root) ? 0 : -1;
}

static int forget(const char *path, const struct stat *st, int type, struct FTW *at)
{
	return remove(path);
}

static int tear_down(void **state)
{
	return nftw(root, forget, 8, FTW_DEPTH | FTW_PHYS);
}

/* Creates a file below the root, with its directories. */
static void put(const char *name, const char *text)
{
	char path[256];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", root, name);
	for (char *p = path + strlen(root) + 1; (p = strchr(p, '/')); *p++ = '/') {
		*p = '\0';
		assert_true(mkdir(path, 0700) == 0 || errno == EEXIST);
	}
	f = fopen(path, "w");
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

#define MIB (UINT64_C(1) << 20)

static void machine(const char *cgroup)
{
	put("proc/meminfo", "MemTotal:       65536 kB\nMemFree:        1024 kB\n");
	if (cgroup)
		put("proc/self/cgroup", cgroup);
}

static void nothing_can_be_read(void **state)
{
	assert_int_equal(memory_size(root), 0);
}

static void the_machine_alone(void **state)
{
	machine(NULL);
	assert_int_equal(memory_size(root), 64 * MIB);
	machine("0::/a/b\n"); /* groups without limits */
	assert_int_equal(memory_size(root), 64 * MIB);
}

static void the_lowest_limit_of_version_2(void **state)
{
	machine("0::/a/b\n");
	put("sys/fs/cgroup/a/b/memory.max", "max\n");
	assert_int_equal(memory_size(root), 64 * MIB);
	put("sys/fs/cgroup/a/memory.max", "33554432\n");
	assert_int_equal(memory_size(root), 32 * MIB);
	put("sys/fs/cgroup/a/b/memory.max", "16777216\n");
	assert_int_equal(memory_size(root), 16 * MIB);
	put("sys/fs/cgroup/a/b/memory.max", "1099511627776\n");
	assert_int_equal(memory_size(root), 32 * MIB);
}

/* A container sees its own group as the root. */
static void a_container(void **state)
{
	machine("0::/\n");
	put("sys/fs/cgroup/memory.max", "50331648\n");
	assert_int_equal(memory_size(root), 48 * MIB);
}

static void version_1(void **state)
{
	machine("12:cpu,cpuacct:/x\n4:hugetlb,memory:/box/tv\n1:name=systemd:/y\n");
	put("sys/fs/cgroup/memory/box/tv/memory.limit_in_bytes",
		"9223372036854771712\n");
	put("sys/fs/cgroup/memory/x/memory.limit_in_bytes", "1048576\n");
	assert_int_equal(memory_size(root), 64 * MIB);
	put("sys/fs/cgroup/memory/box/memory.limit_in_bytes", "25165824\n");
	assert_int_equal(memory_size(root), 24 * MIB);
}

static void text_that_is_not_a_number_sets_no_limit(void **state)
{
	machine("0::/a\nrubbish\n:\n");
	put("sys/fs/cgroup/a/memory.max", "");
	assert_int_equal(memory_size(root), 64 * MIB);
	put("proc/meminfo", "MemFree: 12 kB\n");
	assert_int_equal(memory_size(root), 0);
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(nothing_can_be_read),
		T(the_machine_alone),
		T(the_lowest_limit_of_version_2),
		T(a_container),
		T(version_1),
		T(text_that_is_not_a_number_sets_no_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
