/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * What was refused last, by group, place and reason: from whom, how often, when. For
 * people who ask why something does not arrive, so a bounded memory is enough: of each
 * group the last REFUSALS_WAYS pairs of place and reason are known, and a group that
 * nothing has been refused of for long makes room for another. What is refused all the
 * time is there all the time.
 *
 * One thread writes, any thread reads without locks. What a number of a place or a
 * reason means is the writer's affair. Pure.
 */

#include "base/addr.h"

#include <stdatomic.h>

#define REFUSALS_WAYS 16
#define REFUSALS_SETS 64

struct refusal {
	unsigned port, why;
	struct addr group, from; /* `from`: of the last one */
	uint32_t value;		 /* of the last one */
	uint64_t n;		 /* since it has been known */
	uint64_t at;		 /* of the last one, by the writer's clock */
};

struct refusal_slot {
	_Atomic uint32_t turn; /* odd: it is being written */
	_Atomic uint32_t value;
	_Atomic uint64_t key; /* port and reason; 0 means free */
	_Atomic uint64_t group[2], from[2];
	_Atomic uint64_t n, at;
};

/* Zero bytes to begin with. */
struct refusals {
	_Atomic uint64_t n; /* notes so far */
	struct refusal_slot slot[REFUSALS_SETS][REFUSALS_WAYS];
};

/* Remember one; `r->n` is how many there are at once. */
void refusals_note(struct refusals *v, const struct refusal *r);
/* Those of a group. */
void refusals_of(const struct refusals *v, const struct addr *group,
	void (*fn)(void *arg, const struct refusal *r), void *arg);
/* All of them. */
void refusals_all(const struct refusals *v,
	void (*fn)(void *arg, const struct refusal *r), void *arg);
