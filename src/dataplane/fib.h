/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Forwarding table: (instance, S, G) and (instance, *, G) -> set of ports. One writer
 * (the control thread), many readers (data-plane threads) without locks: liburcu's hash
 * table with QSBR. Output sets are immutable and interned; a membership change is one
 * atomic store of a pointer. Control resolves everything: an (S,G) entry exists only
 * where a source is named and holds the final set for that source; a (*,G) entry exists
 * for every known group, possibly with an empty set. Traffic creates no state.
 *
 * Threads: the writer and every reader are registered with urcu-qsbr. Readers may use
 * what fib_lookup returned until their next quiescent state.
 */

#include "base/addr.h"
#include "base/portset.h"

#include <stdatomic.h>

struct fib;

/* Per entry and data-plane thread; written by that thread alone, read by control. */
struct fib_counter {
	_Atomic uint64_t packets, bytes; /* received and accepted */
	_Atomic uint64_t wrong;		 /* refused: source not allowed here */
	_Atomic uint32_t last_port;	 /* input port of the last packet */
	/* last source seen, as two words; torn reads are possible and harmless */
	_Atomic uint64_t last_src[2];
};

struct fib_outset {
	struct portset ports;
	unsigned n_ports;
	/* writer only */
	size_t refs;
	struct fib_outset *next;
};

struct fib_entry; /* opaque; borrowed until the next quiescent state */

/* Writer side. `n_threads` is the number of data-plane threads (counters per entry). */
int fib_new(unsigned n_threads, uint64_t seed, struct fib **ret);
struct fib *fib_free(struct fib *fib); /* no reader is left; returns NULL */

/* Add or change; source unspecified means (*,G). 0 or -ENOMEM. */
int fib_set(struct fib *fib, unsigned instance, const struct addr *source,
	const struct addr *group, const struct portset *out);
/* no-op when there is none */
void fib_del(struct fib *fib, unsigned instance, const struct addr *source,
	const struct addr *group);
size_t fib_size(const struct fib *fib);

struct fib_view {
	unsigned instance;
	struct addr source, group; /* source unspecified: (*,G) */
	struct portset out;
	uint64_t packets, bytes, wrong;
	bool seen; /* a packet has used the entry */
	struct addr last_source;
	unsigned last_port;
};
/* Walk all entries in no particular order (control thread). */
void fib_walk(
	struct fib *fib, void (*fn)(const struct fib_view *v, void *arg), void *arg);

/* Reader side. (S,G), else (*,G), else NULL: nobody knows the group. *ret_out is the
 * set to use. A reader calls tsan_let_go() (tsan.h) before each quiescent state. */
struct fib_entry *fib_lookup(struct fib *fib, unsigned instance,
	const struct addr *source, const struct addr *group,
	const struct fib_outset **ret_out);
/* what `thread` has counted on the entry */
struct fib_counter *fib_counter(struct fib_entry *e, unsigned thread);
