/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The provider's router in the virtual network: RFC 9776 6.4 with plain sets, and RFC
 * 2236 and RFC 1112 for older versions. Memberships expire even if it never sends a
 * query, as with some providers. Its streams leave only while its table asks for them.
 * On a LAN it serves as rival querier.
 */

#include "base/table.h"
#include "sim.h"

struct sim_router_source {
	struct addr addr;
	mono_t until;  /* MONO_UNSET if blocked (EXCLUDE only) */
	unsigned asks; /* group-and-source queries still to send */
};

struct sim_router_group {
	struct table_node node;
	struct addr group;
	enum gm_mode mode;
	mono_t until; /* EXCLUDE: the group timer */
	struct sim_router_source *src;
	size_t n_src;
	unsigned asks; /* group queries still to send */
	bool ask_now;
	mono_t ask_at;
};

struct sim_router {
	struct sim_node node;
	enum gm_version version;
	bool queries;	  /* false if it never sends any */
	struct addr from; /* source of queries */
	uint8_t robustness;
	uint32_t interval_ms, response_ms, last_member_ms, membership_ms;
	mono_t query_at;
	struct table groups;
	size_t n_asking;    /* groups with asks pending */
	uint64_t n_reports; /* accepted records */
};

/* Has the default timers of RFC 9776; change fields before time passes. */
struct sim_router *sim_router_new(
	struct sim_link *link, unsigned n, enum gm_version version, bool queries);
/* Sends a general query now, and further ones at each interval. */
void sim_router_ask(struct sim_router *r);
void sim_router_quiet(struct sim_router *r); /* sends no query from now on */
/* Speaks another version from now on and keeps the table. */
void sim_router_set_version(struct sim_router *r, enum gm_version version);

bool sim_router_wants(
	struct sim_router *r, const struct addr *src, const struct addr *group);
bool sim_router_has(struct sim_router *r, const struct addr *group);
size_t sim_router_n_groups(struct sim_router *r);
