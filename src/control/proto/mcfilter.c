/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Programs for the sockets of membership messages, see mcfilter.h. Bytes of the link
 * layer are read with SKF_LL_OFF (linux/filter.h). The test of a sampled host comes
 * first, so that each of its messages costs only a few instructions.
 */

#include "control/proto/mcfilter.h"

#include "base/bpf.h"
#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/inet.h"
#include "base/minmax.h"

#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <string.h>

#define ETH_SOURCE  6
#define IPV4_SOURCE 12
#define IPV6_SOURCE 8

/* Packet types above PACKET_MULTICAST are other hosts' frames and our own (outgoing,
 * looped back). */
static const struct sock_filter base_ipv4[] = {
	LOAD(BPF_W, AD(SKF_AD_PKTTYPE)),
	IF(BPF_JGT, PACKET_MULTICAST, 2, 0),
	LOAD(BPF_B, 9), /* protocol */
	IF(BPF_JEQ, PROTO_IGMP, 1, 0),
	RETURN(0),
	RETURN(UINT32_MAX),
};

static const struct sock_filter base_ipv6[] = {
	LOAD(BPF_W, AD(SKF_AD_PKTTYPE)),
	IF(BPF_JGT, PACKET_MULTICAST, 18, 0),
	BPF_STMT(BPF_LDX | BPF_W | BPF_IMM, 0),
	LOAD(BPF_B, 6), /* next header */
	IF(BPF_JEQ, PROTO_ICMPV6, 11, 0),
	IF(BPF_JEQ, PROTO_HOPOPTS, 0, 14),
	LOAD(BPF_B, 40), /* next header of the option header */
	IF(BPF_JEQ, PROTO_DSTOPTS, 13, 0),
	IF(BPF_JEQ, PROTO_ROUTING, 12, 0),
	IF(BPF_JEQ, PROTO_FRAGMENT, 11, 0),
	IF(BPF_JEQ, PROTO_AH, 10, 0),
	IF(BPF_JEQ, PROTO_ICMPV6, 0, 8),
	LOAD(BPF_B, 41), /* its length in units of 8, less one */
	BPF_STMT(BPF_ALU | BPF_ADD | BPF_K, 1),
	BPF_STMT(BPF_ALU | BPF_LSH | BPF_K, 3),
	BPF_STMT(BPF_MISC | BPF_TAX, 0),
	BPF_STMT(BPF_LD | BPF_B | BPF_IND, 40), /* ICMPv6 type */
	IF(BPF_JEQ, 143, 3, 0),
	IF(BPF_JGT, 132, 1, 0),
	IF(BPF_JGE, 130, 1, 0),
	RETURN(0),
	RETURN(UINT32_MAX),
};

/* The program of a socket that needs only queries, and everything that this host sends.
 * Fragments are refused, because the later ones do not show their message. A query
 * fits its link (RFC 9776 4.1.8) and is not routed, so no legal one is fragmented. */
static const struct sock_filter queries_ipv4[] = {
	LOAD(BPF_W, AD(SKF_AD_PKTTYPE)),
	IF(BPF_JGT, PACKET_MULTICAST, 9, 0),
	LOAD(BPF_B, 9), /* protocol */
	IF(BPF_JEQ, PROTO_IGMP, 0, 7),
	LOAD(BPF_W, AD(SKF_AD_PKTTYPE)),
	IF(BPF_JEQ, PACKET_OUTGOING, 6, 0),
	LOAD(BPF_H, 6), /* more fragments, and which one it is */
	IF(BPF_JSET, 0x3fff, 3, 0),
	BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 0), /* length of the header */
	BPF_STMT(BPF_LD | BPF_B | BPF_IND, 0),	/* IGMP type */
	IF(BPF_JEQ, 0x11, 1, 0),
	RETURN(0),
	RETURN(UINT32_MAX),
};

