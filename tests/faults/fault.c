/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Makes calls fail on demand, by LD_PRELOAD: memory, and all calls by which the daemon
 * and its libraries enter the kernel. tools/faults drives it through a file (fault.h)
 * named by FAULT_FILE. By hand, without a file:
 *
 *     FAULT_CALL=socket FAULT_NTH=3 [FAULT_TIMES=n] [FAULT_ERRNO=23] LD_PRELOAD=...
 *
 * FAULT_CALL=alloc means all memory, "all" means everything. Failures are reported on
 * standard error, with the return addresses. Nothing fails before or after main().
 *
 * Clocks never fail, but may be moved.
 *
 * close(2), munmap(2) and other calls that end something never fail here, because the
 * daemon could not react. tests/faults/check-calls.py reports calls of the daemon that
 * are neither here nor in none.calls. Calls inside a system library, such as open() in
 * opendir(), cannot fail by themselves; opendir() fails as a whole.
 */

#undef _FILE_OFFSET_BITS /* both names of open() are needed */
#undef _FORTIFY_SOURCE

#include "fault.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <grp.h>
#include <ifaddrs.h>
#include <malloc.h>
#include <net/if.h>
#include <poll.h>
#include <pthread.h>
#include <pwd.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

/* name, and the errno of a kernel that lacks a resource or is broken */
#define KINDS(X)                                                                       \
	X(malloc, ENOMEM)                                                              \
	X(calloc, ENOMEM)                                                              \
	X(realloc, ENOMEM)                                                             \
	X(reallocarray, ENOMEM)                                                        \
	X(aligned_alloc, ENOMEM)                                                       \
	X(posix_memalign, ENOMEM)                                                      \
	X(memalign, ENOMEM)                                                            \
	X(mmap, ENOMEM)                                                                \
	X(mmap64, ENOMEM)                                                              \
	X(memfd_create, EMFILE)                                                        \
	X(pthread_create, EAGAIN)                                                      \
	X(fork, EAGAIN)                                                                \
	X(socket, EMFILE)                                                              \
	X(socketpair, EMFILE)                                                          \
	X(bind, ENODEV)                                                                \
	X(listen, EADDRINUSE)                                                          \
	X(connect, ECONNREFUSED)                                                       \
	X(accept4, EMFILE)                                                             \
	X(getsockname, ENOBUFS)                                                        \
	X(getsockopt, ENOMEM)                                                          \
	X(setsockopt, ENOMEM)                                                          \
	X(send, ENOBUFS)                                                               \
	X(sendto, ENOBUFS)                                                             \
	X(sendmsg, ENOBUFS)                                                            \
	X(sendmmsg, ENOBUFS)                                                           \
	X(sendfile64, EIO)                                                             \
	X(recv, ENOMEM)                                                                \
	X(recvfrom, ENOMEM)                                                            \
	X(recvmsg, ENOBUFS)                                                            \
	X(recvmmsg, ENOMEM)                                                            \
	X(shutdown, ENOTCONN)                                                          \
	X(read, EIO)                                                                   \
	X(write, EIO)                                                                  \
	X(writev, EIO)                                                                 \
	X(pread, EIO)                                                                  \
	X(pread64, EIO)                                                                \
	X(pwrite64, ENOSPC)                                                            \
	X(open, EMFILE)                                                                \
	X(open64, EMFILE)                                                              \
	X(openat, EMFILE)                                                              \
	X(openat64, EMFILE)                                                            \
	X(opendir, EMFILE)                                                             \
	X(fdopendir, ENOMEM)                                                           \
	X(readdir64, EBADF)                                                            \
	X(fopen, EMFILE)                                                               \
	X(fopen64, EMFILE)                                                             \
	X(fdopen, ENOMEM)                                                              \
	X(fgets, EIO)                                                                  \
	X(fgetc, EIO)                                                                  \
	X(stat64, EIO)                                                                 \
	X(fstat64, EIO)                                                                \
	X(lstat64, EIO)                                                                \
	X(fstatat64, EIO)                                                              \
	X(access, EIO)                                                                 \
	X(faccessat, EIO)                                                              \
	X(unlink, EROFS)                                                               \
	X(chdir, EIO)                                                                  \
	X(chroot, EIO)                                                                 \
	X(pipe2, EMFILE)                                                               \
	X(dup2, EBUSY)                                                                 \
	X(fcntl, EINVAL)                                                               \
	X(fcntl64, EINVAL)                                                             \
	X(eventfd, EMFILE)                                                             \
	X(poll, ENOMEM)                                                                \
	X(ppoll, EINTR)                                                                \
	X(epoll_create1, EMFILE)                                                       \
	X(epoll_ctl, ENOMEM)                                                           \
	X(epoll_wait, EINTR)                                                           \
	X(timerfd_create, EMFILE)                                                      \
	X(timerfd_settime, ECANCELED)                                                  \
	X(clock_nanosleep, EINTR)                                                      \
	X(sigaction, EINVAL)                                                           \
	X(prctl, EINVAL)                                                               \
	X(getrlimit64, EINVAL)                                                         \
	X(setrlimit64, EPERM)                                                          \
	X(sched_getaffinity, EINVAL)                                                   \
	X(sched_setaffinity, EINVAL)                                                   \
	X(pthread_setname_np, ERANGE)                                                  \
	X(pthread_getcpuclockid, ENOENT)                                               \
	X(getrandom, EAGAIN)                                                           \
	X(uname, EFAULT)                                                               \
	X(syscall, ENOSYS)                                                             \
	X(sysconf, EINVAL)                                                             \
	X(getpwnam, EMFILE)                                                            \
	X(getgrnam, EMFILE)                                                            \
	X(fchownat, EIO)                                                               \
	X(realpath, EIO)                                                               \
	X(if_nameindex, ENOBUFS)                                                       \
	X(getifaddrs, ENOMEM)                                                          \
	X(io_uring_queue_init, ENOMEM)                                                 \
	X(io_uring_submit_and_wait, EBUSY)

