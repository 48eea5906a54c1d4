/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Addresses and prefixes of both families, see addr.h. Leaf of everything; pure.
 * Classes follow RFC 1112, 1812 5.3.7, 4291 2 and 5771.
 */

#include "base/addr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

const char *family_name(enum family family)
{
	return family == FAMILY_IPV4 ? "ipv4" : "ipv6";
}

struct addr addr_from_v4(const void *bytes)
{
	struct addr a = {{[10] = 0xff, [11] = 0xff}};

	memcpy(a.b + 12, bytes, 4);
	return a;
}

struct addr addr_any(enum family family)
{
	return family == FAMILY_IPV4 ? ADDR_V4(0, 0, 0, 0) : (struct addr){{0}};
}

bool addr_is_any(const struct addr *a)
{
	struct addr any = addr_any(addr_family(a));

	return addr_eq(a, &any);
}

bool addr_is_multicast(const struct addr *a)
{
	return addr_is_v4(a) ? (a->b[12] & 0xf0) == 0xe0 : a->b[0] == 0xff;
}

bool addr_is_loopback(const struct addr *a)
{
	static const struct addr lo6 = {{[15] = 1}};

	return addr_is_v4(a) ? a->b[12] == 127 : addr_eq(a, &lo6);
}

bool addr_is_link_local(const struct addr *a)
{
	if (addr_is_v4(a))
		return a->b[12] == 169 && a->b[13] == 254;
	return a->b[0] == 0xfe && (a->b[1] & 0xc0) == 0x80;
}

bool addr_is_broadcast(const struct addr *a)
{
	static const struct addr bcast = ADDR_V4(255, 255, 255, 255);

	return addr_eq(a, &bcast);
}

bool addr_is_local_group(const struct addr *group)
{
	if (addr_is_v4(group))
		return group->b[12] == 224 && group->b[13] == 0 && group->b[14] == 0;
	return group->b[0] == 0xff && (group->b[1] & 0x0f) <= 2;
}

bool addr_is_usable_source(const struct addr *a)
{
	if (addr_is_any(a) || addr_is_multicast(a) || addr_is_loopback(a))
		return false;
	if (addr_is_v4(a))
		return a->b[12] != 0 && a->b[12] < 240;
	return true;
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

bool prefix_eq(const struct prefix *a, const struct prefix *b)
{
	return a->len == b->len && addr_eq(&a->addr, &b->addr);
}
