/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Host side on one upstream port: reports the merged membership database to the
 * provider (RFC 9776 5 and 7.2, RFC 9777 6 and 8.2; RFC 4605 4.1). Both families. Holds
 * one record per group, its pending state-change repeats and its pending query answers.
 * Emits EFFECT_REPORT only. Pure.
 *
 * Messages are rationed: see upstream_pace.h. Changes are put into a queue, from which
 * upstream_tick() sends as many as the ration allows. Until then, changes of the same
 * group become one.
 */

#include "base/heap.h"
#include "base/mono.h"
#include "base/rng.h"
#include "base/state.h"
#include "base/table.h"
#include "control/proto/effect.h"
#include "control/proto/gm_params.h"
#include "control/upstream/upstream_pace.h"

struct upstream_report;

/* Sources of group-and-source queries that wait for their answers: of a group, and of
 * all groups of a family. Beyond these limits the answer is the whole state of the
 * group. */
#define UPSTREAM_GROUP_ASKED 1024
#define UPSTREAM_ASKED	     65536

struct upstream_params {
	struct gm_params gm;
	enum gm_version max_version[_FAMILY_N]; /* highest version spoken: igmp-version,
						   mld-version + 1 */
	bool fallback[_FAMILY_N];     /* follow older queriers (R131); default true */
	uint32_t refresh_interval_ms; /* R120: 0 = off */
};

/* per group */
struct upstream_source {
	struct addr addr;
	uint8_t repeats; /* state-change transmissions still owed (R105) */
	bool allow;	 /* the change to repeat is ALLOW, else BLOCK */
};

struct upstream_group {
	struct table_node node;
	struct heap_node timer;	   /* change_at, while that is ahead */
	struct upstream_turn turn; /* of its change, when that is due */
	struct heap_node answer;   /* answer_at */
	struct upstream_group *prev,
		*next; /* memberships of the family, oldest first */
	struct addr group;
	struct gm_filter now; /* what we report; INCLUDE({}) while a leave repeats */
	uint8_t mode_repeats; /* TO_IN/TO_EX transmissions still owed */
	struct upstream_source *change; /* sorted; sources with repeats owed */
	size_t n_change;
	bool told;	     /* a membership has been reported to the provider */
	bool kept;	     /* see upstream_keep() */
	mono_t change_at;    /* next state-change message, or MONO_NEVER */
	mono_t answer_at;    /* pending answer to a group query, or MONO_NEVER */
	mono_t answered;     /* when the last one was sent (R193) */
	bool answer_sources; /* the answer is limited to `asked` (R109) */
	struct addrset asked;
};

/* per family */
struct upstream_family {
	struct addr own;     /* source of reports; unspecified is legal (R113) */
	struct heap answers; /* groups that a query has asked for */
	size_t n_asked;	     /* the sources that they were asked for, together */
	struct upstream_bucket changes_sent, answers_sent;
	uint8_t rv;	     /* robustness in force (R114) */
	uint32_t qi_ms;	     /* from the last query heard */
	mono_t taught_until; /* rv and qi_ms hold until then; MONO_NEVER if they are
			      * our own */
	mono_t inside_until; /* a querier in the link's subnets is present until then */
	struct addr inside;  /* the querier that our address follows; unspecified if
			      * none yet */
	mono_t follow_until; /* it is present until then, and no other one is
			      * followed */
	bool taught_inside;  /* rv and qi_ms are from a querier in the link's subnets */
	mono_t older_until[_GM_VERSION_N]; /* older querier present; [GM_V1], [GM_V2] */
	enum gm_version version;	   /* spoken now */
	struct upstream_group *first, *last; /* groups with a membership */
	size_t n_groups;		     /* how many of them */
	size_t bytes;			     /* size of their current-state records */
	mono_t answer_at;    /* next message of the answer to a general query, or
			      * MONO_NEVER */
	mono_t answer_until; /* answers of many groups are spread until here (R110) */
	bool answering;	     /* in the middle of a spread answer ... */
	struct upstream_group *answer_next; /* ... which continues with this group */
	size_t answer_left;  /* about how many messages it will still take */
	mono_t again_until;  /* asked again meanwhile, answer until then;
					 * or MONO_NEVER */
	mono_t answered;     /* when the last answer was complete (R193) */
	mono_t refresh_at;   /* R120; MONO_NEVER if off */
	mono_t last_query;   /* MONO_UNSET means none heard */
	struct addr querier; /* sender of the last query */
	uint64_t n_queries, n_reports_sent;
};

