/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * A burst: the frames of one or more ring blocks, grouped by flow (input port, S, G) in
 * order of arrival within the flow. Fixed memory, allocated once per thread; all zeros
 * are an empty one. Pure.
 */

#include "dataplane/packet/frame.h"

#define BURST_MAX 2048 /* frames */

struct burst_frame {
	struct frame f;
	unsigned flow; /* index into flow[] */
	unsigned next; /* next frame of the same flow, BURST_MAX: last */
	bool drop;     /* not to be sent (verdict already counted) */
};

struct burst_flow {
	unsigned port; /* input */
	unsigned slot; /* of index[] */
	struct addr src, group;
	unsigned first, last; /* frames */
	unsigned n;
};

struct burst {
	unsigned n_frames, n_flows;
	struct burst_frame frame[BURST_MAX];
	struct burst_flow flow[BURST_MAX];
	uint16_t index[2 * BURST_MAX]; /* open hash: flow + 1, 0 = free */
};

void burst_clear(struct burst *b);
static inline bool burst_full(const struct burst *b)
{
	return b->n_frames == BURST_MAX;
}
/* Frames after which the next burst should be sent if this one had n_frames and became
 * that many copies. Larger bursts give longer runs of a flow, but make everything else
 * wait longer. */
unsigned burst_enough(unsigned n_frames, uint64_t copies);
/* Append a parsed frame of an input port. The burst must not be full. */
void burst_add(struct burst *b, unsigned port, const struct frame *f);
