/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Membership messages of the virtual network as bytes; the family chooses the
 * codec. */

#include "control/proto/gm_msg.h"

/* Writes the whole packet with IP header and returns its length. Fails the test when it
 * cannot be built. */
size_t sim_wire_query(uint8_t *buf, size_t size, enum gm_version version,
	const struct addr *from, const struct gm_query *q);
size_t sim_wire_report(uint8_t *buf, size_t size, enum gm_version version,
	const struct addr *from, const struct gm_record *rec, size_t n_rec);
/* Returns false if no receiver would accept it. */
bool sim_wire_decode(enum family family, const uint8_t *packet, size_t len,
	struct gm_scratch *scratch, struct gm_msg *ret);
