/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Receive ring, see ring_rx.h. Opened by dataplane, read by worker.
 *
 * The socket is bound to ETH_P_IP or ETH_P_IPV6, never ETH_P_ALL: such a socket stands
 * behind VLAN demultiplexing and never sees what the host itself sends (R180, R181). It
 * is created with protocol 0 and receives nothing until bind(), so that no frame enters
 * before filter and ring are in place.
 *
 * Where the kernel can, a virtio_net_hdr stands before each frame and tells the segment
 * size of super-frames. It is asked for by PACKET_VNET_HDR_SZ and not by the older
 * PACKET_VNET_HDR: a kernel that knows the former (6.4) also knows UDP segmentation in
 * the header (6.2), while older ones drop every such frame that they would have to
 * describe.
 */

#include "dataplane/ring_rx.h"

#include "base/cleanup.h"
#include "dataplane/sockfilter.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/virtio_net.h>
#include <net/if.h>
#include <sys/mman.h>
#include <sys/socket.h>

#ifndef PACKET_VNET_HDR_SZ
#define PACKET_VNET_HDR_SZ 24
#endif
#ifndef VIRTIO_NET_HDR_GSO_UDP_L4
#define VIRTIO_NET_HDR_GSO_UDP_L4 5
#endif

#define BLOCK_SIZE   (64u * 1024)     /* more costs latency, less costs hand-overs */
#define BLOCK_GSO    (2 * BLOCK_SIZE) /* holds the longest super-frame */
#define BLOCK_MIN    4096u
#define N_BLOCKS_MIN 4u
#define FRAME_SIZE   2048u /* V3 packs frames; only checked for consistency */
#define RETIRE_MS    1

struct ring_rx {
	int fd;
	int fanout;
	uint16_t ethertype;
	bool has_l2;
	bool offload;
	uint8_t *map;
	size_t map_len;
	uint32_t block_size, n_blocks;
	/* thread only */
	uint32_t next;	 /* block to look at */
	uint32_t n_held; /* blocks before it that are ours */
};

static int set_option(int fd, int option, const void *value, socklen_t len)
{
	return setsockopt(fd, SOL_PACKET, option, value, len) < 0 ? -errno : 0;
}

static int set_int(int fd, int option, int value)
{
	return set_option(fd, option, &value, sizeof(value));
}

static int set_filter(int fd, const struct sock_fprog *prog)
{
	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, prog, sizeof(*prog)) < 0
		? -errno
		: 0;
}

/* The kernel allocates blocks of contiguous pages: on a fragmented host fewer or
 * smaller ones may still be there. */
static int set_ring(struct ring_rx *r, uint32_t size)
{
	uint32_t block = r->offload ? BLOCK_GSO : BLOCK_SIZE, n;
	int e;

	while (block > BLOCK_MIN && size / block < N_BLOCKS_MIN)
		block /= 2;
	n = size / block > N_BLOCKS_MIN ? size / block : N_BLOCKS_MIN;
	for (;;) {
		struct tpacket_req3 req = {
			.tp_block_size = block,
			.tp_block_nr = n,
			.tp_frame_size = FRAME_SIZE,
			.tp_frame_nr = block / FRAME_SIZE * n,
			.tp_retire_blk_tov = RETIRE_MS,
		};

		e = set_option(r->fd, PACKET_RX_RING, &req, sizeof(req));
		if (e != -ENOMEM)
			break;
		if (n > N_BLOCKS_MIN)
			n /= 2;
		else if (block > BLOCK_MIN)
			block /= 2;
		else
			break;
	}
	if (e < 0)
		return e;
	r->block_size = block;
	r->n_blocks = n;
	r->map_len = (size_t)block * n;
	r->map = mmap(NULL, r->map_len, PROT_READ | PROT_WRITE, MAP_SHARED, r->fd, 0);
	if (r->map == MAP_FAILED) {
		r->map = NULL;
		return -errno;
	}
	return 0;
}

static int bind_to(struct ring_rx *r, int ifindex)
{
	struct sockaddr_ll sll = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(r->ethertype),
		.sll_ifindex = ifindex,
	};
	struct packet_mreq mreq = {
		.mr_ifindex = ifindex,
		.mr_type = PACKET_MR_ALLMULTI,
	};

	if (bind(r->fd, (const struct sockaddr *)&sll, sizeof(sll)) < 0)
		return -errno;
	return set_option(r->fd, PACKET_ADD_MEMBERSHIP, &mreq, sizeof(mreq));
}

