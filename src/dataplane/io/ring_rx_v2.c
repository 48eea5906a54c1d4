/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * TPACKET_V2, see ring_rx_priv.h: one slot for each frame, handed over at once. A block
 * here is a run of frames that are ready.
 *
 * A slot holds a frame of the link's MTU. A longer frame, usually a super-frame, is cut
 * off there. If the receive buffer of the socket has room, the kernel also queues the
 * whole frame there (PACKET_COPY_THRESH), and recv(2) fetches it when its slot is
 * walked. With slots of 64 KiB instead, a ring of 8 MiB would hold only 128 frames.
 */

#include "base/minmax.h"
#include "base/sys/sockopt.h"
#include "dataplane/io/ring_rx_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define BLOCK_SIZE (64u * 1024)
#define SLOT_MIN   2048u
#define SLOT_MAX   BLOCK_SIZE
#define RUN_MAX	   32u /* frames */

/* before the packet: header, address, link header, reserved space */
#define OVERHEAD (TPACKET_ALIGN(TPACKET2_HDRLEN + 16) + TPACKET_ALIGNMENT)

#define N_COPIES      8 /* held at a time */
#define COPY_SIZE     (VNET_LEN + 64 + 65536)
#define RECEIVE_BYTES (8 << 20)

struct ring_copies {
	unsigned next; /* the buffer for the next frame; blocks are walked in order */
	unsigned n;    /* long frames in the blocks that the thread holds */
	uint8_t buf[N_COPIES][(COPY_SIZE + 63) / 64 * 64];
};

static uint32_t slot_size(uint32_t mtu)
{
	uint32_t size = SLOT_MIN;

	while (size < SLOT_MAX && size < mtu + OVERHEAD)
		size *= 2;
	return size;
}

static int ring_rx_v2_adopt(struct ring_rx *r)
{
	r->copies = calloc(1, sizeof(*r->copies));
	return r->copies ? 0 : -ENOMEM;
}

/* Longer frames are queued on the socket: ask for a large buffer. Without CAP_NET_ADMIN
 * we get at most rmem_max. */
static int set_up_copies(struct ring_rx *r)
{
	(void)sockopt_set_buffer(r->fd, SO_RCVBUFFORCE, SO_RCVBUF, RECEIVE_BYTES);
	if (ring_rx_v2_adopt(r) < 0)
		return -ENOMEM;
	return sockopt_set(r->fd, SOL_PACKET, PACKET_COPY_THRESH, 1);
}

static int ring_rx_v2_set_up(struct ring_rx *r, const struct ring_rx_params *p)
{
	struct ring_geometry g = {
		.size = p->size,
		.block = BLOCK_SIZE,
		.frame = slot_size(p->mtu),
	};
	uint32_t page = (uint32_t)sysconf(_SC_PAGESIZE);
	int e = set_up_copies(r);

	g.block_min = max(g.frame, page);
	r->slot_size = g.frame;
	return e < 0 ? e : ring_rx_request(r, &g);
}

static void ring_rx_v2_tear_down(struct ring_rx *r)
{
	free(r->copies);
}

static struct tpacket2_hdr *header_of(const struct ring_rx *r, uint32_t index)
{
	return (void *)(r->map + (size_t)index * r->slot_size);
}

/* The run ends at the end of the ring, or before a long frame if there is no memory to
 * fetch it into. */
static bool ring_rx_v2_peek(struct ring_rx *r, struct ring_block *ret)
{
	uint32_t max = r->n_slots - r->next, n = 0;

	max = min(max, RUN_MAX);
	if (max > r->n_slots - r->n_held)
		max = r->n_slots - r->n_held;
	for (; n < max; n++) {
		/* pairs with the write barrier before the kernel sets TP_STATUS_USER
		 * (tpacket_rcv): the frame is complete */
		uint32_t status = __atomic_load_n(
			&header_of(r, r->next + n)->tp_status, __ATOMIC_ACQUIRE);

		if (!(status & TP_STATUS_USER))
			break;
		if (!(status & TP_STATUS_COPY))
			continue;
		if (r->copies->n == N_COPIES)
			break;
		r->copies->n++;
	}
	if (n == 0)
		return false;
	*ret = (struct ring_block){
		.next = (uint8_t *)header_of(r, r->next),
		.n_frames = n,
		.index = r->next,
		.n_slots = n,
		.used = n * r->slot_size,
	};
	ring_rx_take(r, n);
	return true;
}

/* Fetches the whole of a frame that was cut off; its other properties are in the
 * slot. */
static void fetch_whole(struct ring_rx *r, struct ring_frame *f)
{
	struct ring_copies *c = r->copies;
	uint32_t before = r->offload ? VNET_LEN : 0;
	uint8_t *buf = c->buf[c->next];
	ssize_t n = recv(r->fd, buf, sizeof(c->buf[0]), MSG_DONTWAIT);

	/* the error of an interface that went down is reported first */
	if (n < 0 && errno != EAGAIN)
		n = recv(r->fd, buf, sizeof(c->buf[0]), MSG_DONTWAIT);
	c->next = (c->next + 1) % N_COPIES;
	if (n <= (ssize_t)(before + f->l2_len))
		return; /* it stays cut off */
	f->mac = buf + before;
	f->caplen = (uint32_t)n - before;
}

static void ring_rx_v2_next(
	struct ring_rx *r, struct ring_block *b, struct frame_meta *ret)
{
	uint8_t *base = b->next;
	const struct tpacket2_hdr *h = (const void *)base;
	const struct sockaddr_ll *sll =
		(const void *)(base + TPACKET_ALIGN(sizeof(*h)));
	struct ring_frame f = {
		.mac = base + h->tp_mac,
		.l2_len = (uint32_t)(h->tp_net - h->tp_mac),
		.caplen = h->tp_snaplen,
		.len = h->tp_len,
		.status = h->tp_status,
		.vlan_tci = h->tp_vlan_tci,
		.pkttype = sll->sll_pkttype,
		.sec = h->tp_sec,
		.nsec = h->tp_nsec,
	};

	if (h->tp_status & TP_STATUS_COPY)
		fetch_whole(r, &f);
	ring_rx_describe(r, &f, ret);
	b->next = base + r->slot_size;
}

static void ring_rx_v2_release(struct ring_rx *r, const struct ring_block *b)
{
	for (uint32_t i = b->index; i < b->index + b->n_slots; i++) {
		struct tpacket2_hdr *h = header_of(r, i);

		if (h->tp_status & TP_STATUS_COPY)
			r->copies->n--;
		/* pairs with the kernel's read of the status before it writes to the
		 * slot again (packet_lookup_frame): all our accesses are over */
		__atomic_store_n(&h->tp_status, TP_STATUS_KERNEL, __ATOMIC_RELEASE);
	}
}

static bool ring_rx_v2_is_full(const struct ring_rx *r, uint32_t index)
{
	uint32_t status =
		__atomic_load_n(&header_of(r, index)->tp_status, __ATOMIC_RELAXED);

	return status & TP_STATUS_USER;
}

const struct ring_rx_ops ring_rx_v2 = {
	.version = TPACKET_V2,
	.set_up = ring_rx_v2_set_up,
	.adopt = ring_rx_v2_adopt,
	.tear_down = ring_rx_v2_tear_down,
	.peek = ring_rx_v2_peek,
	.next = ring_rx_v2_next,
	.release = ring_rx_v2_release,
	.is_full = ring_rx_v2_is_full,
};
