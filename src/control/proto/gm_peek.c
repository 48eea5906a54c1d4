/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Estimates the cost of a membership message from its length and its own count of
 * records, see gm_peek.h. A false count only makes a message more expensive for its
 * sender: bytes in no record are charged as addresses.
 */

#include "control/proto/gm_peek.h"

#include "base/bytes.h"
#include "base/inet.h"
#include "base/minmax.h"

#include <string.h>

#define IGMP_V3_REPORT 0x22
#define MLD_V2_REPORT  143
#define IGMP_QUERY     0x11
#define MLD_QUERY      130
#define MESSAGE_MIN    8 /* also the length before a report's records */

static bool find_ipv4(const uint8_t *p, size_t len, struct gm_peek *ret)
{
	size_t header = len < IPV4_HLEN ? 0 : (p[0] & 0x0fu) * 4, total;

	if (header < IPV4_HLEN)
		return false;
	total = get_u16be(p + 2);
	total = min(total, len);
	if (total < header + MESSAGE_MIN)
		return false;
	ret->from = addr_from_v4(p + 12);
	ret->message = p + header;
	ret->len = total - header;
	return true;
}

/* Looks only after hop-by-hop options, where every legal message is. Anything after
 * other headers is charged by its length. */
static bool find_ipv6(const uint8_t *p, size_t len, struct gm_peek *ret)
{
	size_t header = IPV6_HLEN;

	if (len < IPV6_HLEN + MESSAGE_MIN)
		return false;
	if (p[6] == PROTO_HOPOPTS)
		header += (p[IPV6_HLEN + 1] + 1u) * 8;
	if (len < header + MESSAGE_MIN)
		return false;
	memcpy(ret->from.b, p + 8, sizeof(ret->from.b));
	ret->message = p + header;
	ret->len = len - header;
	return true;
}

bool gm_peek(enum family family, const void *packet, size_t len, struct gm_peek *ret)
{
	size_t addr_len = family == FAMILY_IPV4 ? 4 : 16, record = 4 + addr_len;
	uint8_t report = family == FAMILY_IPV4 ? IGMP_V3_REPORT : MLD_V2_REPORT;
	uint8_t query = family == FAMILY_IPV4 ? IGMP_QUERY : MLD_QUERY;
	size_t records = 0, bytes;

	*ret = (struct gm_peek){.work = 1};
	if (!(family == FAMILY_IPV4 ? find_ipv4 : find_ipv6)(packet, len, ret))
		return false;
	bytes = ret->len - MESSAGE_MIN;
	ret->query = ret->message[0] == query;
	if (ret->message[0] == report)
		records = min(get_u16be(ret->message + 6), bytes / record);
	bytes -= records * record;
	ret->records = (uint32_t)records;
	ret->work = (uint32_t)(1 + records + bytes / (addr_len * GM_WORK_ADDRESSES));
	return true;
}
