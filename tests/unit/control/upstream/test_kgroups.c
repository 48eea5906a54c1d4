/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Groups of this host's programs, parsed from /proc (K01, K02). */

#include "control/upstream/kgroups.h"
#include "fail_alloc.h"
#include "test.h"

#include <errno.h>
#include <stdio.h>

/* The number that the kernel prints: the address as it is in memory. */
static const char *raw(const char *s)
{
	static char buf[8][9];
	static unsigned n;
	struct addr x = a(s);
	uint32_t v;

	memcpy(&v, x.b + 12, sizeof(v));
	n = (n + 1) % 8;
	snprintf(buf[n], sizeof(buf[n]), "%08X", v);
	return buf[n];
}

static char igmp[1024];

static void write_igmp(void)
{
	snprintf(igmp, sizeof(igmp),
		"Idx\tDevice    : Count Querier\tGroup    Users Timer\tReporter\n"
		"1\tlo        :     1      V3\n"
		"\t\t\t\t%s     1 0:00000000\t\t0\n"
		"3\twan       :     3      V2\n"
		"\t\t\t\t%s     2 0:00000000\t\t1\n"
		"\t\t\t\t%s     1 1:00000000\t\t0\n"
		"\t\t\t\t%s     1 0:00000000\t\t0\n"
		"12\tppp0      :     1      V3\n"
		"\t\t\t\t%s     3 0:00000000\t\t0\n",
		raw("224.0.0.1"), raw("239.1.2.3"), raw("232.1.2.3"), raw("224.0.0.1"),
		raw("239.1.2.3"));
}

static const char mcfilter[] = "Idx Device        MCA        SRC    INC    EXC\n"
			       "  3    wan 0xe8010203 0x0a000001      1      0\n"
			       "  3    wan 0xe8010203 0x0a00000b      1      0\n"
			       " 12   ppp0 0xef010203 0x0a000001      0      1\n"
			       "  3    wan 0xef090909 0x0a000001      1      0\n";

static void expect(const struct kgroups *k, int ifindex, const char *group,
	enum gm_mode mode, size_t n_src)
{
	struct addr g = a(group);
	struct kgroups_filter f = kgroups_filter(k, ifindex, &g);

	assert_int_equal(f.mode, mode);
	assert_int_equal(f.src->n, n_src);
}

static void k01_igmp(void **state)
{
	struct addr source = a("10.0.0.1"), group = a("232.1.2.3");
	struct kgroups k = {0};

	write_igmp();
	assert_int_equal(kgroups_parse(&k, FAMILY_IPV4, igmp, mcfilter), 0);
	assert_int_equal(k.n, 3); /* without the group of link-local scope */
	expect(&k, 3, "239.1.2.3", GM_EXCLUDE, 0);
	expect(&k, 3, "232.1.2.3", GM_INCLUDE, 2);
	assert_true(addrset_contains(kgroups_filter(&k, 3, &group).src, &source));
	expect(&k, 12, "239.1.2.3", GM_EXCLUDE, 0);
	expect(&k, 12, "232.1.2.3", GM_INCLUDE, 0);
	expect(&k, 3, "239.9.9.9", GM_INCLUDE, 0);
	kgroups_deinit(&k);
	/* without the file of sources, all sources count as wanted */
	assert_int_equal(kgroups_parse(&k, FAMILY_IPV4, igmp, NULL), 0);
	expect(&k, 3, "232.1.2.3", GM_EXCLUDE, 0);
	kgroups_deinit(&k);
}

static void k01_igmp6(void **state)
{
	static const char igmp6[] =
		"1    lo              ff020000000000000000000000000001     1 0000000C 0\n"
		"4    wan             ff0e0000000000000000000000010203     1 00000004 0\n"
		"4    wan             ff3e0000000000000000000080000001     2 00000004 0\n"
		"4    wan             ff3e0000000000000000000080000002     2 00000004 0\n";
	static const char filter[] =
		"Idx Device                Multicast Address                   Source "
		"Address    INC    EXC\n"
		"  4    wan ff3e0000000000000000000080000001 "
		"20010db8000000000000000000000001      2      0\n"
		"  4    wan ff3e0000000000000000000080000002 "
		"20010db8000000000000000000000001      1      0\n";
	struct kgroups k = {0};

	assert_int_equal(kgroups_parse(&k, FAMILY_IPV6, igmp6, filter), 0);
	assert_int_equal(k.n, 3);
	expect(&k, 4, "ff0e::1:203", GM_EXCLUDE, 0);
	expect(&k, 4, "ff3e::8000:1", GM_INCLUDE, 1);
	/* one of the two sockets names no source, so all sources are wanted */
	expect(&k, 4, "ff3e::8000:2", GM_EXCLUDE, 0);
	kgroups_deinit(&k);
}

