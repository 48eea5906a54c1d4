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

struct slab_link {
	struct slab_link *prev, *next;
};

struct slab_chunk; /* internal */

struct slab {
	size_t size;
	unsigned n_per_chunk;
	size_t n_live, n_chunks;
	bool walking;
	unsigned now;		     /* list for objects that are retired now */
	size_t n_retired[2];	     /* of either list */
	struct slab_chunk *spare;    /* the one that may stay without objects */
	struct slab_chunk *draining; /* takes no new objects */
	/* lists of chunks: all; those with room; those with retired objects */
	struct slab_link all, room, retired[2];
};

/* `size` is a multiple of 16; one of 64 keeps each object in a cache line of its
 * own. */
void slab_init(struct slab *s, size_t size);
/* No reader and no call_rcu callback is left. Zero bytes are fine. */
void slab_deinit(struct slab *s);

/* NULL when out of memory. The contents are not defined. */
void *slab_alloc(struct slab *s);
/* Frees an object that no reader has seen. */
void slab_free_unseen(struct slab *s, void *obj);
/* Retires an object that no reader can find any more, but that some may still hold. */
void slab_retire(struct slab *s, void *obj);

/* Objects that wait for the grace period are in one list, objects retired meanwhile in
 * another: slab_swap() begins a grace period, slab_collect() ends it. */
void slab_swap(struct slab *s);
void slab_collect(struct slab *s);

/* All live objects; `fn` may retire any. */
void slab_walk(struct slab *s, void (*fn)(void *obj, void *arg), void *arg);

/* The live objects of one chunk; chunks count from 0. False if there is no such chunk.
 * `fn` changes nothing. If the slab changes between two calls, objects may be missed or
 * visited twice. */
bool slab_walk_part(
	struct slab *s, unsigned chunk, void (*fn)(void *obj, void *arg), void *arg);

/* An object that should be moved (slab_alloc() a new one, retire this one) to empty a
 * chunk, or NULL if the memory is well used. */
void *slab_sparse(struct slab *s);

size_t slab_bytes(const struct slab *s);
