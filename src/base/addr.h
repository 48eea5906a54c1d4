/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Addresses of both families as one type: 16 bytes in network order, IPv4 as v4-mapped
 * IPv6 (::ffff:a.b.c.d, RFC 4291 2.5.5.2). Everything above the codecs is
 * family-neutral; addr_family() is called in the few places where the family matters.
 */

#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum family {
	FAMILY_IPV4,
	FAMILY_IPV6,
	_FAMILY_N,
};

struct addr {
	uint8_t b[16];
};

/* `len` counts bits of the 128-bit form: an IPv4 /24 has 120. Host bits are zero. */
struct prefix {
	struct addr addr;
	uint8_t len;
};

#define ADDR_STRLEN   46
#define PREFIX_STRLEN (ADDR_STRLEN + 4)

#define ADDR_V4(a, b, c, d)                                                            \
	((struct addr){{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, a, b, c, d}})

/* Comparing whole words needs neither a call nor a table, even with -Os. */
static inline bool addr_is_v4(const struct addr *a)
{
	uint64_t x[2];

	memcpy(x, a->b, sizeof(x));
	return x[0] == 0 && be64toh(x[1]) >> 32 == 0xffff;
}

static inline enum family addr_family(const struct addr *a)
{
	return addr_is_v4(a) ? FAMILY_IPV4 : FAMILY_IPV6;
}

const char *family_name(enum family family); /* static: "ipv4" or "ipv6" */

/* the order of memcmp(), but without a call */
static inline int addr_cmp(const struct addr *a, const struct addr *b)
{
	uint64_t x[2], y[2];

	memcpy(x, a->b, sizeof(x));
	memcpy(y, b->b, sizeof(y));
	if (x[0] != y[0])
		return be64toh(x[0]) < be64toh(y[0]) ? -1 : 1;
	return x[1] == y[1] ? 0 : be64toh(x[1]) < be64toh(y[1]) ? -1 : 1;
}

static inline bool addr_eq(const struct addr *a, const struct addr *b)
{
	uint64_t x[2], y[2];

	memcpy(x, a->b, sizeof(x));
	memcpy(y, b->b, sizeof(y));
	return ((x[0] ^ y[0]) | (x[1] ^ y[1])) == 0;
}

/* Convert from and to four bytes in network order. */
static inline struct addr addr_from_v4(const void *bytes)
{
	struct addr a = {{[10] = 0xff, [11] = 0xff}};

	memcpy(a.b + 12, bytes, 4);
	return a;
}

static inline const uint8_t *addr_v4_bytes(const struct addr *a)
{
	return a->b + 12;
}

/* the unspecified address of a family: 0.0.0.0 or :: */
static inline struct addr addr_any(enum family family)
{
	return family == FAMILY_IPV4 ? ADDR_V4(0, 0, 0, 0) : (struct addr){{0}};
}

static inline bool addr_is_any(const struct addr *a)
{
	uint64_t x[2];

	memcpy(x, a->b, sizeof(x));
	return x[0] == 0 && (x[1] == 0 || be64toh(x[1]) == 0xffffull << 32);
}

/* 224/4, ff00::/8 */
static inline bool addr_is_multicast(const struct addr *a)
{
	return addr_is_v4(a) ? (a->b[12] & 0xf0) == 0xe0 : a->b[0] == 0xff;
}

/* 127/8, ::1 */
static inline bool addr_is_loopback(const struct addr *a)
{
	static const struct addr lo6 = {{[15] = 1}};

	return addr_is_v4(a) ? a->b[12] == 127 : addr_eq(a, &lo6);
}

/* unicast: 169.254/16, fe80::/10 */
static inline bool addr_is_link_local(const struct addr *a)
{
	if (addr_is_v4(a))
		return a->b[12] == 169 && a->b[13] == 254;
	return a->b[0] == 0xfe && (a->b[1] & 0xc0) == 0x80;
}

bool addr_is_broadcast(const struct addr *a); /* 255.255.255.255 */

/* Groups that never leave their link: 224.0.0.0/24 (RFC 5771 4) and the IPv6 scopes
 * 0, 1 and 2 (RFC 4291 2.7). */
static inline bool addr_is_local_group(const struct addr *group)
{
	if (addr_is_v4(group))
		return group->b[12] == 224 && group->b[13] == 0 && group->b[14] == 0;
	return group->b[0] == 0xff && (group->b[1] & 0x0f) <= 2;
}

/* Returns the scope of an IPv6 group, 0 to 15 (RFC 4291 2.7, RFC 7346). */
static inline unsigned addr_scope(const struct addr *group)
{
	return group->b[1] & 0x0fu;
}

/* Fills in the link-layer address of frames to a group: its low 23 bits (RFC 1112 6.4)
 * or its low 32 bits (RFC 2464 7). */
static inline void addr_group_mac(const struct addr *group, uint8_t mac[6])
{
	if (addr_is_v4(group)) {
		const uint8_t prefix[] = {0x01, 0x00, 0x5e, group->b[13] & 0x7f};

		memcpy(mac, prefix, sizeof(prefix));
		memcpy(mac + 4, group->b + 14, 2);
	} else {
		memset(mac, 0x33, 2);
		memcpy(mac + 2, group->b + 12, 4);
	}
}

/* Is the source allowed in a membership record or a data packet? It must not be
 * unspecified, multicast, loopback, class E or broadcast (RFC 1812 5.3.7, RFC 4291
 * 2.5). */
static inline bool addr_is_usable_source(const struct addr *a)
{
	if (addr_is_any(a) || addr_is_multicast(a) || addr_is_loopback(a))
		return false;
	if (addr_is_v4(a))
		return a->b[12] != 0 && a->b[12] < 240;
	return true;
}

/* Write the text form, dotted quad for IPv4 and RFC 5952 for IPv6. Return `buf`. */
const char *addr_format(const struct addr *a, char buf[ADDR_STRLEN]);
const char *prefix_format(const struct prefix *p, char buf[PREFIX_STRLEN]);

/* Return 0, or -EINVAL if `s` is not a complete address, or if the length of a prefix
 * is out of range. A prefix without "/n" is a host prefix. Host bits are cleared.
 * *ret_host_bits, unless NULL, says whether there were some. */
int addr_parse(const char *s, struct addr *ret);
int prefix_parse(const char *s, struct prefix *ret, bool *ret_host_bits);

struct prefix prefix_from_addr(const struct addr *a, unsigned len_in_family);
bool prefix_contains(const struct prefix *p, const struct addr *a);
bool prefix_any_contains(const struct prefix *v, size_t n, const struct addr *a);
bool prefix_eq(const struct prefix *a, const struct prefix *b);

/* bits within the family: 0..32 or 0..128 */
static inline unsigned prefix_len_in_family(const struct prefix *p)
{
	return addr_is_v4(&p->addr) && p->len >= 96 ? p->len - 96u : p->len;
}
