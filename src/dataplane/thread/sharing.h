/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Data-plane threads that help each other: a thread with a burst for many ports opens
 * it, threads that have nothing to do take ports of it, one after the other. A stream
 * that is too much for one processor is spread by ports, and order is kept: a port has
 * one thread during a burst, and the next burst of the thread begins when all ports of
 * this one are done.
 *
 * No thread waits for a helper: the owner also serves ports, and shares the remaining
 * ones when a helper arrives.
 */

#include "dataplane/forward/replicate.h"

struct sharing;

#define SHARING_MAX	  64  /* threads */
#define SHARING_ALONE_MAX 256 /* bursts */

/* Whether help has paid off. A helper whose processor is also busy, usually with
 * receiving, can delay the end of the burst by more than its share would have taken.
 * Then the next bursts are served alone, twice as many each time. */
struct sharing_trust {
	unsigned alone; /* bursts to come without help */
	unsigned last;	/* how many they were */
};
/* May the next burst be opened? */
bool sharing_trust_ask(struct sharing_trust *t);
/* An opened burst: the owner served `own` of `all` ports in own_ns, and waited until
 * all_ns had passed since the burst was opened. */
void sharing_trust_judge(struct sharing_trust *t, unsigned own, unsigned all,
	uint64_t own_ns, uint64_t all_ns);

/* 0, -ENOMEM, -EINVAL for more than SHARING_MAX */
int sharing_new(unsigned n_threads, struct sharing **ret);
struct sharing *sharing_free(
	struct sharing *c); /* takes and returns NULL; no thread is left */
/* The eventfd that wakes a thread; before the thread's first sharing_sleep(). */
void sharing_set_wake(struct sharing *c, unsigned thread, int fd);

/* Owner: serve all ports of a job, alone or with helpers; returns when all are served
 * and no thread refers to the job. `replicator` and `tx` are the thread's own. */
void sharing_serve(struct sharing *c, unsigned thread, const struct replicate_job *job,
	struct replicator *replicator, const struct tx_ops *tx);

/* Helper: serves ports of an open job if it was made for this plan, because ports are
 * numbers and the thread's sockets must be those that the owner means. Returns true if
 * it did something. */
bool sharing_help(struct sharing *c, unsigned thread, const struct plan *plan,
	struct replicator *replicator, const struct tx_ops *tx);

/* Around a thread's wait. Returns false if a job is open, so that the thread should
 * help first. */
bool sharing_sleep(struct sharing *c, unsigned thread);
void sharing_awake(struct sharing *c, unsigned thread);
