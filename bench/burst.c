/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Measures the path of a frame from a ring's block to sendmmsg(2), without the kernel.
 * The load is evenly spaced, as it is found in a ring after some milliseconds.
 *
 *   bench_burst STREAMS DATAGRAMS PORTS ROUNDS [each|joined|none [quality]]
 *       a burst has DATAGRAMS datagrams of each stream, one of each in turn, and each
 *       stream goes to all ports. With "each" (the default), the ports take single
 *       datagrams; with "joined", super-frames; with "none", super-frames made of
 *       datagrams without UDP checksum. With "quality", the streams are also analysed,
 *       as MPEG-TS without faults
 *
 * Time depends on the machine and the day, instructions do not. Count them with
 *
 *   valgrind --tool=callgrind --toggle-collect=measured bench_burst 50 6 4 200 joined
 */

#include "base/bytes.h"
#include "base/inet.h"
#include "dataplane/forward/forward.h"
#include "dataplane/forward/observe.h"
#include "dataplane/io/tx_port.h"
#include "dataplane/packet/rewrite.h"

#include <linux/if_packet.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <urcu-qsbr.h>

#define FRAME_LEN 1344 /* the IP packet: seven TS packets */
#define SLOT_LEN  1456 /* in the ring */
#define HEAD_LEN  28
#define INPUT	  0
#define TS_LEN	  188

struct world {
	unsigned n_streams, n_each, n_ports, n_frames;
	struct plan *plan;
	struct fib *fib;
	struct forward *fw;
	struct tx_mmsg *mmsg;
	struct tx_port port[PORT_MAX], *ports[PORT_MAX];
	struct tx_ops tx;
	struct burst burst;
	uint8_t *ring;
	uint8_t (*head)[HEAD_LEN];   /* originals: a round changes TTL and checksum */
	struct quality_watch *watch; /* NULL means that nothing is analysed */
	unsigned round;
};

static uint64_t n_messages, n_calls;

/* Replaces the kernel and accepts everything. The linker puts it in place of
 * sendmmsg(). */
int __wrap_tx_sendmmsg(int fd, struct mmsghdr *v, unsigned n, int flags);
int __wrap_tx_sendmmsg(int fd, struct mmsghdr *v, unsigned n, int flags)
{
	n_messages += n;
	n_calls++;
	return (int)n;
}

static void die_if(bool failed, const char *what)
{
	if (!failed)
		return;
	fprintf(stderr, "bench_burst: %s\n", what);
	exit(1);
}

static uint8_t *packet(struct world *w, unsigned i)
{
	return w->ring + (size_t)i * SLOT_LEN + 14;
}

static void set_checksum(uint8_t *ip)
{
	struct frame f = {.ip = ip,
		.ip_len = FRAME_LEN,
		.ip_hlen = IPV4_HLEN,
		.l4_off = IPV4_HLEN,
		.proto = PROTO_UDP};

	die_if(!rewrite_complete_checksum(&f), "checksum");
}

static void make_packet(struct world *w, unsigned i, bool checksum)
{
	unsigned stream = i % w->n_streams, n = i / w->n_streams;
	uint8_t *ip = packet(w, i);
	const uint8_t head[HEAD_LEN] = {0x45, 0, FRAME_LEN >> 8, FRAME_LEN & 0xff,
		(uint8_t)(n >> 8), (uint8_t)n, 0x40, 0, 16, PROTO_UDP, 0, 0, 192, 0, 2,
		(uint8_t)(stream % 200), 239, 1, (uint8_t)(stream >> 8),
		(uint8_t)stream, 0x13, 0x88, 0x13, 0x88, (FRAME_LEN - IPV4_HLEN) >> 8,
		(FRAME_LEN - IPV4_HLEN) & 0xff};
	uint16_t sum;

	for (unsigned k = HEAD_LEN; k < FRAME_LEN; k++)
		ip[k] = (uint8_t)(k * 7 + i);
	memcpy(ip, head, sizeof(head));
	sum = inet_fold(inet_sum(ip, IPV4_HLEN, 0));
	ip[10] = (uint8_t)(sum >> 8);
	ip[11] = (uint8_t)sum;
	if (checksum)
		set_checksum(ip);
	memcpy(w->head[i], ip, HEAD_LEN);
}

static void make_plan(struct world *w, bool joined)
{
	const struct plan_source any = {.accept = true, .prefix = {.len = 96}};
	struct plan_source source = any;

	source.prefix.addr = addr_any(FAMILY_IPV4);
	for (unsigned i = 0; i <= w->n_ports; i++) {
		struct plan_port *p = &w->plan->port[i];

		p->present = p->has_l2 = p->receive = p->ipv4 = p->ipv6 = true;
		p->mtu = 1500;
		p->threshold = 1;
		p->mac[0] = 2;
		p->mac[5] = (uint8_t)i;
		memset(&p->allowed, 0xff, sizeof(p->allowed));
		die_if(plan_set_sources(p, &source, 1) < 0, "memory");
		w->port[i].fd = -1;
		w->port[i].has_l2 = true;
		w->port[i].caps = joined ? TX_VNET | TX_SUPER_FRAME : TX_VNET;
		w->ports[i] = &w->port[i];
	}
}

