/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * sendmmsg(2) of Linux before 6.2, for LD_PRELOAD: a packet socket does not know UDP
 * super-frames and refuses them with EINVAL. A seccomp filter cannot do that, because
 * the type is inside the message. For test_superframes.py only.
 */

#include "base/inet.h"

#include <errno.h>
#include <linux/if_packet.h>
#include <linux/virtio_net.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static bool has_vnet_headers(int fd)
{
	int on = 0;
	socklen_t len = sizeof(on);

	return getsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &on, &len) == 0 && on;
}

static bool is_super_frame(const struct msghdr *m)
{
	struct virtio_net_hdr h;

	if (m->msg_iovlen == 0 || m->msg_iov[0].iov_len < sizeof(h))
		return false;
	memcpy(&h, m->msg_iov[0].iov_base, sizeof(h));
	return h.gso_type == VIRTIO_NET_HDR_GSO_UDP_L4;
}

__attribute__((visibility("default"))) int sendmmsg(
	int fd, struct mmsghdr *v, unsigned n, int flags)
{
	unsigned known = 0;

	if (!has_vnet_headers(fd))
		known = n;
	while (known < n && !is_super_frame(&v[known].msg_hdr))
		known++;
	if (known == 0 && n > 0) {
		errno = EINVAL;
		return -1;
	}
	return (int)syscall(SYS_sendmmsg, fd, v, known, flags);
}
