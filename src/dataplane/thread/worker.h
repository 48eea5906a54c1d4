/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * One data-plane thread. It waits for its rings, gathers the blocks that are ready into
 * bursts, lets forward_burst() decide, shares the sending with other threads, and gives
 * the blocks back. Its configuration is one struct that control replaces as a whole;
 * the old one can be freed a grace period after worker_apply().
 */

#include "dataplane/forward/observe.h"
#include "dataplane/io/ring_rx.h"
#include "dataplane/io/sample.h"
#include "dataplane/io/tx_local.h"
#include "dataplane/io/tx_port.h"
#include "dataplane/thread/sharing.h"

/* A ring of one port. Only the thread uses what follows `ring`. */
struct worker_input {
	unsigned port;
	struct ring_rx *ring;
	/* the result of the last look-up of a source MAC */
	uint8_t mac[6];
	bool mac_known, mac_own;
	uint64_t taken; /* bytes of the ring that were taken in this turn */
};

struct worker_config {
	const struct plan *plan;      /* borrowed */
	struct tx_port *tx[PORT_MAX]; /* borrowed; NULL if there is no such port */
	size_t n_inputs;
	struct worker_input input[]; /* rings are borrowed */
};

struct worker;

#define WORKER_ANY_CPU (-1)

struct worker_params {
	unsigned index;		 /* number of the thread */
	struct fib *fib;	 /* borrowed, like sharing */
	struct sharing *sharing; /* all threads */
	struct tx_local *local;	 /* borrowed; NULL if not available */
	/* It can use io_uring. With `choose` it does so where that is cheaper than
	 * sendmmsg(2), else always. */
	bool io_uring, choose;
	enum coalesce_mode coalesce;
	enum quality_mode quality;
	unsigned n_streams;  /* streams that it analyses */
	uint64_t collect_ns; /* the bound of collect.h; 0 if only the kernel collects */
	/* The kernel hands over a frame within this time after its arrival. */
	int64_t handover_ns;
	int cpu;   /* the processor to stay on, or WORKER_ANY_CPU */
	bool idle; /* it has no thread, runs in worker_drain(), and shares no work */
	/* For an idle worker: the workers of all threads, whose frames it sends. They
	 * analyse the streams. Borrowed. */
	struct worker *const *owner;
	unsigned n_owners;
};

/* Starts a thread and waits until it runs. Returns 0, -ENOMEM, or -errno of the thread
 * or of io_uring (if that was requested). */
int worker_new(const struct worker_params *params, struct worker **ret);
/* Stops and joins the thread. `w` may be NULL. Stop all threads before you free the
 * first of them, because they wake each other. */
void worker_stop(struct worker *w);
struct worker *worker_free(struct worker *w);
/* Restarts a stopped thread, if necessary without io_uring. Returns 0 or -errno. */
int worker_start(struct worker *w);
/* Does the work of a worker without a thread (params.idle) in the calling thread, until
 * nothing is ready, but for at most `turns` turns. */
void worker_drain(struct worker *w, struct worker_config *cfg, unsigned turns);

/* Lets a ring wake the thread, which gets the ring with a later worker_apply(). That
 * ends when the ring is closed. Returns 0 or -errno. */
int worker_watch(struct worker *w, const struct ring_rx *ring);
/* Publishes `cfg`, with which the thread works from now on, and wakes the thread. If it
 * is NULL, the thread does nothing. `cfg` is borrowed until a grace period after the
 * next call. */
void worker_apply(struct worker *w, struct worker_config *cfg);

/* Copies frames as `spec` says, or none if it is NULL. `spec` is borrowed until a grace
 * period after the next call. */
void worker_sample(struct worker *w, const struct sample_spec *spec);

/* The results of these functions belong to the worker. See forward.h for the first
 * two. */
const struct refusals *worker_refusals(const struct worker *w);
const struct joined *worker_joined(const struct worker *w);
struct sample_ring *worker_samples(struct worker *w);
/* Returns the quality of its streams, or NULL with QUALITY_MODE_OFF. */
struct quality_watch *worker_quality(const struct worker *w);
struct forward_counters *worker_counters(struct worker *w);
/* Has its io_uring stopped working, so that it sends with sendmmsg(2)? */
bool worker_gave_up_uring(const struct worker *w);
/* Does it send through io_uring at present? */
bool worker_uses_uring(const struct worker *w);
/* Returns the processor that the thread stays on, or WORKER_ANY_CPU if none was
 * requested or if it is not permitted. */
int worker_cpu(const struct worker *w);
uint64_t worker_cpu_ns(const struct worker *w); /* processor time that it has used */
