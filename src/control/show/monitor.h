/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Events for clients of the control socket that follow what happens: a JSON object a
 * line, from the command "monitor" until the client half-closes. A client that reads
 * too slowly loses events and is told how many; nothing waits for it. The same happens
 * to every client at more than MONITOR_RATE events a second.
 */

#include "base/addr.h"
#include "base/mono.h"
#include "control/sys/ctl.h"

/* Events that are formatted per second, and at once. This bounds what a storm on a LAN
 * costs the daemon. */
#define MONITOR_RATE  2000
#define MONITOR_BURST 4000

struct monitor;

int monitor_new(struct monitor **ret); /* 0 or -ENOMEM */
/* After ctl_free(), which ends the streams; takes and returns NULL. */
struct monitor *monitor_free(struct monitor *m);

/* Handler of the command: [only=KIND,...] [group=GROUP[/N]] [interface=NAME]... An
 * event without a group or interface does not match a filter for one. */
json_t *monitor_open(struct monitor *m, const char *args, struct ctl_stream **ret);

bool monitor_has_followers(const struct monitor *m);
/* What filters compare; borrowed, NULL if the event has none. */
struct monitor_subject {
	const char *event; /* its name */
	const char *interface, *group;
};
/* Does a client follow such events, and is there room for one more? If true, the event
 * must be given to monitor_say(). If only the room is missing, it counts as lost. */
bool monitor_wants(struct monitor *m, mono_t now, const struct monitor_subject *s);
/* The event as an object with the members of the subject; adds the time. Takes the
 * object. NULL, after lack of memory, counts as lost. */
void monitor_say(struct monitor *m, json_t *event);
