/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * See collect.h. A frame waits until its block is full, then until the thread reads the
 * ring, and then until its burst is sent. The sum of the three stays below the limit.
 * The rings are not watched meanwhile, so the wait also ends before they could fill up.
 */

#include "dataplane/forward/collect.h"
#include "base/minmax.h"

#include <stdbool.h>

/* The parts of a ring that may fill up: at the present rate between two looks, and at
 * 10 Gbit/s until the thread checks how full the ring is. */
#define PART_NOW       8
#define PART_LINK      2
#define LINK_NS_PER_10 8 /* for ten bytes */

/* Below this, going to sleep and waking up cost more than they save. */
#define WORTH_NS 500000

#define RING_MAX  (8u << 20)
#define RING_MIN  (512u << 10) /* four blocks */
#define RING_PART 64	       /* of the memory */

uint32_t collect_ring(uint64_t memory)
{
	uint32_t ring = RING_MAX;

	while (memory && ring > RING_MIN && ring > memory / RING_PART)
		ring /= 2;
	return ring;
}

/* Time in which this many bytes arrive at the rate of the ring. */
static uint64_t time_for(
	const struct collect_ring *r, uint64_t bytes, uint64_t period_ns)
{
	return (uint64_t)((double)bytes * (double)period_ns / (double)r->taken);
}

uint64_t collect_part(uint64_t size)
{
	return size / PART_LINK / 10 * LINK_NS_PER_10;
}

/* The time from one look to the next, t, so that block_ns + t + the time to send the
 * burst stay below 5/4 of the bound. The first frame of a burst has waited for its
 * block, up to block_ns, before t begins. Sending what arrives in a time takes `load`
 * times as long as that time, and the burst may contain a block that came before t. */
static uint64_t time_between_looks(const struct collect_turn *t, uint64_t block_ns)
{
	double load = (double)t->busy_ns / (double)t->period_ns;
	double limit = (double)(t->bound_ns + t->bound_ns / 4) / (1 + load);

	return limit > (double)block_ns ? (uint64_t)limit - block_ns : 0;
}

uint64_t collect_wait(
	const struct collect_turn *t, const struct collect_ring *ring, size_t n)
{
	uint64_t time = t->bound_ns, slowest = 0;
	bool busy = false;

	for (size_t i = 0; i < n; i++) {
		const struct collect_ring *r = &ring[i];
		uint64_t block_ns = time_for(r, r->block, t->period_ns);

		/* otherwise blocks are rare, and their frames have already waited long
		 * enough */
		busy |= block_ns <= t->bound_ns / 2;
		block_ns = min(block_ns, t->bound_ns);
		slowest = max(slowest, block_ns);
		time = min(time, time_for(r, r->size / PART_NOW, t->period_ns));
		if (collect_part(r->size) < WORTH_NS)
			return 0;
	}
	if (!busy)
		return 0;
	time = min(time, time_between_looks(t, slowest));
	return time < t->busy_ns + WORTH_NS ? 0 : time - t->busy_ns;
}
