/* SPDX-License-Identifier: GPL-2.0-or-later */

/* callfilter: a forbidden call ends the process, an allowed one works, and a call that
 * libraries only try fails. A filter cannot be removed, so each case is a process. */

#include "control/sys/callfilter.h"
#include "test.h"

#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define REFUSED 99 /* the filter could not be installed */

static int call_bluetooth(void)
{
	return socket(31 /* AF_BLUETOOTH */, SOCK_RAW, 0);
}

static int call_netlink(void)
{
	return socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
}

static int call_unix_stream(void)
{
	return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

static int call_unix_seqpacket(void)
{
	return socket(AF_UNIX, SOCK_SEQPACKET, 0);
}

static int call_udp(void)
{
	return socket(AF_INET, SOCK_DGRAM, 0);
}

static int call_raw(void)
{
	return socket(AF_INET, SOCK_RAW, IPPROTO_IGMP);
}

static int call_tcp(void)
{
	return socket(AF_INET6, SOCK_STREAM, 0);
}

static int call_packet_all(void)
{
	return socket(AF_PACKET, SOCK_RAW, 0x300 /* ETH_P_ALL */);
}

static int call_connect(void)
{
	const struct sockaddr_un sun = {.sun_family = AF_UNIX, .sun_path = "/dev/log"};

	return connect(0, (const struct sockaddr *)&sun, sizeof(sun));
}

static int call_listen(void)
{
	return listen(0, 1);
}

static int call_setsockopt_of_ip(void)
{
	int on = 1;

	return setsockopt(0, IPPROTO_IP, IP_TTL, &on, sizeof(on));
}

/* A connection by sendto() is also forbidden. This needs no socket, because the filter
 * looks at the flags first. */
static int call_sendto_that_connects(void)
{
	return (int)sendto(-1, "x", 1, MSG_FASTOPEN | MSG_DONTWAIT, NULL, 0);
}

static int call_sendmsg_that_connects(void)
{
	return (int)sendmsg(-1, &(struct msghdr){0}, MSG_FASTOPEN);
}

static int call_sendmmsg_that_connects(void)
{
	return sendmmsg(-1, &(struct mmsghdr){0}, 1, MSG_FASTOPEN);
}

static int call_ftruncate(void)
{
	return ftruncate(-1, 0);
}

static int call_pwrite(void)
{
	return (int)pwrite(-1, "x", 1, 0);
}

static int call_open_to_write(void)
{
	return open("/dev/null", O_WRONLY | O_CLOEXEC);
}

static int call_open_to_read_and_write(void)
{
	return openat(AT_FDCWD, "/dev/null", O_RDWR | O_CLOEXEC);
}

static int call_open_to_create(void)
{
	return openat(AT_FDCWD, "/dev/null", O_RDONLY | O_CREAT | O_CLOEXEC, 0600);
}

static int call_open_to_truncate(void)
{
	return openat(AT_FDCWD, "/dev/null", O_RDONLY | O_TRUNC | O_CLOEXEC);
}

static int call_tmpfile(void)
{
	return openat(AT_FDCWD, P_tmpdir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
}

static int call_old_open(void)
{
#ifdef SYS_open
	return (int)syscall(SYS_open, "/dev/null", O_WRONLY);
#else
	return call_open_to_write();
#endif
}

static int call_unlink(void)
{
	return unlink("/nonexistent");
}

static int call_limits_of_another(void)
{
	struct rlimit lim;

	return prlimit(getppid(), RLIMIT_CPU, NULL, &lim);
}

static int call_own_limits(void)
{
	const struct rlimit lim = {1, 1};

	return setrlimit(RLIMIT_CPU, &lim);
}

static int call_affinity_of_another(void)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(0, &set);
	return sched_setaffinity(getppid(), sizeof(set), &set);
}

static int call_signal_by_descriptor(void)
{
	return fcntl(0, F_SETOWN, getppid());
}

static int call_thread_in_another_namespace(void)
{
	return (int)syscall(SYS_clone,
		CLONE_THREAD | CLONE_SIGHAND | CLONE_VM | CLONE_NEWNS, NULL, NULL, NULL,
		NULL);
}

static int call_vm_write(void)
{
	return (int)syscall(SYS_process_vm_writev, getppid(), NULL, 0, NULL, 0, 0);
}

static int call_pidfd(void)
{
	return (int)syscall(434 /* pidfd_open */, getppid(), 0);
}

static int call_execveat(void)
{
	return (int)syscall(SYS_execveat, 0, "", NULL, NULL, AT_EMPTY_PATH);
}

static int call_keyctl(void)
{
	return (int)syscall(SYS_keyctl, 0, 0, 0, 0, 0);
}

static int call_perf(void)
{
	return (int)syscall(SYS_perf_event_open, NULL, 0, 0, 0, 0);
}

static int call_userfaultfd(void)
{
	return (int)syscall(SYS_userfaultfd, 0);
}

static int call_setns(void)
{
	return setns(0, 0);
}

static int call_ptrace(void)
{
	return (int)ptrace(PTRACE_TRACEME, 0, NULL, NULL);
}

static int call_execve(void)
{
	char *const argv[] = {(char *)(uintptr_t) "true", NULL};

	return execv("/bin/true", argv);
}

static int call_fork(void)
{
	return (int)syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL);
}

