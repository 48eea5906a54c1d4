/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The payload of the benchmark's datagrams, for the generator and for the counting
 * program in the kernel. Words are in host order, because they never leave the machine.
 * The last two bytes of the payload repeat the check, to detect a datagram that was cut
 * in the wrong place. If the payload is MPEG-TS, all of this is in the payload of TS
 * packets.
 */

#include <linux/types.h>

#define BENCH_MAX_PORTS	   256
#define BENCH_MAX_FLOWS	   65536
#define BENCH_MAX_SEGMENTS 128
#define BENCH_HEADERS	   42	       /* Ethernet, IPv4, UDP */
#define BENCH_NET	   0xef010000u /* 239.1.0.0/16; the low 16 bits are the flow */
#define BENCH_UDP_PORT	   5000
#define BENCH_FEC_PORT	   5002 /* of a stream's FEC (SMPTE 2022-1) */
#define BENCH_FEC_MORE	   28	/* more bytes in its datagrams: RTP and FEC header */
#define BENCH_TS_LEN	   188
#define BENCH_TS_HEAD	   4

struct bench_datagram {
	__u16 run, flow;
	__u32 seq;
	__u64 time_ns; /* CLOCK_MONOTONIC at sending, 0 if not requested */
	__u32 check;
} __attribute__((packed));

#define BENCH_MIN_PAYLOAD (sizeof(struct bench_datagram) + 2)

static inline __u32 bench_check(__u16 run, __u16 flow, __u32 seq, __u64 time_ns)
{
	__u32 x = ((__u32)run << 16 | flow) * 0x9e3779b1u;

	x ^= seq * 0x85ebca6bu + 0x27d4eb2fu;
	x ^= (__u32)time_ns * 0xc2b2ae35u + (__u32)(time_ns >> 32);
	return x ^ x >> 15;
}
