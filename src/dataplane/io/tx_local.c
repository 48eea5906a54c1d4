/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Raw sockets that bring datagrams to programs of this host, see tx_local.h. Their
 * headers come complete (IP_HDRINCL), so the source stays the sender's. The address
 * given to the socket only chooses the route: it is the all-hosts group, which the
 * kernel has always joined on the interface. The real destination is in the header of
 * the packet. The interface is named with each packet, so two sockets serve all ports
 * and can be opened before system calls are filtered.
 */

#include "dataplane/io/tx_local.h"

#include "base/cleanup.h"
#include "base/sys/sockopt.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#ifndef IPV6_HDRINCL
#define IPV6_HDRINCL 36
#endif

struct tx_local {
	int fd[_FAMILY_N]; /* -1 if the kernel lacks the family */
	/* all threads add to them, relaxed, because nothing else depends on them */
	_Atomic uint64_t packets, errors;
};

static int open_raw(enum family family)
{
	_cleanup_(closep) int fd = socket(family == FAMILY_IPV4 ? AF_INET : AF_INET6,
		SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_RAW);

	/* with IPv4 the protocol IPPROTO_RAW implies IP_HDRINCL */
	if (fd < 0 ||
		(family == FAMILY_IPV6 &&
			sockopt_set(fd, IPPROTO_IPV6, IPV6_HDRINCL, 1) < 0))
		return -errno;
	return take_fd(&fd);
}

int tx_local_new(struct tx_local **ret)
{
	struct tx_local *t = calloc(1, sizeof(*t));
	int r;

	if (!t)
		return -ENOMEM;
	for (unsigned f = 0; f < _FAMILY_N; f++)
		t->fd[f] = open_raw((enum family)f);
	r = t->fd[FAMILY_IPV4];
	if (r < 0 && t->fd[FAMILY_IPV6] < 0) {
		tx_local_free(t);
		return r;
	}
	*ret = t;
	return 0;
}

struct tx_local *tx_local_free(struct tx_local *t)
{
	for (unsigned f = 0; t && f < _FAMILY_N; f++)
		closep(&t->fd[f]);
	free(t);
	return NULL;
}

static ssize_t send_ipv4(int fd, int ifindex, struct iovec iov[2])
{
	struct sockaddr_in to = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_ALLHOSTS_GROUP)};
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(struct in_pktinfo))];
	} control = {.bytes = {0}};
	struct msghdr m = {.msg_name = &to,
		.msg_namelen = sizeof(to),
		.msg_iov = iov,
		.msg_iovlen = 2,
		.msg_control = &control,
		.msg_controllen = sizeof(control)};
	struct in_pktinfo info = {.ipi_ifindex = ifindex};
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	c->cmsg_level = IPPROTO_IP;
	c->cmsg_type = IP_PKTINFO;
	c->cmsg_len = CMSG_LEN(sizeof(info));
	memcpy(CMSG_DATA(c), &info, sizeof(info));
	return sendmsg(fd, &m, MSG_DONTWAIT);
}

static ssize_t send_ipv6(int fd, int ifindex, struct iovec iov[2])
{
	struct sockaddr_in6 to = {.sin6_family = AF_INET6,
		.sin6_addr = {{{0xff, 0x02, [15] = 1}}},
		.sin6_scope_id = (uint32_t)ifindex};
	struct msghdr m = {.msg_name = &to,
		.msg_namelen = sizeof(to),
		.msg_iov = iov,
		.msg_iovlen = 2};

	return sendmsg(fd, &m, MSG_DONTWAIT);
}

void tx_local_send(void *ctx, int ifindex, enum family family, struct iovec iov[2])
{
	struct tx_local *t = ctx;
	int fd = t->fd[family];
	ssize_t n = -1;

	if (fd >= 0)
		n = family == FAMILY_IPV4 ? send_ipv4(fd, ifindex, iov)
					  : send_ipv6(fd, ifindex, iov);
	atomic_fetch_add_explicit(
		n < 0 ? &t->errors : &t->packets, 1, memory_order_relaxed);
}

void tx_local_counts(
	const struct tx_local *t, uint64_t *ret_packets, uint64_t *ret_errors)
{
	*ret_packets = atomic_load_explicit(&t->packets, memory_order_relaxed);
	*ret_errors = atomic_load_explicit(&t->errors, memory_order_relaxed);
}
