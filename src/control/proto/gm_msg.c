/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Names of the reasons for which a membership message was not accepted: the keys of
 * statistics and metrics, which never change their meaning. Also formats hosts. Pure.
 */

#include "control/proto/gm_msg.h"

#include <stdio.h>

const char *gm_format_host(const struct addr *a, char buf[ADDR_STRLEN])
{
	const uint8_t *o = a->b + 10;

	if (!gm_is_station(a))
		return addr_format(a, buf);
	snprintf(buf, ADDR_STRLEN, "%02x:%02x:%02x:%02x:%02x:%02x", o[0], o[1], o[2],
		o[3], o[4], o[5]);
	return buf;
}

const char *gm_bad_name(enum gm_bad bad)
{
	switch (bad) {
	case GM_OK:
		return "ok";
	case GM_BAD_SHORT:
		return "short";
	case GM_BAD_HEADER:
		return "header";
	case GM_BAD_FRAGMENT:
		return "fragment";
	case GM_BAD_CHECKSUM:
		return "checksum";
	case GM_BAD_LENGTH:
		return "length";
	case GM_BAD_TYPE:
		return "type";
	case GM_BAD_GROUP:
		return "group";
	case GM_BAD_DESTINATION:
		return "destination";
	case GM_BAD_TTL:
		return "ttl";
	case GM_BAD_ROUTER_ALERT:
		return "router_alert";
	case GM_BAD_SOURCE:
		return "source";
	case GM_BAD_FOREIGN:
		return "foreign";
	case GM_BAD_OWN:
		return "own";
	case GM_BAD_ROLE:
		return "role";
	case GM_BAD_FAMILY:
		return "family";
	case GM_BAD_FILTERED:
		return "filtered";
	case GM_BAD_LIMIT:
		return "limit";
	case GM_BAD_MEMORY:
		return "memory";
	case _GM_BAD_N:
		break;
	}
	return "unknown";
}

const char *gm_odd_name(enum gm_odd odd)
{
	static const char *const name[_GM_ODD_N] = {
		[GM_ODD_NO_ROUTER_ALERT] = "no_router_alert",
		[GM_ODD_TTL] = "ttl",
		[GM_ODD_TRUNCATED] = "truncated",
	};

	return (unsigned)odd < _GM_ODD_N ? name[odd] : "unknown";
}
