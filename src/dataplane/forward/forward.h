/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The hot path turns one burst into a job that tells what each port gets. It looks up
 * each flow once, checks source, group state and TTL, rewrites each frame once, and
 * finds the runs that may leave as one. replicate.h makes messages of the job. It takes
 * no lock, allocates nothing, does not log and makes no system call. Pure.
 */

#include "dataplane/fib/fib.h"
#include "dataplane/forward/replicate.h"

struct forward {
	/* what may be joined; the default is COALESCE_ON */
	enum coalesce_mode coalesce;
	/* serves ports of the jobs of this thread and of other threads */
	struct replicator *replicator;
	struct forward_counters counters;
	/* The frames and copies that were not forwarded, by port and verdict. The port
	 * of a copy is its output port. Only frames of groups that could be forwarded
	 * and that a member has asked for are recorded. `at` is a latency_stamp(). */
	struct refusals refusals;
	/* how well the datagrams of each stream could be joined; `at` as above */
	struct joined joined;
	/* the last job */
	struct replicate_flow flow[BURST_MAX];
	struct fib_query query[BURST_MAX]; /* of each flow */
	struct coalesce runs;
	uint64_t oldest, newest; /* see forward_stamps() */
};

/* Returns 0 or -ENOMEM. */
int forward_new(struct forward **ret);
struct forward *forward_free(struct forward *fw);

/* Counts a frame that did not get into a burst because ring or parser refused it, and
 * remembers its group. */
void forward_drop(struct forward *fw, unsigned port, enum verdict why,
	const struct frame_meta *meta);

/* Decides on all frames of a burst and rewrites those that leave. It sends nothing:
 * *ret_job says what each port gets, and replicate_serve_all() or sharing_serve() sends
 * it. The job refers to the burst, the plan and `fw` until burst_clear() or the next
 * call. `fib`, and `tx`, which says what ports can take, are borrowed for the call. */
void forward_burst(struct forward *fw, struct burst *b, const struct plan *plan,
	struct fib *fib, const struct tx_ops *tx, struct replicate_job *ret_job);

/* Returns the receive time stamps of the oldest and of the newest frame of the last
 * job, or false if the job sends nothing. */
bool forward_stamps(
	const struct forward *fw, uint64_t *ret_oldest, uint64_t *ret_newest);
