/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Packet sockets for membership messages, see mcsock.h. SOCK_DGRAM: the kernel takes
 * the link header off and puts it on, so Ethernet, PPP and TUN look alike and frames
 * carry the interface's own source MAC. Frames tagged for another VLAN arrive as
 * PACKET_OTHERHOST and fall to the filter; no auxiliary data is needed to tell them.
 *
 * The filter wants IGMP (RFC 9776 4) or the four MLD types (RFC 9777 5), the latter
 * also behind one hop-by-hop header, where the Router Alert option is; a further
 * extension header behind that one is left to the decoder. Destination
 * addresses are not looked at: IGMPv2 reports go to the group itself.
 */

#include "control/mcsock.h"

#include "base/cleanup.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/uio.h>

#define BATCH	      64
#define PACKET_SIZE   65536
#define RCVBUF_SIZE   (4 << 20)
#define SEND_PRIORITY 6 /* the highest band that needs no further capability */

#ifndef PACKET_IGNORE_OUTGOING
#define PACKET_IGNORE_OUTGOING 23
#endif

struct mcsock_rx {
	const struct mcsock
		*current; /* whose batch is delivered; NULL: closed meanwhile */
	struct mmsghdr msg[BATCH];
	struct iovec iov[BATCH];
	/* not a multiple of a cache's way, in which all of them would compete */
	uint8_t packet[BATCH][PACKET_SIZE + 192];
};

struct mcsock {
	struct loop_fd fd;
	struct mcsock_rx *rx; /* borrowed */
	struct mcsock_ops ops;
	int ifindex;
	enum family family;
	struct mcsock_stats stats;
};

/* Offsets count from the IP header. Packet types above PACKET_MULTICAST are other
 * hosts' frames and our own (outgoing, looped back). */
static struct sock_filter filter_ipv4[] = {
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)(SKF_AD_OFF + SKF_AD_PKTTYPE)),
	BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, PACKET_MULTICAST, 2, 0),
	BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 9), /* protocol */
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_IGMP, 1, 0),
	BPF_STMT(BPF_RET | BPF_K, 0),
	BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
};

static struct sock_filter filter_ipv6[] = {
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

int mcsock_rx_new(struct mcsock_rx **ret_rx)
{
	struct mcsock_rx *rx = calloc(1, sizeof(*rx));

	if (!rx)
		return -ENOMEM;
	for (unsigned i = 0; i < BATCH; i++) {
		rx->iov[i] = (struct iovec){
			.iov_base = rx->packet[i], .iov_len = PACKET_SIZE};
		rx->msg[i].msg_hdr.msg_iov = &rx->iov[i];
		rx->msg[i].msg_hdr.msg_iovlen = 1;
	}
	*ret_rx = rx;
	return 0;
}

struct mcsock_rx *mcsock_rx_free(struct mcsock_rx *rx)
{
	free(rx);
	return NULL;
}

static void clear_error(int fd)
{
	int err = 0;
	socklen_t len = sizeof(err);

	getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len);
}

/* One batch per round, so that a flood on one port does not keep the others waiting. */
static void on_readable(struct loop_fd *f, uint32_t events)
{
	struct mcsock *s = container_of(f, struct mcsock, fd);
	struct mcsock_rx *rx = s->rx;
	struct loop *loop = f->loop;
	int n;

	/* an interface that goes down leaves one error; the next read takes it away */
	n = recvmmsg(f->fd, rx->msg, BATCH, MSG_DONTWAIT | MSG_TRUNC, NULL);
	if (n < 0 && errno != EAGAIN && errno != EINTR)
		s->stats.receive_errors++;
	rx->current = s;
	for (int i = 0; i < n && rx->current; i++) {
		if (rx->msg[i].msg_len > PACKET_SIZE) {
			s->stats.truncated++;
			continue;
		}
		s->stats.received++;
		s->ops.packet(
			s->ops.ctx, s->ifindex, rx->packet[i], rx->msg[i].msg_len);
	}
	rx->current = NULL;
	if (n == BATCH)
		loop_hurry(loop);
}

static int set_filter(int fd, enum family family)
{
	struct sock_fprog prog;

	if (family == FAMILY_IPV4)
		prog = (struct sock_fprog){array_len(filter_ipv4), filter_ipv4};
	else
		prog = (struct sock_fprog){array_len(filter_ipv6), filter_ipv6};
	if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &prog, sizeof(prog)) < 0)
		return -errno;
	return 0;
}

static uint16_t ethertype_be16(enum family family)
{
	return htons(family == FAMILY_IPV4 ? ETH_P_IP : ETH_P_IPV6);
}

