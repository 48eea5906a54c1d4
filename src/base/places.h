/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * A few places that users of this system share, so that no user can hold all of them.
 * Some places are reserved for root (and users that count as root), and each other user
 * may have a few. If all are taken, the user with the most of them loses one. Pure.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* A place that is taken. */
struct place {
	unsigned number; /* the caller's number of it */
	uid_t uid;
	bool root;     /* uid 0, or a user that counts as root */
	int64_t since; /* the place with the smallest value is removed first */
};

struct places {
	unsigned max;	   /* places in all */
	unsigned kept;	   /* of these, reserved for root */
	unsigned per_user; /* the most that a user has, except root */
};

enum place_found {
	PLACE_FREE = 0,
	PLACE_MADE,	/* made by removing another one */
	PLACE_USER_MAX, /* the user has all that a user may have */
	PLACE_FULL,	/* full, and no place can be taken away */
};

/* Returns the place to take away: the oldest one of the user with the most places,
 * except root. NULL if all `n` are root's. */
const struct place *places_greediest(const struct place *v, size_t n);

/* Finds a place for one more. If none is free, root gets a place of another user, and
 * another user gets a place of a user that has at least two more. With PLACE_MADE,
 * *ret_victim points to the place in `v` that must be removed. */
enum place_found places_find(const struct places *p, const struct place *v, size_t n,
	uid_t uid, bool root, const struct place **ret_victim);
