/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Filters for the receive rings, see sockfilter.h. The expression for addresses and
 * protocols is libpcap's, for the link type of the device. Before it come instructions
 * of our own for tests that libpcap compiles only on live handles: the packet type and
 * the VLAN tag that the kernel has taken out of the frame.
 *
 * The filter is only an early exit: frame_parse() checks everything again.
 */

#include "dataplane/io/sockfilter.h"

#include "base/bytes.h"
#include "base/cleanup.h"

#include <errno.h>
#include <linux/if_packet.h>
#include <pcap/pcap.h>

#define SNAPLEN	  262144
#define VLAN_VID  0x0fff
#define AD(field) ((uint32_t)(SKF_AD_OFF + (field)))
#define NET(off)  ((uint32_t)(SKF_NET_OFF + (off)))

/* A frame of scope 0 to 2 stays on its link (RFC 4291 2.7). MLD is after a hop-by-hop
 * header of 8 bytes (RFC 3810 5), a faulty message may lack it. */
static const char *const expression[_FAMILY_N] = {
	[FAMILY_IPV4] = "ip and dst net 224.0.0.0/4 and not dst net 224.0.0.0/24 "
			"and not ip proto 2",
	[FAMILY_IPV6] = "ip6 and ip6[24] = 0xff and ip6[25] & 0x0f > 2 "
			"and not (ip6[6] = 0 and ip6[40] = 58 and ip6[41] = 0 and "
			"(ip6[48] = 143 or (ip6[48] >= 130 and ip6[48] <= 132))) "
			"and not (ip6[6] = 58 and "
			"(ip6[40] = 143 or (ip6[40] >= 130 and ip6[40] <= 132)))",
};

/* PACKET_HOST, _BROADCAST and _MULTICAST are 0 to 2, then comes PACKET_OTHERHOST; the
 * others are our own. A random part of the frames for other stations and VLANs passes,
 * so that frame_parse() can tell their group. Otherwise a stream with the wrong tag
 * would look as if it did not arrive at all. */
static const struct sock_filter prelude[SOCKFILTER_PRELUDE] = {
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, AD(SKF_AD_PKTTYPE)),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PACKET_OTHERHOST, 6, 0),
	BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, PACKET_MULTICAST, 8, 0),
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, AD(SKF_AD_VLAN_TAG_PRESENT)),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 7, 0),
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, AD(SKF_AD_VLAN_TAG)),
	BPF_STMT(BPF_ALU | BPF_AND | BPF_K, VLAN_VID),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 4, 0),
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, AD(SKF_AD_RANDOM)),
	BPF_STMT(BPF_ALU | BPF_AND | BPF_K, SOCKFILTER_ONE_OF - 1),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0),
	BPF_STMT(BPF_RET | BPF_K, 0),
};

static int compile(enum family family, bool has_l2, struct bpf_program *ret)
{
	pcap_t *dead = pcap_open_dead(has_l2 ? DLT_EN10MB : DLT_RAW, SNAPLEN);
	int r;

	if (!dead)
		return -ENOMEM;
	r = pcap_compile(dead, ret, expression[family], 1, PCAP_NETMASK_UNKNOWN);
	pcap_close(dead);
	return r < 0 ? -EINVAL : 0;
}

int sockfilter_data(enum family family, bool has_l2, struct sock_fprog *ret)
{
	struct bpf_program body;
	struct sock_filter *v;
	int r;

	r = compile(family, has_l2, &body);
	if (r < 0)
		return r;
	v = calloc(SOCKFILTER_PRELUDE + body.bf_len, sizeof(struct sock_filter));
	if (!v) {
		pcap_freecode(&body);
		return -ENOMEM;
	}
	memcpy(v, prelude, sizeof(prelude));
	for (unsigned i = 0; i < body.bf_len; i++) {
		const struct bpf_insn *in = &body.bf_insns[i];

		v[SOCKFILTER_PRELUDE + i] =
			(struct sock_filter){in->code, in->jt, in->jf, in->k};
	}
	*ret = (struct sock_fprog){
		.len = (unsigned short)(SOCKFILTER_PRELUDE + body.bf_len),
		.filter = v,
	};
	pcap_freecode(&body);
	return 0;
}

void sockfilter_deinit(struct sock_fprog *prog)
{
	free(prog->filter);
	*prog = (struct sock_fprog){0};
}

static struct sock_filter none[] = {
	BPF_STMT(BPF_RET | BPF_K, 0),
};

const struct sock_fprog sockfilter_none = {.len = array_len(none), .filter = none};

/* The upper half of the product: neighbouring groups differ in low bits only. */
#define FOLD_WORD(off)                                                                 \
	BPF_STMT(BPF_MISC | BPF_TAX, 0), BPF_STMT(BPF_LD | BPF_W | BPF_ABS, NET(off)), \
		BPF_STMT(BPF_ALU | BPF_XOR | BPF_X, 0)
#define SCATTER_BY 0x9e3779b1
#define SCATTER                                                                        \
	BPF_STMT(BPF_ALU | BPF_MUL | BPF_K, SCATTER_BY),                               \
		BPF_STMT(BPF_ALU | BPF_RSH | BPF_K, 16)

static struct sock_filter fanout_v4[] = {
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, NET(12)),
	FOLD_WORD(16),
	SCATTER,
};

static struct sock_filter fanout_v6[] = {
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, NET(8)),
	FOLD_WORD(12),
	FOLD_WORD(16),
	FOLD_WORD(20),
	FOLD_WORD(24),
	FOLD_WORD(28),
	FOLD_WORD(32),
	FOLD_WORD(36),
	SCATTER,
};

static void sockfilter_finish(struct sockfilter_fanout *f, unsigned short n)
{
	f->prog = (struct sock_fprog){.len = n, .filter = f->code};
}

void sockfilter_spread(enum family family, unsigned n, struct sockfilter_fanout *ret)
{
	static const struct sock_filter mod = BPF_STMT(BPF_ALU | BPF_MOD | BPF_K, 0);
	static const struct sock_filter done = BPF_STMT(BPF_RET | BPF_A, 0);
	bool v4 = family == FAMILY_IPV4;
	unsigned short len = v4 ? array_len(fanout_v4) : array_len(fanout_v6);

	_Static_assert(array_len(fanout_v6) + 2 <= array_len(ret->code), "");
	memcpy(ret->code, v4 ? fanout_v4 : fanout_v6, len * sizeof(ret->code[0]));
	ret->code[len] = mod;
	ret->code[len].k = n;
	ret->code[len + 1] = done;
	sockfilter_finish(ret, (unsigned short)(len + 2));
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

void sockfilter_divert(unsigned index, struct sockfilter_fanout *ret)
{
	ret->code[0] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, index);
	sockfilter_finish(ret, 1);
}
