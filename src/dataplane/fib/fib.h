/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Forwarding table: (instance, S, G) and (instance, *, G) -> set of ports. One writer
 * (the control thread), many readers (data-plane threads) without locks, liburcu's QSBR
 * for removed memory. Output sets are immutable and interned; a membership change is
 * one atomic store. Control resolves everything: an (S,G) entry exists only if a source
 * is named and holds the final set for that source; a (*,G) entry exists for every
 * known group, possibly with an empty set. Traffic creates no state.
 *
 * A lookup gives a set that was the one for (S,G) at some moment during the call, also
 * while the writer changes both entries of the group.
 *
 * Threads: the writer and every reader are registered with urcu-qsbr. Readers may use
 * what fib_lookup returned until their next quiescent state.
 *
 * Memory: 64 bytes per entry, counters included, 48 per different set, and 13 to 53 of
 * index per entry and per set. It comes from mmap(2), and unused memory goes back to
 * the system.
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

/* Writer side. `n_threads` is the number of data-plane threads. */
int fib_new(unsigned n_threads, uint64_t seed, struct fib **ret);
struct fib *fib_free(struct fib *fib); /* no reader is left; returns NULL */

/* Add or change; source unspecified means (*,G). 0, -ENOMEM, or -ENOSPC: above one of
 * the two limits. On failure nothing has changed. Each call does a bounded part of what
 * growing and shrinking needs, and none waits for readers. */
int fib_set(struct fib *fib, unsigned instance, const struct addr *source,
	const struct addr *group, const struct portset *out);
/* does nothing if there is none */
void fib_del(struct fib *fib, unsigned instance, const struct addr *source,
	const struct addr *group);
size_t fib_size(const struct fib *fib);
size_t fib_bytes(const struct fib *fib); /* memory of the table, by the page */

struct fib_view {
	unsigned instance;
	struct addr source, group; /* source unspecified: (*,G) */
	struct portset out;
	uint64_t packets, bytes; /* received and accepted */
	uint64_t wrong; /* refused: source not allowed here; at most 2^32 - 1 */
	bool seen;	/* a packet has used the entry */
	struct addr last_source;
	unsigned last_port;
	uint32_t last_s; /* when, see fib_age_s() */
};
/* Seconds from the last packet of the entry until `now_s`, seconds since 1970. Valid
 * for some months; -1 if there was no packet, or the clock was set back meanwhile. */
int32_t fib_age_s(const struct fib_view *v, uint64_t now_s);
/* Walk all entries in no particular order (control thread). `fn` may delete any. */
void fib_walk(
	struct fib *fib, void (*fn)(const struct fib_view *v, void *arg), void *arg);

/* The same in bounded parts, counted from 0; returns false if there is no such part.
 * `fn` deletes nothing. An entry that changes between two parts may be missed or
 * visited twice. */
bool fib_walk_part(struct fib *fib, unsigned part,
	void (*fn)(const struct fib_view *v, void *arg), void *arg);

/* The same in parts between which anything may change: an entry that is there all the
 * time is visited once, any other at most once. All zero is the beginning. A step looks
 * at one bucket, a handful of entries at most. */
struct fib_cursor {
	uint64_t at;
	bool end;
};
void fib_step(struct fib *fib, struct fib_cursor *c,
	void (*fn)(const struct fib_view *v, void *arg), void *arg);
/* One entry (control thread); returns false if there is none. */
bool fib_read(const struct fib *fib, unsigned instance, const struct addr *source,
	const struct addr *group, struct fib_view *ret);

/* Reader side. Finds (S,G), else (*,G), else NULL for an unknown group. *ret_out is the
 * set to use. A reader calls tsan_let_go() (tsan.h) before each quiescent state. */
struct fib_entry *fib_lookup(struct fib *fib, unsigned instance,
	const struct addr *source, const struct addr *group,
	const struct fib_outset **ret_out);

/* Many at once: the memory accesses of all of them overlap, so the flows of a burst
 * cost a fraction of single lookups as soon as the table is bigger than the near
 * caches. Fill in the first three members; the pointers are borrowed for the call. `n`
 * may be any number; the gain is greatest from 16 on. */
struct fib_query {
	const struct addr *source, *group;
	unsigned instance;
	struct fib_entry *entry;      /* result of fib_lookup() */
	const struct fib_outset *out; /* NULL without an entry */
};
void fib_lookup_burst(struct fib *fib, struct fib_query *q, unsigned n);

/* Count packets that were accepted, as the last ones from `source` and `port`, received
 * at `seconds` since 1970. Any reader, any entry it holds. Counts are lost if the
 * writer moves the entry at that moment to save memory. */
void fib_count(struct fib *fib, struct fib_entry *e, uint64_t packets, uint64_t bytes,
	const struct addr *source, unsigned port, uint32_t seconds);
/* Count packets that were refused: their source is not allowed at the port. */
void fib_count_wrong(struct fib_entry *e, uint64_t packets);
