/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The filter of system calls, see callfilter.h.
 *
 * The list is what the daemon, libc, liburcu, liburing, libmicrohttpd, libsystemd and
 * libmnl use after the start, under the names that old and new kernels and libraries
 * have for it; a name that an architecture does not know is left out. If a call can do
 * more than is needed, its arguments are compared. A filter does not see what a pointer
 * points to, such as the address of bind and sendto.
 *
 * Some calls fail instead of ending the process, because libraries try them and
 * continue without: clone3 and openat2, whose flags are behind a pointer; calls that
 * are newer than the list of libseccomp; memory that would become code; and
 * io_uring_setup, without which a restarted thread sends with sendmmsg.
 */

#include "control/sys/callfilter.h"

#include "build_config.h"

#include <errno.h>
#include <stddef.h>

/* A sanitizer inspects the process with ptrace and files below /proc. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define IS_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) ||             \
	__has_feature(memory_sanitizer)
#define IS_SANITIZED 1
#endif
#endif

const char *callfilter_missing(void)
{
#if !HAVE_LIBSECCOMP
	return "this ringcastd is built without libseccomp";
#elif defined(IS_SANITIZED)
	return "this ringcastd is built with a sanitizer";
#else
	return NULL;
#endif
}

#if HAVE_LIBSECCOMP

#include "base/cleanup.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <seccomp.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#ifndef PR_SET_VMA
#define PR_SET_VMA 0x53564d41
#endif
/* of linux/io_uring.h, which a build without io_uring may lack */
#define REGISTER_ENABLE_RINGS 12

/* An argument of type int has 32 bits; the other bits of the register may have any
 * value. */
#define LOW_32		UINT32_C(0xffffffff)
#define IS(n, v)	SCMP_CMP(n, SCMP_CMP_MASKED_EQ, LOW_32, (uint32_t)(v))
#define IS_NULL(n)	SCMP_CMP(n, SCMP_CMP_EQ, 0)
#define HAS(n, bit)	SCMP_CMP(n, SCMP_CMP_MASKED_EQ, bit, bit)
#define HAS_NOT(n, bit) SCMP_CMP(n, SCMP_CMP_MASKED_EQ, bit, 0)

/* The type of a socket without SOCK_CLOEXEC and SOCK_NONBLOCK. */
#define IS_TYPE(n, v) SCMP_CMP(n, SCMP_CMP_MASKED_EQ, 0xf, v)

/* A file that is opened with none of these can only be read. (O_TMPFILE has further
 * bits.) */
#define WRITING (O_ACCMODE | O_CREAT | O_TRUNC | (O_TMPFILE & ~O_DIRECTORY))

/* Flags that a thread of a library never has: another namespace, parent or tracer. */
#define NO_THREAD                                                                      \
	(CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID |    \
		CLONE_NEWNET | CLONE_NEWCGROUP | CLONE_PARENT | CLONE_PTRACE |         \
		CLONE_VFORK)

/* From this call (424) on, new calls have the same number everywhere, except for an
 * offset. */
#define COMMON_FIRST "pidfd_send_signal"
#define COMMON_N     200

