/* SPDX-License-Identifier: GPL-2.0-or-later */

/* bench_flood: the generator of the benchmark. Sends numbered datagrams of one or more
 * flows (groups 239.1.0.0 + flow) at a rate, through a packet socket. Successive
 * datagrams of a flow go to the kernel as one super-frame. The kernel cuts it for an
 * interface that does not take it whole (ethtool -K IF tx-udp-segmentation off), which
 * costs a fraction of sending each datagram. Their UDP checksum is partial, like that
 * of any local sender. --checksum completes it and --no-checksum omits it; both send
 * each datagram alone. --even plays television: the datagrams of each flow are evenly
 * spaced, the phases are random, and each datagram is sent alone when it is due.
 * --fec N adds, after N datagrams of a flow, a longer one without a number to a second
 * port, as forward error correction does; it needs --even.
 * --ts makes MPEG-TS of the payload, which has whole packets then.
 * --shared-ids takes identifications from one counter for all flows, without DF.
 * --realtime keeps other tasks from delaying the generator, because nothing delays
 * frames from a real wire either. Prints what was sent as JSON. */

#include "datagram.h"

#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/virtio_net.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <sched.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
#define BATCH	     64
#define MAX_SUPER    65000 /* bytes of an IP packet */
#define VNET_UDP_L4  5	   /* VIRTIO_NET_HDR_GSO_UDP_L4, not in old headers */
#define FORGIVE_NS   2000000
#define SECOND_NS    1000000000LL

struct headers {
	struct virtio_net_hdr vnet;
	struct ethhdr eth;
	struct iphdr ip;
	struct udphdr udp;
} __attribute__((packed));

struct message {
	struct headers h;
	struct iovec iov[2];
	uint8_t *payload;
};

struct flood {
	const char *interface;
	uint32_t source; /* in host order */
	unsigned first, groups, size, segments, in_row, run, fec;
	double rate, seconds;
	uint64_t count; /* 0 to stop by time instead */
	int64_t tick_ns;
	bool ts, stamp, checksum, no_checksum, ids, shared_ids, even, spin, realtime;

	int fd;
	unsigned payload_len;
	unsigned char mac[6];
	uint32_t next[BENCH_MAX_FLOWS];
	uint16_t shared_id;
	struct phase {
		double part; /* as a part of the period */
		unsigned flow;
	} phase[BENCH_MAX_FLOWS]; /* for --even, in the order of sending */
	uint64_t n_sent, n_failed, n_calls, n_fec;
	int64_t forgiven_ns;
	struct message message[BATCH];
	struct mmsghdr mmsg[BATCH];
};

static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * SECOND_NS + t.tv_nsec;
}

static void sleep_until(int64_t ns)
{
	struct timespec t = {.tv_sec = ns / SECOND_NS, .tv_nsec = ns % SECOND_NS};

	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
}

static uint32_t sum16(const void *data, size_t len, uint32_t sum)
{
	const uint8_t *p = data;

	for (; len > 1; p += 2, len -= 2)
		sum += (uint32_t)p[0] << 8 | p[1];
	return len ? sum + ((uint32_t)p[0] << 8) : sum;
}

static uint16_t fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons((uint16_t)sum);
}

/* Headers of one message of a flow: `n` datagrams to a port, with `len` bytes in
 * all. */
