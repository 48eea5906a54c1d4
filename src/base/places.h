/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * A few places that users of this system share, so that none of them can hold all: some
 * places are for root (and who counts as root) alone, each other user has a few, and
 * where the places are taken, the user with the most of them makes room. Pure.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* a place that is taken */
struct place {
	unsigned number; /* the caller's */
	uid_t uid;
	bool root;     /* uid 0, or a user who counts as root */
	int64_t since; /* the smallest goes first */
};

struct places {
	unsigned max;	   /* in all */
	unsigned kept;	   /* of these, for root */
	unsigned per_user; /* for each user who is not root */
};

enum place_found {
	PLACE_FREE = 0,
	PLACE_MADE,	/* another one has to go */
	PLACE_USER_MAX, /* the user has all that a user may have */
	PLACE_FULL,	/* nobody has to go */
};

/* Who goes where places are missing: the first one of the user with the most, root left
 * out. NULL: all `n` are root's. */
const struct place *places_greediest(const struct place *v, size_t n);

/* A place for one more. Root gets one of those that are kept, else that of another
 * user; other users get one of those who have at least two more. *ret_victim is set for
 * PLACE_MADE, and points into `v`. */
enum place_found places_find(const struct places *p, const struct place *v, size_t n,
	uid_t uid, bool root, const struct place **ret_victim);
