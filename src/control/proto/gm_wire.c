/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "control/proto/gm_wire.h"

#include "base/minmax.h"
#include "control/proto/gm_peek.h"

#include <errno.h>

#define QUERY_FLAG_S	 0x08
#define QUERY_QRV_MASK	 0x07
#define INTERVAL_UNIT_MS 1000

uint32_t gm_wire_code_decode(uint32_t code, unsigned mantissa_bits)
{
	uint32_t one = UINT32_C(1) << mantissa_bits;

	if (code < one << 3)
		return code;
	return ((code & (one - 1)) | one) << ((code >> mantissa_bits & 7) + 3);
}

uint16_t gm_wire_code_encode(uint32_t value, unsigned mantissa_bits)
{
	uint32_t one = UINT32_C(1) << mantissa_bits, mark = one << 3, exp = 0;

	if (value < mark)
		return (uint16_t)value;
	if (value >= (2 * one - 1) << 10)
		return (uint16_t)(2 * mark - 1);
	while (value >> (exp + 3) >= 2 * one)
		exp++;
	return (uint16_t)(mark | exp << mantissa_bits |
		(value >> (exp + 3) & (one - 1)));
}

uint32_t gm_wire_units(uint32_t ms, uint32_t unit_ms)
{
	return ms > 0 && ms < unit_ms ? 1 : ms / unit_ms;
}

/* ---- addresses ---- */

struct addr gm_wire_read_addr(const struct gm_wire *wire, struct rd *r)
{
	const uint8_t *p = rd_take(r, wire->addr_len);
	struct addr a = addr_any(FAMILY_IPV6);

	if (p && wire->addr_len == 4)
		return addr_from_v4(p);
	if (p)
		memcpy(a.b, p, sizeof(a.b));
	return a;
}

void gm_wire_write_addr(const struct gm_wire *wire, struct wr *w, const struct addr *a)
{
	/* an IPv4 address is the end of its v4-mapped form */
	wr_bytes(w, a->b + sizeof(a->b) - wire->addr_len, wire->addr_len);
}

void gm_wire_write_head(struct wr *w, uint8_t type, uint8_t code)
{
	wr_u8(w, type);
	wr_u8(w, code);
	wr_u16be(w, 0); /* checksum */
}

static bool is_sent_to(
	const struct gm_msg *msg, const struct addr *first, const struct addr *second)
{
	return msg->notes & GM_NOTE_UNICAST || addr_eq(&msg->to, first) ||
		addr_eq(&msg->to, second);
}

bool gm_wire_query_arrived(const struct gm_wire *wire, const struct gm_msg *msg)
{
	const struct addr *group = &msg->query.group;

	return is_sent_to(
		msg, &wire->everybody, addr_is_any(group) ? &wire->everybody : group);
}

static void read_sources(
	const struct gm_wire *wire, struct rd *r, size_t n, struct addr *src)
{
	for (size_t i = 0; i < n; i++)
		src[i] = gm_wire_read_addr(wire, r);
}

/* ---- queries ---- */

enum gm_bad gm_wire_read_query(const struct gm_wire *wire, struct rd *r,
	uint32_t max_work, struct gm_scratch *scratch, struct gm_query *q)
{
	uint8_t flags = rd_u8(r), qqic = rd_u8(r);
	size_t n = rd_u16be(r), most = (size_t)max_work * GM_WORK_ADDRESSES;

	if (n * wire->addr_len > rd_left(r))
		return GM_BAD_LENGTH;
	if (n > 0 && addr_is_any(&q->group)) /* sources of no group */
		return GM_BAD_LENGTH;
	q->suppress = flags & QUERY_FLAG_S;
	q->qrv = flags & QUERY_QRV_MASK;
	q->qqi_ms = gm_wire_code_decode(qqic, GM_WIRE_CODE_8) * INTERVAL_UNIT_MS;
	q->n_left = max_work && n > most ? n - most : 0;
	q->src = scratch->src;
	q->n_src = n - q->n_left;
	read_sources(wire, r, q->n_src, scratch->src);
	return GM_OK;
}

void gm_wire_write_query(
	const struct gm_wire *wire, struct wr *w, const struct gm_query *q)
{
	uint8_t qrv = q->qrv > QUERY_QRV_MASK ? 0 : q->qrv; /* R043 */

	wr_u8(w, (q->suppress ? QUERY_FLAG_S : 0) | qrv);
	wr_u8(w,
		(uint8_t)gm_wire_code_encode(
			gm_wire_units(q->qqi_ms, INTERVAL_UNIT_MS), GM_WIRE_CODE_8));
	wr_u16be(w, (uint16_t)q->n_src);
	for (size_t i = 0; i < q->n_src && !w->bad; i++)
		gm_wire_write_addr(wire, w, &q->src[i]);
}

/* ---- reports ---- */

enum gm_bad gm_wire_old_record(const struct gm_wire *wire, struct rd *r, bool leave,
	struct gm_scratch *scratch, struct gm_msg *msg)
{
	struct gm_record *rec = scratch->rec;

