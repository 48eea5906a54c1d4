/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Address and port of a server, see endpoint.h. Called by the parser of the
 * configuration, which refuses what is none, and by who listens there. Pure. */

#include "control/config/endpoint.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define HOST_MAX 256

static int parse_port(const char *s, uint16_t *ret)
{
	unsigned v = 0;

	for (; *s >= '0' && *s <= '9' && v <= UINT16_MAX; s++)
		v = 10 * v + (unsigned)(*s - '0');
	if (*s || v < 1 || v > UINT16_MAX)
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

/* Without the port and the brackets of an IPv6 address; false: too long. */
static bool copy_host(const char *s, char host[HOST_MAX])
{
	bool bracket = *s == '[';
	size_t n = strcspn(s + bracket, bracket ? "]" : ":");

	if (n >= HOST_MAX)
		return false;
	memcpy(host, s + bracket, n);
	host[n] = '\0';
	return true;
}

bool endpoint_is_local_host(const char *s)
{
	static const char name[] = ".localhost";
	char host[HOST_MAX + 1] = "."; /* a dot before it for the comparison */
	struct addr ignored;
	size_t n;

	if (!copy_host(s, host + 1))
		return false;
	n = strlen(host);
	if (host[n - 1] == '.')
		host[--n] = '\0';
	if (n > 0 && addr_parse(host + 1, &ignored) == 0)
		return true;
	return n >= sizeof(name) - 1 &&
		strcasecmp(host + n - (sizeof(name) - 1), name) == 0;
}
