/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The host side on one upstream port, for both families: it reports the merged
 * membership database to the provider (RFC 9776 5 and 7.2, RFC 9777 6 and 8.2; RFC 4605
 * 4.1). It holds one record per group, with the state changes that must be repeated and
 * the answers to queries that are due. It emits only EFFECT_REPORT. Pure.
 *
 * Messages are rationed, see upstream_pace.h. Changes are put into a queue, from which
 * upstream_tick() sends as many as the ration allows. Changes of the same group become
 * one while they wait.
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

/* Limits for the sources of group-and-source queries that wait for their answers: of
 * one group, and of all groups of a family. Beyond these limits the answer is the whole
 * state of the group. */
#define UPSTREAM_GROUP_ASKED 1024
#define UPSTREAM_ASKED	     65536

struct upstream_params {
	struct gm_params gm;
	/* highest version that we speak (igmp-version, mld-version + 1) */
	enum gm_version max_version[_FAMILY_N];
	bool fallback[_FAMILY_N];     /* follow older queriers (R131) */
	uint32_t refresh_interval_ms; /* 0 means off (R120) */
};

/* A source of a group with a change that must be reported again. */
struct upstream_source {
	struct addr addr;
	uint8_t repeats; /* how many more times (R105) */
	bool allow;	 /* the change is ALLOW, else BLOCK */
};

struct upstream_group {
	struct table_node node;
	struct heap_node timer;	   /* at change_at, until that time has come */
	struct upstream_turn turn; /* waits from that time on */
	struct heap_node answer;   /* at answer_at */
	/* the memberships of the family, the oldest first */
	struct upstream_group *prev, *next;
	struct addr group;
	struct gm_filter now; /* what we report; INCLUDE({}) if only a leave is left */
	uint8_t mode_repeats; /* how many more times TO_IN or TO_EX must be reported */
	struct upstream_source *change; /* sorted by address */
	size_t n_change;
	bool told;	     /* a membership has been reported to the provider */
	bool kept;	     /* see upstream_keep() */
	mono_t change_at;    /* time of the next report of a change, or MONO_NEVER */
	mono_t answer_at;    /* time of the answer to a group query, or MONO_NEVER */
	mono_t answered;     /* when the last answer was sent (R193) */
	bool answer_sources; /* the answer is limited to the sources `asked` (R109) */
	struct addrset asked;
};

/* The state of one family. */
struct upstream_family {
	struct addr own;     /* source of reports; unspecified is legal (R113) */
	struct heap answers; /* groups that a query has asked for */
	size_t n_asked;	     /* sum of upstream_group.asked.n */
	struct upstream_bucket changes_sent, answers_sent;
	/* Robustness and query interval in force (R114). They are from a query and hold
	 * until taught_until, or are our own (MONO_NEVER). */
	uint8_t rv;
	uint32_t qi_ms;
	mono_t taught_until;
	bool taught_inside;  /* they are from a querier in the link's subnets */
	mono_t inside_until; /* until when a querier in the link's subnets is present */
	/* The querier that our address follows, or the unspecified address. Until
	 * follow_until it is present, and no other querier is followed. */
	struct addr inside;
	mono_t follow_until;
	mono_t older_until[_GM_VERSION_N]; /* older querier present: [GM_V1], [GM_V2] */
	enum gm_version version;	   /* the version that we speak now */
	/* groups with a membership, their number, and the size of their current-state
	 * records */
	struct upstream_group *first, *last;
	size_t n_groups, bytes;
	/* The answer to a general query: time of its next message, or MONO_NEVER. If
	 * there are many groups, it is spread until answer_until (R110); then
	 * `answering` is true, answer_next is the next group, and answer_left is about
	 * the number of messages that are left. */
	mono_t answer_at, answer_until;
	bool answering;
	struct upstream_group *answer_next;
	size_t answer_left;
	/* a query came during the answer, and must be answered until then, or
	 * MONO_NEVER */
	mono_t again_until;
	mono_t answered;     /* when the last answer was complete (R193) */
	mono_t refresh_at;   /* time of the next refresh (R120), or MONO_NEVER */
	mono_t last_query;   /* when a query was heard last, or MONO_UNSET */
	struct addr querier; /* sender of the last query */
	uint64_t n_queries, n_reports_sent;
};

