/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Converts between the bytes of MLDv1/v2 and struct gm_msg (RFC 2710, RFC 9777 5). Works
 * on whole IPv6 packets, beginning with the IP header, so that hop limit, Router Alert,
 * sender and destination are checked and produced here. MLDv1 is GM_V2, MLDv2 is GM_V3.
 * Pure.
 */

#include "control/proto/gm_msg.h"

struct mld_rules {
	bool require_router_alert; /* drop messages without the option (R028, R029) */
	uint32_t max_work;	   /* see gm_peek.h; 0 means no limit */
};

/* Decodes one IPv6 packet of `len` captured bytes. With GM_OK *ret is filled, and its
 * arrays are in `scratch`. Any other value is the reason for a refusal and leaves *ret
 * untouched. Hop limit 1 and a link-local sender are never optional. */
enum gm_bad mld_decode(const void *packet, size_t len, const struct mld_rules *rules,
	struct gm_scratch *scratch, struct gm_msg *ret);

/* Bytes before the messages that we send: 40 of IP header, 8 of hop-by-hop header with
 * the Router Alert option. */
#define MLD_IP_HEADER_LEN 48

/* Return how many sources fit into one query, and how many bytes of records fit into one
 * MLDv2 report, at an MTU in bytes; 0 if the MTU is too small. A record takes 20 + 16 *
 * n_src bytes. */
size_t mld_query_max_sources(uint32_t mtu);
size_t mld_report_space(uint32_t mtu);

/* Build a whole IPv6 packet in buf, with hop limit 1, Router Alert and checksum (R027).
 * Return the length; -EMSGSIZE if the packet does not fit into `size`; or -EINVAL if the
 * version cannot express the message, if MLD never names the group (ff02::1, scopes 0 and
 * 1, R038), or if the sender is not link-local. A report may also come from :: (RFC
 * 3590). An MLDv1 report must have one record: IS_EX/TO_EX become a report, and
 * TO_IN/IS_IN become a Done. */
int mld_encode_query(void *buf, size_t size, enum gm_version version,
	const struct addr *from, const struct gm_query *query);
int mld_encode_report(void *buf, size_t size, enum gm_version version,
	const struct addr *from, const struct gm_record *rec, size_t n_rec);

/* Returns the destination in the IP header of an encoded packet, for the link layer. */
struct addr mld_packet_destination(const void *packet);