	*rec = (struct gm_record){
		.type = leave ? GM_TO_IN : GM_IS_EX,
		.group = gm_wire_read_addr(wire, r),
		.src = scratch->src,
	};
	if (!wire->is_group(&rec->group))
		return GM_BAD_GROUP;
	msg->kind = GM_REPORT;
	msg->rec = rec;
	msg->n_rec = 1;
	return is_sent_to(msg, &rec->group, leave ? &wire->routers : &rec->group)
		? GM_OK
		: GM_BAD_DESTINATION;
}

int gm_wire_is_leave(const struct gm_record *rec)
{
	bool leave = rec->type == GM_TO_IN || rec->type == GM_IS_IN;

	if (rec->type == GM_ALLOW || rec->type == GM_BLOCK)
		return -EINVAL;
	/* INCLUDE with sources is a membership */
	return leave && rec->n_src > 0 ? -EINVAL : leave;
}

static size_t drop_bad_sources(const struct gm_wire *wire, struct addr *src, size_t n)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++)
		if (wire->is_source(&src[i]))
			src[kept++] = src[i];
	return kept;
}

/* Read one record. False if it is cut off. For a record that must be skipped, sets the
 * type of *rec to 0 and a note. */
static bool read_record(const struct gm_wire *wire, struct rd *r, struct addr *src,
	struct gm_record *rec, unsigned *notes)
{
	uint8_t type = rd_u8(r), aux_words = rd_u8(r);
	size_t n = rd_u16be(r), kept;

	*rec = (struct gm_record){.group = gm_wire_read_addr(wire, r), .src = src};
	if (r->bad || rd_left(r) < wire->addr_len * n + 4u * aux_words)
		return false;
	read_sources(wire, r, n, src);
	rd_take(r, 4u * aux_words); /* R017 */

	if (type < GM_IS_IN || type > GM_BLOCK) {
		*notes |= GM_NOTE_UNKNOWN_RECORD;
		return true;
	}
	if (!wire->is_group(&rec->group)) {
		*notes |= GM_NOTE_BAD_GROUP;
		return true;
	}
	kept = drop_bad_sources(wire, src, n);
	if (kept < n) {
		*notes |= GM_NOTE_BAD_SOURCE;
		/* else ALLOW({0.0.0.0}) would mean something else, and TO_IN({0.0.0.0})
		 * a leave (R023) */
		if (kept == 0 && type != GM_IS_EX && type != GM_TO_EX)
			return true;
	}
	rec->type = type;
	rec->n_src = kept;
	return true;
}

/* Work of the record that begins here, as gm_peek() charges it, or 0 if it is cut
 * off. */
static uint32_t record_work(const struct gm_wire *wire, const struct rd *r)
{
	size_t head = 4 + wire->addr_len, bytes;

	if (rd_left(r) < head)
		return 0;
	bytes = get_u16be(r->p + 2) * wire->addr_len + r->p[1] * 4u;
	if (rd_left(r) - head < bytes)
		return 0;
	return (uint32_t)(1 + bytes / (wire->addr_len * GM_WORK_ADDRESSES));
}

/* The message may announce more than it has. */
static size_t records_left(
	const struct gm_wire *wire, const struct rd *r, size_t announced)
{
	size_t most = rd_left(r) / (4 + wire->addr_len);

	return min(announced, most);
}

enum gm_bad gm_wire_read_records(const struct gm_wire *wire, struct rd *r,
	uint32_t max_work, struct gm_scratch *scratch, struct gm_msg *msg)
{
	struct addr *src = scratch->src;
	uint32_t work = 1;
	size_t announced;

	if (!is_sent_to(msg, &wire->reports, &wire->reports))
		return GM_BAD_DESTINATION;
	msg->kind = GM_REPORT;
	msg->version = GM_V3;
	msg->rec = scratch->rec;
	rd_u16be(r); /* reserved */
	announced = rd_u16be(r);
	/* both arrays hold what a packet of 64 KiB can carry */
	for (size_t i = 0; i < announced; i++) {
		struct gm_record *rec = &scratch->rec[msg->n_rec];

		work += record_work(wire, r);
		if (max_work && work > max_work) {
			msg->n_left = records_left(wire, r, announced - i);
			break;
		}
		if (!read_record(wire, r, src, rec, &msg->notes)) {
			msg->notes |= GM_NOTE_TRUNCATED;
			break;
		}
		if (!rec->type)
			continue;
		src += rec->n_src;
		msg->n_rec++;
	}
	return GM_OK;
}

void gm_wire_write_records(const struct gm_wire *wire, struct wr *w,
	const struct gm_record *rec, size_t n_rec)
{
	wr_u16be(w, 0); /* reserved */
	wr_u16be(w, (uint16_t)n_rec);
	for (size_t i = 0; i < n_rec && !w->bad; i++) {
		wr_u8(w, rec[i].type);
		wr_u8(w, 0); /* no auxiliary data (R025) */
		wr_u16be(w, (uint16_t)rec[i].n_src);
		gm_wire_write_addr(wire, w, &rec[i].group);
		for (size_t k = 0; k < rec[i].n_src && !w->bad; k++)
			gm_wire_write_addr(wire, w, &rec[i].src[k]);
	}
}
