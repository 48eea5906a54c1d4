/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * tx_ops through io_uring: the copies of a burst for all ports in one system call. Only
 * an accelerator: if the kernel or a seccomp profile forbids it, tx_mmsg does the same.
 * Probing fails in a build without liburing.
 */

#include "dataplane/io/tx_port.h"

/* Does the kernel permit a ring, and can the ring be confined to sending? Returns 0, or
 * -errno. */
int tx_uring_probe(void);
/* "io_uring not permitted (EPERM)" and the like for a result of probe or new */
const char *tx_uring_reason(int r);

struct tx_uring;

/* An unused ring; it belongs to the first thread that calls tx_uring_ops(). 0 or
 * -errno. */
int tx_uring_new(struct forward_counters *counters, struct tx_uring **ret);
struct tx_uring *tx_uring_free(struct tx_uring *t);
bool tx_uring_is_started(const struct tx_uring *t); /* it belongs to a thread */
/* False if the ring has broken down at run time, for good. `ports` as in
 * tx_mmsg_ops(). */
bool tx_uring_ops(struct tx_uring *t, struct tx_port *const *ports, struct tx_ops *ret);
