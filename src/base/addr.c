/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Addresses and prefixes of both families, see addr.h. The classes of addresses follow
 * RFC 1112, 1812 5.3.7, 4291 2 and 5771. Pure. */

#include "base/addr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

const char *family_name(enum family family)
{
	return family == FAMILY_IPV4 ? "ipv4" : "ipv6";
}

bool addr_is_broadcast(const struct addr *a)
{
	static const struct addr bcast = ADDR_V4(255, 255, 255, 255);

	return addr_eq(a, &bcast);
}

const char *addr_format(const struct addr *a, char buf[ADDR_STRLEN])
{
	if (addr_is_v4(a))
		inet_ntop(AF_INET, addr_v4_bytes(a), buf, ADDR_STRLEN);
	else
		inet_ntop(AF_INET6, a->b, buf, ADDR_STRLEN);
	return buf;
}

const char *prefix_format(const struct prefix *p, char buf[PREFIX_STRLEN])
{
	size_t n;

	addr_format(&p->addr, buf);
	n = strlen(buf);
	snprintf(buf + n, PREFIX_STRLEN - n, "/%u", prefix_len_in_family(p));
	return buf;
}

int addr_parse(const char *s, struct addr *ret)
{
	uint8_t v4[4];
	struct addr a;

	if (inet_pton(AF_INET, s, v4) == 1) {
		*ret = addr_from_v4(v4);
		return 0;
	}
	/* a v4-mapped text would silently change its family */
	if (inet_pton(AF_INET6, s, a.b) == 1 && !addr_is_v4(&a)) {
		*ret = a;
		return 0;
	}
	return -EINVAL;
}

static void clear_host_bits(struct prefix *p)
{
	for (unsigned i = 0; i < 16; i++) {
		if (p->len >= 8 * (i + 1))
			continue;
		if (p->len <= 8 * i)
			p->addr.b[i] = 0;
		else
			p->addr.b[i] &= (uint8_t)(0xff << (8 * (i + 1) - p->len));
	}
}

struct prefix prefix_from_addr(const struct addr *a, unsigned len_in_family)
{
	struct prefix p = {.addr = *a};

	p.len = (uint8_t)(addr_is_v4(a) ? len_in_family + 96 : len_in_family);
	clear_host_bits(&p);
	return p;
}

int prefix_parse(const char *s, struct prefix *ret, bool *ret_host_bits)
{
	char text[ADDR_STRLEN];
	const char *slash = strchr(s, '/');
	size_t n = slash ? (size_t)(slash - s) : strlen(s);
	struct addr a;
	unsigned max, len;

	if (n >= sizeof(text))
		return -EINVAL;
	memcpy(text, s, n);
	text[n] = '\0';
	if (addr_parse(text, &a) < 0)
		return -EINVAL;

	max = addr_is_v4(&a) ? 32 : 128;
	len = max;
	if (slash) {
		char *end;
		unsigned long v;

		if (slash[1] < '0' || slash[1] > '9')
			return -EINVAL;
		v = strtoul(slash + 1, &end, 10);
		if (*end || v > max)
			return -EINVAL;
		len = (unsigned)v;
	}
	*ret = prefix_from_addr(&a, len);
	if (ret_host_bits)
		*ret_host_bits = !addr_eq(&ret->addr, &a);
	return 0;
}

bool prefix_contains(const struct prefix *p, const struct addr *a)
{
	unsigned full = p->len / 8, rest = p->len % 8;

	/* ::/0 means all of IPv6, not the v4-mapped part of it */
	if (addr_is_v4(&p->addr) != addr_is_v4(a))
		return false;
	if (memcmp(p->addr.b, a->b, full) != 0)
		return false;
	if (rest == 0)
		return true;
	return ((p->addr.b[full] ^ a->b[full]) & (uint8_t)(0xff << (8 - rest))) == 0;
}

bool prefix_any_contains(const struct prefix *v, size_t n, const struct addr *a)
{
	for (size_t i = 0; i < n; i++)
		if (prefix_contains(&v[i], a))
			return true;
	return false;
}

bool prefix_eq(const struct prefix *a, const struct prefix *b)
{
	return a->len == b->len && addr_eq(&a->addr, &b->addr);
}
