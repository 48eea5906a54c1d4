/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * A burst: the frames of one or more ring blocks, grouped by flow (input port, S, G).
 * The frames of a flow are in the order of their arrival. The memory is fixed and
 * allocated once per thread. All zero is an empty burst. Pure.
 */

#include "dataplane/packet/frame.h"

#define BURST_MAX 2048 /* frames */

struct burst_frame {
	struct frame f;
	unsigned flow; /* index into flow[] */
	unsigned next; /* next frame of the same flow; BURST_MAX after the last one */
	bool drop;     /* it must not be sent, and its verdict was counted */
};

struct burst_flow {
	unsigned port; /* number of the input port */
	unsigned slot; /* its place in index[] */
	struct addr src, group;
	unsigned first, last; /* its first and last frame */
	unsigned n;	      /* number of its frames */
};

struct burst {
	unsigned n_frames, n_flows;
	struct burst_frame frame[BURST_MAX];
	struct burst_flow flow[BURST_MAX];
	/* a hash table with open addressing: flow + 1, or 0 if the place is free */
	uint16_t index[2 * BURST_MAX];
};

void burst_clear(struct burst *b);
static inline bool burst_full(const struct burst *b)
{
	return b->n_frames == BURST_MAX;
}
/* Returns after how many frames the next burst should be sent, if this one had
 * `n_frames` and became `copies`. Larger bursts give longer runs of a flow, but make
 * everything else wait longer. */
unsigned burst_enough(unsigned n_frames, uint64_t copies);
/* Appends a parsed frame of an input port. The burst must not be full. */
void burst_add(struct burst *b, unsigned port, const struct frame *f);
