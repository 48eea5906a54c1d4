/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Grace periods of liburcu without its sudden ends: where it has no memory or no thread,
 * its own functions for this end the process. Called by dataplane and fib.
 */

/* Start the thread that runs the callbacks of call_rcu(), which the first of them would
 * start otherwise. Call once before, in a thread that liburcu knows. 0, -ENOMEM or
 * -EAGAIN. */
int grace_start(void);

/* Wait until the callbacks are done that this thread has handed to call_rcu() so far.
 * Needs no memory. The thread counts as offline meanwhile. */
void grace_barrier(void);
