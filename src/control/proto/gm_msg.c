/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * What messages of both protocols have in common: sizes, destinations, the text of
 * hosts, and the names of the reasons for which a message was not accepted. These names
 * are the keys of statistics and metrics, and never change their meaning. Pure.
 */

#include "control/proto/gm_msg.h"

#include "base/minmax.h"
#include "control/proto/igmp.h"
#include "control/proto/mld.h"

#include <stdio.h>

/* bytes of a message before its sources or records, with the IP headers; of an
 * address */
static const struct {
	uint32_t query, report, addr;
} sizes[_FAMILY_N] = {
	[FAMILY_IPV4] = {IGMP_IP_HEADER_LEN + 12, IGMP_IP_HEADER_LEN + 8, 4},
	[FAMILY_IPV6] = {MLD_IP_HEADER_LEN + 28, MLD_IP_HEADER_LEN + 8, 16},
};

size_t gm_query_max_sources(enum family family, uint32_t mtu)
{
	return (max(mtu, sizes[family].query) - sizes[family].query) /
		sizes[family].addr;
}

size_t gm_report_space(enum family family, uint32_t mtu)
{
	return max(mtu, sizes[family].report) - sizes[family].report;
}

size_t gm_record_bytes(enum family family, size_t n_src)
{
	return 4 + (1 + n_src) * sizes[family].addr;
}

struct addr gm_packet_destination(enum family family, const void *packet)
{
	const uint8_t *p = packet;
	struct addr to;

	if (family == FAMILY_IPV4)
		return addr_from_v4(p + 16);
	memcpy(to.b, p + 24, sizeof(to.b));
	return to;
}

const char *gm_format_mac(const struct gm_mac *mac, char buf[ADDR_STRLEN])
{
	const uint8_t *o = mac->byte;

	snprintf(buf, ADDR_STRLEN, "%02x:%02x:%02x:%02x:%02x:%02x", o[0], o[1], o[2],
		o[3], o[4], o[5]);
	return buf;
}

const char *gm_format_host(const struct addr *a, char buf[ADDR_STRLEN])
{
	struct gm_mac mac;

	memcpy(mac.byte, a->b + 10, sizeof(mac.byte));
	return gm_is_station(a) ? gm_format_mac(&mac, buf) : addr_format(a, buf);
}

const char *gm_bad_name(enum gm_bad bad)
{
	static const char name[_GM_BAD_N][16] = {
		[GM_OK] = "ok",
		[GM_BAD_SHORT] = "short",
		[GM_BAD_HEADER] = "header",
		[GM_BAD_FRAGMENT] = "fragment",
		[GM_BAD_CHECKSUM] = "checksum",
		[GM_BAD_LENGTH] = "length",
		[GM_BAD_TYPE] = "type",
		[GM_BAD_GROUP] = "group",
		[GM_BAD_DESTINATION] = "destination",
		[GM_BAD_TTL] = "ttl",
		[GM_BAD_ROUTER_ALERT] = "router_alert",
		[GM_BAD_SOURCE] = "source",
		[GM_BAD_FOREIGN] = "foreign",
		[GM_BAD_OWN] = "own",
		[GM_BAD_ROLE] = "role",
		[GM_BAD_FAMILY] = "family",
		[GM_BAD_FILTERED] = "filtered",
		[GM_BAD_LIMIT] = "limit",
		[GM_BAD_MEMORY] = "memory",
	};

	return (unsigned)bad < _GM_BAD_N ? name[bad] : "unknown";
}

const char *gm_odd_name(enum gm_odd odd)
{
	static const char name[_GM_ODD_N][16] = {
		[GM_ODD_NO_ROUTER_ALERT] = "no_router_alert",
		[GM_ODD_TTL] = "ttl",
		[GM_ODD_TRUNCATED] = "truncated",
	};

	return (unsigned)odd < _GM_ODD_N ? name[odd] : "unknown";
}
