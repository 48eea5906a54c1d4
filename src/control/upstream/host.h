/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Host side on one upstream port: reports the merged membership database to the
 * provider (RFC 9776 5 and 7.2, RFC 9777 6 and 8.2; RFC 4605 4.1). Both families. Holds
 * one record per group, its pending state-change repeats and its pending query answers.
 * Emits EFFECT_REPORT only. Pure.
 *
 * Messages are rationed: see host_pace.h. What changes is put into a queue, and
 * host_tick() sends from there what the ration allows; until then changes of the same
 * group become one.
 */

#include "base/heap.h"
#include "base/mono.h"
#include "base/rng.h"
#include "base/state.h"
#include "base/table.h"
#include "control/proto/effect.h"
#include "control/proto/gm_params.h"
#include "control/upstream/host_pace.h"

struct host_report;

/* Sources of group-and-source queries that wait for their answers: of a group, and of
 * all groups of a family. Beyond, the answer is the whole state of the group. */
#define HOST_GROUP_ASKED 1024
#define HOST_ASKED	 65536

struct host_params {
	struct gm_params gm;
	enum gm_version max_version[_FAMILY_N]; /* highest version spoken: igmp-version,
						   mld-version + 1 */
	bool fallback[_FAMILY_N];     /* follow older queriers (R131); default true */
	uint32_t refresh_interval_ms; /* R120: 0 = off */
};

/* per group */
struct host_source {
	struct addr addr;
	uint8_t repeats; /* state-change transmissions still owed (R105) */
	bool allow;	 /* the change to repeat is ALLOW, else BLOCK */
};

struct host_group {
	struct table_node node;
	struct heap_node timer;		/* change_at, while that is ahead */
	struct host_turn turn;		/* of its change, when that is due */
	struct heap_node answer;	/* answer_at */
	struct host_group *prev, *next; /* memberships of the family, oldest first */
	struct addr group;
	struct gm_filter now; /* what we report; INCLUDE({}) while a leave repeats */
	uint8_t mode_repeats; /* TO_IN/TO_EX transmissions still owed */
	struct host_source *change; /* sorted; sources with repeats owed */
	size_t n_change;
	bool told;	     /* the provider has heard of a membership */
	bool kept;	     /* see host_keep() */
	mono_t change_at;    /* next state-change message, MONO_NEVER: none */
	mono_t answer_at;    /* pending answer to a group query, MONO_NEVER: none */
	mono_t answered;     /* when the last one was sent (R193) */
	bool answer_sources; /* the answer is limited to `asked` (R109) */
	struct addrset asked;
};

/* per family */
struct host_family {
	struct addr own;     /* source of reports; unspecified is legal (R113) */
	struct heap answers; /* groups that a query has asked for */
	size_t n_asked;	     /* the sources that they were asked for, together */
	struct host_bucket changes_sent, answers_sent;
	uint8_t rv;	     /* robustness in force (R114) */
	uint32_t qi_ms;	     /* of the last query heard */
	mono_t taught_until; /* these two are a querier's until then; MONO_NEVER: own */
	mono_t inside_until; /* a querier of the link's subnets is present */
	struct addr inside;  /* which one our address follows; unspecified: none yet */
	mono_t follow_until; /* it is present, and no other one is followed */
	bool taught_inside;  /* such a querier has taught what is in force */
	mono_t older_until[_GM_VERSION_N]; /* older querier present; [GM_V1], [GM_V2] */
	enum gm_version version;	   /* spoken now */
	struct host_group *first, *last;   /* groups with a membership */
	size_t n_groups;		   /* how many of them */
	size_t octets;			   /* of their current-state records */
	mono_t answer_at;    /* next message of the answer to a general query,
				MONO_NEVER: none pending */
	mono_t answer_until; /* answers of many groups are spread until here (R110) */
	bool answering;	     /* in the middle of a spread answer ... */
	struct host_group *answer_next; /* ... which goes on with this group */
	size_t answer_left;		/* messages that it will still take, about */
	mono_t again_until;		/* asked again meanwhile; MONO_NEVER: not */
	mono_t answered;		/* when the last answer was complete (R193) */
	mono_t refresh_at;		/* R120; MONO_NEVER: off */
	mono_t last_query;		/* MONO_UNSET means none heard */
	struct addr querier;		/* who asked last */
	uint64_t n_queries, n_reports_sent;
};

struct host {
	struct host_params params;
	struct gm_link link;
	bool up;
	struct rng *rng; /* borrowed */
	struct host_family family[_FAMILY_N];
	struct host_report *report; /* owned: the report being filled, per family */
	struct table groups;
	struct heap timers;
	struct host_pace *pace; /* owned: the changes that are due */
	mono_t repeat_at;	/* drawn last for the repeats of changes */
};

/* A configured but down host. `rng` is borrowed for its life. 0 or -ENOMEM. */
int host_init(struct host *h, const struct host_params *params, struct rng *rng);
void host_deinit(struct host *h);

/* New parameters after a reload; memberships stay. */
void host_set_params(struct host *h, mono_t now, const struct host_params *params);

/* The link is usable, or has another address or MTU: all memberships are reported again
 * at once, robustness times (R118); those of one family only when nothing but its
 * address changed. A no-op when the link is up as it is. */
void host_link_up(struct host *h, mono_t now, const struct gm_link *link);
/* Reports carry another source address from now on, and nothing is said anew: a querier
 * of another subnet of the same link is followed. */
void host_set_own(struct host *h, const struct addr *own);
/* The link is gone; memberships stay, nothing is sent until host_link_up. */
void host_link_down(struct host *h);

/* Set the membership of a group; INCLUDE({}) leaves. A no-op when nothing changes
 * (R134). Local groups must not be passed (R112 is enforced here with an ignore). The
 * change waits for host_tick(), which is due at once; `cause` says whose it is, NULL
 * means nobody's. 0 or -ENOMEM. */
int host_set(struct host *h, mono_t now, const struct addr *group,
	const struct gm_filter *filter, const struct host_cause *cause);

/* A query heard on the link (never a report). `inside`: its sender is in a subnet of
 * the link (IPv6: link-local). All are answered; what others teach counts only while no
 * querier inside is present. Unicast queries and those with another TTL than 1 teach
 * nothing. */
void host_query(struct host *h, mono_t now, const struct gm_msg *msg, bool inside);

/* Report the membership of a group again, robustness times: the provider has heard from
 * our address what it may take for a change of it. A no-op without a membership. */
void host_restate(struct host *h, mono_t now, const struct addr *group);
/* What is reported of the group stays true when host_leave_all() leaves the others,
 * because the kernel holds it for a program. A no-op without a membership. */
void host_keep(struct host *h, const struct addr *group);

/* Leave everything, robustness times, as there is no later (R119). Each time is a
 * message of its own, to be sent HOST_LEAVE_GAP_MS after the one before. */
#define HOST_LEAVE_GAP_MS 50
void host_leave_all(struct host *h, struct effects *fx);

const struct host_group *host_find(const struct host *h, const struct addr *group);

mono_t host_deadline(const struct host *h);
void host_tick(struct host *h, mono_t now, struct effects *fx);

/* Memberships and what is owed, for the process that takes over. */
void host_export(const struct host *h, struct state_out *o);
/* The memberships of a state, into a host without any; says nothing to anybody. The
 * link is that of the state: host_link_up() or host_link_down() is to follow, and
 * announces what has to be, if the link has changed. So is host_set_params(): the
 * parameters are those of the state where values in force depend on them. 0, -ENOMEM,
 * -EINVAL: the state is faulty, and the host is to be given up. */
int host_import(struct host *h, struct state_in *in);