static const struct sock_filter queries_ipv6[] = {
	LOAD(BPF_W, AD(SKF_AD_PKTTYPE)),
	IF(BPF_JGT, PACKET_MULTICAST, 18, 0),
	BPF_STMT(BPF_LDX | BPF_W | BPF_IMM, 0),
	LOAD(BPF_B, 6), /* next header */
	IF(BPF_JEQ, PROTO_ICMPV6, 7, 0),
	IF(BPF_JEQ, PROTO_HOPOPTS, 0, 14),
	LOAD(BPF_B, 40), /* next header of the option header */
	IF(BPF_JEQ, PROTO_ICMPV6, 0, 12),
	LOAD(BPF_B, 41), /* its length in units of 8, less one */
	BPF_STMT(BPF_ALU | BPF_ADD | BPF_K, 1),
	BPF_STMT(BPF_ALU | BPF_LSH | BPF_K, 3),
	BPF_STMT(BPF_MISC | BPF_TAX, 0),
	BPF_STMT(BPF_LD | BPF_B | BPF_IND, 40), /* ICMPv6 type */
	IF(BPF_JEQ, 130, 7, 0),
	LOAD(BPF_W, AD(SKF_AD_PKTTYPE)),
	IF(BPF_JEQ, PACKET_OUTGOING, 0, 4),
	BPF_STMT(BPF_LD | BPF_B | BPF_IND, 40),
	IF(BPF_JEQ, 143, 3, 0),
	IF(BPF_JGT, 132, 1, 0),
	IF(BPF_JGE, 131, 1, 0),
	RETURN(0),
	RETURN(UINT32_MAX),
};

/* For a sampled host: two instructions for every four bytes of its addresses, the
 * choice, and the return. */
#define HOST_CODE (2 * (2 + 4) + 3)
#define VLAN_ID	  0x0fff
#define OWN_CODE  9 /* of own_first() */
#define TYPE_CODE 2 /* the test of the packet type, with which all bases begin */
_Static_assert(
	array_len(base_ipv6) + OWN_CODE + MCFILTER_HOSTS * HOST_CODE <= MCFILTER_MAX,
	"a program would not fit");
_Static_assert(array_len(queries_ipv4) <= array_len(base_ipv6) &&
		array_len(queries_ipv6) <= array_len(base_ipv6),
	"a program would not fit");

static bool same_host(const struct admission_host *a, const struct admission_host *b)
{
	return a->has_mac == b->has_mac && gm_mac_eq(&a->mac, &b->mac) &&
		addr_eq(&a->from, &b->from);
}

/* The entry of the host, or the one that it replaces. */
static struct mcfilter_host *entry_of(
	struct mcfilter *f, const struct admission_host *who)
{
	struct mcfilter_host *h = f->host;

	for (unsigned i = 0; i < f->n; i++) {
		if (same_host(&f->host[i].who, who))
			return &f->host[i];
		if (mono_before(f->host[i].until, h->until))
			h = &f->host[i];
	}
	if (f->n < MCFILTER_HOSTS)
		h = &f->host[f->n++];
	*h = (struct mcfilter_host){.who = *who};
	return h;
}

void mcfilter_sample(struct mcfilter *f, mono_t now, const struct admission_host *who)
{
	struct mcfilter_host *h = entry_of(f, who);

	if (h->on) {
		h->share /= 2;
		return;
	}
	h->ms = h->ms ? 2 * h->ms : MCFILTER_MS;
	h->ms = min(h->ms, MCFILTER_MAX_MS);
	h->share = UINT32_C(1) << 31;
	h->on = true;
	h->until = mono_add_ms(now, h->ms);
}

bool mcfilter_expire(struct mcfilter *f, mono_t now)
{
	bool changed = false;
	unsigned n = 0;

	for (unsigned i = 0; i < f->n; i++) {
		struct mcfilter_host h = f->host[i];

		if (mono_due(h.until, now) && h.on) {
			changed = true;
			h.on = false;
			h.until = mono_add_ms(h.until, MCFILTER_SOON_MS);
		}
		if (h.on || !mono_due(h.until, now))
			f->host[n++] = h;
	}
	f->n = n;
	return changed;
}

mono_t mcfilter_deadline(const struct mcfilter *f)
{
	mono_t at = MONO_NEVER;

	for (unsigned i = 0; i < f->n; i++)
		at = mono_min(at, f->host[i].until);
	return at;
}

