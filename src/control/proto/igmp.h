/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Converts between the bytes of IGMPv1/v2/v3 and struct gm_msg (RFC 1112 App. I, RFC
 * 2236, RFC 9776 4). Works on whole IPv4 packets, beginning with the IP header, so that
 * TTL, options and destination are checked and produced here. Pure.
 */

#include "control/proto/gm_msg.h"

/* Decodes one IPv4 packet of `len` captured bytes. With GM_OK *ret is filled, and its
 * arrays are in `scratch`. Any other value is the reason for a refusal and leaves *ret
 * untouched. */
enum gm_bad igmp_decode(const void *packet, size_t len, const struct gm_rules *rules,
	struct gm_scratch *scratch, struct gm_msg *ret);

/* Bytes of the IPv4 header that we send: 20 plus the Router Alert option. */
#define IGMP_IP_HEADER_LEN 24

/* Build a whole IPv4 packet in buf, with TTL 1, TOS 0xc0, Router Alert, both checksums,
 * and the destination of R001. Return the length, -EMSGSIZE if the packet does not fit
 * into `size`, or -EINVAL if the version cannot express the message. A v1/v2 report
 * must have one record: IS_EX/TO_EX become a report, and TO_IN/IS_IN become a leave
 * (v2; -EINVAL for v1, R127). */
int igmp_encode_query(void *buf, size_t size, enum gm_version version,
	const struct addr *from, const struct gm_query *query);
int igmp_encode_report(void *buf, size_t size, enum gm_version version,
	const struct addr *from, const struct gm_record *rec, size_t n_rec);
