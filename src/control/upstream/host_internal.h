/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What the files of the host side share. */

#include "base/cleanup.h"
#include "control/upstream/host.h"
#include "control/upstream/host_report.h"

static inline struct host_group *host_group_of(struct table_node *node)
{
	return node ? container_of(node, struct host_group, node) : NULL;
}

/* host.c */

/* a random time in (now, now + ms] */
mono_t host_random_after(struct host *h, mono_t now, uint32_t ms);
/* when a change of this moment is reported again */
mono_t host_repeat_time(struct host *h, mono_t now);

/* host_change.c */

struct host_group *host_lookup(const struct host *h, const struct addr *group);
/* A new group without membership. Returns 0 or -ENOMEM; afterwards the timer of the
 * group can always be set. */
int host_group_new(struct host *h, const struct addr *group, struct host_group **ret);
/* `src` is taken over */
void host_set_filter(
	struct host *h, struct host_group *g, enum gm_mode mode, struct addrset *src);
/* The sources that the pending answer of the group was limited to. */
void host_forget_asked(struct host *h, struct host_group *g);
/* only for a group without membership */
void host_group_free(struct host *h, struct host_group *g);
/* Sends the changes whose turn it is, as far as the ration allows. */
void host_send_changes(
	struct host *h, mono_t now, enum family family, struct effects *fx);
/* Arms the group's timers, or frees a group that has left and owes nothing more; `g`
 * may be gone afterwards. */
void host_settle(struct host *h, struct host_group *g);
/* There is no memory to queue the change, so it is tried again later. */
void host_later(struct host *h, mono_t now, struct host_group *g);
/* Drop all changes, repeats and answers of the family. */
void host_cancel(struct host *h, enum family family);
/* Every group of the family that owes a report of a change now owes one of its whole
 * state, as often and at the same time, because every version can express that. */
void host_restate_owed(struct host *h, enum family family);
/* Report all memberships of the family as if they were new. */
void host_announce(struct host *h, mono_t now, enum family family);

/* host_query.c */

/* Drops values that a querier taught too long ago, and speaks the version of the
 * queriers that were heard lately. Owed transmissions remain owed, in the new version.
 * Returns true if the version changed. */
bool host_version_update(struct host *h, mono_t now, enum family family);
/* Answer queries and refresh (R120), as far as that is due and the ration allows. */
void host_answer_tick(
	struct host *h, mono_t now, enum family family, struct effects *fx);
/* The group no longer has a membership, so a spread answer must not continue with
 * it. */
void host_answer_skip(struct host_family *f, const struct host_group *g);
void host_answer_stop(struct host_family *f);
/* Earliest deadline caused by queries. */
mono_t host_answer_deadline(const struct host_family *f);
/* Drops the values adopted from a querier. */
void host_unlearn(struct host *h, enum family family);
/* Start counting to the next refresh. */
void host_refresh_arm(struct host *h, mono_t now, enum family family);