/* The kernel does not check the sources that a program names. */
static void k01_sources_that_cannot_send(void **state)
{
	static const char igmp6[] =
		"4    wan             ff3e0000000000000000000080000001     2 00000004 0\n"
		"4    wan             ff3e0000000000000000000080000002     1 00000004 0\n"
		"4    wan        00000000000000000000ffffef010203     1 00000004 0\n";
	static const char filter[] = "  4    wan ff3e0000000000000000000080000001 "
				     "00000000000000000000ffff0a000001      1      0\n"
				     "  4    wan ff3e0000000000000000000080000001 "
				     "20010db8000000000000000000000001      1      0\n"
				     "  4    wan ff3e0000000000000000000080000002 "
				     "ff0e0000000000000000000000000001      1      0\n";
	struct addr source = a("2001:db8::1"), group = a("ff3e::8000:1");
	struct kgroups k = {0};

	assert_int_equal(kgroups_parse(&k, FAMILY_IPV6, igmp6, filter), 0);
	assert_int_equal(k.n, 2);
	expect(&k, 4, "ff3e::8000:1", GM_INCLUDE, 1);
	assert_true(addrset_contains(kgroups_filter(&k, 4, &group).src, &source));
	expect(&k, 4, "ff3e::8000:2", GM_EXCLUDE, 0);
	kgroups_deinit(&k);
}

static void lines_that_are_none(void **state)
{
	static const char *const texts[] = {"", "\n", "\t\t\t\t\n", "3\n",
		"\t\t\t\tEF 1", "x\ty : 1 V3\n\t\t\t\t030201EF     1 0:0\n",
		"3\twan : 1 V3\n\t\t\t\t030201EFFF     1 0:0\n",
		"3\twan : 1 V3\n\t\t\t\t030201EF     -1 0:0\n",
		"3\twan : 1 V3\n\t\t\t\t030201EF\n", "99999999999\twan : 1 V3\n",
		"3\twan : 1 V3\n\t\t\t\t030201EF     0 0:0\n"};

	for (size_t i = 0; i < array_len(texts); i++) {
		struct kgroups k = {0};

		assert_int_equal(kgroups_parse(&k, FAMILY_IPV4, texts[i], texts[i]), 0);
		assert_int_equal(kgroups_parse(&k, FAMILY_IPV6, texts[i], texts[i]), 0);
		assert_int_equal(k.n, 0);
		kgroups_deinit(&k);
	}
}

static void many(void **state)
{
	enum { N = KGROUPS_MAX + 100 };
	char *text = malloc(N * 80 + 1), *p = text;
	struct kgroups k = {0}, other = {0};

	assert_non_null(text);
	for (unsigned i = 0; i < N; i++)
		p += sprintf(p,
			"4    wan             ff0e00000000000000000000%08x     1 00000004 0\n",
			i * 2654435761u);
	assert_int_equal(kgroups_parse(&k, FAMILY_IPV6, text, NULL), 0);
	assert_int_equal(k.n, KGROUPS_MAX);
	for (size_t i = 1; i < k.n; i++)
		assert_true(addr_cmp(&k.v[i - 1].group, &k.v[i].group) < 0);
	assert_true(kgroups_eq(&k, &k));
	assert_false(kgroups_eq(&k, &other));
	kgroups_deinit(&k);
	free(text);
}

/* A file that changes while it is read can repeat lines. */
static void lines_that_come_twice(void **state)
{
	static char twice[2 * sizeof(igmp)];
	struct kgroups once = {0}, k = {0};

	write_igmp();
	snprintf(twice, sizeof(twice), "%s%s", igmp, igmp);
	assert_int_equal(kgroups_parse(&once, FAMILY_IPV4, igmp, mcfilter), 0);
	assert_int_equal(kgroups_parse(&k, FAMILY_IPV4, twice, mcfilter), 0);
	assert_true(kgroups_eq(&once, &k));
	kgroups_deinit(&once);
	kgroups_deinit(&k);
}

/* Any user can start programs that name countless sources. */
static void sources_without_end(void **state)
{
	static char filter[64 * (KGROUPS_SOURCES_MAX + 2)];

	for (size_t n = KGROUPS_SOURCES_MAX - 1; n <= KGROUPS_SOURCES_MAX + 1; n++) {
		struct kgroups k = {0};
		size_t len = 0;

		write_igmp();
		for (size_t i = 0; i < n; i++)
			len += (size_t)snprintf(filter + len, sizeof(filter) - len,
				"  3    wan 0xe8010203 0x0a00%04zx      1      0\n",
				i + 1);
		assert_int_equal(kgroups_parse(&k, FAMILY_IPV4, igmp, filter), 0);
		if (n <= KGROUPS_SOURCES_MAX)
			expect(&k, 3, "232.1.2.3", GM_INCLUDE, n);
		else
			expect(&k, 3, "232.1.2.3", GM_EXCLUDE, 0);
		kgroups_deinit(&k);
	}
}

static void memory_runs_out(void **state)
{
	write_igmp();
	for (long n = 0;; n++) {
		struct kgroups k = {0};
		int r;

		fail_alloc_after = n;
		r = kgroups_parse(&k, FAMILY_IPV4, igmp, mcfilter);
		fail_alloc_after = -1;
		kgroups_deinit(&k);
		if (r == 0)
			break;
		assert_int_equal(r, -ENOMEM);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(k01_igmp),
		cmocka_unit_test(k01_igmp6),
		cmocka_unit_test(k01_sources_that_cannot_send),
		cmocka_unit_test(lines_that_are_none),
		cmocka_unit_test(many),
		cmocka_unit_test(lines_that_come_twice),
		cmocka_unit_test(sources_without_end),
		cmocka_unit_test(memory_runs_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
