/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Grace periods of liburcu without a sudden end: rcu_barrier() ends the process where
 * there is no memory.
 */

/* Wait until the callbacks are done that this thread has handed to call_rcu() so far.
 * Needs no memory. The thread counts as offline meanwhile. */
void grace_barrier(void);
