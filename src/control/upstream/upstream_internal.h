/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Declarations that the files of the host side share. */

#include "base/cleanup.h"
#include "control/upstream/upstream.h"
#include "control/upstream/upstream_report.h"

static inline struct upstream_group *upstream_group_of(struct table_node *node)
{
	return node ? container_of(node, struct upstream_group, node) : NULL;
}

/* upstream.c */

/* a random time in (now, now + ms] */
mono_t upstream_random_after(struct upstream *u, mono_t now, uint32_t ms);
/* when a change of this moment is reported again */
mono_t upstream_repeat_time(struct upstream *u, mono_t now);

/* upstream_change.c */

struct upstream_group *upstream_lookup(
	const struct upstream *u, const struct addr *group);
/* A new group without membership. Returns 0 or -ENOMEM; afterwards the timer of the
 * group can always be set. */
int upstream_group_new(
	struct upstream *u, const struct addr *group, struct upstream_group **ret);
/* `src` is taken over */
void upstream_set_filter(struct upstream *u, struct upstream_group *g,
	enum gm_mode mode, struct addrset *src);
/* The sources that the pending answer of the group was limited to. */
void upstream_forget_asked(struct upstream *u, struct upstream_group *g);
/* only for a group without membership */
void upstream_group_free(struct upstream *u, struct upstream_group *g);
/* Sends the changes whose turn it is, as far as the ration allows. */
void upstream_send_changes(
	struct upstream *u, mono_t now, enum family family, struct effects *fx);
/* Arms the group's timers, or frees a group that has left and owes nothing more; `g`
 * may be gone afterwards. */
void upstream_settle(struct upstream *u, struct upstream_group *g);
/* There is no memory to queue the change, so it is tried again later. */
void upstream_later(struct upstream *u, mono_t now, struct upstream_group *g);
/* Drop all changes, repeats and answers of the family. */
void upstream_cancel(struct upstream *u, enum family family);
/* Every group of the family that owes a report of a change now owes one of its whole
 * state, as often and at the same time, because every version can express that. */
void upstream_restate_owed(struct upstream *u, enum family family);
/* Report all memberships of the family as if they were new. */
void upstream_announce(struct upstream *u, mono_t now, enum family family);

/* upstream_query.c */

/* Drops values that a querier taught too long ago, and speaks the version of the
 * queriers that were heard lately. Owed transmissions remain owed, in the new version.
 * Returns true if the version changed. */
bool upstream_version_update(struct upstream *u, mono_t now, enum family family);
/* Answer queries and refresh (R120), as far as that is due and the ration allows. */
void upstream_answer_tick(
	struct upstream *u, mono_t now, enum family family, struct effects *fx);
/* The group no longer has a membership, so a spread answer must not continue with
 * it. */
void upstream_answer_skip(struct upstream_family *f, const struct upstream_group *g);
void upstream_answer_stop(struct upstream_family *f);
/* Earliest deadline caused by queries. */
mono_t upstream_answer_deadline(const struct upstream_family *f);
/* Drops the values adopted from a querier. */
void upstream_unlearn(struct upstream *u, enum family family);
/* Start counting to the next refresh. */
void upstream_refresh_arm(struct upstream *u, mono_t now, enum family family);
