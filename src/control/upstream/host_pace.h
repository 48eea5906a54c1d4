/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * How many messages the host side sends to the provider, and in which order. Providers
 * drop what a line sends beyond some tens of messages a second, so whoever can cause
 * messages could keep all others from being heard.
 *
 * A bucket holds the messages that may be sent: one for changes and one for answers, so
 * neither can keep the other waiting. Changes that are due wait in lines, which take
 * turns: two for each LAN, one of hosts that change little and one of those that change
 * much, and one for repetitions. So a change waits for one change of each other line,
 * and for those of its own line that were there before. Pure, of fixed size.
 */

#include "base/addr.h"
#include "base/mono.h"
#include "base/portset.h"
#include "base/table.h"

#define HOST_RATE   100	 /* messages per second and bucket */
#define HOST_BURST  200	 /* messages that a full bucket holds */
#define HOST_CLOCKS 1024 /* a power of two */

struct host_bucket {
	mono_t full; /* when it will be full again; zero: it is */
};

/* whose report or silence has changed something */
struct host_cause {
	unsigned port;	       /* downstream */
	const struct addr *by; /* host that has sent a report; NULL: no report */
};

/* The number of the last turn that each line was given. */
struct host_pace {
	int64_t turn; /* the one that has come */
	int64_t quiet[PORT_MAX], loud[PORT_MAX], own, repeats;
	mono_t clock[HOST_CLOCKS]; /* of hosts: when its changes so far are forgotten */
};

/* When the bucket has a message to give; may be long ago. */
mono_t host_bucket_at(const struct host_bucket *b);
/* Messages have been sent; more than there were make the next one wait longer. */
void host_bucket_take(struct host_bucket *b, mono_t now, uint64_t n);

/* The turn of a change that comes about now. The key of `table` makes the clocks of
 * hosts unguessable. `cause` may be NULL. */
int64_t host_pace_change(struct host_pace *p, mono_t now, const struct table *table,
	const struct host_cause *cause);
/* That of a repetition. */
int64_t host_pace_repeat(struct host_pace *p);
/* This turn has come. */
void host_pace_reach(struct host_pace *p, int64_t turn);
