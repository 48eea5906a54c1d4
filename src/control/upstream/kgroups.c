/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Parses what net/ipv4/igmp.c and net/ipv6/mcast.c of Linux print:
 *
 *   igmp       a line "3\twan  :  2  V3" for each interface, then for each group a line
 *              that begins with tabs: "\t\t\t\t0302010EF  1 0:00000000  0". The group
 *              is a number as it is in memory, in the byte order of the machine.
 *   igmp6      "4  wan  ff0e0000000000000000000000010203  1 00000004 0"
 *   mcfilter   "  3  wan 0xef010203 0x0a000001  1  0": interface, group, source, how
 *   mcfilter6  many sockets want the source, and how many block it
 */

#include "control/upstream/kgroups.h"

#include "base/array.h"
#include "base/search.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void kgroups_deinit(struct kgroups *k)
{
	for (size_t i = 0; i < k->n; i++)
		addrset_deinit(&k->v[i].src);
	free(k->v);
	*k = (struct kgroups){0};
}

static int kgroups_compare(
	int ifindex, const struct addr *group, const struct kgroup *g)
{
	if (ifindex != g->ifindex)
		return ifindex < g->ifindex ? -1 : 1;
	return addr_cmp(group, &g->group);
}

/* Returns the index of the first entry that is not less. */
static size_t slot(const struct kgroups *k, int ifindex, const struct addr *group)
{
	return first_not_before(
		0, k->n, i, kgroups_compare(ifindex, group, &k->v[i]) > 0);
}

static struct kgroup *kgroups_find(
	const struct kgroups *k, int ifindex, const struct addr *group)
{
	size_t i = slot(k, ifindex, group);

	return i < k->n && kgroups_compare(ifindex, group, &k->v[i]) == 0 ? &k->v[i]
									  : NULL;
}

/* Appends it in any order; kgroups_settle() sorts. */
static int kgroups_add(struct kgroups *k, enum family family, unsigned long ifindex,
	const struct addr *group, unsigned long n_users)
{
	if (ifindex == 0 || ifindex > INT32_MAX || n_users == 0 ||
		n_users > UINT32_MAX || addr_family(group) != family ||
		!addr_is_multicast(group) || addr_is_local_group(group) ||
		k->n == KGROUPS_MAX)
		return 0;
	if (array_reserve(k->v, k->cap, k->n + 1, 16) < 0)
		return -ENOMEM;
	k->v[k->n++] = (struct kgroup){
		.ifindex = (int)ifindex, .group = *group, .n_users = (unsigned)n_users};
	return 0;
}

static int by_interface_and_group(const void *a, const void *b)
{
	const struct kgroup *x = a;

	return kgroups_compare(x->ifindex, &x->group, b);
}

/* Sorts, and keeps each group once, because a file that is read in pieces may repeat a
 * line. */
static void kgroups_settle(struct kgroups *k)
{
	size_t n = 0;

	if (k->n)
		qsort(k->v, k->n, sizeof(*k->v), by_interface_and_group);
	for (size_t i = 0; i < k->n; i++)
		if (n == 0 || by_interface_and_group(&k->v[n - 1], &k->v[i]) != 0)
			k->v[n++] = k->v[i];
	k->n = n;
}

/* ---- words of a line ---- */

static const char *skip_blanks(const char *s)
{
	return s + strspn(s, " \t");
}

static const char *skip_word(const char *s)
{
	s = skip_blanks(s);
	return s + strcspn(s, " \t\n");
}

/* A number that ends with its word. Returns what follows it, or NULL. */
static const char *kgroups_number(const char *s, int base, unsigned long *ret)
{
	char *end;

	s = skip_blanks(s);
	if (*s == '-' || *s == '+' || *s == '\n' || !*s)
		return NULL;
	errno = 0;
	*ret = strtoul(s, &end, base);
	if (errno || end == s || (*end && !strchr(" \t\n", *end)))
		return NULL;
	return end;
}

static const char *next_line(const char *s)
{
	s += strcspn(s, "\n");
	return *s ? s + 1 : s;
}

/* ---- IPv4 ---- */

static int parse_igmp(struct kgroups *k, const char *s)
{
	unsigned long ifindex = 0, word, users;
	int r = 0;

	for (; *s && r == 0; s = next_line(s)) {
		const char *rest;
		uint32_t raw;
		uint8_t bytes[4];
		struct addr group;

		if (*s != '\t') { /* an interface, or the heading */
			if (!kgroups_number(s, 10, &ifindex))
				ifindex = 0;
			continue;
		}
		rest = kgroups_number(s, 16, &word);
		if (!rest || word > UINT32_MAX || !kgroups_number(rest, 10, &users))
			continue;
		raw = (uint32_t)word;
		memcpy(bytes, &raw, sizeof(bytes));
		group = ADDR_V4(bytes[0], bytes[1], bytes[2], bytes[3]);
		r = kgroups_add(k, FAMILY_IPV4, ifindex, &group, users);
	}
	return r;
}

