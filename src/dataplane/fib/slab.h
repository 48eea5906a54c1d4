/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Objects of one size for one writer, in chunks of memory that never move, which
 * readers may still read after the writer has retired them. Retired objects are free
 * again when the writer reports that a grace period has passed. An empty chunk goes
 * back to the system a grace period (call_rcu) later. Retiring allocates nothing, so it
 * cannot fail.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <urcu/list.h>

struct slab_chunk; /* internal */

struct slab {
	size_t size;
	unsigned n_per_chunk;
	size_t n_live, n_chunks;
	bool walking;
	unsigned now;		     /* list for objects that are retired now */
	size_t n_retired[2];	     /* objects of either list */
	struct slab_chunk *spare;    /* the one chunk that is kept while it is empty */
	struct slab_chunk *draining; /* the chunk that gets no new objects */
	/* lists of chunks: all; those with room; those with retired objects */
	struct cds_list_head all, room, retired[2];
};

/* `size` must be a multiple of 16. If it is a multiple of 64, objects do not share
 * cache lines. */
void slab_init(struct slab *s, size_t size);
/* All readers and call_rcu callbacks must be gone. Zero bytes are a valid argument. */
void slab_deinit(struct slab *s);

/* Returns an object whose contents are not defined, or NULL when out of memory. */
void *slab_alloc(struct slab *s);
/* Frees an object that no reader has seen. */
void slab_free_unseen(struct slab *s, void *obj);
/* Retires an object that no reader can find any more, but that some may still hold. */
void slab_retire(struct slab *s, void *obj);

/* Call slab_swap() when a grace period begins, and slab_collect() when it has ended.
 * One list has the objects that wait for the grace period, and the other one has the
 * objects that are retired meanwhile. */
void slab_swap(struct slab *s);
void slab_collect(struct slab *s);

/* Calls `fn` for all live objects. It may retire any object. */
void slab_walk(struct slab *s, void (*fn)(void *obj, void *arg), void *arg);

/* Calls `fn` for the live objects of one chunk; chunks are counted from 0. Returns
 * false if there is no such chunk. `fn` must not change the slab. If the slab changes
 * between two calls, objects may be missed or visited twice. */
bool slab_walk_part(
	struct slab *s, unsigned chunk, void (*fn)(void *obj, void *arg), void *arg);

/* Returns an object of a chunk that should become empty, or NULL if the memory is well
 * used. Copy it into one from slab_alloc(), and retire it. */
void *slab_sparse(struct slab *s);

size_t slab_bytes(const struct slab *s);
