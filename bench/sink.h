/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Memory that the counting program in the kernel (sink.bpf.c) shares with its reader
 * (sink.c). */

#include "datagram.h"

#define SINK_FIRST_IFINDEX 1000	     /* port n is interface 1000 + n */
#define SINK_CPUS	   16	     /* a power of two */
#define SINK_FLOW_PORTS	   (1 << 18) /* flows times ports, a power of two */
#define SINK_BUCKETS	   1024	     /* 16 per power of two of nanoseconds */

/* One per processor and port, so that no counter has to be atomic. */
struct sink_count {
	__u64 datagrams, bytes; /* bytes as if each datagram had its own frame */
	__u64 skbs;		/* fewer than datagrams if super-frames arrive */
	__u64 lost;		/* numbers that were skipped */
	__u64 duplicate, late;	/* the same number again; an older number */
	__u64 corrupt, foreign; /* with wrong contents; of another run */
	__u64 fec;		/* of the second port, which have no number */
};

struct sink_latency {
	__u64 n, min, max;
	__u64 bucket[SINK_BUCKETS];
};

/* When datagrams of the watched flow arrived. */
struct sink_watched {
	__u64 n, first_ns, last_ns;
};

struct sink_shared {
	/* set before a trial */
	__u32 run, payload_len, n_ports;
	__u32 skip;  /* bytes of the payload before struct bench_datagram */
	__u32 watch; /* the flow + 1 */
	struct sink_count count[SINK_CPUS][BENCH_MAX_PORTS];
	/* the next number that is expected; the index is flow * n_ports + port */
	__u32 next[SINK_FLOW_PORTS];
	struct sink_latency latency[SINK_CPUS];
	struct sink_watched watched[BENCH_MAX_PORTS];
};