struct upstream {
	struct upstream_params params;
	struct gm_link link;
	bool up;
	struct rng *rng; /* borrowed */
	struct upstream_family family[_FAMILY_N];
	struct upstream_report *report; /* owned: one for each family */
	struct table groups;
	struct heap timers;
	struct upstream_pace *pace; /* owned; the changes that are due */
	mono_t repeat_at; /* the last random time for the repetition of a change */
};

/* Makes a host side whose link is down. `rng` is borrowed for its lifetime. Returns 0
 * or -ENOMEM. */
int upstream_init(
	struct upstream *u, const struct upstream_params *params, struct rng *rng);
void upstream_deinit(struct upstream *u);

/* Sets new parameters after a reload. Memberships stay. */
void upstream_set_params(
	struct upstream *u, mono_t now, const struct upstream_params *params);

/* The link is usable, or its address or MTU has changed. Reports all memberships again
 * at once, robustness times (R118). If only the address of a family has changed,
 * reports only memberships of that family. Does nothing if nothing has changed. */
void upstream_link_up(struct upstream *u, mono_t now, const struct gm_link *link);
/* Sets the source address of later reports, because we follow a querier in another
 * subnet of the same link. Reports nothing again. */
void upstream_set_own(struct upstream *u, const struct addr *own);
/* The link is gone. Memberships stay, and nothing is sent until upstream_link_up(). */
void upstream_link_down(struct upstream *u);

/* Sets the membership of a group; INCLUDE({}) leaves. Does nothing if the membership is
 * unchanged (R134), or for a link-local group (R112). upstream_tick(), which is due at
 * once, sends the change. `cause` is the host that has caused it, or NULL. Returns 0 or
 * -ENOMEM. */
int upstream_set(struct upstream *u, mono_t now, const struct addr *group,
	const struct gm_filter *filter, const struct host_cause *cause);

/* Handles a query that was heard on the link; a report must not be passed in. `inside`
 * says that its sender is in a subnet of the link (IPv6: that it is link-local). All
 * queries are answered. The values of a sender that is not inside are adopted only
 * while no querier inside is present. Values of unicast queries, and of queries whose
 * TTL is not 1, are never adopted. */
void upstream_query(
	struct upstream *u, mono_t now, const struct gm_msg *msg, bool inside);

/* Reports the membership of a group again, robustness times, because the provider
 * received something from our address that it may take for a change. Does nothing
 * without a membership. */
void upstream_restate(struct upstream *u, mono_t now, const struct addr *group);
/* Keeps the membership of the group when upstream_leave_all() leaves the others,
 * because the kernel holds it for a program. Does nothing without a membership. */
void upstream_keep(struct upstream *u, const struct addr *group);

/* Leaves everything now, robustness times, because there is no later opportunity
 * (R119). Each repetition is a separate effect, with a delay that is
 * UPSTREAM_LEAVE_GAP_MS longer than that of the previous one. */
#define UPSTREAM_LEAVE_GAP_MS 50
void upstream_leave_all(struct upstream *u, struct effects *fx);

/* Returns what is reported of a group, or NULL. Borrowed until the next call. */
const struct upstream_group *upstream_find(
	const struct upstream *u, const struct addr *group);

mono_t upstream_deadline(const struct upstream *u);
void upstream_tick(struct upstream *u, mono_t now, struct effects *fx);

/* Writes memberships and reports that must be repeated, for the process that takes
 * over. */
void upstream_export(const struct upstream *u, struct state_out *o);
/* Reads the memberships of a state into a host side without memberships. Emits no
 * effects. Link and parameters are then those of the state, so the caller must call
 * upstream_set_params(), and upstream_link_up() or upstream_link_down(), which report
 * what a changed link requires. Returns 0, -ENOMEM, or -EINVAL if the state is faulty;
 * on failure the caller must call upstream_deinit(). */
int upstream_import(struct upstream *u, struct state_in *in);
