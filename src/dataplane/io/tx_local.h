/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Delivery to programs of this host that have joined a group on a downstream. Frames
 * that we send on a packet socket never reach them. Packets of a raw IP socket with a
 * TTL of 0 do, because the kernel loops them back to the members of this host on the
 * interface and does not send them. Needs CAP_NET_RAW. Any thread may use it.
 */

#include "base/addr.h"

#include <sys/uio.h>

struct tx_local;

/* A family that the kernel lacks is left out. Returns 0, -EPERM without CAP_NET_RAW,
 * -ENOMEM, or another -errno. */
int tx_local_new(struct tx_local **ret);
struct tx_local *tx_local_free(struct tx_local *t);

/* The function for tx_ops.local. `ctx` is the struct tx_local. */
void tx_local_send(void *ctx, int ifindex, enum family family, struct iovec iov[2]);

/* Returns the number of datagrams that were given to the kernel, and of those that it
 * refused. */
void tx_local_counts(
	const struct tx_local *t, uint64_t *ret_packets, uint64_t *ret_errors);
