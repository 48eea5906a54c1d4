/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The last events, which the page shows. Their times are those of CLOCK_MONOTONIC,
 * because the clock of the system may be set later: a router without a battery learns
 * the time from the network. Pure.
 */

#include "base/addr.h"
#include "base/mono.h"

#include <net/if.h>

#define RECENT_MAX	   256
#define RECENT_HOST_STRLEN (ADDR_STRLEN + 24) /* an address, or a MAC address and it */
#define RECENT_TEXT_STRLEN 320		      /* the longest text */

struct recent_event {
	mono_t at;
	const char *name; /* static */
	char interface[IFNAMSIZ];
	struct addr group;
	bool has_group;
	char host[RECENT_HOST_STRLEN]; /* empty if the event is not of one */
	char text[RECENT_TEXT_STRLEN];
};

/* All zero at the beginning. */
struct recent {
	struct recent_event event[RECENT_MAX];
	uint64_t n; /* so far, of which the last RECENT_MAX are remembered */
};

/* Returns a new event, which the caller fills in. It may replace the oldest one. */
struct recent_event *recent_add(struct recent *r, mono_t now, const char *name);
/* Returns the event that came `back` events before the newest one, or NULL if it is not
 * remembered. */
const struct recent_event *recent_get(const struct recent *r, uint64_t back);
/* Returns how many are no longer remembered. */
uint64_t recent_forgotten(const struct recent *r);
/* Returns the time of an event by the clock that says `unix_ms` now. */
int64_t recent_unix_ms(const struct recent_event *e, mono_t now, int64_t unix_ms);
