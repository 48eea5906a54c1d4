/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "dataplane/forward/burst.h"

#include "base/minmax.h"
#include "base/mul64.h"

#include <assert.h>

#define INDEX_SIZE (2 * BURST_MAX)

/* Target of copies per burst. At about a microsecond each, this bounds how long a join
 * or leave waits. With many ports it is exceeded, because short bursts join no
 * datagrams. */
#define COPIES_ENOUGH UINT64_C(16384)
#define BURST_MIN     512u

void burst_clear(struct burst *b)
{
	for (unsigned i = 0; i < b->n_flows; i++)
		b->index[b->flow[i].slot] = 0;
	b->n_frames = b->n_flows = 0;
}

unsigned burst_enough(unsigned n_frames, uint64_t copies)
{
	uint64_t n = copies ? COPIES_ENOUGH * n_frames / copies : BURST_MAX;

	return (unsigned)max(min(n, BURST_MAX), BURST_MIN);
}

/* The address of the burst serves as the key: senders choose sources and groups, but do
 * not know where the heap is. The result affects only the speed. */
static unsigned burst_slot_of(
	const struct burst *b, unsigned port, const struct frame *f)
{
	uint64_t key = (uint64_t)(uintptr_t)b * UINT64_C(0x9e3779b97f4a7c15);

	return (unsigned)mul64_hash_pair(key, f->src.b, f->group.b, port) % INDEX_SIZE;
}

static bool is_flow(const struct burst_flow *flow, unsigned port, const struct frame *f)
{
	return flow->port == port && addr_eq(&flow->group, &f->group) &&
		addr_eq(&flow->src, &f->src);
}

/* Index of the flow, made when it is new. Half of the slots stay free, so probing
 * ends. */
static unsigned find_flow(struct burst *b, unsigned port, const struct frame *f)
{
	unsigned slot = burst_slot_of(b, port, f);

	while (b->index[slot]) {
		unsigned i = b->index[slot] - 1u;

		if (is_flow(&b->flow[i], port, f))
			return i;
		slot = (slot + 1) % INDEX_SIZE;
	}
	b->flow[b->n_flows] = (struct burst_flow){
		.port = port,
		.slot = slot,
		.src = f->src,
		.group = f->group,
		.first = BURST_MAX,
		.last = BURST_MAX,
	};
	b->index[slot] = (uint16_t)(b->n_flows + 1);
	return b->n_flows++;
}

void burst_add(struct burst *b, unsigned port, const struct frame *f)
{
	unsigned i = b->n_frames, flow;
	struct burst_flow *fl;

	assert(!burst_full(b));
	/* streams come in runs */
	if (i > 0 && is_flow(&b->flow[b->frame[i - 1].flow], port, f))
		flow = b->frame[i - 1].flow;
	else
		flow = find_flow(b, port, f);
	fl = &b->flow[flow];
	b->frame[i] = (struct burst_frame){.f = *f, .flow = flow, .next = BURST_MAX};
	if (fl->n == 0)
		fl->first = i;
	else
		b->frame[fl->last].next = i;
	fl->last = i;
	fl->n++;
	b->n_frames++;
}
