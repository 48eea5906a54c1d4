/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Querier role of one downstream port and family: start-up, general queries, election
 * (RFC 9776 6.6.2 and 8.6, RFC 9777 7.6.2). Writes the outcome into a querier_view.
 * Emits EFFECT_QUERY and EFFECT_NOTE. Pure.
 *
 * Any station on the LAN can send a query, so the effects of one are bounded. Only
 * general queries that hosts answer in time take part in the election. A querier that
 * was heard once keeps us silent for at most our own query interval, and its values are
 * not adopted. From its second query on, its values are adopted within the bounds of
 * gm_params.h.
 */

#include "base/mono.h"
#include "control/member/mgroup.h"
#include "control/proto/effect.h"
#include "control/proto/gm_params.h"

enum querier_state {
	QUERIER_DOWN = 1, /* no link, no address (IPv6), or family off */
	QUERIER_ACTIVE,	  /* we are querier */
	QUERIER_STANDBY,  /* another router is */
};
const char *querier_state_name(enum querier_state state); /* static: "down", ... */

struct querier_rules {
	enum gm_version version; /* of our queries */
	bool always;		 /* always-querier: ignore others (R189) */
	bool only_querier;	 /* only the querier forwards (RFC 4605 4.2) */
};

struct querier {
	unsigned port;
	enum family family;
	struct gm_params params;
	struct querier_rules rules;
	enum querier_state state;
	struct addr own;
	unsigned startup_left; /* start-up queries still to send */
	mono_t asserted_at;    /* our last query in spite of another querier, if any */
	mono_t query_at;       /* next general query */
	struct addr other;     /* elected querier while STANDBY */
	struct gm_mac other_mac;
	mono_t other_until;
	mono_t standby_since;
	/* The router that was elected last. If it sends a second query before this
	 * time, its values are adopted. */
	struct addr rival;
	mono_t rival_until;
	/* until when another querier, lower or higher, counts as present */
	mono_t heard_until;
	/* robustness and query interval in force, our own or adopted ones (R051) */
	uint8_t rv;
	uint32_t qi_ms;
	struct querier_view *role; /* borrowed: written on each change */
	uint64_t n_queries_sent, n_queries_heard;
};

void querier_init(struct querier *q, unsigned port, enum family family,
	const struct gm_params *params, const struct querier_rules *rules,
	struct querier_view *role);
/* New parameters after a reload, without a new election. Returns true if forwarding
 * must be checked again. */
bool querier_set_params(struct querier *q, mono_t now, const struct gm_params *params,
	const struct querier_rules *rules, struct effects *fx);

/* Starts again, because the link has become usable or has another source address `own`
 * (R040, R058). IPv4 may use 0.0.0.0 while the interface has no address. */
void querier_up(
	struct querier *q, mono_t now, const struct addr *own, struct effects *fx);
void querier_down(struct querier *q);
/* Queries all hosts as after the start, because earlier reports were not received. */
void querier_again(struct querier *q, mono_t now, struct effects *fx);

/* Handles a query of the family that was heard on the port, from a sender that
 * policy_querier() admits or from 0.0.0.0. Returns true if the role has changed and
 * forwarding must be checked again (R140). */
bool querier_query(
	struct querier *q, mono_t now, const struct gm_msg *msg, struct effects *fx);

/* On standby, the queries of the other router should keep the memberships alive, but
 * hosts may never have received them. Before the first membership of the port ends, at
 * `first_end`, this router therefore sends two general queries itself. It does not do
 * so if a leave has lowered that timer to the last-member time, because the group was
 * already queried then. querier_chance() returns when the queries are due. */
void querier_last_chance(
	struct querier *q, mono_t now, mono_t first_end, struct effects *fx);
mono_t querier_chance(const struct querier *q, mono_t first_end);

/* Returns true if forwarding must be checked again. */
bool querier_tick(struct querier *q, mono_t now, struct effects *fx);
mono_t querier_deadline(const struct querier *q);

/* Writes the role, for the process that takes over. */
void querier_export(const struct querier *q, struct state_out *o);
/* Reads the role of a state. The parameters are those of querier_init(); if they differ
 * from those in the state, that has the effect of a reload. The caller must call
 * querier_up() afterwards, which starts again if the address has changed. Returns 0, or
 * -EINVAL if the state is faulty. */
int querier_import(
	struct querier *q, mono_t now, struct state_in *in, struct effects *fx);