#define X(name, error) KIND_##name,
enum kind { KIND_ANY, KINDS(X) KIND_N };
#undef X

#define X(name, error) {#name, error},
static const struct {
	const char *name;
	int error;
} kinds[] = {{"all", 0}, KINDS(X)};
#undef X

static struct fault_shared by_hand;
static struct fault_shared *shared = &by_hand;
static bool only_memory; /* FAULT_CALL=alloc */
static bool in_main;
static __thread bool inside; /* the unwinder calls some of these functions */

/* ---- the place of a call ---- */

/* The callers of a hook. Our own frames are the first two. */
static inline __attribute__((always_inline)) void callers(uint64_t frame[FAULT_FRAMES])
{
	void *v[FAULT_FRAMES + 2];
	int n = backtrace(v, FAULT_FRAMES + 2);

	for (int i = 0; i < FAULT_FRAMES; i++)
		frame[i] = i + 2 < n ? (uint64_t)(uintptr_t)v[i + 2] : 0;
}

static uint64_t hash_of(enum kind kind, const uint64_t frame[FAULT_FRAMES])
{
	uint64_t h = 0xcbf29ce484222325u ^ kind;

	for (int i = 0; i < FAULT_FRAMES; i++)
		h = (h ^ frame[i]) * 0x100000001b3u + (h >> 29);
	return h ? h : 1;
}

