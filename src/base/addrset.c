/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Sorted source lists with the set operations that the IGMPv3/MLDv2 tables are written
 * in (RFC 9776 6.4: A+B, A*B, A-B). With a short list and a long set, each element of
 * the list is looked up in the set, and elements between are moved in blocks. So apart
 * from moving, the work depends only on the short list.
 */

#include "base/addrset.h"

#include "base/array.h"
#include "base/search.h"

#include <stdlib.h>

void addrset_deinit(struct addrset *s)
{
	free(s->v);
	*s = (struct addrset){0};
}

void addrset_clear(struct addrset *s)
{
	s->n = 0;
}

/* index of the first element in [lo, hi) that is not less than a */
static size_t lower_bound_in(
	const struct addrset *s, size_t lo, size_t hi, const struct addr *a)
{
	return first_not_before(lo, hi, i, addr_cmp(&s->v[i], a) < 0);
}

static size_t lower_bound(const struct addrset *s, const struct addr *a)
{
	return lower_bound_in(s, 0, s->n, a);
}

bool addrset_contains(const struct addrset *s, const struct addr *a)
{
	size_t i = lower_bound(s, a);

	return i < s->n && addr_eq(&s->v[i], a);
}

bool addrset_eq(const struct addrset *a, const struct addrset *b)
{
	return a->n == b->n &&
		(a->n == 0 || memcmp(a->v, b->v, a->n * sizeof(*a->v)) == 0);
}

static int addrset_reserve(struct addrset *s, size_t n)
{
	return array_reserve(s->v, s->cap, n, 4);
}

int addrset_add(struct addrset *s, const struct addr *a)
{
	struct addr copy = *a; /* a may point into s->v */
	size_t i = lower_bound(s, a);
	int r;

	if (i < s->n && addr_eq(&s->v[i], a))
		return 0;
	r = addrset_reserve(s, s->n + 1);
	if (r < 0)
		return r;
	memmove(&s->v[i + 1], &s->v[i], (s->n - i) * sizeof(*s->v));
	s->v[i] = copy;
	s->n++;
	return 0;
}

int addrset_append(struct addrset *s, const struct addr *a)
{
	int r = addrset_reserve(s, s->n + 1);

	if (r == 0)
		s->v[s->n++] = *a;
	return r;
}

int addrset_copy(struct addrset *dst, const struct addrset *src)
{
	int r = addrset_reserve(dst, src->n);

	if (r < 0)
		return r;
	if (src->n)
		memmove(dst->v, src->v, src->n * sizeof(*src->v));
	dst->n = src->n;
	return 0;
}

static int cmp_void(const void *a, const void *b)
{
	return addr_cmp(a, b);
}

static bool is_sorted(const struct addr *v, size_t n)
{
	for (size_t i = 1; i < n; i++)
		if (addr_cmp(&v[i - 1], &v[i]) > 0)
			return false;
	return true;
}

int addrset_from_array(struct addrset *dst, const struct addr *v, size_t n)
{
	size_t out = 0;
	int r = addrset_reserve(dst, n);

	if (r < 0)
		return r;
	if (n)
		memmove(dst->v, v, n * sizeof(*v));
	if (!is_sorted(dst->v, n))
		qsort(dst->v, n, sizeof(*v), cmp_void);
	for (size_t i = 0; i < n; i++)
		if (out == 0 || !addr_eq(&dst->v[out - 1], &dst->v[i]))
			dst->v[out++] = dst->v[i];
	dst->n = out;
	return 0;
}

void addrset_move(struct addrset *dst, struct addrset *src)
{
	addrset_deinit(dst);
	*dst = *src;
	*src = (struct addrset){0};
}

static size_t count_missing(const struct addrset *s, const struct addrset *b)
{
	size_t n = 0, i = 0;

	for (size_t k = 0; k < b->n; k++) {
		i = lower_bound_in(s, i, s->n, &b->v[k]);
		n += i == s->n || !addr_eq(&s->v[i], &b->v[k]);
	}
	return n;
}

int addrset_union(struct addrset *dst, const struct addrset *b)
{
	size_t missing = count_missing(dst, b);
	size_t end = dst->n; /* elements before it are still in their old places */
	int r = addrset_reserve(dst, dst->n + missing);

	if (r < 0)
		return r;
	dst->n += missing;
	for (size_t k = b->n; missing > 0; k--) {
		size_t i = lower_bound_in(dst, 0, end, &b->v[k - 1]);

		if (i < end && addr_eq(&dst->v[i], &b->v[k - 1]))
			continue;
		memmove(&dst->v[i + missing], &dst->v[i], (end - i) * sizeof(*dst->v));
		dst->v[i + --missing] = b->v[k - 1];
		end = i;
	}
	return 0;
}

void addrset_subtract(struct addrset *dst, const struct addrset *b)
{
	size_t out = 0, from = 0; /* elements before `from` are done */

	for (size_t k = 0; k < b->n; k++) {
		size_t i = lower_bound_in(dst, from, dst->n, &b->v[k]);
		bool found = i < dst->n && addr_eq(&dst->v[i], &b->v[k]);

		if (out != from)
			memmove(&dst->v[out], &dst->v[from],
				(i - from) * sizeof(*dst->v));
		out += i - from;
		from = i + found;
	}
	if (out != from)
		memmove(&dst->v[out], &dst->v[from], (dst->n - from) * sizeof(*dst->v));
	dst->n = out + (dst->n - from);
}
