/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Interning of output sets, see fib_outset.h. Thousands of groups share a few hundred
 * sets, and a change of membership is a change of one pointer.
 */

#include "dataplane/fib/fib_outset.h"

static uint64_t hash_ports(const struct fib_secret *secret, const struct portset *p)
{
	return fib_hash_end(secret,
		fib_hash_pair(secret, 0, p->w[0], p->w[1]) ^
			fib_hash_pair(secret, 1, p->w[2], p->w[3]));
}

static uint64_t hash_set(const void *obj, const void *arg)
{
	const struct fib_outsets *os = arg;

	return hash_ports(os->secret, &((const struct fib_outset *)obj)->ports);
}

static bool has_ports(const void *obj, const void *key)
{
	return portset_eq(&((const struct fib_outset *)obj)->ports, key);
}

int fib_outsets_init(struct fib_outsets *os, const struct fib_secret *secret)
{
	os->secret = secret;
	slab_init(&os->slab, sizeof(struct fib_outset));
	return fib_index_init(&os->index, hash_set, os);
}

void fib_outsets_deinit(struct fib_outsets *os)
{
	fib_index_deinit(&os->index);
	slab_deinit(&os->slab);
}

struct fib_outset *fib_outsets_get(struct fib_outsets *os, const struct portset *ports)
{
	uint64_t hash = hash_ports(os->secret, ports);
	struct fib_outset *set;

	set = fib_index_find(fib_index_now(&os->index), hash, has_ports, ports);
	if (set) {
		set->refs++;
		return set;
	}
	set = slab_alloc(&os->slab);
	if (!set)
		return NULL;
	*set = (struct fib_outset){
		.ports = *ports,
		.n_ports = portset_count(ports),
		.refs = 1,
	};
	if (fib_index_add(&os->index, hash, set) < 0) {
		slab_free_unseen(&os->slab, set);
		return NULL;
	}
	return set;
}

void fib_outsets_put(struct fib_outsets *os, struct fib_outset *set)
{
	if (--set->refs > 0)
		return;
	fib_index_del(&os->index, hash_ports(os->secret, &set->ports), set);
	slab_retire(&os->slab, set);
}
