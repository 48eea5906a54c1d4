/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "control/config/endpoint.h"

#include "base/cleanup.h"
#include "control/config/config_text.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define HOST_MAX 256

static int parse_port(const char *s, uint16_t *ret)
{
	uint64_t v;
	const char *rest = config_scan_number(s, &v);

	if (!rest || *rest || v < 1 || v > UINT16_MAX)
		return -EINVAL;
	*ret = (uint16_t)v;
	return 0;
}

int endpoint_parse(const char *s, struct endpoint *ret)
{
	const char *colon = strrchr(s, ':');
	struct endpoint e = {.addr = ADDR_V4(127, 0, 0, 1)};
	bool bracket = *s == '[';
	char host[ADDR_STRLEN];
	size_t n;

	if (!colon || parse_port(colon + 1, &e.port) < 0)
		return -EINVAL;
	if (bracket && (colon - s < 2 || colon[-1] != ']'))
		return -EINVAL;
	n = (size_t)(colon - s) - 2 * bracket;
	if (n >= sizeof(host))
		return -EINVAL;
	memcpy(host, s + bracket, n);
	host[n] = '\0';
	if ((n > 0 || bracket) &&
		(addr_parse(host, &e.addr) < 0 || addr_is_v4(&e.addr) == bracket))
		return -EINVAL;
	*ret = e;
	return 0;
}

const char *endpoint_format(const struct endpoint *e, char buf[ENDPOINT_STRLEN])
{
	bool v4 = addr_is_v4(&e->addr);
	char host[ADDR_STRLEN];

	snprintf(buf, ENDPOINT_STRLEN, "%s%s%s:%u", v4 ? "" : "[",
		addr_format(&e->addr, host), v4 ? "" : "]", e->port);
	return buf;
}

/* The text up to a port, without the brackets of an IPv6 address. False if it is no
 * host with or without a port, or too long. */
static bool split_host(const char *field, char host[HOST_MAX], bool *ret_bracket)
{
	bool bracket = *field == '[';
	size_t n = strcspn(field + bracket, bracket ? "]" : ":");
	const char *rest = field + bracket + n;
	uint16_t ignored;

	if (bracket && *rest++ != ']')
		return false;
	if (n == 0 || n >= HOST_MAX)
		return false;
	if (*rest && (*rest != ':' || parse_port(rest + 1, &ignored) < 0))
		return false;
	memcpy(host, field + bracket, n);
	host[n] = '\0';
	*ret_bracket = bracket;
	return true;
}

/* Is it that name, or a name below it? */
static bool is_below(const char *name, const char *domain)
{
	size_t n = strlen(name), len = strlen(domain);

	n -= name[n - 1] == '.';
	return n >= len && strncasecmp(name + n - len, domain, len) == 0 &&
		(n == len || name[n - len - 1] == '.');
}

static bool is_private(const char *name)
{
	static const char domain[][12] = {
		"local", "home.arpa", "internal", "lan", "home"};

	if (!strchr(name, '.'))
		return true;
	for (size_t i = 0; i < array_len(domain); i++)
		if (is_below(name, domain[i]))
			return true;
	return false;
}

static bool is_name(const char *s)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_";

	return *s && !s[strspn(s, allowed)];
}

enum endpoint_host endpoint_host(const char *field, const struct addr *listens)
{
	char host[HOST_MAX];
	struct addr a;
	bool bracket, is_addr;

	if (!split_host(field, host, &bracket))
		return ENDPOINT_HOST_INVALID;
	is_addr = addr_parse(host, &a) == 0;
	/* RFC 3986 3.2.2: brackets are for IPv6 alone, which needs them */
	if (bracket ? !is_addr || addr_is_v4(&a) : !is_addr && !is_name(host))
		return ENDPOINT_HOST_INVALID;
	if (is_addr)
		return addr_is_loopback(&a) || addr_eq(&a, listens)
			? ENDPOINT_HOST_OURS
			: ENDPOINT_HOST_ADDRESS;
	/* regardless of name servers (RFC 6761 6.3) */
	if (is_below(host, "localhost"))
		return ENDPOINT_HOST_OURS;
	return is_private(host) ? ENDPOINT_HOST_PRIVATE : ENDPOINT_HOST_OTHER;
}
