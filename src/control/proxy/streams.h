/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Which streams flow. The counters of the forwarding entries are read now and then, to
 * find streams that have begun or ended since. Of fixed size. Pure.
 */

#include "base/addr.h"
#include "base/table.h"

#define STREAMS_MAX   4096 /* streams at once; further ones are not reported */
#define STREAMS_END_S 10   /* without a datagram */

struct streams {
	struct table table; /* the streams that flow */
	unsigned turn;
};

enum streams_event {
	STREAMS_NOTHING,
	STREAMS_BEGAN,
	STREAMS_ENDED,
};

/* All zero before streams_init(). */
void streams_init(struct streams *s, uint64_t seed);
void streams_deinit(struct streams *s); /* may be used again */
/* An entry and the seconds since its last datagram; -1 means none, or it is not
 * known. */
enum streams_event streams_see(struct streams *s, unsigned instance,
	const struct addr *source, const struct addr *group, int32_t age_s);
/* All entries have been seen: drops those that are no longer there. */
void streams_end(struct streams *s);
