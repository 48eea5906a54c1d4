/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * A few places that users of this system share, so that no user can hold all of them.
 * Some places are reserved for root (and users that count as root), each other user has
 * a few, and if all are taken, the user with the most of them makes room. Pure.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* a place that is taken */
struct place {
	unsigned number; /* the caller's */
	uid_t uid;
	bool root;     /* uid 0, or a user that counts as root */
	int64_t since; /* the smallest is removed first */
};

struct places {
	unsigned max;	   /* in all */
	unsigned kept;	   /* of these, for root */
	unsigned per_user; /* for each user except root */
};

enum place_found {
	PLACE_FREE = 0,
	PLACE_MADE,	/* made by removing another one */
	PLACE_USER_MAX, /* the user has all that a user may have */
	PLACE_FULL,	/* full, and no place can be taken away */
};

/* The place to take away: the oldest one of the user with the most, root excluded. NULL
 * if all `n` are root's. */
const struct place *places_greediest(const struct place *v, size_t n);

/* Finds a place for one more. Root gets a reserved place, else one of another user;
 * other users get one of a user that has at least two more. For PLACE_MADE, *ret_victim
 * points to the place in `v` that must be removed. */
enum place_found places_find(const struct places *p, const struct place *v, size_t n,
	uid_t uid, bool root, const struct place **ret_victim);
