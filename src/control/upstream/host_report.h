/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The report that the host side is filling: records of many groups are packed up to the
 * MTU, records that are too large are cut or split (RFC 9776 4.2.17, RFC 9777 5.2.16).
 * Source lists are copied in, one address after the other, so the caller needs no array
 * of what it reports. Emits EFFECT_REPORT. Pure.
 */

#include "control/proto/effect.h"

/* Record bytes of the largest report that is ever built: jumbo frames. Of a larger MTU
 * no use is made. */
#define HOST_REPORT_OCTETS 9216

struct host_report {
	unsigned port;
	enum family family;
	enum gm_version version; /* below GM_V3 each record is a message of its own */
	struct addr from;
	size_t space; /* record bytes that fit */
	size_t used;
	size_t n_rec, n_src;
	uint64_t n_sent;
	uint32_t delay_ms; /* the reports are to be sent so much later */
	struct gm_record rec[HOST_REPORT_OCTETS / 8];
	struct addr src[HOST_REPORT_OCTETS / 4];
};

/* Record bytes that fit into a report at an MTU; at least one record of one source. */
size_t host_report_space(enum family family, uint32_t mtu);
/* bytes of one record */
size_t host_report_octets(enum family family, size_t n_src);

/* What the following reports are like. The report must be empty. */
void host_report_setup(struct host_report *r, const struct gm_link *link,
	enum family family, enum gm_version version);

/* A record with so many sources can be added without sending what is there. */
bool host_report_has_room(const struct host_report *r, size_t n_src);

/* Begin a record that will have n_src sources, then add them one by one. What does not
 * fit is sent before. Below GM_V3 there are no sources to add. */
void host_report_record(struct host_report *r, enum gm_record_type type,
	const struct addr *group, size_t n_src, struct effects *fx);
void host_report_source(
	struct host_report *r, const struct addr *src, struct effects *fx);

/* Send what is there; a no-op when the report is empty. */
void host_report_flush(struct host_report *r, struct effects *fx);
