/* SPDX-License-Identifier: GPL-2.0-or-later */

/* IPv4 and IGMP of all versions, see fuzz_gm.h. */

#include "control/proto/igmp.h"

#include "fuzz_gm.h"

static enum gm_bad decode(const uint8_t *packet, size_t len, bool strict,
	uint32_t max_work, struct gm_scratch *scratch, struct gm_msg *ret)
{
	struct gm_rules rules = {strict, strict, max_work};

	return igmp_decode(packet, len, &rules, scratch, ret);
}

static void put16(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static void seal(uint8_t *packet, size_t len)
{
	size_t header = len ? (packet[0] & 15u) * 4u : 0, total;

	if (header < 20 || header > len)
		return;
	total = (size_t)(packet[2] << 8 | packet[3]);
	put16(packet + 10, 0);
	put16(packet + 10, inet_fold(inet_sum(packet, header, 0)));
	if (total < header + 4 || total > len)
		return;
	put16(packet + header + 2, 0);
	put16(packet + header + 2,
		inet_fold(inet_sum(packet + header, total - header, 0)));
}

static bool is_group(const struct addr *a)
{
	static const struct addr all_hosts = ADDR_V4(224, 0, 0, 1);

	return addr_is_v4(a) && addr_is_multicast(a) && !addr_eq(a, &all_hosts);
}

static bool is_sender(const struct addr *a)
{
	return addr_is_v4(a) && !addr_is_multicast(a) && !addr_is_loopback(a) &&
		!addr_is_broadcast(a);
}

static const struct fuzz_codec codec = {
	.family = FAMILY_IPV4,
	.decode = decode,
	.encode_query = igmp_encode_query,
	.encode_report = igmp_encode_report,
	.seal = seal,
	.is_group = is_group,
	.is_sender = is_sender,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return fuzz_codec_input(&codec, data, size);
}