/* Without DEFRAG, which would make packets larger than the link's MTU, and without
 * ROLLOVER, which would reorder. */
static int join_fanout(struct ring_rx *r, const struct ring_rx_params *p)
{
	const struct sock_fprog *prog = sockfilter_fanout(p->family);
	bool is_new = p->fanout == RING_RX_NEW_FANOUT;
	int arg = PACKET_FANOUT_CBPF << 16;
	socklen_t len = sizeof(arg);
	int e;

	if (is_new)
		arg |= PACKET_FANOUT_FLAG_UNIQUEID << 16;
	else
		arg |= p->fanout;
	e = set_int(r->fd, PACKET_FANOUT, arg);
	if (e < 0)
		return e;
	if (getsockopt(r->fd, SOL_PACKET, PACKET_FANOUT, &arg, &len) < 0)
		return -errno;
	r->fanout = arg & 0xffff;
	return is_new ? set_option(r->fd, PACKET_FANOUT_DATA, prog, sizeof(*prog)) : 0;
}

static int set_offload(int fd)
{
	const int len = sizeof(struct virtio_net_hdr);
	int e = set_int(fd, PACKET_VNET_HDR_SZ, len);

	/* the header shifts the packet: make that a multiple of TPACKET_ALIGNMENT */
	return e < 0 ? e : set_int(fd, PACKET_RESERVE, TPACKET_ALIGNMENT - len);
}

static int start(struct ring_rx *r, const struct ring_rx_params *p)
{
	bool fanout = p->fanout != RING_RX_NO_FANOUT;
	int e;

	e = set_int(r->fd, PACKET_VERSION, TPACKET_V3);
	if (e < 0)
		return e;
	e = set_int(r->fd, PACKET_IGNORE_OUTGOING, 1);
	if (e < 0 && e != -ENOPROTOOPT)
		return e;
	if (r->offload)
		e = set_offload(r->fd);
	if (e < 0 && r->offload)
		return e;
	/* Between bind and joining its group a socket gets the frames of all others
	 * too: they would be sent twice. */
	e = set_filter(r->fd, fanout ? &sockfilter_none : p->filter);
	if (e < 0)
		return e;
	e = set_ring(r, p->size);
	if (e < 0)
		return e;
	e = bind_to(r, p->ifindex);
	if (e < 0 || !fanout)
		return e;
	e = join_fanout(r, p);
	return e < 0 ? e : set_filter(r->fd, p->filter);
}

static int open_socket(void)
{
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	return fd < 0 ? -errno : fd;
}

int ring_rx_can_offload(void)
{
	_cleanup_(closep) int fd = open_socket();

	return fd < 0 ? fd : set_offload(fd);
}

int ring_rx_open(const struct ring_rx_params *params, struct ring_rx **ret)
{
	struct ring_rx *r = calloc(1, sizeof(*r));
	int e;

	if (!r)
		return -ENOMEM;
	r->ethertype = params->family == FAMILY_IPV4 ? ETH_P_IP : ETH_P_IPV6;
	r->has_l2 = params->has_l2;
	r->fanout = RING_RX_NO_FANOUT;
	r->offload = params->offload;
	r->fd = open_socket();
	e = r->fd < 0 ? r->fd : start(r, params);
	if (e < 0) {
		ring_rx_close(r);
		return e;
	}
	*ret = r;
	return 0;
}

struct ring_rx *ring_rx_close(struct ring_rx *r)
{
	if (!r)
		return NULL;
	if (r->map)
		munmap(r->map, r->map_len);
	closep(&r->fd);
	free(r);
	return NULL;
}

int ring_rx_fd(const struct ring_rx *r)
{
	return r->fd;
}

int ring_rx_fanout(const struct ring_rx *r)
{
	return r->fanout;
}

bool ring_rx_is_on(const struct ring_rx *r, int ifindex)
{
	struct sockaddr_ll sll;
	socklen_t len = sizeof(sll);

	return getsockname(r->fd, (struct sockaddr *)&sll, &len) == 0 &&
		sll.sll_ifindex == ifindex;
}

void ring_rx_stats(struct ring_rx *r, struct ring_rx_stats *ret)
{
	struct tpacket_stats_v3 st = {0};
	socklen_t len = sizeof(st);

	*ret = (struct ring_rx_stats){0};
	if (getsockopt(r->fd, SOL_PACKET, PACKET_STATISTICS, &st, &len) < 0)
		return;
	ret->packets = st.tp_packets;
	ret->drops = st.tp_drops;
	ret->freezes = st.tp_freeze_q_cnt;
}

