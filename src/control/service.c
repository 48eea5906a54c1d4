/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Messages to the service manager, see service.h. Called by app.c and
 * app_config.c. Does not log. */

#include "control/service.h"

#include "base/cleanup.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

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

int service_open(void)
{
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
	service_close();
	notify_fd = take_fd(&fd);
	return 0;
}

void service_close(void)
{
	closep(&notify_fd);
	notify_fd = -1;
}

static _printf_(1, 2) void notify(const char *format, ...)
{
	char text[1024];
	va_list ap;

	if (notify_fd < 0)
		return;
	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	/* a manager that is busy misses a line, not the daemon a moment */
	(void)send(notify_fd, text, strlen(text), MSG_DONTWAIT | MSG_NOSIGNAL);
}

void service_ready(const char *status)
{
	notify("READY=1\nSTATUS=%s", status);
}

void service_reloading(mono_t now)
{
	notify("RELOADING=1\nMONOTONIC_USEC=%" PRId64, now.ns / 1000);
}

void service_stopping(const char *status)
{
	notify("STOPPING=1\nSTATUS=%s", status);
}

int64_t service_watchdog_ms(void)
{
	return notify_fd >= 0 ? watchdog_ms : 0;
}

void service_watchdog(void)
{
	notify("WATCHDOG=1");
}
