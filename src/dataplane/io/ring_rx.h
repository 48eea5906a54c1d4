/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * A receive ring: the frames of one protocol that arrive on one interface. Control
 * opens and closes it and reads its statistics, and one data-plane thread takes blocks
 * from it. The thread owns a block from ring_rx_peek() to ring_rx_release(): it may
 * read and write everything in it.
 *
 * The kernel hands over blocks (TPACKET_V3) or single frames (TPACKET_V2). With single
 * frames, a block is a run of consecutive frames.
 */

#include "dataplane/packet/frame.h"

struct ring_rx;

/* Bytes of a block. A block of 64 KiB would cut off the longest super-frame. Larger
 * blocks and a longer retire time save wake-ups at hundreds of thousands of frames per
 * second, at the price of latency. */
#define RING_RX_BLOCK	      (128u * 1024)
#define RING_RX_BLOCK_PATIENT (512u * 1024)

#define RING_RX_NO_FANOUT  (-1)
#define RING_RX_NEW_FANOUT (-2)

enum ring_rx_kind {
	RING_RX_BLOCKS = 1, /* TPACKET_V3 */
	RING_RX_FRAMES,	    /* TPACKET_V2: no delay of a frame, but more wake-ups */
};

/* How all rings work. The caller fills in its wishes, and ring_rx_probe() replaces
 * those that the kernel does not grant. */
struct ring_rx_mode {
	enum ring_rx_kind kind;
	/* With TPACKET_V3: bytes of a block, and the period of the timer that hands
	 * over a block that is not full. 0 means RING_RX_BLOCK and 1. */
	uint32_t block, retire_ms;
	bool offload;  /* the kernel describes super-frames (frame_meta.gso_size) */
	bool fanout;   /* several rings share the frames of an interface */
	char why[160]; /* text for the log: which wishes were refused, or "" */
};
void ring_rx_probe(struct ring_rx_mode *m);

struct ring_rx_params {
	int ifindex;
	enum family family;
	bool has_l2; /* frames start with an Ethernet header */
	uint32_t mtu;
	uint32_t size; /* bytes of the ring; it gets less if the kernel lacks memory */
	const struct ring_rx_mode *mode;
	int fanout; /* RING_RX_NO_FANOUT, RING_RX_NEW_FANOUT or the id of a group */
	unsigned spread; /* a new group spreads flows over this many rings */
};

/* Opens and starts a ring. Borrows what `params` points to during the call. Returns 0,
 * or -errno of the call that failed: -EPERM without CAP_NET_RAW, -ENODEV, -ENOMEM, or
 * -EINVAL for fanout on an interface that is down. */
int ring_rx_open(const struct ring_rx_params *params, struct ring_rx **ret);
struct ring_rx *ring_rx_close(struct ring_rx *r);

int ring_rx_fd(const struct ring_rx *r);
int ring_rx_fanout(const struct ring_rx *r); /* id of its group or RING_RX_NO_FANOUT */
/* Is the socket still attached to that interface? False after the interface was
 * deleted. */
bool ring_rx_is_on(const struct ring_rx *r, int ifindex);

/* The kernel's counts since the last call. `packets` includes `drops`. */
struct ring_rx_stats {
	uint32_t packets, drops, freezes;
};
void ring_rx_stats(struct ring_rx *r, struct ring_rx_stats *ret);

/* Bytes of the ring and of one of its blocks. */
void ring_rx_size(const struct ring_rx *r, uint64_t *ret_ring, uint32_t *ret_block);

/* How full the ring is: of `looked` sampled slots, `full` wait for the thread. */
struct ring_rx_fill {
	uint32_t full, looked;
	size_t bytes; /* of the whole ring */
};
void ring_rx_fill(const struct ring_rx *r, struct ring_rx_fill *ret);
/* Returns 0 if the ring has the size that was asked for. Otherwise the kernel lacked
 * the memory, and the result is the number of bytes that the ring has. */
size_t ring_rx_short(const struct ring_rx *r);

struct ring_block {
	uint8_t *next;		 /* header of the next frame */
	uint32_t n_frames;	 /* frames left for ring_rx_next() */
	uint32_t index, n_slots; /* first slot in the ring, and number of slots */
	uint32_t used;		 /* bytes of the ring that the frames take */
	bool timeout; /* the timer handed the block over before it was full */
};

/* Takes the next block that is ready. Returns false if none is ready, or if
 * ring_rx_hold() forbids it. The thread may hold several blocks. */
bool ring_rx_peek(struct ring_rx *r, struct ring_block *ret);
/* Returns the number of frames in all blocks that were taken so far. Any thread may
 * call it. */
uint64_t ring_rx_taken(const struct ring_rx *r);
/* Is more than half of the ring held, so that the kernel may soon have no room to
 * write? */
bool ring_rx_is_scarce(const struct ring_rx *r);
/* Is more than a quarter of the ring ready? Call it only while no block is held. */
bool ring_rx_is_filling(const struct ring_rx *r);
/* Describes the next frame of a block, which *ret points into. Returns false at the end
 * of the block. */
bool ring_rx_next(struct ring_rx *r, struct ring_block *b, struct frame_meta *ret);
/* Gives a block back to the kernel. Blocks must be given back in the order in which
 * ring_rx_peek() took them, because a ring that overran waits for exactly its oldest
 * slot. */
void ring_rx_release(struct ring_rx *r, const struct ring_block *b);

/* Returns the pending error of the socket (a positive errno, or 0) and clears it. Until
 * then poll() reports POLLERR. */
int ring_rx_clear_error(struct ring_rx *r);

/* ---- live upgrade: another process gets the socket, and maps the same memory ---- */

struct ring_rx_place {
	uint32_t slot_size, n_slots;
	uint32_t next; /* the oldest slot that was not given back */
};
void ring_rx_place(const struct ring_rx *r, struct ring_rx_place *ret);
/* Takes over a socket that ring_rx_open() could have opened with `params`; `size` and
 * `fanout` are ignored. Returns 0, -EINVAL if the socket is different, or another
 * -errno. On failure the caller still owns `fd`. */
int ring_rx_adopt(int fd, const struct ring_rx_params *params,
	const struct ring_rx_place *at, struct ring_rx **ret);

/* Forbids or allows ring_rx_peek(). Any thread may call it. */
void ring_rx_hold(struct ring_rx *r, bool hold);
bool ring_rx_is_on_hold(const struct ring_rx *r);
/* Directs all frames of the ring's group to one ring of the group, or spreads them over
 * the first n rings again. Returns 0 or -errno. Once it has returned 0, the previous
 * rule has no effect any more. */
int ring_rx_divert(const struct ring_rx *r, unsigned index);
int ring_rx_spread(const struct ring_rx *r, enum family family, unsigned n);
/* Makes a new group of a ring that is in no group. Returns 0 or -errno. */
int ring_rx_gather(struct ring_rx *r, enum family family);