static int call_mount(void)
{
	return mount("none", "/mnt", "tmpfs", 0, NULL);
}

static int call_unshare(void)
{
	return unshare(CLONE_NEWUSER);
}

static int call_setuid(void)
{
	return setuid(getuid());
}

static int call_bpf(void)
{
	return (int)syscall(SYS_bpf, 0, NULL, 0);
}

static int call_kill(void)
{
	return kill(getppid(), 0);
}

static int call_tgkill_of_another(void)
{
	return (int)syscall(SYS_tgkill, getpid() - 1, getpid() - 1, 0);
}

static int call_chmod(void)
{
	return fchmodat(AT_FDCWD, "/dev/null", 0666, 0);
}

static int call_ioctl_of_terminals(void)
{
	return ioctl(0, TIOCSTI, "x");
}

static int call_prctl_of_another_kind(void)
{
	return prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
}

static int call_io_uring(void)
{
	return (int)syscall(SYS_io_uring_enter, 0, 0, 0, 0, NULL, 0);
}

static void *in_a_thread(void *arg)
{
	call_bluetooth();
	return NULL;
}

static int call_by_a_later_thread(void)
{
	pthread_t t;

	if (pthread_create(&t, NULL, in_a_thread, NULL) != 0)
		return 1;
	return pthread_join(t, NULL);
}

static pthread_t earlier;
static pthread_barrier_t filtered;

static void *begun_before_the_filter(void *arg)
{
	pthread_barrier_wait(&filtered);
	call_bluetooth();
	return NULL;
}

static int call_by_an_earlier_thread(void)
{
	pthread_barrier_wait(&filtered);
	return pthread_join(earlier, NULL);
}

