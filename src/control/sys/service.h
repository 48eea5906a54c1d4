/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * What a service manager is told, in the protocol of sd_notify(3): ready, reloading,
 * stopping, a status line, signs of life, descriptors to keep for the next process.
 * The connection is made once, at the start, so that it works from inside a chroot and
 * needs no rights later. Without $NOTIFY_SOCKET all calls do nothing. The state is that
 * of the process, as there is one manager.
 *
 * Written out here because it is a datagram with a line of text, which libsystemd would
 * send over a new socket each time.
 */

#include "base/mono.h"

/* Connect to $NOTIFY_SOCKET, if it is set. 0 or -errno. */
int service_open(void);
void service_close(void);
bool service_is_managed(void);

void service_ready(const char *status);
/* `now` of the system's clock; service_ready() is to follow */
void service_reloading(mono_t now);
void service_stopping(const char *status);
int service_status(const char *status); /* 0 or -errno */

/* How often a sign of life is due, in ms: half of what the manager waits. 0: never. */
int64_t service_watchdog_ms(void);
void service_watchdog(void);

/* Can the manager keep descriptors? Asks it. 0, or -errno: -ENOTCONN, there is none;
 * -EPERM, it does not; -ETIME, it does not answer. */
int service_can_store(void);
/* Keep this one and hand it to the next process; forget those of a name. 0 or
 * -errno. */
int service_store(const char *name, int fd);
int service_forget(const char *name);
/* Wait until the manager has seen everything so far, or has gone, which the next
 * message tells. 0, -ETIME, -errno. */
int service_barrier(void);
