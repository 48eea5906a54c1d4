/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Log lines to the system's logger, which reads datagrams at /dev/log (RFC 3164). Not
 * by syslog(3): that connects again when the logger has been restarted, and a daemon
 * that is confined may connect to nothing. Internal to log.c.
 */

/* Connect, so that lines arrive from within a chroot. Call it before confinement; the
 * second call does nothing. A logger that is not there yet is found when it is. */
void log_syslog_open(void);
void log_syslog_close(void);
/* `priority` of syslog(3) without a facility, which is LOG_DAEMON. A line that nobody
 * reads is lost. */
void log_syslog_send(const char *ident, int priority, const char *text);