static const char *const allowed[] = {
	/* memory, threads, locks */
	"brk", "munmap", "mremap", "madvise", "membarrier", "rseq", "futex",
	"futex_time64", "futex_wake", "futex_wait", "futex_waitv", "set_robust_list",
	"set_tid_address", "exit", "exit_group", "sched_yield", "getcpu", "gettid",
	"getpid", "restart_syscall",
	/* signals that come */
	"rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "sigaction", "sigprocmask",
	"sigreturn",
	/* clocks */
	"clock_gettime", "clock_gettime64", "clock_getres", "clock_getres_time64",
	"gettimeofday", "time", "clock_nanosleep", "clock_nanosleep_time64",
	"nanosleep", "timerfd_create", "timerfd_settime", "timerfd_settime64",
	/* files: the configuration, /proc, the state for the next process */
	"close", "read", "readv", "pread64", "write", "writev", "lseek", "_llseek",
	"fstat", "fstat64", "fstatat64", "newfstatat", "statx", "stat", "stat64",
	"lstat", "lstat64", "access", "faccessat", "faccessat2", "getdents",
	"getdents64", "memfd_create",
	/* into the background */
	"chdir", "dup2", "dup3",
	/* limits and sizes */
	"getrlimit", "ugetrlimit", "sysinfo", "uname", "getrandom", "getuid",
	"getuid32", "geteuid", "geteuid32", "getgid", "getgid32", "getegid",
	"getegid32",
	/* existing sockets */
	"bind", "accept4", "getsockname", "getpeername", "getsockopt", "recv",
	"recvfrom", "recvmsg", "recvmmsg", "recvmmsg_time64", "shutdown",
	/* waiting */
	"poll", "ppoll", "ppoll_time64", "epoll_create1", "epoll_ctl", "epoll_wait",
	"epoll_pwait", "epoll_pwait2", "eventfd", "eventfd2", "pipe", "pipe2"};

struct callfilter {
	scmp_filter_ctx ctx;
	int error; /* -errno of the first rule that failed; later ones are left out */
};

/* Adds a rule for a call, unless the library or this architecture lacks the call. */
static void callfilter_add(struct callfilter *f, uint32_t action, const char *name,
	unsigned n, const struct scmp_arg_cmp *arg)
{
	int nr = seccomp_syscall_resolve_name(name);
	int r;

	if (f->error || nr == __NR_SCMP_ERROR)
		return;
	r = seccomp_rule_add_array(f->ctx, action, nr, n, arg);
	if (r != -EDOM && r != -EOPNOTSUPP)
		f->error = r;
}

static void allow_call(struct callfilter *f, const char *name)
{
	callfilter_add(f, SCMP_ACT_ALLOW, name, 0, NULL);
}

static void refuse_call(struct callfilter *f, const char *name, unsigned error)
{
	callfilter_add(f, SCMP_ACT_ERRNO(error), name, 0, NULL);
}

/* Allows the call if the first `n` conditions hold. */
static void allow_if(struct callfilter *f, const char *name, unsigned n,
	const struct scmp_arg_cmp *arg)
{
	callfilter_add(f, SCMP_ACT_ALLOW, name, n, arg);
}

/* Allows the call if argument `at` has one of several values. */
static void allow_values(struct callfilter *f, const char *name, unsigned at,
	const unsigned *value, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct scmp_arg_cmp is[] = {IS(at, value[i])};

		allow_if(f, name, array_len(is), is);
	}
}

/* Sending must not connect: MSG_FASTOPEN is connect(2) of TCP with the first data. */
static void allow_sending(struct callfilter *f)
{
	static const struct {
		const char *name;
		unsigned flags; /* which argument they are */
	} call[] = {{"send", 3}, {"sendto", 3}, {"sendmsg", 2}, {"sendmmsg", 3}};

	for (size_t i = 0; i < array_len(call); i++) {
		const struct scmp_arg_cmp is[] = {HAS_NOT(call[i].flags, MSG_FASTOPEN)};

		allow_if(f, call[i].name, array_len(is), is);
	}
}

/* Allows only datagrams between processes, because other services of root take orders
 * through stream sockets. */
static void allow_sockets(struct callfilter *f, bool tcp)
{
	static const struct {
		int family, type;
		bool tcp;
	} kind[] = {
		{AF_PACKET, SOCK_RAW, false},
		{AF_PACKET, SOCK_DGRAM, false},
		{AF_UNIX, SOCK_DGRAM, false},
		{AF_INET, SOCK_STREAM, true},
		{AF_INET6, SOCK_STREAM, true},
	};
	static const unsigned level[] = {SOL_SOCKET, SOL_PACKET};
	static const unsigned tcp_level[] = {IPPROTO_IP, IPPROTO_IPV6, IPPROTO_TCP};

	allow_values(f, "setsockopt", 1, level, array_len(level));
	for (size_t i = 0; i < array_len(kind); i++) {
		const struct scmp_arg_cmp is[] = {
			IS(0, kind[i].family), IS_TYPE(1, kind[i].type), IS(2, 0)};

		if (tcp || !kind[i].tcp)
			allow_if(f, "socket", array_len(is), is);
	}
	if (!tcp)
		return;
	allow_call(f, "listen");
	allow_values(f, "setsockopt", 1, tcp_level, array_len(tcp_level));
}

