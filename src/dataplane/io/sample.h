/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Copies of received frames for captures: a data-plane thread writes the first bytes of
 * wanted frames into its own ring, and control takes them out. The wanted frames are
 * described by one struct that control replaces as a whole. A full ring loses the copy
 * and counts it; forwarding never waits.
 */

#include "base/portset.h"
#include "dataplane/io/capfilter.h"
#include "dataplane/packet/frame.h"

#include <stdatomic.h>
#include <urcu-qsbr.h>

/* one more than the number of captures, because a capture may begin before the one that
 * it replaces has ended */
#define SAMPLE_WANTS_MAX 9

/* one capture's wish */
struct sample_want {
	uint32_t id; /* unique; 0 means none */
	struct portset ports;
	struct capfilter filter;
	uint32_t one_of;  /* one of this many matching frames is copied, per thread */
	uint32_t snaplen; /* at least 64 */
};

struct sample_spec {
	struct rcu_head rcu; /* for the owner that publishes it */
	struct sample_want want[SAMPLE_WANTS_MAX];
};

struct sample_spec *sample_spec_new(void); /* NULL when out of memory */
struct sample_spec *sample_spec_free(struct sample_spec *s);
/* copies `want` with its filter; 0, -ENOMEM */
int sample_spec_set(struct sample_spec *s, unsigned i, const struct sample_want *want);

/* a copy; valid until sample_pop() */
struct sample {
	uint64_t time_ns; /* of the kernel's reception, since 1970 */
	unsigned port;
	bool has_l2;
	uint8_t pkttype; /* PACKET_HOST, ... */
	uint32_t caplen, len;
	const uint32_t *id; /* SAMPLE_WANTS_MAX of them; 0 if not wanted by that one */
	const void *data;
};

struct sample_ring;

int sample_ring_new(struct sample_ring **ret); /* 0, -ENOMEM */
struct sample_ring *sample_ring_free(struct sample_ring *r);

/* thread: a frame as received */
void sample_frame(struct sample_ring *r, const struct sample_spec *spec, unsigned port,
	const struct frame_meta *m);

/* control: the oldest copy, if there is one */
bool sample_peek(struct sample_ring *r, struct sample *ret);
void sample_pop(struct sample_ring *r);
/* copies lost to a full ring since the start, by wish and port */
uint64_t sample_lost(struct sample_ring *r, unsigned want, unsigned port);