static void record(enum kind kind, uint64_t hash, const uint64_t frame[FAULT_FRAMES])
{
	for (unsigned i = 0; i < FAULT_SITES; i++) {
		struct fault_site *s = &shared->table[(hash + i) % FAULT_SITES];
		uint64_t there = 0;

		if (__atomic_compare_exchange_n(&s->hash, &there, hash, false,
			    __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
			memcpy(s->frame, frame, sizeof(s->frame));
			s->kind = kind;
			there = hash;
		}
		if (there == hash) {
			__atomic_fetch_add(&s->count, 1, __ATOMIC_RELAXED);
			return;
		}
	}
}

static void tell(enum kind kind, int error, const uint64_t frame[FAULT_FRAMES])
{
	char text[64 + 20 * FAULT_FRAMES];
	int n = snprintf(text, sizeof(text), "fault: %s fails with %d, called from",
		kinds[kind].name, error);

	for (int i = 0; i < FAULT_FRAMES && frame[i]; i++)
		n += snprintf(text + n, sizeof(text) - (size_t)n, " %#llx",
			(unsigned long long)frame[i]);
	dprintf(STDERR_FILENO, "%s\n", text);
}

static bool is_meant(enum kind kind, uint64_t hash)
{
	if (shared->kind != KIND_ANY && shared->kind != kind)
		return false;
	if (only_memory && kind > KIND_mmap64)
		return false;
	return shared->site == 0 || shared->site == hash;
}

/* The errno with which the call must fail, or 0. */
static int judge(enum kind kind, uint64_t hash, const uint64_t frame[FAULT_FRAMES])
{
	uint32_t n;
	int error;

	if (!is_meant(kind, hash))
		return 0;
	n = __atomic_add_fetch(&shared->count, 1, __ATOMIC_RELAXED);
	if (n < shared->nth || n - shared->nth >= shared->times)
		return 0;
	error = shared->error ? shared->error : kinds[kind].error;
	if (__atomic_fetch_add(&shared->failed, 1, __ATOMIC_RELAXED) == 0) {
		memcpy(shared->frame, frame, sizeof(shared->frame));
		shared->failed_kind = kind;
		shared->failed_error = error;
		if (shared == &by_hand)
			tell(kind, error, frame);
	}
	return error;
}

static __attribute__((noinline)) int fails(enum kind kind)
{
	uint32_t mode = __atomic_load_n(&shared->mode, __ATOMIC_ACQUIRE);
	uint64_t frame[FAULT_FRAMES], hash;
	int saved = errno, error = 0;

	if (mode == FAULT_OFF || !in_main || inside)
		return 0;
	/* do not run the unwinder if the kind or the requested place cannot match */
	if (mode == FAULT_INJECT && !is_meant(kind, shared->site))
		return 0;
	inside = true;
	callers(frame);
	hash = hash_of(kind, frame);
	if (mode == FAULT_RECORD)
		record(kind, hash, frame);
	else
		error = judge(kind, hash, frame);
	inside = false;
	errno = saved;
	return error;
}

/* ---- the functions ---- */

#define REAL(name)                                                                     \
	({                                                                             \
		static __typeof__(&name) real;                                         \
		if (!real)                                                             \
			*(void **)&real = dlsym(RTLD_NEXT, #name);                     \
		real;                                                                  \
	})

/* fails with `value` and errno */
#define HOOK(type, name, params, args, value)                                          \
	EXPORT type name params                                                        \
	{                                                                              \
		int error = fails(KIND_##name);                                        \
                                                                                       \
		if (error) {                                                           \
			errno = error;                                                 \
			return value;                                                  \
		}                                                                      \
		return REAL(name) args;                                                \
	}

/* returns the error number, `sign` times */
#define HOOK_NUMBER(name, params, args, sign)                                          \
	EXPORT int name params                                                         \
	{                                                                              \
		int error = fails(KIND_##name);                                        \
                                                                                       \
		return error ? sign error : REAL(name) args;                           \
	}

HOOK(void *, malloc, (size_t size), (size), NULL)
HOOK(void *, calloc, (size_t n, size_t size), (n, size), NULL)
HOOK(void *, realloc, (void *p, size_t size), (p, size), NULL)
HOOK(void *, reallocarray, (void *p, size_t n, size_t size), (p, n, size), NULL)
HOOK(void *, aligned_alloc, (size_t align, size_t size), (align, size), NULL)
HOOK(void *, memalign, (size_t align, size_t size), (align, size), NULL)
HOOK_NUMBER(
	posix_memalign, (void **ret, size_t align, size_t size), (ret, align, size), +)
HOOK(void *, mmap, (void *p, size_t len, int prot, int flags, int fd, off_t offset),
	(p, len, prot, flags, fd, offset), MAP_FAILED)
HOOK(void *, mmap64, (void *p, size_t len, int prot, int flags, int fd, off64_t offset),
	(p, len, prot, flags, fd, offset), MAP_FAILED)
HOOK(int, memfd_create, (const char *name, unsigned flags), (name, flags), -1)
HOOK_NUMBER(pthread_create,
	(pthread_t * ret, const pthread_attr_t *attr, void *(*fn)(void *), void *arg),
	(ret, attr, fn, arg), +)
HOOK(pid_t, fork, (void), (), -1)

HOOK(int, socket, (int family, int type, int protocol), (family, type, protocol), -1)
HOOK(int, socketpair, (int family, int type, int protocol, int v[2]),
	(family, type, protocol, v), -1)
HOOK(int, bind, (int fd, const struct sockaddr *sa, socklen_t len), (fd, sa, len), -1)
HOOK(int, listen, (int fd, int n), (fd, n), -1)
HOOK(int, connect, (int fd, const struct sockaddr *sa, socklen_t len), (fd, sa, len),
	-1)
HOOK(int, accept4, (int fd, struct sockaddr *sa, socklen_t *len, int flags),
	(fd, sa, len, flags), -1)
HOOK(int, getsockname, (int fd, struct sockaddr *sa, socklen_t *len), (fd, sa, len), -1)
HOOK(int, getsockopt, (int fd, int level, int option, void *value, socklen_t *len),
	(fd, level, option, value, len), -1)
HOOK(int, setsockopt, (int fd, int level, int option, const void *value, socklen_t len),
	(fd, level, option, value, len), -1)
HOOK(ssize_t, send, (int fd, const void *p, size_t len, int flags), (fd, p, len, flags),
	-1)
HOOK(ssize_t, sendto,
	(int fd, const void *p, size_t len, int flags, const struct sockaddr *sa,
		socklen_t sa_len),
	(fd, p, len, flags, sa, sa_len), -1)
HOOK(ssize_t, sendmsg, (int fd, const struct msghdr *m, int flags), (fd, m, flags), -1)
HOOK(int, sendmmsg, (int fd, struct mmsghdr *v, unsigned n, int flags),
	(fd, v, n, flags), -1)
ssize_t sendfile64(int out, int in, off64_t *offset, size_t n);
HOOK(ssize_t, sendfile64, (int out, int in, off64_t *offset, size_t n),
	(out, in, offset, n), -1)
HOOK(ssize_t, recv, (int fd, void *p, size_t len, int flags), (fd, p, len, flags), -1)
HOOK(ssize_t, recvfrom,
	(int fd, void *p, size_t len, int flags, struct sockaddr *sa,
		socklen_t *sa_len),
	(fd, p, len, flags, sa, sa_len), -1)
HOOK(ssize_t, recvmsg, (int fd, struct msghdr *m, int flags), (fd, m, flags), -1)
HOOK(int, recvmmsg,
	(int fd, struct mmsghdr *v, unsigned n, int flags, struct timespec *wait),
	(fd, v, n, flags, wait), -1)
HOOK(int, shutdown, (int fd, int how), (fd, how), -1)

HOOK(ssize_t, read, (int fd, void *p, size_t len), (fd, p, len), -1)
/* A write to an eventfd never fails: it always has room, or its reader is awake anyway.
 * We remember the eventfds, because the daemon's filter forbids asking the kernel. */
static bool event_fd[1024];

EXPORT int eventfd(unsigned n, int flags)
{
	int error = fails(KIND_eventfd), fd = -1;

	if (error)
		errno = error;
	else
		fd = REAL(eventfd)(n, flags);
	if (fd >= 0 && fd < (int)(sizeof(event_fd) / sizeof(event_fd[0])))
		event_fd[fd] = true;
	return fd;
}

static bool is_event(int fd)
{
	return fd >= 0 && fd < (int)(sizeof(event_fd) / sizeof(event_fd[0])) &&
		event_fd[fd];
}

/* Never fails. The number may be reused for another kind of descriptor. */
EXPORT int close(int fd)
{
	if (is_event(fd))
		event_fd[fd] = false;
	return REAL(close)(fd);
}

EXPORT ssize_t write(int fd, const void *p, size_t len)
{
	int error = len == sizeof(uint64_t) && is_event(fd) ? 0 : fails(KIND_write);

	if (error) {
		errno = error;
		return -1;
	}
	return REAL(write)(fd, p, len);
}
HOOK(ssize_t, writev, (int fd, const struct iovec *v, int n), (fd, v, n), -1)
HOOK(ssize_t, pread, (int fd, void *p, size_t len, off_t at), (fd, p, len, at), -1)
HOOK(ssize_t, pread64, (int fd, void *p, size_t len, off64_t at), (fd, p, len, at), -1)
HOOK(ssize_t, pwrite64, (int fd, const void *p, size_t len, off64_t at),
	(fd, p, len, at), -1)

/* a mode is passed only if a file may be created */
#define HOOK_OPEN(name, params, args_before)                                           \
	EXPORT int name params                                                         \
	{                                                                              \
		int error = fails(KIND_##name);                                        \
		mode_t mode = 0;                                                       \
		va_list ap;                                                            \
                                                                                       \
		if (error) {                                                           \
			errno = error;                                                 \
			return -1;                                                     \
		}                                                                      \
		va_start(ap, flags);                                                   \
		if (flags & (O_CREAT | __O_TMPFILE))                                   \
			mode = va_arg(ap, mode_t);                                     \
		va_end(ap);                                                            \
		return REAL(name)(args_before, flags, mode);                           \
	}

#define TWO(a, b) a, b
HOOK_OPEN(open, (const char *path, int flags, ...), path)
HOOK_OPEN(open64, (const char *path, int flags, ...), path)
HOOK_OPEN(openat, (int dir, const char *path, int flags, ...), TWO(dir, path))
HOOK_OPEN(openat64, (int dir, const char *path, int flags, ...), TWO(dir, path))

HOOK(DIR *, opendir, (const char *path), (path), NULL)
HOOK(DIR *, fdopendir, (int fd), (fd), NULL)
HOOK(struct dirent64 *, readdir64, (DIR * d), (d), NULL)
HOOK(FILE *, fopen, (const char *path, const char *how), (path, how), NULL)
HOOK(FILE *, fopen64, (const char *path, const char *how), (path, how), NULL)
HOOK(FILE *, fdopen, (int fd, const char *how), (fd, how), NULL)
HOOK(char *, fgets, (char *s, int n, FILE *f), (s, n, f), NULL)
HOOK(int, fgetc, (FILE * f), (f), EOF)
HOOK(int, stat64, (const char *path, struct stat64 *st), (path, st), -1)
HOOK(int, fstat64, (int fd, struct stat64 *st), (fd, st), -1)
HOOK(int, lstat64, (const char *path, struct stat64 *st), (path, st), -1)
HOOK(int, fstatat64, (int dir, const char *path, struct stat64 *st, int flags),
	(dir, path, st, flags), -1)
HOOK(int, access, (const char *path, int how), (path, how), -1)
HOOK(int, faccessat, (int dir, const char *path, int how, int flags),
	(dir, path, how, flags), -1)
HOOK(int, unlink, (const char *path), (path), -1)
HOOK(int, chdir, (const char *path), (path), -1)
HOOK(int, chroot, (const char *path), (path), -1)
HOOK(int, pipe2, (int v[2], int flags), (v, flags), -1)
HOOK(int, dup2, (int from, int to), (from, to), -1)

#define HOOK_FCNTL(name)                                                               \
	EXPORT int name(int fd, int command, ...)                                      \
	{                                                                              \
		int error = fails(KIND_##name);                                        \
		va_list ap;                                                            \
		void *arg;                                                             \
                                                                                       \
		if (error) {                                                           \
			errno = error;                                                 \
			return -1;                                                     \
		}                                                                      \
		va_start(ap, command);                                                 \
		arg = va_arg(ap, void *);                                              \
		va_end(ap);                                                            \
		return REAL(name)(fd, command, arg);                                   \
	}

HOOK_FCNTL(fcntl)
HOOK_FCNTL(fcntl64)

HOOK(int, poll, (struct pollfd * v, nfds_t n, int ms), (v, n, ms), -1)
HOOK(int, ppoll,
	(struct pollfd * v, nfds_t n, const struct timespec *t, const sigset_t *s),
	(v, n, t, s), -1)
HOOK(int, epoll_create1, (int flags), (flags), -1)
/* a removal never fails for lack of resources */
EXPORT int epoll_ctl(int ep, int op, int fd, struct epoll_event *e)
{
	int error = op == EPOLL_CTL_DEL ? 0 : fails(KIND_epoll_ctl);

	if (error) {
		errno = error;
		return -1;
	}
	return REAL(epoll_ctl)(ep, op, fd, e);
}
HOOK(int, epoll_wait, (int ep, struct epoll_event *v, int n, int ms), (ep, v, n, ms),
	-1)
HOOK(int, timerfd_create, (int clock, int flags), (clock, flags), -1)
/* Translates between the program's clock and the kernel's. */
static int64_t ahead(clockid_t clock)
{
	if (clock == CLOCK_MONOTONIC || clock == CLOCK_BOOTTIME)
		return __atomic_load_n(&shared->monotonic_ns, __ATOMIC_RELAXED);
	if (clock == CLOCK_REALTIME)
		return __atomic_load_n(&shared->realtime_ns, __ATOMIC_RELAXED);
	return 0;
}

static struct timespec shift(struct timespec ts, int64_t by)
{
	int64_t ns = ts.tv_sec * INT64_C(1000000000) + ts.tv_nsec + by;

	return (struct timespec){ns / 1000000000, ns % 1000000000};
}

EXPORT int clock_gettime(clockid_t clock, struct timespec *ret)
{
	int r = REAL(clock_gettime)(clock, ret);

	if (r == 0)
		*ret = shift(*ret, ahead(clock));
	return r;
}

EXPORT int timerfd_settime(
	int fd, int flags, const struct itimerspec *to, struct itimerspec *old)
{
	int error = fails(KIND_timerfd_settime);
	struct itimerspec its = *to;

	if (error) {
		errno = error;
		return -1;
	}
	if (flags & TFD_TIMER_ABSTIME && (to->it_value.tv_sec || to->it_value.tv_nsec))
		its.it_value = shift(to->it_value, -ahead(CLOCK_MONOTONIC));
	return REAL(timerfd_settime)(fd, flags, &its, old);
}

EXPORT int clock_nanosleep(
	clockid_t clock, int flags, const struct timespec *to, struct timespec *left)
{
	int error = fails(KIND_clock_nanosleep);
	struct timespec ts = *to;

	if (error)
		return error;
	if (flags & TIMER_ABSTIME)
		ts = shift(ts, -ahead(clock));
	return REAL(clock_nanosleep)(clock, flags, &ts, left);
}

HOOK(int, sigaction, (int signo, const struct sigaction *to, struct sigaction *old),
	(signo, to, old), -1)
EXPORT int prctl(int option, ...)
{
	int error = fails(KIND_prctl);
	unsigned long v[4];
	va_list ap;

	if (error) {
		errno = error;
		return -1;
	}
	va_start(ap, option);
	for (int i = 0; i < 4; i++)
		v[i] = va_arg(ap, unsigned long);
	va_end(ap);
	return REAL(prctl)(option, v[0], v[1], v[2], v[3]);
}
HOOK(int, getrlimit64, (__rlimit_resource_t what, struct rlimit64 *ret), (what, ret),
	-1)
HOOK(int, setrlimit64, (__rlimit_resource_t what, const struct rlimit64 *to),
	(what, to), -1)
HOOK(int, sched_getaffinity, (pid_t pid, size_t size, cpu_set_t *set), (pid, size, set),
	-1)
HOOK(int, sched_setaffinity, (pid_t pid, size_t size, const cpu_set_t *set),
	(pid, size, set), -1)
HOOK_NUMBER(pthread_setname_np, (pthread_t t, const char *name), (t, name), +)
HOOK_NUMBER(pthread_getcpuclockid, (pthread_t t, clockid_t *ret), (t, ret), +)
HOOK(ssize_t, getrandom, (void *p, size_t len, unsigned flags), (p, len, flags), -1)
HOOK(int, uname, (struct utsname * ret), (ret), -1)
HOOK(long, sysconf, (int name), (name), -1)
HOOK(struct passwd *, getpwnam, (const char *name), (name), NULL)
HOOK(struct group *, getgrnam, (const char *name), (name), NULL)
HOOK(int, fchownat, (int dir, const char *path, uid_t uid, gid_t gid, int flags),
	(dir, path, uid, gid, flags), -1)
HOOK(char *, realpath, (const char *path, char *ret), (path, ret), NULL)
HOOK(struct if_nameindex *, if_nameindex, (void), (), NULL)
HOOK(int, getifaddrs, (struct ifaddrs * *ret), (ret), -1)

/* System calls without a function of the C library. The futexes of liburcu's locks do
 * not fail, like those of the C library. */
EXPORT long syscall(long n, ...)
{
	int error = n == SYS_futex ? 0 : fails(KIND_syscall);
	long v[6];
	va_list ap;

	if (error) {
		errno = error;
		return -1;
	}
	va_start(ap, n);
	for (int i = 0; i < 6; i++)
		v[i] = va_arg(ap, long);
	va_end(ap);
	return REAL(syscall)(n, v[0], v[1], v[2], v[3], v[4], v[5]);
}

/* liburing makes its system calls itself */
int io_uring_queue_init(unsigned n, void *ring, unsigned flags);
HOOK_NUMBER(io_uring_queue_init, (unsigned n, void *ring, unsigned flags),
	(n, ring, flags), -)
int io_uring_submit_and_wait(void *ring, unsigned n);
HOOK_NUMBER(io_uring_submit_and_wait, (void *ring, unsigned n), (ring, n), -)

/* The checked variants that fortified programs call. */
ssize_t __read_chk(int fd, void *p, size_t len, size_t size);
ssize_t __recv_chk(int fd, void *p, size_t len, size_t size, int flags);
ssize_t __pread64_chk(int fd, void *p, size_t len, off64_t at, size_t size);
int __poll_chk(struct pollfd *v, nfds_t n, int ms, size_t size);
int __ppoll_chk(struct pollfd *v, nfds_t n, const struct timespec *t, const sigset_t *s,
	size_t size);
char *__fgets_chk(char *s, size_t size, int n, FILE *f);

EXPORT ssize_t __read_chk(int fd, void *p, size_t len, size_t size)
{
	return read(fd, p, len);
}

EXPORT ssize_t __recv_chk(int fd, void *p, size_t len, size_t size, int flags)
{
	return recv(fd, p, len, flags);
}

EXPORT ssize_t __pread64_chk(int fd, void *p, size_t len, off64_t at, size_t size)
{
	return pread64(fd, p, len, at);
}

EXPORT int __poll_chk(struct pollfd *v, nfds_t n, int ms, size_t size)
{
	return poll(v, n, ms);
}
EXPORT int __ppoll_chk(struct pollfd *v, nfds_t n, const struct timespec *t,
	const sigset_t *s, size_t size)
{
	return ppoll(v, n, t, s);
}

EXPORT char *__fgets_chk(char *s, size_t size, int n, FILE *f)
{
	return fgets(s, n, f);
}

/* ---- life ---- */

static uint32_t number(const char *name, uint32_t otherwise)
{
	const char *text = getenv(name);

	return text ? (uint32_t)strtoul(text, NULL, 0) : otherwise;
}

static void set_by_hand(void)
{
	const char *call = getenv("FAULT_CALL");

	if (!call)
		return;
	only_memory = strcmp(call, "alloc") == 0;
	for (uint32_t k = 1; k < KIND_N; k++)
		if (strcmp(call, kinds[k].name) == 0)
			by_hand.kind = k;
	if (by_hand.kind == KIND_ANY && !only_memory && strcmp(call, "all") != 0) {
		dprintf(STDERR_FILENO, "fault: FAULT_CALL=%s is unknown\n", call);
		_exit(125);
	}
	by_hand.nth = number("FAULT_NTH", 1);
	by_hand.times = number("FAULT_TIMES", 1);
	by_hand.error = (int32_t)number("FAULT_ERRNO", 0);
	by_hand.mode = FAULT_INJECT;
}

static void share(const char *path)
{
	int fd = open64(path, O_RDWR | O_CLOEXEC);
	void *p = fd < 0 ? MAP_FAILED
			 : mmap64(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
				   MAP_SHARED, fd, 0);

	if (p == MAP_FAILED) {
		dprintf(STDERR_FILENO, "fault: %s: %s\n", path, strerror(errno));
		_exit(125);
	}
	close(fd);
	shared = p;
	for (uint32_t k = 0; k < KIND_N; k++)
		strncpy(shared->name[k], kinds[k].name, FAULT_NAME - 1);
	shared->n_kinds = KIND_N;
}

static int (*real_main)(int argc, char **argv, char **envp);

static int main_between(int argc, char **argv, char **envp)
{
	const char *path = getenv("FAULT_FILE");
	void *unused[2];
	int status;

	backtrace(unused, 2); /* the first call loads a library */
	if (path)
		share(path);
	else
		set_by_hand();
	in_main = true;
	status = real_main(argc, argv, envp);
	in_main = false;
	return status;
}

typedef int start_main(int (*fn)(int, char **, char **), int argc, char **argv,
	void (*init)(void), void (*fini)(void), void (*rtld_fini)(void), void *end);
EXPORT start_main __libc_start_main;

int __libc_start_main(int (*fn)(int, char **, char **), int argc, char **argv,
	void (*init)(void), void (*fini)(void), void (*rtld_fini)(void), void *end)
{
	real_main = fn;
	return REAL(__libc_start_main)(
		main_between, argc, argv, init, fini, rtld_fini, end);
}
