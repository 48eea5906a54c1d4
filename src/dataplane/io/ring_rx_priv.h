/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Declarations that the two kinds of receive ring share, see ring_rx.h. Internal to
 * ring_rx*.c.
 *
 * The memory of a ring is an array of slots: blocks that the kernel packs (TPACKET_V3,
 * ring_rx_v3.c), or single frames (TPACKET_V2, ring_rx_v2.c).
 */

#include "dataplane/io/ring_rx.h"
#include "dataplane/packet/tx.h"

#include <linux/if_packet.h>
#include <stdatomic.h>

struct ring_rx_ops;
struct ring_copies;

struct ring_rx {
	const struct ring_rx_ops *ops;
	int fd;
	int fanout;
	uint16_t ethertype;
	bool has_l2;
	bool offload;
	uint8_t *map;
	size_t map_len;
	uint32_t slot_size, n_slots;
	_Atomic bool on_hold;
	bool is_short; /* the kernel lacked the requested memory */
	/* Only the thread uses the rest; other threads read `taken`. */
	uint32_t next;		    /* the slot to look at next */
	uint32_t n_held;	    /* slots before it that the thread holds */
	_Atomic uint64_t taken;	    /* frames of all blocks so far */
	struct ring_copies *copies; /* TPACKET_V2 */
};

struct ring_rx_ops {
	int version; /* value of PACKET_VERSION */
	/* Makes the ring of the socket, which is not yet mapped, and sets r->slot_size.
	 * Returns 0 or -errno. */
	int (*set_up)(struct ring_rx *r, const struct ring_rx_params *p);
	/* Allocates what the ring of another process needs in addition to the kernel's
	 * memory. Returns 0 or -ENOMEM. */
	int (*adopt)(struct ring_rx *r);
	void (*tear_down)(struct ring_rx *r);
	bool (*peek)(struct ring_rx *r, struct ring_block *ret);
	/* Called only while b->n_frames is not 0. */
	void (*next)(struct ring_rx *r, struct ring_block *b, struct frame_meta *ret);
	void (*release)(struct ring_rx *r, const struct ring_block *b);
	/* Does the slot belong to the thread and not to the kernel? Any thread may
	 * ask. */
	bool (*is_full)(const struct ring_rx *r, uint32_t index);
};

extern const struct ring_rx_ops ring_rx_v2, ring_rx_v3;

/* Makes PACKET_RX_RING with about `size` bytes in blocks of `block` bytes. If the
 * kernel lacks the memory, both become smaller, but a block not smaller than block_min.
 * The sizes of blocks and frames are powers of two. Only a V3 ring has a retire time.
 * Returns 0 or -errno; g->block is the size that was used. */
struct ring_geometry {
	uint32_t size, block, block_min, frame, retire_ms;
};
int ring_rx_request(struct ring_rx *r, struct ring_geometry *g);

/* What both kinds of frame header say about a frame. */
struct ring_frame {
	uint8_t *mac; /* start of the link header */
	uint32_t l2_len;
	uint32_t caplen, len; /* bytes from `mac` on: that were captured, and all */
	uint32_t status;
	uint16_t vlan_tci;
	uint8_t pkttype;
	uint32_t sec, nsec; /* when it was received, by CLOCK_REALTIME */
};
void ring_rx_describe(
	const struct ring_rx *r, const struct ring_frame *f, struct frame_meta *ret);

static inline uint32_t ring_rx_oldest(const struct ring_rx *r)
{
	return (r->next + r->n_slots - r->n_held) % r->n_slots;
}

static inline void ring_rx_take(struct ring_rx *r, uint32_t n)
{
	r->next = r->next + n == r->n_slots ? 0 : r->next + n;
	r->n_held += n;
}
