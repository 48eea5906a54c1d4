/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * A receive ring: the frames of one protocol that arrive on one interface. Control
 * opens and closes it and reads its statistics, one data-plane thread takes blocks from
 * it. A block is the unit of ownership: everything in it may be read and written from
 * ring_rx_peek() to ring_rx_release().
 *
 * The kernel hands over blocks (TPACKET_V3) or single frames (TPACKET_V2); then a block
 * is a run of frames.
 */

#include "dataplane/packet/frame.h"

#include <linux/filter.h>

struct ring_rx;

/* A block of 64 KiB would cut off the longest super-frame. Larger blocks and a longer
 * time save wake-ups at hundreds of thousands of frames per second, at the price of
 * latency. */
#define RING_RX_BLOCK	      (128u * 1024)
#define RING_RX_BLOCK_PATIENT (512u * 1024)

#define RING_RX_NO_FANOUT  (-1)
#define RING_RX_NEW_FANOUT (-2)

enum ring_rx_kind {
	RING_RX_BLOCKS = 1, /* TPACKET_V3 */
	RING_RX_FRAMES,	    /* TPACKET_V2: each frame at once, more wake-ups */
};

/* How all rings work: wishes before ring_rx_probe(), then what the kernel grants. */
struct ring_rx_mode {
	enum ring_rx_kind kind;
	/* TPACKET_V3: bytes of a block, and the period of the timer that hands over one
	 * with frames in it. 0: RING_RX_BLOCK, 1 */
	uint32_t block, retire_ms;
	bool offload;  /* super-frames are described: frame_meta.gso_size */
	bool fanout;   /* several rings share the frames of an interface */
	char why[160]; /* which wishes were refused, or "" */
};
void ring_rx_probe(struct ring_rx_mode *m);

struct ring_rx_params {
	int ifindex;
	enum family family;
	bool has_l2;
	uint32_t mtu;
	uint32_t size; /* bytes; less if the kernel lacks the memory */
	const struct ring_rx_mode *mode;
	const struct sock_fprog *filter;
	int fanout; /* RING_RX_NO_FANOUT, RING_RX_NEW_FANOUT or the id of a group */
	unsigned spread; /* of a new group: rings that the flows are spread over */
};

/* Opens and starts a ring. Returns 0, or -errno of the call that failed: -EPERM without
 * CAP_NET_RAW, -ENODEV, -ENOMEM, -EINVAL (fanout on an interface that is down). */
int ring_rx_open(const struct ring_rx_params *params, struct ring_rx **ret);
struct ring_rx *ring_rx_close(struct ring_rx *r); /* takes and returns NULL */

int ring_rx_fd(const struct ring_rx *r);
int ring_rx_fanout(const struct ring_rx *r); /* id of its group */
/* Is the socket still attached to that interface? False after the interface was
 * deleted. */
bool ring_rx_is_on(const struct ring_rx *r, int ifindex);

/* Of the kernel, since the last call; packets include drops. */
struct ring_rx_stats {
	uint32_t packets, drops, freezes;
};
void ring_rx_stats(struct ring_rx *r, struct ring_rx_stats *ret);

/* Bytes of the ring and of one of its blocks. */
void ring_rx_size(const struct ring_rx *r, uint64_t *ret_ring, uint32_t *ret_block);

/* How full the ring is: `full` of `looked` sampled slots wait for the thread. */
struct ring_rx_fill {
	uint32_t full, looked;
	size_t bytes; /* of the whole ring */
};
void ring_rx_fill(const struct ring_rx *r, struct ring_rx_fill *ret);
/* The bytes of a ring that is smaller than it should be because the kernel lacked the
 * memory, or 0 if it has its full size. */
size_t ring_rx_short(const struct ring_rx *r);

struct ring_block {
	uint8_t *next;		 /* frame header */
	uint32_t n_frames;	 /* left to walk */
	uint32_t index, n_slots; /* in the ring */
	uint32_t used;		 /* bytes of the ring that the frames take */
	bool timeout;		 /* handed over by the timer, not because it is full */
};

/* The next block that is ready, if any. Several may be held. */
bool ring_rx_peek(struct ring_rx *r, struct ring_block *ret);
/* frames of all blocks that were taken */
uint64_t ring_rx_taken(const struct ring_rx *r);
/* Is more than half of the ring held, so that the kernel may soon have no room to
 * write? */
bool ring_rx_is_scarce(const struct ring_rx *r);
/* Is more than a quarter of the ring ready? Call it only while no block is held. */
bool ring_rx_is_filling(const struct ring_rx *r);
/* Walk the frames of a block; false at its end. */
bool ring_rx_next(struct ring_rx *r, struct ring_block *b, struct frame_meta *ret);
/* Give a block back; in the order of ring_rx_peek(). */
void ring_rx_release(struct ring_rx *r, const struct ring_block *b);

/* Fetch and clear the pending error of the socket; until then poll reports POLLERR. */
int ring_rx_clear_error(struct ring_rx *r);

/* ---- live upgrade: the socket goes to another process, which maps the same memory
 * ---- */

struct ring_rx_place {
	uint32_t slot_size, n_slots;
	uint32_t next; /* next slot to read; no block is held */
};
void ring_rx_place(const struct ring_rx *r, struct ring_rx_place *ret);
/* Takes over a socket that is as `params` would make it, ignoring `size` and `fanout`.
 * On failure `fd` stays the caller's: -EINVAL if the socket is different, or another
 * -errno. */
int ring_rx_adopt(int fd, const struct ring_rx_params *params,
	const struct ring_rx_place *at, struct ring_rx **ret);

/* Forbids or allows taking blocks from the ring; from any thread. */
void ring_rx_hold(struct ring_rx *r, bool hold);
/* Directs all frames of a group to one of its rings, or spreads them over the first n
 * again. When it returns 0, no frame goes where it went before. 0 or -errno. */
int ring_rx_divert(const struct ring_rx *r, unsigned index);
int ring_rx_spread(const struct ring_rx *r, enum family family, unsigned n);
/* Make a group of a ring that is in none. 0 or -errno. */
int ring_rx_gather(struct ring_rx *r, enum family family);
