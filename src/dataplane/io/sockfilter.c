/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Programs for the sockets of the receive rings, see sockfilter.h. Each test of the
 * filter is followed by the instruction that refuses the frame, so that most jumps pass
 * over one instruction.
 *
 * The filter is only an early exit: frame_parse() checks everything again.
 */

#include "dataplane/io/sockfilter.h"

#include "base/bpf.h"
#include "base/bytes.h"
#include "base/cleanup.h"

#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <string.h>

#define VLAN_VID 0x0fff
#define TAKE_ALL 262144 /* the most bytes of a frame */

#define NET(off) ((uint32_t)(SKF_NET_OFF + (off)))
#define SKIP(n)	 BPF_STMT(BPF_JMP | BPF_JA, n)

/* For a frame that begins with its IP header. */
static const struct sock_filter data[] = {
	/* PACKET_HOST, _BROADCAST and _MULTICAST are 0 to 2, then comes
	 * PACKET_OTHERHOST; the others are our own. The kernel has taken a VLAN tag out
	 * of the frame. A random part of the frames for other stations and VLANs
	 * passes, so that frame_parse() can tell their group. Otherwise a stream with
	 * the wrong tag would look as if it did not arrive at all. */
	LOAD(BPF_W, AD(SKF_AD_PKTTYPE)),
	IF(BPF_JEQ, PACKET_OTHERHOST, 6, 0), /* to the random part */
	IF(BPF_JGT, PACKET_MULTICAST, 8, 0), /* to its end */
	LOAD(BPF_W, AD(SKF_AD_VLAN_TAG_PRESENT)),
	IF(BPF_JEQ, 0, 7, 0), /* past it */
	LOAD(BPF_W, AD(SKF_AD_VLAN_TAG)),
	AND(VLAN_VID),
	IF(BPF_JEQ, 0, 4, 0), /* past it */
	ONE_OF(SOCKFILTER_ONE_OF),

	LOAD(BPF_W, AD(SKF_AD_PROTOCOL)),
	IF(BPF_JEQ, ETH_P_IPV6, 13, 0), /* to IPv6 */
	REFUSE_UNLESS(BPF_JEQ, ETH_P_IP),

	DATA_IPV4,
	RETURN(TAKE_ALL),

	/* MLD is after a hop-by-hop header of 8 bytes (RFC 3810 5), which a faulty
	 * message may lack. */
	DATA_IPV6,
	IF(BPF_JEQ, PROTO_ICMPV6, 5, 0),   /* to the type after the IP header */
	IF(BPF_JEQ, PROTO_HOPOPTS, 0, 10), /* to the end */
	LOAD(BPF_H, 40),
	IF(BPF_JEQ, PROTO_ICMPV6 << 8, 0, 8), /* to the end */
	LOAD(BPF_B, 48),
	SKIP(1),
	LOAD(BPF_B, 40),
	REFUSE_IF(BPF_JEQ, 143),
	IF(BPF_JGE, 130, 0, 2), /* to the end */
	REFUSE_UNLESS(BPF_JGT, 132),
	RETURN(TAKE_ALL),
};

static void finish(struct sockfilter *f, size_t n)
{
	f->prog = (struct sock_fprog){.len = (unsigned short)n, .filter = f->code};
}

void sockfilter_data(bool has_l2, struct sockfilter *ret)
{
	_Static_assert(array_len(data) <= array_len(ret->code), "");
	memcpy(ret->code, data, sizeof(data));
	for (size_t i = 0; has_l2 && i < array_len(data); i++)
		if (BPF_CLASS(data[i].code) == BPF_LD &&
			data[i].k < (uint32_t)SKF_LL_OFF)
			ret->code[i].k += ETH_HLEN;
	finish(ret, array_len(data));
}

static struct sock_filter none[] = {RETURN(0)};

const struct sock_fprog sockfilter_none = {.len = array_len(none), .filter = none};

/* The upper half of the product: neighbouring groups differ in low bits only. */
#define FOLD_WORD(off)                                                                 \
	BPF_STMT(BPF_MISC | BPF_TAX, 0), LOAD(BPF_W, NET(off)),                        \
		BPF_STMT(BPF_ALU | BPF_XOR | BPF_X, 0)
#define SCATTER_BY 0x9e3779b1
#define SCATTER                                                                        \
	BPF_STMT(BPF_ALU | BPF_MUL | BPF_K, SCATTER_BY),                               \
		BPF_STMT(BPF_ALU | BPF_RSH | BPF_K, 16)

static const struct sock_filter fanout_v4[] = {
	LOAD(BPF_W, NET(12)),
	FOLD_WORD(16),
	SCATTER,
};

static const struct sock_filter fanout_v6[] = {
	LOAD(BPF_W, NET(8)),
	FOLD_WORD(12),
	FOLD_WORD(16),
	FOLD_WORD(20),
	FOLD_WORD(24),
	FOLD_WORD(28),
	FOLD_WORD(32),
	FOLD_WORD(36),
	SCATTER,
};

void sockfilter_spread(enum family family, unsigned n, struct sockfilter *ret)
{
	const struct sock_filter end[] = {
		BPF_STMT(BPF_ALU | BPF_MOD | BPF_K, n),
		BPF_STMT(BPF_RET | BPF_A, 0),
	};
	bool v4 = family == FAMILY_IPV4;
	size_t len = v4 ? array_len(fanout_v4) : array_len(fanout_v6);

	_Static_assert(
		array_len(fanout_v6) + array_len(end) <= array_len(ret->code), "");
	memcpy(ret->code, v4 ? fanout_v4 : fanout_v6, len * sizeof(ret->code[0]));
	memcpy(ret->code + len, end, sizeof(end));
	finish(ret, len + array_len(end));
}

static uint32_t fold(const uint8_t *p, size_t len)
{
	uint32_t folded = 0;

	for (size_t i = 0; i < len; i += 4)
		folded ^= get_u32be(p + i);
	return folded;
}

unsigned sockfilter_member(
	const struct addr *source, const struct addr *group, unsigned n)
{
	bool v4 = addr_is_v4(group);
	size_t skip = v4 ? 12 : 0, len = sizeof(group->b) - skip;
	uint32_t a = fold(source->b + skip, len) ^ fold(group->b + skip, len);

	return (a * SCATTER_BY >> 16) % n;
}

void sockfilter_divert(unsigned index, struct sockfilter *ret)
{
	ret->code[0] = (struct sock_filter)RETURN(index);
	finish(ret, 1);
}
