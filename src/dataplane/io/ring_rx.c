/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Receive ring, see ring_rx.h. This file has what both kinds have in common: the
 * socket, its memory, what a frame's header says.
 *
 * The socket is bound to ETH_P_IP or ETH_P_IPV6, never ETH_P_ALL: then it gets frames
 * after VLAN demultiplexing, and never those that the host itself sends (R180, R181).
 * It is created with protocol 0 and receives nothing until bind(), so that no frame
 * enters before filter and ring are in place.
 *
 * If the kernel supports it, a virtio_net_hdr before each frame tells the segment size
 * of super-frames. It is requested with PACKET_VNET_HDR_SZ and not with the older
 * PACKET_VNET_HDR: a kernel that knows the former (6.4) can also describe UDP
 * segmentation in the header (6.2), while older ones drop every such frame.
 */

#include "dataplane/io/ring_rx_priv.h"

#include "base/cleanup.h"
#include "base/inet.h"
#include "base/sys/packet_socket.h"
#include "base/sys/sockopt.h"
#include "dataplane/io/sockfilter.h"
#include "dataplane/packet/counters.h"
#include "dataplane/packet/latency.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/virtio_net.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#ifndef PACKET_VNET_HDR_SZ
#define PACKET_VNET_HDR_SZ 24
#endif
#define N_BLOCKS_MIN 4u
#define FILL_LOOKS   64u

/* Socket */

static int set_option(int fd, int option, const void *value, socklen_t len)
{
	return setsockopt(fd, SOL_PACKET, option, value, len) < 0 ? -errno : 0;
}

static int ring_rx_open_socket(void)
{
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	return fd < 0 ? -errno : fd;
}

static int set_offload(int fd)
{
	int e = sockopt_set(fd, SOL_PACKET, PACKET_VNET_HDR_SZ, VNET_LEN);

	/* the header shifts the packet: make that a multiple of TPACKET_ALIGNMENT */
	return e < 0 ? e
		     : sockopt_set(fd, SOL_PACKET, PACKET_RESERVE,
			       TPACKET_ALIGNMENT - VNET_LEN);
}

static int bind_to(int fd, uint16_t ethertype, int ifindex)
{
	struct sockaddr_ll sll = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ethertype),
		.sll_ifindex = ifindex,
	};

	return bind(fd, (const struct sockaddr *)&sll, sizeof(sll)) < 0 ? -errno : 0;
}

static int receive_all_groups(int fd, int ifindex)
{
	struct packet_mreq mreq = {
		.mr_ifindex = ifindex,
		.mr_type = PACKET_MR_ALLMULTI,
	};

	return set_option(fd, PACKET_ADD_MEMBERSHIP, &mreq, sizeof(mreq));
}

/* Without DEFRAG, which would make packets larger than the link's MTU, and without
 * ROLLOVER, which would reorder. The id of the group, or -errno. */
static int join_fanout(int fd, enum family family, int group, unsigned spread)
{
	struct sockfilter f;
	bool is_new = group == RING_RX_NEW_FANOUT;
	int arg = PACKET_FANOUT_CBPF << 16;
	socklen_t len = sizeof(arg);
	int e;

	if (is_new)
		arg |= PACKET_FANOUT_FLAG_UNIQUEID << 16;
	else
		arg |= group;
	e = sockopt_set(fd, SOL_PACKET, PACKET_FANOUT, arg);
	if (e < 0)
		return e;
	if (getsockopt(fd, SOL_PACKET, PACKET_FANOUT, &arg, &len) < 0)
		return -errno;
	sockfilter_spread(family, spread, &f);
	e = is_new ? set_option(fd, PACKET_FANOUT_DATA, &f.prog, sizeof(f.prog)) : 0;
	return e < 0 ? e : arg & 0xffff;
}

/* Memory */

/* The kernel allocates blocks of contiguous pages: on a fragmented host fewer or
 * smaller ones may still be available. */
int ring_rx_request(struct ring_rx *r, struct ring_geometry *g)
{
	socklen_t len = r->ops->version == TPACKET_V3 ? sizeof(struct tpacket_req3)
						      : sizeof(struct tpacket_req);
	uint32_t n;
	int e;

	while (g->block > g->block_min && g->size / g->block < N_BLOCKS_MIN)
		g->block /= 2;
	n = g->size / g->block > N_BLOCKS_MIN ? g->size / g->block : N_BLOCKS_MIN;
	for (;;) {
		struct tpacket_req3 req = {
			.tp_block_size = g->block,
			.tp_block_nr = n,
			.tp_frame_size = g->frame,
			.tp_frame_nr = g->block / g->frame * n,
			.tp_retire_blk_tov = g->retire_ms,
		};

		e = set_option(r->fd, PACKET_RX_RING, &req, len);
		if (e != -ENOMEM)
			break;
		r->is_short = true;
		if (n > N_BLOCKS_MIN)
			n /= 2;
		else if (g->block > g->block_min)
			g->block /= 2;
		else
			break;
	}
	r->map_len = (size_t)g->block * n;
	return e;
}

