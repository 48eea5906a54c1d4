/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The merged membership database of one instance (RFC 4605 3.2, 4.1) and the forwarding
 * entries that follow from it. It has one entry for each group that some downstream has
 * members of. It emits EFFECT_FIB_SET and EFFECT_FIB_DEL, and only for differences.
 * Pure.
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
	struct gm_filter merged; /* what is reported upstream */
	struct portset out;	 /* emitted (*,G) set */
	struct mdb_source *src;	 /* emitted (S,G) sets, sorted */
	size_t n_src;
	bool shown; /* the group has forwarding entries */
	/* The caller uses these: its queue, and the host that changed the group
	 * last. */
	struct mdb_group *next;
	bool queued;
	bool has_reporter;
	unsigned changed_port;
	struct addr reporter;
};

struct mdb {
	unsigned instance;
	struct table groups;
	/* scratch of one merge, kept to avoid allocations */
	struct mdb_source *src;
	size_t n_src, cap_src;
	struct addrset merged;
};

void mdb_init(struct mdb *mdb, unsigned instance, uint64_t seed);
void mdb_deinit(struct mdb *mdb);

struct mdb_group *mdb_find(const struct mdb *mdb, const struct addr *group);

/* The state of `group` on `port` has changed, or the role of the port. Returns the
 * entry, which the caller must merge again, and creates it if necessary. Returns NULL
 * if there is no memory. */
struct mdb_group *mdb_touch(struct mdb *mdb, unsigned port, const struct addr *group);

/* Merges a group again. `db` has the group databases of the downstreams by port number,
 * and NULL for other ports. *ret_merged is the new merged record, borrowed until the
 * next call. If the group is gone, it is INCLUDE({}), and `m` was freed. *ret_work is
 * the number of sources that were processed. Returns 0; 1 if that would be more than
 * max_work; or -ENOMEM. In the last two cases nothing was done. */
int mdb_merge(struct mdb *mdb, struct mgroup_db *const db[PORT_MAX],
	struct mdb_group *m, size_t max_work, struct effects *fx, size_t *ret_work,
	const struct gm_filter **ret_merged);

/* Does mdb_touch() and mdb_merge(). Returns 0 or -ENOMEM; then the entry is
 * unchanged. */
int mdb_update(struct mdb *mdb, struct mgroup_db *const db[PORT_MAX], unsigned port,
	const struct addr *group, struct effects *fx,
	const struct gm_filter **ret_merged);

/* Repairs a table that may have missed effects: emits every entry again. The caller
 * removes from the table each entry for which mdb_has_entry() is false. */
bool mdb_has_entry(
	const struct mdb *mdb, const struct addr *group, const struct addr *source);
void mdb_emit_all(const struct mdb *mdb, struct effects *fx);
