/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Messages to the service manager, see sdnotify.h. Does not log. */

#include "control/sys/sdnotify.h"

#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#define ANSWER_WAIT_MS 5000
#define SEND_WAIT_S    1 /* for room in the queue of a manager that is busy */

static int notify_fd = -1;
static int64_t watchdog_ms;

static void read_watchdog(void)
{
	const char *usec = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");

	watchdog_ms = 0;
	if (!usec || (pid && strtol(pid, NULL, 10) != getpid()))
		return;
	watchdog_ms = strtoll(usec, NULL, 10) / 2000;
	if (watchdog_ms < 1)
		watchdog_ms = *usec ? 1 : 0;
}

int sdnotify_open(void)
{
	const struct timeval wait = {.tv_sec = SEND_WAIT_S};
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	_cleanup_(closep) int fd = -1;
	size_t len = path ? strlen(path) : 0;

	read_watchdog();
	if (len == 0)
		return 0;
	if ((path[0] != '/' && path[0] != '@') || len >= sizeof(sun.sun_path))
		return -EINVAL;
	memcpy(sun.sun_path, path, len);
	if (path[0] == '@')
		sun.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, (const struct sockaddr *)&sun,
		    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)) < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait)) < 0)
		return -errno;
	sdnotify_close();
	notify_fd = take_fd(&fd);
	return 0;
}

void sdnotify_close(void)
{
	closep(&notify_fd);
	notify_fd = -1;
}

bool sdnotify_is_managed(void)
{
	return notify_fd >= 0;
}

/* Sends one message, with a descriptor unless it is -1. Calls again after an
 * interruption: a call with a timeout is not restarted by itself, and rings of io_uring
 * interrupt it. */
static int send_text(const char *text, int fd, int flags)
{
	union {
		struct cmsghdr hdr;
		char buf[CMSG_SPACE(sizeof(int))];
	} control = {0};
	struct iovec iov = {(char *)(uintptr_t)text, strlen(text)};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
	struct cmsghdr *c;
	ssize_t n;

	if (notify_fd < 0)
		return -ENOTCONN;
	if (fd >= 0) {
		msg.msg_control = control.buf;
		msg.msg_controllen = sizeof(control.buf);
		c = CMSG_FIRSTHDR(&msg);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(c), &fd, sizeof(int));
	}
	do
		n = sendmsg(notify_fd, &msg, flags | MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : 0;
}

/* With MSG_DONTWAIT, a busy manager misses a line. */
static _printf_(2, 3) int notify(int flags, const char *format, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	return send_text(text, -1, flags);
}

void sdnotify_ready(const char *status)
{
	/* a manager that does not receive it kills the service */
	(void)notify(0, "READY=1\nSTATUS=%s", status);
}

void sdnotify_reloading(mono_t now)
{
	(void)notify(
		MSG_DONTWAIT, "RELOADING=1\nMONOTONIC_USEC=%" PRId64, now.ns / 1000);
}

void sdnotify_stopping(const char *status)
{
	(void)notify(MSG_DONTWAIT, "STOPPING=1\nSTATUS=%s", status);
}

int sdnotify_status(const char *status)
{
	return notify(MSG_DONTWAIT, "STATUS=%s", status);
}

int64_t sdnotify_watchdog_ms(void)
{
	return notify_fd >= 0 ? watchdog_ms : 0;
}

void sdnotify_watchdog(void)
{
	(void)notify(MSG_DONTWAIT, "WATCHDOG=1");
}

/* Waits until the other end of a pipe is closed. Returns 0, -ETIME or another
 * -errno. */
static int wait_closed(int fd, int wait_ms)
{
	struct pollfd p = {.fd = fd};
	int n;

	do
		n = poll(&p, 1, wait_ms);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n == 0 ? -ETIME : 0;
}

static int pass(const char *text, int ends[2])
{
	int r = pipe2(ends, O_CLOEXEC) < 0 ? -errno : send_text(text, ends[1], 0);

	closep(&ends[1]);
	return r;
}

int sdnotify_barrier(void)
{
	int ends[2] = {-1, -1};
	int r = pass("BARRIER=1", ends);

	if (r == 0)
		r = wait_closed(ends[0], ANSWER_WAIT_MS);
	closep(&ends[0]);
	return r;
}

int sdnotify_store(const char *name, int fd)
{
	char text[128];

	/* sockets are kept even if their interface reports an error */
	snprintf(text, sizeof(text), "FDSTORE=1\nFDNAME=%s\nFDPOLL=0", name);
	return send_text(text, fd, 0);
}

int sdnotify_forget(const char *name)
{
	char text[128];

	snprintf(text, sizeof(text), "FDSTOREREMOVE=1\nFDNAME=%s", name);
	return send_text(text, -1, 0);
}

/* A manager that keeps no descriptors closes them without telling. */
int sdnotify_can_store(void)
{
	int ends[2] = {-1, -1};
	int r = pass("FDSTORE=1\nFDNAME=probe\nFDPOLL=0", ends);

	if (r == 0)
		r = sdnotify_barrier();
	if (r == 0)
		r = wait_closed(ends[0], 0) == -ETIME ? 0 : -EPERM;
	closep(&ends[0]);
	(void)sdnotify_forget("probe");
	return r;
}