int ring_rx_clear_error(struct ring_rx *r)
{
	int err = 0;
	socklen_t len = sizeof(err);

	return getsockopt(r->fd, SOL_SOCKET, SO_ERROR, &err, &len) < 0 ? errno : err;
}

static struct tpacket_hdr_v1 *block_header(const struct ring_rx *r, uint32_t index)
{
	struct tpacket_block_desc *bd =
		(void *)(r->map + (size_t)index * r->block_size);

	return &bd->hdr.bh1;
}

bool ring_rx_peek(struct ring_rx *r, struct ring_block *ret)
{
	struct tpacket_hdr_v1 *h = block_header(r, r->next);
	uint32_t status;

	/* all of them are ours: the next one in turn is the oldest that we hold */
	if (r->n_held == r->n_blocks)
		return false;
	/* pairs with the write barrier before the kernel sets TP_STATUS_USER
	 * (prb_close_block): frames and counts are complete */
	status = __atomic_load_n(&h->block_status, __ATOMIC_ACQUIRE);
	if (!(status & TP_STATUS_USER))
		return false;
	*ret = (struct ring_block){
		.next = r->map + (size_t)r->next * r->block_size +
			h->offset_to_first_pkt,
		.n_frames = h->num_pkts,
		.index = r->next,
		.timeout = status & TP_STATUS_BLK_TMO,
	};
	r->next = r->next + 1 == r->n_blocks ? 0 : r->next + 1;
	r->n_held++;
	return true;
}

/* How a super-frame is made up, from what stands before the frame. */
static void read_offload(const uint8_t *mac, struct frame_meta *m)
{
	struct virtio_net_hdr h;

	memcpy(&h, mac - sizeof(h), sizeof(h));
	if (h.flags & VIRTIO_NET_HDR_F_NEEDS_CSUM)
		m->csum_not_ready = true;
	if (h.flags & VIRTIO_NET_HDR_F_DATA_VALID)
		m->csum_valid = true;
	if (h.gso_type == VIRTIO_NET_HDR_GSO_NONE)
		return;
	m->gso_size = h.gso_size;
	m->gso_udp = h.gso_type == VIRTIO_NET_HDR_GSO_UDP_L4;
}

bool ring_rx_next(const struct ring_rx *r, struct ring_block *b, struct frame_meta *ret)
{
	uint8_t *base = b->next;
	struct tpacket3_hdr *h = (void *)base;
	const struct sockaddr_ll *sll;
	uint32_t l2_len;

	if (b->n_frames == 0)
		return false;
	sll = (const void *)(base + TPACKET_ALIGN(sizeof(*h)));
	l2_len = (uint32_t)(h->tp_net - h->tp_mac);
	*ret = (struct frame_meta){
		.l2 = r->has_l2 && l2_len >= ETH_HLEN ? base + h->tp_mac : NULL,
		.l3 = base + h->tp_net,
		.l3_caplen = h->tp_snaplen > l2_len ? h->tp_snaplen - l2_len : 0,
		.l3_len = h->tp_len > l2_len ? h->tp_len - l2_len : 0,
		.ethertype = r->ethertype,
		.vlan_tci = (uint16_t)h->hv1.tp_vlan_tci,
		.vlan_valid = h->tp_status & TP_STATUS_VLAN_VALID,
		.csum_not_ready = h->tp_status & TP_STATUS_CSUMNOTREADY,
		.csum_valid = h->tp_status & TP_STATUS_CSUM_VALID,
		.pkttype = sll->sll_pkttype,
	};
	if (r->offload)
		read_offload(base + h->tp_mac, ret);
	b->n_frames--;
	b->next = base + h->tp_next_offset;
	return true;
}

void ring_rx_release(struct ring_rx *r, const struct ring_block *b)
{
	/* a ring that overran waits for exactly its oldest block */
	assert(r->n_held > 0);
	assert(b->index == (r->next + r->n_blocks - r->n_held) % r->n_blocks);
	r->n_held--;
	/* pairs with the kernel's read of the status before it opens the block again
	 * (prb_dispatch_next_block): all our accesses are over */
	__atomic_store_n(&block_header(r, b->index)->block_status, TP_STATUS_KERNEL,
		__ATOMIC_RELEASE);
}
