/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * A sorted array of addresses without duplicates: source lists. All zero is the empty
 * set and a valid argument for every function. All functions that can grow the set
 * return 0 or -ENOMEM, and leave it unchanged on failure.
 */

#include "base/addr.h"

struct addrset {
	struct addr *v; /* owned, sorted by addr_cmp */
	size_t n, cap;
};

void addrset_deinit(struct addrset *s); /* leaves the empty set */
void addrset_clear(struct addrset *s);	/* keeps the memory */
bool addrset_contains(const struct addrset *s, const struct addr *a);
bool addrset_eq(const struct addrset *a, const struct addrset *b);

int addrset_add(struct addrset *s, const struct addr *a);
/* `a` is greater than every element. */
int addrset_append(struct addrset *s, const struct addr *a);
int addrset_copy(struct addrset *dst, const struct addrset *src);
int addrset_from_array(struct addrset *dst, const struct addr *v, size_t n);
void addrset_move(struct addrset *dst, struct addrset *src); /* src is empty after */

int addrset_union(struct addrset *dst, const struct addrset *b);     /* dst += b */
void addrset_subtract(struct addrset *dst, const struct addrset *b); /* dst -= b */