static int map(struct ring_rx *r)
{
	r->map = mmap(NULL, r->map_len, PROT_READ | PROT_WRITE, MAP_SHARED, r->fd, 0);
	if (r->map == MAP_FAILED) {
		r->map = NULL;
		return -errno;
	}
	r->n_slots = (uint32_t)(r->map_len / r->slot_size);
	return 0;
}

/* What the kernel can do */

static int set_version(int fd, const struct ring_rx_ops *ops)
{
	return sockopt_set(fd, SOL_PACKET, PACKET_VERSION, ops->version);
}

/* Probes as far as creating a ring: a seccomp filter cannot see the version and may
 * refuse only this step. */
static int probe_blocks(void)
{
	struct ring_rx r = {.ops = &ring_rx_v3};
	struct ring_geometry g = {0};
	_cleanup_(closep) int fd = ring_rx_open_socket();
	int e = fd < 0 ? fd : set_version(fd, r.ops);

	r.fd = fd;
	g.size = g.block = g.block_min = g.frame = (uint32_t)sysconf(_SC_PAGESIZE);
	g.retire_ms = 1;
	return e < 0 ? e : ring_rx_request(&r, &g);
}

/* Bound to no interface and to an unused protocol (IEEE 802, local experiments), the
 * socket receives nothing. */
static int probe_fanout(void)
{
	_cleanup_(closep) int fd = ring_rx_open_socket();
	int e = fd < 0 ? fd : sockopt_set_filter(fd, &sockfilter_none);

	if (e == 0)
		e = bind_to(fd, 0x88b5, 0);
	if (e == 0)
		e = join_fanout(fd, FAMILY_IPV4, RING_RX_NEW_FANOUT, 1);
	return e < 0 ? e : 0;
}

_printf_(2, 3) static void ring_rx_say(struct ring_rx_mode *m, const char *format, ...)
{
	size_t n = strlen(m->why);
	va_list ap;

	if (n > 0)
		n += (size_t)snprintf(m->why + n, sizeof(m->why) - n, ", ");
	if (n >= sizeof(m->why))
		return;
	va_start(ap, format);
	vsnprintf(m->why + n, sizeof(m->why) - n, format, ap);
	va_end(ap);
}

void ring_rx_probe(struct ring_rx_mode *m)
{
	_cleanup_(closep) int fd = ring_rx_open_socket();
	int e;

	m->why[0] = '\0';
	if (fd < 0) {
		ring_rx_say(m, "packet sockets refused (%s)", strerror(-fd));
		m->offload = false;
		return;
	}
	e = m->kind == RING_RX_BLOCKS ? probe_blocks() : 0;
	if (e < 0) {
		ring_rx_say(m, "TPACKET_V3 refused (%s)", strerror(-e));
		m->kind = RING_RX_FRAMES;
	}
	e = m->offload ? set_offload(fd) : 0;
	if (e < 0) {
		ring_rx_say(m, "no super-frames (%s)",
			e == -ENOPROTOOPT ? "Linux before 6.4" : strerror(-e));
		m->offload = false;
	}
	e = m->fanout ? probe_fanout() : 0;
	if (e < 0) {
		ring_rx_say(m, "PACKET_FANOUT refused (%s)", strerror(-e));
		m->fanout = false;
	}
}

/* Life */

static int admit_data(int fd, bool has_l2)
{
	struct sockfilter f;

	sockfilter_data(has_l2, &f);
	return sockopt_set_filter(fd, &f.prog);
}

static int start_receiving(struct ring_rx *r, const struct ring_rx_params *p)
{
	int e = bind_to(r->fd, r->ethertype, p->ifindex);

	if (e == 0)
		e = receive_all_groups(r->fd, p->ifindex);
	if (e < 0 || p->fanout == RING_RX_NO_FANOUT)
		return e;
	e = join_fanout(r->fd, p->family, p->fanout, p->spread);
	if (e < 0)
		return e;
	r->fanout = e;
	return admit_data(r->fd, r->has_l2);
}

