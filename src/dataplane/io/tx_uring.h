/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * tx_ops through io_uring: one system call sends the copies of a burst on all ports. It
 * only saves time. If the kernel or a seccomp profile forbids it, tx_mmsg has the same
 * result. Probing fails in a build without liburing.
 */

#include "dataplane/io/tx_port.h"

/* Does the kernel permit a ring, and can the ring be confined to sending? Returns 0, or
 * -errno. */
int tx_uring_probe(void);
/* "io_uring not permitted (EPERM)" and the like for a result of probe or new */
const char *tx_uring_reason(int r);

struct tx_uring;

/* Makes a ring that belongs to the first thread that calls tx_uring_ops(). `counters`
 * is borrowed. Returns 0 or -errno. */
int tx_uring_new(struct forward_counters *counters, struct tx_uring **ret);
struct tx_uring *tx_uring_free(struct tx_uring *t);
/* Does the ring belong to a thread? */
bool tx_uring_is_started(const struct tx_uring *t);
/* Fills in the functions of *ret. `ports` is as for tx_mmsg_ops(). Returns false if the
 * ring has failed while it ran; then it will never work again. */
bool tx_uring_ops(struct tx_uring *t, struct tx_port *const *ports, struct tx_ops *ret);