static int set_options(int fd)
{
	int size = RCVBUF_SIZE, priority = SEND_PRIORITY, on = 1;

	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0 &&
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)) < 0)
		return -errno;
	/* both are improvements that may be missing: the filter refuses own frames
	 * anyway */
	setsockopt(fd, SOL_SOCKET, SO_PRIORITY, &priority, sizeof(priority));
	setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof(on));
	return 0;
}

/* The socket is created without protocol and bound last, so that nothing arrives before
 * the filter is in place. */
static int setup(int fd, int ifindex, enum family family)
{
	struct sockaddr_ll ll = {.sll_family = AF_PACKET,
		.sll_protocol = ethertype_be16(family),
		.sll_ifindex = ifindex};
	struct packet_mreq mreq = {
		.mr_ifindex = ifindex, .mr_type = PACKET_MR_ALLMULTI};
	int r;

	r = set_filter(fd, family);
	if (r < 0)
		return r;
	r = set_options(fd);
	if (r < 0)
		return r;
	if (bind(fd, (const struct sockaddr *)&ll, sizeof(ll)) < 0)
		return -errno;
	if (setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &mreq, sizeof(mreq)) < 0)
		return -errno;
	/* binding to an interface that is down succeeds and leaves ENETDOWN behind */
	clear_error(fd);
	return 0;
}

int mcsock_open(struct loop *loop, struct mcsock_rx *rx, int ifindex,
	enum family family, const struct mcsock_ops *ops, struct mcsock **ret_sock)
{
	_cleanup_(closep) int fd = -1;
	struct mcsock *s;
	int r;

	fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	r = setup(fd, ifindex, family);
	if (r < 0)
		return r;
	s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	s->rx = rx;
	s->ops = *ops;
	s->ifindex = ifindex;
	s->family = family;
	s->fd.fd = fd;
	s->fd.fn = on_readable;
	r = loop_add(loop, &s->fd, EPOLLIN);
	if (r < 0) {
		free(s);
		return r;
	}
	take_fd(&fd);
	*ret_sock = s;
	return 0;
}

struct mcsock *mcsock_close(struct mcsock *s)
{
	if (!s)
		return NULL;
	if (s->rx->current == s)
		s->rx->current = NULL;
	loop_del(&s->fd);
	close(s->fd.fd);
	free(s);
	return NULL;
}

/* RFC 1112 6.4: the low 23 bits; RFC 2464 7: the low 32 bits */
static void group_mac(const struct addr *group, uint8_t mac[8])
{
	static const uint8_t ipv4[] = {0x01, 0x00, 0x5e}, ipv6[] = {0x33, 0x33};

	memset(mac, 0, 8);
	if (addr_is_v4(group)) {
		memcpy(mac, ipv4, sizeof(ipv4));
		mac[3] = group->b[13] & 0x7f;
		memcpy(mac + 4, group->b + 14, 2);
	} else {
		memcpy(mac, ipv6, sizeof(ipv6));
		memcpy(mac + 2, group->b + 12, 4);
	}
}

int mcsock_send(
	struct mcsock *s, const void *packet, size_t len, const struct addr *group)
{
	struct sockaddr_ll ll = {.sll_family = AF_PACKET,
		.sll_protocol = ethertype_be16(s->family),
		.sll_ifindex = s->ifindex,
		.sll_halen = ETH_ALEN};
	ssize_t n = -1;

	if (!addr_is_multicast(group) || addr_family(group) != s->family)
		return -EINVAL;
	group_mac(group, ll.sll_addr);
	/* the first ENETDOWN may be an old one that waited in the socket */
	for (int i = 0; i < 2; i++) {
		n = sendto(s->fd.fd, packet, len, MSG_DONTWAIT | MSG_NOSIGNAL,
			(const struct sockaddr *)&ll, sizeof(ll));
		if (n >= 0 || errno != ENETDOWN)
			break;
	}
	if (n < 0) {
		s->stats.send_errors++;
		return -errno;
	}
	s->stats.sent++;
	return 0;
}

void mcsock_stats(struct mcsock *s, struct mcsock_stats *ret_stats)
{
	struct tpacket_stats st;
	socklen_t len = sizeof(st);

	/* the kernel's counters restart at every read */
	if (getsockopt(s->fd.fd, SOL_PACKET, PACKET_STATISTICS, &st, &len) == 0)
		s->stats.dropped += st.tp_drops;
	*ret_stats = s->stats;
}

void mcsock_queue(const struct mcsock *s, uint32_t *ret_used, uint32_t *ret_limit)
{
	uint32_t v[SK_MEMINFO_VARS] = {0};
	socklen_t len = sizeof(v);

	(void)getsockopt(s->fd.fd, SOL_SOCKET, SO_MEMINFO, v, &len);
	*ret_used = v[SK_MEMINFO_RMEM_ALLOC];
	*ret_limit = v[SK_MEMINFO_RCVBUF];
}
