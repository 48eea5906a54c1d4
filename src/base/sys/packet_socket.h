/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Questions about a packet socket (packet(7)). */

#include <errno.h>
#include <linux/if_packet.h>
#include <linux/sock_diag.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

/* Is the socket still bound to the interface? If the interface was deleted, the socket
 * is bound to nothing, and another interface may have its index. */
static inline bool packet_socket_is_on(int fd, int ifindex)
{
	struct sockaddr_ll ll = {0};
	socklen_t len = sizeof(ll);

	return getsockname(fd, (struct sockaddr *)&ll, &len) == 0 &&
		ll.sll_ifindex == ifindex;
}

/* Checks a descriptor from another process. Returns 0 if it is a packet socket of this
 * type, bound to this interface and protocol; -EINVAL if it is another socket; or
 * another -errno. */
static inline int packet_socket_check(
	int fd, int type, int ifindex, uint16_t protocol_be16)
{
	struct sockaddr_ll ll = {0};
	socklen_t len = sizeof(ll), is_len = sizeof(int);
	int is;

	if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &is, &is_len) < 0 ||
		getsockname(fd, (struct sockaddr *)&ll, &len) < 0)
		return -errno;
	return is == type && ll.sll_family == AF_PACKET && ll.sll_ifindex == ifindex &&
			ll.sll_protocol == protocol_be16
		? 0
		: -EINVAL;
}

/* Returns two of the numbers SK_MEMINFO_...; 0 if the kernel does not tell. */
static inline void packet_socket_memory(
	int fd, unsigned used, unsigned limit, uint32_t *ret_used, uint32_t *ret_limit)
{
	uint32_t v[SK_MEMINFO_VARS] = {0};
	socklen_t len = sizeof(v);

	(void)getsockopt(fd, SOL_SOCKET, SO_MEMINFO, v, &len);
	*ret_used = v[used];
	*ret_limit = v[limit];
}
