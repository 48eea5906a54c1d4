/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Merged membership database of one instance (RFC 4605 3.2, 4.1) and what follows from
 * it for the forwarding table. One entry per group that some downstream has. Emits
 * EFFECT_FIB_SET and EFFECT_FIB_DEL for differences only. Pure.
 */

#include "base/table.h"
#include "control/member/mgroup.h"

/* a named source whose output set differs from that of the group */
struct mdb_source {
	struct addr addr;
	struct portset out;
};

struct mdb_group {
	struct table_node node;
	struct addr group;
	struct portset members;	 /* ports with state for the group */
	struct gm_filter merged; /* what the upstream is told */
	struct portset out;	 /* emitted (*,G) set */
	struct mdb_source *src;	 /* emitted (S,G) sets, sorted */
	size_t n_src;
	bool shown; /* there are entries */
	/* of the caller: its queue, and who has changed the group last */
	struct mdb_group *next;
	bool queued;
	bool has_reporter;
	unsigned changed_port;
	struct addr reporter;
};

struct mdb {
	unsigned instance;
	struct table groups;
	/* scratch of one merge, kept to spare allocations */
	struct mdb_source *src;
	size_t n_src, cap_src;
	struct addrset merged;
};

void mdb_init(struct mdb *mdb, unsigned instance, uint64_t seed);
void mdb_deinit(struct mdb *mdb);

struct mdb_group *mdb_find(const struct mdb *mdb, const struct addr *group);

/* The state of `group` on `port` changed, or the port's role did: the entry, new if
 * need be, that is to be merged again. NULL: no memory. */
struct mdb_group *mdb_touch(struct mdb *mdb, unsigned port, const struct addr *group);

/* Merge again. `db` has the group databases of all downstreams by port number (NULL
 * means none). *ret_merged is the new merged record, borrowed until the next call:
 * INCLUDE({}) when the group is gone; `m` is gone too then. *ret_work counts the
 * sources that were looked at. 0; 1: there are more than max_work of them, and nothing
 * was done; -ENOMEM: nothing was done. */
int mdb_merge(struct mdb *mdb, struct mgroup_db *const db[PORT_MAX],
	struct mdb_group *m, size_t max_work, struct effects *fx, size_t *ret_work,
	const struct gm_filter **ret_merged);

/* Both at once. On failure the entry is as it was. */
int mdb_update(struct mdb *mdb, struct mgroup_db *const db[PORT_MAX], unsigned port,
	const struct addr *group, struct effects *fx,
	const struct gm_filter **ret_merged);

/* Put a table right that may have missed effects: emit every entry again, and remove
 * from the table the entries for which mdb_has_entry() says no. */
bool mdb_has_entry(
	const struct mdb *mdb, const struct addr *group, const struct addr *source);
void mdb_emit_all(const struct mdb *mdb, struct effects *fx);