static void set_headers(const struct flood *f, struct message *m, unsigned flow,
	unsigned n, unsigned len, unsigned port)
{
	struct headers *h = &m->h;
	unsigned udp_len = (unsigned)sizeof(h->udp) + len;
	uint32_t group = BENCH_NET + flow, pseudo;

	h->vnet = (struct virtio_net_hdr){.hdr_len = BENCH_HEADERS};
	if (!f->checksum && !f->no_checksum) {
		h->vnet.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
		h->vnet.csum_start = sizeof(h->eth) + sizeof(h->ip);
		h->vnet.csum_offset = offsetof(struct udphdr, check);
	}
	if (n > 1) {
		h->vnet.gso_type = VNET_UDP_L4;
		h->vnet.gso_size = (uint16_t)f->payload_len;
	}
	memcpy(h->eth.h_dest, (uint8_t[]){1, 0, 0x5e}, 3);
	h->eth.h_dest[3] = group >> 16 & 0x7f;
	h->eth.h_dest[4] = (uint8_t)(group >> 8);
	h->eth.h_dest[5] = (uint8_t)group;
	memcpy(h->eth.h_source, f->mac, 6);
	h->eth.h_proto = htons(ETH_P_IP);
	h->ip = (struct iphdr){.version = 4,
		.ihl = 5,
		.ttl = 16,
		.protocol = IPPROTO_UDP,
		.tot_len = htons((uint16_t)(sizeof(h->ip) + udp_len)),
		.id = f->shared_ids ? htons(f->shared_id)
			: f->ids    ? htons((uint16_t)f->next[flow])
				    : 0,
		.frag_off = f->ids || f->shared_ids ? 0 : htons(IP_DF),
		.saddr = htonl(f->source),
		.daddr = htonl(group)};
	h->ip.check = (uint16_t)~fold(sum16(&h->ip, sizeof(h->ip), 0));
	h->udp = (struct udphdr){.source = htons(BENCH_UDP_PORT),
		.dest = htons((uint16_t)port),
		.len = htons((uint16_t)udp_len)};
	if (f->no_checksum)
		return;
	pseudo = sum16(&h->ip.saddr, 8, IPPROTO_UDP + udp_len);
	h->udp.check = fold(pseudo);
}

/* Packets of one PID that count on from the flow's last datagram. */
static void set_ts_heads(const struct flood *f, uint8_t *p, uint32_t seq)
{
	unsigned n = f->payload_len / BENCH_TS_LEN;

	for (unsigned i = 0; i < n; i++, p += BENCH_TS_LEN) {
		p[0] = 0x47;
		p[1] = 1;
		p[2] = 0;
		p[3] = (uint8_t)(0x10 | ((seq * n + i) & 15));
	}
}

static void set_payload(struct flood *f, uint8_t *p, unsigned flow, uint64_t time_ns)
{
	struct bench_datagram d = {.run = (__u16)f->run,
		.flow = (__u16)flow,
		.seq = f->next[flow]++,
		.time_ns = time_ns};
	uint16_t tail;

	d.check = bench_check(d.run, d.flow, d.seq, d.time_ns);
	tail = (uint16_t)d.check;
	if (f->ts)
		set_ts_heads(f, p, d.seq);
	memcpy(p + (f->ts ? BENCH_TS_HEAD : 0), &d, sizeof(d));
	memcpy(p + f->payload_len - 2, &tail, 2);
}

static void complete(struct flood *f, struct message *m, unsigned n, unsigned len)
{
	f->shared_id = (uint16_t)(f->shared_id + n);
	m->iov[1].iov_len = len;
	if (f->checksum) {
		m->h.udp.check = (uint16_t)~fold(
			sum16(m->payload, len, sum16(&m->h.udp, sizeof(m->h.udp), 0)));
		if (!m->h.udp.check)
			m->h.udp.check = 0xffff;
	}
}

static void set_message(
	struct flood *f, struct message *m, unsigned flow, unsigned n, uint64_t time_ns)
{
	set_headers(f, m, flow, n, n * f->payload_len, BENCH_UDP_PORT);
	for (unsigned i = 0; i < n; i++)
		set_payload(f, m->payload + i * f->payload_len, flow, time_ns);
	complete(f, m, n, n * f->payload_len);
}

/* Sends the first n messages. */
static int send_messages(struct flood *f, unsigned n_messages)
{
	unsigned at = 0;

	while (at < n_messages) {
		int r = sendmmsg(f->fd, f->mmsg + at, n_messages - at, 0);
		uint64_t n;

		f->n_calls++;
		if (r < 0 && errno != ENOBUFS && errno != EINTR && errno != EAGAIN)
			return -errno;
		n = r < 0 ? 1 : (unsigned)r;
		for (; n; n--, at++) {
			uint64_t c = f->message[at].iov[1].iov_len / f->payload_len;

			*(r < 0 ? &f->n_failed : &f->n_sent) += c;
		}
	}
	return 0;
}