/* Adds code that continues if these bytes are at `offset`, and else jumps to after the
 * instruction `end`. */
static size_t mcfilter_compare(struct sock_filter *code, size_t n, size_t end,
	uint32_t offset, const uint8_t *byte, unsigned len)
{
	for (unsigned i = 0; i < len; i += 4) {
		bool word = len - i >= 4;
		uint32_t v = get_u16be(byte + i);

		if (word)
			v = v << 16 | get_u16be(byte + i + 2);
		code[n++] = (struct sock_filter)LOAD(word ? BPF_W : BPF_H, offset + i);
		code[n] = (struct sock_filter)IF(BPF_JEQ, v, 0, (uint8_t)(end - n));
		n++;
	}
	return n;
}

/* Adds code that refuses messages of this host beyond its share, and continues
 * otherwise. */
static size_t sample_code(
	struct sock_filter *code, enum family family, const struct mcfilter_host *h)
{
	bool v4 = family == FAMILY_IPV4;
	unsigned ip_len = v4 ? 4 : 16, mac_len = h->who.has_mac ? 6 : 0;
	size_t n = 0, end = 2 * ((mac_len + 3) / 4 + ip_len / 4) + 2;

	n = mcfilter_compare(code, n, end, (uint32_t)SKF_LL_OFF + ETH_SOURCE,
		h->who.mac.byte, mac_len);
	n = mcfilter_compare(code, n, end, v4 ? IPV4_SOURCE : IPV6_SOURCE,
		h->who.from.b + sizeof(h->who.from.b) - ip_len, ip_len);
	code[n++] = (struct sock_filter)LOAD(BPF_W, AD(SKF_AD_RANDOM));
	code[n++] = (struct sock_filter)IF(BPF_JGE, h->share, 0, 1);
	code[n++] = (struct sock_filter)RETURN(0);
	return n;
}

/* Accept one family and no frames of other VLANs, which only a socket of all protocols
 * gets. Frames that this host sends skip the tests of sender and packet type. `n_host`
 * is the number of instructions of the tests of the sender. */
static void own_first(struct sock_filter *code, enum family family, uint32_t n_host)
{
	const struct sock_filter own[OWN_CODE] = {
		LOAD(BPF_W, AD(SKF_AD_PROTOCOL)),
		IF(BPF_JEQ, family == FAMILY_IPV4 ? ETH_P_IP : ETH_P_IPV6, 0, 3),
		LOAD(BPF_W, AD(SKF_AD_VLAN_TAG)),
		AND(VLAN_ID),
		IF(BPF_JEQ, 0, 1, 0),
		RETURN(0),
		LOAD(BPF_W, AD(SKF_AD_PKTTYPE)),
		IF(BPF_JEQ, PACKET_OUTGOING, 0, 1),
		BPF_JUMP(BPF_JMP | BPF_JA, n_host + TYPE_CODE, 0, 0),
	};

	memcpy(code, own, sizeof(own));
}

/* Adds the code that decides about hosts that are not sampled. */
static size_t append_base(
	const struct mcfilter *f, struct sock_filter code[MCFILTER_MAX], size_t n)
{
	static const struct {
		const struct sock_filter *code;
		size_t n;
	} base[_FAMILY_N][2] = {
		[FAMILY_IPV4] = {{base_ipv4, array_len(base_ipv4)},
			{queries_ipv4, array_len(queries_ipv4)}},
		[FAMILY_IPV6] = {{base_ipv6, array_len(base_ipv6)},
			{queries_ipv6, array_len(queries_ipv6)}},
	};
	size_t more = base[f->family][f->queries].n;

	memcpy(code + n, base[f->family][f->queries].code, more * sizeof(*code));
	return n + more;
}

size_t mcfilter_program(const struct mcfilter *f, struct sock_filter code[MCFILTER_MAX])
{
	size_t n = f->own ? OWN_CODE : 0;

	for (unsigned i = 0; i < f->n; i++)
		if (f->host[i].on)
			n += sample_code(code + n, f->family, &f->host[i]);
	if (f->own)
		own_first(code, f->family, (uint32_t)(n - OWN_CODE));
	return append_base(f, code, n);
}
