/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Declarations that the files of the host side share. */

#include "base/cleanup.h"
#include "control/upstream/upstream.h"
#include "control/upstream/upstream_report.h"

static inline struct upstream_group *upstream_group_of(struct table_node *node)
{
	return container_of(node, struct upstream_group, node);
}

/* upstream.c */

/* Returns a random time in (now, now + ms]. */
mono_t upstream_random_after(struct upstream *u, mono_t now, uint32_t ms);
/* Returns when a change that happens now is reported again. */
mono_t upstream_repeat_time(struct upstream *u, mono_t now);

/* upstream_change.c */

/* Adds a group without membership, and reserves memory for its timers, so that they can
 * always be set. Returns 0 or -ENOMEM. */
int upstream_group_new(
	struct upstream *u, const struct addr *group, struct upstream_group **ret);
/* Sets what we report of the group. Takes the sources out of `src`. */
void upstream_set_filter(struct upstream *u, struct upstream_group *g,
	enum gm_mode mode, struct addrset *src);
/* Forgets the sources to which the answer of the group is limited. */
void upstream_forget_asked(struct upstream *u, struct upstream_group *g);
/* The group must not have a membership. */
void upstream_group_free(struct upstream *u, struct upstream_group *g);
/* Sends the changes whose turn it is, as far as the ration allows. */
void upstream_send_changes(
	struct upstream *u, mono_t now, enum family family, struct effects *fx);
/* Returns the group as upstream_find() does, to be changed. */
struct upstream_group *upstream_lookup(
	const struct upstream *u, const struct addr *group);
/* Sets the group's timers. Frees a group that was left and has no report to repeat, so
 * `g` may be gone afterwards. */
void upstream_settle(struct upstream *u, struct upstream_group *g);
/* Notes that a change could not be queued for lack of memory, so that it is tried again
 * later. */
void upstream_later(struct upstream *u, mono_t now, struct upstream_group *g);
/* Drops all changes, repetitions and answers of the family. */
void upstream_cancel(struct upstream *u, enum family family);
/* Changes all reports of changes that are due or must be repeated into reports of the
 * whole state of their group, as often and at the same time, because every version can
 * express that. */
void upstream_restate_owed(struct upstream *u, enum family family);
/* Reports all memberships of the family as if they were new. */
void upstream_announce(struct upstream *u, mono_t now, enum family family);

/* upstream_query.c */

/* Drops values that were adopted from a querier too long ago, and speaks the version of
 * the queriers that were heard lately. Reports that must be repeated are repeated in
 * the new version. Returns true if the version has changed. */
bool upstream_version_update(struct upstream *u, mono_t now, enum family family);
/* Answers queries and refreshes (R120), as far as that is due and the ration allows. */
void upstream_answer_tick(
	struct upstream *u, mono_t now, enum family family, struct effects *fx);
/* Takes a group whose membership has ended out of a spread answer. */
void upstream_answer_skip(struct upstream_family *f, const struct upstream_group *g);
void upstream_answer_stop(struct upstream_family *f);
/* Returns the earliest deadline of answers and refresh. */
mono_t upstream_answer_deadline(const struct upstream_family *f);
/* Drops the values adopted from a querier. */
void upstream_unlearn(struct upstream *u, enum family family);
/* Sets the time of the next refresh. */
void upstream_refresh_arm(struct upstream *u, mono_t now, enum family family);
