/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Messages to the service manager in the protocol of sd_notify(3): ready, reloading,
 * stopping, a status line, signs of life, and descriptors that it keeps for the next
 * process. The connection is made once, at the start, so that it works inside a chroot
 * and needs no rights later. Without $NOTIFY_SOCKET all calls do nothing. The state is
 * static, because a process has one manager.
 *
 * This is own code because libsystemd would open a new socket for each datagram.
 */

#include "base/mono.h"

/* Connects to $NOTIFY_SOCKET, if it is set. Returns 0 or -errno. */
int sdnotify_open(void);
void sdnotify_close(void);
bool sdnotify_is_managed(void); /* is there a service manager? */

void sdnotify_ready(const char *status);
/* `now` is the time of CLOCK_MONOTONIC. Call sdnotify_ready() when the reload is
 * done. */
void sdnotify_reloading(mono_t now);
void sdnotify_stopping(const char *status);
int sdnotify_status(const char *status); /* 0 or -errno */

/* Returns how often a sign of life is due, in milliseconds, or 0 if never. That is half
 * of the time that the manager waits. */
int64_t sdnotify_watchdog_ms(void);
void sdnotify_watchdog(void);

/* Asks the manager whether it can keep descriptors. Returns 0, -ENOTCONN if there is no
 * manager, -EPERM if it cannot, -ETIME if it does not answer, or another -errno. */
int sdnotify_can_store(void);
/* Lets the manager keep a descriptor for the next process, or drop those of a name.
 * Both return 0 or -errno. */
int sdnotify_store(const char *name, int fd);
int sdnotify_forget(const char *name);
/* Waits until the manager has read all messages so far. Returns 0, -ETIME or another
 * -errno. Also returns 0 if the manager has gone, which the next message will show. */
int sdnotify_barrier(void);