static void make_table(struct world *w)
{
	const struct addr any = addr_any(FAMILY_IPV4);
	struct portset out = {0};

	for (unsigned i = 1; i <= w->n_ports; i++)
		portset_add(&out, i);
	for (unsigned i = 0; i < w->n_streams; i++) {
		struct addr group = ADDR_V4(239, 1, (uint8_t)(i >> 8), (uint8_t)i);

		die_if(fib_set(w->fib, 0, &any, &group, &out) < 0, "table");
	}
}

static struct world *world_new(
	unsigned streams, unsigned each, unsigned ports, bool joined, bool checksum)
{
	struct world *w = calloc(1, sizeof(*w));

	die_if(!w, "memory");
	w->n_streams = streams;
	w->n_each = each;
	w->n_ports = ports;
	w->n_frames = streams * each;
	w->plan = plan_new();
	w->ring = calloc(w->n_frames, SLOT_LEN);
	w->head = calloc(w->n_frames, HEAD_LEN);
	die_if(!w->plan || !w->ring || !w->head || fib_new(1, 1, &w->fib) < 0 ||
			forward_new(&w->fw) < 0 ||
			tx_mmsg_new(&w->fw->counters, &w->mmsg) < 0,
		"memory");
	make_plan(w, joined);
	make_table(w);
	for (unsigned i = 0; i < w->n_frames; i++)
		make_packet(w, i, checksum);
	tx_mmsg_ops(w->mmsg, w->ports, &w->tx);
	return w;
}

/* Continues the numbers of the last round. */
static void make_television(struct world *w, unsigned i)
{
	uint8_t *p = packet(w, i) + HEAD_LEN;
	unsigned cc = (w->round * w->n_each + i / w->n_streams) * 7;

	for (unsigned k = 0; k < 7; k++, p += TS_LEN) {
		p[0] = 0x47;
		p[1] = k == 3; /* two PIDs */
		p[2] = 0x30;
		p[3] = (uint8_t)(0x10 |
			((k == 3 ? cc / 7 : cc / 7 * 6 + k - (k > 3)) & 15));
	}
}

static void restore(struct world *w)
{
	for (unsigned i = 0; i < w->n_frames; i++) {
		memcpy(packet(w, i), w->head[i], HEAD_LEN);
		if (!w->watch)
			continue;
		make_television(w, i);
		if (packet(w, i)[26] || packet(w, i)[27])
			set_checksum(packet(w, i));
	}
	w->round++;
}

/* A millisecond later than the last round. */
static void analyse(struct world *w, const struct replicate_job *job)
{
	mono_t now = mono_from_ms(100000 + w->round);

	quality_watch_begin(w->watch, &(struct quality_moment){now, now, now.ns});
	observe_burst(job, w->watch);
	quality_watch_end(w->watch);
}

/* Does what a worker does with the frames of its blocks. */
__attribute__((noinline)) static void measured(struct world *w)
{
	struct replicate_job job;

	for (unsigned i = 0; i < w->n_frames; i++) {
		struct frame_meta m = {.l2 = packet(w, i) - 14,
			.l3 = packet(w, i),
			.l3_caplen = FRAME_LEN,
			.l3_len = FRAME_LEN,
			.ethertype = 0x0800,
			.pkttype = PACKET_MULTICAST,
			.stamp = i + 1};
		struct frame f;

		if (frame_parse(&m, 1500, &f) == VERDICT_FORWARDED)
			burst_add(&w->burst, INPUT, &f);
	}
	forward_burst(w->fw, &w->burst, w->plan, w->fib, &w->tx, &job);
	replicate_serve_all(w->fw->replicator, &job, &w->tx);
	if (w->watch)
		analyse(w, &job);
	burst_clear(&w->burst);
}

static double now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

int main(int argc, char **argv)
{
	const char *how = argc > 5 ? argv[5] : "each";
	bool joined = strcmp(how, "each") != 0, checksum = strcmp(how, "none") != 0;
	double took = 0, frames, copies, from;
	unsigned v[4] = {0}, rounds;
	struct world *w;

	for (unsigned i = 0; i < 4; i++)
		v[i] = argc > (int)i + 1 ? (unsigned)atoi(argv[i + 1]) : 0;
	rounds = v[3];
	die_if(v[0] == 0 || v[1] == 0 || v[0] * v[1] > BURST_MAX || v[2] == 0 ||
			v[2] >= PORT_MAX || rounds == 0,
		"usage: bench_burst STREAMS DATAGRAMS PORTS ROUNDS "
		"[each|joined|none [quality]]; at most 2048 datagrams, 255 ports");
	rcu_register_thread();
	w = world_new(v[0], v[1], v[2], joined, checksum);
	if (argc > 6 && strcmp(argv[6], "quality") == 0)
		die_if(quality_watch_new(QUALITY_MODE_ON, QUALITY_WATCH_STREAMS, 1,
			       &w->watch) < 0,
			"memory");
	for (unsigned i = 0; i < rounds; i++) {
		restore(w);
		from = now_ns();
		measured(w);
		took += now_ns() - from;
	}
	frames = (double)w->n_frames * rounds;
	copies = frames * w->n_ports;
	printf("%u streams x %u, %u ports, %s%s: %.0f frames, %.0f copies, "
	       "%.2f datagrams per message, %.1f messages per call, "
	       "%.1f ns per frame, %.1f per copy\n",
		w->n_streams, w->n_each, w->n_ports, how, w->watch ? ", quality" : "",
		frames, copies, copies / (double)n_messages,
		(double)n_messages / (double)n_calls, took / frames, took / copies);
	return 0;
}
