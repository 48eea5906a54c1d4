/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Preloaded into ringcastd by test_confine.py: on SIGUSR2 the daemon does what an
 * attacker in its place would do, the action that FORBIDDEN_CALL names, and reports the
 * result. FORBIDDEN_DIR is a directory with files of root, FORBIDDEN_PID a process of
 * root. The handler is independent of the filter.
 */

#include "build_config.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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
#include <unistd.h>
#if HAVE_LIBURING
#include <liburing.h>
#endif

static pid_t victim;
static const char *dir;

static const char *in_dir(const char *name)
{
	static char path[sizeof(((struct sockaddr_un *)NULL)->sun_path)];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static int connect_unix(int type, const char *path)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, type, 0);

	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s", path);
	return fd < 0 ? fd : connect(fd, (struct sockaddr *)&sun, sizeof(sun));
}

static int connect_to_socket_of_root(void)
{
	return connect_unix(SOCK_STREAM, in_dir("root.sock"));
}

static int connect_to_datagrams_of_root(void)
{
	return connect_unix(SOCK_DGRAM, in_dir("root.dgram"));
}

static int connect_to_abstract_socket(void)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX, .sun_path = "\0victim"};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	return fd < 0
		? fd
		: connect(fd, (struct sockaddr *)&sun,
			  offsetof(struct sockaddr_un, sun_path) + sizeof("victim"));
}

static int inet(int type, int protocol, bool to_connect, uint16_t port)
{
	struct sockaddr_in sin = {.sin_family = AF_INET, .sin_port = htons(port)};
	int fd = socket(AF_INET, type, protocol);

	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0)
		return fd;
	return to_connect ? connect(fd, (struct sockaddr *)&sin, sizeof(sin))
			  : bind(fd, (struct sockaddr *)&sin, sizeof(sin));
}

static int connect_tcp(void)
{
	return inet(SOCK_STREAM, 0, true, 22);
}

/* A connection that begins with data, without connect(2). */
static struct msghdr *fast_open_message(void)
{
	static char text[] = "x";
	static struct sockaddr_in sin = {.sin_family = AF_INET};
	static struct iovec iov = {text, 1};
	static struct msghdr m = {.msg_name = &sin,
		.msg_namelen = sizeof(sin),
		.msg_iov = &iov,
		.msg_iovlen = 1};

	sin.sin_port = htons(22);
	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return &m;
}

static int fast_open_by_sendto(void)
{
	const struct msghdr *m = fast_open_message();

	return (int)sendto(socket(AF_INET, SOCK_STREAM, 0), "x", 1, MSG_FASTOPEN,
		m->msg_name, m->msg_namelen);
}

static int fast_open_by_sendmsg(void)
{
	return (int)sendmsg(
		socket(AF_INET, SOCK_STREAM, 0), fast_open_message(), MSG_FASTOPEN);
}

static int fast_open_by_sendmmsg(void)
{
	struct mmsghdr m = {.msg_hdr = *fast_open_message()};

	return sendmmsg(socket(AF_INET, SOCK_STREAM, 0), &m, 1, MSG_FASTOPEN);
}

#if HAVE_LIBURING
static struct io_uring *ring;

/* Remembers a ring that the daemon makes, and makes it usable by any thread, because
 * its own thread waits for packets. What a ring may do does not change. */
__attribute__((visibility("default"))) int io_uring_queue_init(
	unsigned entries, struct io_uring *r, unsigned flags)
{
	int (*make)(unsigned, struct io_uring *, unsigned) = (int (*)(unsigned,
		struct io_uring *, unsigned))dlsym(RTLD_NEXT, "io_uring_queue_init");

	if (entries > 4) /* a smaller one is a probe, which is closed again */
		ring = r;
	return make(entries, r,
		flags & ~(IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN));
}

