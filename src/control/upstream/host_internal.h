/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What the files of the host side need of each other. */

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
/* when a change of now is to be reported once more */
mono_t host_repeat_time(struct host *h, mono_t now);

/* host_change.c */

struct host_group *host_lookup(const struct host *h, const struct addr *group);
/* Without membership yet. 0 or -ENOMEM; afterwards the timer of the group can always be
 * set. */
int host_group_new(struct host *h, const struct addr *group, struct host_group **ret);
/* `src` is taken over */
void host_set_filter(
	struct host *h, struct host_group *g, enum gm_mode mode, struct addrset *src);
/* The sources that the pending answer of the group was limited to. */
void host_forget_asked(struct host *h, struct host_group *g);
/* only of a group without membership */
void host_group_free(struct host *h, struct host_group *g);
/* Send the changes whose turn it is, as far as the ration goes. */
void host_send_changes(
	struct host *h, mono_t now, enum family family, struct effects *fx);
/* Arm the group's timers, or forget a group that has left and owes nothing more; `g`
 * may be gone afterwards. */
void host_settle(struct host *h, struct host_group *g);
/* There is no memory to let the change wait for its turn: it tries again. */
void host_later(struct host *h, mono_t now, struct host_group *g);
/* Drop all changes, repeats and answers of the family. */
void host_cancel(struct host *h, enum family family);
/* Every group of the family that owes a report of a change owes one of its whole state
 * instead, as often and at the same time: that can be said in every version. */
void host_restate_owed(struct host *h, enum family family);
/* Report all memberships of the family as if they were new. */
void host_announce(struct host *h, mono_t now, enum family family);

/* host_query.c */

/* Forget what a querier has taught too long ago, and speak the version that those heard
 * of late ask for. What is owed stays owed, in the new version. True when it changed.
 */
bool host_version_update(struct host *h, mono_t now, enum family family);
/* Answer queries and refresh (R120), as far as that is due and the ration goes. */
void host_answer_tick(
	struct host *h, mono_t now, enum family family, struct effects *fx);
/* The group has a membership no longer: a spread answer must not go on with it. */
void host_answer_skip(struct host_family *f, const struct host_group *g);
void host_answer_stop(struct host_family *f);
/* Earliest deadline of what queries have caused. */
mono_t host_answer_deadline(const struct host_family *f);
/* What a querier has taught is forgotten. */
void host_unlearn(struct host *h, enum family family);
/* Start counting to the next refresh. */
void host_refresh_arm(struct host *h, mono_t now, enum family family);
