/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The system's logger as a sink of log.c, see log_syslog.h. */

#include "base/log/log_syslog.h"

#include "base/cleanup.h"

#include <paths.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#define LINE_MAX_LEN 2048

static const struct sockaddr_un logger = {.sun_family = AF_UNIX, .sun_path = _PATH_LOG};
static int fd = -1;

void log_syslog_open(void)
{
	if (fd >= 0)
		return;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd >= 0)
		(void)connect(fd, (const struct sockaddr *)&logger, sizeof(logger));
}

void log_syslog_close(void)
{
	closep(&fd);
	fd = -1;
}

void log_syslog_send(const char *ident, int priority, const char *text)
{
	char line[LINE_MAX_LEN], when[32] = "";
	time_t now = time(NULL);
	struct tm tm;
	int n;

	if (localtime_r(&now, &tm))
		(void)strftime(when, sizeof(when), "%b %e %T", &tm);
	n = snprintf(line, sizeof(line), "<%d>%s %s[%d]: %s", LOG_DAEMON | priority,
		when, ident, (int)getpid(), text);
	if (n >= (int)sizeof(line))
		n = (int)sizeof(line) - 1;
	if (n < 0 || send(fd, line, (size_t)n, MSG_NOSIGNAL) >= 0)
		return;
	/* it was restarted, or has just been started */
	(void)sendto(fd, line, (size_t)n, MSG_NOSIGNAL,
		(const struct sockaddr *)&logger, sizeof(logger));
}
