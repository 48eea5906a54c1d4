/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The event loop of the control thread. A round is: sleep until a descriptor or the
 * deadline is ready, read the clock once, call the callbacks, tick when the deadline is
 * due, end the round. All other code gets the round's `now`. Rounds that follow each
 * other quickly are delayed by up to half a millisecond, so that they gather input.
 */

#include "base/mono.h"

#include <sys/epoll.h>

struct loop;

/* A watched descriptor, embedded in its owner. The owner removes the descriptor from
 * the loop before closing it. */
struct loop_fd {
	int fd;
	void (*fn)(
		struct loop_fd *f, uint32_t events); /* EPOLLIN, EPOLLOUT, EPOLLERR.. */
	struct loop *loop; /* NULL if not in a loop; set by loop_add */
};

/* All hooks may be NULL. */
struct loop_ops {
	mono_t (*deadline)(void *ctx);	     /* when tick is wanted; called in each
					      * round */
	void (*tick)(void *ctx, mono_t now); /* the deadline is due; must move it */
	void (*round_end)(void *ctx, mono_t now); /* execute what the round decided */
	void (*signal)(void *ctx, int signo);	  /* SIGHUP SIGTERM SIGINT SIGUSR1 */
	void (*before_sleep)(void *ctx);	  /* before any wait, even a short
						   * one */
	void (*after_sleep)(void *ctx);
	/* The process did not run for `ms`, see LOOP_GAP_MS. Messages of that time are
	 * lost. */
	void (*resumed)(void *ctx, mono_t now, int64_t ms);
	void *ctx;
};

/* If the process is stopped, or its machine is suspended or moved, for longer than
 * this, the loop's clock skips the gap. Otherwise all timers would expire at once
 * although no message could be received. */
#define LOOP_GAP_MS 10000

/* Catches the four signals until loop_free, so there is one loop in a process. `ops` is
 * copied. 0 or -errno. */
int loop_new(const struct loop_ops *ops, struct loop **ret_loop);
struct loop *loop_free(
	struct loop *l); /* takes and returns NULL; no fd is left in it */

/* All of these are allowed in callbacks, even for descriptors with pending events of
 * the same round. They return 0 or -errno; loop_del does nothing for a descriptor that
 * is not in a loop. */
int loop_add(struct loop *l, struct loop_fd *f, uint32_t events);
int loop_change(struct loop_fd *f, uint32_t events);
void loop_del(struct loop_fd *f);

mono_t loop_now(const struct loop *l); /* of this round */
/* Present time in nanoseconds since some point, to measure what a piece of work
 * costs. */
int64_t loop_stopwatch(void);
/* The same in terms of the system's CLOCK_MONOTONIC, for system calls. */
mono_t loop_system_now(const struct loop *l);
void loop_stop(struct loop *l);	 /* loop_run returns after this round */
void loop_hurry(struct loop *l); /* more work is waiting, so the next round comes at
				  * once */

int loop_round(struct loop *l); /* 0 or -errno */
int loop_run(struct loop *l);	/* rounds until loop_stop; 0 or -errno */
