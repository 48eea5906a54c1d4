/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The last refusals by group, place and reason: the sender, how often, and when. People
 * use it to see why something does not arrive, so a bounded memory is enough: for each
 * group the last REFUSALS_WAYS pairs of place and reason are kept, and a group without
 * recent refusals makes room for another. Continuous refusals are therefore always
 * there.
 *
 * One thread writes, any thread reads without locks. The writer defines the numbers of
 * places and reasons. Pure.
 */

#include "base/addr.h"

#include <stdatomic.h>

#define REFUSALS_WAYS 16
#define REFUSALS_SETS 64

struct refusal {
	unsigned port, why;
	struct addr group, from; /* `from`: of the last one */
	uint32_t value;		 /* of the last one */
	uint64_t n;		 /* since the slot was filled */
	uint64_t at;		 /* of the last one, by the writer's clock */
};

struct refusal_slot {
	_Atomic uint32_t turn; /* odd while it is being written */
	_Atomic uint32_t value;
	_Atomic uint64_t key; /* port and reason; 0 means free */
	_Atomic uint64_t group[2], from[2];
	_Atomic uint64_t n, at;
};

/* All zero at the beginning. */
struct refusals {
	_Atomic uint64_t n; /* notes so far */
	struct refusal_slot slot[REFUSALS_SETS][REFUSALS_WAYS];
};

/* Adds a refusal; `r->n` is the number of refusals that it represents. */
void refusals_note(struct refusals *v, const struct refusal *r);
/* The refusals of a group. */
void refusals_of(const struct refusals *v, const struct addr *group,
	void (*fn)(void *arg, const struct refusal *r), void *arg);
/* All refusals. */
void refusals_all(const struct refusals *v,
	void (*fn)(void *arg, const struct refusal *r), void *arg);
