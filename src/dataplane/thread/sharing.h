/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Data-plane threads help each other. A thread opens a burst for many ports, and
 * threads that have nothing to do take over its ports, one after the other. So several
 * processors can send a stream that is too much for one. The order is kept, because one
 * thread serves a port during a burst, and the next burst begins when all ports of this
 * one are done.
 *
 * No thread waits for a helper: the owner also serves ports, and shares the remaining
 * ones when a helper arrives.
 */

#include "dataplane/forward/replicate.h"

struct sharing;

#define SHARING_MAX	  64  /* threads */
#define SHARING_ALONE_MAX 256 /* bursts in a row without help, at most */

/* Decides whether help pays off. If the processor of a helper is also busy, usually
 * with receiving, the helper can delay the end of the burst by more than its share
 * would have taken. The next bursts are then served alone, twice as many each time. */
struct sharing_trust {
	unsigned alone; /* bursts that still have to be served alone */
	unsigned last;	/* the number with which `alone` began last */
};
/* May the next burst be opened? */
bool sharing_trust_ask(struct sharing_trust *t);
/* Reports on a burst that was opened: the owner served `own` of `all` ports in own_ns,
 * and all ports were served all_ns after it was opened. */
void sharing_trust_judge(struct sharing_trust *t, unsigned own, unsigned all,
	uint64_t own_ns, uint64_t all_ns);

/* Returns 0, -ENOMEM, or -EINVAL for more than SHARING_MAX threads. */
int sharing_new(unsigned n_threads, struct sharing **ret);
/* All threads must have ended. */
struct sharing *sharing_free(struct sharing *c);
/* Sets the eventfd that wakes a thread; it is borrowed. Call it before the thread's
 * first sharing_sleep(). */
void sharing_set_wake(struct sharing *c, unsigned thread, int fd);

/* The owner serves all ports of a job, alone or with helpers. Returns when all are
 * served and no thread refers to the job. `replicator` and `tx` are the thread's
 * own. */
void sharing_serve(struct sharing *c, unsigned thread, const struct replicate_job *job,
	struct replicator *replicator, const struct tx_ops *tx);

/* A helper serves ports of an open job. The job must have been made for this plan,
 * because ports are numbers and the thread's sockets must be those that the owner
 * means. Returns true if it did something. */
bool sharing_help(struct sharing *c, unsigned thread, const struct plan *plan,
	struct replicator *replicator, const struct tx_ops *tx);

/* A thread calls these before and after it waits. sharing_sleep() returns false if a
 * job is open, so that the thread should help first. */
bool sharing_sleep(struct sharing *c, unsigned thread);
void sharing_awake(struct sharing *c, unsigned thread);
