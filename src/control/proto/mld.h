/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Converts between the bytes of MLDv1/v2 and struct gm_msg (RFC 2710, RFC 9777 5).
 * Works on whole IPv6 packets, beginning with the IP header, so that hop limit, Router
 * Alert, sender and destination are checked and produced here. MLDv1 is GM_V2, MLDv2 is
 * GM_V3. Pure.
 */

#include "control/proto/gm_msg.h"

/* Decodes one IPv6 packet of `len` captured bytes. With GM_OK *ret is filled, and its
 * arrays are in `scratch`. Any other value is the reason for a refusal and leaves *ret
 * untouched. Hop limit 1 and a link-local sender are never optional. */
enum gm_bad mld_decode(const void *packet, size_t len, const struct gm_rules *rules,
	struct gm_scratch *scratch, struct gm_msg *ret);

/* Bytes before the messages that we send: 40 of IP header, 8 of hop-by-hop header with
 * the Router Alert option. */
#define MLD_IP_HEADER_LEN 48

/* Build a whole IPv6 packet in buf, with hop limit 1, Router Alert and checksum (R027).
 * Return the length; -EMSGSIZE if the packet does not fit into `size`; or -EINVAL if
 * the version cannot express the message, if MLD never names the group (ff02::1, scopes
 * 0 and 1, R038), or if the sender is not link-local. A report may also come from ::
 * (RFC 3590). An MLDv1 report must have one record: IS_EX/TO_EX become a report, and
 * TO_IN/IS_IN become a Done. */
int mld_encode_query(void *buf, size_t size, enum gm_version version,
	const struct addr *from, const struct gm_query *query);
int mld_encode_report(void *buf, size_t size, enum gm_version version,
	const struct addr *from, const struct gm_record *rec, size_t n_rec);
