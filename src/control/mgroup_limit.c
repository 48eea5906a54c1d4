/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * What one downstream may cost, and one host of it (R082). A group is charged to the
 * host that brought it, so that a host which asks for every group there is leaves room
 * for the others. Addresses of sources and of tracked hosts are counted over the whole
 * port, since limits per group alone would multiply to gigabytes. mgroup.c asks before
 * it makes something, and counts after each step.
 */

#include "base/cleanup.h"
#include "control/mgroup_priv.h"

#include <errno.h>
#include <stdlib.h>

static struct mgroup_owner *owner_find(
	const struct mgroup_db *db, const struct addr *a, uint64_t hash)
{
	for (struct table_node *n = table_find(&db->owners, hash); n;
		n = table_next(n)) {
		struct mgroup_owner *o = container_of(n, struct mgroup_owner, node);

		if (addr_eq(&o->addr, a))
			return o;
	}
	return NULL;
}

int mgroup_owner_charge(
	struct mgroup_db *db, const struct addr *host, struct mgroup_owner **ret_owner)
{
	uint64_t hash = table_hash(&db->owners, host, sizeof(*host));
	struct mgroup_owner *o = owner_find(db, host, hash);

	if (o && db->params.max_groups_per_host &&
		o->n_groups >= db->params.max_groups_per_host)
		return 1;
	if (!o) {
		o = calloc(1, sizeof(*o));
		if (!o)
			return -ENOMEM;
		o->addr = *host;
		if (table_insert(&db->owners, &o->node, hash) < 0) {
			free(o);
			return -ENOMEM;
		}
	}
	o->n_groups++;
	*ret_owner = o;
	return 0;
}

void mgroup_owner_release(struct mgroup_db *db, struct mgroup_owner *o)
{
	if (!o || --o->n_groups > 0)
		return;
	table_remove(&db->owners, &o->node);
	free(o);
}

void mgroup_count(struct mgroup_db *db, struct mgroup *g)
{
	size_t n = g->n_src + g->n_host + g->n_named;

	db->n_addr = db->n_addr - g->n_counted + n;
	g->n_counted = n;
}
