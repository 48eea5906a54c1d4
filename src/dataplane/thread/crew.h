/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Data-plane threads that help each other: a thread with a burst for many ports opens
 * it, threads that have nothing to do take ports of it, one after the other. So one
 * stream that is too much for a processor is spread by ports, while order is kept: a
 * port has one thread during a burst, and the next burst of the thread begins when all
 * ports of this one are done.
 *
 * Nobody waits for a helper to come: the owner serves ports as well, and what is left
 * when a helper arrives is shared.
 */

#include "dataplane/forward/copies.h"

struct crew;

#define CREW_MAX       64  /* threads */
#define CREW_ALONE_MAX 256 /* bursts */

/* Whether help has paid. A helper whose processor is busy otherwise, with receiving
 * above all, keeps the owner waiting at the end of the burst for longer than its own
 * share would have taken. Then bursts are served alone, twice as many each time. */
struct crew_trust {
	unsigned alone; /* bursts to come without help */
	unsigned last;	/* how many they were */
};
/* May the next burst be opened? */
bool crew_trust_ask(struct crew_trust *t);
/* An opened burst: the owner served `own` of `all` ports in own_ns, and waited until
 * all_ns had passed since the burst was opened. */
void crew_trust_judge(struct crew_trust *t, unsigned own, unsigned all, uint64_t own_ns,
	uint64_t all_ns);

/* 0, -ENOMEM, -EINVAL for more than CREW_MAX */
int crew_new(unsigned n_threads, struct crew **ret);
struct crew *crew_free(struct crew *c); /* takes and returns NULL; no thread is left */
/* The eventfd that wakes a thread; before the thread's first crew_sleep(). */
void crew_set_wake(struct crew *c, unsigned thread, int fd);

/* Owner: serve all ports of a job, alone or not; returns when all are served and nobody
 * refers to the job. `copies` and `tx` are the thread's own. */
void crew_serve(struct crew *c, unsigned thread, const struct copies_job *job,
	struct copies *copies, const struct tx_ops *tx);

/* Helper: take part in what is open, if it was made for this plan (ports are numbers,
 * and the thread's sockets must be those that the owner means). True: did something. */
bool crew_help(struct crew *c, unsigned thread, const struct plan *plan,
	struct copies *copies, const struct tx_ops *tx);

/* Round a thread's wait. False: something is open, better help first. */
bool crew_sleep(struct crew *c, unsigned thread);
void crew_awake(struct crew *c, unsigned thread);
