/* SPDX-License-Identifier: GPL-2.0-or-later */

/* privdrop: which privileges of root remain, and that they suffice for the edges. */

#include "control/proxy/iface.h"
#include "control/sys/mcsock.h"
#include "control/sys/netlink.h"
#include "control/sys/privdrop.h"
#include "test.h"

#include <errno.h>
#include <grp.h>
#include <linux/if_packet.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

/* Whether a line of /proc/self/status has this value. */
static bool status_is(const char *key, const char *want)
{
	char line[256];
	FILE *f = fopen("/proc/self/status", "re");
	bool is = false;
	size_t n = strlen(key);

	while (f && fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = '\0';
		if (strncmp(line, key, n) == 0 && line[n] == ':')
			is = strcmp(line + n + 1 + strspn(line + n + 1, "\t "), want) ==
				0;
	}
	if (f)
		fclose(f);
	return is;
}

/* Returns 0, or the number of the first check that fails. */
static int check_net_raw_alone(void)
{
	static const char *const lines[][2] = {
		{"CapPrm", "0000000000002000"},
		{"CapEff", "0000000000002000"},
		{"CapInh", "0000000000000000"},
		{"CapBnd", "0000000000000000"},
		{"CapAmb", "0000000000000000"},
		{"NoNewPrivs", "1"},
	};
	int fd;

	for (size_t i = 0; i < array_len(lines); i++) {
		if (!status_is(lines[i][0], lines[i][1]))
			return 10 + (int)i;
	}
	if (!privdrop_have_net_raw())
		return 2;
	fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return 3;
	close(fd);
	return 0;
}

static int drop_to(const char *chroot_dir, const char *user, const char **ret_what)
{
	struct privdrop_id id;
	int r = privdrop_find_user(user, &id);

	return r < 0 ? r : privdrop_apply(chroot_dir, &id, ret_what);
}

static int as_nobody(void)
{
	const gid_t groups[] = {0, 1};
	const char *what;

	if (setgroups(2, groups) < 0)
		return 5;
	if (drop_to(NULL, "nobody", &what) < 0)
		return 1;
	if (getuid() == 0 || geteuid() == 0 || getgid() == 0 || getgroups(0, NULL) != 0)
		return 4;
	return check_net_raw_alone();
}

static int as_root_twice(void)
{
	const char *what;

	/* the second call is as in a process that starts with NET_RAW only */
	if (privdrop_apply(NULL, NULL, &what) < 0 ||
		privdrop_apply(NULL, NULL, &what) < 0)
		return 1;
	return getuid() != 0 ? 4 : check_net_raw_alone();
}

static int in_chroot(void)
{
	char dir[] = P_tmpdir "/test_privdrop.XXXXXX";
	struct stat want, root;
	const char *what;

	if (!mkdtemp(dir) || chmod(dir, 0755) < 0 || stat(dir, &want) < 0)
		return 5;
	if (drop_to(dir, "nobody", &what) < 0)
		return 1;
	if (stat("/", &root) < 0 || root.st_ino != want.st_ino ||
		root.st_dev != want.st_dev)
		return 6;
	if (access("/proc", F_OK) == 0 || stat(".", &root) < 0 ||
		root.st_ino != want.st_ino)
		return 7;
	return privdrop_have_net_raw() ? 0 : 2;
}

/* a reload may have to do this after privileges were dropped */
static int edges_work_with_net_raw_alone(void)
{
	struct loop_ops loop_ops = {.ctx = NULL};
	struct netlink_ops nl_ops = {.ctx = NULL};
	struct mcsock_ops mc_ops = {.ctx = NULL};
	struct iface_table table = {0};
	struct mcsock_rx *rx = NULL;
	struct netlink *nl = NULL;
	struct mcsock *s = NULL;
	struct loop *loop = NULL;
	const char *what;
	int failed = 0;

	if (drop_to(NULL, "nobody", &what) < 0)
		return 1;
	if (loop_new(&loop_ops, &loop) < 0 || mcsock_rx_new(1, &rx) < 0)
		return 2;
	if (netlink_new(loop, &table, &nl_ops, &nl) < 0 || table.n == 0)
		failed = 3;
	else if (mcsock_open(loop, rx, -1, table.v[0].ifindex, FAMILY_IPV4, &mc_ops,
			 &s) < 0)
		failed = 4;
	mcsock_close(s);
	netlink_free(nl);
	iface_table_deinit(&table);
	mcsock_rx_free(rx);
	loop_free(loop);
	return failed;
}

static int with_faults(void)
{
	const char *what = "";
	struct privdrop_id id;

	if (privdrop_find_user("no such user", &id) != -ENOENT)
		return 1;
	if (privdrop_apply("/nonexistent", NULL, &what) != -ENOENT)
		return 6;
	return strcmp(what, "chroot") == 0 ? 0 : 7;
}

/* Switching to another user needs the capabilities for it, and ids that exist. */
static int whom_it_may_become(void)
{
	const struct privdrop_id nobody = {.uid = 65534, .gid = 65534},
				 other = {.uid = 1, .gid = 1};
	const char *what;

	if (!privdrop_may_become(&nobody) || !privdrop_may_become(&other))
		return 1;
	if (unshare(CLONE_NEWUSER) < 0)
		return 0; /* not permitted here */
	/* the new namespace has all capabilities and maps no user */
	if (privdrop_may_become(&other))
		return 4;
	return privdrop_apply(NULL, NULL, &what) < 0 || privdrop_may_become(&nobody)
		? 5
		: 0;
}

static int without_net_raw(void)
{
	const char *what;

	/* an ordinary user loses all capabilities when root's id goes */
	if (!privdrop_have_net_raw() || setuid(65534) < 0)
		return 5;
	if (privdrop_have_net_raw())
		return 6;
	if (privdrop_apply(NULL, NULL, &what) != -EPERM)
		return 7;
	return strcmp(what, "capabilities") == 0 ? 0 : 8;
}

/* Dropped privileges do not return, so each case is a process. */
static void privileges(void **state)
{
	static int (*const cases[])(void) = {as_nobody, as_root_twice, in_chroot,
		edges_work_with_net_raw_alone, with_faults, whom_it_may_become,
		without_net_raw};

	for (size_t i = 0; i < array_len(cases); i++) {
		pid_t pid = fork();
		int status;

		assert_true(pid >= 0);
		if (pid == 0)
			_exit(cases[i]());
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFEXITED(status));
		if (WEXITSTATUS(status) != 0)
			fail_msg("case %zu: %d", i, WEXITSTATUS(status));
	}
	if (system("rmdir " P_tmpdir "/test_privdrop.??????") != 0)
		fail();
}

static void raises_the_descriptor_limit(void **state)
{
	struct rlimit lim, after;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &lim), 0);
	lim.rlim_cur = 64;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &lim), 0);
	assert_int_equal(privdrop_raise_nofile(), 0);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &after), 0);
	assert_int_equal(after.rlim_cur, lim.rlim_max);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(privileges),
		cmocka_unit_test(raises_the_descriptor_limit),
	};

	if (geteuid() != 0 || !privdrop_have_net_raw()) {
		printf("skipped: needs root and CAP_NET_RAW\n");
		return 77;
	}
	if (unshare(CLONE_NEWNET) < 0) {
		printf("skipped: no network namespace: %s\n", strerror(errno));
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