/* Sends datagrams [n_sent, n_sent + due). A datagram's number determines its flow. */
static int send_due(struct flood *f, uint64_t due)
{
	unsigned n_messages = 0;
	uint64_t k = f->n_sent + f->n_failed, end = k + due, stamp;

	stamp = f->stamp ? (uint64_t)now_ns() : 0;
	while (k < end && n_messages < BATCH) {
		uint64_t row = f->in_row - k % f->in_row;
		uint64_t n = f->groups == 1 ? end - k : row < end - k ? row : end - k;

		n = n < f->segments ? n : f->segments;
		set_message(f, &f->message[n_messages++],
			f->first + (unsigned)(k / f->in_row % f->groups), (unsigned)n,
			stamp);
		k += n;
	}
	return send_messages(f, n_messages);
}

static uint64_t n_done(const struct flood *f)
{
	return f->n_sent + f->n_failed;
}

/* Returns how many datagrams are due now. A generator that is late by more than
 * FORGIVE_NS drops some instead of sending a burst. */
static uint64_t n_due(struct flood *f, int64_t *start)
{
	int64_t now = now_ns(), late;
	uint64_t want;

	late = now - *start - (int64_t)((double)n_done(f) * 1e9 / f->rate);
	if (late > FORGIVE_NS) {
		f->forgiven_ns += late;
		*start += late;
	}
	want = (uint64_t)((double)(now - *start) * f->rate / 1e9) + 1;
	if (f->count && want > f->count)
		want = f->count;
	return want > n_done(f) ? want - n_done(f) : 0;
}

/* Sends FEC when the flow has sent enough datagrams for it. Returns 0 or -errno. */
static int send_fec(struct flood *f, unsigned flow)
{
	struct message *m = &f->message[1];
	unsigned len = f->payload_len + BENCH_FEC_MORE;

	if (f->next[flow] % f->fec != 0)
		return 0;
	set_headers(f, m, flow, 1, len, BENCH_FEC_PORT);
	complete(f, m, 1, len);
	if (sendmsg(f->fd, &f->mmsg[1].msg_hdr, 0) > 0)
		f->n_fec++;
	else if (errno != ENOBUFS && errno != EINTR && errno != EAGAIN)
		return -errno;
	return 0;
}

static int by_phase(const void *a, const void *b)
{
	const struct phase *x = a, *y = b;

	return (x->part > y->part) - (x->part < y->part);
}

/* Chooses phases that differ between runs, but are the same if a run is repeated. */
static void choose_phases(struct flood *f)
{
	uint32_t x = f->run * 2654435761u + 1;

	for (unsigned i = 0; i < f->groups; i++) {
		x ^= x << 13;
		x ^= x >> 17;
		x ^= x << 5;
		f->phase[i] = (struct phase){x / 4294967296.0, f->first + i};
	}
	qsort(f->phase, f->groups, sizeof(f->phase[0]), by_phase);
}

/* Sends one datagram of each flow per period. */
static int flood_even(struct flood *f, double *ret_seconds, double *ret_begin)
{
	double period = (double)f->groups * 1e9 / f->rate;
	int64_t begin = now_ns(), start = begin, now = begin;
	int64_t end = begin + (int64_t)(f->seconds * 1e9);

	choose_phases(f);
	for (uint64_t k = 0; f->count ? k < f->count : now < end; k++) {
		const struct phase *p = &f->phase[k % f->groups];
		int64_t due =
			start + (int64_t)(((double)(k / f->groups) + p->part) * period);
		int r;

		if (!f->spin && now_ns() < due)
			sleep_until(due);
		do
			now = now_ns();
		while (now < due);
		if (now - due > FORGIVE_NS) {
			f->forgiven_ns += now - due;
			start += now - due;
		}
		set_message(f, &f->message[0], p->flow, 1,
			f->stamp ? (uint64_t)now_ns() : 0);
		r = send_messages(f, 1);
		if (!r && f->fec)
			r = send_fec(f, p->flow);
		if (r)
			return r;
	}
	*ret_seconds = (double)(now_ns() - begin) / 1e9;
	*ret_begin = (double)begin / 1e9;
	return 0;
}

