/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Events for clients of the control socket that follow what happens. A client gets each
 * event as a JSON object on a line, from the command "monitor" until it half-closes its
 * connection. A client that reads too slowly loses events and is told how many; nothing
 * waits for it. If there are more than MONITOR_RATE events a second, every client loses
 * some.
 */

#include "base/addr.h"
#include "base/mono.h"
#include "control/sys/ctl.h"

/* How many events are formatted per second, and at once. This bounds what a storm on a
 * LAN costs the daemon. */
#define MONITOR_RATE  2000
#define MONITOR_BURST 4000

/* All zero at the beginning. Must last until ctl_free(), which ends the streams. */
struct monitor {
	struct follower *first;
	unsigned room; /* events that are allowed, as of `at` */
	mono_t at;
};

/* Handler of the command "monitor", for ctl_command.stream. Its arguments are
 * [only=KIND,...] [group=GROUP[/N]] [interface=NAME]... An event without a group or
 * interface does not match a filter for one. */
json_t *monitor_open(struct monitor *m, const char *args, struct ctl_stream **ret);

bool monitor_has_followers(const struct monitor *m);
/* What filters compare, borrowed. Members that the event does not have are NULL. */
struct monitor_subject {
	const char *event; /* its name */
	const char *interface, *group;
};
/* Does a client follow events like this, and is there room for one more? If true, the
 * caller must give the event to monitor_say(). If only the room is missing, the event
 * counts as lost. */
bool monitor_wants(struct monitor *m, mono_t now, const struct monitor_subject *s);
/* Sends the event, an object, to those who want one of this subject, after adding the
 * time. Takes the reference. NULL, because there was no memory, counts as lost. */
void monitor_say(struct monitor *m, const struct monitor_subject *s, json_t *event);