static int ring_rx_start(struct ring_rx *r, const struct ring_rx_params *p)
{
	bool fanout = p->fanout != RING_RX_NO_FANOUT;
	int e;

	e = set_version(r->fd, r->ops);
	if (e < 0)
		return e;
	e = sockopt_set(r->fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, 1);
	if (e < 0 && e != -ENOPROTOOPT)
		return e;
	e = r->offload ? set_offload(r->fd) : 0;
	/* Between bind and joining its group, a socket also gets the frames of all
	 * others. They would be sent twice. */
	if (e == 0)
		e = fanout ? sockopt_set_filter(r->fd, &sockfilter_none)
			   : admit_data(r->fd, r->has_l2);
	if (e == 0)
		e = r->ops->set_up(r, p);
	if (e == 0)
		e = map(r);
	return e < 0 ? e : start_receiving(r, p);
}

static struct ring_rx *ring_new(const struct ring_rx_params *params)
{
	struct ring_rx *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->ops = params->mode->kind == RING_RX_FRAMES ? &ring_rx_v2 : &ring_rx_v3;
	r->ethertype = params->family == FAMILY_IPV4 ? ETH_P_IP : ETH_P_IPV6;
	r->has_l2 = params->has_l2;
	r->offload = params->mode->offload;
	r->fanout = RING_RX_NO_FANOUT;
	r->fd = -1;
	return r;
}