static const char *address4(const char *s, struct addr *ret)
{
	unsigned long v;

	s = kgroups_number(s, 16, &v);
	if (!s || v > UINT32_MAX)
		return NULL;
	*ret = ADDR_V4(
		(uint8_t)(v >> 24), (uint8_t)(v >> 16), (uint8_t)(v >> 8), (uint8_t)v);
	return s;
}

/* ---- IPv6 ---- */

/* 32 hexadecimal digits */
static const char *address6(const char *s, struct addr *ret)
{
	static const char digits[] = "0123456789abcdef";

	s = skip_blanks(s);
	*ret = (struct addr){{0}};
	for (unsigned i = 0; i < 32; i++, s++) {
		const char *d = *s ? strchr(digits, *s) : NULL;

		if (!d)
			return NULL;
		ret->b[i / 2] = (uint8_t)(ret->b[i / 2] << 4 | (d - digits));
	}
	return *s == ' ' || *s == '\t' || *s == '\n' || !*s ? s : NULL;
}

static int parse_igmp6(struct kgroups *k, const char *s)
{
	unsigned long ifindex, users;
	int r = 0;

	for (; *s && r == 0; s = next_line(s)) {
		const char *rest = kgroups_number(s, 10, &ifindex);
		struct addr group;

		rest = rest ? address6(skip_word(rest), &group) : NULL;
		if (rest && kgroups_number(rest, 10, &users))
			r = kgroups_add(k, FAMILY_IPV6, ifindex, &group, users);
	}
	return r;
}

/* ---- sources ---- */

/* A program may name addresses that can never send, including an IPv4 address in an
 * IPv6 filter. */
static bool can_send(enum family family, const struct addr *source)
{
	return addr_family(source) == family && addr_is_usable_source(source);
}

static int parse_filters(struct kgroups *k, enum family family, const char *s)
{
	const char *(*address)(const char *, struct addr *) =
		family == FAMILY_IPV4 ? address4 : address6;

	for (; *s; s = next_line(s)) {
		unsigned long ifindex, want, block;
		const char *rest = kgroups_number(s, 10, &ifindex);
		struct addr group, source;
		struct kgroup *g;

		rest = rest ? address(skip_word(rest), &group) : NULL;
		rest = rest ? address(rest, &source) : NULL;
		rest = rest ? kgroups_number(rest, 10, &want) : NULL;
		if (!rest || !kgroups_number(rest, 10, &block) || ifindex > INT32_MAX)
			continue;
		g = kgroups_find(k, (int)ifindex, &group);
		if (!g)
			continue;
		/* so many that they are not distinguished */
		g->has_blocked |= block > 0 || g->src.n == KGROUPS_SOURCES_MAX;
		g->n_wanted += want;
		if (want && !g->has_blocked && can_send(family, &source) &&
			addrset_add(&g->src, &source) < 0)
			return -ENOMEM;
	}
	return 0;
}

int kgroups_parse(
	struct kgroups *k, enum family family, const char *groups, const char *sources)
{
	int r = family == FAMILY_IPV4 ? parse_igmp(k, groups) : parse_igmp6(k, groups);

	kgroups_settle(k);
	return r < 0 || !sources ? r : parse_filters(k, family, sources);
}

struct kgroups_filter kgroups_filter(
	const struct kgroups *k, int ifindex, const struct addr *group)
{
	static const struct addrset none;
	const struct kgroup *g = kgroups_find(k, ifindex, group);

	if (!g)
		return (struct kgroups_filter){GM_INCLUDE, &none};
	/* each socket that names sources wants at least one */
	if (g->has_blocked || g->src.n == 0 || g->n_users > g->n_wanted)
		return (struct kgroups_filter){GM_EXCLUDE, &none};
	return (struct kgroups_filter){GM_INCLUDE, &g->src};
}

bool kgroups_eq(const struct kgroups *a, const struct kgroups *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++) {
		const struct kgroup *x = &a->v[i], *y = &b->v[i];

		if (x->ifindex != y->ifindex || !addr_eq(&x->group, &y->group) ||
			x->n_users != y->n_users || x->n_wanted != y->n_wanted ||
			x->has_blocked != y->has_blocked ||
			!addrset_eq(&x->src, &y->src))
			return false;
	}
	return true;
}
