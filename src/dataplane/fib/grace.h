/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * A replacement for rcu_barrier() of liburcu, which aborts the process if there is no
 * memory.
 */

/* Waits until the callbacks are done that this thread has passed to call_rcu() so far.
 * Needs no memory. The thread counts as offline meanwhile. */
void grace_barrier(void);