/* Allows opening files only for reading, and refuses to make descriptors send signals
 * to other processes. */
static void allow_files(struct callfilter *f)
{
	static const unsigned request[] = {F_DUPFD, F_DUPFD_CLOEXEC, F_GETFD, F_SETFD,
		F_GETFL, F_SETFL, F_ADD_SEALS, F_GET_SEALS};
	const struct scmp_arg_cmp open[] = {HAS_NOT(1, WRITING)},
				  openat[] = {HAS_NOT(2, WRITING)};

	allow_if(f, "open", array_len(open), open);
	allow_if(f, "openat", array_len(openat), openat);
	refuse_call(f, "openat2", ENOSYS);
	allow_values(f, "fcntl", 1, request, array_len(request));
	allow_values(f, "fcntl64", 1, request, array_len(request));
}

/* Calls that reach other processes, limited to this one. */
static void allow_self(struct callfilter *f)
{
	const struct scmp_arg_cmp limit[] = {IS(0, 0), IS_NULL(2)},
				  limit_by_id[] = {IS(0, getpid()), IS_NULL(2)},
				  self[] = {IS(0, getpid())}, caller[] = {IS(0, 0)};

	allow_if(f, "prlimit64", array_len(limit), limit);
	allow_if(f, "prlimit64", array_len(limit_by_id), limit_by_id);
	allow_if(f, "sched_getaffinity", array_len(caller), caller);
	allow_if(f, "sched_setaffinity", array_len(caller), caller);
	/* abort(), of glibc and of others */
	allow_if(f, "tgkill", array_len(self), self);
#ifndef __GLIBC__
	allow_if(f, "tkill", array_len(self), self);
#endif
}

/* Rings are made before the filter, each for one kind of request; a thread enables its
 * own at its first use. */
static void allow_rings(struct callfilter *f)
{
	const struct scmp_arg_cmp start[] = {IS(1, REGISTER_ENABLE_RINGS)};

	allow_call(f, "io_uring_enter");
	allow_if(f, "io_uring_register", array_len(start), start);
	refuse_call(f, "io_uring_setup", EPERM);
}

/* Allows no new executable memory, so no library can be loaded from now on. */
static void allow_memory(struct callfilter *f)
{
	const struct scmp_arg_cmp data[] = {HAS_NOT(2, PROT_EXEC)},
				  code[] = {HAS(2, PROT_EXEC)};
	static const char *const name[] = {
		"mmap2",
		"mprotect",
/* on these architectures it takes its arguments from memory */
#ifndef __s390__
		"mmap",
#endif
	};

	for (size_t i = 0; i < array_len(name); i++) {
		allow_if(f, name[i], array_len(data), data);
		callfilter_add(
			f, SCMP_ACT_ERRNO(EACCES), name[i], array_len(code), code);
	}
#ifdef __s390__
	allow_call(f, "mmap");
#endif
}

/* Allows new threads, but no new processes. */
static void allow_threads(struct callfilter *f)
{
#ifdef __s390__
	const unsigned flags = 1;
#else
	const unsigned flags = 0;
#endif
	const struct scmp_arg_cmp thread[] = {SCMP_CMP(
		flags, SCMP_CMP_MASKED_EQ, CLONE_THREAD | NO_THREAD, CLONE_THREAD)};

	allow_if(f, "clone", array_len(thread), thread);
	refuse_call(f, "clone3", ENOSYS);
}