static const struct {
	const char *name;
	int (*fn)(void);
} forbidden[] = {
	{"socket(AF_BLUETOOTH)", call_bluetooth},
	{"socket(NETLINK_ROUTE)", call_netlink},
	{"socket(AF_UNIX, SOCK_STREAM)", call_unix_stream},
	{"socket(AF_UNIX, SOCK_SEQPACKET)", call_unix_seqpacket},
	{"socket(AF_INET, SOCK_DGRAM)", call_udp},
	{"socket(AF_INET, SOCK_RAW)", call_raw},
	{"socket(AF_INET6, SOCK_STREAM)", call_tcp},
	{"socket(AF_PACKET, ETH_P_ALL)", call_packet_all},
	{"connect", call_connect},
	{"sendto(MSG_FASTOPEN)", call_sendto_that_connects},
	{"sendmsg(MSG_FASTOPEN)", call_sendmsg_that_connects},
	{"sendmmsg(MSG_FASTOPEN)", call_sendmmsg_that_connects},
	{"ftruncate", call_ftruncate},
	{"pwrite", call_pwrite},
	{"listen", call_listen},
	{"setsockopt(IPPROTO_IP)", call_setsockopt_of_ip},
	{"openat(O_WRONLY)", call_open_to_write},
	{"openat(O_RDWR)", call_open_to_read_and_write},
	{"openat(O_CREAT)", call_open_to_create},
	{"openat(O_TRUNC)", call_open_to_truncate},
	{"openat(O_TMPFILE)", call_tmpfile},
	{"open(O_WRONLY)", call_old_open},
	{"unlink", call_unlink},
	{"prlimit64 of another", call_limits_of_another},
	{"prlimit64 that sets", call_own_limits},
	{"sched_setaffinity of another", call_affinity_of_another},
	{"fcntl(F_SETOWN)", call_signal_by_descriptor},
	{"clone(CLONE_NEWNS)", call_thread_in_another_namespace},
	{"process_vm_writev", call_vm_write},
	{"pidfd_open", call_pidfd},
	{"execveat", call_execveat},
	{"keyctl", call_keyctl},
	{"perf_event_open", call_perf},
	{"userfaultfd", call_userfaultfd},
	{"setns", call_setns},
	{"ptrace", call_ptrace},
	{"execve", call_execve},
	{"fork", call_fork},
	{"mount", call_mount},
	{"unshare", call_unshare},
	{"setuid", call_setuid},
	{"bpf", call_bpf},
	{"kill", call_kill},
	{"tgkill", call_tgkill_of_another},
	{"chmod", call_chmod},
	{"ioctl(TIOCSTI)", call_ioctl_of_terminals},
	{"prctl(PR_SET_DUMPABLE)", call_prctl_of_another_kind},
	{"io_uring_enter", call_io_uring},
	{"socket(AF_BLUETOOTH) of a later thread", call_by_a_later_thread},
	{"socket(AF_BLUETOOTH) of an earlier thread", call_by_an_earlier_thread},
};

/* Exit status of a process that installs the filter and calls `fn`. */
static int run_filtered(int (*fn)(void), const struct callfilter_options *o)
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (pid == 0) {
		const struct rlimit no_core = {0, 0};

		setrlimit(RLIMIT_CORE, &no_core);
		if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
			_exit(REFUSED);
		pthread_barrier_init(&filtered, NULL, 2);
		if (fn == call_by_an_earlier_thread &&
			pthread_create(&earlier, NULL, begun_before_the_filter, NULL) !=
				0)
			_exit(REFUSED);
		if (callfilter_apply(o) < 0)
			_exit(REFUSED);
		_exit(fn());
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void forbidden_calls_end_the_process(void **state)
{
	const struct callfilter_options o = {.io_uring = false};

	for (size_t i = 0; i < array_len(forbidden); i++) {
		int status = run_filtered(forbidden[i].fn, &o);

		if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGSYS)
			fail_msg("%s: status %x", forbidden[i].name, (unsigned)status);
	}
}

static void *nothing(void *arg)
{
	return arg;
}

/* Returns from the caller with a number made of the line if `what` is false. */
#define NEED(what)                                                                     \
	do {                                                                           \
		if (!(what))                                                           \
			return __LINE__ % 90 + 1;                                      \
	} while (0)

