/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The report that the host side is filling. Records of many groups are packed up to the
 * MTU, and records that are too large are cut or split (RFC 9776 4.2.17, RFC 9777
 * 5.2.16). The caller adds sources one after the other, so it needs no array of them.
 * Emits EFFECT_REPORT. Pure.
 */

#include "control/proto/effect.h"

/* Bytes of records in the largest report that is ever built, as for jumbo frames. A
 * larger MTU is not used. */
#define UPSTREAM_REPORT_BYTES 9216

struct upstream_report {
	unsigned port;
	enum family family;
	enum gm_version version; /* below GM_V3 each record is a message of its own */
	struct addr from;
	size_t space; /* bytes of records that fit */
	size_t used;  /* bytes of the records that were added */
	size_t n_rec, n_src;
	uint64_t n_sent;
	uint32_t delay_ms; /* delay with which the reports must be sent */
	struct gm_record rec[UPSTREAM_REPORT_BYTES / 8];
	struct addr src[UPSTREAM_REPORT_BYTES / 4];
};

/* Sets the properties of the next reports. The report must be empty. */
void upstream_report_setup(struct upstream_report *r, const struct gm_link *link,
	enum family family, enum gm_version version);

/* Can a record with this many sources be added without sending the report first? */
bool upstream_report_has_room(const struct upstream_report *r, size_t n_src);

/* upstream_report_record() begins a record that will have n_src sources, and sends the
 * report first if the record does not fit. Then call upstream_report_source() for each
 * source, but not below GM_V3. */
void upstream_report_record(struct upstream_report *r, enum gm_record_type type,
	const struct addr *group, size_t n_src, struct effects *fx);
void upstream_report_source(
	struct upstream_report *r, const struct addr *src, struct effects *fx);

/* Adds a record with all these sources. Not below GM_V3. */
void upstream_report_list(struct upstream_report *r, enum gm_record_type type,
	const struct addr *group, const struct addrset *src, struct effects *fx);

/* Sends the report; does nothing if it is empty. */
void upstream_report_flush(struct upstream_report *r, struct effects *fx);
