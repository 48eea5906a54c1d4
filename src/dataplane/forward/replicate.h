/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The last step of the hot path: the copies of a burst for one output port. Threshold
 * and MTU of the port, a link header for each message, super-frames if the port takes
 * them, otherwise single datagrams or fragments. Memory for headers and fragments is
 * per thread; the burst, its runs and flows are only read, so that several threads may
 * serve different ports of one burst. Pure.
 */

#include "base/refusals.h"
#include "dataplane/forward/coalesce.h"
#include "dataplane/forward/plan.h"
#include "dataplane/packet/counters.h"
#include "dataplane/packet/tx.h"

struct replicate_flow {
	struct portset out; /* ports that get it; empty if it goes nowhere */
	uint16_t n_ports;   /* in `out` */
	uint16_t first_run, n_runs;
};

/* The decisions on a burst, which the ports share; made by forward_burst(). */
struct replicate_job {
	struct portset ports; /* that get something */
	uint64_t due;	      /* copies: datagrams, once per port */
	const struct burst *burst;
	const struct coalesce *runs;
	const struct replicate_flow *flow; /* as many as burst->n_flows */
	const struct plan *plan;
};

struct replicator;

/* `counters` and `refusals` are those of the thread, borrowed. 0 or -ENOMEM. */
int replicate_new(struct forward_counters *counters, struct refusals *refusals,
	struct replicator **ret);
struct replicator *replicate_free(struct replicator *c); /* takes and returns NULL */

/* Hands a port its copies of all flows, in the order of their runs (coalesce.h). */
void replicate_serve(struct replicator *c, const struct replicate_job *job,
	unsigned port, const struct tx_ops *tx);
/* Each of job->ports, then replicate_flush(). */
void replicate_serve_all(
	struct replicator *c, const struct replicate_job *job, const struct tx_ops *tx);
/* When it returns, everything is with the kernel, and the job is no longer
 * referenced. */
void replicate_flush(struct replicator *c, const struct tx_ops *tx);
