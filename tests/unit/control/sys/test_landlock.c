/* SPDX-License-Identifier: GPL-2.0-or-later */

/* landlock: what is allowed works, also in subdirectories and for later files, and
 * nothing else does. A ruleset cannot be removed, so each case is a process. */

#include "control/sys/landlock.h"
#include "test.h"

#include "base/cleanup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define NEED(what)                                                                     \
	do {                                                                           \
		if (!(what))                                                           \
			return __LINE__ % 250 + 1;                                     \
	} while (0)

static char dir[64];

static const char *in(const char *name)
{
	static char path[4][128];
	static unsigned i;

	i = (i + 1) % 4;
	snprintf(path[i], sizeof(path[i]), "%s/%s", dir, name);
	return path[i];
}

static int make(const char *name)
{
	int fd = open(in(name), O_WRONLY | O_CREAT | O_CLOEXEC, 0666);

	if (fd >= 0)
		close(fd);
	return fd < 0 ? -1 : 0;
}

static bool opens(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC, 0600);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

/* Checks errno, because a missing file proves nothing. */
static bool is_refused(const char *path, int flags)
{
	return !opens(path, flags) && errno == EACCES;
}

static const uint16_t port_allowed = 31337;

static int bind_loopback(int fd, uint16_t port)
{
	struct sockaddr_in sin = {.sin_family = AF_INET, .sin_port = htons(port)};
	int on = 1;

	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	return bind(fd, (struct sockaddr *)&sin, sizeof(sin));
}

static int confined(const struct landlock *l)
{
	struct sockaddr_in sin = {.sin_family = AF_INET, .sin_port = htons(9)};
	int fd;

	NEED(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	NEED(landlock_apply(l) == 0);
	NEED(opens(in("read/file"), O_RDONLY));
	NEED(is_refused(in("read/file"), O_WRONLY));
	NEED(is_refused(in("read"), O_RDONLY | O_DIRECTORY));
	NEED(unlink(in("read/file")) < 0 && errno == EACCES);
	NEED(is_refused(in("read/new"), O_WRONLY | O_CREAT));
	NEED(opens(in("list"), O_RDONLY | O_DIRECTORY));
	NEED(is_refused(in("list/file"), O_RDONLY));
	NEED(opens(in("alone"), O_RDONLY));
	NEED(is_refused(in("alone"), O_WRONLY));
	NEED(is_refused(in("other/file"), O_RDONLY));
	NEED(is_refused("/etc/passwd", O_RDONLY));
	NEED(is_refused(in("link"), O_RDONLY)); /* points to other/file */
	NEED(rename(in("other/file"), in("read/file")) < 0);
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	NEED(fd >= 0);
	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (l->version >= 4)
		NEED(connect(fd, (struct sockaddr *)&sin, sizeof(sin)) < 0 &&
			errno == EACCES);
	NEED(bind_loopback(fd, port_allowed) == 0);
	close(fd);
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	NEED(fd >= 0);
	if (l->version >= 4)
		NEED(bind_loopback(fd, port_allowed + 1) < 0 && errno == EACCES);
	if (l->version >= 6)
		NEED(kill(getppid(), 0) < 0 && errno == EPERM);
	return 0;
}

static void files(void **state)
{
	static const char *const folder[] = {"read", "list", "other"};
	struct landlock l;
	int status;
	pid_t pid;

	strcpy(dir, P_tmpdir "/test_landlock.XXXXXX");
	assert_non_null(mkdtemp(dir));
	for (size_t i = 0; i < array_len(folder); i++)
		assert_int_equal(mkdir(in(folder[i]), 0777), 0);
	assert_int_equal(make("list/file") | make("other/file") | make("alone"), 0);
	assert_int_equal(symlink(in("other/file"), in("link")), 0);

	assert_int_equal(landlock_init(&l), 0);
	assert_int_equal(landlock_allow(&l, in("read"), LANDLOCK_READ), 0);
	assert_int_equal(landlock_allow(&l, in("list"), LANDLOCK_LIST), 0);
	/* rights for directories have no effect on a file */
	assert_int_equal(
		landlock_allow(&l, in("alone"), LANDLOCK_READ | LANDLOCK_LIST), 0);
	assert_int_equal(landlock_allow_bind(&l, port_allowed), 0);
	assert_int_equal(landlock_allow(&l, in("none"), LANDLOCK_READ), -ENOENT);
	/* a file that is created later */
	assert_int_equal(make("read/file"), 0);

	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		_exit(confined(&l));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	landlock_deinit(&l);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		fail_msg("status %x", (unsigned)status);
	assert_int_equal(access(in("read/file"), F_OK), 0);

	unlink(in("read/file"));
	unlink(in("list/file"));
	unlink(in("other/file"));
	unlink(in("alone"));
	unlink(in("link"));
	for (size_t i = 0; i < array_len(folder); i++)
		assert_int_equal(rmdir(in(folder[i])), 0);
	assert_int_equal(rmdir(dir), 0);
}

static void the_privilege_is_needed(void **state)
{
	struct landlock l;
	pid_t pid;
	int status;

	if (geteuid() == 0)
		return; /* root needs no permission */
	assert_int_equal(landlock_init(&l), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		_exit(landlock_apply(&l) == -EPERM ? 0 : 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	landlock_deinit(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files),
		cmocka_unit_test(the_privilege_is_needed),
	};
	struct landlock l;
	int r = landlock_init(&l);

	landlock_deinit(&l);
	if (r == -ENOSYS || r == -EOPNOTSUPP) {
		printf("skipped: the kernel has no Landlock\n");
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