static int work(void)
{
	struct epoll_event e = {.events = EPOLLIN};
	char byte[16];
	struct stat st;
	pthread_t t;
	void *p;
	int fd;

	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	NEED(fd >= 0);
	close(fd);
	/* the kernel refuses the missing socket, not the filter */
	NEED(sendto(-1, "x", 1, MSG_DONTWAIT, NULL, 0) < 0 && errno == EBADF);
	NEED(sendmsg(-1, &(struct msghdr){0}, MSG_NOSIGNAL) < 0 && errno == EBADF);
	NEED(sendmmsg(-1, &(struct mmsghdr){0}, 1, 0) < 0 && errno == EBADF);
	/* allowed calls work, or lack only a capability */
	fd = socket(AF_PACKET, SOCK_RAW, 0);
	NEED(fd >= 0 || errno == EPERM);
	NEED(pthread_create(&t, NULL, nothing, NULL) == 0);
	NEED(pthread_join(t, NULL) == 0);
	fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
	NEED(fd >= 0 && read(fd, byte, sizeof(byte)) == sizeof(byte));
	NEED(fstat(fd, &st) == 0 && stat("/", &st) == 0);
	close(fd);
	fd = epoll_create1(EPOLL_CLOEXEC);
	NEED(fd >= 0 && epoll_wait(fd, &e, 1, 0) == 0);
	p = mmap(
		NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	NEED(p != MAP_FAILED);
	NEED(mprotect(p, 4096, PROT_READ) == 0);
	/* executable memory */
	NEED(mprotect(p, 4096, PROT_READ | PROT_EXEC) < 0 && errno == EACCES);
	NEED(mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		     0) == MAP_FAILED &&
		errno == EACCES);
	/* calls that libc tries and can do without */
	NEED(syscall(435 /* clone3 */, NULL, 0) < 0 && errno == ENOSYS);
	NEED(syscall(437 /* openat2 */, AT_FDCWD, "/", NULL, 0) < 0 && errno == ENOSYS);
	NEED(syscall(620 /* a call of the future */) < 0 && errno == ENOSYS);
	return 0;
}

/* A ring that existed before can be enabled and used; a new one is refused. */
static int ring(void)
{
	NEED(syscall(SYS_io_uring_setup, 0, NULL) < 0 && errno == EPERM);
	/* the kernel refuses the missing ring, not the filter */
	NEED(syscall(SYS_io_uring_register, 1000, 12 /* enable */, NULL, 0) < 0 &&
		errno == EBADF);
	NEED(syscall(SYS_io_uring_enter, 1000, 0, 0, 0, NULL, 0) < 0 && errno == EBADF);
	return 0;
}

static int register_files(void)
{
	return (int)syscall(SYS_io_uring_register, -1, 2 /* files */, NULL, 0);
}

static int tcp(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), on = 1;

	NEED(fd >= 0 &&
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) == 0 &&
		listen(fd, 1) == 0);
	return 0;
}

static int stop(void)
{
	abort();
}

static void other_calls_work(void **state)
{
	const struct callfilter_options without = {.io_uring = false},
					with = {.io_uring = true, .tcp = true};
	int status = run_filtered(work, &without);

	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		fail_msg("status %x", (unsigned)status);
	assert_int_equal(run_filtered(ring, &with), 0);
	assert_int_equal(run_filtered(tcp, &with), 0);
	status = run_filtered(register_files, &with);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS);
	status = run_filtered(call_udp, &with);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS);
	status = run_filtered(stop, &without);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

/* The list can be compiled for every architecture that libseccomp knows. */
static void other_architectures_have_one(void **state)
{
	static const uint32_t arch[] = {AUDIT_ARCH_X86_64, AUDIT_ARCH_I386,
		AUDIT_ARCH_AARCH64, AUDIT_ARCH_ARM, AUDIT_ARCH_MIPS, AUDIT_ARCH_MIPSEL,
		AUDIT_ARCH_MIPS64, AUDIT_ARCH_PPC64LE, AUDIT_ARCH_RISCV64,
		AUDIT_ARCH_S390X};
	const struct callfilter_options o = {.io_uring = true};

	for (size_t i = 0; i < array_len(arch); i++) {
		FILE *f = tmpfile();
		struct stat st;
		int r;

		assert_non_null(f);
		r = callfilter_export(&o, arch[i], fileno(f));
		if (r < 0)
			fail_msg("architecture %x: %d", arch[i], r);
		assert_int_equal(fstat(fileno(f), &st), 0);
		/* a comparison and a jump, of 8 bytes each, per call */
		assert_true(st.st_size > 1000 && st.st_size < 65536);
		fclose(f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(forbidden_calls_end_the_process),
		cmocka_unit_test(other_calls_work),
		cmocka_unit_test(other_architectures_have_one),
	};
	const struct callfilter_options o = {.io_uring = false};

	if (callfilter_missing()) {
		assert_int_equal(callfilter_apply(&o), -EOPNOTSUPP);
		printf("skipped: %s\n", callfilter_missing());
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