static int send_by_ring(int fd, const struct msghdr *m)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(ring);
	struct io_uring_cqe *cqe;

	/* an error: a thread has started it */
	(void)syscall(SYS_io_uring_register, ring->ring_fd,
		IORING_REGISTER_ENABLE_RINGS, NULL, 0);
	io_uring_prep_sendmsg(sqe, fd, m, MSG_FASTOPEN);
	if (io_uring_submit_and_wait(ring, 1) < 0 ||
		io_uring_peek_cqe(ring, &cqe) < 0 || cqe->res >= 0)
		return 0;
	errno = -cqe->res;
	return -1;
}
#endif

static int fast_open_by_ring(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

#if HAVE_LIBURING
	if (ring)
		return send_by_ring(fd, fast_open_message());
#endif
	return (int)syscall(SYS_io_uring_enter, fd, 1, 0, 0, NULL, 0);
}

static int listen_tcp(void)
{
	return inet(SOCK_STREAM, 0, false, 31337);
}

static int udp(void)
{
	return inet(SOCK_DGRAM, 0, true, 53);
}

static int raw_ip(void)
{
	return inet(SOCK_RAW, IPPROTO_IGMP, false, 0);
}

static int netlink(void)
{
	return socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
}

static int limits_of_root(void)
{
	const struct rlimit none = {0, 0};

	return prlimit(victim, RLIMIT_CORE, &none, NULL);
}

static int affinity_of_root(void)
{
	cpu_set_t set;

	if (sched_getaffinity(0, sizeof(set), &set) < 0)
		return 0;
	return sched_setaffinity(victim, sizeof(set), &set);
}

static int kill_root(void)
{
	return kill(victim, 0);
}

static int tgkill_root(void)
{
	return (int)syscall(SYS_tgkill, victim, victim, 0);
}

static int signal_root_by_descriptor(void)
{
	return fcntl(STDERR_FILENO, F_SETOWN, victim);
}

static int remove_file(void)
{
	return unlink(in_dir("file"));
}

static int rename_file(void)
{
	return rename(in_dir("file"), in_dir("other"));
}

static int make_file(void)
{
	return open(in_dir("new"), O_WRONLY | O_CREAT, 0600);
}

static int write_file(void)
{
	return open(in_dir("file"), O_WRONLY);
}

static int truncate_file(void)
{
	return open(in_dir("file"), O_RDONLY | O_TRUNC);
}

static int truncate_log(void)
{
	return ftruncate(STDERR_FILENO, 0);
}

static int forge_log(void)
{
	return (int)pwrite(STDERR_FILENO, "forged", 6, 0);
}

static int temporary_file(void)
{
	return open(dir, O_RDWR | O_TMPFILE, 0600);
}

static int write_by_openat2(void)
{
	const struct {
		uint64_t flags, mode, resolve;
	} how = {.flags = O_WRONLY | O_CREAT, .mode = 0600};

	return (int)syscall(437, AT_FDCWD, in_dir("new"), &how, sizeof(how));
}

static int change_mode(void)
{
	return chmod(in_dir("file"), 04777);
}

static int make_node(void)
{
	return mknod(in_dir("new"), S_IFREG | 0600, 0);
}

static int core_pattern(void)
{
	return open("/proc/sys/kernel/core_pattern", O_WRONLY);
}

static int environment_of_root(void)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/environ", victim);
	return open(path, O_RDONLY);
}

static int make_process(void)
{
	int pid = (int)syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL);

	if (pid == 0)
		_exit(0);
	return pid;
}

static int execute(void)
{
	return execl("/bin/false", "false", NULL);
}

static int execute_memory(void)
{
	char *const none[] = {NULL};
	int fd = memfd_create("x", 0);

	return (int)syscall(SYS_execveat, fd, "", none, none, AT_EMPTY_PATH);
}

static int make_code(void)
{
	return mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		       0) == MAP_FAILED
		? -1
		: 0;
}

static int trace_root(void)
{
	return (int)ptrace(PTRACE_ATTACH, victim, NULL, NULL);
}

