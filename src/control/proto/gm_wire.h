/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The common parts of the messages of IGMPv3 and MLDv2 on the wire: the tail of a query
 * (RFC 9776 4.1.5 to 4.1.9, RFC 9777 5.1.7 to 5.1.11) and the records of a report (RFC
 * 9776 4.2.3 to 4.2.13, RFC 9777 5.2.3 to 5.2.12). They differ in the length of an
 * address and in what counts as a group. Internal to the codecs igmp and mld. Pure.
 */

#include "base/bytes.h"
#include "control/proto/gm_msg.h"

struct gm_wire {
	size_t addr_len;	      /* bytes of an address: 4 or 16 */
	struct addr everybody;	      /* destination of general queries */
	struct addr routers, reports; /* of leaves; of reports of the current version */
	bool (*is_group)(const struct addr *a);	 /* allowed in a record */
	bool (*is_source)(const struct addr *a); /* allowed in a source list */
};

/* Reads an address. At the end of the data it returns the unspecified IPv6 address. */
struct addr gm_wire_read_addr(const struct gm_wire *wire, struct rd *r);
void gm_wire_write_addr(const struct gm_wire *wire, struct wr *w, const struct addr *a);
/* Writes type, code, and room for the checksum. */
void gm_wire_write_head(struct wr *w, uint8_t type, uint8_t code);

/* Did the query go to everybody, to its group, or to a unicast address (R015, R037)? */
bool gm_wire_query_arrived(const struct gm_wire *wire, const struct gm_msg *msg);

/* Read and write flags, interval and sources of a query of the current version.
 * q->group comes before. `max_work` is as for gm_wire_read_records(). */
enum gm_bad gm_wire_read_query(const struct gm_wire *wire, struct rd *r,
	uint32_t max_work, struct gm_scratch *scratch, struct gm_query *q);
void gm_wire_write_query(
	const struct gm_wire *wire, struct wr *w, const struct gm_query *q);

/* Makes the one record that means the same as a report or leave of an older version.
 * Also checks the destination. */
enum gm_bad gm_wire_old_record(const struct gm_wire *wire, struct rd *r, bool leave,
	struct gm_scratch *scratch, struct gm_msg *msg);
/* How does an older version send the record? Returns 1 for a leave, 0 for a report, or
 * -EINVAL if it cannot express the record. */
int gm_wire_is_leave(const struct gm_record *rec);

/* Read and write the reserved field, the number of records, and the records. Reading
 * returns GM_BAD_DESTINATION if the report has a wrong destination. A report that is
 * cut short counts as far as it is complete (R016). If `max_work` (see gm_peek.h; 0
 * means no limit) is too low for all records, the first ones are read, and msg->n_left
 * is the number of the others. */
enum gm_bad gm_wire_read_records(const struct gm_wire *wire, struct rd *r,
	uint32_t max_work, struct gm_scratch *scratch, struct gm_msg *msg);
void gm_wire_write_records(const struct gm_wire *wire, struct wr *w,
	const struct gm_record *rec, size_t n_rec);

/* The floating form of times. The highest bit of the field marks it; then follow three
 * bits of exponent and `mantissa_bits` of mantissa. Encoding picks the exact code, or
 * the next lower value that has a code. */
#define GM_WIRE_CODE_8	4  /* R011, R012 */
#define GM_WIRE_CODE_16 12 /* Maximum Response Code of MLDv2, in ms (R032) */
uint32_t gm_wire_code_decode(uint32_t code, unsigned mantissa_bits);
uint16_t gm_wire_code_encode(uint32_t value, unsigned mantissa_bits);
/* Converts milliseconds to units of a field. A short time is never rounded to 0, which
 * would mean "default" or "at once". */
uint32_t gm_wire_units(uint32_t ms, uint32_t unit_ms);
