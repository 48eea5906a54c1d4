/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Sorted source lists with the set operations that the IGMPv3/MLDv2 tables are written
 * in (RFC 9776 6.4: A+B, A*B, A-B). Linear merges; the length is bounded by policy.
 */

#include "base/addrset.h"

#include <assert.h>
#include <errno.h>
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

/* index of the first element that is not less than a */
static size_t lower_bound(const struct addrset *s, const struct addr *a)
{
	size_t lo = 0, hi = s->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (addr_cmp(&s->v[mid], a) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
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

static int reserve(struct addrset *s, size_t n)
{
	size_t cap = s->cap ? s->cap : 4;
	struct addr *v;

	if (n <= s->cap)
		return 0;
	while (cap < n)
		cap *= 2;
	v = realloc(s->v, cap * sizeof(*v));
	if (!v)
		return -ENOMEM;
	s->v = v;
	s->cap = cap;
	return 0;
}

int addrset_add(struct addrset *s, const struct addr *a)
{
	struct addr copy = *a; /* a may point into s->v */
	size_t i = lower_bound(s, a);
	int r;

	if (i < s->n && addr_eq(&s->v[i], a))
		return 0;
	r = reserve(s, s->n + 1);
	if (r < 0)
		return r;
	memmove(&s->v[i + 1], &s->v[i], (s->n - i) * sizeof(*s->v));
	s->v[i] = copy;
	s->n++;
	return 0;
}

bool addrset_remove(struct addrset *s, const struct addr *a)
{
	size_t i = lower_bound(s, a);

	if (i >= s->n || !addr_eq(&s->v[i], a))
		return false;
	memmove(&s->v[i], &s->v[i + 1], (s->n - i - 1) * sizeof(*s->v));
	s->n--;
	return true;
}

int addrset_copy(struct addrset *dst, const struct addrset *src)
{
	int r = reserve(dst, src->n);

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

int addrset_from_array(struct addrset *dst, const struct addr *v, size_t n)
{
	size_t out = 0;
	int r = reserve(dst, n);

	if (r < 0)
		return r;
	if (n) {
		memmove(dst->v, v, n * sizeof(*v));
		qsort(dst->v, n, sizeof(*v), cmp_void);
	}
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

int addrset_union(struct addrset *dst, const struct addrset *b)
{
	struct addrset out = {0};
	size_t i = 0, j = 0;
	int r;

	if (b->n == 0)
		return 0;
	r = reserve(&out, dst->n + b->n);
	if (r < 0)
		return r;
	assert(out.v); /* b has elements */
	while (i < dst->n || j < b->n) {
		int c = i == dst->n ? 1
			: j == b->n ? -1
				    : addr_cmp(&dst->v[i], &b->v[j]);

		out.v[out.n++] = c <= 0 ? dst->v[i] : b->v[j];
		i += c <= 0;
		j += c >= 0;
	}
	addrset_move(dst, &out);
	return 0;
}

/* keep the elements of dst that are in b (keep = true) or that are not */
static void filter(struct addrset *dst, const struct addrset *b, bool keep)
{
	size_t out = 0, j = 0;

	for (size_t i = 0; i < dst->n; i++) {
		while (j < b->n && addr_cmp(&b->v[j], &dst->v[i]) < 0)
			j++;
		if ((j < b->n && addr_eq(&b->v[j], &dst->v[i])) == keep)
			dst->v[out++] = dst->v[i];
	}
	dst->n = out;
}

void addrset_subtract(struct addrset *dst, const struct addrset *b)
{
	filter(dst, b, false);
}

void addrset_intersect(struct addrset *dst, const struct addrset *b)
{
	filter(dst, b, true);
}
