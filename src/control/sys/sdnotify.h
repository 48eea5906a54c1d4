/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Messages to the service manager in the protocol of sd_notify(3): ready, reloading,
 * stopping, a status line, signs of life, descriptors to keep for the next process. The
 * connection is made once, at the start, so that it works inside a chroot and needs no
 * rights later. Without $NOTIFY_SOCKET all calls do nothing. The state belongs to the
 * process, because there is one manager.
 *
 * This is own code because libsystemd would open a new socket for each datagram.
 */

#include "base/mono.h"

/* Connect to $NOTIFY_SOCKET, if it is set. 0 or -errno. */
int sdnotify_open(void);
void sdnotify_close(void);
bool sdnotify_is_managed(void);

void sdnotify_ready(const char *status);
/* `now` of the system's clock; sdnotify_ready() must follow */
void sdnotify_reloading(mono_t now);
void sdnotify_stopping(const char *status);
int sdnotify_status(const char *status); /* 0 or -errno */

/* How often a sign of life is due, in ms: half of what the manager waits. 0 if
 * never. */
int64_t sdnotify_watchdog_ms(void);
void sdnotify_watchdog(void);

/* Asks the manager whether it can keep descriptors. Returns 0, -ENOTCONN if there is no
 * manager, -EPERM if it cannot, -ETIME if it does not answer, or another -errno. */
int sdnotify_can_store(void);
/* Keeps this one for the next process; drops those of a name. Both return 0 or
 * -errno. */
int sdnotify_store(const char *name, int fd);
int sdnotify_forget(const char *name);
/* Waits until the manager has read everything so far, or has gone, which the next
 * message will show. Returns 0, -ETIME or another -errno. */
int sdnotify_barrier(void);
