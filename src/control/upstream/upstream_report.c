/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Packing of group records into reports, see upstream_report.h. Record sizes: RFC 9776
 * 4.2.3, RFC 9777 5.2.3. Pure.
 */

#include "control/upstream/upstream_report.h"

#include "base/minmax.h"

#include <assert.h>

/* The bytes of records that fit into a report at an MTU, and at least those of one
 * record with one source. */
static size_t upstream_report_space(enum family family, uint32_t mtu)
{
	size_t space = min(gm_report_space(family, mtu), UPSTREAM_REPORT_BYTES);

	/* no link that carries the family is that small; sending will return an
	 * error */
	return max(space, gm_record_bytes(family, 1));
}

void upstream_report_setup(struct upstream_report *r, const struct gm_link *link,
	enum family family, enum gm_version version)
{
	assert(r->n_rec == 0);
	r->port = link->port;
	r->family = family;
	r->version = version;
	r->from = link->own[family];
	r->space = upstream_report_space(family, link->mtu);
}

bool upstream_report_has_room(const struct upstream_report *r, size_t n_src)
{
	return r->used + gm_record_bytes(r->family, n_src) <= r->space;
}

void upstream_report_flush(struct upstream_report *r, struct effects *fx)
{
	if (r->n_rec == 0)
		return;
	effects_report(fx, r->port, r->version, r->family, &r->from, r->rec, r->n_rec,
		r->delay_ms);
	r->n_sent++;
	r->n_rec = r->n_src = r->used = 0;
}

static void upstream_report_begin(
	struct upstream_report *r, enum gm_record_type type, const struct addr *group)
{
	r->rec[r->n_rec++] = (struct gm_record){
		.type = type, .group = *group, .src = r->src + r->n_src};
	r->used += gm_record_bytes(r->family, 0);
}

void upstream_report_record(struct upstream_report *r, enum gm_record_type type,
	const struct addr *group, size_t n_src, struct effects *fx)
{
	if (!upstream_report_has_room(r, n_src))
		upstream_report_flush(r, fx);
	upstream_report_begin(r, type, group);
	if (r->version != GM_V3)
		upstream_report_flush(r, fx);
}

void upstream_report_source(
	struct upstream_report *r, const struct addr *src, struct effects *fx)
{
	struct gm_record *rec = &r->rec[r->n_rec - 1];
	size_t bytes = gm_record_bytes(r->family, 1) - gm_record_bytes(r->family, 0);

	if (r->used + bytes > r->space) {
		enum gm_record_type type = rec->type;
		struct addr group = rec->group;

		/* An EXCLUDE list cannot be split, because a second record would
		 * replace the first. It is truncated: receiving extra sources is better
		 * than losing the group (R111). */
		if (type == GM_IS_EX || type == GM_TO_EX)
			return;
		upstream_report_flush(r, fx);
		upstream_report_begin(r, type, &group);
		rec = r->rec;
	}
	r->src[r->n_src++] = *src;
	r->used += bytes;
	rec->n_src++;
}

void upstream_report_list(struct upstream_report *r, enum gm_record_type type,
	const struct addr *group, const struct addrset *src, struct effects *fx)
{
	upstream_report_record(r, type, group, src->n, fx);
	for (size_t i = 0; i < src->n; i++)
		upstream_report_source(r, &src->v[i], fx);
}
