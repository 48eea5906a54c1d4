/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The text of /proc/net/igmp or igmp6, followed by a NUL and that of mcfilter or
 * mcfilter6. The result is bounded and sorted, has each group once and only groups of
 * the family, and the same holds for sources. A filter of all sources names none, any
 * other filter at least one. A file whose lines occur twice gives the same result.
 */

#include "control/upstream/kgroups.h"
#include "fuzz.h"

static bool comes_before(const struct kgroup *a, const struct kgroup *b)
{
	return a->ifindex != b->ifindex ? a->ifindex < b->ifindex
					: addr_cmp(&a->group, &b->group) < 0;
}

static void check_sources(const struct addrset *src, enum family family)
{
	for (size_t i = 0; i < src->n; i++) {
		fuzz_assert(addr_family(&src->v[i]) == family);
		fuzz_assert(addr_is_usable_source(&src->v[i]));
		fuzz_assert(i == 0 || addr_cmp(&src->v[i - 1], &src->v[i]) < 0);
	}
}

static void check(const struct kgroups *k, enum family family, bool has_sources)
{
	fuzz_assert(k->n <= KGROUPS_MAX && kgroups_eq(k, k));
	for (size_t i = 0; i < k->n; i++) {
		const struct kgroup *g = &k->v[i];
		struct kgroups_filter f = kgroups_filter(k, g->ifindex, &g->group);

		fuzz_assert(i == 0 || comes_before(&k->v[i - 1], g));
		fuzz_assert(g->ifindex > 0 && g->n_users > 0);
		fuzz_assert(addr_family(&g->group) == family);
		fuzz_assert(addr_is_multicast(&g->group));
		fuzz_assert(!addr_is_local_group(&g->group));
		fuzz_assert((f.mode == GM_EXCLUDE) == (f.src->n == 0));
		fuzz_assert(has_sources || f.mode == GM_EXCLUDE);
		check_sources(f.src, family);
		f = kgroups_filter(k, -1, &g->group);
		fuzz_assert(f.mode == GM_INCLUDE && f.src->n == 0);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rd in = rd_init(data, size);
	enum family family = fuzz_below(&in, 2) ? FAMILY_IPV6 : FAMILY_IPV4;
	size_t len;
	_cleanup_(freep) uint8_t *rest = fuzz_rest(&in, &len);
	_cleanup_(freep) char *groups = strndup((char *)rest, len);
	_cleanup_(freep) char *sources = NULL, *twice = NULL;
	struct kgroups k = {0}, k2 = {0};

	fuzz_assert(groups);
	if (strlen(groups) < len) {
		size_t at = strlen(groups) + 1;

		sources = strndup((char *)rest + at, len - at);
		fuzz_assert(sources);
	}
	fuzz_assert(kgroups_parse(&k, family, groups, sources) == 0);
	check(&k, family, sources);
	/* the line between them ends the list of an interface */
	fuzz_assert(asprintf(&twice, "%s\nheading\n%s", groups, groups) > 0);
	fuzz_assert(kgroups_parse(&k2, family, twice, sources) == 0);
	fuzz_assert(kgroups_eq(&k, &k2));
	kgroups_deinit(&k);
	kgroups_deinit(&k2);
	return 0;
}
