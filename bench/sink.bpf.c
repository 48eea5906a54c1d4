/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The receivers of the benchmark, as a program at the ingress hook (tc) of every
 * interface behind the router: counts and checks each datagram of a run and drops it.
 * It runs wherever the frame is received, and costs the same whoever forwarded. A frame
 * that stands for many datagrams (GSO) is walked through datagram by datagram. What is
 * not a datagram of the benchmark goes on to the stack. */

#include "sink.h"

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/pkt_cls.h>
#include <linux/udp.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

struct sink_shared shared;

struct headers {
	struct ethhdr eth;
	struct iphdr ip;
	struct udphdr udp;
} __attribute__((packed));

static __always_inline void note_latency(__u32 cpu, __u64 sent)
{
	struct sink_latency *l = &shared.latency[cpu];
	__u64 now = bpf_ktime_get_ns();
	__u64 ns = now > sent ? now - sent : 0;
	__u32 power = 0, b;
	__u64 x = ns | 16;

	if (x >> 32) {
		power += 32;
		x >>= 32;
	}
	if (x >> 16) {
		power += 16;
		x >>= 16;
	}
	if (x >> 8) {
		power += 8;
		x >>= 8;
	}
	if (x >> 4) {
		power += 4;
		x >>= 4;
	}
	if (x >> 2) {
		power += 2;
		x >>= 2;
	}
	power += x >> 1;
	/* below 16 ns nothing is told apart */
	b = power * 16 + ((ns >> (power - 4)) & 15);
	l->bucket[b & (SINK_BUCKETS - 1)]++;
	l->n++;
	if (!l->min || ns < l->min)
		l->min = ns;
	if (ns > l->max)
		l->max = ns;
}

/* The order of a flow: 0, 1, 2 ... */
static __always_inline void note_order(
	struct sink_count *c, __u32 port, const struct bench_datagram *d)
{
	__u32 at = (d->flow * shared.n_ports + port) & (SINK_FLOW_PORTS - 1);
	__u32 due;

	due = shared.next[at];
	if (d->seq + 1 == due) {
		c->duplicate++;
	} else if (d->seq < due) {
		c->late++;
	} else {
		c->lost += d->seq - due;
		shared.next[at] = d->seq + 1;
	}
}

static __always_inline void note_watched(__u32 port)
{
	struct sink_watched *w = &shared.watched[port];
	__u64 now = bpf_ktime_get_ns();

	if (!w->n++)
		w->first_ns = now;
	w->last_ns = now;
}

SEC("tc") int sink(struct __sk_buff *skb)
{
	__u32 port = skb->ifindex - SINK_FIRST_IFINDEX, cpu, len, end, off, flow;
	__u32 n_good = 0, n_corrupt = 0, n_foreign = 0;
	struct sink_count *c;
	struct headers h;

	if (port >= BENCH_MAX_PORTS || bpf_skb_load_bytes(skb, 0, &h, sizeof(h)))
		return TC_ACT_OK;
	if (h.eth.h_proto != bpf_htons(ETH_P_IP) || h.ip.protocol != IPPROTO_UDP ||
		h.ip.ihl != 5)
		return TC_ACT_OK;
	flow = bpf_ntohl(h.ip.daddr) - BENCH_NET;
	if (flow >= BENCH_MAX_FLOWS)
		return TC_ACT_OK;
	cpu = bpf_get_smp_processor_id() & (SINK_CPUS - 1);
	c = &shared.count[cpu][port];
	len = shared.payload_len;
	end = bpf_ntohs(h.ip.tot_len) + sizeof(struct ethhdr);
	if (skb->gso_size ? skb->gso_size != len : end != BENCH_HEADERS + len) {
		c->corrupt++;
		return TC_ACT_SHOT;
	}

	off = BENCH_HEADERS;
	for (__u32 i = 0; i < BENCH_MAX_SEGMENTS; i++) {
		struct bench_datagram d;

		if (off + len > end || bpf_skb_load_bytes(skb, off, &d, sizeof(d)))
			break;
		off += len;
		if (d.check != bench_check(d.run, d.flow, d.seq, d.time_ns) ||
			d.flow != flow) {
			n_corrupt++;
			continue;
		}
		if (d.run != (__u16)shared.run) {
			n_foreign++;
			continue;
		}
		n_good++;
		note_order(c, port, &d);
		if (d.time_ns)
			note_latency(cpu, d.time_ns);
		if (d.flow + 1 == shared.watch)
			note_watched(port);
		if (off + len > end) {
			__u16 tail;

			if (bpf_skb_load_bytes(skb, off - 2, &tail, 2) ||
				tail != (__u16)d.check)
				n_corrupt++;
		}
	}
	c->skbs++;
	c->datagrams += n_good;
	c->bytes += (__u64)n_good * (BENCH_HEADERS + len);
	c->corrupt += n_corrupt + (off != end);
	c->foreign += n_foreign;
	return TC_ACT_SHOT;
}

char sink_license[] SEC("license") = "GPL";
