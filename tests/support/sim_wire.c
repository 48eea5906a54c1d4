/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Bytes of the virtual network, through the codecs that the daemon uses. */

#include "sim_wire.h"

#include "control/proto/igmp.h"
#include "control/proto/mld.h"
#include "test.h"

size_t sim_wire_query(uint8_t *buf, size_t size, enum gm_version version,
	const struct addr *from, const struct gm_query *q)
{
	int n = addr_family(&q->group) == FAMILY_IPV4
		? igmp_encode_query(buf, size, version, from, q)
		: mld_encode_query(buf, size, version, from, q);

	assert_true(n > 0);
	return (size_t)n;
}

size_t sim_wire_report(uint8_t *buf, size_t size, enum gm_version version,
	const struct addr *from, const struct gm_record *rec, size_t n_rec)
{
	int n = addr_family(&rec->group) == FAMILY_IPV4
		? igmp_encode_report(buf, size, version, from, rec, n_rec)
		: mld_encode_report(buf, size, version, from, rec, n_rec);

	assert_true(n > 0);
	return (size_t)n;
}

bool sim_wire_decode(enum family family, const uint8_t *packet, size_t len,
	struct gm_scratch *scratch, struct gm_msg *ret)
{
	static const struct gm_rules strict = {true, true, 0};

	return (family == FAMILY_IPV4 ? igmp_decode : mld_decode)(
		       packet, len, &strict, scratch, ret) == GM_OK;
}
