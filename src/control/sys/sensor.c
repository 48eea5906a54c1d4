/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The sensor of other forwarders, see sensor.h. A TPACKET_V2 ring has one small frame
 * per datagram, so a thousand long datagrams need as much memory as a hundred in a
 * socket buffer, and reading takes no system call.
 */

#include "control/sys/sensor.h"

#include "base/bpf.h"
#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/inet.h"
#include "base/minmax.h"
#include "base/sys/sockopt.h"

#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <netinet/in.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>

#define FRAME_SIZE   128
#define BLOCK_SIZE   (64 << 10)
#define N_FRAMES     4096
#define RING_SIZE    (N_FRAMES * FRAME_SIZE)
#define SNAPLEN	     40 /* an IPv6 header, which is the longer one */
#define MAX_SAMPLING 12

struct sensor {
	int fd;
	enum family family;
	uint8_t *ring;
	unsigned next, sampling;
};

#define MULTICAST_ONE_OF(n)                                                            \
	LOAD(BPF_W, AD(SKF_AD_PKTTYPE)), REFUSE_UNLESS(BPF_JEQ, PACKET_MULTICAST),     \
		ONE_OF(n)

static int sensor_set_filter(const struct sensor *s)
{
	uint32_t one_of = 1u << s->sampling;
	struct sock_filter v4[] = {
		MULTICAST_ONE_OF(one_of), DATA_IPV4, RETURN(SNAPLEN)};
	/* not ICMPv6, also after options */
	struct sock_filter v6[] = {MULTICAST_ONE_OF(one_of), DATA_IPV6,
		REFUSE_IF(BPF_JEQ, PROTO_ICMPV6), REFUSE_IF(BPF_JEQ, PROTO_HOPOPTS),
		RETURN(SNAPLEN)};
	bool is_v4 = s->family == FAMILY_IPV4;
	struct sock_fprog prog = {
		is_v4 ? array_len(v4) : array_len(v6), is_v4 ? v4 : v6};

	return sockopt_set_filter(s->fd, &prog);
}

static int set_ring(struct sensor *s)
{
	struct tpacket_req req = {.tp_block_size = BLOCK_SIZE,
		.tp_block_nr = RING_SIZE / BLOCK_SIZE,
		.tp_frame_size = FRAME_SIZE,
		.tp_frame_nr = N_FRAMES};
	void *p;

	/* an optional improvement, because the filter refuses our own frames */
	(void)sockopt_set(s->fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, 1);
	if (sockopt_set(s->fd, SOL_PACKET, PACKET_VERSION, TPACKET_V2) < 0 ||
		setsockopt(s->fd, SOL_PACKET, PACKET_RX_RING, &req, sizeof(req)) < 0)
		return -errno;
	p = mmap(NULL, RING_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, s->fd, 0);
	if (p == MAP_FAILED)
		return -errno;
	s->ring = p;
	return 0;
}

/* Binds the socket last, so that nothing arrives before the filter is in place. */
static int set_up_sensor(struct sensor *s, int ifindex)
{
	struct sockaddr_ll ll = {.sll_family = AF_PACKET,
		.sll_protocol = htons(s->family == FAMILY_IPV4 ? ETH_P_IP : ETH_P_IPV6),
		.sll_ifindex = ifindex};
	int r;

	s->fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (s->fd < 0)
		return -errno;
	r = sensor_set_filter(s);
	if (r == 0)
		r = set_ring(s);
	if (r == 0 && bind(s->fd, (const struct sockaddr *)&ll, sizeof(ll)) < 0)
		r = -errno;
	return r;
}

int sensor_open(int ifindex, enum family family, struct sensor **ret)
{
	struct sensor *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return -ENOMEM;
	s->family = family;
	r = set_up_sensor(s, ifindex);
	if (r < 0)
		s = sensor_close(s);
	*ret = s;
	return r;
}

struct sensor *sensor_close(struct sensor *s)
{
	if (!s)
		return NULL;
	if (s->ring)
		munmap(s->ring, RING_SIZE);
	if (s->fd >= 0)
		close(s->fd);
	free(s);
	return NULL;
}

static struct addr address(const struct sensor *s, const uint8_t *at)
{
	struct addr a;

	if (s->family == FAMILY_IPV4)
		return addr_from_v4(at);
	memcpy(a.b, at, sizeof(a.b));
	return a;
}

/* The bytes of the packet that have arrived: the lesser of the length in the IP header,
 * which the sender can set to anything, and the length of the frame, which may include
 * padding. */
static uint32_t packet_bytes(
	const struct sensor *s, const struct tpacket2_hdr *h, const uint8_t *ip)
{
	uint32_t said =
		s->family == FAMILY_IPV4 ? get_u16be(ip + 2) : 40u + get_u16be(ip + 4);

	return min(said, h->tp_len);
}

/* Takes fewer samples if the ring was full, because streams whose datagrams came late
 * were not seen then, and more if there is much room. */
static void adapt(struct sensor *s, unsigned n)
{
	struct tpacket_stats st = {0};
	socklen_t len = sizeof(st);
	unsigned before = s->sampling;

	(void)getsockopt(s->fd, SOL_PACKET, PACKET_STATISTICS, &st, &len);
	if (st.tp_drops > 0 && s->sampling < MAX_SAMPLING)
		s->sampling++;
	else if (st.tp_drops == 0 && n < N_FRAMES / 8 && s->sampling > 0)
		s->sampling--;
	if (s->sampling != before && sensor_set_filter(s) < 0)
		s->sampling = before;
}

void sensor_read(struct sensor *s,
	void (*fn)(void *arg, const struct addr *group, const struct addr *source,
		const struct gm_mac *mac, uint32_t bytes),
	void *arg)
{
	bool v4 = s->family == FAMILY_IPV4;
	unsigned n = 0;

	for (; n < N_FRAMES; n++) {
		uint8_t *frame = s->ring + (size_t)s->next * FRAME_SIZE;
		struct tpacket2_hdr *h = (void *)frame;
		_Atomic uint32_t *status = (void *)&h->tp_status;
		const struct sockaddr_ll *from =
			(void *)(frame + TPACKET_ALIGN(sizeof(*h)));
		const uint8_t *ip = frame + h->tp_net;

		if (!(atomic_load_explicit(status, memory_order_acquire) &
			    TP_STATUS_USER))
			break;
		if (h->tp_snaplen >= (v4 ? 20u : 40u) && from->sll_halen == 6) {
			struct addr source = address(s, ip + (v4 ? 12 : 8));
			struct addr group = address(s, ip + (v4 ? 16 : 24));
			struct gm_mac mac;

			memcpy(mac.byte, from->sll_addr, sizeof(mac.byte));
			fn(arg, &group, &source, &mac, packet_bytes(s, h, ip));
		}
		atomic_store_explicit(status, TP_STATUS_KERNEL, memory_order_release);
		s->next = (s->next + 1) % N_FRAMES;
	}
	adapt(s, n);
}

unsigned sensor_sampling(const struct sensor *s)
{
	return s->sampling;
}