static void allow_requests(struct callfilter *f)
{
	static const unsigned io[] = {FIONREAD, FIONBIO, FIOCLEX, TCGETS};
	static const unsigned pr[] = {PR_SET_NAME, PR_GET_NAME, PR_SET_VMA};

	allow_values(f, "ioctl", 1, io, array_len(io));
	allow_values(f, "prctl", 0, pr, array_len(pr));
}

/* A call that neither we nor libseccomp know fails, and libc continues as on a kernel
 * without it. */
static int refuse_unknown(scmp_filter_ctx f)
{
	int first = seccomp_syscall_resolve_name(COMMON_FIRST), last = -1;

	for (int i = 0; i < COMMON_N; i++) {
		_cleanup_(freep) char *name =
			seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, first + i);

		if (name)
			last = i;
	}
	for (int i = last + 1; i < COMMON_N; i++) {
		int r = seccomp_rule_add(f, SCMP_ACT_ERRNO(ENOSYS), first + i, 0);

		if (r < 0)
			return r;
	}
	return 0;
}

static int set_attributes(scmp_filter_ctx f)
{
	static const struct {
		enum scmp_filter_attr attr;
		uint32_t value;
	} v[] = {
		{SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS},
		{SCMP_FLTATR_CTL_OPTIMIZE, 2}, /* a tree, not a list */
		{SCMP_FLTATR_API_SYSRAWRC, 1}, /* the errno of the kernel */
		{SCMP_FLTATR_CTL_TSYNC, 1},    /* also for existing threads */
	};
	int r = 0;

	for (size_t i = 0; i < array_len(v) && r == 0; i++)
		r = seccomp_attr_set(f, v[i].attr, v[i].value);
	/* kernels before 5.16 would slow down the whole process; kernels before 4.17
	 * cannot switch this off */
	if (r == 0)
		(void)seccomp_attr_set(f, SCMP_FLTATR_CTL_SSB, 1);
	return r;
}

static int fill_filter(scmp_filter_ctx ctx, const struct callfilter_options *o)
{
	struct callfilter f = {.ctx = ctx};

	for (size_t i = 0; i < array_len(allowed); i++)
		allow_call(&f, allowed[i]);
	allow_files(&f);
	allow_self(&f);
	if (o->io_uring)
		allow_rings(&f);
	allow_sending(&f);
	allow_sockets(&f, o->tcp);
	allow_memory(&f);
	allow_threads(&f);
	allow_requests(&f);
	return f.error;
}

static void releasep(scmp_filter_ctx *f)
{
	if (*f)
		seccomp_release(*f);
}

int callfilter_apply(const struct callfilter_options *o)
{
	_cleanup_(releasep) scmp_filter_ctx f = NULL;
	int r;

	if (callfilter_missing())
		return -EOPNOTSUPP;
	f = seccomp_init(SCMP_ACT_KILL_PROCESS);
	if (!f)
		return -ENOSYS;
	r = set_attributes(f);
	if (r == 0)
		r = fill_filter(f, o);
	if (r == 0)
		r = refuse_unknown(f);
	if (r == 0)
		r = seccomp_load(f);
	return r > 0 ? -ESRCH : r; /* the number of a thread that cannot get the
				    * filter */
}

int callfilter_export(const struct callfilter_options *o, uint32_t arch, int fd)
{
	_cleanup_(releasep) scmp_filter_ctx f = seccomp_init(SCMP_ACT_KILL_PROCESS);
	int r = f ? set_attributes(f) : -ENOMEM;

	if (r == 0 && arch != seccomp_arch_native()) {
		/* first, because the byte orders may differ */
		r = seccomp_arch_remove(f, seccomp_arch_native());
		if (r == 0)
			r = seccomp_arch_add(f, arch);
	}
	if (r == 0)
		r = fill_filter(f, o);
	return r < 0 ? r : seccomp_export_bpf(f, fd);
}

#else

int callfilter_apply(const struct callfilter_options *o)
{
	return -EOPNOTSUPP;
}

int callfilter_export(const struct callfilter_options *o, uint32_t arch, int fd)
{
	return -EOPNOTSUPP;
}

#endif
