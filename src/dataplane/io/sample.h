/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Copies of received frames for captures. A data-plane thread writes the first bytes of
 * wanted frames into its own ring, and control takes them out. One struct describes the
 * wanted frames, and control replaces it as a whole. If the ring is full, the copy is
 * lost and counted; forwarding never waits.
 */

#include "base/portset.h"
#include "dataplane/io/capfilter.h"
#include "dataplane/packet/frame.h"

#include <stdatomic.h>
#include <urcu-qsbr.h>

/* One more than the number of captures, because a capture may begin before the one that
 * it replaces has ended. */
#define SAMPLE_WANTS_MAX 9

/* one capture's wish */
struct sample_want {
	uint32_t id; /* unique; 0 if the place is free */
	struct portset ports;
	struct capfilter filter;
	uint32_t one_of;  /* each thread copies one of this many matching frames */
	uint32_t snaplen; /* at least 64 */
};

struct sample_spec {
	struct rcu_head rcu; /* for the owner that publishes it */
	struct sample_want want[SAMPLE_WANTS_MAX];
};

struct sample_spec *sample_spec_new(void); /* NULL when out of memory */
struct sample_spec *sample_spec_free(struct sample_spec *s);
/* Copies `want` with its filter. Returns 0 or -ENOMEM. */
int sample_spec_set(struct sample_spec *s, unsigned i, const struct sample_want *want);

/* A copy of a frame. What it points to is valid until sample_pop(). */
struct sample {
	uint64_t time_ns; /* when the kernel received it, since 1970 */
	unsigned port;
	bool has_l2;
	uint8_t pkttype; /* PACKET_HOST, ... */
	uint32_t caplen, len;
	/* the ids of the wishes that it matches, and 0 for the other ones;
	 * SAMPLE_WANTS_MAX of them */
	const uint32_t *id;
	const void *data;
};

struct sample_ring;

/* Returns 0 or -ENOMEM. */
int sample_ring_new(struct sample_ring **ret);
struct sample_ring *sample_ring_free(struct sample_ring *r);

/* The thread calls this for each frame that was received. */
void sample_frame(struct sample_ring *r, const struct sample_spec *spec, unsigned port,
	const struct frame_meta *m);

/* Control reads the oldest copy. Returns false if there is none. */
bool sample_peek(struct sample_ring *r, struct sample *ret);
/* Control drops the oldest copy. */
void sample_pop(struct sample_ring *r);
/* Returns how many copies for a wish and a port were lost since the start, because the
 * ring was full. */
uint64_t sample_lost(struct sample_ring *r, unsigned want, unsigned port);
