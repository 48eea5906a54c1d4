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
	/* `events` are those of epoll_wait(2): EPOLLIN, EPOLLOUT, EPOLLERR, ... */
	void (*fn)(struct loop_fd *f, uint32_t events);
	struct loop *loop; /* set by loop_add(); NULL if it is not in a loop */
};

/* All hooks may be NULL. */
struct loop_ops {
	/* Called in each round: when should tick() be called? */
	mono_t (*deadline)(void *ctx);
	/* The deadline is due. Must move it. */
	void (*tick)(void *ctx, mono_t now);
	/* Executes what the round has decided. */
	void (*round_end)(void *ctx, mono_t now);
	/* SIGHUP, SIGTERM, SIGINT or SIGUSR1 has come. */
	void (*signal)(void *ctx, int signo);
	/* Called around every wait, even a short one. */
	void (*before_sleep)(void *ctx);
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

/* Catches the four signals until loop_free(), so a process can have one loop. `ops` is
 * copied. Returns 0 or -errno. */
int loop_new(const struct loop_ops *ops, struct loop **ret_loop);
/* All descriptors must have been removed. */
struct loop *loop_free(struct loop *l);

/* All of these are allowed in callbacks, even for descriptors with pending events of
 * the same round. They return 0 or -errno. loop_add() asks for EPOLLIN, and
 * loop_change() for other events. loop_del() does nothing for a descriptor that is not
 * in a loop. */
int loop_add(struct loop *l, struct loop_fd *f);
int loop_change(struct loop_fd *f, uint32_t events);
void loop_del(struct loop_fd *f);

/* Returns the time of this round, by the loop's clock. */
mono_t loop_now(const struct loop *l);
/* Returns the time of this round by CLOCK_MONOTONIC, for system calls. */
mono_t loop_system_now(const struct loop *l);
/* Lets loop_run() return after this round. */
void loop_stop(struct loop *l);
/* Lets the next round begin at once, because more work waits. */
void loop_hurry(struct loop *l);

int loop_round(struct loop *l); /* runs one round; returns 0 or -errno */
int loop_run(struct loop *l);	/* runs rounds until loop_stop(); returns 0 or -errno */
