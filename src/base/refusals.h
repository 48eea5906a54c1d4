/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The last refusals by group, port and reason: who sent it, how often, and when. People
 * use it to see why something does not arrive, so a bounded memory is enough. For each
 * group the last REFUSALS_WAYS pairs of port and reason are kept, and another group
 * replaces one without recent refusals. Refusals that continue are therefore always
 * found.
 *
 * One thread writes, and any thread reads without locks. The writer defines the numbers
 * of ports and reasons. Pure.
 */

#include "base/addr.h"

#include <stdatomic.h>

#define REFUSALS_WAYS 16
#define REFUSALS_SETS 64

struct refusal {
	unsigned port, why;
	struct addr group;
	uint64_t n;	  /* refusals since the slot was filled */
	struct addr from; /* the sender of the last one */
	uint32_t value;	  /* a number that belongs to the last one */
	uint64_t at;	  /* time of the last one, by the writer's clock */
};

struct refusal_slot {
	_Atomic uint32_t turn; /* odd while it is being written */
	_Atomic uint32_t value;
	_Atomic uint64_t key; /* port and reason; 0 if the slot is free */
	_Atomic uint64_t group[2], from[2];
	_Atomic uint64_t n, at;
};

/* All zero at the beginning. */
struct refusals {
	_Atomic uint64_t n; /* notes so far */
	struct refusal_slot slot[REFUSALS_SETS][REFUSALS_WAYS];
};

/* Adds a refusal, or as many as r->n says. */
void refusals_note(struct refusals *v, const struct refusal *r);
/* Calls `fn` for each refusal of a group. */
void refusals_of(const struct refusals *v, const struct addr *group,
	void (*fn)(void *arg, const struct refusal *r), void *arg);
/* Calls `fn` for all refusals. */
void refusals_all(const struct refusals *v,
	void (*fn)(void *arg, const struct refusal *r), void *arg);
