/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The output sets of the forwarding table. Sets are immutable, and equal sets are one
 * object. The writer counts references and retires a set that has none.
 */

#include "dataplane/fib/fib.h"
#include "dataplane/fib/fib_hash.h"
#include "dataplane/fib/fib_index.h"
#include "dataplane/fib/slab.h"

struct fib_outsets {
	struct slab slab;
	struct fib_index index;
	const struct fib_secret *secret;
};

/* `secret` is borrowed. Returns 0 or -ENOMEM. */
int fib_outsets_init(struct fib_outsets *os, const struct fib_secret *secret);
/* All readers and call_rcu callbacks must be gone. Zero bytes are a valid argument. */
void fib_outsets_deinit(struct fib_outsets *os);

/* Returns a reference to the set with these ports, or NULL when out of memory. The
 * caller gives it back with fib_outsets_put(). */
struct fib_outset *fib_outsets_get(struct fib_outsets *os, const struct portset *ports);
void fib_outsets_put(struct fib_outsets *os, struct fib_outset *set);
