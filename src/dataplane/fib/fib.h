/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The forwarding table maps (instance, S, G) and (instance, *, G) to a set of ports. It
 * has one writer (the control thread) and many readers (data-plane threads) without
 * locks; liburcu's QSBR protects removed memory. Output sets are immutable and shared,
 * so a membership change is one atomic store. Control computes the final sets. An (S,G)
 * entry exists only if a host names the source. A (*,G) entry exists for every known
 * group, possibly with an empty set. Traffic creates no state.
 *
 * The result of a lookup was the set for (S,G) at some moment during the call, even if
 * the writer changes both entries of the group meanwhile.
 *
 * Threads: the writer and every reader are registered with urcu-qsbr. Readers may use
 * what fib_lookup returned until their next quiescent state.
 *
 * Memory: 64 bytes for an entry with its counters, 48 bytes for each different set, and
 * an index of 13 to 53 bytes for each entry and each set. It comes from mmap(2), and
 * unused memory goes back to the system.
 */

#include "base/addr.h"
#include "base/portset.h"

#include <stdatomic.h>

struct fib;

struct fib_outset {
	_Alignas(16) struct portset ports;
	unsigned n_ports;
	uint32_t refs; /* writer only */
};

struct fib_entry; /* opaque; borrowed until the next quiescent state */

#define FIB_INSTANCE_MAX 0x7fff
#define FIB_SOURCES_MAX	 0xfffff /* (S,G) entries of one group */

/* Writer side. `n_threads` is the number of data-plane threads. Returns 0 or
 * -ENOMEM. */
int fib_new(unsigned n_threads, uint64_t seed, struct fib **ret);
struct fib *fib_free(struct fib *fib); /* all readers must be gone */

/* Adds or changes an entry. An unspecified source means (*,G). Returns 0, -ENOMEM, or
 * -ENOSPC above one of the two limits. On failure nothing has changed. Each call does a
 * bounded part of the work of growing and shrinking, and none waits for readers. */
int fib_set(struct fib *fib, unsigned instance, const struct addr *source,
	const struct addr *group, const struct portset *out);
/* Removes an entry, if there is one. */
void fib_del(struct fib *fib, unsigned instance, const struct addr *source,
	const struct addr *group);
size_t fib_size(const struct fib *fib);
size_t fib_bytes(const struct fib *fib); /* memory of the table, in whole pages */

struct fib_view {
	unsigned instance;
	struct addr source, group; /* the source of (*,G) is unspecified */
	struct portset out;
	uint64_t packets, bytes; /* received and accepted */
	/* packets that were refused because their source is not allowed on the input;
	 * at most 2^32 - 1 */
	uint64_t wrong;
	bool seen; /* a packet has used the entry; the rest describes the last one */
	struct addr last_source;
	unsigned last_port;
	uint32_t last_s; /* see fib_age_s() */
};
/* Returns the seconds from the last packet of the entry until `now_s`, which counts
 * from 1970. The result wraps after some months. Returns -1 if there was no packet, or
 * if the clock was set back meanwhile. */
int32_t fib_age_s(const struct fib_view *v, uint64_t now_s);
/* Walks over all entries in no particular order (control thread). `fn` may delete any
 * entry. */
void fib_walk(
	struct fib *fib, void (*fn)(const struct fib_view *v, void *arg), void *arg);

/* Walks in bounded parts, which are counted from 0. Returns false if there is no such
 * part. `fn` must not delete entries. An entry that changes between two parts may be
 * missed or visited twice. */
bool fib_walk_part(struct fib *fib, unsigned part,
	void (*fn)(const struct fib_view *v, void *arg), void *arg);

/* Walks in parts between which anything may change. An entry that exists all the time
 * is visited once, and any other at most once. All zero is the beginning. A step visits
 * one bucket, which has few entries. */
struct fib_cursor {
	uint64_t at;
	bool end;
};
void fib_step(struct fib *fib, struct fib_cursor *c,
	void (*fn)(const struct fib_view *v, void *arg), void *arg);
/* Reads one entry (control thread). Returns false if there is none. */
bool fib_read(const struct fib *fib, unsigned instance, const struct addr *source,
	const struct addr *group, struct fib_view *ret);

/* Reader side. Returns the entry of (S,G), else that of (*,G), else NULL for an unknown
 * group. *ret_out is the set to use. A reader must call tsan_let_go() (tsan.h) before
 * each quiescent state. */
struct fib_entry *fib_lookup(struct fib *fib, unsigned instance,
	const struct addr *source, const struct addr *group,
	const struct fib_outset **ret_out);

/* Looks up many flows at once. Their memory accesses overlap, so the flows of a burst
 * cost a fraction of single lookups as soon as the table is larger than the near
 * caches. Fill in the first three members; the pointers are borrowed for the call. `n`
 * may be any number; the gain is greatest from 16 on. */
struct fib_query {
	const struct addr *source, *group;
	unsigned instance;
	struct fib_entry *entry;      /* result of fib_lookup() */
	const struct fib_outset *out; /* NULL without an entry */
};
void fib_lookup_burst(struct fib *fib, struct fib_query *q, unsigned n);

/* Counts packets that were accepted, and remembers that they came from `source` on
 * `port` at `seconds` since 1970. Any reader may call it for an entry that it holds.
 * The counts are lost if the writer moves the entry at that moment to save memory. */
void fib_count(struct fib *fib, struct fib_entry *e, uint64_t packets, uint64_t bytes,
	const struct addr *source, unsigned port, uint32_t seconds);
/* Counts packets that were refused because their source is not allowed on the port. */
void fib_count_wrong(struct fib_entry *e, uint64_t packets);
