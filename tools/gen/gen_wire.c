/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Watch on the wire after a leave: the IP layer no longer delivers the groups, but a
 * packet socket still sees them. While it is open, the hardware filter passes all
 * multicast.
 */

#include "tools/gen/gen_receive.h"

#include "base/bytes.h"

#include <linux/if_packet.h>
#include <net/ethernet.h>

int gen_wire_open(struct receiver *r)
{
	bool v4 = addr_is_v4(&r->o->group);
	uint16_t protocol = htons(v4 ? ETH_P_IP : ETH_P_IPV6);
	struct sockaddr_ll ll = {.sll_family = AF_PACKET,
		.sll_protocol = protocol,
		.sll_ifindex = (int)r->o->ifindex};
	struct packet_mreq mreq = {
		.mr_ifindex = (int)r->o->ifindex, .mr_type = PACKET_MR_ALLMULTI};

	r->wire_fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (r->wire_fd < 0)
		return gen_fail("--leave-after wants CAP_NET_RAW");
	if (r->o->ifindex &&
		setsockopt(r->wire_fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &mreq,
			sizeof(mreq)) < 0)
		return gen_fail("cannot receive all multicast");
	if (bind(r->wire_fd, (struct sockaddr *)&ll, sizeof(ll)) < 0)
		return gen_fail("cannot watch the interface");
	return 0;
}

/* Destination address and port of a UDP packet. Returns false for other packets. */
static bool udp_destination(
	const uint8_t *p, size_t len, struct addr *ret_to, uint16_t *ret_port)
{
	struct rd r = rd_init(p, len);
	const uint8_t *fixed;
	bool v4 = len > 0 && p[0] >> 4 == 4;

	fixed = rd_take(&r, v4 ? 20 : 40);
	if (!fixed || (v4 ? fixed[9] : fixed[6]) != IPPROTO_UDP)
		return false;
	if (v4) {
		*ret_to = addr_from_v4(fixed + 16);
		if (fixed[0] % 16 > 5)
			rd_take(&r, (fixed[0] % 16 - 5u) * 4);
	} else {
		memcpy(ret_to->b, fixed + 24, 16);
	}
	rd_u16be(&r); /* source port */
	*ret_port = rd_u16be(&r);
	return !r.bad;
}

static bool is_ours(const struct gen_options *o, const struct addr *to, uint16_t port)
{
	struct addr last = gen_group(o, o->n_groups - 1);

	return addr_cmp(to, &o->group) >= 0 && addr_cmp(to, &last) <= 0 &&
		port >= o->port && port - o->port < (int)o->n_ports;
}

void gen_wire_read(struct receiver *r)
{
	for (;;) {
		struct sockaddr_ll ll = {0};
		socklen_t ll_len = sizeof(ll);
		struct addr to;
		uint16_t port;
		uint8_t head[128];
		ssize_t n = recvfrom(r->wire_fd, head, sizeof(head), 0,
			(struct sockaddr *)&ll, &ll_len);

		if (n < 0)
			return;
		if (ll.sll_pkttype == PACKET_OUTGOING ||
			!udp_destination(head, (size_t)n, &to, &port) ||
			!is_ours(r->o, &to, port))
			continue;
		r->n_after++;
		r->last_after_ns = gen_now_ns();
	}
}
