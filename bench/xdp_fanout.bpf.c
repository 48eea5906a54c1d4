/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Replication by the kernel's device map: what a forwarder with one fixed set of
 * outputs can reach below the kernel's network stack. It lowers the TTL once, and
 * rewrites the source address for each output. */

#include "datagram.h"

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

struct port {
	__u32 ifindex;
	int program;
};

struct mac {
	__u8 byte[8];
};

struct {
	__uint(type, BPF_MAP_TYPE_DEVMAP_HASH);
	__uint(max_entries, BENCH_MAX_PORTS);
	__type(key, __u32);
	__type(value, struct port);
} ports SEC(".maps");

/* addresses of the outputs by index */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, BENCH_MAX_PORTS);
	__type(key, __u32);
	__type(value, struct mac);
} macs SEC(".maps");

SEC("xdp") int fan_out(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	struct ethhdr *eth = data;
	struct iphdr *ip = (void *)(eth + 1);
	__u32 sum;

	if ((void *)(ip + 1) > end || eth->h_proto != bpf_htons(ETH_P_IP) ||
		bpf_ntohl(ip->daddr) >> 16 != BENCH_NET >> 16 || ip->ttl < 2)
		return XDP_PASS;
	ip->ttl--;
	sum = ip->check + bpf_htons(0x100);
	ip->check = (__u16)(sum + (sum >> 16));
	return (int)bpf_redirect_map(
		&ports, 0, BPF_F_BROADCAST | BPF_F_EXCLUDE_INGRESS);
}

SEC("xdp/devmap") int leave(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	struct ethhdr *eth = data;
	__u32 ifindex = ctx->egress_ifindex;
	struct mac *mac = bpf_map_lookup_elem(&macs, &ifindex);

	if (mac && (void *)(eth + 1) <= end)
		__builtin_memcpy(eth->h_source, mac->byte, ETH_ALEN);
	return XDP_PASS;
}

char xdp_license[] SEC("license") = "GPL";
