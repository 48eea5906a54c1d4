/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * See collect.h. A frame waits until its block is full, and then until the thread
 * looks: the sum of both is kept below the bound. The rings are not watched meanwhile,
 * so the wait also ends before they could fill up, at the present rate and at the full
 * rate of a link.
 */

#include "dataplane/forward/collect.h"

#define BLOCK_MAX (512u * 1024)
#define BLOCK_MIN (128u * 1024) /* the longest super-frame fits, with room */
#define N_BLOCKS  16u		/* at least, where the ring is large enough */

/* Part of a ring that may fill at the present rate while the thread does not look, and
 * at the rate of a link of 10 Gbit/s. */
#define PART_NOW       8
#define PART_LINK      2
#define LINK_NS_PER_10 8 /* for ten bytes */

/* Below this, going to sleep and waking up cost more than they save. */
#define WORTH_NS 500000

#define RING_MAX  (8u << 20)
#define RING_MIN  (512u << 10) /* four of the smallest blocks */
#define RING_PART 64	       /* of the memory */

uint32_t collect_ring(uint64_t memory)
{
	uint32_t ring = RING_MAX;

	while (memory && ring > RING_MIN && ring > memory / RING_PART)
		ring /= 2;
	return ring;
}

uint32_t collect_block(uint32_t ring)
{
	uint32_t block = BLOCK_MAX;

	while (block > BLOCK_MIN && ring / block < N_BLOCKS)
		block /= 2;
	return block;
}

/* Time in which this many bytes arrive at the rate of the ring. */
static uint64_t time_for(
	const struct collect_ring *r, uint64_t bytes, uint64_t period_ns)
{
	return (uint64_t)((double)bytes * (double)period_ns / (double)r->taken);
}

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

uint64_t collect_wait(uint64_t bound_ns, uint64_t period_ns,
	const struct collect_ring *ring, size_t n)
{
	uint64_t wait = bound_ns;

	if (n == 0)
		return 0;
	for (size_t i = 0; i < n; i++) {
		const struct collect_ring *r = &ring[i];
		uint64_t block_ns = time_for(r, r->block, period_ns);

		/* its blocks come seldom, so their frames have waited already */
		if (block_ns > bound_ns / 2)
			return 0;
		wait = least(wait, bound_ns - block_ns);
		wait = least(wait, time_for(r, r->size / PART_NOW, period_ns));
		wait = least(wait, r->size / PART_LINK / 10 * LINK_NS_PER_10);
	}
	return wait < WORTH_NS ? 0 : wait;
}
