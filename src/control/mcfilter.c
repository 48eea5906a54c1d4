/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Programs for the sockets of membership messages, see mcfilter.h; mcsock attaches
 * them. Octets of the link layer are read with SKF_LL_OFF (linux/filter.h). The test of
 * a silenced host comes first, so that its messages cost a few instructions each.
 */

#include "control/mcfilter.h"

#include "base/bytes.h"
#include "base/cleanup.h"

#include <linux/if_packet.h>
#include <netinet/in.h>
#include <string.h>

#define ETH_SOURCE  6
#define IPV4_SOURCE 12
#define IPV6_SOURCE 8

/* Packet types above PACKET_MULTICAST are other hosts' frames and our own (outgoing,
 * looped back). */
static const struct sock_filter base_ipv4[] = {
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)(SKF_AD_OFF + SKF_AD_PKTTYPE)),
	BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, PACKET_MULTICAST, 2, 0),
	BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 9), /* protocol */
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_IGMP, 1, 0),
	BPF_STMT(BPF_RET | BPF_K, 0),
	BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
};

static const struct sock_filter base_ipv6[] = {
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)(SKF_AD_OFF + SKF_AD_PKTTYPE)),
	BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, PACKET_MULTICAST, 18, 0),
	BPF_STMT(BPF_LDX | BPF_W | BPF_IMM, 0),
	BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 6), /* next header */
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_ICMPV6, 11, 0),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_HOPOPTS, 0, 14),
	BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 40), /* next header of the option header */
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_DSTOPTS, 13, 0),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_ROUTING, 12, 0),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_FRAGMENT, 11, 0),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_AH, 10, 0),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_ICMPV6, 0, 8),
	BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 41), /* its length in units of 8, less one */
	BPF_STMT(BPF_ALU | BPF_ADD | BPF_K, 1),
	BPF_STMT(BPF_ALU | BPF_LSH | BPF_K, 3),
	BPF_STMT(BPF_MISC | BPF_TAX, 0),
	BPF_STMT(BPF_LD | BPF_B | BPF_IND, 40), /* ICMPv6 type */
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 143, 3, 0),
	BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, 132, 1, 0),
	BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 130, 1, 0),
	BPF_STMT(BPF_RET | BPF_K, 0),
	BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
};

/* Of a silenced host: at most two instructions for each four octets, and the return. */
#define HOST_CODE 9
_Static_assert(array_len(base_ipv6) + MCFILTER_HOSTS * HOST_CODE <= MCFILTER_MAX,
	"a program may not fit");

static bool same_host(const struct mcfilter_host *a, const struct mcfilter_host *b)
{
	return a->len == b->len && memcmp(a->octet, b->octet, a->len) == 0;
}

void mcfilter_silence(struct mcfilter *f, const struct mcfilter_host *who, mono_t until)
{
	unsigned i = 0, oldest = 0;

	for (; i < f->n && !same_host(&f->silenced[i].who, who); i++)
		if (mono_before(f->silenced[i].until, f->silenced[oldest].until))
			oldest = i;
	if (i == MCFILTER_HOSTS)
		i = oldest;
	if (i == f->n)
		f->n++;
	f->silenced[i].who = *who;
	f->silenced[i].until = until;
}

bool mcfilter_expire(struct mcfilter *f, mono_t now)
{
	unsigned n = 0;
	bool changed;

	for (unsigned i = 0; i < f->n; i++)
		if (!mono_due(f->silenced[i].until, now))
			f->silenced[n++] = f->silenced[i];
	changed = n != f->n;
	f->n = n;
	return changed;
}

mono_t mcfilter_deadline(const struct mcfilter *f)
{
	mono_t at = MONO_NEVER;

	for (unsigned i = 0; i < f->n; i++)
		at = mono_min(at, f->silenced[i].until);
	return at;
}

/* Refuse what has these octets at `offset`; else go on behind. */
static size_t refuse(
	struct sock_filter *code, uint32_t offset, const uint8_t *octet, unsigned len)
{
	size_t n = 0, end = 2 * ((len + 3) / 4) + 1;

	for (unsigned i = 0; i < len; i += 4) {
		bool word = len - i >= 4;
		uint32_t v = get_u16be(octet + i);

		if (word)
			v = v << 16 | get_u16be(octet + i + 2);
		code[n++] = (struct sock_filter)BPF_STMT(
			BPF_LD | BPF_ABS | (word ? BPF_W : BPF_H), offset + i);
		code[n] = (struct sock_filter)BPF_JUMP(
			BPF_JMP | BPF_JEQ | BPF_K, v, 0, (uint8_t)(end - n - 1));
		n++;
	}
	code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, 0);
	return n;
}

size_t mcfilter_program(const struct mcfilter *f, struct sock_filter code[MCFILTER_MAX])
{
	size_t n = 0;

	for (unsigned i = 0; i < f->n; i++) {
		const struct mcfilter_host *who = &f->silenced[i].who;
		uint32_t offset = f->family == FAMILY_IPV4 ? IPV4_SOURCE : IPV6_SOURCE;

		if (who->len == 6)
			offset = (uint32_t)SKF_LL_OFF + ETH_SOURCE;
		n += refuse(code + n, offset, who->octet, who->len);
	}
	if (f->family == FAMILY_IPV4) {
		memcpy(code + n, base_ipv4, sizeof(base_ipv4));
		return n + array_len(base_ipv4);
	}
	memcpy(code + n, base_ipv6, sizeof(base_ipv6));
	return n + array_len(base_ipv6);
}
