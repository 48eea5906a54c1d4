/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Addresses, prefixes and lists of processors: parsed and formatted. Addresses are also
 * made from bytes, and the text of every address parses to the same address.
 */

#include "base/addr.h"
#include "base/addrset.h"
#include "base/cpulist.h"
#include "fuzz.h"

static void check_addr(const struct addr *a)
{
	char text[ADDR_STRLEN];
	struct addr again;

	fuzz_assert(addr_format(a, text) == text && strlen(text) < sizeof(text));
	fuzz_assert(addr_parse(text, &again) == 0 && addr_eq(a, &again));
	fuzz_assert(!addr_is_multicast(a) || !addr_is_usable_source(a));
	fuzz_assert(!addr_is_local_group(a) || addr_is_multicast(a));
	fuzz_assert(!addr_is_any(a) || !addr_is_usable_source(a));
}

static void check_prefix(const struct prefix *p)
{
	char text[PREFIX_STRLEN];
	struct prefix again;
	bool host_bits = true;

	fuzz_assert(prefix_len_in_family(p) <= (addr_is_v4(&p->addr) ? 32 : 128));
	fuzz_assert(prefix_contains(p, &p->addr));
	fuzz_assert(prefix_format(p, text) == text && strlen(text) < sizeof(text));
	fuzz_assert(prefix_parse(text, &again, &host_bits) == 0 && !host_bits);
	fuzz_assert(prefix_eq(p, &again));
}

static void check_text(const char *s)
{
	unsigned cpu[CPULIST_MAX];
	struct prefix p;
	struct addr a;
	size_t n;

	if (addr_parse(s, &a) == 0)
		check_addr(&a);
	if (prefix_parse(s, &p, NULL) == 0)
		check_prefix(&p);
	n = cpulist_parse(s, cpu);
	fuzz_assert(n <= CPULIST_MAX);
	for (size_t i = 0; i < n; i++)
		fuzz_assert(cpu[i] <= CPULIST_CPU);
}

/* Sets of up to 16 addresses, compared with bit sets. */
static void check_sets(struct rd r)
{
	struct addrset set[2] = {{0}, {0}};
	uint16_t bits[2] = {0};

	while (fuzz_more(&r)) {
		unsigned op = rd_u8(&r), k = op & 1, bit = op >> 4;
		struct addr a = ADDR_V4(10, 0, 0, (uint8_t)bit);

		switch (op >> 1 & 7) {
		case 0:
			fuzz_assert(addrset_union(&set[k], &set[1 - k]) == 0);
			bits[k] |= bits[1 - k];
			break;
		case 1:
		case 2:
			addrset_subtract(&set[k], &set[1 - k]);
			bits[k] &= (uint16_t)~bits[1 - k];
			break;
		case 3:
			fuzz_assert(addrset_copy(&set[k], &set[1 - k]) == 0);
			bits[k] = bits[1 - k];
			break;
		default:
			fuzz_assert(addrset_add(&set[k], &a) >= 0);
			bits[k] |= (uint16_t)(1u << bit);
			break;
		}
		fuzz_assert(set[k].n == (size_t)__builtin_popcount(bits[k]));
		for (unsigned i = 0; i < 16; i++) {
			a = ADDR_V4(10, 0, 0, (uint8_t)i);
			fuzz_assert(
				addrset_contains(&set[k], &a) == (bits[k] >> i & 1));
		}
		fuzz_assert(addrset_eq(&set[0], &set[1]) == (bits[0] == bits[1]));
	}
	addrset_deinit(&set[0]);
	addrset_deinit(&set[1]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rd r = rd_init(data, size);
	unsigned what = fuzz_below(&r, 3);
	char text[80] = "";
	struct addr a;

	if (what == 0) {
		check_sets(r);
		return 0;
	}
	if (what == 1 && rd_left(&r) >= 17) {
		unsigned len = rd_u8(&r);
		struct prefix p;

		memcpy(a.b, rd_take(&r, 16), 16);
		check_addr(&a);
		p = prefix_from_addr(&a, len % (addr_is_v4(&a) ? 33 : 129));
		fuzz_assert(prefix_contains(&p, &a));
		check_prefix(&p);
		return 0;
	}
	if (rd_left(&r) < sizeof(text))
		memcpy(text, r.p, rd_left(&r));
	check_text(text);
	return 0;
}