struct upstream {
	struct upstream_params params;
	struct gm_link link;
	bool up;
	struct rng *rng; /* borrowed */
	struct upstream_family family[_FAMILY_N];
	struct upstream_report *report; /* owned: the report being filled, per family */
	struct table groups;
	struct heap timers;
	struct upstream_pace *pace; /* owned; the changes that are due */
	mono_t repeat_at;	    /* time drawn last for the repeats of changes */
};

/* A configured but down host. `rng` is borrowed for its lifetime. Returns 0 or
 * -ENOMEM. */
int upstream_init(
	struct upstream *u, const struct upstream_params *params, struct rng *rng);
void upstream_deinit(struct upstream *u);

/* New parameters after a reload; memberships stay. */
void upstream_set_params(
	struct upstream *u, mono_t now, const struct upstream_params *params);

/* The link is usable, or its address or MTU has changed. All memberships are reported
 * again at once, robustness times (R118); only those of one family if nothing but its
 * address changed. Does nothing if the link is already up like this. */
void upstream_link_up(struct upstream *u, mono_t now, const struct gm_link *link);
/* Reports carry another source address from now on, because we follow a querier in
 * another subnet of the same link. Nothing is reported again. */
void upstream_set_own(struct upstream *u, const struct addr *own);
/* The link is gone; memberships stay, nothing is sent until upstream_link_up. */
void upstream_link_down(struct upstream *u);

/* Set the membership of a group; INCLUDE({}) leaves. Does nothing if the membership is
 * unchanged (R134), or for a link-local group (R112). The change waits for
 * upstream_tick(), which is due at once. `cause` is the host that caused it, or NULL.
 * Returns 0 or -ENOMEM. */
int upstream_set(struct upstream *u, mono_t now, const struct addr *group,
	const struct gm_filter *filter, const struct host_cause *cause);

/* A query heard on the link (never a report). `inside` tells that its sender is in a
 * subnet of the link (IPv6: link-local). All queries are answered. The values of a
 * sender that is not inside are adopted only while no querier inside is present. Values
 * of unicast queries, and of queries whose TTL is not 1, are never adopted. */
void upstream_query(
	struct upstream *u, mono_t now, const struct gm_msg *msg, bool inside);

/* Reports the membership of a group again, robustness times, because the provider
 * received something from our address that it may take for a change. Does nothing
 * without a membership. */
void upstream_restate(struct upstream *u, mono_t now, const struct addr *group);
/* Keeps the membership of the group when upstream_leave_all() leaves the others,
 * because the kernel holds it for a program. Does nothing without a membership. */
void upstream_keep(struct upstream *u, const struct addr *group);

/* Leaves everything, robustness times, because there is no later opportunity (R119).
 * Each repetition is a separate message that must be sent UPSTREAM_LEAVE_GAP_MS after
 * the previous one. */
#define UPSTREAM_LEAVE_GAP_MS 50
void upstream_leave_all(struct upstream *u, struct effects *fx);

const struct upstream_group *upstream_find(
	const struct upstream *u, const struct addr *group);

mono_t upstream_deadline(const struct upstream *u);
void upstream_tick(struct upstream *u, mono_t now, struct effects *fx);

/* Memberships and owed transmissions, for the process that takes over. */
void upstream_export(const struct upstream *u, struct state_out *o);
/* Reads the memberships of a state into a host without any. Emits no effects. Link and
 * parameters are those of the state, so this must be followed by upstream_set_params()
 * and by upstream_link_up() or upstream_link_down(), which reports what a changed link
 * requires. Returns 0, -ENOMEM, or -EINVAL if the state is faulty; the host must then
 * be freed. */
int upstream_import(struct upstream *u, struct state_in *in);