int ring_rx_open(const struct ring_rx_params *params, struct ring_rx **ret)
{
	struct ring_rx *r = ring_new(params);
	int e;

	if (!r)
		return -ENOMEM;
	r->fd = ring_rx_open_socket();
	e = r->fd < 0 ? r->fd : ring_rx_start(r, params);
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
	closep(&r->fd); /* it is -1 if the socket still belongs to the caller */
	r->ops->tear_down(r);
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
	return packet_socket_is_on(r->fd, ifindex);
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

void ring_rx_fill(const struct ring_rx *r, struct ring_rx_fill *ret)
{
	/* slots fill one after the other: looking at some of them is enough */
	uint32_t step = r->n_slots > FILL_LOOKS ? r->n_slots / FILL_LOOKS : 1;

	*ret = (struct ring_rx_fill){.bytes = r->map_len};
	for (uint32_t i = 0; i < r->n_slots; i += step) {
		ret->looked++;
		ret->full += r->ops->is_full(r, i);
	}
}

void ring_rx_size(const struct ring_rx *r, uint64_t *ret_ring, uint32_t *ret_block)
{
	*ret_ring = r->map_len;
	*ret_block = r->slot_size;
}

size_t ring_rx_short(const struct ring_rx *r)
{
	return r->is_short ? r->map_len : 0;
}

int ring_rx_clear_error(struct ring_rx *r)
{
	int err = 0;
	socklen_t len = sizeof(err);

	return getsockopt(r->fd, SOL_SOCKET, SO_ERROR, &err, &len) < 0 ? errno : err;
}

/* Frames */

/* The structure of a super-frame, from the header before the frame. */
static void read_offload(const uint8_t *mac, struct frame_meta *m)
{
	struct virtio_net_hdr h;

	_Static_assert(sizeof(h) == VNET_LEN, "");
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

void ring_rx_describe(
	const struct ring_rx *r, const struct ring_frame *f, struct frame_meta *ret)
{
	*ret = (struct frame_meta){
		.l2 = r->has_l2 && f->l2_len >= ETH_HLEN ? f->mac : NULL,
		.l3 = f->mac + f->l2_len,
		.l3_caplen = f->caplen > f->l2_len ? f->caplen - f->l2_len : 0,
		.l3_len = f->len > f->l2_len ? f->len - f->l2_len : 0,
		.ethertype = r->ethertype,
		.vlan_tci = f->vlan_tci,
		.vlan_valid = f->status & TP_STATUS_VLAN_VALID,
		.csum_not_ready = f->status & TP_STATUS_CSUMNOTREADY,
		.csum_valid = f->status & TP_STATUS_CSUM_VALID,
		.pkttype = f->pkttype,
		.stamp = latency_stamp(f->sec, f->nsec),
	};
	if (r->offload)
		read_offload(f->mac, ret);
}

bool ring_rx_is_on_hold(const struct ring_rx *r)
{
	return atomic_load_explicit(&r->on_hold, memory_order_acquire);
}

bool ring_rx_peek(struct ring_rx *r, struct ring_block *ret)
{
	/* we hold all slots: the next one is the oldest that we hold */
	if (r->n_held == r->n_slots || ring_rx_is_on_hold(r) || !r->ops->peek(r, ret))
		return false;
	counter_add(&r->taken, ret->n_frames);
	return true;
}

uint64_t ring_rx_taken(const struct ring_rx *r)
{
	return atomic_load_explicit(&r->taken, memory_order_relaxed);
}

bool ring_rx_is_scarce(const struct ring_rx *r)
{
	return r->n_held > r->n_slots / 2;
}

bool ring_rx_is_filling(const struct ring_rx *r)
{
	/* slots fill one after the other */
	return r->ops->is_full(r, (r->next + r->n_slots / 4) % r->n_slots);
}

bool ring_rx_next(struct ring_rx *r, struct ring_block *b, struct frame_meta *ret)
{
	if (b->n_frames == 0)
		return false;
	r->ops->next(r, b, ret);
	b->n_frames--;
	return true;
}

void ring_rx_release(struct ring_rx *r, const struct ring_block *b)
{
	/* a ring that overran waits for exactly its oldest slot */
	assert(r->n_held >= b->n_slots);
	assert(b->index == ring_rx_oldest(r));
	r->n_held -= b->n_slots;
	r->ops->release(r, b);
}

/* Live upgrade */

static int get_int(int fd, int option, int *ret)
{
	socklen_t len = sizeof(*ret);

	*ret = 0;
	return getsockopt(fd, SOL_PACKET, option, ret, &len) < 0 ? -errno : 0;
}

/* Is the socket bound to this interface and protocol? And does its ring have our
 * version, and super-frames only if ours have them? */
static bool is_as_wanted(const struct ring_rx *r, int fd, int ifindex)
{
	int version, offload;

	if (packet_socket_check(fd, SOCK_RAW, ifindex, htons(r->ethertype)) < 0)
		return false;
	if (get_int(fd, PACKET_VERSION, &version) < 0 || version != r->ops->version)
		return false;
	/* a kernel that does not know the option describes no super-frames */
	(void)get_int(fd, PACKET_VNET_HDR_SZ, &offload);
	return (offload != 0) == r->offload;
}

void ring_rx_place(const struct ring_rx *r, struct ring_rx_place *ret)
{
	*ret = (struct ring_rx_place){
		.slot_size = r->slot_size,
		.n_slots = r->n_slots,
		.next = ring_rx_oldest(r),
	};
}

static int adopt(struct ring_rx *r, int fd, const struct ring_rx_params *p,
	const struct ring_rx_place *at)
{
	int fanout, e;

	if (!is_as_wanted(r, fd, p->ifindex) || at->next >= at->n_slots ||
		at->slot_size == 0)
		return -EINVAL;
	/* the kernel maps a ring of exactly this size and no other */
	r->map_len = (size_t)at->slot_size * at->n_slots;
	r->slot_size = at->slot_size;
	r->next = at->next;
	r->fd = fd;
	e = r->ops->adopt(r);
	if (e == 0)
		e = map(r);
	if (e == 0)
		e = admit_data(fd, r->has_l2);
	if (e == 0)
		e = get_int(fd, PACKET_FANOUT, &fanout);
	if (e == 0 && fanout)
		r->fanout = fanout & 0xffff;
	return e;
}

int ring_rx_adopt(int fd, const struct ring_rx_params *params,
	const struct ring_rx_place *at, struct ring_rx **ret)
{
	struct ring_rx *r = ring_new(params);
	int e;

	if (!r)
		return -ENOMEM;
	e = adopt(r, fd, params, at);
	if (e < 0) {
		r->fd = -1;
		ring_rx_close(r);
		return e;
	}
	*ret = r;
	return 0;
}

void ring_rx_hold(struct ring_rx *r, bool hold)
{
	/* pairs with ring_rx_is_on_hold(): the previous owner is done with the ring */
	atomic_store_explicit(&r->on_hold, hold, memory_order_release);
}

static int set_program(const struct ring_rx *r, const struct sockfilter *f)
{
	return set_option(r->fd, PACKET_FANOUT_DATA, &f->prog, sizeof(f->prog));
}

int ring_rx_divert(const struct ring_rx *r, unsigned index)
{
	struct sockfilter f;

	sockfilter_divert(index, &f);
	return set_program(r, &f);
}

int ring_rx_spread(const struct ring_rx *r, enum family family, unsigned n)
{
	struct sockfilter f;

	sockfilter_spread(family, n, &f);
	return set_program(r, &f);
}

int ring_rx_gather(struct ring_rx *r, enum family family)
{
	int e;

	if (r->fanout != RING_RX_NO_FANOUT)
		return 0;
	e = join_fanout(r->fd, family, RING_RX_NEW_FANOUT, 1);
	if (e < 0)
		return e;
	r->fanout = e;
	return 0;
}
