/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The receivers of the benchmark, as a program at the ingress hook (tc) of every
 * interface behind the router. It counts, checks and drops each datagram of a run. It
 * runs on the processor that receives the frame, and costs the same with every
 * forwarder. It handles each datagram of a GSO frame. Other packets pass to the
 * stack. */

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
	/* all latencies below 16 ns share a bucket */
	b = power * 16 + ((ns >> (power - 4)) & 15);
	l->bucket[b & (SINK_BUCKETS - 1)]++;
	l->n++;
	if (!l->min || ns < l->min)
		l->min = ns;
	if (ns > l->max)
		l->max = ns;
}

/* Checks that the datagrams of a flow arrive in the order 0, 1, 2 ... */
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

enum parsed { PARSED_OTHER, PARSED_FEC, PARSED_NUMBERED };

/* Parses a frame of the benchmark and finds its flow. Other frames pass. */
static __always_inline enum parsed parse(
	struct __sk_buff *skb, __u32 *ret_flow, __u32 *ret_end)
{
	struct headers h;

	if (bpf_skb_load_bytes(skb, 0, &h, sizeof(h)))
		return PARSED_OTHER;
	if (h.eth.h_proto != bpf_htons(ETH_P_IP) || h.ip.protocol != IPPROTO_UDP ||
		h.ip.ihl != 5)
		return PARSED_OTHER;
	*ret_flow = bpf_ntohl(h.ip.daddr) - BENCH_NET;
	*ret_end = bpf_ntohs(h.ip.tot_len) + sizeof(struct ethhdr);
	if (*ret_flow >= BENCH_MAX_FLOWS)
		return PARSED_OTHER;
	return h.udp.dest == bpf_htons(BENCH_FEC_PORT) ? PARSED_FEC : PARSED_NUMBERED;
}

enum judgement { JUDGED_GOOD, JUDGED_CORRUPT, JUDGED_FOREIGN };

static __always_inline enum judgement judge(const struct bench_datagram *d, __u32 flow)
{
	if (d->check != bench_check(d->run, d->flow, d->seq, d->time_ns) ||
		d->flow != flow)
		return JUDGED_CORRUPT;
	return d->run == (__u16)shared.run ? JUDGED_GOOD : JUDGED_FOREIGN;
}

SEC("tc") int sink(struct __sk_buff *skb)
{
	__u32 port = skb->ifindex - SINK_FIRST_IFINDEX, len = shared.payload_len;
	__u32 cpu = bpf_get_smp_processor_id() & (SINK_CPUS - 1);
	__u32 n[3] = {0}, off = BENCH_HEADERS, flow, end;
	struct sink_count *c;
	enum parsed what;

	if (port >= BENCH_MAX_PORTS)
		return TC_ACT_OK;
	what = parse(skb, &flow, &end);
	if (what == PARSED_OTHER)
		return TC_ACT_OK;
	c = &shared.count[cpu][port];
	if (what == PARSED_FEC) {
		c->fec += skb->gso_size ? skb->gso_segs : 1;
		return TC_ACT_SHOT;
	}
	if (skb->gso_size ? skb->gso_size != len : end != BENCH_HEADERS + len) {
		c->corrupt++;
		return TC_ACT_SHOT;
	}
	for (__u32 i = 0; i < BENCH_MAX_SEGMENTS; i++) {
		struct bench_datagram d;
		enum judgement j;
		__u16 tail;

		if (off + len > end ||
			bpf_skb_load_bytes(skb, off + shared.skip, &d, sizeof(d)))
			break;
		off += len;
		j = judge(&d, flow);
		/* the end of the last datagram shows where all of them were cut */
		if (off + len > end &&
			(bpf_skb_load_bytes(skb, off - 2, &tail, 2) ||
				tail != (__u16)d.check))
			j = JUDGED_CORRUPT;
		n[j]++;
		if (j != JUDGED_GOOD)
			continue;
		note_order(c, port, &d);
		if (d.time_ns)
			note_latency(cpu, d.time_ns);
		if (d.flow + 1 == shared.watch)
			note_watched(port);
	}
	c->skbs++;
	c->datagrams += n[JUDGED_GOOD];
	c->bytes += (__u64)n[JUDGED_GOOD] * (BENCH_HEADERS + len);
	c->corrupt += n[JUDGED_CORRUPT] + (off != end);
	c->foreign += n[JUDGED_FOREIGN];
	return TC_ACT_SHOT;
}

char sink_license[] SEC("license") = "GPL";
