/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Delivery to programs of this host that have joined a group on a downstream: frames of
 * a packet socket never reach them. Packets of a raw IP socket with a TTL of 0 do: the
 * kernel loops them back to its members on the interface, and sends none. Needs
 * CAP_NET_RAW. Any thread may use it.
 */

#include "base/addr.h"

#include <sys/uio.h>

struct tx_local;

/* A family that the kernel lacks is left out. 0, or -errno: -EPERM without CAP_NET_RAW,
 * -ENOMEM */
int tx_local_new(struct tx_local **ret);
struct tx_local *tx_local_free(struct tx_local *t); /* takes and returns NULL */

/* as tx_ops.local; `ctx` is the struct tx_local */
void tx_local_send(void *ctx, int ifindex, enum family family, struct iovec iov[2]);

/* Datagrams that were given to the kernel, and those that it refused. Any thread may
 * call it. */
void tx_local_counts(
	const struct tx_local *t, uint64_t *ret_packets, uint64_t *ret_errors);
