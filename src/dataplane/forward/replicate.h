/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The last step of the hot path makes the copies of a burst for one output port. It
 * applies threshold and MTU of the port and writes a link header for each message.
 * Messages are super-frames if the port takes them, otherwise single datagrams or
 * fragments. Each thread has its own memory for headers and fragments. The burst, its
 * runs and its flows are only read, so that several threads may serve different ports
 * of one burst. Pure.
 */

#include "base/refusals.h"
#include "dataplane/forward/coalesce.h"
#include "dataplane/forward/plan.h"
#include "dataplane/packet/counters.h"
#include "dataplane/packet/tx.h"

struct replicate_flow {
	struct portset out; /* ports that get the flow; may be empty */
	uint16_t n_ports;   /* number of ports in `out` */
	uint16_t first_run, n_runs;
};

/* What forward_burst() has decided on a burst. All ports share it. */
struct replicate_job {
	struct portset ports; /* ports that get something */
	uint64_t due;	      /* number of copies: each datagram, for each port */
	const struct burst *burst;
	const struct coalesce *runs;
	const struct replicate_flow *flow; /* as many as burst->n_flows */
	const struct plan *plan;
};

struct replicator;

/* `counters` and `refusals` are those of the thread, and borrowed. Returns 0 or
 * -ENOMEM. */
int replicate_new(struct forward_counters *counters, struct refusals *refusals,
	struct replicator **ret);
struct replicator *replicate_free(struct replicator *c);

/* Hands a port its copies of all flows, in the order of their runs (coalesce.h). */
void replicate_serve(struct replicator *c, const struct replicate_job *job,
	unsigned port, const struct tx_ops *tx);
/* Serves each of job->ports, then calls replicate_flush(). */
void replicate_serve_all(
	struct replicator *c, const struct replicate_job *job, const struct tx_ops *tx);
/* Hands everything to the kernel. Nothing refers to the job any more when it
 * returns. */
void replicate_flush(struct replicator *c, const struct tx_ops *tx);
