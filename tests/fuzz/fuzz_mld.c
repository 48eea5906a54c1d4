/* SPDX-License-Identifier: GPL-2.0-or-later */

/* IPv6, extension headers and MLD of both versions, see fuzz_gm.h. */

#include "control/proto/mld.h"

#include "fuzz_gm.h"

static enum gm_bad decode(const uint8_t *packet, size_t len, bool strict,
	uint32_t max_work, struct gm_scratch *scratch, struct gm_msg *ret)
{
	struct gm_rules rules = {strict, false, max_work};

	return mld_decode(packet, len, &rules, scratch, ret);
}

/* Where the ICMPv6 message begins, or 0 if there is none. Independent of the
 * decoder. */
static size_t find_message(const uint8_t *p, size_t end)
{
	uint8_t kind = p[6];
	size_t at = 40;

	while (kind != 58) {
		bool known = kind == 0 || kind == 43 || kind == 51 || kind == 60;

		if (!known || at + 8 > end)
			return 0;
		kind = p[at];
		at += p[at + 1] * 8u + 8;
	}
	return at + 4 <= end ? at : 0;
}

static void seal(uint8_t *packet, size_t len)
{
	size_t end, at;
	uint16_t sum;

	if (len < 40)
		return;
	end = 40 + (size_t)(packet[4] << 8 | packet[5]);
	at = end <= len ? find_message(packet, end) : 0;
	if (!at)
		return;
	packet[at + 2] = packet[at + 3] = 0;
	sum = inet_fold(inet_sum(packet + at, end - at,
		inet_sum(packet + 8, 32, (uint32_t)(end - at) + 58)));
	packet[at + 2] = (uint8_t)(sum >> 8);
	packet[at + 3] = (uint8_t)sum;
}

static bool is_group(const struct addr *a)
{
	static const struct addr all_nodes = {{0xff, 0x02, [15] = 1}};

	return a->b[0] == 0xff && (a->b[1] & 15) > 1 && !addr_eq(a, &all_nodes);
}

static bool is_sender(const struct addr *a)
{
	return a->b[0] == 0xfe && (a->b[1] & 0xc0) == 0x80;
}

static const struct fuzz_codec codec = {
	.family = FAMILY_IPV6,
	.decode = decode,
	.encode_query = mld_encode_query,
	.encode_report = mld_encode_report,
	.seal = seal,
	.is_group = is_group,
	.is_sender = is_sender,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return fuzz_codec_input(&codec, data, size);
}
