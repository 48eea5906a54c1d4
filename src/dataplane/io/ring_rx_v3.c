/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * TPACKET_V3, see ring_rx_priv.h: the kernel packs frames into blocks and hands a block
 * over when it is full or its time is up. That saves wake-ups and memory, but a frame
 * of a stream of low rate waits for the timer.
 */

#include "dataplane/io/ring_rx_priv.h"

#include <unistd.h>

#define FRAME_SIZE 2048u /* V3 packs frames; only checked for consistency */

static int ring_rx_v3_set_up(struct ring_rx *r, const struct ring_rx_params *p)
{
	struct ring_geometry g = {
		.size = p->size,
		.block = p->mode->block ? p->mode->block : RING_RX_BLOCK,
		.block_min = (uint32_t)sysconf(_SC_PAGESIZE),
		.frame = FRAME_SIZE,
		.retire_ms = p->mode->retire_ms ? p->mode->retire_ms : 1,
	};
	int e = ring_rx_request(r, &g);

	r->slot_size = g.block;
	return e;
}

static int ring_rx_v3_adopt(struct ring_rx *r)
{
	return 0;
}

static void ring_rx_v3_tear_down(struct ring_rx *r)
{
}

static struct tpacket_hdr_v1 *block_header(const struct ring_rx *r, uint32_t index)
{
	struct tpacket_block_desc *bd = (void *)(r->map + (size_t)index * r->slot_size);

	return &bd->hdr.bh1;
}

static bool ring_rx_v3_peek(struct ring_rx *r, struct ring_block *ret)
{
	struct tpacket_hdr_v1 *h = block_header(r, r->next);
	/* pairs with the write barrier before the kernel sets TP_STATUS_USER
	 * (prb_close_block): frames and counts are complete */
	uint32_t status = __atomic_load_n(&h->block_status, __ATOMIC_ACQUIRE);

	if (!(status & TP_STATUS_USER))
		return false;
	*ret = (struct ring_block){
		.next = r->map + (size_t)r->next * r->slot_size +
			h->offset_to_first_pkt,
		.n_frames = h->num_pkts,
		.index = r->next,
		.n_slots = 1,
		.used = h->blk_len,
		.timeout = status & TP_STATUS_BLK_TMO,
	};
	ring_rx_take(r, 1);
	return true;
}

static void ring_rx_v3_next(
	struct ring_rx *r, struct ring_block *b, struct frame_meta *ret)
{
	uint8_t *base = b->next;
	const struct tpacket3_hdr *h = (const void *)base;
	const struct sockaddr_ll *sll =
		(const void *)(base + TPACKET_ALIGN(sizeof(*h)));
	struct ring_frame f = {
		.mac = base + h->tp_mac,
		.l2_len = (uint32_t)(h->tp_net - h->tp_mac),
		.caplen = h->tp_snaplen,
		.len = h->tp_len,
		.status = h->tp_status,
		.vlan_tci = (uint16_t)h->hv1.tp_vlan_tci,
		.pkttype = sll->sll_pkttype,
		.sec = h->tp_sec,
		.nsec = h->tp_nsec,
	};

	ring_rx_describe(r, &f, ret);
	b->next = base + h->tp_next_offset;
}

static void ring_rx_v3_release(struct ring_rx *r, const struct ring_block *b)
{
	/* pairs with the kernel's read of the status before it opens the block again
	 * (prb_dispatch_next_block): all our accesses are over */
	__atomic_store_n(&block_header(r, b->index)->block_status, TP_STATUS_KERNEL,
		__ATOMIC_RELEASE);
}

static bool ring_rx_v3_is_full(const struct ring_rx *r, uint32_t index)
{
	uint32_t status = __atomic_load_n(
		&block_header(r, index)->block_status, __ATOMIC_RELAXED);

	return status & TP_STATUS_USER;
}

const struct ring_rx_ops ring_rx_v3 = {
	.version = TPACKET_V3,
	.set_up = ring_rx_v3_set_up,
	.adopt = ring_rx_v3_adopt,
	.tear_down = ring_rx_v3_tear_down,
	.peek = ring_rx_v3_peek,
	.next = ring_rx_v3_next,
	.release = ring_rx_v3_release,
	.is_full = ring_rx_v3_is_full,
};
