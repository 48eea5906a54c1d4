/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * IGMPv1/v2/v3 bytes <-> gm_msg (RFC 1112 App. I, RFC 2236, RFC 9776 4). Works on whole
 * IPv4 packets, beginning with the IP header, so that TTL, options and destination are
 * checked and produced here. Pure.
 */

#include "control/proto/gm_msg.h"

struct igmp_rules {
	bool require_router_alert; /* drop messages without the option (R005) */
	bool require_ttl_1;	   /* drop messages whose TTL is not 1 (R006) */
	uint32_t max_work;	   /* see gm_peek.h; 0 means no limit */
};

/* Decode one IPv4 packet of `len` captured bytes. On GM_OK *ret is filled; its arrays
 * live in `scratch`. Any other value is the reason for a refusal and leaves *ret
 * untouched. */
enum gm_bad igmp_decode(const void *packet, size_t len, const struct igmp_rules *rules,
	struct gm_scratch *scratch, struct gm_msg *ret);

/* Bytes of the IPv4 header that we send: 20 plus the Router Alert option. */
#define IGMP_IP_HEADER_LEN 24

/* Sources that fit into one query, and bytes of records that fit into one v3 report, at
 * an MTU in bytes (0 if the MTU is too small). A record takes 8 + 4 * n_src bytes. */
size_t igmp_query_max_sources(uint32_t mtu);
size_t igmp_report_space(uint32_t mtu);

/* Build a whole IPv4 packet into buf: TTL 1, TOS 0xc0, Router Alert, both checksums
 * (R001). Returns the length, or -EMSGSIZE if it does not fit into size, -EINVAL if the
 * version cannot express the message. A v1/v2 report has one record: IS_EX/TO_EX give a
 * report, TO_IN/IS_IN a leave (v2; -EINVAL for v1, R127). Destination: see R001. */
int igmp_encode_query(void *buf, size_t size, enum gm_version version,
	const struct addr *from, const struct gm_query *query);
int igmp_encode_report(void *buf, size_t size, enum gm_version version,
	const struct addr *from, const struct gm_record *rec, size_t n_rec);

/* destination of an encoded packet, for the link layer: reads the IP header */
struct addr igmp_packet_destination(const void *packet);
