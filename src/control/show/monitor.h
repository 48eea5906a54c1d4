/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Events for clients of the control socket that follow what happens: a JSON object a
 * line, from the command "monitor" until the client half-closes. A client that reads
 * too slowly loses events, and is told how many; nothing waits for it. So does every
 * client when more happens than MONITOR_RATE events a second.
 */

#include "base/addr.h"
#include "base/mono.h"
#include "control/sys/ctl.h"

/* Events a second that are put into words, and how many at once: a storm on a LAN is to
 * cost the daemon no more than that. */
#define MONITOR_RATE  2000
#define MONITOR_BURST 4000

struct monitor;

int monitor_new(struct monitor **ret); /* 0 or -ENOMEM */
/* After ctl_free(), which ends the streams; takes and returns NULL. */
struct monitor *monitor_free(struct monitor *m);

/* Handler of the command: [only=KIND,...] [group=GROUP[/N]] [interface=NAME]... An
 * event that names no group or interface does not pass where one is asked for. */
json_t *monitor_open(struct monitor *m, const char *args, struct ctl_stream **ret);

bool monitor_has_followers(const struct monitor *m);
/* What filters look at; borrowed, NULL means the event names none. */
struct monitor_subject {
	const char *event; /* its name */
	const char *interface, *group;
};
/* Somebody follows such events, and there is room for one more: it is to be given to
 * monitor_say(). False with somebody there: it counts as lost. */
bool monitor_wants(struct monitor *m, mono_t now, const struct monitor_subject *s);
/* What happened, as an object with the members of the subject, to which the time is
 * added; takes it. NULL, for want of memory, counts as lost. */
void monitor_say(struct monitor *m, json_t *event);