static int flood(struct flood *f, double *ret_seconds, double *ret_begin)
{
	int64_t begin = now_ns(), start = begin, at = begin;
	int64_t end = begin + (int64_t)(f->seconds * 1e9);
	int64_t spacing = (int64_t)(1e9 / f->rate);
	int64_t tick = f->tick_ns > spacing ? f->tick_ns : spacing;

	while (f->count ? n_done(f) < f->count : now_ns() < end) {
		uint64_t due = n_due(f, &start);
		int r = due ? send_due(f, due) : 0;

		if (r)
			return r;
		/* leave datagrams that became due meanwhile to the next tick, because a
		 * few cost as much as a super-frame */
		if (f->spin ||
			now_ns() - start >
				(int64_t)((double)n_done(f) * 1e9 / f->rate) + tick)
			continue;
		while (at <= now_ns())
			at += tick;
		sleep_until(at);
	}
	*ret_seconds = (double)(now_ns() - begin) / 1e9;
	*ret_begin = (double)begin / 1e9;
	return 0;
}

static int prepare(struct flood *f)
{
	struct sockaddr_ll ll = {.sll_family = AF_PACKET,
		.sll_ifindex = (int)if_nametoindex(f->interface)};
	const int one = 1, big = 64 << 20;
	const struct sched_param first = {.sched_priority = 1};

	if (!ll.sll_ifindex)
		return -errno;
	f->fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	if (f->fd < 0)
		return -errno;
	if (setsockopt(f->fd, SOL_PACKET, PACKET_VNET_HDR, &one, sizeof(one)) ||
		bind(f->fd, (struct sockaddr *)&ll, sizeof(ll)))
		return -errno;
	setsockopt(f->fd, SOL_SOCKET, SO_SNDBUFFORCE, &big, sizeof(big));
	prctl(PR_SET_TIMERSLACK, 1);
	if (f->realtime && sched_setscheduler(0, SCHED_FIFO, &first) < 0)
		return -errno;
	f->payload_len = f->size - BENCH_HEADERS;
	if (f->segments > MAX_SUPER / f->payload_len)
		f->segments = MAX_SUPER / f->payload_len;
	memcpy(f->mac, (uint8_t[]){2, 0, 0, 0, 0, 1}, 6);
	for (unsigned i = 0; i < BATCH; i++) {
		struct message *m = &f->message[i];

		m->payload =
			malloc((size_t)f->segments * f->payload_len + BENCH_FEC_MORE);
		if (!m->payload)
			return -ENOMEM;
		memset(m->payload, 0x47,
			(size_t)f->segments * f->payload_len + BENCH_FEC_MORE);
		m->iov[0] = (struct iovec){&m->h, sizeof(m->h)};
		m->iov[1] = (struct iovec){m->payload, 0};
		f->mmsg[i].msg_hdr =
			(struct msghdr){.msg_iov = m->iov, .msg_iovlen = 2};
	}
	return 0;
}

static void usage(void)
{
	fputs("usage: bench_flood --interface IF [--source ADDRESS] [--first N] [--groups N] [--in-row N]\n"
	      "	[--size BYTES of the frame without FCS] [--rate DATAGRAMS/S] [--seconds S]\n"
	      "	[--run ID] [--segments N] [--tick US] [--checksum | --no-checksum] [--stamp] [--ts]\n"
	      "	[--ids | --shared-ids] [--even [--fec N]] [--count N] [--spin] [--realtime] [--cpu N]\n",
		stderr);
}

static int pin(int cpu)
{
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(cpu, &cpus);
	return sched_setaffinity(0, sizeof(cpus), &cpus);
}

