/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Log lines to the system's logger, which reads datagrams at /dev/log (RFC 3164). Does
 * not use syslog(3), which reconnects after a restart of the logger, because a confined
 * daemon cannot connect. Internal to log.c.
 */

/* Prepares the socket, so that lines also arrive from a chroot. Call it before the
 * daemon confines itself; a second call does nothing. A logger that starts later is
 * also found. */
void log_syslog_open(void);
void log_syslog_close(void);
/* `priority` is that of syslog(3) without the facility, which is LOG_DAEMON. A line
 * that no logger reads is lost. */
void log_syslog_send(const char *ident, int priority, const char *text);
