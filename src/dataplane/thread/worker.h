/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * One data-plane thread: waits for its rings, gathers the blocks that are ready into
 * bursts, lets forward_burst() decide, shares the sending with other threads, and gives
 * the blocks back. Its configuration is one struct that control replaces as a whole;
 * the old one may be freed a grace period after worker_apply().
 */

#include "dataplane/forward/observe.h"
#include "dataplane/io/ring_rx.h"
#include "dataplane/io/sample.h"
#include "dataplane/io/tx_local.h"
#include "dataplane/io/tx_port.h"
#include "dataplane/thread/sharing.h"

/* a ring of one port */
struct worker_input {
	unsigned port;
	struct ring_rx *ring;
	/* thread only: what the last look-up of a source MAC found */
	uint8_t mac[6];
	bool mac_known, mac_own;
	uint64_t taken; /* bytes in this turn */
};

struct worker_config {
	const struct plan *plan;      /* borrowed */
	struct tx_port *tx[PORT_MAX]; /* borrowed; NULL means no such port */
	size_t n_inputs;
	struct worker_input input[]; /* rings are borrowed */
};

struct worker;

#define WORKER_ANY_CPU (-1)

struct worker_params {
	unsigned index;		 /* number of the thread */
	struct fib *fib;	 /* borrowed, like sharing */
	struct sharing *sharing; /* all threads */
	struct tx_local *local;	 /* borrowed; NULL means none */
	bool io_uring;
	enum coalesce_mode coalesce;
	enum quality_mode quality;
	unsigned n_streams;  /* that are analysed */
	uint64_t collect_ns; /* see collect.h; 0 means only the kernel collects */
	int cpu;	     /* to stay on, or WORKER_ANY_CPU */
	bool idle;	     /* no thread, for worker_drain(); shares no work then */
	/* Borrowed, for an idle one: the workers whose frames it sends, of all threads.
	 * They analyse the streams. */
	struct worker *const *owner;
	unsigned n_owners;
};

/* Starts a thread and returns when it runs. Returns 0, -ENOMEM, or -errno of the thread
 * or of io_uring (if that was requested). */
int worker_new(const struct worker_params *params, struct worker **ret);
/* Stops and joins the thread. Takes NULL. All threads are stopped before the first of
 * them is freed: they wake each other. */
void worker_stop(struct worker *w);
struct worker *worker_free(struct worker *w); /* takes and returns NULL */
/* Restarts a stopped thread, if necessary without io_uring. 0 or -errno. */
int worker_start(struct worker *w);
/* For a worker without a thread (params.idle): works in the calling thread until
 * nothing is ready, but for at most this many turns. */
void worker_drain(struct worker *w, struct worker_config *cfg, unsigned turns);

/* A ring that a later worker_apply() hands over will wake the thread. Closing the ring
 * ends it. 0 or -errno. */
int worker_watch(struct worker *w, const struct ring_rx *ring);
/* Publishes `cfg`, with which the thread works from now on, and wakes the thread. `cfg`
 * is borrowed until a grace period after the next call; with NULL the thread does
 * nothing. */
void worker_apply(struct worker *w, struct worker_config *cfg);

/* Copies frames as `spec` says, none if it is NULL. `spec` is borrowed until a grace
 * period after the next call. */
void worker_sample(struct worker *w, const struct sample_spec *spec);
struct sample_ring *worker_samples(struct worker *w);

/* of its forward */
const struct refusals *worker_refusals(const struct worker *w);
const struct joined *worker_joined(const struct worker *w);
/* The quality of its streams, NULL with QUALITY_MODE_OFF. */
struct quality_watch *worker_quality(const struct worker *w);
struct forward_counters *worker_counters(struct worker *w);
/* Has its io_uring stopped working, so that it sends with sendmmsg(2)? */
bool worker_gave_up_uring(const struct worker *w);
/* The processor that the thread stays on, or WORKER_ANY_CPU if none was requested or it
 * is not permitted. */
int worker_cpu(const struct worker *w);
uint64_t worker_cpu_ns(const struct worker *w); /* time it has run */