static bool valid(const struct flood *f)
{
	return f->interface && f->groups && f->first + f->groups <= BENCH_MAX_FLOWS &&
		f->in_row && f->rate > 0 && f->segments &&
		f->segments <= BENCH_MAX_SEGMENTS &&
		f->size >= BENCH_HEADERS + BENCH_MIN_PAYLOAD && f->size <= 9000 &&
		(!f->fec || f->even) &&
		(!f->ts || (f->size - BENCH_HEADERS) % BENCH_TS_LEN == 0);
}

static bool set(struct flood *f, int option, const char *value)
{
	unsigned n = (unsigned)strtoul(value, NULL, 10);

	switch (option) {
	case 'i':
		f->interface = value;
		return true;
	case 's':
		f->source = ntohl(inet_addr(value));
		return true;
	case 'r':
		f->rate = strtod(value, NULL);
		return true;
	case 't':
		f->seconds = strtod(value, NULL);
		return true;
	case 'T':
		f->tick_ns = (int64_t)n * 1000;
		return true;
	case 'N':
		f->count = n;
		return true;
	case 'C':
		return !pin((int)n);
	}
	return false;
}

static bool parse(struct flood *f, int argc, char **argv)
{
	static int ts, checksum, no_checksum, stamp, ids, shared_ids, even, spin,
		realtime;
	static const struct option options[] = {{"interface", 1, NULL, 'i'},
		{"source", 1, NULL, 's'}, {"rate", 1, NULL, 'r'},
		{"seconds", 1, NULL, 't'}, {"tick", 1, NULL, 'T'},
		{"count", 1, NULL, 'N'}, {"cpu", 1, NULL, 'C'}, {"groups", 1, NULL, 0},
		{"first", 1, NULL, 1}, {"in-row", 1, NULL, 2}, {"size", 1, NULL, 3},
		{"run", 1, NULL, 4}, {"segments", 1, NULL, 5}, {"fec", 1, NULL, 6},
		{"checksum", 0, &checksum, 1}, {"no-checksum", 0, &no_checksum, 1},
		{"shared-ids", 0, &shared_ids, 1}, {"even", 0, &even, 1},
		{"ts", 0, &ts, 1}, {"stamp", 0, &stamp, 1}, {"ids", 0, &ids, 1},
		{"spin", 0, &spin, 1}, {"realtime", 0, &realtime, 1},
		{NULL, 0, NULL, 0}};
	unsigned *number[] = {&f->groups, &f->first, &f->in_row, &f->size, &f->run,
		&f->segments, &f->fec};
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (!optarg && c == '?')
			return false;
		if (!optarg)
			continue;
		if ((size_t)c < ARRAY_LEN(number))
			*number[c] = (unsigned)strtoul(optarg, NULL, 10);
		else if (!set(f, c, optarg))
			return false;
	}
	f->ts = ts;
	f->checksum = checksum;
	f->no_checksum = no_checksum;
	f->shared_ids = shared_ids;
	f->even = even;
	f->stamp = stamp;
	f->ids = ids;
	f->spin = spin;
	f->realtime = realtime;
	if (checksum || no_checksum || stamp || even)
		f->segments = 1;
	return valid(f);
}

int main(int argc, char **argv)
{
	static struct flood f = {.source = 0x0a000001,
		.groups = 1,
		.in_row = 1,
		.size = 1358,
		.rate = 1000,
		.seconds = 1,
		.segments = 64,
		.tick_ns = 200000};
	double seconds, begin;
	int r;

	if (!parse(&f, argc, argv)) {
		usage();
		return 2;
	}
	r = prepare(&f);
	if (!r)
		r = f.even ? flood_even(&f, &seconds, &begin)
			   : flood(&f, &seconds, &begin);
	if (r) {
		fprintf(stderr, "bench_flood: %s\n", strerror(-r));
		return 1;
	}
	printf("{\"sent\": %" PRIu64 ", \"failed\": %" PRIu64 ", \"calls\": %" PRIu64
	       ", \"fec\": %" PRIu64
	       ", \"seconds\": %.6f, \"begin\": %.6f, \"forgiven\": %.6f}\n",
		f.n_sent, f.n_failed, f.n_calls, f.n_fec, seconds, begin,
		(double)f.forgiven_ns / 1e9);
	return 0;
}
