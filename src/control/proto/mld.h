/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * MLDv1/v2 bytes <-> gm_msg (RFC 2710, RFC 9777 5). Works on whole IPv6 packets,
 * beginning with the IP header, so that hop limit, Router Alert, sender and destination
 * are checked and produced here. MLDv1 is GM_V2, MLDv2 is GM_V3. Pure.
 */

#include "control/proto/gm_msg.h"

struct mld_rules {
	bool require_router_alert; /* drop messages without the option (R028, R029) */
	uint32_t max_work;	   /* see gm_peek.h; 0 means no limit */
};

/* Decode one IPv6 packet of `len` captured bytes. On GM_OK *ret is filled; its arrays
 * live in `scratch`. Any other value is the reason for a refusal and leaves *ret
 * untouched. Hop limit 1 and a link-local sender are never optional. */
enum gm_bad mld_decode(const void *packet, size_t len, const struct mld_rules *rules,
	struct gm_scratch *scratch, struct gm_msg *ret);

/* Bytes before the messages that we send: 40 of IP header, 8 of hop-by-hop header with
 * the Router Alert option. */
#define MLD_IP_HEADER_LEN 48

/* Sources that fit into one query, and bytes of records that fit into one MLDv2 report,
 * at an MTU in bytes (0 if the MTU is too small). A record takes 20 + 16 * n_src. */
size_t mld_query_max_sources(uint32_t mtu);
size_t mld_report_space(uint32_t mtu);

/* Build a whole IPv6 packet into buf: hop limit 1, Router Alert, checksum (R027).
 * Returns the length, or -EMSGSIZE if it does not fit into size, -EINVAL if the
 * version cannot express the message, for a group that MLD never names (ff02::1,
 * scopes 0 and 1, R038), and for a sender that is not link-local; a report may come
 * from :: (RFC 3590). An MLDv1 report has one record: IS_EX/TO_EX give a report,
 * TO_IN/IS_IN a Done. */
int mld_encode_query(void *buf, size_t size, enum gm_version version,
	const struct addr *from, const struct gm_query *query);
int mld_encode_report(void *buf, size_t size, enum gm_version version,
	const struct addr *from, const struct gm_record *rec, size_t n_rec);

/* destination of an encoded packet, for the link layer: reads the IP header */
struct addr mld_packet_destination(const void *packet);