static int write_memory_of_root(void)
{
	return (int)syscall(SYS_process_vm_writev, victim, NULL, 0, NULL, 0, 0);
}

static int descriptor_of_root(void)
{
	int fd = (int)syscall(434 /* pidfd_open */, victim, 0);

	return fd < 0 ? fd : (int)syscall(438 /* pidfd_getfd */, fd, 0, 0);
}

static int new_namespace(void)
{
	return unshare(CLONE_NEWUSER);
}

static int other_namespace(void)
{
	return setns(0, 0);
}

static int mount_something(void)
{
	return mount("none", "/run", "tmpfs", 0, NULL);
}

static int key(void)
{
	return (int)syscall(SYS_keyctl, 0, 0, 0, 0, 0);
}

static int bpf(void)
{
	return (int)syscall(SYS_bpf, 0, NULL, 0);
}

static int perf_event(void)
{
	return (int)syscall(SYS_perf_event_open, NULL, 0, -1, -1, 0);
}

static int user_faults(void)
{
	return (int)syscall(SYS_userfaultfd, 0);
}

static int another_io_uring(void)
{
	char params[256] = {0};

	return (int)syscall(SYS_io_uring_setup, 4, params);
}

static int type_into_terminal(void)
{
	return ioctl(0, TIOCSTI, "x");
}

static int become_dumpable(void)
{
	return prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
}

static const struct {
	const char *name;
	int (*fn)(void);
} calls[] = {
#define CALL(fn)                                                                       \
	{                                                                              \
#fn, fn                                                                \
	}
	CALL(connect_to_socket_of_root),
	CALL(connect_to_datagrams_of_root),
	CALL(connect_to_abstract_socket),
	CALL(connect_tcp),
	CALL(fast_open_by_sendto),
	CALL(fast_open_by_sendmsg),
	CALL(fast_open_by_sendmmsg),
	CALL(fast_open_by_ring),
	CALL(listen_tcp),
	CALL(udp),
	CALL(raw_ip),
	CALL(netlink),
	CALL(limits_of_root),
	CALL(affinity_of_root),
	CALL(kill_root),
	CALL(tgkill_root),
	CALL(signal_root_by_descriptor),
	CALL(remove_file),
	CALL(rename_file),
	CALL(make_file),
	CALL(write_file),
	CALL(truncate_file),
	CALL(truncate_log),
	CALL(forge_log),
	CALL(temporary_file),
	CALL(write_by_openat2),
	CALL(change_mode),
	CALL(make_node),
	CALL(core_pattern),
	CALL(environment_of_root),
	CALL(make_process),
	CALL(execute),
	CALL(execute_memory),
	CALL(make_code),
	CALL(trace_root),
	CALL(write_memory_of_root),
	CALL(descriptor_of_root),
	CALL(new_namespace),
	CALL(other_namespace),
	CALL(mount_something),
	CALL(key),
	CALL(bpf),
	CALL(perf_event),
	CALL(user_faults),
	CALL(another_io_uring),
	CALL(type_into_terminal),
	CALL(become_dumpable),
};

static int (*wanted)(void);

static void take_over(int signo)
{
	char text[64];
	int r, n;

	(void)!write(STDERR_FILENO, "taken over\n", 11);
	errno = 0;
	r = wanted();
	n = snprintf(text, sizeof(text), "result %d\n", r < 0 ? errno : 0);
	(void)!write(STDERR_FILENO, text, (size_t)n);
}

__attribute__((constructor)) static void begin(void)
{
	const char *name = getenv("FORBIDDEN_CALL"), *pid = getenv("FORBIDDEN_PID");

	dir = getenv("FORBIDDEN_DIR");
	victim = pid ? (pid_t)atoi(pid) : 0;
	for (size_t i = 0; name && i < sizeof(calls) / sizeof(calls[0]); i++)
		if (strcmp(calls[i].name, name) == 0)
			wanted = calls[i].fn;
	if (wanted)
		signal(SIGUSR2, take_over);
}
