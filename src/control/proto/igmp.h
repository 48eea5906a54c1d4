/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Converts between the bytes of IGMPv1/v2/v3 and struct gm_msg (RFC 1112 App. I, RFC
 * 2236, RFC 9776 4). Works on whole IPv4 packets, beginning with the IP header, so that
 * TTL, options and destination are checked and produced here. Pure.
 */

#include "control/proto/gm_msg.h"

struct igmp_rules {
	bool require_router_alert; /* drop messages without the option (R005) */
	bool require_ttl_1;	   /* drop messages whose TTL is not 1 (R006) */
	uint32_t max_work;	   /* see gm_peek.h; 0 means no limit */
};

/* Decodes one IPv4 packet of `len` captured bytes. With GM_OK *ret is filled, and its
 * arrays are in `scratch`. Any other value is the reason for a refusal and leaves *ret
 * untouched. */
enum gm_bad igmp_decode(const void *packet, size_t len, const struct igmp_rules *rules,
	struct gm_scratch *scratch, struct gm_msg *ret);

/* Bytes of the IPv4 header that we send: 20 plus the Router Alert option. */
#define IGMP_IP_HEADER_LEN 24

/* Return how many sources fit into one query, and how many bytes of records fit into one
 * v3 report, at an MTU in bytes; 0 if the MTU is too small. A record takes 8 + 4 * n_src
 * bytes. */
size_t igmp_query_max_sources(uint32_t mtu);
size_t igmp_report_space(uint32_t mtu);

/* Build a whole IPv4 packet in buf, with TTL 1, TOS 0xc0, Router Alert, both checksums,
 * and the destination of R001. Return the length, -EMSGSIZE if the packet does not fit
 * into `size`, or -EINVAL if the version cannot express the message. A v1/v2 report must
 * have one record: IS_EX/TO_EX become a report, and TO_IN/IS_IN become a leave (v2;
 * -EINVAL for v1, R127). */
int igmp_encode_query(void *buf, size_t size, enum gm_version version,
	const struct addr *from, const struct gm_query *query);
int igmp_encode_report(void *buf, size_t size, enum gm_version version,
	const struct addr *from, const struct gm_record *rec, size_t n_rec);

/* Returns the destination in the IP header of an encoded packet, for the link layer. */
struct addr igmp_packet_destination(const void *packet);
