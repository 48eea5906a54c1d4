/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Which streams flow. The caller reads the counters of the forwarding entries now and
 * then, to find streams that have begun or ended. The memory is bounded. Pure.
 */

#include "base/addr.h"
#include "base/table.h"

#define STREAMS_MAX   4096 /* streams at once; further ones are not reported */
#define STREAMS_END_S 10   /* a stream without a datagram for this time has ended */

struct streams {
	struct table table; /* the streams that flow */
	unsigned pass;	    /* number of the pass over all entries that has begun */
};

enum streams_event {
	STREAMS_NOTHING,
	STREAMS_BEGAN,
	STREAMS_ENDED,
};

/* All zero before streams_init(). */
void streams_init(struct streams *s, uint64_t seed);
void streams_deinit(struct streams *s); /* may be used again */
/* Takes an entry and the seconds since its last datagram, or -1 if there was none or it
 * is not known. Returns what has happened to the stream. */
enum streams_event streams_see(struct streams *s, unsigned instance,
	const struct addr *source, const struct addr *group, int32_t age_s);
/* Call it when all entries have been seen. Drops the streams whose entries have
 * gone. */
void streams_end(struct streams *s);
